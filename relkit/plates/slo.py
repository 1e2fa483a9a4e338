"""Pictures and tables of the SLO page: objectives, burn rate with its thresholds, the error budget, percentiles."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import BAD, GOOD, MUTED, direct_labels, figure, spans
from relkit.plates.table import Table
from relkit.slo import (
    Goal,
    Latency,
    Minutes,
    MinuteShares,
    Objective,
    Service,
    Uptime,
    burn,
    burn_of_shares,
    episodes,
    over,
    share_digits,
    tiers_for,
)
from relkit.units import (
    MINUTES_PER_DAY,
    SECONDS_PER_MINUTE,
    US_PER_SECOND,
    count,
    duration,
    percent,
    printable,
    several,
)

_FLOOR = 0.05
_SHORTEST = 2
_LATENCY_COLUMNS = ("percentile", "latency", "95 % interval")
_MOST_POINTS = 336


def objectives_table(goals: Sequence[Goal]) -> Table:
    """Lay the objectives side by side: what was promised, what came, what is left."""
    shown = []
    values: dict[str, Any] = {}
    for goal in goals:
        objective, budget, window, verdict = goal.objective, goal.budget, goal.window_budget, goal.verdict
        shown.append(
            (
                objective.name,
                objective_text(objective),
                verdict.code,
                "unknown" if budget.sli is None else percent(budget.sli, share_digits(budget.sli, objective.target)),
                count(budget.bad) if budget.valid else "unknown",
                "unknown" if not budget.valid else f"{float(budget.allowed):,.0f}".replace(",", "\u202f"),
                _left(budget.left_share),
                "this period"
                if goal.is_window_period
                else f"{_left(window.left_share)} of {several(objective.window_days, 'day')}"
                if goal.is_window_covered
                else f"unknown: data for {percent(window.coverage, 0)} of {several(objective.window_days, 'day')}",
            )
        )
        values |= {
            f"{objective.name}_sli": budget.sli,
            f"{objective.name}_bad": budget.bad,
            f"{objective.name}_left_share": budget.left_share,
            f"{objective.name}_window_left_share": window.left_share if goal.is_window_covered else None,
        }
    codes = [goal.verdict.code for goal in goals]
    caption = f"Kept {codes.count('MET')}, missed {codes.count('MISSED')}, undecided {codes.count('UNDECIDED')} of {len(goals)} objectives."
    return Table(
        "objectives",
        caption,
        ("objective", "promise", "verdict", "good", "bad requests", "allowed", "budget left", "of the window"),
        shown,
        values,
    )


def _left(share: float | None) -> str:
    if share is None:
        return "unknown"
    return percent(share, 0) if share >= 0 else f"none, {percent(1 - share, 0)} spent"


def objective_text(objective: Objective) -> str:
    """Write the promise of an objective.

    >>> objective_text(Objective("fast", "0.95", threshold_us=2_000_000))
    '95 % within 2 s'
    """
    if objective.threshold_us is None:
        return f"{objective.target_text} succeed"
    return f"{objective.target_text} within {duration(objective.threshold_us / US_PER_SECOND)}"


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
        f"The error budget burned at most {worst:,.1f} times the allowed rate ({window_text} window, {_at(at)} UTC); "
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
    spans(ax, _shaded(pages, minutes), BAD, alpha=0.18)
    x, y = _thinned(minutes.start_minute, np.maximum(rate, _FLOOR))
    ax.plot(x, y, color=GOOD, lw=1.2)
    for level, colour in ((page.factor, BAD), (1.0, MUTED)):
        ax.axhline(level, color=colour, lw=0.9, ls=(0, (4, 3)))
    end_day = _day(minutes.end_minute)
    direct_labels(ax, [(end_day, page.factor, f"page {page.factor:g}x", BAD), (end_day, 1.0, "sustainable 1x", MUTED)])
    ax.set_ylabel(f"burn rate, {window_text} window")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}x")
    ax.yaxis.set_minor_formatter(lambda value, _: "")
    days_axis(ax, minutes.start_minute, minutes.end_minute)
    values: dict[str, Any] = {"worst_burn": worst, "pages": len(pages), "page_minutes": burning}
    values |= {f"page_{place}": _at(start) for place, (start, _) in enumerate(pages[:12])}
    return plate(
        name,
        fig,
        caption=caption,
        alt=f"Burn rate of {objective.name} over time on a log scale, with the paging threshold",
        values=values,
    )


def budget_plate(minutes: Minutes, objective: Objective, *, name: str = "budget") -> Plate:
    """Draw how the error budget of the period was used up: bad requests so far over the bad requests allowed."""
    if len(minutes) < _SHORTEST:
        return empty_plate(name, "The requests have no clock: there is no course of spending to draw.")
    allowed = float(objective.budget_share) * int(minutes.valid.sum())
    spent = np.cumsum(minutes.bad)
    if allowed <= 0:
        return empty_plate(name, "No request with a known outcome: there is no budget to spend.")
    share = spent / allowed
    total = float(share[-1])
    gone = np.flatnonzero(share > 1)
    jump_start, jump_share = _largest_hour(minutes, allowed)
    caption = (
        f"{several(int(spent[-1]), 'bad request')} against {count(allowed)} allowed: {percent(total, 0)} of the period's budget is spent"
        + (f"; it was gone {_at(minutes.start_minute + int(gone[0]))} UTC" if gone.size else "")
        + (f". The worst hour ({_at(jump_start)} UTC) alone took {percent(jump_share, 0)}." if spent[-1] else ".")
    )
    fig, ax = figure(height_in=2.2)
    x, y = _thinned(minutes.start_minute, share)
    ax.plot(x, y, color=BAD if total > 1 else GOOD)
    ax.axhline(1.0, color=MUTED, lw=0.9, ls=(0, (4, 3)))
    end_day = _day(minutes.end_minute)
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
        values={"spent_share": total, "worst_hour_share": jump_share, "allowed": allowed, "bad": int(spent[-1])},
    )


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


def latency_table(latency: Latency) -> Table:
    """Show exact percentiles of the requests that succeeded, each with the interval its rank allows."""
    rows: list[tuple[str, str, str]] = []
    values: dict[str, Any] = {"n": latency.n}
    for label, value, interval in (
        ("p50", latency.p50_us, latency.p50_interval_us),
        ("p95", latency.p95_us, latency.p95_interval_us),
        ("p99", latency.p99_us, latency.p99_interval_us),
    ):
        shown = "unknown" if value is None else duration(value / US_PER_SECOND)
        between = "unknown" if interval is None else " to ".join(duration(end / US_PER_SECOND) for end in interval)
        rows.append((label, shown, between))
        values[f"{label}_us"] = value
    if not latency.n:
        return Table(
            "latency", "No request tells its latency: the percentiles are unknown.", _LATENCY_COLUMNS, rows, values
        )
    typical = "unknown" if latency.p50_us is None else duration(latency.p50_us / US_PER_SECOND)
    tail = "unknown" if latency.p99_us is None else duration(latency.p99_us / US_PER_SECOND)
    caption = (
        f"Half of {several(latency.n, 'request')} that did not fail took at most {typical}, 99 % at most {tail} "
        "(first start to last end, waits included)."
    )
    return Table("latency", caption, _LATENCY_COLUMNS, rows, values)


def plan_slo_table(minutes: Minutes, latency: Latency) -> Table:
    """Put the plan's service levels beside what they come to on this log."""
    allowed = 1_000_000 // 1000
    p95 = "unknown" if latency.p95_us is None else duration(latency.p95_us / US_PER_SECOND)
    sums = minutes.totals
    served = sums.good + sums.bad
    literal = None if served + sums.excluded == 0 else (sums.good + sums.excluded) / (served + sums.excluded)
    rows = (
        (
            "0.1 % = about 720 errors per month at 1M requests",
            f"{count(allowed)} errors; 720 is the number of hours in a month",
        ),
        (
            "99.9 % availability and 98 % success rate",
            "they contradict: at 98 % the 99.9 % budget burns at 20x, all the time",
        ),
        (
            "43 minutes downtime per month",
            "43.2 min in 30 days, and only for a time-based indicator; ours counts requests",
        ),
        (
            "burn alert at > 10x, no window",
            "10x for an hour is 1 % errors; 9x for ever never alerts and empties the budget in 80 h",
        ),
        (
            "excludes user errors (4xx)",
            "401, 403 and 429 are 4xx: a revoked key would read 100 %. We exclude kinds, never these three",
        ),
        ("P95 < 2000 ms", f"p95 here is {p95}; a percentile has no budget, so ours is a share under 2 s"),
    )
    caption = "The plan's service levels say other things than they seem to." + (
        "" if literal is None else f" Counting caller faults as good, as 98 % does, would read {percent(literal)} here."
    )
    return Table("plan_slo", caption, ("the plan says", "what it comes to"), rows, {"literal_share": literal})


