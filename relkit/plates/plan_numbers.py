"""Tables of the plan's audit: each defect's number beside the corrected one, and the list they belong to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from relkit.exhibit import Exhibit
from relkit.plates.table import Table
from relkit.tune.before_after import BARE, CHOICE, DATED, FIXED, MEASURED, PLAN, BeforeAfter, Interval
from relkit.units import count, dollars, percent

_NONE: Final = "–"
SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "errors": (
        "ECL",
        (
            "A typo in SQL is tried {E17[0]} times, a bug of our own {E16[0]} times, a spent quota {E15[0]} times: each once when put "
            "right. Of three planted secrets {C04[0]} stay in the record, and {C04[1]} in ours."
        ),
    ),
    "retries": (
        "RF",
        (
            "A 401 is handed a strategy of {R01[0]} retries. One request becomes {R11[0]} calls over three models, put right {R11[1]}. A "
            "Retry-After that is a date waits {R02[0]} instead of {R02[1]}."
        ),
    ),
    "breakers": (
        "BH",
        (
            "At 10,000 requests a month the plan's breaker opens {B03[0]} into an outage, all that 99.9 % allows; {B05[0]} invalid requests of "
            "one user open it for everybody."
        ),
    ),
    "shadow": (
        "SA",
        (
            "{S02[0]} of healthy rollouts are killed within eight hours; a loss of 2 points is found in {A02[0]} of runs, by the right test in "
            "{A02[1]}; without any difference the shadow is named the winner in {A07[0]}."
        ),
    ),
    "objectives": (
        "OM",
        (
            "{O02[0]} errors are {O02[1]}, and retries of {M01[0]} cost {M01[1]}. At its own 98 % the plan burns the budget of 99.9 % at "
            "{O03[0]}; 43 minutes are {O01[1]} in 30 days."
        ),
    ),
}
"""Tables of numbers: letters of the areas in each, and its caption, in which `{B01[0]}` is the plan's number and `[1]` ours."""


def shown(value: float | None, unit: str) -> str:
    """Write a number of an exhibit with its unit.

    >>> shown(0.873, "share"), shown(65.5, "s"), shown(0.039, "usd"), shown(None, "calls"), shown(18.0, "calls")
    ('87.3 %', '65.5 s', '$0.039', '–', '18')
    """
    if value is None:
        return _NONE
    if unit == "share":
        return percent(value, 1) if value >= 0.001 or value == 0 else f"{value:.1e}"
    if unit == "s":
        return "0 s" if value == 0 else f"{1000 * value:g} ms" if value < 0.01 else f"{value:,.4g} s"
    if unit == "usd":
        return dollars(value)
    if unit in {"min", "h", "x"}:
        return f"{value:g}x" if unit == "x" else f"{value:.4g} {unit}"
    return count(value) if float(value).is_integer() else f"{value:.1f}"


def numbers_table(found: Sequence[Exhibit], section: str) -> Table:
    """Show the numbers of one section, literal beside corrected.

    Parameters
    ----------
    found : sequence of Exhibit
        All numbers.
    section : str
        One of `SECTIONS`.
    """
    areas, caption = SECTIONS[section]
    rows, values = [], dict[str, Any]()
    for one in (one for one in found if one.id[0] in areas):
        rows.append((one.id, one.what, shown(one.literal, one.unit), shown(one.corrected, one.unit), one.note))
        values |= {f"{one.id} plan": one.literal, f"{one.id} corrected": one.corrected}
    words = {one.id: (shown(one.literal, one.unit), shown(one.corrected, one.unit)) for one in found}
    return Table(
        f"{section}_numbers", caption.format(**words), ("defect", "what", "plan", "corrected", "note"), rows, values
    )


def defects_table(
    counts: Mapping[str, Mapping[str, int]], with_number: int, others: Sequence[str], name: str = "defects"
) -> Table:
    """Show how many defects of which severity each area has.

    Parameters
    ----------
    counts : mapping of str to mapping of str to int
        Area to severity to how many.
    with_number : int
        Defects of high severity that this page shows with a number.
    others : sequence of str
        Ids of those that it does not.
    name : str
        Name of the table.
    """
    severities = list(next(iter(counts.values())))
    totals = {severity: sum(of[severity] for of in counts.values()) for severity in severities}
    rows = [(area, *(str(of[each]) for each in severities), str(sum(of.values()))) for area, of in counts.items()]
    rows.append(("all", *(str(totals[each]) for each in severities), str(sum(totals.values()))))
    rest = f"; {', '.join(others)} have none here" if others else ""
    caption = (
        f"{sum(totals.values())} defects, {totals['high']} of them of high severity: users are harmed or a decision is wrong. "
        f"{with_number} of these {totals['high']} have a number on this page{rest}."
    )
    values: dict[str, Any] = {**totals, "with_number": with_number}
    return Table(name, caption, ("area", *severities, "all"), rows, values)


