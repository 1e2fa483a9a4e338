"""Pictures of calibration and replay: what the model gives beside the log, and breakers over the time of a log."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import BAD, GOOD, INK, MUTED, WARN, figure, spans
from relkit.plates.table import Table
from relkit.simulation.calibrate.calibration import Calibration
from relkit.simulation.calibrate.checks import Check
from relkit.simulation.replay.records import Arm, Replay, Tally
from relkit.units import count, duration, percent, several

_MOST_ARMS: Final = 12
_STATES: Final = (("closed", "#dcebf5"), ("half_open", WARN), ("open", BAD), ("forced_open", BAD))
_CALM: Final = "#eeeeee"
_NARROW: Final = 1e-9
_SEEN: Final = 1_500  # parts of the time of a log that a picture can show
_COLUMNS: Final = (
    "policy", "let through", "spared", "failures avoided", "good calls turned away", "incidents detected", "median detection",
)  # fmt: skip


def checks_plate(found: Calibration, name: str = "checks") -> Plate:
    """Draw each predictive check: the band of the model as a bar, the log as a dot, every row in units of its own band.

    Parameters
    ----------
    found : Calibration
        The calibration; its stamp opens the caption when a check failed.
    name : str
        Name of the plate.
    """
    shown = [check for check in found.checks if check.observed is not None and check.p is not None]
    if not shown:
        return empty_plate(name, "No property of the log could be compared with the model: it is too short.")
    fig, ax = figure(height_in=0.7 + 0.3 * len(shown))
    for place, check in enumerate(reversed(shown)):
        _check_row(ax, place, check)
    ax.axvline(0.0, color=MUTED, lw=0.6)
    ax.set_yticks(range(len(shown)), [check.name for check in reversed(shown)])
    ax.tick_params(axis="y", length=0)
    ax.set_xticks([-1.0, 0.0, 1.0], ["2.5 %", "50 %", "97.5 %"], fontsize=8)
    ax.set_xlim(-3.4, 9.6)
    ax.set_xlabel("logs drawn from the model; dot: this log (at the edge when beyond)")
    failed = [check for check in shown if not check.passed]
    whole = "The one property compared lies" if len(shown) == 1 else f"All {len(shown)} properties compared lie"
    verdict = f"{found.stamp} " if failed else f"{whole} where logs drawn from the model lie. "
    skipped = len(found.checks) - len(shown)
    caption = verdict + (f"{several(skipped, 'check')} could not be made." if skipped else "")
    return plate(
        name, fig, caption=caption.strip(), alt="Properties of the log as dots beside the bands of logs drawn from the calibrated model",
        values={check.name: check.observed for check in shown},
    )  # fmt: skip


def _check_row(ax: Axes, place: int, check: Check) -> None:
    assert check.observed is not None
    colour = GOOD if check.passed else BAD
    ax.barh(place, 2.0, left=-1.0, height=0.5, color=_CALM)
    above = check.observed >= check.middle
    half = max(abs((check.high if above else check.low) - check.middle), _NARROW)
    at = float(np.clip((check.observed - check.middle) / half, -3.2, 3.2))
    ax.plot([at], [place], "o", color=colour, ms=5)
    text = f"{_number(check.observed)} against {_number(check.low)} to {_number(check.high)} {check.unit}"
    ax.text(3.4, place, text, va="center", ha="left", fontsize=8, color=INK if check.passed else BAD, clip_on=False)


def _number(value: float) -> str:
    return f"{value:.3g}"


def timeline_plate(found: Replay, name: str = "replay") -> Plate:
    """Draw each breaker over the time of the log, with the incidents, and the level of the replay above.

    Parameters
    ----------
    found : Replay
        The replay.
    name : str
        Name of the plate.
    """
    arms = found.arms[:_MOST_ARMS]
    fig, ax = figure(height_in=1.0 + 0.36 * len(arms))
    unit_s, unit = _unit(found.span_s)
    spans(ax, [(one.start_s / unit_s, max(one.end_s, one.start_s) / unit_s) for one in found.incidents], "#f6d9c4")
    for place, arm in enumerate(reversed(arms)):
        for state, colour in _STATES:
            _ribbon(ax, _merged(arm.stretches(state, found.span_s), found.span_s / _SEEN), place, unit_s, colour)
        ax.text(
            1.01, place, _outcome(arm, found), transform=ax.get_yaxis_transform(), va="center", fontsize=8.5, color=INK
        )
    ax.set_yticks(range(len(arms)), [arm.policy for arm in reversed(arms)])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0.0, max(found.span_s / unit_s, _NARROW))
    ax.set_ylim(-0.5, len(arms) - 0.5)
    ax.set_xlabel(f"{unit} from the start of the log")
    ax.set_title(_level_line(found), color=MUTED, fontsize=8.5)
    return plate(
        name, fig, caption=_timeline_caption(found), alt="States of each breaker over the time of the log, with the incidents shaded",
        values={arm.policy: arm.failures_avoided.value for arm in arms},
    )  # fmt: skip


def _merged(stretches: Sequence[tuple[float, float]], least_s: float) -> list[tuple[float, float]]:
    """Join stretches that lie closer together than an eye can tell; a week of a busy breaker has thousands."""
    joined: list[tuple[float, float]] = []
    for start, end in stretches:
        if joined and start - joined[-1][1] < least_s:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _ribbon(ax: Axes, stretches: Sequence[tuple[float, float]], place: float, unit_s: float, colour: str) -> None:
    """Draw the stretches of one state as one shape."""
    corners: list[tuple[float, float]] = []
    codes: list[np.uint8] = []
    low, high = place - 0.22, place + 0.22
    for start, end in stretches:
        left, right = start / unit_s, end / unit_s
        corners += [(left, low), (left, high), (right, high), (right, low), (left, low)]
        codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    if corners:
        ax.add_patch(PathPatch(Path(np.array(corners), codes), facecolor=colour, lw=0))


def _level_line(found: Replay) -> str:
    """The level, on two lines: it must be read with the picture."""
    head, _, supposes = found.supposes.partition(": ")
    return f"{head}:\n{supposes}\nblue closed · amber half open · rust open · shaded incidents"


def _outcome(arm: Arm, found: Replay) -> str:
    if not found.incidents:
        return f"spares {count(arm.spared.value)}"
    return f"opened in {arm.detected} of {len(found.incidents)}"


def _timeline_caption(found: Replay) -> str:
    best = max(found.arms, key=lambda arm: arm.failures_avoided.value - arm.good_turned_away.value)
    avoided, turned = _range(best.failures_avoided), _range(best.good_turned_away)
    told = f"{found.level}: {best.policy} would have avoided {avoided} failures and turned away {turned} good calls"
    if found.incidents:
        soon = f", {_median(best.detection_s)} after its start in the median" if best.detected else ""
        told += f"; it opened in {best.detected} of {several(len(found.incidents), 'incident')}{soon}"
    told += "."
    if found.missing:
        told += (
            f" {percent(found.missing_share, 1)} of the calls are missing, because the log's own breaker rejected them: "
            "the ranges run over all of them good and all of them failed."
        )
    return f"{found.stamp} {told}".strip()


def _range(tally: Tally) -> str:
    if tally.is_known:
        return count(tally.value)
    return f"{count(round(tally.value))} ({count(tally.low)} to {count(tally.high)})"


def replay_table(found: Replay, name: str = "replayed") -> Table:
    """Show for each policy the tallies with their bounds, and how soon it opened.

    Parameters
    ----------
    found : Replay
        The replay.
    name : str
        Name of the table.
    """
    rows = [
        (
            arm.policy, _range(arm.let_through), _range(arm.spared), _range(arm.failures_avoided), _range(arm.good_turned_away),
            f"{arm.detected} of {len(found.incidents)}", _median(arm.detection_s),
        )
        for arm in found.arms
    ]  # fmt: skip
    caption = f"{found.supposes}. {several(found.calls, 'call')}, {count(found.missing)} of them missing."
    return Table(name, caption, _COLUMNS, rows, {arm.policy: arm.failures_avoided.value for arm in found.arms})


def _median(detection_s: Sequence[float | None]) -> str:
    known = [one for one in detection_s if one is not None]
    return duration(float(np.median(known))) if known else "never"


def _unit(span_s: float) -> tuple[float, str]:
    if span_s > 3 * 86_400:
        return 86_400.0, "days"
    if span_s > 3 * 3600:
        return 3600.0, "hours"
    return (60.0, "minutes") if span_s > 180 else (1.0, "seconds")
