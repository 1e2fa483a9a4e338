"""The summary of a report: summary.json for machines, at most ten lines of summary.md for a chat."""

from collections.abc import Mapping
from typing import Any, Final

from relkit.period import Period
from relkit.report.outputs import Shown
from relkit.units import printable

_LONGEST: Final = 400


def summary_record(
    shown: Shown, period: Period, data_hash: str, guardrails: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Gather the verdicts of the entry page by area; of several in one area the first is the headline.

    Parameters
    ----------
    shown : Shown
        What the entry page shows.
    period : Period
        The week, or everything.
    data_hash : str
        Of the ledger.
    guardrails : mapping of str to str, optional
        Guardrail to the code of its verdict.

    Returns
    -------
    dict
        week, zone, data_hash, verdicts by area; guardrails, where any are set.
    """
    verdicts: dict[str, Any] = {}
    for record in shown.verdicts:
        verdicts.setdefault(record["area"], {key: record[key] for key in record if key not in {"kind", "name", "area"}})
    summary = {"week": period.label, "zone": period.zone, "data_hash": data_hash, "verdicts": verdicts}
    return summary | ({"guardrails": dict(guardrails)} if guardrails else {})


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """Write the summary for a chat message: one line a verdict, markdown characters of log text made harmless.

    Examples
    --------
    >>> summary_lines({"week": "2026-W47", "verdicts": {"slo": {"code": "MET", "sentence": "99.95 % were good."}}})
    ['**2026-W47**', '- slo **MET**: 99.95 % were good.']
    """
    lines = [f"**{summary['week']}**"]
    lines += [
        f"- {area} **{record['code'].replace('_', ' ')}**: {_plain(record['sentence'])}"
        for area, record in summary["verdicts"].items()
    ]
    return lines[:10]


def _plain(text: str) -> str:
    """Take from a sentence what markdown or a terminal would act on."""
    shown = printable(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")
    for mark in "\\`*_[]<>|~&$#":
        shown = shown.replace(mark, f"\\{mark}")
    # a chat would make a link of an address, and ring for a name
    return shown.replace("://", "\\://").replace("www.", "www\\.").replace("@", "\\@")
