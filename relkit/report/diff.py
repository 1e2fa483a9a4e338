"""What changed between two runs, told from their summaries, and between two weeks, told from their manifests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relkit.exceptions import ReportError


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """List what differs between two summaries, one sentence each, verdicts first.

    Parameters
    ----------
    before, after : mapping
        Contents of two summary.json.

    Returns
    -------
    list of str
        Empty when nothing differs.

    Examples
    --------
    >>> changes({"verdicts": {"slo": {"code": "MET", "sentence": "a"}}}, {"verdicts": {"slo": {"code": "MISSED", "sentence": "b"}}})
    ['slo: MET before, MISSED now: b']
    """
    found = []
    old, new = before.get("verdicts", {}), after.get("verdicts", {})
    for area in sorted(set(old) | set(new)):
        was, now = old.get(area), new.get(area)
        if was is None or now is None:
            found.append(
                f"{area}: {'not reported' if was is None else was['code']} before, {'not reported' if now is None else now['code']} now"
            )
        elif was["code"] != now["code"]:
            found.append(f"{area}: {was['code']} before, {now['code']} now: {now['sentence']}")
        elif was["sentence"] != now["sentence"]:
            found.append(f"{area}: still {now['code']}, before: {was['sentence']} Now: {now['sentence']}")
    rails, railed = after.get("guardrails", {}), before.get("guardrails", {})
    found += [
        f"guardrail {name}: {railed[name]} before, {code} now"
        for name, code in rails.items()
        if railed.get(name, code) != code
    ]
    if before.get("data_hash") != after.get("data_hash") and "data_hash" in after:
        found.append("the data differ (other ingest ledger)")
    if before.get("parameters") != after.get("parameters") and "parameters" in after:
        found.append("the parameters differ")
    return found


@dataclass(frozen=True, slots=True)
class WeekDiff:
    """What differs between two published reports.

    Parameters
    ----------
    before, after : str
        Labels of the reports.
    lines : tuple of str
        What differs, a sentence each; empty when nothing does.
    moved : tuple of str
        Areas whose number moved by more than chance: the intervals do not touch.
    """

    before: str
    after: str
    lines: tuple[str, ...]
    moved: tuple[str, ...]

    @property
    def record(self) -> dict[str, Any]:
        """The finding as plain values."""
        return {"before": self.before, "after": self.after, "lines": list(self.lines), "moved": list(self.moved)}


def diff_reports(reports: Path, before: str, after: str) -> WeekDiff:
    """Compare two published reports by what their manifests say: verdicts, their numbers, and the answers of the week.

    Parameters
    ----------
    reports : Path
        Folder of published reports.
    before, after : str
        Labels such as 2026-W46; W46 stands for the newest year that has it.

    Raises
    ------
    ReportError
        There is no such report, or it cannot be read.
    """
    labels = [_label(reports, asked) for asked in (before, after)]
    old, new = (_manifest(reports / label) for label in labels)
    lines, moved = _verdict_lines(*(_verdicts(manifest) for manifest in (old, new)))
    rows = [dict(_answers(manifest)) for manifest in (old, new)]
    for question in dict.fromkeys([*rows[0], *rows[1]]):
        was, now = (row.get(question, "not asked") for row in rows)
        if was != now:
            lines.append(f"{question} {was} before, {now} now")
    if old["code"] != new["code"]:
        lines.append("made by different versions of relkit: run the earlier week again before comparing small changes")
    return WeekDiff(labels[0], labels[1], tuple(lines), tuple(moved))


def _label(reports: Path, asked: str) -> str:
    there = sorted(path.name for path in reports.glob("*") if path.is_symlink()) if reports.is_dir() else []
    found = [name for name in there if name == asked or name.endswith(f"-{asked}")]
    if not found:
        known = ", ".join(there) or "none"
        raise ReportError(f"{reports}: no report {asked}; there are: {known}; publish that week first")
    return found[-1]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(f"{folder}: its manifest cannot be read ({error}); publish that week again") from None
    if not isinstance(found, dict) or not {"verdicts", "tables", "code", "notebook"} <= set(found):
        raise ReportError(f"{folder}: its manifest is none of this version; publish that week again")
    return found


def _verdicts(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Verdicts of the entry page by area; of several in one area the first is the headline."""
    found: dict[str, Mapping[str, Any]] = {}
    for record in manifest["verdicts"].get(manifest["notebook"].split()[0], ()):
        found.setdefault(record["area"], record)
    return found


def _answers(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    tables = manifest["tables"].get(manifest["notebook"].split()[0], ())
    return [(row[0], row[1]) for table in tables if table["name"] == "answers" for row in table["rows"]]


def _verdict_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    lines = changes({"verdicts": old}, {"verdicts": new})
    moved = []
    for area in sorted(set(old) & set(new)):
        ends = [old[area].get("low"), old[area].get("high"), new[area].get("low"), new[area].get("high")]
        if None not in ends and (ends[1] < ends[2] or ends[3] < ends[0]):
            moved.append(area)
            lines.append(f"{area}: moved by more than chance, the intervals do not touch")
    return lines, moved
