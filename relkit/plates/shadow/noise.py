"""The noise baseline: how often the primary differs from itself."""

from relkit.intervals import wilson
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import MUTED, SHADOW, figure
from relkit.shadow import excess_difference
from relkit.shadow.study import Study
from relkit.units import percent, points, several


def baseline_plate(study: Study | None, level: float = 0.95, *, name: str = "baseline") -> Plate:
    """Draw how often the primary differs from itself beside how often the shadow differs from it."""
    excess = excess_difference(study.experiment.baseline if study else None, level)
    if excess is None:
        return empty_plate(
            name, "No baseline was run (the primary against itself), so differing answers cannot be told from noise."
        )
    fig, ax = figure(height_in=1.5)
    for y, (share, colour) in enumerate(((excess.shadow_share, SHADOW), (excess.baseline_share, MUTED))):
        low, high = (100 * end for end in wilson(round(share * excess.n), excess.n, level))
        ax.plot([low, high], [y, y], color=colour, lw=2.2, solid_capstyle="butt")
        ax.plot([100 * share], [y], "o", color=colour, ms=6)
        ax.annotate(
            percent(share, 1),
            (100 * share, y),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
            color=colour,
        )
    ax.set_yticks([0, 1], ["shadow against primary", "primary against itself"])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.5, 1.6)
    ax.set_xlim(0, 118 * max(excess.shadow_share, excess.baseline_share, 0.01))
    ax.set_xlabel("answers that differ (%)")
    caption = (
        f"The shadow differs from the primary in {percent(excess.shadow_share, 1)} of {several(excess.n, 'request')}, the primary from itself in "
        f"{percent(excess.baseline_share, 1)}: {points(excess.delta, 1)} beyond the noise "
        f"(interval {points(excess.interval.low, 1)} to {points(excess.interval.high, 1)})."
    )
    values = {
        "shadow_share": excess.shadow_share,
        "baseline_share": excess.baseline_share,
        "delta": excess.delta,
        "low": excess.interval.low,
        "high": excess.interval.high,
    }
    return plate(
        name,
        fig,
        caption=caption,
        alt="Share of answers that differ, shadow and baseline, with intervals",
        values=values,
    )
