"""The burn rate over time, with the thresholds that page."""

from typing import Any

import numpy as np

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.slo.axes import at_text, day_of, days_axis, shaded, thinned
from relkit.plates.style import BAD, GOOD, MUTED, direct_labels, figure, spans
from relkit.slo import Minutes, Objective, episodes, over, tiers_for
from relkit.slo.burn import burn
from relkit.units import SECONDS_PER_MINUTE, duration, several

_FLOOR = 0.05


def burn_plate(minutes: Minutes, objective: Objective, *, name: str = "burn", window_minutes: int = 60) -> Plate:
    """Draw the burn rate over full windows with the paging thresholds, on a log scale.

    The curve shows the worst minute of each pixel column, so that no peak is lost; missing minutes are gaps. Shaded is
    each column in which the page rule fired.
    """
    page = next(tier for tier in tiers_for(objective.window_days) if tier.long_minutes == window_minutes)
    rate = burn(minutes, objective, window_minutes)
    short = burn(minutes, objective, page.short_minutes)
    pages = episodes(over(rate, page.factor) & over(short, page.factor), minutes.start_minute)
    known = rate[np.isfinite(rate)]
    worst = float(known.max()) if known.size else None
    burning = sum(end - start for start, end in pages)
    window_text = duration(window_minutes * SECONDS_PER_MINUTE)
    if worst is None:
        return empty_plate(
            name, f"No full {window_text} window holds requests with a known outcome: the burn rate is unknown."
        )
    at = minutes.start_minute + int(np.nanargmax(rate))
    caption = (
        f"The error budget burned at most {worst:,.1f} times the allowed rate ({window_text} window, {at_text(at)} UTC); "
        + (
            f"the page rule ({page.factor:g}x over {window_text} and 5 min) fired {several(len(pages), 'time')} for {duration(burning * 60)} in all."
            if pages
            else f"the page rule ({page.factor:g}x) never fired."
        )
    )
    fig, ax = figure(height_in=2.6)
    ax.set_yscale("log")
    top = max(100.0, worst * 2)
    ax.set_ylim(_FLOOR, top)
    spans(ax, shaded(pages, minutes), BAD, alpha=0.18)
    x, y = thinned(minutes.start_minute, np.maximum(rate, _FLOOR))
    ax.plot(x, y, color=GOOD, lw=1.2)
    for level, colour in ((page.factor, BAD), (1.0, MUTED)):
        ax.axhline(level, color=colour, lw=0.9, ls=(0, (4, 3)))
    end_day = day_of(minutes.end_minute)
    direct_labels(ax, [(end_day, page.factor, f"page {page.factor:g}x", BAD), (end_day, 1.0, "sustainable 1x", MUTED)])
    ax.set_ylabel(f"burn rate, {window_text} window")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}x")
    ax.yaxis.set_minor_formatter(lambda value, _: "")
    days_axis(ax, minutes.start_minute, minutes.end_minute)
    values: dict[str, Any] = {"worst_burn": worst, "pages": len(pages), "page_minutes": burning}
    values |= {f"page_{place}": at_text(start) for place, (start, _) in enumerate(pages[:12])}
    return plate(
        name,
        fig,
        caption=caption,
        alt=f"Burn rate of {objective.name} over time on a log scale, with the paging threshold",
        values=values,
    )
