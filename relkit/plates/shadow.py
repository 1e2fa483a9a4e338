"""Pictures and tables of the shadow page: the 2x2 table, the difference by each method, the funnel, the plan's test."""

from typing import Any, Final

from relkit.intervals import wilson
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import BAD, GOOD, MUTED, SHADOW, figure
from relkit.plates.table import Table
from relkit.shadow import Experiment, PairCounts, PlanZ, excess_difference, mcnemar, plan_z, session_t, tango
from relkit.units import count, percent, points, several, signed
from relkit.verdict import Verdict

_NO_PAIRS: Final = "No pairs were compared."


def pairs_2x2_table(found: Experiment | None) -> Table:
    """Show how often both, one or neither answered right."""
    if found is None:
        return Table("pairs_2x2", _NO_PAIRS, ("pairs",), (("0",),), {})
    counts, primary, shadow = found.counts, found.primary_variant, found.shadow_variant
    n = counts.n

    def cell(number: int) -> str:
        return f"{count(number)} ({percent(number / n, 1)})" if n else "0"

    rows = (
        (f"primary ({primary}) right", cell(counts.both), cell(counts.only_primary)),
        (f"primary ({primary}) wrong", cell(counts.only_shadow), cell(counts.neither)),
    )
    caption = (
        f"{several(counts.n, 'pair')}: both agree in {percent((counts.both + counts.neither) / n, 1)}; where they differ, the primary alone is right "
        f"{several(counts.only_primary, 'time')}, the shadow alone {several(counts.only_shadow, 'time')}."
        if n
        else "No pair."
    )
    return Table(
        "pairs_2x2", caption, ("pairs", f"shadow ({shadow}) right", "shadow wrong"), rows,
        {"both": counts.both, "only_primary": counts.only_primary, "only_shadow": counts.only_shadow, "neither": counts.neither},
    )  # fmt: skip


def experiment_plate(found: Experiment | None, verdict: Verdict, margin: float, *, name: str = "difference") -> Plate:
    """Draw the difference shadow minus primary with its interval, by session and by pair, against the margin."""
    if found is None:
        return empty_plate(name, _NO_PAIRS)
    counts, sums, level = found.counts, found.sums, verdict.level or 0.95
    lines: list[tuple[str, float, float, float, str]] = []
    if sums is not None:
        by_session = session_t(sums, counts, level)
        if by_session.delta is not None:
            lines.append(("by session (the verdict)", by_session.delta, by_session.low, by_session.high, SHADOW))
    if counts.delta is not None:
        interval = tango(counts, level)
        lines.append(
            (
                "by pair, if sessions are ignored" if lines else "by pair (the verdict)",
                counts.delta,
                interval.low,
                interval.high,
                MUTED if lines else SHADOW,
            )
        )
    fig, ax = figure(height_in=1.15 + 0.35 * max(1, len(lines)))
    if not lines:
        ax.set_axis_off()
        return plate(name, fig, caption=verdict.sentence, alt="No pair to draw", values={})
    left = 100 * min(-margin, *(low for _, _, low, _, _ in lines))
    right = 100 * max(0.0, *(high for _, _, _, high, _ in lines))
    air = 0.18 * (right - left)
    left, right = left - air, right + air
    ax.axvspan(left, -100 * margin, color=BAD, alpha=0.10, lw=0)
    ax.axvspan(-100 * margin, right, color=GOOD, alpha=0.07, lw=0)
    ax.axvline(0, color=MUTED, lw=0.8)
    ax.axvline(-100 * margin, color=BAD, lw=0.9, ls=(0, (4, 3)))
    for place, (label, delta, low, high, colour) in enumerate(lines):
        y = len(lines) - 1 - place
        ax.plot([100 * low, 100 * high], [y, y], color=colour, lw=2.2, solid_capstyle="butt")
        ax.plot([100 * delta], [y], "o", color=colour, ms=6)
        ax.annotate(
            f"{label}: {points(delta)}",
            (100 * low, y),
            xytext=(0, 8),
            textcoords="offset points",
            ha="left",
            fontsize=8.5,
            color=colour,
        )
    top = len(lines) - 0.15
    ax.set_ylim(-0.5, top + 0.45)
    ax.set_xlim(left, right)
    ax.text(-100 * margin, top + 0.12, f"margin −{100 * margin:g} pt ", color=BAD, fontsize=8.5, ha="right")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("shadow minus primary, share of right answers (points)")
    ax.xaxis.set_major_formatter(lambda value, _: signed(value, 1).removesuffix(".0"))
    values: dict[str, Any] = {"margin": margin}
    for (_, delta, low, high, _), key in zip(lines, ("verdict", "ignored"), strict=False):
        values |= {f"{key}_delta": delta, f"{key}_low": low, f"{key}_high": high}
    return plate(
        name,
        fig,
        caption=verdict.sentence,
        alt="Difference of shadow and primary with its interval beside the margin",
        values=values,
    )