def days_axis(ax: Axes, start_minute: int, end_minute: int) -> None:
    """Set a time axis in UTC with one label a day (or fewer), no two of which touch."""
    ax.set_xlim(_day(start_minute), _day(end_minute))
    days = _day(end_minute) - _day(start_minute)
    if days <= 1.5:
        ax.xaxis.set_major_locator(mdates.HourLocator(interval=3 if days > 0.5 else 1))
        ax.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M"))
    else:
        step = max(1, round(days / 7))
        if days <= 14:
            month = datetime.fromtimestamp(start_minute * SECONDS_PER_MINUTE, UTC).strftime("%B %Y, days in UTC")
            ax.set_xlabel(month, fontsize=8.5, color=MUTED)
        ax.xaxis.set_major_locator(
            mdates.DayLocator(interval=step) if days <= 60 else mdates.AutoDateLocator(maxticks=7)
        )
        ax.xaxis.set_major_formatter(
            mdates.DateFormatter("%a %d" if days <= 14 else "%d %b" if days <= 300 else "%b %Y")
        )


def _day(minute: int) -> float:
    return minute / MINUTES_PER_DAY


def _at(minute: int) -> str:
    return datetime.fromtimestamp(minute * SECONDS_PER_MINUTE, UTC).strftime("%a %d %b %H:%M")


