"""The log's incidents in a calendar: what happened, beside what the choice would have done."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from relkit.plates.breakers import Found, chosen_name, nothing, stamped
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import BAD, GOOD, GRID, INK, MUTED, figure
from relkit.simulation.replay.records import Arm, Replay
from relkit.tune.study import Study, Unfounded
from relkit.units import count, duration, percent, several

_MOST_DAYS: Final = 31
_SIZES: Final = (3.0, 15.0)
"""Diameters of the smallest and the largest ring, points; areas tell the failed calls."""
_WORDS_H: Final = 7.0
_EDGE_H: Final = 3.0
"""Width of the words under a mark, and of the margin in which they are moved inwards, hours of the axis."""


def calendar_plate(found: Found, name: str = "calendar") -> Plate:
    """Draw each incident of the log at its day and hour: the calls that failed in it, and those the choice would have sent.

    Parameters
    ----------
    found : Study or Unfounded
        The study.
    name : str
        Name of the plate.
    """
    if isinstance(found, Unfounded):
        return nothing(found, name)
    replayed, arm, label = found.replayed, _arm_of(found), chosen_name(found)
    if not replayed.incidents:
        sentence = f"No incident to lay side by side: in {duration(replayed.span_s)} of log the service has no stretch of three or more failures."
        return empty_plate(name, stamped(found, sentence))
    starts = [_at(replayed, each.start_s) for each in replayed.incidents]
    days = _days(starts)
    before = [float(each.failed) for each in replayed.logged]
    after = [each.value for each in arm.failed_within]
    fig, axes = figure(height_in=1.0 + 0.46 * len(days), columns=2, sharey=True)
    largest = max(*before, *after, 1.0)
    for ax, title in zip(axes, ("what happened, as logged", f"{label}, by {replayed.level}"), strict=True):
        _grid(ax, days, title)
    told_until: dict[int, float] = {}
    for place, at in enumerate(starts):
        if at.date() not in days:
            continue
        row, hour = days.index(at.date()), at.hour + at.minute / 60.0
        for ax, failed in zip(axes, (before[place], after[place]), strict=True):
            ax.plot(
                [hour, min(hour + replayed.incidents[place].length_s / 3600.0, 24.0)], [row, row], color=BAD, lw=2.0
            )
            _mark(ax, hour, row, before[place], failed, largest)
        opened_s = arm.detection_s[place]
        if opened_s is not None and hour >= told_until.get(row, 0.0):
            told_until[row] = hour + _WORDS_H
            _below(axes[1], hour, row, f"open in {duration(opened_s)}")
    fig.suptitle(replayed.supposes, x=0.02, ha="left", color=MUTED, fontsize=8.5)
    return plate(
        name, fig, caption=stamped(found, _caption(replayed, arm, label, len({each.date() for each in starts}) - len(days))),
        alt="Calendar of days and hours with a mark for each incident, as logged and under the choice", values=_numbers(replayed, arm),
    )  # fmt: skip


def _arm_of(found: Study) -> Arm:
    own = found.chosen.policy.hash
    return next((each for each in found.replayed.arms if each.policy_hash == own), found.replayed.arms[0])


def _at(replayed: Replay, seconds: float) -> datetime:
    return datetime.fromtimestamp(replayed.start_us / 1e6, UTC) + timedelta(seconds=seconds)


def _days(starts: list[datetime]) -> list[object]:
    """Every day from the first incident to the last, or, where that is long, the days that have one."""
    first, last = starts[0].date(), starts[-1].date()
    whole = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return list(whole if len(whole) <= _MOST_DAYS else sorted({each.date() for each in starts})[:_MOST_DAYS])


def _grid(ax: Axes, days: list[object], title: str) -> None:
    ax.set_xlim(0.0, 24.0)
    ax.set_ylim(len(days) - 0.4, -0.6)
    ax.set_xticks([0, 6, 12, 18, 24], ["0 h", "6", "12", "18", "24 h UTC"], fontsize=8)
    ax.set_yticks(range(len(days)), [f"{day:%a %d %b}" for day in days], fontsize=8)
    ax.tick_params(length=0)
    ax.spines["left"].set_visible(False)
    ax.set_title(title, fontsize=8.5)
    for row in range(len(days)):
        ax.axhline(row, color=GRID, lw=0.8)


def _mark(ax: Axes, hour: float, row: int, ring: float, filled: float, largest: float) -> None:
    """A ring for the calls that failed in the log, filled as far as calls fail here, with their number above."""
    low, high = _SIZES
    wide = low + (high - low) * float(np.sqrt(ring / largest))
    ax.plot(hour, row, "o", ms=wide, mfc="white", mec=BAD, mew=1.0)
    if filled > 0.0:
        ax.plot(hour, row, "o", ms=low + (high - low) * float(np.sqrt(filled / largest)), color=BAD)
    ax.annotate(
        count(round(filled)), (hour, row), xytext=(0, wide / 2 + 1), textcoords="offset points", ha="center", va="bottom",
        fontsize=8, color=INK, annotation_clip=False,
    )  # fmt: skip


def _below(ax: Axes, hour: float, row: int, text: str) -> None:
    """Words under a mark, moved inwards at the edges of the day."""
    side = "left" if hour < _EDGE_H else "right" if hour > 24.0 - _EDGE_H else "center"
    ax.annotate(
        text, (hour, row), xytext=(0, -8), textcoords="offset points", ha=side, va="top", fontsize=8, color=GOOD,
        annotation_clip=False,
    )  # fmt: skip


def _numbers(replayed: Replay, arm: Arm) -> dict[str, float | int | None]:
    return {
        "incidents": len(replayed.incidents),
        "failed_before": sum(each.failed for each in replayed.logged),
        "turned_away_before": sum(each.turned_away for each in replayed.logged),
        "failed_after": sum(each.value for each in arm.failed_within),
        "failed_after_low": sum(each.low for each in arm.failed_within),
        "failed_after_high": sum(each.high for each in arm.failed_within),
        "opened_in": arm.detected,
    }


def _caption(replayed: Replay, arm: Arm, label: str, unseen_days: int) -> str:
    numbers = _numbers(replayed, arm)
    before, after = float(numbers["failed_before"] or 0), float(numbers["failed_after"] or 0)
    bounds = ""
    if numbers["failed_after_low"] != numbers["failed_after_high"]:
        bounds = f" ({count(round(numbers['failed_after_low'] or 0))} to {count(round(numbers['failed_after_high'] or 0))}, by what the missing calls were)"
    less = f", {percent(1.0 - after / before, 0)} less" if before > after > 0.0 else ""
    bad_s = sum(each.length_s for each in replayed.incidents)
    caption = (
        f"In {several(len(replayed.incidents), 'incident')}, {duration(bad_s)} in all, {several(round(before), 'call')} failed in the log; by "
        f"{replayed.level} {label.partition(',')[0]} would have sent {count(round(after))}{bounds} of such calls{less}, and opened in {arm.detected}. "
        "Numbers: failed calls; a ring's area is that of the log, its filling what is shown there."
    )
    return caption + (f" {several(unseen_days, 'day')} more with incidents not drawn." if unseen_days > 0 else "")