def methods_table(found: Experiment | None, level: float = 0.95) -> Table:
    """Show the same question by each method, the default first; the plan's z-test last, marked as no answer."""
    if found is None:
        return Table("methods", _NO_PAIRS, ("method",), (("none",),), {})
    counts, sums = found.counts, found.sums
    rows: list[tuple[str, str, str, str, str]] = []
    values: dict[str, Any] = {}
    if sums is not None:
        t = session_t(sums, counts, level)
        if t.delta is not None:
            rows.append(
                (
                    "session-level t (CR1), our default",
                    points(t.delta),
                    f"{points(t.low)} to {points(t.high)}",
                    _p(t.p),
                    several(t.sessions, "session")
                    + (f", design effect {t.design_effect:.2f}" if t.design_effect is not None else ""),
                )
            )
            values |= {
                "session_p": t.p,
                "session_low": t.low,
                "session_high": t.high,
                "design_effect": t.design_effect,
                "sessions": t.sessions,
            }
    test, interval = mcnemar(counts), tango(counts, level)
    delta = "unknown" if counts.delta is None else points(counts.delta)
    between = f"{points(interval.low)} to {points(interval.high)}"
    ignored = "if sessions are ignored" if sums is not None else "the log names no sessions"
    rows.append(("McNemar mid-p, Tango interval", delta, between, _p(test.p_mid), ignored))
    rows.append(("McNemar exact", delta, "", _p(test.p_exact), ignored))
    old = plan_z(counts)
    rows.append(
        (
            "the plan's z-test (no answer)",
            delta,
            "none given",
            "unknown" if old.p_value is None else _p(old.p_value),
            f"“winner {old.winner}, confidence {old.confidence:.3g}”" if old.confidence is not None else old.note,
        )
    )
    values |= {
        "mid_p": test.p_mid,
        "exact_p": test.p_exact,
        "z": test.z,
        "pair_low": interval.low,
        "pair_high": interval.high,
    }
    caption = "The plan's test answers another question (is the shadow better, pairs taken as independent samples)."
    if "session_p" in values:
        ratio = (values["session_high"] - values["session_low"]) / max(interval.high - interval.low, 1e-12)
        caption = f"The session interval is {ratio:.2f} times as wide as the one that ignores sessions. {caption}"
    return Table(
        "methods", caption, ("method", "difference", f"{100 * level:g} % interval", "p", "remark"), rows, values
    )


def plan_test_table(found: Experiment | None) -> Table:
    """Show all eight fields of the plan's test, literally."""
    counts = found.counts if found else PairCounts(0, 0, 0, 0)
    old: PlanZ = plan_z(counts)
    test = mcnemar(counts)
    shown = (
        ("primarySuccessRate", _share(old.primary_success_rate), "share of right answers"),
        ("shadowSuccessRate", _share(old.shadow_success_rate), "share of right answers"),
        (
            "improvement",
            "NaN" if old.improvement is None else f"{signed(old.improvement)} %",
            f"a percent of a percent; the difference is {'unknown' if counts.delta is None else points(counts.delta)}",
        ),
        (
            "zScore",
            "NaN" if old.z_score is None else signed(old.z_score, 5),
            f"unpaired; McNemar's z is {signed(test.z, 3)}",
        ),
        (
            "pValue",
            "NaN" if old.p_value is None else f"{old.p_value:.5f}",
            f"one-sided, never below 0.5 when the shadow is worse; mid-p is {_p(test.p_mid)}",
        ),
        (
            "statisticallySignificant",
            "true" if old.statistically_significant else "false",
            "can say yes only when the shadow is better",
        ),
        ("winner", old.winner, "named whatever the p-value is"),
        ("confidence", "NaN" if old.confidence is None else f"{old.confidence:.3g}", "1 − p is no confidence"),
    )
    caption = (
        f"The plan's test would print: winner {old.winner}, significant {'yes' if old.statistically_significant else 'no'}."
        + (f" {old.note}." if old.note else "")
    )
    return Table(
        "plan_test",
        caption,
        ("field of the plan", "value", "what is wrong with it"),
        shown,
        {"z_score": old.z_score, "p_value": old.p_value, "confidence": old.confidence},
    )


def funnel_table(found: Experiment | None) -> Table:
    """Show how many requests became pairs, and which answers are missing."""
    if found is None:
        return Table("funnel", _NO_PAIRS, ("step",), (("none",),), {})
    steps = {
        "eligible": found.eligible,
        "mirrored": found.mirrored,
        "answered": found.answered,
        "compared": found.compared,
    }
    rows, before = [], 0
    for name, number in steps.items():
        rows.append((name, count(number), percent(number / before, 1) if before else ""))
        before = number
    missing = {
        "no answer of the shadow": found.missing.shadow,
        "no answer of the primary": found.missing.primary,
        "pair ids that came twice": found.duplicates,
    }
    rows += [(name, count(number), "") for name, number in missing.items()]
    share = f" ({percent(found.compared / found.eligible, 1)})" if found.eligible else ""
    caption = (
        f"{count(found.compared)} of {count(found.eligible)} eligible requests were compared{share}; "
        "an answer that is missing counts as a failure of its arm."
    )
    return Table("funnel", caption, ("step", "rows", "of the step before"), rows, {**steps, **missing})


def baseline_plate(found: Experiment | None, level: float = 0.95, *, name: str = "baseline") -> Plate:
    """Draw how often the primary differs from itself beside how often the shadow differs from it."""
    excess = excess_difference(found.baseline if found else None, level)
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


def _share(value: float | None) -> str:
    return "NaN" if value is None else percent(value)


def _p(value: float) -> str:
    """Write a p-value: three figures, and a bound where more would be noise.

    >>> _p(0.0114), _p(1e-9)
    ('0.0114', '< 0.0001')
    """
    return "< 0.0001" if value < 0.0001 else "> 0.9999" if value > 0.9999 else f"{value:.3g}"
