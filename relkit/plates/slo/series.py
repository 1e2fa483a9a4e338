"""What arrived already added up, and what was probed: shares of minutes, time up and down."""

from collections.abc import Mapping

import numpy as np

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.slo.axes import days_axis
from relkit.plates.style import BAD, GOOD, MUTED, figure
from relkit.slo import MinuteShares, Objective, Service, Uptime, burn_of_shares, over
from relkit.units import MINUTES_PER_DAY, percent, printable, several


def series_plate(service: Service, *, name: str = "series") -> Plate:
    """Draw what arrived already added up, or was probed: minute shares, else uptimes; says so where there is neither."""
    if service.shares is not None:
        return _shares_plate(service.shares, service.availability.objective, name, dead=service.has_dead_shares)
    if service.uptimes:
        return _uptimes_plate(service.uptimes, name)
    return empty_plate(
        name, "No pre-aggregated series and no probes in this period: every number on this page counts requests."
    )


def _shares_plate(shares: MinuteShares, objective: Objective, name: str, *, dead: bool) -> Plate:
    there = shares.share[shares.present]
    mean = float(there.mean())
    above = int(np.count_nonzero(over(burn_of_shares(shares, objective, 60), 10.0)))
    low = int(np.count_nonzero(there < 0.99))
    if dead:
        caption = (
            f"No signal: {shares.source} shows 0 % in each of its {several(there.size, 'minute')} while requests flow. "
            "The metric is dead; no verdict rests on it."
        )
    else:
        burned = float((1 - mean) / float(objective.budget_share))
        caption = (
            f"{shares.source}: unweighted mean of {several(there.size, 'minute share')} {percent(mean)}, "
            f"burn {burned:.1f}x over the period; {several(low, 'minute')} below 99 %; "
            f"over 10x in {several(above, 'minute')}, counting full one-hour windows only. Shares carry no counts, so there is no interval."
        )
    fig, ax = figure(height_in=2.2)
    x = (shares.start_minute + np.flatnonzero(shares.present)) / MINUTES_PER_DAY
    ax.plot(x, there, ".", color=MUTED if dead else GOOD, ms=2.5)
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    ax.set_ylabel("success share")
    days_axis(ax, shares.start_minute, shares.start_minute + len(shares))
    values = {
        "mean_share": mean,
        "minutes": int(there.size),
        "minutes_below_99": low,
        "over_10x_full_windows": above,
        "dead": dead,
    }
    return plate(name, fig, caption=caption, alt="Success share of each minute as dots over time", values=values)


def _uptimes_plate(uptimes: Mapping[str, Uptime], name: str) -> Plate:
    shares = sorted((uptime.share, service) for service, uptime in uptimes.items() if uptime.share is not None)
    shown = shares[:12]
    fig, ax = figure(height_in=0.7 + 0.22 * len(shown))
    places = np.arange(len(shown))[::-1]
    ax.barh(places, [100 * (1 - share) for share, _ in shown], color=BAD, height=0.66)
    for place, (share, _) in zip(places, shown, strict=True):
        ax.annotate(
            f"{percent(share)} up",
            (100 * (1 - share), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    ax.set_yticks(places, [printable(service)[:40] for _, service in shown])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, max(0.1, 130 * (1 - shown[0][0])))
    ax.set_xlabel("time down (%)")
    middle = float(np.median([share for share, _ in shares]))
    outages = sum(len(uptime.outages) for uptime in uptimes.values())
    caption = (
        f"{several(len(shares), 'probed service')}, time-weighted (a state holds until the next row): "
        f"median {percent(middle)} up, worst {percent(shown[0][0])}; {several(outages, 'stretch of downtime', 'stretches of downtime')}. "
        + (f"The {len(shown)} worst are drawn." if len(shares) > len(shown) else "")
    ).strip()
    return plate(
        name,
        fig,
        caption=caption,
        alt="Bars of time down by probed service",
        values={"median_share": middle, "outages": outages, "services": len(shares)},
    )
