"""Pictures of a sweep: the front, maps of two settings, regret, and which setting matters."""

import math
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from relkit.plates.breakers import Found, chosen_name, nothing, stamped
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import BAD, GOOD, INK, MUTED, UNKNOWN, WARN, figure, in_words
from relkit.tune.front import NOT_RESOLVED, OFF, ON, Front, front
from relkit.tune.goal import said, short
from relkit.tune.grid import Grid
from relkit.tune.judge import regret
from relkit.tune.measures import measure
from relkit.tune.sensitivity import WIDEST, Sensitivity
from relkit.tune.study import Study, Unfounded
from relkit.units import duration, percent, several

_FILL: Final = LinearSegmentedColormap.from_list("success", ["#f6d9c4", "#ffffff", "#9ecae9"])
_SIZES: Final = (8.0, 60.0)
_LEVELS: Final = 7


def front_plate(found: Found, name: str = "front") -> Plate:
    """Draw wasted calls against success, one point a candidate; the size is p95, presets are diamonds, the choice a star.

    Parameters
    ----------
    found : Study or Unfounded
        The study.
    name : str
        Name of the plate.
    """
    if isinstance(found, Unfounded):
        return nothing(found, name)
    seen = front(found.found, ("wasted_per_1k", "success", "p95_s"))
    x, y, p95 = seen.values.T
    span = float(np.ptp(p95)) or 1.0
    sizes = _SIZES[0] + (_SIZES[1] - _SIZES[0]) * (p95 - p95.min()) / span
    fig, ax = figure(height_in=4.2)
    halves = _halves(found)
    for place in (each for each, state in enumerate(seen.states) if state == ON):
        dx, dy = halves[place]
        ax.errorbar(x[place], y[place], xerr=dx, yerr=dy, color=GOOD, lw=0.8, zorder=1)
    for state, colour, filled in ((OFF, "#cfcfcf", True), (NOT_RESOLVED, UNKNOWN, False), (ON, GOOD, True)):
        for is_fixed, marker in ((False, "o"), (True, "D")):
            places = [
                number
                for number, each in enumerate(found.found.candidates)
                if seen.states[number] == state and each.is_fixed == is_fixed
            ]
            if places:
                ax.scatter(
                    x[places],
                    y[places],
                    s=sizes[places],
                    marker=marker,
                    color=colour if filled else "none",
                    edgecolors=colour,
                    lw=1.0,
                )
    _name_points(ax, found, seen)
    ax.set_yticks(ax.get_yticks(), [percent(each, 1) for each in ax.get_yticks()])
    ax.set_xlabel("calls sent to a dead service, per 1,000 requests (less is better)")
    ax.set_ylabel("success, mean of all scenarios")
    ax.grid(visible=True)
    counts = {state: seen.states.count(state) for state in (ON, NOT_RESOLVED, OFF)}
    caption = (
        f"Of {several(len(seen.names), 'candidate')} {counts[ON]} surely lie on the front (blue, crosses 95 %), {counts[NOT_RESOLVED]} may "
        f"(rings: not resolved by {several(len(found.found.seeds), 'run')} each), {counts[OFF]} are beaten (grey). Diamonds are presets with today's "
        f"retries, the size is the p95 ({duration(float(p95.min()))} to {duration(float(p95.max()))})."
    )
    values: dict[str, Any] = dict(counts)
    values |= {each: float(y[seen.names.index(each)]) for each in seen.of_state(ON)}
    return plate(
        name, fig, caption=stamped(found, caption), values=values,
        alt="Scatter of wasted calls against success for every candidate, presets as diamonds, the choice as a star",
    )  # fmt: skip


def _halves(found: Study) -> np.ndarray:
    """Half widths of the intervals of both means, [candidate, two]; 0 where a single run tells nothing."""
    columns = []
    for name in ("wasted_per_1k", "success"):
        values = found.found.of(name)
        there = ~np.isnan(values).all(axis=(0, 2))
        means = values[:, there].mean(axis=1)
        columns.append(1.96 * means.std(axis=1, ddof=1) / math.sqrt(means.shape[1]))
    return np.stack(columns, axis=1)


