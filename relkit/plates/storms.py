"""Pictures of retry storms: what gets through one, and which services never recover from one."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import BAD, GOOD, INK, MUTED, SERIES, figure, in_words, spans
from relkit.simulation.storm_verdict import recovery_text
from relkit.simulation.storms import NEVER, STORM_BEGINS_S, STORM_ENDS_S, WATCHED_S, Cell, Course, most_safe_retries
from relkit.units import percent, several

_SHOWN_S: Final = 120.0
_SLOW_S: Final = (STORM_BEGINS_S, STORM_ENDS_S)
_PLAIN: Final = "no retries"
_CAPACITY: Final = 40.0
_WELL_FILL: Final = "#dcebf5"
_STUCK_FILL: Final = "#f6d9c4"


def courses_plate(courses: Sequence[Course], name: str = "storm") -> Plate:
    """Draw what share of those who came was answered, and how many tries were sent, around ten slow seconds.

    Parameters
    ----------
    courses : sequence of Course
        One a policy.
    name : str
        Name of the plate.
    """
    if not courses:
        return empty_plate(name, "Nothing was simulated: the study was stopped before the storm.")
    fig, axes = figure(height_in=4.2, rows=2, sharex=True)
    top, below = axes
    for place, one in enumerate(courses):
        colour = _colour(one.policy)
        within = [step for step, start_s in enumerate(one.starts_s) if start_s <= _SHOWN_S]
        x = [one.starts_s[step] for step in within]
        low = [_end(one.answered[step].low, one.answered[step].median) for step in within]
        high = [_end(one.answered[step].high, one.answered[step].median) for step in within]
        top.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
        top.plot(x, [one.answered[step].median for step in within], color=colour)
        below.plot(x, [one.sent_per_s[step] for step in within], color=colour)
        top.text(
            1.02, 0.92 - 0.25 * place, f"{one.policy}:\nwell {_after(one)}", color=in_words(colour), transform=top.transAxes,
            va="top", fontsize=8.5,
        )  # fmt: skip
    for ax in axes:
        spans(ax, [_SLOW_S], "#eeeeee")
        ax.grid(visible=True, axis="y")
    below.axhline(_CAPACITY, color=MUTED, lw=0.8, ls=(0, (3, 3)))
    below.text(
        1.02, _CAPACITY, "capacity", color=MUTED, fontsize=8.5, va="center", transform=below.get_yaxis_transform()
    )
    top.text(sum(_SLOW_S) / 2, 1.04, "slow", color=MUTED, fontsize=8.5, ha="center", va="bottom")
    top.set_ylim(-0.03, 1.03)
    top.set_yticks([0, 0.5, 1.0], ["0 %", "50 %", "100 %"])
    top.set_ylabel("answered")
    below.set_ylim(bottom=0)
    below.set_ylabel("tries a second")
    below.set_xlim(0, _SHOWN_S)
    below.set_xlabel("seconds; each point five of them")
    stuck = [one for one in courses if one.recovery.median == NEVER and one.policy != _PLAIN]
    well = min(courses, key=lambda one: one.recovery.median)
    caption = "Ten slow seconds fill the waiting room. "
    if stuck:
        caption += (
            f"With {stuck[0].policy} every caller gives up before the answer and asks again, {max(stuck[0].sent_per_s):.0f} tries a "
            f"second: the cause is gone, and in the {WATCHED_S:g} s watched the service stays down. "
        )
    caption += f"With {well.policy} it is well {_after(well)}. Bands are the intervals over {several(well.recovery.seeds, 'run')}."
    return plate(
        name, fig, caption=caption,
        alt="Answered share and tries a second before, in and after ten slow seconds, for four ways to retry",
        values={one.policy: None if one.recovery.median == NEVER else one.recovery.median for one in courses},
    )  # fmt: skip


def _colour(policy: str) -> str:
    if "breaker" in policy:
        return SERIES[2]
    return GOOD if "budget" in policy else BAD if policy != _PLAIN else MUTED


def _after(one: Course) -> str:
    text = recovery_text(one.recovery)
    if text == "never":
        return f"not in {WATCHED_S:g} s"
    return text if text.startswith("at once") else f"after {text}"


def _end(end: float | None, median: float) -> float:
    return median if end is None else end


def phase_plate(cells: Sequence[Cell], load: float, most_tries: int = 0, name: str = "phase") -> Plate:
    """Draw for each load and number of retries how long recovery took, or that it never came, with the line of theory.

    Parameters
    ----------
    cells : sequence of Cell
        What was measured.
    load : float
        Load to mark on the axis.
    most_tries : int
        Most tries of a request in the log, whose row is marked; 0 or 1 for none.
    name : str
        Name of the plate.
    """
    if not cells:
        return empty_plate(name, "Nothing was simulated: the study was stopped before the diagram.")
    loads = sorted({cell.load for cell in cells})
    rows = sorted({cell.retries for cell in cells})
    half = (loads[1] - loads[0]) / 2 if len(loads) > 1 else 0.05
    fig, ax = figure(height_in=0.9 + 0.46 * len(rows))
    for fill, wanted in ((_WELL_FILL, False), (_STUCK_FILL, True)):
        _boxes(ax, [cell for cell in cells if cell.is_stuck == wanted], half, fill)
    stuck = [cell for cell in cells if cell.is_stuck]
    nearest = {row: min((cell.load for cell in stuck if cell.retries == row), default=None) for row in rows}
    for cell in cells:
        _write(ax, cell, is_first=cell.load == nearest[cell.retries])
    edges = [(1.0 / (1 + row), row + side) for row in rows for side in (-0.5, 0.5)]
    ax.plot(*zip(*edges, strict=True), color=INK, lw=1.6)
    ax.set_xlim(loads[0] - half, loads[-1] + half)
    ax.set_ylim(rows[0] - 0.5, rows[-1] + 0.5)
    ax.set_yticks(rows, [several(row, "retry", "retries") if row else "no retries" for row in rows])
    ax.tick_params(axis="both", length=0)
    ax.tick_params(axis="x", pad=7)
    ax.set_xticks(loads, [percent(each, 1 if round(1000 * each) % 10 else 0) for each in loads], fontsize=8)
    ax.set_xlabel("load without retries, as a share of the capacity")
    ax.text(0.0, 1.02, "seconds until well (interval)", color=GOOD, transform=ax.transAxes, va="bottom", fontsize=9)
    ax.text(0.36, 1.02, "never well again", color=BAD, transform=ax.transAxes, va="bottom", fontsize=9)
    ax.text(0.60, 1.02, "line: load × tries = 1", color=INK, transform=ax.transAxes, va="bottom", fontsize=9)
    ax.plot([load], [0.0], "^", color=INK, ms=6, transform=ax.get_xaxis_transform(), clip_on=False)
    if most_tries - 1 in rows and most_tries > 1:
        ax.text(1.01, most_tries - 1, "your log", transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
    judged = [cell for cell in cells if not cell.is_on_the_line]
    agree = sum(cell.agrees for cell in judged)
    seeds = cells[0].recovery.seeds
    caption = (
        f"{agree} of {len(judged)} cells do what load × tries > 1 says, each the median of {several(seeds, 'run')}. "
    )
    safe = most_safe_retries(load)
    allowed = f"with at most {several(safe, 'retry', 'retries')}" if safe else "only without retries"
    caption += (
        f"At a load of {percent(load, 0)} (triangle) the service recovers {allowed}, unless a budget or a breaker limits them; "
        f"never means not within {WATCHED_S:g} s."
    )
    if most_tries > 1:
        caption += (
            f" Your log shows up to {most_tries} tries a request: without a budget, that is safe up to a load of "
            f"{percent(1.0 / most_tries, 0)}."
        )
    values: dict[str, Any] = {"agree": agree, "judged": len(judged), "on_the_line": len(cells) - len(judged)}
    values |= {
        f"{cell.retries} retries, load {cell.load:g}": None if cell.is_stuck else cell.recovery.median for cell in cells
    }
    return plate(
        name, fig, caption=caption, alt="Diagram of load and retries: seconds until well, or never, and the line of theory",
        values=values,
    )  # fmt: skip


def _boxes(ax: Axes, cells: Sequence[Cell], half: float, fill: str) -> None:
    """Draw the fields of one colour as one shape."""
    corners, codes = [], []
    for cell in cells:
        left, right, low, high = cell.load - half, cell.load + half, cell.retries - 0.5, cell.retries + 0.5
        corners += [(left, low), (left, high), (right, high), (right, low), (left, low)]
        codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    if corners:
        ax.add_patch(PathPatch(Path(np.array(corners), codes), facecolor=fill, edgecolor="white", lw=1.2))


def _write(ax: Axes, cell: Cell, *, is_first: bool) -> None:
    span, where = cell.recovery, (cell.load, cell.retries)
    style: dict[str, Any] = {"ha": "center", "xycoords": "data", "textcoords": "offset points"}
    if cell.is_stuck:
        part = "" if cell.stuck == span.seeds else f"\n{cell.stuck} of {span.seeds}"
        if part or is_first:
            ax.annotate(f"never{part}", where, xytext=(0, 0), va="center", fontsize=7.5, color=BAD, **style)
        return
    ax.annotate(f"{span.median:g}", where, xytext=(0, 4), va="center", fontsize=8.5, color=GOOD, **style)
    if span.low is not None and span.high is not None and span.low < span.high:
        high = "∞" if span.high == NEVER else f"{span.high:.0f}"
        text = f"{span.low:.0f} to {high}"
        ax.annotate(text, where, xytext=(0, -7), va="center", fontsize=7.5, color=MUTED, **style)