def _thinned(
    start_minute: int, series: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Keep the maximum of each stretch, so that a week draws in a few hundred points and no peak is lost."""
    step = _column_minutes(len(series))
    parts = -(-len(series) // step)
    padded = np.full(parts * step, np.nan)
    padded[: len(series)] = series
    blocks = padded.reshape(parts, step)
    known = np.isfinite(blocks)
    peaks = np.where(known.any(axis=1), np.where(known, blocks, -np.inf).max(axis=1), np.nan)
    return (start_minute + np.arange(parts) * step + step / 2) / MINUTES_PER_DAY, peaks


def _column_minutes(minutes: int) -> int:
    return max(1, minutes // _MOST_POINTS)


def _shaded(fired: Sequence[tuple[int, int]], minutes: Minutes) -> list[tuple[float, float]]:
    """Widen each stretch [start, end) to whole columns and join those that touch: a picture's size does not grow with them."""
    step = _column_minutes(len(minutes))
    joined: list[list[int]] = []
    for start, end in fired:
        first, beyond = (start - minutes.start_minute) // step, -(-(end - minutes.start_minute) // step)
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], beyond)
        else:
            joined.append([first, beyond])
    return [
        (_day(minutes.start_minute + first * step), _day(min(minutes.start_minute + beyond * step, minutes.end_minute)))
        for first, beyond in joined
    ]


def _largest_hour(minutes: Minutes, allowed: float) -> tuple[int, float]:
    """Find the 60 minutes that spent most: their start and their share of the budget."""
    sums = np.concatenate(([0], np.cumsum(minutes.bad)))
    width = min(60, len(minutes.bad))
    spent = sums[width:] - sums[:-width]
    place = int(np.argmax(spent))
    return minutes.start_minute + place, float(spent[place] / allowed)