def _name_points(ax: Axes, found: Study, seen: Front) -> None:
    x, y, _ = seen.values.T
    marks = {found.found.place_of(found.today.hash): f"today ({found.today.name})"}
    if found.best.name:
        marks[found.found.place_of(found.best.name)] = chosen_name(found)
        place = found.found.place_of(found.best.name)
        ax.plot(x[place], y[place], "*", color=BAD, ms=14, mec="white", zorder=5)
    fixed = [number for number, each in enumerate(found.found.candidates) if each.is_fixed and number not in marks]
    ends = sorted(fixed, key=lambda number: (x[number], seen.names[number]))
    for number in dict.fromkeys([*ends[:2], *ends[-1:], *sorted(fixed, key=lambda number: y[number])[:1]]):
        marks[number] = seen.names[number]
    placed: list[tuple[float, float]] = []
    width, height = float(np.ptp(x)) or 1.0, float(np.ptp(y)) or 1.0
    for number, text in sorted(marks.items(), key=lambda both: -y[both[0]]):
        shift = 4
        while any(
            abs(y[number] + shift / 260 * height - at) < 0.05 * height and abs(x[number] - left) < 0.3 * width
            for left, at in placed
        ):
            shift -= 10
        placed.append((float(x[number]), float(y[number]) + shift / 260 * height))
        right = x[number] > x.min() + 0.75 * width
        colour = BAD if found.best.name and number == found.found.place_of(found.best.name) else INK
        ax.annotate(
            text, (x[number], y[number]), xytext=(-7 if right else 7, shift), textcoords="offset points", fontsize=8, color=in_words(colour),
            ha="right" if right else "left", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
        )  # fmt: skip


def heat_plate(found: Found, grid: Grid | None, name: str = "heat") -> Plate:
    """Draw success over threshold and open time, a small map a scenario, with the line of the limit.

    Parameters
    ----------
    found : Study or Unfounded
        The study, whose goal has the limit of the line.
    grid : Grid or None
        What the settings give.
    name : str
        Name of the plate.
    """
    if isinstance(found, Unfounded) or grid is None:
        return nothing(found, name) if isinstance(found, Unfounded) else empty_plate(name, "No map was played.")
    limit = next((each.value for each in found.goal.limits if each.measure == "success" and not each.scenarios), None)
    scenarios = grid.scenarios
    columns = 3
    rows = math.ceil(len(scenarios) / columns)
    fig, axes = figure(height_in=0.8 + 1.75 * rows, rows=rows, columns=columns, sharex=True, sharey=True, squeeze=False)
    best: dict[str, float] = {}
    for place, ax in enumerate(axes.flat):
        if place >= len(scenarios):
            ax.set_visible(False)
            continue
        means = grid.success[:, :, place].mean(axis=-1)
        _map(ax, grid, means, None if limit is None else _map_doubts(grid, place, limit))
        ax.set_title(
            f"{scenarios[place]}: {percent(float(means.min()), 1)} to {percent(float(means.max()), 1)}", fontsize=8
        )
        best[scenarios[place]] = float(means.max() - means.min())
    for ax in axes[-1]:
        ax.set_xlabel("open time, s", fontsize=8)
    for row in axes:
        row[0].set_ylabel("failure share", fontsize=8)
    widest = max(best, key=lambda each: best[each])
    below = 0 if limit is None else sum(_map_doubts(grid, place, limit).sum() for place in range(len(scenarios)))
    line = (
        ""
        if limit is None
        else f" Hatched: below the limit of {percent(limit, 1)}, or its interval crosses it."
        if below
        else f" Every point keeps the limit of {percent(limit, 1)}."
    )
    caption = (
        f"The two settings move success most in {widest}, by {100 * best[widest]:.2f} points; in each map rust is its lowest and blue its "
        f"highest.{line} {grid.fixed_text} The cross is the choice, or what comes nearest."
    )
    return plate(
        name, fig, caption=stamped(found, caption), values=best,
        alt="Maps of success over failure share and open time, one a scenario",
    )  # fmt: skip


