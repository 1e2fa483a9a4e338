"""The gate: may the shadow go live? One verdict from one interval and one margin.

It judges once, at the horizon declared beforehand. Looking every hour and stopping at the first pleasing verdict
raises false alarms from 5 % to 41 % in a week; that needs another interval.
"""

from dataclasses import dataclass
from math import ceil, floor, log10

from relkit.shadow._checks import checked_level, checked_margin, whole
from relkit.shadow.missing import extreme_deltas
from relkit.shadow.paired import PairCounts, sample_growth, tango
from relkit.shadow.sessions import SPARSE_SESSIONS, SessionSums, session_sample_growth, session_t
from relkit.units import count, points, several, signed
from relkit.verdict import Verdict


@dataclass(frozen=True, slots=True)
class _Finding:
    """Estimate and interval, and what the sentences say about them."""

    delta: float
    low: float
    high: float
    level: float
    margin: float
    pairs: int
    sessions: int | None
    unit: str
    growth: float | None

    @property
    def units(self) -> int:
        return self.pairs if self.sessions is None else self.sessions

    @property
    def seen(self) -> str:
        """The size of the experiment, as "8,210 pairs in 1,402 sessions"."""
        pairs = several(self.pairs, "pair")
        return pairs if self.sessions is None else f"{pairs} in {several(self.sessions, self.unit)}"

    @property
    def sentence(self) -> str:
        digits = _digits(self.high - self.low)
        size = signed(100 * abs(self.delta), digits).lstrip("+")
        if float(size) == 0:
            finding = f"The shadow answers right as often as the primary: {size} points apart"
        else:
            finding = f"The shadow answers right {size} points {'less' if self.delta < 0 else 'more'} often"
        low, high = (signed(100 * limit, digits) for limit in (self.low, self.high))
        interval = f"{100 * self.level:g} % interval {low} to {high}"
        return f"{finding} ({interval}, {self.seen}); the margin is {_points(self.margin)}."

    def code(self, shift: float = 0.0) -> str:
        """Apply the rule to the interval, moved by `shift`."""
        low, high = self.low + shift, self.high + shift
        if high < -self.margin:
            return "ROLL_BACK"
        if low > -self.margin:
            return "PROMOTE"
        return "HOLD" if high < 0 else "INCONCLUSIVE"

    def verdict(self, code: str, *, sentence: str = "", why_not: str = "", would_change: str = "") -> Verdict:
        return Verdict(
            "shadow", code, f"{self.sentence} {sentence}".strip(), value=self.delta, low=self.low, high=self.high,
            unit="share", level=self.level, n=self.pairs, why_not=why_not, would_change=would_change,
        )  # fmt: skip


