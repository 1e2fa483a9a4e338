"""How every picture looks: one palette that colour-blind readers can tell apart, and the same colour for the same thing."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

import matplotlib as mpl
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

# Okabe and Ito's palette.
INK: Final = "#222222"
MUTED: Final = "#767676"
GRID: Final = "#e3e3e3"
GOOD: Final = "#0072b2"
BAD: Final = "#b34700"  # darker than theirs: words are written in it
WARN: Final = "#e69f00"
SHADOW: Final = "#7b3294"
UNKNOWN: Final = "#999999"
SERIES: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_WORDS: Final = dict(zip(SERIES, ("#0072b2", "#b34700", "#00795a", "#a04f7d", "#8a5f00", "#1a74a8"), strict=True))

RC: Final[dict[str, Any]] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a name of somebody's log is a dollar
    "path.simplify": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.4,
    "figure.facecolor": "white",
}


def rc_context(settings: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Set matplotlib's settings for a moment, whatever the reader's own are; the backend is left alone."""
    merged: Any = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")}
    merged.update(settings)
    return mpl.rc_context(merged)


def figure(
    width_in: float = 7.2, height_in: float = 2.8, rows: int = 1, columns: int = 1, **layout: Any
) -> tuple[Figure, Any]:
    """Make a figure without pyplot, so that nothing is drawn twice and no state stays behind."""
    with rc_context(RC):
        fig = Figure(figsize=(width_in, height_in), layout="constrained")
        axes = fig.subplots(rows, columns, **layout)
    return fig, axes


def bars(
    ax: Axes,
    x: npt.NDArray[Any],
    bottom: npt.NDArray[Any],
    heights: npt.NDArray[Any],
    width: float,
    colour: str,
    label: str = "",
) -> None:
    """Draw many thin bars as one shape: a week of hours as single bars would fill the file with markup."""
    corners, codes = [], []
    for left, low, height in zip(x, bottom, heights, strict=True):
        if height > 0:
            right, high = left + width, low + height
            corners += [(left, low), (left, high), (right, high), (right, low), (left, low)]
            codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    if corners:
        ax.add_patch(PathPatch(Path(corners, codes), facecolor=colour, lw=0, label=label))


def whole_numbers(axis: Axis) -> None:
    """Put ticks at whole numbers alone: half a request is none."""
    axis.set_major_locator(MaxNLocator(nbins="auto", steps=[1, 2, 2.5, 5, 10], integer=True, min_n_ticks=1))


def spans(ax: Axes, stretches: Iterable[tuple[float, float]], colour: str, alpha: float = 1.0) -> None:
    """Shade stretches of the x axis over its whole height, as one shape: a bad week has hundreds of them."""
    corners, codes = [], []
    for left, right in stretches:
        corners += [(left, 0.0), (left, 1.0), (right, 1.0), (right, 0.0), (left, 0.0)]
        codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    if corners:
        shape = PathPatch(Path(corners, codes), facecolor=colour, alpha=alpha, lw=0, transform=ax.get_xaxis_transform())
        shape.set_clip_path(ax.patch)
        ax.add_artist(shape)  # not add_patch: heights are shares of the axis here and must not stretch its limits


def in_words(colour: str) -> str:
    """Return the darker shade of a line's colour that words can be read in (4.5 to 1 against white).

    >>> in_words("#009e73"), in_words("#222222")
    ('#00795a', '#222222')
    """
    return _WORDS.get(colour, colour)


def direct_labels(ax: Axes, labels: Iterable[tuple[float, float, str, str]]) -> None:
    """Write texts (x, y, text, colour) at the end of lines instead of a legend."""
    for x, y, text, colour in labels:
        ax.annotate(
            text,
            (x, y),
            xytext=(4, 0),
            textcoords="offset points",
            color=in_words(colour),
            va="center",
            fontsize=8.5,
            annotation_clip=False,
        )


def apart(labels: Iterable[tuple[float, float, str, str]]) -> list[tuple[float, float, str, str]]:
    """Move labels on a logarithmic axis apart, so that none covers another."""
    moved: list[tuple[float, float, str, str]] = []
    for x, y, label, colour in sorted(labels, key=lambda end: (end[1], end[2])):
        least = moved[-1][1] * 2.1 if moved else 0.0
        moved.append((x, max(y, least), label, colour))
    return moved
