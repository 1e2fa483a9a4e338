"""Pictures and tables of alerts: when they fired, incident by incident, how sets score, and the better one."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.slo.axes import at_text, day_of, days_axis, shaded, thinned
from relkit.plates.style import BAD, GOOD, MUTED, WARN, direct_labels, figure, spans
from relkit.plates.table import Table
from relkit.slo import Minutes
from relkit.slo.alerts import AlertSet, tier_text
from relkit.slo.backtest import Backtest, Interval, Outcome, Score
from relkit.slo.burn import burn
from relkit.slo.optimise import BetterAlerts
from relkit.slo.reach import Reach
from relkit.slo.scoring import MERGE_MINUTES
from relkit.units import count, duration, percent, several, signed

_FLOOR: Final = 0.05
_LISTED: Final = 15
_PANELS: Final = (
    ("precision", "true pages"),
    ("recall", "incidents told"),
    ("f1", "F1"),
    ("delay", "minutes until told"),
)


def pages_plate(minutes: Minutes, tested: Backtest, *, name: str = "pages", which: int = 0) -> Plate:
    """Draw the burn rate of the last hour, incidents shaded, each page of one alert set as a flag."""
    objective, score = tested.objective, tested.scores[which]
    rate = burn(minutes, objective, 60) if len(minutes) >= 60 else np.full(len(minutes), np.nan)
    known = rate[np.isfinite(rate)]
    if not known.size:
        return empty_plate(name, "No full hour holds requests with a known outcome: there is no burn rate to draw.")
    flags = _flags(score)
    told = sum(one.told_minute is not None for one in tested.outcomes[which] if one.is_significant)
    caption = (
        f"{score.alert_set.name} would have paged {several(score.alerts, 'time')} in {tested.days:.3g} days, "
        f"{count(score.true_alerts)} of them on an incident; "
        + (
            f"{count(told)} of {several(len(tested.incidents), 'incident')} were told of."
            if tested.incidents
            else "no stretch was an incident."
        )
    )
    fig, ax = figure(height_in=2.8)
    ax.set_yscale("log")
    top = max(100.0, float(known.max()) * 2)
    ax.set_ylim(_FLOOR, top * 3)
    stretches = [(one.start_minute, one.end_minute) for one in tested.incidents]
    spans(ax, shaded(stretches, minutes), WARN, alpha=0.35)
    x, y = thinned(minutes.start_minute, np.maximum(rate, _FLOOR))
    ax.plot(x, y, color=GOOD, lw=1.2)
    ax.axhline(1.0, color=MUTED, lw=0.9, ls=(0, (4, 3)))
    for at, is_true in flags:
        ax.plot([day_of(at)] * 2, [_FLOOR, top], color=BAD if is_true else MUTED, lw=0.8)
    for colour, marker, truth in ((BAD, ">", True), (MUTED, "X", False)):
        places = [day_of(at) for at, is_true in flags if is_true is truth]
        ax.plot(places, [top] * len(places), marker, color=colour, ms=6, clip_on=False)
    direct_labels(ax, [(day_of(minutes.end_minute), 1.0, "sustainable 1x", MUTED)])
    ax.set_title("shaded: incident   ► page on one   ✖ page on none", loc="left", fontsize=8.5, color=MUTED)
    ax.set_ylabel("burn rate, 60 min window")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}x" if value <= top else "")
    ax.yaxis.set_minor_formatter(lambda value, _: "")
    days_axis(ax, minutes.start_minute, minutes.end_minute)
    values: dict[str, Any] = {
        "pages": score.alerts,
        "true_pages": score.true_alerts,
        "incidents": len(tested.incidents),
        "told": told,
    }
    values |= {f"page_{place}": at_text(at) for place, (at, _) in enumerate(flags[:12])}
    alt = f"Burn rate of {objective.name} on a log scale with incidents shaded and pages as flags"
    return plate(name, fig, caption=caption, alt=alt, values=values)


def incidents_table(tested: Backtest, *, name: str = "incidents", which: int = 0) -> Table:
    """Show incident by incident who was told, when, by which tier, and what had been spent by then."""
    columns = ("incident, UTC", "lasted", "budget spent", "told after", "by", "spent by then", "off after")
    every = tested.outcomes[which]
    chosen = tested.scores[which].alert_set.name
    if not every:
        return Table(name, "No incident in this history: nothing to tell of.", columns, (), {"incidents": 0})
    rows = [_row(one) for one in sorted(every, key=lambda one: -one.budget_share)]
    told = [one for one in every if one.told_minute is not None]
    untold = max((one for one in every if one.told_minute is None), key=lambda one: one.budget_share, default=None)
    caption = f"{chosen} told of {count(len(told))} of {several(len(every), 'incident')}" + (
        f"; the costliest it missed took {percent(untold.budget_share, 1)} of the budget." if untold else "."
    )
    if len(rows) > _LISTED:
        caption += f" The {_LISTED} costliest are listed."
    values = {"incidents": len(every), "told": len(told), "worst_untold": untold.budget_share if untold else 0.0}
    return Table(name, caption, columns, rows[:_LISTED], values, rows[_LISTED:])


def scores_plate(tested: Backtest, *, name: str = "scores") -> Plate:
    """Draw precision, recall, F1 and delay of every alert set as dots with their intervals."""
    if not tested.incidents:
        return empty_plate(name, "No incident in this history: alert sets cannot be scored on it.")
    scores = tested.scores
    fig, axes = figure(height_in=1.1 + 0.27 * len(scores), columns=len(_PANELS), sharey=True)
    for ax, (field, title) in zip(axes, _PANELS, strict=True):
        for place, score in enumerate(reversed(scores)):
            middle, ends = _dot(score, field)
            colour = GOOD if place == len(scores) - 1 else MUTED
            if ends is not None:
                ax.plot(ends, [place, place], color=colour, lw=1.8, alpha=0.7, solid_capstyle="butt")
            if middle is not None:
                ax.plot([middle], [place], "o", color=colour, ms=5)
            else:
                ax.text(
                    0.5,
                    place,
                    "unknown",
                    transform=ax.get_yaxis_transform(),
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color=MUTED,
                )
        ax.set_title(title, loc="left", fontsize=9)
        _scale(ax, field)
    axes[0].set_yticks(range(len(scores)), [score.alert_set.name for score in reversed(scores)], fontsize=8.5)
    best = max(scores, key=lambda score: (score.f1 or 0.0, -(score.delay_p50 or np.inf)))
    caption = (
        f"{best.alert_set.name} does best on {several(len(tested.incidents), 'incident')} in {tested.days:.3g} days: F1 {best.f1 or 0.0:.2f}"
        + (f" ({best.f1_interval[0]:.2f} to {best.f1_interval[1]:.2f})" if best.f1_interval else "")
        + f"; {scores[0].alert_set.name} {scores[0].f1 or 0.0:.2f}, {scores[0].per_week:.2g} pages a week."
    )
    values: dict[str, Any] = {"incidents": len(tested.incidents)}
    for score in scores:
        values |= {
            f"{score.alert_set.name}: {field}": getattr(score, field)
            for field in ("precision", "recall", "f1", "delay_p50", "per_week")
        }
    alt = "Dots with intervals: precision, recall, F1 and delay of each alert set"
    return plate(name, fig, caption=caption, alt=alt, values=values)


def scores_table(tested: Backtest, *, name: str = "alert_sets") -> Table:
    """Show what each alert set costs: pages, pages while healthy, what it missed, and the failures it needs."""
    columns = (
        "alert set", "pages a week", "F1", "told after (p50, p90)", "off after (p50)", "spent when told (p50, worst)", "worst untold",
        "paging while healthy", "failures needed",
    )  # fmt: skip
    rows = [
        (
            score.alert_set.name,
            f"{score.per_week:.2g}",
            "unknown" if score.f1 is None else f"{score.f1:.2f}",
            f"{_minutes(score.delay_p50)}, {_minutes(score.delay_p90)}",
            _minutes(score.reset_p50),
            "none told" if score.budget_at_page_p50 is None else f"{percent(score.budget_at_page_p50, 1)}, {percent(score.budget_at_page_max or 0.0, 1)}",
            percent(score.worst_untold, 1),
            duration(score.healthy_minutes * 60) if score.healthy_minutes else "never",
            "never fires" if score.errors_needed is None else count(score.errors_needed),
        )
        for score in tested.scores
    ]  # fmt: skip
    dead = [score.alert_set.name for score in tested.scores if score.errors_needed is None]
    first = tested.scores[0]
    caption = (
        f"In a quiet hour {several(first.errors_needed or 0, 'failure')} would page by {first.alert_set.name}."
        if first.errors_needed
        else f"{first.alert_set.name} can never fire at {tested.objective.target_text}."
    ) + (f" Never firing: {', '.join(dead)}." if dead else "")
    values = {f"{score.alert_set.name}: errors_needed": score.errors_needed for score in tested.scores}
    return Table(name, caption, columns, rows, values)


def better_plate(better: BetterAlerts, invented: BetterAlerts | None = None, *, name: str = "better_alerts") -> Plate:
    """Draw what the better set gains over today's, on time it was not chosen on."""
    told = [
        (label, found)
        for label, found in (("on this history", better), ("on invented incidents, this traffic", invented))
        if found is not None
    ]
    drawn = [(label, found) for label, found in told if found.gain is not None and found.gain_low is not None]
    text = " ".join(f"{label.capitalize()}: {found.verdict.sentence}" for label, found in told)
    if not drawn:
        return empty_plate(name, text)
    fig, ax = figure(height_in=0.9 + 0.45 * len(drawn))
    ax.axvline(0, color=MUTED, lw=0.8)
    values: dict[str, Any] = {}
    for place, (label, found) in enumerate(reversed(drawn)):
        assert found.gain is not None
        colour = GOOD if found.verdict.code == "RECOMMENDED" else MUTED
        ax.plot([found.gain_low, found.gain_high], [place, place], color=colour, lw=2.2, solid_capstyle="butt")
        ax.plot([found.gain], [place], "o", color=colour, ms=6)
        ax.annotate(
            f"{label}: {signed(found.gain)}", (found.gain, place), xytext=(0, 8), textcoords="offset points",
            ha="center", fontsize=8.5, color=colour,
        )  # fmt: skip
        key = label.split(",")[0].replace("on ", "").replace(" ", "_")
        values |= {f"{key}_gain": found.gain, f"{key}_low": found.gain_low, f"{key}_high": found.gain_high}
        values[f"{key}_set"] = found.alert_set.name
    ax.set_ylim(-0.5, len(drawn) - 0.2)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.15)
    ax.set_xlabel(f"F1 gained over {better.baseline.name}")
    return plate(name, fig, caption=text, alt="Gain in F1 of the better alerts with its interval", values=values)