def judge(
    counts: PairCounts,
    sums: SessionSums | None,
    *,
    margin: float,
    level: float = 0.95,
    mirrored: int | None = None,
    answered: int | None = None,
    missing_shadow: int = 0,
    missing_primary: int = 0,
    duplicates: int = 0,
    minimum_sessions: int = 30,
    unit: str = "session",
) -> Verdict:
    """Decide whether the shadow may go live.

    The interval is the session-level one of `session_t`, or Tango's over pairs where the log has no sessions.
    Wholly below -margin: ROLL_BACK. Wholly above: PROMOTE (superior when above 0). Around it: HOLD when wholly below 0
    (worse for certain, perhaps by less than the margin), else INCONCLUSIVE. Pairs that cannot be trusted: INVALID.
    Fewer units than the minimum never promote, and turn ROLL_BACK into HOLD.

    Parameters
    ----------
    counts : PairCounts
        All pairs, each missing answer counted as a failure of its arm (the store's reading does so).
    sums : SessionSums or None
        The same pairs by session; None when the log names no sessions.
    margin : float
        Loss that is still acceptable, a share in [0, 1): 0.01 is one point.
    level : float
        Two-sided confidence level, in (0, 1); each side errs with (1 - level)/2.
    mirrored, answered : int or None
        Requests sent to the shadow, and those it answered; None = not told. Mirrored requests that are no pair, and
        pairs beyond the answered ones, count as missing.
    missing_shadow, missing_primary : int
        Pairs in `counts` without an answer of that arm.
    duplicates : int
        Pair ids that came more than once.
    minimum_sessions : int
        Sessions (pairs, where there are no sessions) below which the gate stays shut.
    unit : str
        What a session is called in sentences.

    Returns
    -------
    Verdict
        Area shadow; value, low and high are shares, n counts pairs.

    Examples
    --------
    >>> verdict = judge(PairCounts(3520, 96, 64, 320), None, margin=0.02)
    >>> verdict.code, verdict.sentence[:51]
    ('PROMOTE', 'The shadow answers right 0.80 points less often (95')
    """
    margin, level = checked_margin(margin), checked_level(level)
    duplicates = whole("duplicates", duplicates)
    minimum = whole("minimum_sessions", minimum_sessions)
    mirrored = None if mirrored is None else whole("mirrored", mirrored)
    answered = None if answered is None else whole("answered", answered)
    missing_shadow, missing_primary = whole("missing_shadow", missing_shadow), whole("missing_primary", missing_primary)

    # Two tellings of one number: the more cautious one counts.
    unanswered = missing_shadow if answered is None else max(missing_shadow, counts.n - answered)

    why_invalid = _why_invalid(counts, sums, mirrored, answered, unanswered, missing_primary, duplicates, unit)
    if why_invalid:
        return Verdict(
            "shadow", "INVALID", f"No verdict on the shadow: {why_invalid}.", level=level, n=counts.n,
            why_not=why_invalid[:1].upper() + why_invalid[1:] + ".",
            would_change="A log in which every mirrored request is one pair." if counts.n else "At least one pair.",
        )  # fmt: skip
    finding, remark = _find(counts, sums, margin, level, unit)
    code = finding.code()

    if sums is not None and sums.sessions < 2:
        return finding.verdict(
            "INCONCLUSIVE",
            why_not=f"{remark}.",
            would_change=f"{several(max(2, minimum) - sums.sessions, 'more ' + unit)} at least.",
        )
    absent = max(0, (mirrored or 0) - counts.n)
    worst, best = extreme_deltas(counts, unanswered, missing_primary, absent)
    against, favour = finding.code(worst - finding.delta), finding.code(best - finding.delta)
    if against != favour:
        missing = {
            "of the shadow's answers are missing": unanswered,
            "of the primary's answers are missing": missing_primary,
            "of the mirrored requests left no pair": absent,
        }
        return finding.verdict(
            "INCONCLUSIVE",
            sentence=f"{several(unanswered + missing_primary + absent, 'missing answer')} could change that.",
            why_not=(
                f"{_and(missing)}: read against the shadow the difference is {points(worst)} ({_spoken(against)}), "
                f"read for it {points(best)} ({_spoken(favour)}). {remark}"
            ).strip(),
            would_change=f"Knowing why: as failures of the arm they belong to, this is {_spoken(code)}.",
        )
    if finding.units < minimum and code in {"PROMOTE", "ROLL_BACK"}:
        word = unit if finding.sessions is not None else "pair"
        return finding.verdict(
            "INCONCLUSIVE" if code == "PROMOTE" else "HOLD",
            why_not=f"Only {several(finding.units, word)}; the gate opens at {count(minimum)}. {remark}".strip(),
            would_change=f"{several(minimum - finding.units, 'more ' + word)}: as it stands, then {_spoken(code)}.",
        )
    return finding.verdict(
        code,
        sentence=_gloss(code, finding),
        why_not=" ".join(filter(None, (_why_undecided(code, finding), remark))),
        would_change=_would_change(code, finding, minimum),
    )


def _find(counts: PairCounts, sums: SessionSums | None, margin: float, level: float, unit: str) -> tuple[_Finding, str]:
    """Choose the interval, and say what a reader must know about it."""
    delta = counts.delta
    assert delta is not None
    if sums is None:
        interval = tango(counts, level)
        finding = _Finding(
            delta,
            interval.low,
            interval.high,
            level,
            margin,
            counts.n,
            None,
            unit,
            sample_growth(counts, margin, level),
        )
        return finding, (
            f"The log names no {unit}s, so pairs count as independent; if answers within one {unit} resemble "
            "each other, the interval is too narrow."
        )
    test = session_t(sums, counts, level)
    growth = session_sample_growth(sums, counts, margin, level)
    finding = _Finding(delta, test.low, test.high, level, margin, counts.n, test.sessions, unit, growth)
    if test.sparse and not test.why_not:
        differing = sums.positive + sums.negative
        who = f"Only {several(differing, unit)}" if differing else f"No {unit}"
        return finding, (
            f"{who} differ{'s' if differing < 2 else ''} on balance (fewer than {SPARSE_SESSIONS}), "
            f"so the interval is widened as if pairs of one {unit} always agreed."
        )
    return finding, test.why_not


