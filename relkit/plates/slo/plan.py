"""The plan's service levels, word for word, beside what they come to."""

from relkit.plates.table import Table
from relkit.slo import Latency, Minutes
from relkit.slo.plan_figures import plan_figures
from relkit.units import US_PER_SECOND, duration, percent


def plan_slo_table(minutes: Minutes, latency: Latency) -> Table:
    """Put every figure of the plan's objectives beside what it comes to, the last row on this log."""
    p95 = "unknown" if latency.p95_us is None else duration(latency.p95_us / US_PER_SECOND)
    sums = minutes.totals
    all_of_them = sums.good + sums.bad + sums.excluded
    literal = (sums.good + sums.excluded) / all_of_them if all_of_them else None
    figures = plan_figures()
    rows = [(figure.says, figure.is_so) for figure in figures]
    rows.append(("P95 < 2000 ms", f"p95 here is {p95}; a percentile has no budget, so ours is a share under 2 s"))
    values = {f"{figure.id}_{key}": value for figure in figures for key, value in figure.values.items()}
    caption = f"The plan's {len(figures)} figures on service levels say other things than they seem to." + (
        "" if literal is None else f" Counting caller faults as good, as 98 % does, would read {percent(literal)} here."
    )
    return Table("plan_slo", caption, ("the plan says", "what it comes to"), rows, {"literal_share": literal, **values})
