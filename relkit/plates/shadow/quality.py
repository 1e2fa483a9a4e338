"""What the pairs are worth: from eligible to compared, answers that never came, how the arms were dealt."""

import numpy as np

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.shadow.words import NO_PAIRS, p_text
from relkit.plates.style import GOOD, MUTED, SHADOW, figure
from relkit.plates.table import Table
from relkit.shadow import missing_bounds
from relkit.shadow.decide import Rules, doubts
from relkit.shadow.sample_ratio import sample_ratio
from relkit.shadow.study import Study
from relkit.units import US_PER_HOUR, count, duration, percent, points, several

_MOST_DRAWN = 48
_STEPS = ("eligible", "mirrored", "answered", "compared")


def funnel_plate(study: Study | None, *, name: str = "funnel") -> Plate:
    """Draw how many requests reached each step, and where each hour lost them."""
    if study is None:
        return empty_plate(name, NO_PAIRS)
    found = study.experiment
    totals = {step: getattr(found, step) for step in _STEPS}
    fig, axes = figure(height_in=2.9, rows=2, gridspec_kw={"height_ratios": (1.3, 1)})
    upper, lower = axes
    for place, (step, number) in enumerate(totals.items()):
        upper.barh(3 - place, number, height=0.7, color=GOOD, alpha=0.85 - 0.15 * place)
        before = totals[_STEPS[place - 1]] if place else 0
        share = f" ({percent(number / before, 1)})" if before else ""
        upper.text(number, 3 - place, f" {step}: {count(number)}{share}", va="center", fontsize=8.5)
    upper.set_xlim(0, 1.45 * max(1, found.eligible))
    upper.set_ylim(-0.6, 3.6)
    upper.set_axis_off()
    hours = study.hours
    if hours.start_us.size:
        first = np.arange(0, hours.start_us.size, -(-hours.start_us.size // _MOST_DRAWN))
        eligible, compared = (np.add.reduceat(hours[name], first) for name in ("eligible", "compared"))
        x = (hours.start_us[first] - hours.start_us[0]) / US_PER_HOUR
        lower.plot(x, 100 * compared / np.maximum(eligible, 1), color=SHADOW, lw=1.0)
        lower.set_ylim(0, 105)
        lower.set_ylabel("compared (%)")
        lower.set_xlabel("hours since the first pair")
    else:
        lower.set_axis_off()
        lower.text(0, 0.5, "The pairs have no clock.", color=MUTED)
    share = f" ({percent(found.compared / found.eligible, 1)})" if found.eligible else ""
    caption = (
        f"{count(found.compared)} of {count(found.eligible)} eligible requests were compared{share}; "
        "an answer that is missing counts as a failure of its arm."
    )
    missing = {"no answer of the shadow": found.missing.shadow, "no answer of the primary": found.missing.primary}
    values = {**totals, **missing, "pair ids that came twice": found.duplicates}
    return plate(
        name, fig, caption=caption, alt="Eligible, mirrored, answered, compared; share compared by hour", values=values
    )


def quality_table(study: Study | None, rules: Rules, *, name: str = "data_quality") -> Table:
    """Say what could make the comparison worthless, each with its number; any line marked INVALID does."""
    if study is None:
        return Table(name, NO_PAIRS, ("check",), (("none",),), {})
    found = study.experiment
    bounds = missing_bounds(found.counts, found.missing)
    invalid = doubts(study, rules)
    rows: list[tuple[str, str, str]] = [
        ("pair ids that came twice", count(found.duplicates), "INVALID" if found.duplicates else "fine"),
    ]
    lost = study.timeouts.counts
    for arm, cause, times in study.timeouts.causes:
        rows.append((f"no answer of the {arm}: {cause}", count(times), "counted as failures"))
    if not study.timeouts.causes:
        rows.append(("answers that never came", "0", "fine"))
    if bounds.low is not None and bounds.high is not None and bounds.as_failures is not None:
        rows.append(
            (
                "difference with every missing answer against, and for the shadow",
                f"{points(bounds.low)} to {points(bounds.high)}",
                f"counted as failures {points(bounds.as_failures)}, dropped "
                + ("unknown" if bounds.dropped is None else points(bounds.dropped)),
            )
        )
    first, told = study.primary_first
    order_p = None
    if told:
        ratio = sample_ratio((first, told - first), (0.5, 0.5))
        order_p = ratio.p
        verdict = "INVALID" if ratio.invalid else "fine"
        rows.append(("primary ran first", f"{percent(first / told, 1)}, p {p_text(ratio.p)}", verdict))
    else:
        rows.append(("primary ran first", "not told", "who ran first may favour one arm"))
    for step, share in sorted(rules.shares.items()):
        mirrored, eligible = study.mirrored_by_step.get(step, (0, 0))
        if mirrored < eligible:
            dealt = sample_ratio((mirrored, eligible - mirrored), (share, 1 - share)) if share < 1 else None
            text = f"{percent(mirrored / eligible, 1)} of {several(eligible, 'request')}, planned {percent(share, 1)}"
            if dealt is not None:
                text += f", p {p_text(dealt.p)}"
            is_invalid = mirrored < eligible if dealt is None else dealt.invalid
            rows.append((f"mirrored in step {step}", text, "INVALID" if is_invalid else "fine"))
    if not rules.shares:
        rows.append(("mirrored as planned", "no share was planned in relkit.toml", "not checked"))
    with_, without = study.primary_us.quantile(0.5), study.unmirrored_us.quantile(0.5)
    if with_ is not None and without is not None:
        rows.append(
            (
                "primary's median latency, mirrored and not",
                f"{duration(with_ / 1e6)} and {duration(without / 1e6)}",
                "mirroring must not slow the primary",
            )
        )
    values = {
        "duplicates": found.duplicates, "shadow_unanswered": lost.only_primary + lost.neither,
        "primary_unanswered": lost.only_shadow + lost.neither, "bound_low": bounds.low, "bound_high": bounds.high,
        "as_failures": bounds.as_failures, "dropped": bounds.dropped, "order_p": order_p, "doubts": len(invalid),
        "mirrored_median_us": with_, "unmirrored_median_us": without,
    }  # fmt: skip
    caption = invalid[0].message if invalid else "Nothing found that would make the comparison worthless."
    return Table(name, caption, ("check", "finding", "what it means"), rows, values)
