"""The budget to come: what will be left with its band, and what the budget policy asks."""

from collections.abc import Sequence

from matplotlib.ticker import FuncFormatter

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.slo.axes import at_text, day_of, days_axis
from relkit.plates.style import BAD, GOOD, MUTED, direct_labels, figure
from relkit.plates.table import Table
from relkit.slo import Clause, Forecast
from relkit.slo.forecast import left_text
from relkit.units import percent, several

_DEEPEST = -3.0


def outlook_plate(
    ahead: Forecast | None, halfway: Forecast | None, became: float | None, *, name: str = "outlook"
) -> Plate:
    """Draw the budget left from now to the end of its window, with the band, and say how such a band did last time.

    Parameters
    ----------
    ahead : Forecast or None
        Of the window that is not over.
    halfway : Forecast or None
        As it would have been told at half time of the period.
    became : float or None
        What was left then.
    """
    if ahead is None or ahead.left is None or ahead.low is None or ahead.high is None or ahead.met_share is None:
        return empty_plate(name, "Less than a day of log with a clock: what will be left of the budget cannot be told.")
    colour = GOOD if ahead.left >= 0 else BAD
    fig, ax = figure(height_in=2.4)
    start = ahead.left_now if ahead.left_now is not None else ahead.fan[0].middle
    x = [day_of(ahead.now_minute), *(day_of(point.minute) for point in ahead.fan)]
    lows, middles, highs = (
        [max(_DEEPEST, value) for value in (start, *values)]
        for values in zip(*((point.low, point.middle, point.high) for point in ahead.fan), strict=True)
    )
    ax.fill_between(x, lows, highs, color=colour, alpha=0.18, lw=0)
    ax.plot(x, middles, color=colour)
    ax.axhline(0.0, color=MUTED, lw=0.9, ls=(0, (4, 3)))
    labels = [(x[-1], highs[-1], f"at best {_end(ahead.high)}", MUTED), (x[-1], middles[-1], _end(ahead.left), colour)]
    below = ", below this picture" if ahead.low < _DEEPEST else ""
    labels.append((x[-1], lows[-1], f"at worst {_end(ahead.low)}{below}", MUTED))
    direct_labels(ax, _apart(labels, (max(highs) - min(lows)) / 9))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    ax.set_ylabel("budget left")
    days_axis(ax, ahead.now_minute, ahead.end_minute)
    values = {
        "left": ahead.left,
        "low": ahead.low,
        "high": ahead.high,
        "met_share": ahead.met_share,
        "runs_out_share": ahead.runs_out_share,
        "outages": ahead.outages,
        "history_days": ahead.history_days,
        "left_now": ahead.left_now,
    }
    caption = f"{_found(ahead)} {_hindsight(halfway, became)}".strip()
    alt = f"Budget of {ahead.objective.name} left from now to the end of its window, with a band that widens"
    return plate(name, fig, caption=caption, alt=alt, values=values)


def policy_table(clauses: Sequence[Clause], name: str = "policy") -> Table:
    """Say which clauses of the Workbook's error budget policy apply now."""
    words = {True: "yes", False: "no", None: "unknown"}
    rows = [(clause.asks, words[clause.fired], clause.finding) for clause in clauses]
    fired = [clause.name for clause in clauses if clause.fired]
    caption = f"Of the Workbook's budget policy {several(len(fired), 'clause applies', 'clauses apply')}" + (
        f": {', '.join(fired)}." if fired else "."
    )
    values = {clause.name: clause.spent_share for clause in clauses}
    return Table(
        name, caption, ("clause", "applies", "finding"), rows or (("none can be asked", "unknown", "no data"),), values
    )


def _found(ahead: Forecast) -> str:
    assert ahead.met_share is not None
    begun = "" if ahead.known_share >= 0.95 else f", of which the log holds {percent(ahead.known_share, 0)} so far"
    window = ahead.objective.window_text.removeprefix("the ")
    text = (
        f"On {at_text(ahead.end_minute)} UTC, at the end of the {window}{begun}, {ahead.outcome}; "
        f"the objective is kept in {ahead.chance} of the futures."
    )
    if ahead.left_now is not None and ahead.left_now <= 0:
        return f"{text} Nothing is left now."
    if ahead.runs_out_minute is not None:
        return f"{text} It runs out about {at_text(ahead.runs_out_minute)} UTC."
    return text


def _hindsight(halfway: Forecast | None, became: float | None) -> str:
    if halfway is None or halfway.low is None or halfway.high is None or became is None:
        return ""
    held = "inside the band" if halfway.low <= became <= halfway.high else "outside the band"
    return f"At half time of this period one would have said: {halfway.outcome}. It became {left_text(became)}, {held}."


def _end(share: float) -> str:
    return percent(share, 0).replace("-", "−")


def _apart(labels: list[tuple[float, float, str, str]], least: float) -> list[tuple[float, float, str, str]]:
    """Move labels (from the highest down) so far apart that no two touch."""
    moved, above = [], float("inf")
    for x, y, text, colour in labels:
        above = min(y, above - least)
        moved.append((x, above, text, colour))
    return moved
