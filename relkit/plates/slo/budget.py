"""How the error budget of the period was used up."""

import numpy as np

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.slo.axes import at_text, day_of, days_axis, thinned
from relkit.plates.style import BAD, GOOD, MUTED, direct_labels, figure
from relkit.slo import Minutes, Objective
from relkit.slo.slices import parts_of
from relkit.units import count, percent, several

_SHORTEST = 2


def budget_plate(minutes: Minutes, objective: Objective, *, name: str = "budget") -> Plate:
    """Draw how the error budget of the period was used up: bad requests so far over the bad requests allowed."""
    if len(minutes) < _SHORTEST:
        return empty_plate(name, "The requests have no clock: there is no course of spending to draw.")
    parts = parts_of(objective)
    allowed = float(objective.budget_share) * int(minutes.valid.sum()) / parts
    spent = np.cumsum(minutes.bad) / parts
    if allowed <= 0:
        return empty_plate(name, "Nothing with a known outcome: there is no budget to spend.")
    share = spent / allowed
    total = float(share[-1])
    gone = np.flatnonzero(share > 1)
    jump_start, jump_share = _largest_hour(minutes, allowed * parts)
    caption = (
        f"{several(float(spent[-1]), f'bad {objective.unit}', f'bad {objective.units}')} against {count(allowed)} allowed: "
        f"{percent(total, 0)} of the period's budget is spent"
        + (f"; it was gone {at_text(minutes.start_minute + int(gone[0]))} UTC" if gone.size else "")
        + (f". The worst hour ({at_text(jump_start)} UTC) alone took {percent(jump_share, 0)}." if spent[-1] else ".")
    )
    fig, ax = figure(height_in=2.2)
    x, y = thinned(minutes.start_minute, share)
    ax.plot(x, y, color=BAD if total > 1 else GOOD)
    ax.axhline(1.0, color=MUTED, lw=0.9, ls=(0, (4, 3)))
    end_day = day_of(minutes.end_minute)
    direct_labels(
        ax, [(end_day, 1.0, "budget", MUTED), (end_day, total, percent(total, 0), BAD if total > 1 else GOOD)]
    )
    ax.set_ylim(0, max(1.15, total * 1.08))
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    ax.set_ylabel("budget spent")
    days_axis(ax, minutes.start_minute, minutes.end_minute)
    return plate(
        name,
        fig,
        caption=caption,
        alt=f"Share of the error budget of {objective.name} spent, growing over the period, with the limit at 100 %",
        values={"spent_share": total, "worst_hour_share": jump_share, "allowed": allowed, "bad": float(spent[-1])},
    )


def _largest_hour(minutes: Minutes, allowed: float) -> tuple[int, float]:
    """Find the 60 minutes that spent most: their start and their share of the budget."""
    sums = np.concatenate(([0], np.cumsum(minutes.bad)))
    width = min(60, len(minutes.bad))
    spent = sums[width:] - sums[:-width]
    place = int(np.argmax(spent))
    return minutes.start_minute + place, float(spent[place] / allowed)