def suite_table(found: BeforeAfter, name: str = "policies") -> Table:
    """Show the mean of each policy over the scenarios, with intervals; each scenario is a row of the table's file.

    Parameters
    ----------
    found : BeforeAfter
        What was played.
    name : str
        Name of the table.
    """
    rows = [(policy, "all", *_cells(found, policy, None)) for policy in found.names]
    unlisted = [(policy, one, *_cells(found, policy, one)) for one in found.scenarios for policy in found.names]
    gain = found.gain(CHOICE, PLAN, "success")
    wasted, usd = (found.gain(CHOICE, PLAN, measure) for measure in ("wasted_per_1k", "usd_per_10k"))
    caption = (
        f"Over {len(found.scenarios)} scenarios our choice answers {100 * gain.value:.2f} points ({_ends(gain, 100, 2)}) more than the plan with "
        f"models that are alive, and costs {dollars(abs(usd.value))} {'less' if usd.value < 0 else 'more'} per 10,000 requests; it makes "
        f"{abs(wasted.value):.0f} calls {'more' if wasted.value > 0 else 'fewer'} per 1,000 requests that bring no answer."
    )
    columns = ("policy", "scenario", "answered", "stale", "p95", "wasted per 1,000", "$ per 10,000")
    values: dict[str, Any] = {}
    for policy in (BARE, DATED, PLAN, FIXED, CHOICE):
        for measure in MEASURED:
            one = found.of(policy, measure)
            values |= {
                f"{policy} {measure}": one.value,
                f"{policy} {measure} low": one.low,
                f"{policy} {measure} high": one.high,
            }
    return Table(name, caption, columns, rows, values, unlisted)


def _cells(found: BeforeAfter, policy: str, scenario: str | None) -> tuple[str, ...]:
    success, stale, p95_s, wasted, usd = (found.of(policy, measure, scenario) for measure in MEASURED)
    return (
        f"{_within(success, 2, 100.0)} %",
        f"{100 * stale.value:.2f} %",
        f"{_within(p95_s, 2)} s",
        _within(wasted, 1),
        f"${_within(usd, 3)}",
    )


def _within(one: Interval, digits: int, times: float = 1.0) -> str:
    half = "" if one.high is None else f" ± {times * (one.high - one.value):.{digits}f}"
    return f"{times * one.value:.{digits}f}{half}"


def _ends(one: Interval, times: float, digits: int, most: float = float("inf")) -> str:
    if one.low is None or one.high is None:
        return "one run"
    low = max(times * one.low, 0.0) if one.value >= 0 else times * one.low
    return f"{low:.{digits}f} to {min(times * one.high, most):.{digits}f}"


def doubts_table(found: BeforeAfter, exhibits: Sequence[Exhibit], name: str = "doubts") -> Table:
    """Say what the page rests on, with the number behind each doubt.

    Parameters
    ----------
    found : BeforeAfter
        The scenarios.
    exhibits : sequence of Exhibit
        The numbers.
    name : str
        Name of the table.
    """
    stale = found.of(CHOICE, "stale").value
    rows = (
        ("the plan's base classes are not shown", "taken as failures in a row, reset on success, one call half open after 60 s"),
        ("the scenarios are ours", f"{len(found.scenarios)} of ten minutes with three models, {found.seeds} runs each; other traffic may differ"),
        ("our choice was made on these scenarios", "with other seeds than those it is shown on"),
        ("stale answers count as answers", f"{percent(stale, 3)} of the requests under our choice"),
        ("the plan is code for another language", f"{sum(one.literal is None for one in exhibits)} of {len(exhibits)} numbers cannot be had from a re-reading"),
        ("figures of the plan's text", "43 minutes and $3.90 are quoted; what they come to is computed"),
    )  # fmt: skip
    return Table(name, "What these numbers rest on.", ("doubt", "what was done"), rows, {"stale_share": stale})


def made_from_table(defects: int, digest: str, policies: Mapping[str, str], name: str = "provenance") -> Table:
    """Say what the page was made from; equal entries give equal pages.

    Parameters
    ----------
    defects : int
        Entries of the list.
    digest : str
        sha256 of what the list says.
    policies : mapping of str to str
        Preset and the hash of its settings.
    name : str
        Name of the table.
    """
    rows = (
        ("defects", f"docs/plan_defects.toml, {defects} entries, sha256 {digest[:16]} over what they say"),
        ("policies", ", ".join(f"{policy} {known}" for policy, known in policies.items())),
        ("log", "none: this page depends on no week"),
    )
    return Table(name, "Made from", ("what", "which"), rows, {"data_hash": digest})
