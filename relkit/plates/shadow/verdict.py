"""The verdict of a shadow experiment: the difference with its interval, the table, each method, the plan's test."""

from typing import Any

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.shadow.words import NO_PAIRS, p_text
from relkit.plates.style import BAD, GOOD, INK, MUTED, SHADOW, UNKNOWN, figure
from relkit.plates.table import Table
from relkit.shadow import PairCounts, PlanZ, mcnemar, session_t, tango
from relkit.shadow.paired import discordant_odds_ratio, newcombe
from relkit.shadow.plan_z import plan_z
from relkit.shadow.sessions import obuchowski, session_sign_test, sign_flip
from relkit.shadow.study import Study
from relkit.units import count, percent, points, several, signed
from relkit.verdict import Verdict


def experiment_plate(study: Study | None, verdict: Verdict, margin: float, *, name: str = "difference") -> Plate:
    """Draw the difference shadow minus primary with its interval, by session and by pair, against the margin."""
    if study is None:
        return empty_plate(name, NO_PAIRS)
    found = study.experiment
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


def pairs_2x2_plate(study: Study | None, *, name: str = "pairs_2x2") -> Plate:
    """Draw how often both, one or neither answered right, each as an area."""
    if study is None or study.experiment.counts.n == 0:
        return empty_plate(name, NO_PAIRS)
    found, counts = study.experiment, study.experiment.counts
    n, right = counts.n, counts.both + counts.only_primary
    fig, ax = figure(height_in=2.5)
    left = right / n
    for x, width, upper, lower in (
        (0.0, left, counts.only_primary, counts.both),
        (left, 1 - left, counts.only_shadow, counts.neither),
    ):
        if width == 0:
            continue
        share = lower / (upper + lower)
        colours = (GOOD, BAD) if x == 0 and upper == counts.only_primary else (UNKNOWN, SHADOW)
        ax.add_patch(_rectangle(x, 0, width, share, colours[0], 0.30))
        ax.add_patch(_rectangle(x, share, width, 1 - share, colours[1], 0.75))
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xticks([0, left, 1], ["0", percent(left, 1), "100 %"])
    ax.set_yticks([])
    ax.set_xlabel(f"share of requests; left of {percent(left, 1)} the primary ({found.primary_variant}) was right")
    ax.text(left / 2, 0.45, f"both right\n{count(counts.both)}", ha="center", va="center", fontsize=9, color=INK)
    labels = (
        ("only the primary", counts.only_primary, BAD), ("only the shadow", counts.only_shadow, SHADOW),
        ("neither", counts.neither, MUTED),
    )  # fmt: skip
    for place, (text, number, colour) in enumerate(labels):
        ax.text(1.02, 0.8 - 0.28 * place, f"{text}: {count(number)}", color=colour, fontsize=9, clip_on=False)
    odds = discordant_odds_ratio(counts)
    high = "no upper limit" if odds.high is None else f"{odds.high:.3g}"
    ratio = (
        f" The shadow wins {odds.value:.3g} disagreements for each it loses ({odds.low:.3g} to {high})."
        if odds.value
        else ""
    )
    caption = (
        f"{several(n, 'pair')}: both agree in {percent((counts.both + counts.neither) / n, 1)}; where they differ, the primary alone is right "
        f"{several(counts.only_primary, 'time')}, the shadow ({found.shadow_variant}) alone {several(counts.only_shadow, 'time')}.{ratio}"
    )
    values = {
        "both": counts.both, "only_primary": counts.only_primary, "only_shadow": counts.only_shadow, "neither": counts.neither,
        "odds_ratio": odds.value, "odds_low": odds.low, "odds_high": odds.high,
    }  # fmt: skip
    return plate(name, fig, caption=caption, alt="Areas: both right, one right, neither right", values=values)


