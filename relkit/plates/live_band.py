"""Live runs beside the simulator's band: the thresholds that were chosen, in service and as promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from relkit.exceptions import ParameterError
from relkit.plates.plate import Plate, plate
from relkit.plates.style import GOOD, GRID, MUTED, SERIES, figure, in_words

_LIVE: Final = SERIES[1]
_WORDS: Final = {
    "outage": "port refused",
    "brownout": "a third fails, the rest is slower",
    "rate_limited": "60 % told 429",
}


@dataclass(frozen=True, slots=True)
class Band:
    """One figure of one fault script: what the simulator says over many seeds, and what live runs gave.

    Parameters
    ----------
    script : str
        Name of the script.
    measure : str
        What was measured, with its unit.
    simulated : tuple of float
        A value a seed.
    live : tuple of float
        A value a live run.
    level : float
        Share of the seeds that the band holds, in (0, 1).

    Raises
    ------
    ParameterError
        Without seeds or live runs, or for a level beyond its range.

    Examples
    --------
    >>> band = Band("outage", "s to open", tuple(range(101)), (50.0, 120.0))
    >>> (band.low, band.high), band.inside
    ((2.5, 97.5), 1)
    """

    script: str
    measure: str
    simulated: tuple[float, ...]
    live: tuple[float, ...]
    level: float = 0.95

    def __post_init__(self) -> None:
        for name in ("simulated", "live"):
            if not getattr(self, name):
                raise ParameterError.of(name, (), "at least one value", "run it first")
        if not 0.0 < self.level < 1.0:
            raise ParameterError.of("level", self.level, "0 < level < 1", "pass a share such as 0.95")

    def quantile(self, level: float) -> float:
        """Return a quantile of the simulated values."""
        return float(np.quantile(np.array(self.simulated), level))

    @property
    def low(self) -> float:
        """Lower end of the band."""
        return self.quantile(round((1.0 - self.level) / 2.0, 12))

    @property
    def high(self) -> float:
        """Upper end of the band."""
        return self.quantile(round((1.0 + self.level) / 2.0, 12))

    @property
    def inside(self) -> int:
        """Live runs within the band."""
        return sum(self.low <= value <= self.high for value in self.live)


def live_band(bands: Sequence[Band], name: str = "live_band") -> Plate:
    """Draw every band with its live runs: a row a script, a column a measure.

    Parameters
    ----------
    bands : sequence of Band
        Every script with the same measures.
    name : str
        Name of the plate.

    Returns
    -------
    Plate
        Its caption says how many live figures lie within.

    Examples
    --------
    >>> live_band([Band("outage", "s to open", (0.1, 0.2, 0.3), (0.2, 0.25))]).caption[:70]
    '2 of 2 figures of live runs lie within the band of 95 % of 3 simulated'
    """
    scripts = list(dict.fromkeys(band.script for band in bands))
    measures = list(dict.fromkeys(band.measure for band in bands))
    drawn, axes = figure(7.2, 0.6 + 0.75 * len(scripts), len(scripts), len(measures), squeeze=False)
    for band in bands:
        ax = axes[scripts.index(band.script), measures.index(band.measure)]
        _draw(ax, band)
        if band.script == scripts[0]:
            ax.set_title(band.measure, pad=16.0, loc="left", fontsize=9.0)
            if band.measure == measures[0]:
                _explain(ax, band)
        if band.measure == measures[0]:
            words = _WORDS.get(band.script, band.script)
            ax.set_ylabel(words.replace(", ", ",\n"), rotation=0, ha="right", va="center", labelpad=8.0)
    inside, runs = sum(band.inside for band in bands), sum(len(band.live) for band in bands)
    first = bands[0]
    caption = (
        f"{inside} of {runs} figures of live runs lie within the band of {first.level:.0%} of {len(first.simulated)} "
        f"simulated runs of the same policy and script; {runs * (1.0 - first.level):.1f} outside are expected of "
        "a simulator that is right."
    ).replace("95%", "95 %")
    alt = f"Simulated bands and live runs of {', '.join(scripts)}: {', '.join(measures)}."
    values = {"inside": inside, "figures": runs} | {
        f"{band.script}, {band.measure}, {word}": number
        for band in bands
        for word, number in (("low", band.low), ("high", band.high))
    }
    return plate(name, drawn, caption=caption, alt=alt, values=values)


def _draw(ax: Axes, band: Band) -> None:
    ax.barh(0.0, band.high - band.low, left=band.low, height=0.5, color=GRID)
    ax.plot([band.quantile(0.5)] * 2, [-0.25, 0.25], color=GOOD, lw=2.0, solid_capstyle="butt")
    ax.plot(band.live, np.zeros(len(band.live)), "o", color=_LIVE, ms=5.0, mec="white", mew=0.8, clip_on=False)
    top = max(band.high, *band.live) * 1.06
    ax.set(xlim=(0.0, top), ylim=(-0.5, 0.5), yticks=[])
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.spines["left"].set_visible(False)


def _explain(ax: Axes, band: Band) -> None:
    """Name the marks beside the first of them, instead of a legend."""
    for x, text, colour in (
        (band.low + 0.3 * (band.quantile(0.5) - band.low), f"{band.level:.0%} simulated".replace("%", " %"), MUTED),
        (band.quantile(0.5), "median", GOOD),
        (max(band.live), "live", _LIVE),
    ):
        ax.annotate(
            text, (x, 0.3), color=in_words(colour), fontsize=8.5, va="bottom",
            ha="right" if colour == MUTED else "center", annotation_clip=False,
        )  # fmt: skip
