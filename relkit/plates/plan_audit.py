"""Pictures of the plan's audit: what it does, literally, beside the corrected form."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from relkit.plates.plate import Plate, plate
from relkit.plates.style import GOOD, INK, MUTED, direct_labels, figure, in_words
from relkit.policies.plan_rollout import PlanPass
from relkit.shadow.plan_looks import Flagged
from relkit.simulation.plan_breaker import Checked, Detection
from relkit.tune.before_after import BARE, CHOICE, DATED, FIXED, PLAN, BeforeAfter, Interval
from relkit.units import count, percent, points

COLOURS: Final = {BARE: MUTED, DATED: "#cc79a7", PLAN: "#d55e00", FIXED: GOOD, CHOICE: "#009e73"}
"""The same policy has the same colour on the whole page."""
_PANELS: Final = (
    ("success", "answered, %", 100.0),
    ("p95_s", "p95, s", 1.0),
    ("wasted_per_1k", "wasted calls per 1,000", 1.0),
    ("usd_per_10k", "dollars per 10,000", 1.0),
)
_OUTAGE_S: Final = 600.0
_STEP_S: Final = 5.0
_DAY_HOURS: Final = 24
_EVERY: Final = 15


def suite_plate(found: BeforeAfter, name: str = "before_after") -> Plate:
    """Draw every policy in every scenario: share answered, p95, wasted calls and money.

    Parameters
    ----------
    found : BeforeAfter
        What was played.
    name : str
        Name of the plate.
    """
    fig, axes = figure(height_in=4.4, columns=len(_PANELS), sharey=True)
    rows = list(range(len(found.scenarios)))
    for ax, (measure, title, times) in zip(axes, _PANELS, strict=True):
        for place, policy in enumerate(found.names):
            middle = [found.of(policy, measure, scenario) for scenario in found.scenarios]
            at = [row + 0.16 * (place - 2) for row in rows]
            ends = [x for one in middle for x in (times * _low(one), times * _high(one), math.nan)]
            ax.plot(ends, [y for y in at for _ in range(3)], color=COLOURS[policy], lw=1.0)
            # short thick lines with round ends: as markers the picture would be half as large again
            dots = [x for one in middle for x in (times * one.value, times * one.value + 1e-9, math.nan)]
            ax.plot(dots, [y for y in at for _ in range(3)], color=COLOURS[policy], lw=4.0, solid_capstyle="round")
        ax.set_title(title, fontsize=8.5)
        ax.grid(visible=True, axis="x")
    axes[0].set_yticks(rows, list(found.scenarios))
    axes[0].invert_yaxis()
    key = fig.legend(
        [Line2D([], [], color=COLOURS[policy], marker="o", ms=4, lw=1.0) for policy in found.names],
        list(found.names),
        loc="outside lower center",
        ncols=len(found.names),
        frameon=False,
        fontsize=8.5,
    )
    for text in key.get_texts():
        text.set_color(in_words(COLOURS[text.get_text()]))
    worst = min(found.scenarios, key=lambda one: found.of(DATED, "success", one).value)
    caption = (
        f"In {worst} the plan as dated answers {percent(found.of(DATED, 'success', worst).value, 1)}, bare calls "
        f"{percent(found.of(BARE, 'success', worst).value, 1)}: its breaker shuts the one model that still answers. Lines are "
        f"{percent(found.level, 0)} intervals over {found.seeds} runs."
    )
    values = {
        f"{policy} {measure}": found.of(policy, measure).value for policy in found.names for measure, *_ in _PANELS
    }
    return plate(
        name, fig, caption=caption, values=values,
        alt="Answered share, 95th percentile, wasted calls and cost of five policies in twelve scenarios",
    )  # fmt: skip


def _low(one: Interval) -> float:
    return one.value if one.low is None else one.low


def _high(one: Interval) -> float:
    return one.value if one.high is None else one.high


def threshold_plate(
    courses: Mapping[str, Sequence[int]], shares: Mapping[float, Mapping[int, float]], name: str = "threshold"
) -> Plate:
    """Draw the threshold after each healthy call, and where the plan's stands at several success shares.

    Parameters
    ----------
    courses : mapping of str to sequence of int
        Policy to its threshold after each call.
    shares : mapping of float to mapping
        Share of failing calls to the share of the calls at each threshold, of the plan's breaker.
    name : str
        Name of the plate.
    """
    fig, (left, right) = figure(columns=2, height_in=2.6)
    for policy, course in courses.items():
        left.step(range(1, len(course) + 1), course, where="post", color=COLOURS[policy])
    direct_labels(left, [(len(course), course[-1], policy, COLOURS[policy]) for policy, course in courses.items()])
    left.set(xlabel="healthy calls so far", ylabel="failures in a row that open it", ylim=(0, 11))
    left.grid(visible=True, axis="y")
    for row, held in enumerate(shares.values()):
        start = 0.0
        for value, share in sorted(held.items()):
            if share >= 0.005:
                right.barh(row, 100 * share, left=100 * start, color=_shade(value), edgecolor="white", lw=0.6)
            if share > 0.08:
                right.text(
                    100 * (start + share / 2), row, str(value), ha="center", va="center", fontsize=8.5,
                    color=INK,
                )  # fmt: skip
            start += share
    right.set_yticks(range(len(shares)), [percent(1 - failing, 0) for failing in shares])
    right.set(xlabel="calls at threshold 2 to 10 (plan), %", ylabel="calls that succeed")
    right.invert_yaxis()
    reached = next(number for number, value in enumerate(courses[PLAN], 1) if value == max(courses[PLAN]))
    fullest = min(shares)
    caption = (
        f"After {reached} healthy calls the plan's breaker waits for {max(courses[PLAN])} failures in a row instead of 5; at "
        f"{percent(1 - fullest, 0)} success it does so for {percent(shares[fullest].get(10, 0.0), 1)} of the calls."
    )
    values: dict[str, Any] = {"calls_to_ceiling": reached}
    values |= {f"at 10, {percent(1 - failing, 0)} success": held.get(10, 0.0) for failing, held in shares.items()}
    values |= {f"at 2, {percent(1 - failing, 0)} success": held.get(2, 0.0) for failing, held in shares.items()}
    return plate(
        name,
        fig,
        caption=caption,
        alt="Threshold of the plan's breaker rising to ten within five healthy calls",
        values=values,
    )


def _shade(value: int) -> tuple[float, float, float]:
    """One hue, darker for a higher threshold, and never too dark for letters in ink."""
    share = (value - 2) / 8
    return 0.98 - 0.06 * share, 0.88 - 0.30 * share, 0.78 - 0.40 * share


def detection_plate(found: Sequence[Detection], name: str = "detection") -> Plate:
    """Draw how many calls each breaker lets into trouble of several kinds before it opens.

    Parameters
    ----------
    found : sequence of Detection
        The plan's first.
    name : str
        Name of the plate.
    """
    fig, ax = figure(height_in=2.9)
    colours = [COLOURS[PLAN], MUTED, COLOURS[FIXED], INK]
    shares = sorted(found[0].calls, reverse=True)
    ends: list[tuple[float, str, str]] = []
    for place, one in enumerate(found):
        known = [(x, median) for x, share in enumerate(shares) if (median := one.median(share)) is not None]
        x = [at + 0.06 * (place - 1.5) for at, _ in known]
        low = [one.quantile(shares[at], 0.25) for at, _ in known]
        high = [one.quantile(shares[at], 0.75) for at, _ in known]
        ax.vlines(x, low, [value if value is not None else 3000 for value in high], color=colours[place], lw=1.0)
        ax.plot(x, [median for _, median in known], "o-", ms=4, color=colours[place])
        ends.append((math.log10(known[-1][1]), one.name, colours[place]))
    ends.sort(reverse=True)
    heights = _apart([height for height, _, _ in ends], 0.17)
    direct_labels(
        ax, [(len(shares) - 0.8, 10**y, text, colour) for y, (_, text, colour) in zip(heights, ends, strict=True)]
    )
    ax.set_yscale("log")
    ax.set_yticks([5, 10, 20, 50, 100, 200, 500], ["5", "10", "20", "50", "100", "200", "500"])
    ax.minorticks_off()
    ax.set_xticks(range(len(shares)), [percent(share, 0) for share in shares])
    ax.set_xlim(-0.3, len(shares) - 0.8)
    ax.set(xlabel="calls that fail", ylabel="calls until it opens")
    ax.grid(visible=True, axis="y")
    plan, plain = found[0], found[1]
    told = "; ".join(
        f"{percent(share, 0)}: {_calls(plan.median(share))} against {_calls(plain.median(share))}" for share in shares
    )
    runs = len(plan.calls[shares[0]])
    caption = (
        f"After a healthy past the plan's breaker opens later than a plain threshold of 5 in all but weak trouble. Median calls at {told}. "
        f"Bars hold half of {count(runs)} runs."
    )
    values = {f"{one.name} {percent(share, 0)}": one.median(share) for one in found for share in shares}
    return plate(
        name, fig, caption=caption, alt="Calls until each breaker opens, by the share of calls that fail", values=values
    )


def _calls(median: float | None) -> str:
    return "never" if median is None else count(median)


def health_plate(found: Sequence[Checked], name: str = "health_check") -> Plate:
    """Draw the calls sent into an outage of ten minutes while a shallow health check passes.

    Parameters
    ----------
    found : sequence of Checked
        The literal form first, the corrected one last.
    name : str
        Name of the plate.
    """
    fig, ax = figure(height_in=2.6)
    colours = [COLOURS[PLAN], "#cc79a7", MUTED, COLOURS[FIXED]]
    for colour, one in zip(colours, found, strict=True):
        seconds = [_STEP_S * step for step in range(round(_OUTAGE_S / _STEP_S) + 1)]
        ax.plot([at_s / 60 for at_s in seconds], [bisect_right(one.at_s, at_s) for at_s in seconds], color=colour)
    labels = sorted(
        ((len(one.at_s), one.name, colour) for colour, one in zip(colours, found, strict=True)), reverse=True
    )
    heights = _apart([float(height) for height, _, _ in labels], 110.0)
    direct_labels(ax, [(10.0, y, text, colour) for y, (_, text, colour) in zip(heights, labels, strict=True)])
    ax.set(xlabel="minutes into the outage", ylabel="calls sent into it", xlim=(0, 10), ylim=(0, None))
    ax.grid(visible=True, axis="y")
    literal, corrected = found[1], found[2]
    caption = (
        f"A health check that always passes sends {count(round(literal.mean))} calls into a dead service, one that goes by half open "
        f"{count(round(corrected.mean))} (20 calls a second, mean of {len(literal.calls)} runs)."
    )
    return plate(
        name, fig, caption=caption, alt="Calls sent into an outage of ten minutes, by what a passing health check does",
        values={one.name: one.mean for one in found},
    )  # fmt: skip


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Move labels, highest first, so that none covers its neighbour."""
    placed: list[float] = []
    for height in heights:
        placed.append(height if not placed else min(height, placed[-1] - least))
    lift = max(0.0, -placed[-1])
    return [height + lift for height in placed]


