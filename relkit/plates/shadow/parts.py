"""The experiment taken apart: segments, sessions, actions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.shadow.words import NO_PAIRS, p_text
from relkit.plates.style import BAD, GOOD, MUTED, SHADOW, bars, figure, whole_numbers
from relkit.plates.table import Table
from relkit.shadow import mcnemar, session_t, tango
from relkit.shadow.decide import Rules
from relkit.shadow.disagreement import Disagreement
from relkit.shadow.multiplicity import adjust
from relkit.shadow.paired import bowker, stuart_maxwell
from relkit.shadow.sessions import leave_one_session_out
from relkit.shadow.study import Segment, Study
from relkit.units import count, percent, points, several

_MOST_SEGMENTS = 24
_LONGEST_TEXT = 160
_ALPHA = 0.05
_MOST_LABELLED = 24


def forest_plate(study: Study | None, rules: Rules, *, name: str = "segments") -> Plate:
    """Draw the difference of every segment with its interval; one is named only when the segments differ at all."""
    if study is None or not study.segments:
        return empty_plate(name, NO_PAIRS if study is None else "The log names no segment, turn or day.")
    shown = [segment for segment in study.segments if segment.counts.n][:_MOST_SEGMENTS]
    estimates = [estimate(segment, rules.level) for segment in shown]
    adjusted = adjust([p for _, _, _, p in estimates], "bh")
    apart, apart_p = heterogeneity(study, rules.level)
    fig, ax = figure(height_in=0.9 + 0.22 * len(shown))
    alpha = 1 - rules.level
    colours = [
        (BAD if delta < 0 else GOOD) if p is not None and p <= alpha else MUTED
        for (delta, *_), p in zip(estimates, adjusted, strict=True)
    ]
    for colour in dict.fromkeys(colours):
        rows = [(len(shown) - 1 - at, *estimates[at][:3]) for at, one in enumerate(colours) if one == colour]
        ends = [x for _, _, low, high in rows for x in (100 * low, 100 * high, np.nan)]
        ax.plot(ends, [y for y, *_ in rows for _ in range(3)], color=colour, lw=1.6)  # one line with gaps: a small file
        ax.plot([100 * delta for _, delta, _, _ in rows], [y for y, *_ in rows], "o", color=colour, ms=4)
    overall = study.experiment.counts.delta or 0.0
    ax.axvline(0, color=MUTED, lw=0.8)
    ax.axvline(100 * overall, color=SHADOW, lw=0.9, ls=(0, (4, 3)))
    ax.axvline(-100 * rules.margins.errors, color=BAD, lw=0.8, ls=(0, (1, 2)))
    labels = [f"{segment.by} {segment.name} ({count(segment.counts.n)})" for segment in shown]
    ax.set_yticks(range(len(shown)), labels[::-1], fontsize=8)
    ax.tick_params(axis="y", length=0)
    width = max(abs(100 * end) for delta, *_ in estimates for end in (delta, overall, rules.margins.errors))
    ax.set_xlim(-3 * width, 3 * width)
    ax.set_xlabel("shadow − primary (points); dashed: all pairs, dotted: margin")
    found = sum(p is not None and p <= 1 - rules.level for p in adjusted)
    named = [word for word, p in apart.items() if p <= 1 - rules.level]
    said = (
        f"they differ by {', '.join(named)} (smallest p {p_text(apart_p)})"
        if named
        else f"nothing says that they differ from each other (smallest p {p_text(apart_p)})"
    )
    caption = f"{count(found)} of {several(len(shown), 'segment')} differ from 0 after Benjamini-Hochberg; {said}." + (
        f" {count(len(study.segments) - len(shown))} more are not drawn." if len(study.segments) > len(shown) else ""
    )
    values = {"segments": len(shown), "found": found, "interaction_p": apart_p}
    return plate(name, fig, caption=caption, alt="Differences by segment with intervals", values=values)


def estimate(segment: Segment, level: float) -> tuple[float, float, float, float]:
    """Give the difference of a segment, its interval, and the p-value of no difference."""
    if segment.sums is not None and segment.sums.sessions > 1:
        t = session_t(segment.sums, segment.counts, level)
        return segment.counts.delta or 0.0, t.low, t.high, t.p
    interval = tango(segment.counts, level)
    return segment.counts.delta or 0.0, interval.low, interval.high, mcnemar(segment.counts).p_mid


def heterogeneity(study: Study, level: float) -> tuple[dict[str, float], float | None]:
    """Test, dimension by dimension, whether its segments share one difference (Cochran's Q); Holm over dimensions.

    Returns the adjusted p by dimension, and the smallest.
    """
    from scipy.stats import chi2  # noqa: PLC0415

    raw: dict[str, float] = {}
    for by in dict.fromkeys(segment.by for segment in study.segments):
        parts = []
        for segment in study.segments:
            if segment.by == by and segment.sums is not None and segment.sums.sessions > 1:
                t = session_t(segment.sums, segment.counts, level)
                if t.se and not t.sparse and t.delta is not None:
                    parts.append((t.delta, t.se))
        if len(parts) > 1:
            weights = np.array([1 / se**2 for _, se in parts])
            deltas = np.array([delta for delta, _ in parts])
            mean = (weights * deltas).sum() / weights.sum()
            raw[by] = float(chi2.sf((weights * (deltas - mean) ** 2).sum(), len(parts) - 1))
    adjusted = dict(zip(raw, adjust(list(raw.values()), "holm"), strict=True))
    known = {by: p for by, p in adjusted.items() if p is not None}
    return known, min(known.values(), default=None)


def sessions_plate(study: Study | None, rules: Rules, *, name: str = "sessions") -> Plate:
    """Draw how much single sessions weigh: their sizes and net differences, and the estimate without each."""
    if study is None or study.experiment.sums is None:
        return empty_plate(
            name, NO_PAIRS if study is None else "The log names no sessions: each pair stands for itself."
        )
    sums, counts, table = study.experiment.sums, study.experiment.counts, study.table
    left, t = leave_one_session_out(table), session_t(sums, counts, rules.level)
    fig, ax = figure(height_in=2.2)
    net = np.array(table.d)
    d, place = np.unique(net, return_inverse=True)
    k = np.bincount(place, weights=table.sessions)
    for colour, side in ((BAD, d < 0), (GOOD, d > 0), (MUTED, d == 0)):
        # a logarithmic axis has no 0: bars stand on half a session
        bars(ax, d[side] - 0.4, np.full(side.sum(), 0.5), k[side] - 0.5, 0.8, colour)
    ax.set_yscale("log")
    ax.set_ylim(0.5, 3 * k.max())
    for x, number in zip(d, k, strict=True):
        if d.size <= _MOST_LABELLED or x in (d[0], 0, d[-1]):
            ax.text(x, number * 1.15, count(number), ha="center", fontsize=7.5)
    ax.set_xlim(d[0] - 1, d[-1] + 1)
    whole_numbers(ax.xaxis)
    ax.set_yticks([])
    ax.minorticks_off()
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("pairs of a session that the shadow alone had right, minus the primary alone")
    ax.set_ylabel("sessions (log)")
    deff = "unknown" if t.design_effect is None else f"{t.design_effect:.2f}"
    effective = "unknown" if t.effective_n is None else count(t.effective_n)
    without = (
        f"without any one session the difference stays between {points(left.low)} and {points(left.high)}"
        if left.low is not None and left.high is not None
        else left.why_not
    )
    caption = (
        f"{several(sums.sessions, 'session')}, {count(sums.positive)} better with the shadow and {count(sums.negative)} worse; design effect {deff}, "
        f"so {several(counts.n, 'pair')} are worth {effective}; the largest holds {percent(left.largest_share or 0.0, 1)} of them; {without}."
    )
    values = {
        "sessions": sums.sessions, "design_effect": t.design_effect, "effective_n": t.effective_n,
        "largest_share": left.largest_share, "low_without_one": left.low, "high_without_one": left.high,
        "positive": sums.positive, "negative": sums.negative,
    }  # fmt: skip
    return plate(name, fig, caption=caption, alt="Sessions by size and net difference", values=values)


def influence_table(study: Study | None, *, name: str = "influence") -> Table:
    """List the sessions that move the difference most."""
    pairs = study.experiment.counts.n if study else 1
    rows = [
        (
            one.session_id, count(one.pairs), count(one.only_primary), count(one.only_shadow),
            points((one.only_shadow - one.only_primary) / pairs, 3),
        )
        for one in (study.influential if study else ())
    ]  # fmt: skip
    caption = (
        f"The {several(len(rows), 'session')} with the largest net difference."
        if rows
        else "The log names no sessions."
    )
    columns = ("session", "pairs", "only primary right", "only shadow right", "moves the difference by")
    return Table(name, caption, columns, rows or [("none",) * len(columns)], {"sessions": len(rows)})


def disagreements_table(found: Sequence[Disagreement], *, name: str = "disagreements") -> Table:
    """Show pairs to read, some of each kind of disagreement."""
    shown: list[tuple[str, ...]] = [
        (
            one.stratum, one.pair_id, one.segment or "", "" if one.turn is None else str(one.turn),
            one.primary_action or "", one.shadow_action or "", _cut(one.primary_body), _cut(one.shadow_body),
        )
        for one in found
    ]  # fmt: skip
    sizes = {one.stratum: one.of for one in found}
    columns = ["stratum", "pair", "segment", "turn", "primary did", "shadow did", "primary said", "shadow said"]
    if not any(one.primary_body or one.shadow_body for one in found):
        shown, columns = [row[:6] for row in shown], columns[:6]
    caption = (
        f"{several(len(shown), 'pair')} to read, drawn by a hash of their ids: "
        + "; ".join(f"{words} {count(size)}" for words, size in sizes.items())
        + "."
        if shown
        else "No pair disagrees."
    )
    return Table(name, caption, columns, shown or [("none",) * len(columns)], sizes)


def _cut(text: str | None) -> str:
    return "" if text is None else text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def actions_table(study: Study | None, *, name: str = "actions") -> Table:
    """Show what the shadow did where the primary did something, and whether it does everything as often."""
    if study is None or not study.actions:
        return Table(name, NO_PAIRS if study is None else "The log names no actions.", ("action",), (("none",),), {})
    names = sorted({action for pair in study.actions for action in pair})
    matrix = [[study.actions.get((before, after), 0) for after in names] for before in names]
    total = sum(map(sum, matrix))
    changed = total - sum(matrix[place][place] for place in range(len(names)))
    rows = [(f"primary: {before}", *(count(times) for times in row)) for before, row in zip(names, matrix, strict=True)]
    caption = f"{count(changed)} of {several(total, 'pair')} ({percent(changed / total, 1)}) end in another action"
    values: dict[str, Any] = {"pairs": total, "changed": changed, "bowker_p": None, "stuart_maxwell_p": None}
    if len(names) > 1:
        symmetry, margins = bowker(matrix), stuart_maxwell(matrix)
        caption += (
            f"; transitions are {_not(symmetry.p)}symmetric (Bowker p {p_text(symmetry.p)}), actions {_not(margins.p)}equally frequent "
            f"(Stuart-Maxwell p {p_text(margins.p)}); pairs taken as independent."
        )
        values |= {"bowker_p": symmetry.p, "stuart_maxwell_p": margins.p}
    else:
        caption += ": there is only one."
    return Table(name, caption, ("primary", *(f"shadow: {after}" for after in names)), rows, values)


def _not(p: float | None) -> str:
    return "not " if p is not None and p < _ALPHA else ""