def rules_table(alert_set: AlertSet, reaches: Sequence[Reach] = (), *, name: str = "alert_rules") -> Table:
    """Show the rules to deploy, tier by tier; `relkit slo export` writes them for Prometheus, Sloth and OpenSLO."""
    needed = {one.tier: one for one in reaches}
    rows = []
    for rule in alert_set:
        for tier in rule.tiers:
            one = needed.get(tier)
            fails = "" if one is None else count(one.errors_needed) if one.is_reachable else "can never fire"
            waits = f"{rule.for_minutes} min" if rule.for_minutes else "at once"
            rows.append((rule.name, rule.severity, tier_text(tier), waits, fails))
    caption = f"{alert_set.name}: {several(len(rows), 'tier')}; written to a file by `relkit slo export`."
    columns = ("alert", "severity", "fires when", "after", "failures needed")
    return Table(name, caption, columns, rows, {"tiers": len(rows), "alert_set": alert_set.name})


def _flags(score: Score) -> list[tuple[int, bool]]:
    """Return the minute of each alert, and whether it was on an incident."""
    starts = [
        start
        for place, (start, _) in enumerate(score.firing)
        if not place or start > score.firing[place - 1][1] + MERGE_MINUTES
    ]
    return list(zip(starts, score.is_true, strict=True))


def _row(one: Outcome) -> tuple[str, ...]:
    told = one.told_minute is not None
    return (
        f"{at_text(one.incident.start_minute)} {one.incident.label}".strip(),
        duration(one.incident.minutes * 60),
        percent(one.budget_share, 1),
        _minutes(one.delay_minutes) if told else "never",
        one.told_by or "nobody",
        percent(one.budget_when_told, 1) if one.budget_when_told is not None else "–",
        _minutes(one.reset_minutes) if told else "–",
    )


def _minutes(amount: float | None) -> str:
    return "unknown" if amount is None else f"{amount:.3g} min"


def _dot(score: Score, field: str) -> tuple[float | None, Interval]:
    if field == "delay":
        return score.delay_p50, score.delay_interval
    middle: float | None = getattr(score, field)
    ends: Interval = getattr(score, f"{field}_interval")
    return middle, ends


def _scale(ax: Axes, field: str) -> None:
    if field == "delay":
        ax.margins(x=0.1)
        ax.set_xlim(left=0)
    else:
        ax.set_xlim(-0.04, 1.04)
        ax.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