def schedule_plate(passes: Sequence[PlanPass], changes: int, name: str = "schedule") -> Plate:
    """Draw the changes of the share in the plan's first day, and what one pass of its loop does.

    Parameters
    ----------
    passes : sequence of PlanPass
        A day of the plan's loop, one pass a minute.
    changes : int
        Changes in the corrected form.
    name : str
        Name of the plate.
    """
    fig, (left, right) = figure(columns=2, height_in=2.5, width_ratios=[3, 2])
    hours = [number / 60 for number in range(1, len(passes) + 1)]
    total = list(accumulate(len(one.shares) for one in passes))
    left.plot(hours[::_EVERY], total[::_EVERY], color=COLOURS[PLAN])
    left.axhline(changes, color=COLOURS[FIXED])
    direct_labels(
        left,
        [
            (hours[-1], total[-1], f"plan: {total[-1]:,}", COLOURS[PLAN]),
            (hours[-1], changes, f"corrected: {changes}", COLOURS[FIXED]),
        ],
    )
    left.set(
        xlabel="hours, the first step after one", ylabel="changes of the share", xlim=(0, _DAY_HOURS), ylim=(0, None)
    )
    left.grid(visible=True, axis="y")
    course = [100.0, *(100 * share for share in passes[-1].shares)]
    right.step(range(len(course)), course, where="post", color=COLOURS[PLAN], marker="o", ms=3.5)
    right.axhline(100, color=COLOURS[FIXED], lw=1.0)
    right.set(xlabel="changes in one pass of the loop", ylabel="share of traffic, %", ylim=(0, 108))
    right.set_xticks(range(len(course)))
    per_hour = sum(len(one.shares) for one in passes[-60:])
    caption = (
        f"The plan's schedule changes the shadow's share {per_hour} times an hour once its last step has passed, "
        f"{_DAY_HOURS * per_hour:,} a day, and {total[-1]:,} times in the day drawn; the corrected one {changes} times in all."
    )
    return plate(
        name, fig, caption=caption, alt="Changes of the shadow's share of traffic over a day, and within one minute",
        values={"per_hour": per_hour, "per_day": _DAY_HOURS * per_hour, "first_day": total[-1], "corrected": changes},
    )  # fmt: skip


