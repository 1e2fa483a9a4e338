"""One run over time: a ribbon for each model's breaker, requests by how they ended, attempts, retries left, and pages as flags."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from relkit.plates.breakers import Found, chosen_name, nothing, stamped
from relkit.plates.plate import Plate, plate
from relkit.plates.style import BAD, GOOD, INK, MUTED, UNKNOWN, WARN, bars, figure, spans
from relkit.policies.codes import HALF_OPEN, OPEN
from relkit.simulation.run import simulate
from relkit.tune.course import Course, course_of
from relkit.tune.paged import pages_of
from relkit.tune.retries_left import Floats, retries_left
from relkit.tune.study import Unfounded
from relkit.units import count, duration, percent, several

SHOWN: Final = "outage"
FAILED_SHADES: Final = (BAD, "#6b2a00", "#dd8452")
"""Kinds of failure, the commonest first: shades of the one colour of failure."""
_SEED: Final = 1
_STEPS: Final = 60
_TROUBLE: Final = "#f6d9c4"
_CLOSED: Final = "#dcebf5"

Stretches = Sequence[tuple[float, float]]


def trial_plate(found: Found, name: str = "trial") -> Plate:
    """Draw the choice, or what comes nearest, going through the outage of the suite.

    Parameters
    ----------
    found : Study or Unfounded
        The study.
    name : str
        Name of the plate.
    """
    if isinstance(found, Unfounded):
        return nothing(found, name)
    scenario = next(each for each in found.found.scenarios if each.name == SHOWN)
    policy = found.chosen.policy
    run = simulate(scenario, policy, _SEED)
    label, course = chosen_name(found).partition(",")[0].capitalize(), course_of(run, _STEPS)
    drawn = timeline_plate(
        course,
        [model.name for model in scenario.models],
        [(each.start_s, each.end_s) for each in scenario.episodes],
        pages_of(run, found.found.objective),
        retries_left(scenario, policy, _SEED, _STEPS, course.span_s),
        name=name,
    )
    return replace(drawn, caption=stamped(found, f"{label} in an outage. {drawn.caption}"))


def timeline_plate(
    course: Course, models: Sequence[str], trouble: Stretches, pages: Stretches = (), left: Floats | None = None, name: str = "timeline"
) -> Plate:  # fmt: skip
    """Draw a course.

    Parameters
    ----------
    course : Course
        The run in steps.
    models : sequence of str
        Names of its models.
    trouble : sequence of (start_s, end_s)
        Shaded stretches, seconds.
    pages : sequence of (start_s, end_s)
        When somebody is paged, seconds; of `relkit.tune.paged.pages_of`.
    left : array of float or None
        What is left in the RetryBudget in each step, retries; None without a budget.
    name : str
        Name of the plate.
    """
    unit_s, unit = (60.0, "minutes") if course.span_s < 7200.0 else (3600.0, "hours")
    heights = [0.3 * len(models) + 0.2, 1.5, 0.7, *([] if left is None else [0.6])]
    fig, axes = figure(
        height_in=1.1 + sum(heights), rows=len(heights), sharex=True, gridspec_kw={"height_ratios": heights}
    )
    for ax in axes:
        spans(ax, [(start / unit_s, end / unit_s) for start, end in trouble], _TROUBLE)
        ax.set_ylim(bottom=0.0)
    _ribbons(axes[0], course, models, unit_s)
    _endings(axes[1], course, unit_s)
    _flags(axes[1], pages, unit_s)
    x, width = np.arange(len(course.arrivals)) * course.bin_s / unit_s, course.bin_s / unit_s
    ratio = np.where(course.arrivals > 0, course.attempts / np.maximum(course.arrivals, 1), 0.0)
    bars(axes[2], x, np.zeros(len(x)), np.round(ratio, 3), width, MUTED)
    axes[2].set_ylim(0.0, max(1.0, float(ratio.max())) * 1.05)
    axes[2].set_ylabel("attempts\na request", fontsize=8)
    if left is not None:
        axes[3].step(
            [*x, x[-1] + width], [*np.round(left, 3), round(float(left[-1]), 3)], where="post", color=INK, lw=1.2
        )
        axes[3].set_ylim(0.0, max(float(left.max()), 1.0) * 1.1)
        axes[3].set_ylabel("retries\nleft", fontsize=8)
    axes[-1].set_xlabel(f"{unit}; each step {duration(course.bin_s)}")
    axes[-1].set_xlim(0.0, course.span_s / unit_s)
    return plate(
        name, fig, caption=_caption(course, models, trouble, pages, left), values=_numbers(course, pages, left),
        alt="States of the breaker, requests by how they ended, attempts a request, and retries left, over the time of a run",
    )  # fmt: skip


def _ribbons(ax: Axes, course: Course, models: Sequence[str], unit_s: float) -> None:
    for place, stretches in enumerate(reversed(course.stretches)):
        ax.barh(place, course.span_s / unit_s, height=0.5, color=_CLOSED)
        opened = [(start, end) for state, start, end in stretches if state == OPEN]
        _blocks(ax, opened, place, unit_s)
        tried = [start / unit_s for state, start, _ in stretches if state == HALF_OPEN]
        ax.plot(tried, [place] * len(tried), "o", color=WARN, ms=3)
    ax.set_yticks(range(len(models)), list(reversed(models)), fontsize=8)
    ax.set_ylim(-0.5, len(models) - 0.5)
    ax.tick_params(length=0)
    ax.text(1.01, 0.5, "rust: open", color=BAD, fontsize=8, va="center", transform=ax.transAxes)


def _blocks(ax: Axes, stretches: Stretches, place: int, unit_s: float) -> None:
    """Draw stretches of different lengths as one shape."""
    edges = np.array(stretches).reshape(-1, 2) / unit_s
    ax.broken_barh([(start, end - start) for start, end in edges.tolist()], (place - 0.25, 0.5), facecolor=BAD, lw=0)


def _endings(ax: Axes, course: Course, unit_s: float) -> None:
    x, width = np.arange(len(course.arrivals)) * course.bin_s / unit_s, course.bin_s / unit_s
    per_s = 1.0 / course.bin_s
    kinds = course.main_kinds(len(FAILED_SHADES))
    stacked = [
        ("answered", course.answered, GOOD),
        *((kind, counts, colour) for (kind, counts), colour in zip(kinds, FAILED_SHADES, strict=False)),
        ("turned away", course.rejected, UNKNOWN),
    ]
    base = np.zeros(len(x))
    for label, counts, colour in stacked:
        bars(ax, x, np.round(base * per_s, 4), np.round(counts * per_s, 4), width, colour, label)
        base = base + counts
    ax.plot(x + width / 2, np.round(course.arrivals * per_s, 4), color=INK, lw=0.8, label="came")
    ax.set_ylim(0.0, max(float(base.max()), float(course.arrivals.max())) * per_s * 1.12)
    ax.set_ylabel("requests a second", fontsize=8)
    ax.legend(
        frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.03), handlelength=0.9, borderaxespad=0.2,
        labelspacing=0.3,
    )  # fmt: skip


def _flags(ax: Axes, pages: Stretches, unit_s: float) -> None:
    """A flag where a page is sent, with a pole for as long as it fires."""
    for start, end in pages:
        ax.plot([start / unit_s, end / unit_s], [0.97, 0.97], color=BAD, lw=1.2, transform=ax.get_xaxis_transform())
    ax.plot(
        [start / unit_s for start, _ in pages], [0.97] * len(pages), ">", color=BAD, ms=6, clip_on=False,
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip


def _caption(course: Course, models: Sequence[str], trouble: Stretches, pages: Stretches, left: Floats | None) -> str:
    numbers = _numbers(course, pages, left)
    ended = int(course.answered.sum() + course.failed.sum() + course.rejected.sum())
    caption = (
        f"{models[0]}'s breaker is open for {duration(numbers['open_s'])} in all and turns {several(numbers['turned_away'], 'request')} "
        f"away, while {count(numbers['failed'])} fail; {percent(float(course.answered.sum()) / max(ended, 1), 1)} are answered. "
        "Dots: half open, a call is tried. "
    )
    since = (
        f", {duration(pages[0][0] - trouble[0][0])} into the trouble"
        if pages and trouble and pages[0][0] >= trouble[0][0]
        else ""
    )
    caption += (
        f"Flag: a page{since}. "
        if len(pages) == 1
        else f"Flags: {several(len(pages), 'page')}{since}. "
        if pages
        else "Nobody is paged. "
    )
    if left is None:
        return f"{caption}There is no RetryBudget."
    return f"{caption}Of {left.max():g} retries in the RetryBudget {max(float(left.min()), 0.0):.3g} are left at the least."


def _numbers(course: Course, pages: Stretches, left: Floats | None) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "open_s": sum(end - start for state, start, end in course.stretches[0] if state == OPEN),
        "turned_away": int(course.rejected.sum()),
        "failed": int(course.failed.sum()),
        "pages": len(pages),
        "first_page_s": pages[0][0] if pages else None,
        "least_retries_left": None if left is None else float(left.min()),
    }
    return numbers | {kind: int(counts.sum()) for kind, counts in course.kinds}
