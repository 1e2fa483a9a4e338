"""Latency of the two arms: shifts quantile by quantile, the typical ratio, timeouts apart."""

import numpy as np

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.shadow.words import NO_PAIRS, p_text
from relkit.plates.style import MUTED, SHADOW, figure
from relkit.plates.table import Table
from relkit.shadow import mcnemar, tango
from relkit.shadow.decide import Rules
from relkit.shadow.latency import LatencyBins, LatencyRatios, hodges_lehmann, quantile_differences, signed_rank
from relkit.shadow.study import Binned, Ints, Study
from relkit.units import count, duration, percent, points, several, signed

_NO_TIMES = "No pair has a latency on both sides."
_DECILES = tuple(place / 10 for place in range(1, 10))


def shift_plate(study: Study | None, rules: Rules, seed: int, *, name: str = "latency_shift") -> Plate:
    """Draw how much slower the shadow is at each decile, with intervals that keep sessions together."""
    if study is None or study.log_ratios.n == 0:
        return empty_plate(name, NO_PAIRS if study is None else _NO_TIMES)
    found = quantile_differences(_bins(study), _DECILES, rules.level, seed=seed)
    known = [one for one in found if one.delta_us is not None and one.low_us is not None and one.high_us is not None]
    if not known:
        return empty_plate(name, found[0].why_not or _NO_TIMES)
    fig, ax = figure(height_in=2.6)
    x = [100 * one.quantile for one in known]
    ax.axhline(0, color=MUTED, lw=0.8)
    for one in known:
        ax.plot([100 * one.quantile] * 2, [one.low_us / 1e3, one.high_us / 1e3], color=SHADOW, lw=1.6)
    ax.plot(x, [one.delta_us / 1e3 for one in known], "o-", color=SHADOW, ms=4, lw=0.8)
    ax.set_xlabel("quantile (%)")
    ax.set_ylabel("shadow − primary (ms)")
    middle = min(known, key=lambda one: abs(one.quantile - 0.5))
    last = known[-1]
    caption = (
        f"At the median the shadow is {_ms(middle.delta_us)} than the primary ({_span(middle)}), "
        f"at the {100 * last.quantile:.0f} % quantile {_ms(last.delta_us)} ({_span(last)}); timeouts are failures and not in here."
    )
    values = {f"shift_{100 * one.quantile:.0f}_us": one.delta_us for one in known}
    return plate(name, fig, caption=caption, alt="Difference of the arms' quantiles with intervals", values=values)


def latency_table(study: Study | None, rules: Rules, seed: int, *, name: str = "latency") -> Table:
    """Show the typical ratio with its interval, three quantiles of both arms, and timeouts as their own test."""
    if study is None or study.log_ratios.n == 0:
        return Table(name, NO_PAIRS if study is None else _NO_TIMES, ("measure",), (("none",),), {})
    ratios = _ratios(study)
    typical, rank = hodges_lehmann(ratios, rules.level), signed_rank(ratios)
    rows: list[tuple[str, str, str, str]] = []
    if typical.ratio is not None and typical.low is not None and typical.high is not None:
        between = f"{percent_of(typical.low)} to {percent_of(typical.high)}"
        rows.append(("typical ratio shadow / primary (Hodges-Lehmann)", percent_of(typical.ratio), between, p_text(rank.p)))
    values = {
        "ratio": typical.ratio, "ratio_low": typical.low, "ratio_high": typical.high, "signed_rank_p": rank.p,
        "signed_rank_z": rank.z, "pairs": study.log_ratios.n,
    }  # fmt: skip
    for one in quantile_differences(_bins(study), (0.5, 0.95, 0.99), rules.level, seed=seed):
        label = f"p{100 * one.quantile:.0f}"
        if one.delta_us is None or one.low_us is None or one.high_us is None or one.primary_us is None or one.shadow_us is None:
            rows.append((label, "unknown", one.why_not, ""))
            continue
        arms = f"{duration(one.primary_us / 1e6)} and {duration(one.shadow_us / 1e6)}"
        rows.append((f"{label}, primary and shadow: {arms}", f"{signed(one.delta_us / 1e3, 0)} ms", _span(one), ""))
        values |= {f"{label}_delta_us": one.delta_us, f"{label}_low_us": one.low_us, f"{label}_high_us": one.high_us}
    late = study.timeouts.counts
    between_answers = tango(late, rules.level)
    rows.append(
        (
            f"answered at all: only primary {count(late.only_primary)}, only shadow {count(late.only_shadow)}",
            "unknown" if late.delta is None else points(late.delta),
            f"{points(between_answers.low)} to {points(between_answers.high)}",
            p_text(mcnemar(late).p_mid),
        )
    )
    mean = study.buckets["excess_us"].sum() / max(1, study.buckets["timed"].sum())
    rows.append(("mean of the differences (no test: a few slow answers make it)", f"{signed(mean / 1e3, 0)} ms", "", ""))
    values |= {"mean_excess_us": float(mean), "only_primary_answered": late.only_primary, "only_shadow_answered": late.only_shadow}
    caption = (
        f"{several(study.log_ratios.n, 'pair')} with both answers: "
        + (f"the shadow takes typically {percent_of(typical.ratio)} of the primary's time." if typical.ratio else typical.why_not)
    )
    columns = ("measure", "difference", f"{100 * rules.level:g} % interval", "p")
    return Table(name, caption, columns, rows, values)


def percent_of(ratio: float) -> str:
    """Write a ratio as percent.

    >>> percent_of(1.118)
    '111.8 %'
    """
    return percent(ratio, 1)


def _ratios(study: Study) -> LatencyRatios:
    return LatencyRatios(study.log_ratios.places, _used(study.log_ratios), study.log_ratios.per_doubling)


def _bins(study: Study) -> LatencyBins:
    """Both arms on one scale of bins."""
    primary, shadow = study.primary_us, study.shadow_us
    first = min(primary.first, shadow.first)
    last = max(primary.first + primary.times.shape[1], shadow.first + shadow.times.shape[1])
    both = []
    for arm in (primary, shadow):
        laid = np.zeros((arm.times.shape[0], last - first), dtype=np.int64)
        laid[:, arm.first - first : arm.first - first + arm.times.shape[1]] = arm.times
        both.append(laid)
    used = (both[0].sum(axis=1) + both[1].sum(axis=1)) > 0
    return LatencyBins(np.arange(first, last), both[0][used], both[1][used], primary.per_doubling)


def _used(binned: Binned) -> Ints:
    """Buckets that hold anything: the others are no groups of sessions."""
    used: Ints = binned.times[binned.times.sum(axis=1) > 0]
    return used


def _ms(delta_us: float | None) -> str:
    if delta_us is None:
        return "unknown"
    return f"{abs(delta_us) / 1e3:.0f} ms {'slower' if delta_us >= 0 else 'faster'}"


def _span(one: object) -> str:
    low, high = getattr(one, "low_us", None), getattr(one, "high_us", None)
    if low is None or high is None:
        return "unknown"
    return f"{signed(low / 1e3, 0)} to {signed(high / 1e3, 0)} ms"