def _why_invalid(
    counts: PairCounts,
    sums: SessionSums | None,
    mirrored: int | None,
    answered: int | None,
    missing_shadow: int,
    missing_primary: int,
    duplicates: int,
    unit: str,
) -> str:
    n, difference = counts.n, counts.only_shadow - counts.only_primary
    fails = {
        "no pair was compared": n == 0,
        f"{several(duplicates, 'pair id')} came more than once": duplicates > 0,
        f"{several(n, 'pair')} from {several(mirrored or 0, 'mirrored request')}": mirrored is not None
        and n > mirrored,
        f"{several(answered or 0, 'answer')} to {several(mirrored or 0, 'mirrored request')}": (
            mirrored is not None and answered is not None and answered > mirrored
        ),
        f"{several(missing_shadow, 'answer')} of the shadow missing, but only "
        f"{several(counts.only_primary + counts.neither, 'failure')} counted": (
            missing_shadow > counts.only_primary + counts.neither
        ),
        f"{several(missing_primary, 'answer')} of the primary missing, but only "
        f"{several(counts.only_shadow + counts.neither, 'failure')} counted": (
            missing_primary > counts.only_shadow + counts.neither
        ),
    }
    if sums is not None:
        fails |= {
            f"the {unit}s hold {several(sums.pairs, 'pair')}, the table {count(n)}": sums.pairs != n,
            f"the {unit}s add up to a difference of {signed(sums.s, 0)} pairs, "
            f"the table to {signed(difference, 0)}": sums.s != difference,
        }
    return next((text for text, failed in fails.items() if failed), "")


def _gloss(code: str, finding: _Finding) -> str:
    """Say what the interval means where the numbers alone are easily misread."""
    if code == "PROMOTE" and finding.low > 0:
        return "It is superior: the whole interval lies above 0."
    if code == "PROMOTE" and finding.high < 0:
        return "It is worse, but by less than the margin."
    if code == "PROMOTE":
        return "It is not worse by the margin or more."
    if code == "ROLL_BACK":
        return "It is worse by more than the margin."
    if code == "HOLD":
        return "It is worse, perhaps by less than the margin."
    return ""


def _why_undecided(code: str, finding: _Finding) -> str:
    if code in {"PROMOTE", "ROLL_BACK"}:
        return ""
    return f"The interval holds both sides of −{_points(finding.margin)}."


def _would_change(code: str, finding: _Finding, minimum: int) -> str:
    if code == "PROMOTE":
        return f"A margin of {_points(floor(-1e4 * finding.low) / 1e4)} or less." if finding.low < 0 else ""
    if code == "ROLL_BACK":
        return f"A margin of {_points(ceil(-1e4 * finding.high) / 1e4)} or more."
    if finding.growth is None:
        return "No number of pairs would decide: the difference lies on the margin itself."
    extra = max(finding.growth, minimum / finding.units) - 1
    more_pairs = max(1, ceil(extra * finding.pairs))
    more = several(more_pairs, "more pair")
    if finding.sessions is not None:
        more_sessions = max(1, ceil(extra * finding.sessions))
        more = f"{several(more_sessions, 'more ' + finding.unit)} ({several(more_pairs, 'pair')})"
    towards = "PROMOTE" if finding.delta > -finding.margin else "ROLL BACK"
    return f"About {more}, if the difference stays as it is; that would be {towards}."


def _digits(width: float) -> int:
    """Decimals, in points, that show two figures of the interval's half width; at least 2, at most 6."""
    return 2 if width <= 0 else max(2, min(6, 1 - floor(log10(50 * width))))


def _and(missing: dict[str, int]) -> str:
    return " and ".join(f"{count(number)} {words}" for words, number in missing.items() if number)


def _spoken(code: str) -> str:
    return code.replace("_", " ")


def _points(share: float) -> str:
    text = f"{100 * share:.6g}"
    return f"{text} {'point' if text == '1' else 'points'}"
