"""Latency of the two arms: shifts quantile by quantile, the typical ratio, timeouts apart."""

from typing import Any

import numpy as np

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.shadow.words import NO_PAIRS, p_text
from relkit.plates.style import MUTED, SHADOW, figure
from relkit.plates.table import Table
from relkit.shadow import Differences, mcnemar, signed_rank, tango, typical_ratio
from relkit.shadow.decide import Rules
from relkit.shadow.guardrails import guardrails
from relkit.shadow.shifts import Shift, quantile_shifts
from relkit.shadow.study import Study
from relkit.units import count, duration, percent, points, several, signed

_NO_TIMES = "No pair has a latency on both sides."
_DECILES = tuple(place / 10 for place in range(1, 10))


def shift_plate(study: Study | None, rules: Rules, *, name: str = "latency_shift") -> Plate:
    """Draw how much slower the shadow is at each decile, with intervals that keep sessions together."""
    if study is None or study.log_ratios.n == 0:
        return empty_plate(name, NO_PAIRS if study is None else _NO_TIMES)
    found = quantile_shifts(study.primary_us, study.shadow_us, _DECILES, rules.level)
    fig, ax = figure(height_in=2.6)
    ax.axhline(0, color=MUTED, lw=0.8)
    known = [one for one in found if one.low_us is not None and one.high_us is not None]
    ends = [np.nan if end is None else end / 1e3 for one in known for end in (one.low_us, one.high_us, None)]
    ax.plot([100 * one.quantile for one in known for _ in range(3)], ends, color=SHADOW, lw=1.6)
    middles = [one.delta_us / 1e3 for one in found]
    ax.plot([100 * one.quantile for one in found], middles, "o-", color=SHADOW, ms=4, lw=0.8)
    ax.set_xlabel("quantile (%)")
    ax.set_ylabel("shadow − primary (ms)")
    middle, last = found[len(found) // 2], found[-1]
    caption = (
        f"At the median the shadow is {_slower(middle.delta_us)} than the primary ({_span(middle)}), "
        f"at the {100 * last.quantile:.0f} % quantile {_slower(last.delta_us)} ({_span(last)}); timeouts are failures and not in here."
    )
    values = {f"shift_{100 * one.quantile:.0f}_us": one.delta_us for one in found}
    return plate(name, fig, caption=caption, alt="Difference of the arms' quantiles with intervals", values=values)


def latency_table(study: Study | None, rules: Rules, *, name: str = "latency") -> Table:
    """Show the typical ratio with its interval, three quantiles of both arms, and timeouts as their own test."""
    if study is None or study.log_ratios.n == 0:
        return Table(name, NO_PAIRS if study is None else _NO_TIMES, ("measure",), (("none",),), {})
    rows: list[tuple[str, str, str, str]] = []
    values: dict[str, Any] = {"pairs": study.log_ratios.n}
    rail = next(one for one in guardrails(study, rules.margins, rules.level, anytime=False) if one.name == "latency")
    said = f"how much slower it typically is takes two sessions to say ({rail.why_not})"
    if rail.value is not None and rail.low is not None and rail.high is not None:
        said = f"the shadow takes typically {percent(1 + rail.value, 1)} of the primary's time"
        between = f"{percent(1 + rail.low, 1)} to {percent(1 + rail.high, 1)}"
        rows.append(
            ("typical ratio shadow / primary (geometric mean, by session)", percent(1 + rail.value, 1), between, "")
        )
        values |= {"ratio": 1 + rail.value, "ratio_low": 1 + rail.low, "ratio_high": 1 + rail.high}
    typical, ranks = typical_ratio(study.log_ratios, rules.level), signed_rank(Differences.binned(study.log_ratios))
    if typical.value is not None:
        between = "too few for an interval"
        if typical.low is not None and typical.high is not None:
            between = f"{percent(typical.low, 1)} to {percent(typical.high, 1)}"
        p = "" if ranks.p is None else p_text(ranks.p)
        rows.append(("middle ratio (Hodges-Lehmann; signed ranks, by session)", percent(typical.value, 1), between, p))
        values |= {"typical_ratio": typical.value, "typical_low": typical.low, "typical_high": typical.high}
        values["signed_rank_p"] = ranks.p
    for one in quantile_shifts(study.primary_us, study.shadow_us, (0.5, 0.95, 0.99), rules.level):
        label = f"p{100 * one.quantile:.0f}"
        arms = f"{duration(one.primary_us / 1e6)} and {duration(one.shadow_us / 1e6)}"
        rows.append((f"{label}, primary and shadow: {arms}", f"{signed(one.delta_us / 1e3, 0)} ms", _span(one), ""))
        values |= {f"{label}_delta_us": one.delta_us, f"{label}_low_us": one.low_us, f"{label}_high_us": one.high_us}
    late = study.timeouts.counts
    answered = tango(late, rules.level)
    rows.append(
        (
            f"answered at all: only primary {count(late.only_primary)}, only shadow {count(late.only_shadow)}",
            "unknown" if late.delta is None else points(late.delta),
            f"{points(answered.low)} to {points(answered.high)}",
            p_text(mcnemar(late).p_mid),
        )
    )
    mean = float(study.buckets["excess_us"].sum() / max(1, study.buckets["timed"].sum()))
    rows.append(
        ("mean of the differences (no test: a few slow answers make it)", f"{signed(mean / 1e3, 0)} ms", "", "")
    )
    values |= {
        "mean_excess_us": mean,
        "only_primary_answered": late.only_primary,
        "only_shadow_answered": late.only_shadow,
    }
    caption = f"{several(study.log_ratios.n, 'pair')} with both answers: {said}."
    return Table(name, caption, ("measure", "difference", f"{100 * rules.level:g} % interval", "p"), rows, values)


def _slower(delta_us: float) -> str:
    return f"{abs(delta_us) / 1e3:.0f} ms {'slower' if delta_us >= 0 else 'faster'}"


def _span(one: Shift) -> str:
    if one.low_us is None or one.high_us is None:
        return "too few for an interval"
    return f"{signed(one.low_us / 1e3, 0)} to {signed(one.high_us / 1e3, 0)} ms"