def _map_doubts(grid: Grid, place: int, limit: float) -> np.ndarray:
    """Where the lower end of the interval is below the limit, [failure share, open time]."""
    runs = grid.success[:, :, place]
    doubts: np.ndarray = runs.mean(axis=-1) - 1.96 * runs.std(axis=-1, ddof=1) / math.sqrt(runs.shape[-1]) < limit
    return doubts


def _map(ax: Axes, grid: Grid, means: np.ndarray, doubts: np.ndarray | None) -> None:
    span = float(np.ptp(means)) or 1.0
    levels = np.round((means - means.min()) / span * _LEVELS).astype(int)
    for level in range(_LEVELS + 1):
        _cells(ax, np.argwhere(levels == level), facecolor=_FILL(level / _LEVELS), edgecolor="white", lw=0.4)
    if doubts is not None:
        _cells(ax, np.argwhere(doubts), facecolor="none", edgecolor=MUTED, lw=0.0, hatch="///")
    ax.set_xlim(-0.5, means.shape[1] - 0.5)
    ax.set_ylim(-0.5, means.shape[0] - 0.5)
    ax.set_xticks(
        range(0, means.shape[1], 2), [f"{grid.open_s[each]:g}" for each in range(0, means.shape[1], 2)], fontsize=7.5
    )
    ax.set_yticks(
        range(0, means.shape[0], 2),
        [percent(grid.failure_share[each], 0) for each in range(0, means.shape[0], 2)],
        fontsize=7.5,
    )
    ax.tick_params(length=0)
    ax.plot(grid.nearest[1], grid.nearest[0], "x", color=INK, ms=6, mew=1.6)


def _cells(ax: Axes, places: np.ndarray, **look: Any) -> None:
    """Draw the fields of one colour as one shape."""
    corners: list[tuple[float, float]] = []
    codes: list[np.uint8] = []
    for row, column in places.tolist():
        left, right, low, high = column - 0.5, column + 0.5, row - 0.5, row + 0.5
        corners += [(left, low), (left, high), (right, high), (right, low), (left, low)]
        codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    if corners:
        ax.add_patch(PathPatch(Path(np.array(corners), codes), **look))


def regret_plate(found: Found, name: str = "regret") -> Plate:
    """Draw by how much each of a few settings is worse than the best one in each scenario.

    Parameters
    ----------
    found : Study or Unfounded
        The study; regret is in its goal's measure.
    name : str
        Name of the plate.
    """
    if isinstance(found, Unfounded):
        return nothing(found, name)
    by = found.goal.best_in
    losses = regret(found.found, by)
    shown = _compared(found)
    there = [place for place in range(losses.shape[1]) if not np.isnan(losses[:, place]).all()]
    fig, ax = figure(height_in=0.9 + 0.3 * len(shown) * len(there))
    ticks, labels = [], []
    at = 0.0
    values: dict[str, float | None] = {}
    finite = [losses[each, place] for _, each, _ in shown for place in there if math.isfinite(losses[each, place])]
    edge = max(finite, default=1.0) or 1.0
    for place in reversed(there):
        for label, candidate, colour in reversed(shown):
            loss = float(losses[candidate, place])
            width = loss if math.isfinite(loss) else edge * 1.1
            ax.barh(at, width, height=0.8, color=colour)
            text = said(by, loss) if math.isfinite(loss) else "cannot be measured"
            ax.text(width + 0.01 * edge, at, f"{label}: {text}", va="center", fontsize=8, color=INK)
            values[f"{label}, {found.found.scenario_names[place]}"] = loss if math.isfinite(loss) else None
            at += 1.0
        ticks.append(at - 0.5 - len(shown) / 2)
        labels.append(found.found.scenario_names[place])
        at += 0.6
    ax.set_yticks(ticks, labels)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0.0, edge * 1.35)
    ax.set_xlabel(
        f"regret: {short(by)} beyond the best candidate of the scenario, {measure(by).unit.replace('_', ' ')}"
    )
    worst = {label: max((losses[each, place] for place in there), default=0.0) for label, each, _ in shown}
    least = min(worst, key=lambda label: worst[label])
    told = ", ".join(
        f"{label} {said(by, float(loss)) if math.isfinite(loss) else 'without a bound'}"
        for label, loss in worst.items()
    )
    caption = (
        f"Worst regret: {told}; {least} has the smallest. The best of many noisy means is a little too good, so regrets are rather "
        "over- than understated."
    )
    return plate(
        name, fig, caption=stamped(found, caption), values=values,
        alt="Bars of regret by scenario for today's setting, the choice and some presets",
    )  # fmt: skip


