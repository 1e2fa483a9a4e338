"""What reliability costs: on this log, and as the plan reckons it."""

from typing import Any

from relkit.plates.table import Table
from relkit.slo import Costs
from relkit.slo.plan_figures import VOLUMES, PlanCost
from relkit.units import count, dollars, percent, several

_PER = 1000
_COLUMNS = ("why", "calls", "priced", "cost", "of first tries")


def cost_table(costs: Costs, name: str = "costs") -> Table:
    """Lay the lines of the bill side by side, with the cost of one successful answer.

    Examples
    --------
    >>> from relkit.slo import CostCell, cost_of
    >>> from relkit.prices import Use
    >>> bill = cost_of([CostCell(1, "first tries", Use("groq", "m", 100, 100, 13_000))], {1: 98}, {})
    >>> cost_table(bill).rows[0]
    ('first tries', '100', '100 %', '$0.013', '100 %')
    """
    firsts = next((line.money.usd for line in costs.lines if line.name == "first tries"), None)
    rows: list[tuple[str, ...]] = []
    values: dict[str, Any] = {"answers": costs.answers, "usd_per_answer": costs.usd_per_answer}
    for line in costs.lines:
        usd = line.money.usd
        rows.append(
            (
                line.name,
                count(line.calls),
                percent(line.money.priced_calls / line.calls, 0),
                "unknown" if usd is None else dollars(usd),
                "unknown" if usd is None or not firsts else percent(usd / firsts, 1 if usd < firsts else 0),
            )
        )
        values[f"{line.name.replace(' ', '_')}_usd"] = usd
    return Table(name, _caption(costs), _COLUMNS, rows or (("none", "0", "0 %", "unknown", "unknown"),), values)


def _caption(costs: Costs) -> str:
    if costs.usd_per_answer is None:
        return "No call tells its cost, or none succeeded: what an answer costs is unknown. Prices go into relkit.toml."
    between = ""
    if costs.low is not None and costs.high is not None:
        ends = f"{dollars(_PER * costs.low)} to {dollars(_PER * costs.high)}"
        between = f" ({100 * costs.level:.4g} % interval {ends}, by {several(costs.days, 'day')})"
    extra = (
        ""
        if costs.added_share is None or len(costs.lines) == 1
        else f"; everything beyond first tries adds {percent(costs.added_share, 0)}"
    )
    unpriced = costs.total.calls - costs.total.priced_calls
    missing = f". {several(unpriced, 'call')} tell no cost and are in no sum" if unpriced else ""
    return f"{count(_PER)} successful answers cost {dollars(_PER * costs.usd_per_answer)}{between}{extra}{missing}."


def plan_cost_table(lines: tuple[PlanCost, ...], costs: Costs, name: str = "plan_costs") -> Table:
    """Put the plan's lines beside what they come to at both volumes, and this log's own cost beside them.

    Parameters
    ----------
    lines : tuple of PlanCost
        As `relkit.slo.plan_costs` gives them.
    costs : Costs
        Of this log.
    """
    rows: list[tuple[str, ...]] = []
    values: dict[str, Any] = {}
    for line in lines:
        key = line.name.split(",")[0].replace(" ", "_")
        rows.append((line.name, line.says, *(dollars(float(usd)) for usd in line.usd), line.verdict))
        values |= {f"{key}_{volume}": float(usd) for volume, usd in zip(VOLUMES, line.usd, strict=True)}
    here: list[Any] = [costs.at(volume) for volume in VOLUMES]
    rows.append(
        (
            "this log",
            "cost of an answer, times the volume",
            *("unknown" if usd is None else dollars(usd) for usd in here),
            "everything in it: first tries, retries, fallbacks and shadow",
        )
    )
    first, last = (float(usd) for usd in lines[-1].usd)
    caption = (
        f"The plan's first month is {dollars(first)} at 10,000 requests and {dollars(last)} at a million: $3.90 and ~$30 are those of a "
        "million, and under $5 is neither."
    )
    columns = ("line", "the plan says", "at 10,000 a month", "at 1,000,000", "so the claim is")
    return Table(
        name, caption, columns, rows, values | {f"log_{volume}": usd for volume, usd in zip(VOLUMES, here, strict=True)}
    )