def harm_plate(found: Sequence[Flagged], name: str = "z_test") -> Plate:
    """Draw how often the plan's z-test and the right test speak, by the true difference.

    Parameters
    ----------
    found : sequence of Flagged
        One a true difference, ascending.
    name : str
        Name of the plate.
    """
    fig, ax = figure(height_in=2.7)
    x = [100 * one.at for one in found]
    _two_lines(ax, x, found)
    ax.axhline(5, color=MUTED, lw=0.8, ls=(0, (3, 3)))
    ax.axvline(0, color=MUTED, lw=0.8)
    lost = next(one for one in found if round(one.at, 4) == -0.02)
    direct_labels(
        ax,
        [
            (x[0], 100 * found[0].ours - 9, "McNemar, mid-p", COLOURS[FIXED]),
            (x[0], 8.0, "z-test of the plan", COLOURS[PLAN]),
        ],
    )
    ax.set(xlabel="true difference, shadow minus primary, points", ylabel="runs that find it, %", ylim=(-3, 104))
    ax.grid(visible=True, axis="y")
    caption = (
        f"A shadow {points(abs(lost.at), 0).lstrip('+')} worse is found by the plan's test in {percent(lost.plan, 1)} of {count(lost.runs)} runs "
        f"and by the right one in {percent(lost.ours, 1)}: its p-value asks for a better shadow alone (2,000 pairs, correlation 0.6)."
    )
    values: dict[str, Any] = {}
    for one in found:
        values |= {f"plan {100 * one.at:+g}": one.plan, f"mid-p {100 * one.at:+g}": one.ours}
    return plate(
        name,
        fig,
        caption=caption,
        alt="Share of runs that find a difference, by the true difference and the test",
        values=values,
    )


