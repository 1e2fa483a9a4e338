"""The gate: guardrails, what threshold rules say, how often each rule is wrong."""

from collections.abc import Sequence
from typing import Any

from relkit.plates.shadow.words import NO_PAIRS, p_text, span
from relkit.plates.table import Table
from relkit.shadow.characteristics import REPLICATIONS, Characteristic
from relkit.shadow.decide import Decision, spoken, units_needed
from relkit.shadow.guardrails import HARM, NOT_MEASURED, SAFE
from relkit.shadow.naive import naive_rules
from relkit.shadow.study import Study
from relkit.units import count, percent, several

_CODES = {SAFE: "within the margin", HARM: "HARM", NOT_MEASURED: "not measured"}
_RULES = {
    "gate": "this gate, at every look",
    "gate_horizon": "this gate, once at the end",
    "plan_z": "the plan's z-test (stops nothing)",
    "plan_errors": "the plan: errors > 5 %",
    "plan_differences": "the plan: differences > 30 %",
    "plan_latency": "the plan: mean > 500 ms slower",
    "diffy": "Diffy: > 20 % of differences and > 0.03 %",
}


def guardrails_table(decision: Decision, *, name: str = "guardrails") -> Table:
    """Show every guardrail: excess of the shadow, interval, margin, p after Holm, verdict, and what is still needed."""
    rows: list[tuple[str, ...]] = []
    values: dict[str, Any] = {}
    for rail in decision.guardrails:
        needed = units_needed(rail)
        if rail.value is None or rail.low is None or rail.high is None:
            rows.append(
                (
                    rail.name,
                    "unknown",
                    "",
                    spoken(rail.name, rail.margin).removeprefix("+"),
                    "",
                    f"not measured: {rail.why_not}",
                )
            )
        else:
            told = _CODES.get(rail.code) or (
                f"undecided: about {several(needed, 'more session')}" if needed else "undecided on the margin itself"
            )
            rows.append(
                (
                    rail.name, spoken(rail.name, rail.value), span(rail.name, rail.low, rail.high), spoken(rail.name, rail.margin).removeprefix("+"),
                    p_text(rail.p_harm_adjusted), told,
                )
            )  # fmt: skip
        values |= {
            f"{rail.name}_value": rail.value, f"{rail.name}_low": rail.low, f"{rail.name}_high": rail.high,
            f"{rail.name}_p_harm": rail.p_harm, f"{rail.name}_p_harm_adjusted": rail.p_harm_adjusted, f"{rail.name}_code": rail.code,
        }  # fmt: skip
    harms = [rail.name for rail in decision.guardrails if rail.code == HARM]
    measured = sum(rail.code != NOT_MEASURED for rail in decision.guardrails)
    caption = (
        (
            f"Worse by more than the margin: {', '.join(harms)}. "
            if harms
            else "No guardrail shows harm beyond its margin. "
        )
        + f"{count(measured)} of {several(len(decision.guardrails), 'guardrail')} measured; above 0 the shadow is worse."
        if decision.guardrails
        else NO_PAIRS
    )
    columns = ("guardrail", "excess of the shadow", "interval", "margin", "p of harm (Holm)", "verdict")
    return Table(name, caption, columns, rows or [("none",) * len(columns)], values)


def rules_table(
    study: Study | None, found: Sequence[Characteristic], decision: Decision, *, name: str = "rules"
) -> Table:
    """Show what each rule says here, and how often it is wrong on this log's own sessions."""
    if study is None:
        return Table(name, NO_PAIRS, ("rule",), (("none",),), {})
    said = {one.rule: one for one in naive_rules(study)}
    worlds = list(dict.fromkeys(one.world for one in found))
    rows: list[tuple[str, ...]] = []
    values: dict[str, Any] = {}
    for rule, words in _RULES.items():
        one = said.get(rule)
        here = "" if one is None else "cannot say" if one.value is None else "stop" if one.stops else "go on"
        if rule == "gate_horizon":
            here = "stop" if decision.code == "ROLL_BACK" else "go on"
        cells = {each.world: each for each in found if each.rule == rule}
        rows.append((words, here, *(percent(cells[world].stops, 1) for world in worlds)))
        values |= {f"{rule}: {world}": cells[world].stops for world in worlds}
    if not worlds:
        caption = "Fewer than 30 sessions: too few to resample, so nobody can say how often a rule would be wrong here."
        return Table(name, caption, ("rule", "says here"), rows, values)
    healthy = worlds[0]
    loud = [_RULES[rule] for rule in _RULES if values[f"{rule}: {healthy}"] > 0.05]
    caption = (
        f"Share of {several(REPLICATIONS, 'simulated rollout')} that each rule stops, on resampled sessions of this log with the arms exchanged at random "
        f"and a loss planted. With nothing wrong this gate stops {percent(values[f'gate: {healthy}'], 1)}"
        + (f"; more than 5 % are stopped by {', '.join(loud)}." if loud else ".")
    )
    return Table(name, caption, ("rule", "says here", *worlds), rows, values)
