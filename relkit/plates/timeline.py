"""One run over time: a ribbon for each model's breaker, traffic and answers, attempts, and the minutes that would page somebody."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from relkit.plates.breakers import Found, nothing, stamped
from relkit.plates.plate import Plate, plate
from relkit.plates.style import BAD, GOOD, INK, MUTED, UNKNOWN, WARN, bars, figure, in_words, spans
from relkit.policies.codes import HALF_OPEN, OPEN
from relkit.simulation.run import simulate
from relkit.tune.course import Course, course_of
from relkit.tune.study import Unfounded
from relkit.units import count, duration, percent, several

SHOWN: Final = "outage"
PAGES_AT: Final = 14.4
"""Burn that pages: two percent of a month's budget in an hour (Google, SRE Workbook, chapter 5)."""
_SEED: Final = 1
_STEPS: Final = 60
_TROUBLE: Final = "#f6d9c4"
_CLOSED: Final = "#dcebf5"


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
    chosen = found.chosen
    course = course_of(simulate(scenario, chosen.policy, _SEED), _STEPS)
    label = "the choice" if found.best.name else f"today ({found.today.name})"
    trouble = [(each.start_s, each.end_s) for each in scenario.episodes]
    names = [model.name for model in scenario.models]
    drawn = timeline_plate(course, names, trouble, float(found.found.objective.budget_share), name=name)
    return Plate(
        name,
        stamped(found, f"{label[0].upper()}{label[1:]} in an outage. {drawn.caption}"),
        drawn.alt,
        drawn.svg,
        drawn.values,
    )


def timeline_plate(
    course: Course, models: Sequence[str], trouble: Sequence[tuple[float, float]], budget_share: float, name: str = "timeline"
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
    budget_share : float
        Share of requests that the objective lets fail: burn is the share that failed, in units of it.
    name : str
        Name of the plate.
    """
    unit_s, unit = (60.0, "minutes") if course.span_s < 7200.0 else (3600.0, "hours")
    heights = [0.3 * len(models) + 0.2, 1.5, 0.9]
    fig, axes = figure(height_in=1.1 + sum(heights), rows=3, sharex=True, gridspec_kw={"height_ratios": heights})
    ribbons, traffic, load = axes
    for ax in axes:
        spans(ax, [(start / unit_s, end / unit_s) for start, end in trouble], _TROUBLE)
    _ribbons(ribbons, course, models, unit_s)
    x = np.arange(len(course.arrivals)) * course.bin_s / unit_s
    width = course.bin_s / unit_s
    per_s = 1.0 / course.bin_s
    base = np.zeros(len(x))
    for values, colour in ((course.answered, GOOD), (course.failed, BAD), (course.rejected, UNKNOWN)):
        bars(traffic, x, np.round(base * per_s, 4), np.round(values * per_s, 4), width, colour)
        base = base + values
    traffic.plot(x + width / 2, np.round(course.arrivals * per_s, 4), color=INK, lw=0.8)
    traffic.set_ylim(bottom=0.0)
    traffic.set_ylabel("requests a second", fontsize=8)
    for place, (text, colour) in enumerate(
        (("answered", GOOD), ("failed", BAD), ("turned away", MUTED), ("line: came", INK))
    ):
        traffic.text(
            1.01, 0.92 - 0.2 * place, text, color=in_words(colour), fontsize=8.5, va="top", transform=traffic.transAxes
        )
    ended = course.answered + course.failed + course.rejected
    burn = (course.failed + course.rejected) / np.maximum(ended, 1) / budget_share
    flags = np.flatnonzero((burn > PAGES_AT) & (ended > 0))
    if len(flags):
        traffic.plot(
            x[flags] + width / 2,
            np.full(len(flags), 1.0),
            "v",
            color=BAD,
            ms=3.5,
            transform=traffic.get_xaxis_transform(),
            clip_on=False,
        )
    ratio = np.where(course.arrivals > 0, course.attempts / np.maximum(course.arrivals, 1), 0.0)
    bars(load, x, np.zeros(len(x)), np.round(ratio, 3), width, MUTED)
    load.set_ylabel("attempts\nper request", fontsize=8)
    load.set_xlabel(f"{unit}; each step {duration(course.bin_s)}")
    load.set_xlim(0.0, course.span_s / unit_s)
    load.set_ylim(bottom=0.0)
    opened = sum(end - start for state, start, end in course.stretches[0] if state == OPEN)
    turned = int(course.rejected.sum())
    caption = (
        f"{models[0]}'s breaker is open for {duration(opened)} in all and turns {several(turned, 'request')} away, while "
        f"{count(int(course.failed.sum()))} fail; {percent(float(course.answered.sum()) / max(int(ended.sum()), 1), 1)} are answered. "
        "Dots: half open, a call is tried. "
        f"Flags: the burn is above {PAGES_AT:g}, in {several(len(flags), 'step')}."
    )
    numbers = {"open_s": opened, "turned_away": turned, "failed": int(course.failed.sum()), "flags": len(flags)}
    return plate(
        name, fig, caption=caption, values=numbers,
        alt="States of the breaker, requests by how they ended, and attempts per request, over the time of a run",
    )  # fmt: skip


def _ribbons(ax: Axes, course: Course, models: Sequence[str], unit_s: float) -> None:
    for place, stretches in enumerate(reversed(course.stretches)):
        ax.barh(place, course.span_s / unit_s, height=0.5, color=_CLOSED)
        starts = np.array([start for state, start, _ in stretches if state == OPEN]) / unit_s
        ends = np.array([end for state, _, end in stretches if state == OPEN]) / unit_s
        for start, end in zip(starts, ends, strict=True):
            bars(ax, np.array([start]), np.array([place - 0.25]), np.array([0.5]), end - start, BAD)
        tried = [start / unit_s for state, start, _ in stretches if state == HALF_OPEN]
        ax.plot(tried, [place] * len(tried), "o", color=WARN, ms=3)
    ax.set_yticks(range(len(models)), list(reversed(models)), fontsize=8)
    ax.set_ylim(-0.5, len(models) - 0.5)
    ax.tick_params(length=0)
    ax.text(1.01, 0.5, "rust: open", color=BAD, fontsize=8.5, va="center", transform=ax.transAxes)
