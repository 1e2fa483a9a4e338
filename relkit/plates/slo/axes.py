"""The time axis of the plates about time, and how a week of minutes is drawn in a few hundred points."""

from collections.abc import Sequence
from datetime import UTC, datetime

import matplotlib.dates as mdates
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from relkit.plates.style import MUTED
from relkit.slo import Minutes
from relkit.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE

_MOST_POINTS = 336


def days_axis(ax: Axes, start_minute: int, end_minute: int) -> None:
    """Set a time axis in UTC with one label a day (or fewer), no two of which touch."""
    ax.set_xlim(day_of(start_minute), day_of(end_minute))
    days = day_of(end_minute) - day_of(start_minute)
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


def day_of(minute: int) -> float:
    """Return a unix minute in days, as the time axis counts."""
    return minute / MINUTES_PER_DAY


def at_text(minute: int) -> str:
    """Write a unix minute for a caption, in UTC.

    >>> at_text(29_923_200)
    'Mon 23 Nov 00:00'
    """
    return datetime.fromtimestamp(minute * SECONDS_PER_MINUTE, UTC).strftime("%a %d %b %H:%M")


def thinned(
    start_minute: int, series: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Keep the maximum of each stretch, so that a week draws in a few hundred points and no peak is lost."""
    step = column_minutes(len(series))
    parts = -(-len(series) // step)
    padded = np.full(parts * step, np.nan)
    padded[: len(series)] = series
    blocks = padded.reshape(parts, step)
    known = np.isfinite(blocks)
    peaks = np.where(known.any(axis=1), np.where(known, blocks, -np.inf).max(axis=1), np.nan)
    return (start_minute + np.arange(parts) * step + step / 2) / MINUTES_PER_DAY, peaks


def column_minutes(minutes: int) -> int:
    """Return how many minutes one column of a picture stands for."""
    return max(1, minutes // _MOST_POINTS)


def shaded(fired: Sequence[tuple[int, int]], minutes: Minutes) -> list[tuple[float, float]]:
    """Widen each stretch [start, end) to whole columns and join those that touch: a picture's size does not grow with them."""
    step = column_minutes(len(minutes))
    joined: list[list[int]] = []
    for start, end in fired:
        first, beyond = (start - minutes.start_minute) // step, -(-(end - minutes.start_minute) // step)
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], beyond)
        else:
            joined.append([first, beyond])
    return [
        (
            day_of(minutes.start_minute + first * step),
            day_of(min(minutes.start_minute + beyond * step, minutes.end_minute)),
        )
        for first, beyond in joined
    ]
