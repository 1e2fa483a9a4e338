"""The experiment watched: the difference with its confidence sequence, and the evidence, look by look."""

from typing import Any

import numpy as np

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.shadow.words import NO_PAIRS
from relkit.plates.style import BAD, GOOD, MUTED, SHADOW, figure
from relkit.plates.table import Table
from relkit.shadow import PairCounts, SessionSums, session_t
from relkit.shadow.decide import Rules
from relkit.shadow.sequential import Look, watch_sessions
from relkit.shadow.study import Study
from relkit.units import US_PER_HOUR, count, points, several

_LONGEST = 10  # rows of the table of looks
_MOST_DRAWN = 48


def looks_of(study: Study, rules: Rules) -> tuple[list[int], list[SessionSums], tuple[Look, ...]]:
    """Watch the experiment at the end of each hour in which a session ended; hours since its first pair come first."""
    hours = study.hours
    ended = np.flatnonzero(hours["sessions"]) if hours.start_us.size else np.array([], dtype=np.int64)
    so_far = {name: hours.so_far(name) for name in ("sessions", "pairs", "s", "v", "dm", "mm", "positive", "negative")}
    largest = np.maximum.accumulate(hours["largest"]) if ended.size else ended
    sums = [
        SessionSums(
            **{name: int(values[at]) for name, values in so_far.items()},
            zero=int(so_far["sessions"][at] - so_far["positive"][at] - so_far["negative"][at]),
            largest=int(largest[at]),
        )
        for at in ended
    ]
    since = [int((hours.start_us[at] - hours.start_us[0]) // US_PER_HOUR) + 1 for at in ended]
    return since, sums, watch_sessions(sums, planned_v(study, rules), rules.level) if sums else ()


def planned_v(study: Study, rules: Rules) -> float:
    """Sum of squared session differences at the sessions that the evidence is tuned for."""
    sums = study.table.sums()
    return max(1.0, rules.tight_at * sums.v / max(1, sums.sessions))


def path_plate(study: Study | None, rules: Rules, *, name: str = "path") -> Plate:
    """Draw the difference with its confidence sequence above, the evidence for harm and benefit below."""
    if study is None:
        return empty_plate(name, NO_PAIRS)
    since, sums, looks = looks_of(study, rules)
    if not looks:
        return empty_plate(name, "The pairs have no clock: there is no course of time to draw.")
    last = looks[-1]
    number = len(looks)
    first_harm = next(
        (hour for hour, look in zip(since, looks, strict=True) if look.p_harm <= (1 - rules.level) / 2), None
    )
    step = -(-len(looks) // _MOST_DRAWN)  # the last look is always drawn
    since, sums, looks = since[::-1][::step][::-1], sums[::-1][::step][::-1], looks[::-1][::step][::-1]
    fig, axes = figure(height_in=4.2, rows=2, sharex=True, gridspec_kw={"height_ratios": (1.5, 1)})
    upper, lower = axes
    x = np.array(since, dtype=float)
    low, high = (100 * np.array([getattr(look, end) for look in looks]) for end in ("low", "high"))
    delta = 100 * np.array([look.delta or 0.0 for look in looks])
    upper.fill_between(x, low, high, color=SHADOW, alpha=0.18, lw=0, step=None)
    fixed = [session_t(one, _table(study, one), rules.level) for one in sums]
    for end in ("low", "high"):
        upper.plot(x, [100 * getattr(t, end) for t in fixed], color=MUTED, lw=0.8, ls=(0, (3, 2)))
    upper.plot(x, delta, color=SHADOW)
    margin = -100 * rules.margins.errors
    upper.axhline(0, color=MUTED, lw=0.8)
    upper.axhline(margin, color=BAD, lw=0.9, ls=(0, (4, 3)))
    shown = 6 * max(abs(delta[-1]), high[-1] - low[-1], abs(margin)) / 2
    upper.set_ylim(-shown, shown)
    upper.text(x[-1], margin, " margin", color=BAD, fontsize=8.5, va="center")
    upper.set_ylabel("shadow − primary (pt)")
    limit = np.log10(2 / (1 - rules.level))
    for side, colour, word in (("log_e_harm", BAD, "harm"), ("log_e_benefit", GOOD, "benefit")):
        evidence = np.array([getattr(look, side) for look in looks]) / np.log(10)
        lower.plot(x, evidence, color=colour)
        lower.text(x[-1], evidence[-1], f" {word}", color=colour, fontsize=8.5, va="center")
    lower.axhline(limit, color=MUTED, lw=0.9, ls=(0, (4, 3)))
    lower.text(x[0], limit, f"1/α = {2 / (1 - rules.level):.0f}", color=MUTED, fontsize=8.5, va="bottom")
    lower.set_ylabel("log₁₀ E")
    lower.set_xlabel("hours since the first pair; a session counts when it has ended")
    lower.set_ylim(bottom=min(-2.5, lower.get_ylim()[0]))
    said = (
        f"evidence of harm reached 1/α after {several(first_harm, 'hour')}"
        if first_harm is not None
        else f"evidence of harm stands at p {last.p_harm:.3g} after {several(number, 'look')}"
    )
    caption = (
        f"At every look at once the difference lies between {points(last.low)} and {points(last.high)}; {said}. "
        "Dashed: the interval for one look, too narrow when looked at each hour."
    )
    values: dict[str, Any] = {
        "low": last.low, "high": last.high, "p_harm": last.p_harm, "p_benefit": last.p_benefit,
        "log_e_harm": last.log_e_harm, "log_e_benefit": last.log_e_benefit, "looks": number,
        "hours_to_harm": first_harm, "planned_v": planned_v(study, rules),
    }  # fmt: skip
    return plate(
        name, fig, caption=caption, alt="Difference with confidence sequence; log evidence below", values=values
    )


def looks_table(study: Study | None, rules: Rules, *, name: str = "looks") -> Table:
    """Show what was known at ten looks: sessions, difference, confidence sequence, evidence."""
    if study is None:
        return Table(name, NO_PAIRS, ("look",), (("none",),), {})
    since, _, looks = looks_of(study, rules)
    chosen = (
        sorted({round(place) for place in np.linspace(0, len(looks) - 1, min(_LONGEST, len(looks)))}) if looks else []
    )
    rows = [
        (
            f"{since[place]} h", count(look.sessions), count(look.pairs), points(look.delta or 0.0),
            f"{points(look.low)} to {points(look.high)}", f"{look.p_harm:.3g}", _decision(look, rules),
        )
        for place in chosen
        for look in (looks[place],)
    ]  # fmt: skip
    caption = (
        f"{several(len(rows), 'look')} of {count(len(looks))}; every one of them may be acted on."
        if rows
        else "The pairs have no clock: there is no look before the last."
    )
    columns = ("after", "sessions", "pairs", "difference", "at every look", "running p of harm", "margin rule says")
    values = {"looks": len(looks), "sessions": looks[-1].sessions if looks else 0}
    return Table(name, caption, columns, rows or [("none",) * len(columns)], values)


def _decision(look: Look, rules: Rules) -> str:
    margin = rules.margins.errors
    if look.sessions < rules.minimum_sessions:
        return "too few sessions"
    if look.high < -margin:
        return "roll back"
    if look.low > -margin:
        return "within the margin"
    return "hold" if look.high < 0 else "go on"


def _table(study: Study, sums: SessionSums) -> PairCounts:
    """A table with these sums and the whole experiment's share of discordant pairs: the t-test takes only its size."""
    counts = study.experiment.counts
    difference = abs(sums.s)
    discordant = min(sums.pairs, max(difference, round(sums.pairs * counts.discordant / max(1, counts.n))))
    discordant -= (discordant - difference) % 2
    won = (discordant + sums.s) // 2
    return PairCounts(sums.pairs - discordant, discordant - won, won, 0)