def _two_lines(ax: Axes, x: Sequence[float], found: Sequence[Flagged]) -> None:
    for colour, middle, ends in (
        (COLOURS[FIXED], [one.ours for one in found], [one.our_interval for one in found]),
        (COLOURS[PLAN], [one.plan for one in found], [one.plan_interval for one in found]),
    ):
        ax.fill_between(
            x, [100 * low for low, _ in ends], [100 * high for _, high in ends], color=colour, alpha=0.18, lw=0
        )
        ax.plot(x, [100 * value for value in middle], color=colour)


def peeking_plate(found: Sequence[Flagged], name: str = "peeking") -> Plate:
    """Draw how often a shadow without any difference has been "significant" by then, look after look.

    Parameters
    ----------
    found : sequence of Flagged
        After each look.
    name : str
        Name of the plate.
    """
    fig, ax = figure(height_in=2.6)
    drawn = [one for one in found if one.at <= 24 or one.at % 4 == 0]
    _two_lines(ax, [one.at for one in drawn], drawn)
    x = [one.at for one in found]
    ax.axhline(5, color=MUTED, lw=0.8, ls=(0, (3, 3)))
    last = found[-1]
    direct_labels(
        ax,
        [
            (x[-1], 100 * last.plan, "a test made\nfor one look", COLOURS[PLAN]),
            (x[-1], 100 * last.ours, "evidence for\nmany looks", COLOURS[FIXED]),
        ],
    )
    ax.set(xlabel="looks, one an hour with 200 pairs", ylabel="false alarms so far, %", xlim=(1, x[-1]), ylim=(0, None))
    ax.grid(visible=True, axis="y")
    seen = [one for one in found if one.at in {4, 24, last.at}]
    told = ", ".join(percent(one.plan, 0) for one in seen)
    looks = ", ".join(f"{one.at:g}" for one in seen)
    caption = (
        f"Looked at {looks} times, even the right test made for one look cries wolf in {told} of rollouts without any difference; the "
        f"e-process in {percent(last.ours, 1)} ({count(last.runs)} runs; bands are their intervals)."
    )
    values: dict[str, Any] = {}
    for one in seen:
        values |= {f"fixed {one.at:g}": one.plan, f"evidence {one.at:g}": one.ours}
    return plate(
        name,
        fig,
        caption=caption,
        alt="False alarms by number of looks, for a fixed test and for evidence",
        values=values,
    )