def _compared(found: Study) -> list[tuple[str, int, str]]:
    shown = [("today", found.found.place_of(found.today.hash), MUTED)]
    if found.best.name:
        place = found.found.place_of(found.best.name)
        if place != shown[0][1]:
            shown.append(("the choice", place, BAD))
    colours = iter((GOOD, WARN))
    for name in ("pybreaker", "resilience4j-count"):
        hit = [number for number, each in enumerate(found.found.candidates) if each.name == name]
        if hit and hit[0] not in {place for _, place, _ in shown}:
            shown.append((name, hit[0], next(colours)))
    return shown


def tornado_plate(found: Found, matters: Sensitivity | None, name: str = "sensitivity") -> Plate:
    """Draw how much each setting matters for a measure, with whiskers.

    Parameters
    ----------
    found : Study or Unfounded
        The study.
    matters : Sensitivity or None
        Of the space that was searched.
    name : str
        Name of the plate.
    """
    if isinstance(found, Unfounded) or matters is None:
        return nothing(found, name) if isinstance(found, Unfounded) else empty_plate(name, "No sensitivity was played.")
    effects = matters.effects
    fig, ax = figure(height_in=0.8 + 0.38 * len(effects))
    for place, each in enumerate(reversed(effects)):
        ax.barh(place, each.share, height=0.6, color=GOOD if matters.is_ranked else UNKNOWN)
        ax.plot([max(each.low, 0.0), each.high], [place, place], color=INK, lw=1.4, marker="|", ms=7)
        ax.text(max(each.share, each.high) + 0.01, place, percent(each.share, 0), va="center", fontsize=8.5)
    ax.set_yticks(range(len(effects)), [each.setting for each in reversed(effects)])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0.0, max(each.high for each in effects) * 1.12)
    ticks = [each for each in ax.get_xticks() if each <= max(1.0, *(one.high for one in effects))]
    ax.set_xticks(ticks, [percent(each, 0) for each in ticks])
    ax.set_xlabel(
        "share of the effects of all settings" if matters.method == "morris" else "share of the variance (total index)"
    )
    top = max(effects, key=lambda each: each.share)
    said_of = f"{matters.method.capitalize()}, {several(matters.runs, 'run')}, whiskers 95 %."
    if matters.is_ranked:
        whiskers = f"{percent(top.low, 0)} to {percent(top.high, 0)}"
        caption = (
            f"{top.setting} matters most for {short(matters.measure)}: {percent(top.share, 0)} ({whiskers}). {said_of}"
        )
    else:
        caption = f"Nothing is ranked (widest allowed {WIDEST}). {matters.why_not} {said_of}"
    return plate(
        name, fig, caption=stamped(found, caption), values={each.setting: each.share for each in effects},
        alt="Bars with whiskers of how much each setting matters",
    )  # fmt: skip