def _rectangle(x: float, y: float, width: float, height: float, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle  # noqa: PLC0415  one shape of one plate

    return Rectangle((x, y), width, height, facecolor=colour, alpha=alpha, lw=1, edgecolor="white")


def methods_table(study: Study | None, level: float = 0.95) -> Table:
    """Show the same question by each method, the default first; the plan's z-test last, marked as no answer."""
    if study is None or study.experiment.counts.n == 0:
        return Table("methods", NO_PAIRS, ("method",), (("none",),), {})
    counts, sums = study.experiment.counts, study.experiment.sums
    delta = "unknown" if counts.delta is None else points(counts.delta)
    rows: list[tuple[str, str, str, str, str]] = []
    values: dict[str, Any] = {}
    if sums is not None:
        t = session_t(sums, counts, level)
        flip, sign, cluster = sign_flip(study.table), session_sign_test(sums), obuchowski(sums)
        if t.delta is not None:
            deff = f", design effect {t.design_effect:.2f}" if t.design_effect is not None else ""
            rows.append(
                (
                    "session-level t (CR1), our default", points(t.delta), f"{points(t.low)} to {points(t.high)}", p_text(t.p),
                    f"{several(t.sessions, 'session')}{deff}",
                )
            )  # fmt: skip
            values |= {
                "session_p": t.p, "session_low": t.low, "session_high": t.high,
                "design_effect": t.design_effect, "sessions": t.sessions,
            }  # fmt: skip
        exactness = "arms of whole sessions exchanged" + ("" if flip.exact else ", normal form")
        rows.append(("sign-flip over sessions, exact", delta, "", p_text(flip.p), flip.why_not or exactness))
        rows.append(
            ("sign test over sessions, mid-p", delta, "", p_text(sign.p_mid), "counts sessions, not their size")
        )
        rows.append(
            ("Obuchowski's χ²", delta, "", p_text(cluster.p), cluster.why_not or f"χ² {cluster.statistic or 0:.2f}")
        )
        values |= {"flip_p": flip.p, "sign_p": sign.p_mid, "obuchowski_p": cluster.p}
    test, interval, wider = mcnemar(counts), tango(counts, level), newcombe(counts, level)
    between = f"{points(interval.low)} to {points(interval.high)}"
    ignored = "if sessions are ignored" if sums is not None else "the log names no sessions"
    rows.append(("McNemar mid-p, Tango interval", delta, between, p_text(test.p_mid), ignored))
    rows.append(
        (
            "McNemar exact, Newcombe interval",
            delta,
            f"{points(wider.low)} to {points(wider.high)}",
            p_text(test.p_exact),
            ignored,
        )
    )
    old = plan_z(study.compared)
    rows.append(
        (
            "the plan's z-test (no answer)", delta, "none given", "unknown" if old.p_value is None else p_text(old.p_value),
            f"“winner {old.winner}, confidence {old.confidence:.3g}”" if old.confidence is not None else old.note,
        )
    )  # fmt: skip
    values |= {
        "mid_p": test.p_mid, "exact_p": test.p_exact, "z": test.z, "pair_low": interval.low, "pair_high": interval.high,
        "newcombe_low": wider.low, "newcombe_high": wider.high, "plan_p": old.p_value,
    }  # fmt: skip
    caption = "The plan's test answers another question (is the shadow better, pairs taken as independent samples)."
    if "session_p" in values:
        ratio = (values["session_high"] - values["session_low"]) / max(interval.high - interval.low, 1e-12)
        caption = f"The session interval is {ratio:.2f} times as wide as the one that ignores sessions. {caption}"
    return Table(
        "methods", caption, ("method", "difference", f"{100 * level:g} % interval", "p", "remark"), rows, values
    )


def plan_test_table(study: Study | None) -> Table:
    """Show all eight fields of the plan's test, literally."""
    counts = study.compared if study else PairCounts(0, 0, 0, 0)
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
            f"one-sided, never below 0.5 when the shadow is worse; mid-p is {p_text(test.p_mid)}",
        ),
        (
            "statisticallySignificant",
            "true" if old.statistically_significant else "false",
            "can say yes only when the shadow is better",
        ),
        ("winner", old.winner, "named whatever the p-value is"),
        ("confidence", "NaN" if old.confidence is None else f"{old.confidence:.3g}", "1 − p is no confidence"),
    )
    significant = "yes" if old.statistically_significant else "no"
    caption = (
        f"On {several(counts.n, 'pair')} with both answers compared the plan's test would print: winner {old.winner}, "
        f"significant {significant}." + (f" {old.note}." if old.note else "")
    )
    return Table(
        "plan_test",
        caption,
        ("field of the plan", "value", "what is wrong with it"),
        shown,
        {"z_score": old.z_score, "p_value": old.p_value, "confidence": old.confidence},
    )


def _share(value: float | None) -> str:
    return "NaN" if value is None else percent(value)
