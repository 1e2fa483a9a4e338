"""The decision: guardrails, the catastrophe breaker and the quality of the data, as one code with its reasons.

While a rollout runs it is looked at every minute, so only evidence that holds at every look counts. At the horizon the
protocol declares, one look with the narrower interval is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any, Final

from scipy.stats import binomtest

from relkit.shadow.catastrophe import DEFAULT_CATASTROPHE, Catastrophe, is_catastrophe
from relkit.shadow.experiment import judge_experiment
from relkit.shadow.guardrails import (
    HARM,
    NOT_MEASURED,
    SAFE,
    UNDECIDED,
    Guardrail,
    guardrails,
)
from relkit.shadow.margins import Margins
from relkit.shadow.ratio import TIGHT_AT
from relkit.shadow.sessions import SessionSums
from relkit.shadow.study import Study
from relkit.units import count, percent, points, several
from relkit.verdict import Verdict

_UNBALANCED: Final = 0.001
"""Below this p the arms were not dealt as planned, and nothing that follows can be trusted."""
_WORST_FIRST: Final = ("INVALID", "ROLL_BACK", "HOLD", "INCONCLUSIVE", "PROMOTE")
_HARMS: Final[Mapping[str, tuple[str, str]]] = {
    "errors": ("HIGH_ERROR_RATE", "CRITICAL"),
    "differences": ("HIGH_DIFFERENCE_RATE", "HIGH"),
    "latency": ("PERFORMANCE_REGRESSION", "MEDIUM"),
    "cost": ("HIGH_COST", "MEDIUM"),
    "flags": ("FLAGGED_ANSWERS", "CRITICAL"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the gate holds a shadow to.

    Parameters
    ----------
    margins : Margins
        What it may lose.
    level : float
        Two-sided confidence level, in (0, 1).
    minimum_sessions : int
        Sessions below which the gate neither promotes nor rolls back, the catastrophe breaker excepted.
    tight_at : int
        Sessions at which the evidence of many looks is strongest; declared beforehand.
    catastrophe : Catastrophe
        When counts alone end it.
    shares : mapping of int to float
        Step of the rollout to the share of eligible requests that should be mirrored; empty when nobody planned one.

    Examples
    --------
    >>> Rules().minimum_sessions
    30
    """

    margins: Margins = field(default_factory=Margins)
    level: float = 0.95
    minimum_sessions: int = 30
    tight_at: int = TIGHT_AT
    catastrophe: Catastrophe = DEFAULT_CATASTROPHE
    shares: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the gate says what it says.

    Parameters
    ----------
    code : str
        HIGH_ERROR_RATE, HIGH_DIFFERENCE_RATE, PERFORMANCE_REGRESSION, HIGH_COST, FLAGGED_ANSWERS, CATASTROPHE,
        DUPLICATED_PAIRS, UNBALANCED_ORDER, UNPLANNED_SHARE, NO_PAIRS, TOO_FEW_SESSIONS, WITHIN_MARGIN_UNKNOWN.
    severity : str
        CRITICAL, HIGH, MEDIUM or LOW.
    message : str
        One sentence with the number.
    evidence : mapping of str to number
        What the sentence rests on.
    """

    code: str
    severity: str
    message: str
    evidence: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decides.

    Parameters
    ----------
    code : str
        PROMOTE, HOLD, ROLL_BACK, INCONCLUSIVE or INVALID: the input of `relkit.policies.rollout.advance`.
    reasons : tuple of Reason
        The worst first; empty when the shadow may go live.
    guardrails : tuple of Guardrail
        Every endpoint.
    anytime : bool
        Whether the evidence holds at every look.
    pairs, sessions : int
        What it rests on.
    """

    code: str
    reasons: tuple[Reason, ...]
    guardrails: tuple[Guardrail, ...]
    anytime: bool
    pairs: int
    sessions: int

    def record(self) -> dict[str, Any]:
        """Return the decision as plain values, numbers at 9 significant digits."""
        return {
            "code": self.code,
            "anytime": self.anytime,
            "pairs": self.pairs,
            "sessions": self.sessions,
            "reasons": [
                {
                    "code": reason.code,
                    "severity": reason.severity,
                    "message": reason.message,
                    "evidence": {name: _short(value) for name, value in reason.evidence.items()},
                }
                for reason in self.reasons
            ],
            "guardrails": [
                {name: _short(getattr(guardrail, name)) for name in guardrail.__dataclass_fields__}
                for guardrail in self.guardrails
            ],
        }


def decide(study: Study | None, rules: Rules, *, anytime: bool) -> Decision:
    """Decide what happens to the rollout.

    In this order: data that cannot be trusted is INVALID; the catastrophe breaker and harm beyond a margin are ROLL_BACK;
    worse than the primary for certain, perhaps by less than the margin, is HOLD; all guardrails within their margins is
    PROMOTE; anything else is INCONCLUSIVE.

    Parameters
    ----------
    study : Study or None
        The pairs so far; None when there are none.
    rules : Rules
        What the shadow is held to.
    anytime : bool
        True while the rollout runs, False for the one look at the declared horizon.
    """
    if study is None or study.experiment.counts.n == 0:
        return Decision("INCONCLUSIVE", (Reason("NO_PAIRS", "LOW", "No pair was compared.", {}),), (), anytime, 0, 0)
    found = study.experiment
    sums = found.sums or _pairs_as_sessions(study)
    rails = guardrails(
        study, rules.margins, rules.level, anytime=anytime, tight_at=rules.tight_at, minimum=rules.minimum_sessions
    )

    code, reasons = _weighed(study, sums, rails, rules, anytime)
    return Decision(code, tuple(reasons), rails, anytime, found.counts.n, sums.sessions)


def _weighed(
    study: Study, sums: SessionSums, rails: tuple[Guardrail, ...], rules: Rules, anytime: bool
) -> tuple[str, list[Reason]]:
    """Give the first code whose reasons hold, the worst first."""
    found = study.experiment
    fixed = judge_experiment(found, rules.margins.errors, rules.level)
    invalid = doubts(study, rules)
    if not invalid and fixed.code == "INVALID":
        invalid = [Reason("BROKEN_COUNTS", "CRITICAL", fixed.sentence, {})]
    harms = [_reason(rail) for rail in rails if rail.code == HARM]
    undecided = [rail for rail in rails if rail.code == UNDECIDED]
    lost = []
    if is_catastrophe(sums, rules.margins.errors, rules.catastrophe):
        text = (
            f"{several(sums.negative, 'session')} lost and {count(sums.positive)} won: "
            f"{points(found.counts.delta or 0.0)} so far. No interval is waited for."
        )
        evidence = {"lost": sums.negative, "won": sums.positive, "delta": found.counts.delta or 0.0}
        lost = [Reason("CATASTROPHE", "CRITICAL", text, evidence)]
    few = []
    if sums.sessions < rules.minimum_sessions:
        text = f"{several(sums.sessions, 'session')} so far; the gate opens at {count(rules.minimum_sessions)}."
        few = [Reason("TOO_FEW_SESSIONS", "LOW", text, {"sessions": sums.sessions})]
    worse = any(rail.low is not None and rail.low > 0 for rail in undecided)
    turned = []
    if not anytime and fixed.code != "PROMOTE":
        # Answers that never came may still turn the finding, which the intervals do not know.
        turned = [Reason("MISSING_ANSWERS", "HIGH", fixed.why_not or fixed.sentence, {})]
    weighed: tuple[tuple[str, list[Reason]], ...] = (
        ("INVALID", invalid),
        ("ROLL_BACK", lost + harms),
        ("INCONCLUSIVE", few),
        ("HOLD" if worse else "INCONCLUSIVE", [_reason(rail) for rail in undecided]),
        (fixed.code, turned),
    )
    return next(((code, reasons) for code, reasons in weighed if reasons), ("PROMOTE", []))


def doubts(study: Study, rules: Rules) -> list[Reason]:
    """List what makes the data untrustworthy: pairs that came twice, arms that were not dealt as planned."""
    found, reasons = study.experiment, []
    if found.duplicates:
        text = f"{several(found.duplicates, 'pair id')} came more than once."
        reasons.append(Reason("DUPLICATED_PAIRS", "CRITICAL", text, {"duplicates": found.duplicates}))
    first, told = study.primary_first
    if told:
        p = float(binomtest(first, told).pvalue)
        if p < _UNBALANCED:
            text = f"The primary ran first in {percent(first / told, 1)} of {several(told, 'pair')}; a coin would not (p {p:.1e})."
            reasons.append(Reason("UNBALANCED_ORDER", "HIGH", text, {"share": first / told, "p": p}))
    for step, share in sorted(rules.shares.items()):
        mirrored, eligible = study.mirrored_by_step.get(step, (0, 0))
        if mirrored < eligible:  # else the log holds only what was mirrored, and cannot tell
            p = float(binomtest(mirrored, eligible, share).pvalue)
            if p < _UNBALANCED:
                text = f"Step {step} mirrored {percent(mirrored / eligible, 1)} of {several(eligible, 'request')}; planned were {percent(share, 1)}."
                reasons.append(Reason("UNPLANNED_SHARE", "CRITICAL", text, {"share": mirrored / eligible, "p": p}))
    return reasons


def verdict_of(study: Study | None, rules: Rules, period: str) -> Verdict:
    """Give the verdict of a page, at the horizon: that of the primary endpoint, or of a guardrail that is worse.

    Parameters
    ----------
    study : Study or None
        None when no shadow ran.
    rules : Rules
        What it is held to.
    period : str
        Named where there is nothing.
    """
    fixed = judge_experiment(study.experiment if study else None, rules.margins.errors, rules.level, period)
    if study is None or study.experiment.counts.n == 0:
        return fixed
    decision = decide(study, rules, anytime=False)
    if _WORST_FIRST.index(decision.code) >= _WORST_FIRST.index(fixed.code):
        more = [reason.message for reason in decision.reasons if reason.code != "HIGH_ERROR_RATE"]
        if fixed.code == decision.code == "ROLL_BACK" and more:
            return replace(fixed, why_not=" ".join(filter(None, (fixed.why_not, "Also:", *more))))
        return fixed
    first = decision.reasons[0].message if decision.reasons else ""
    return replace(
        fixed,
        code=decision.code,
        sentence=f"{fixed.sentence} {first}".strip(),
        why_not=" ".join(reason.message for reason in decision.reasons[1:]),
        would_change="Every guardrail within its margin."
        if decision.code != "INVALID"
        else "A log that can be trusted.",
    )


def _reason(rail: Guardrail) -> Reason:
    harm, severity = _HARMS[rail.name]
    assert rail.value is not None
    assert rail.low is not None
    assert rail.high is not None
    evidence = {
        "value": rail.value, "low": rail.low, "high": rail.high, "margin": rail.margin,
        "p_harm": rail.p_harm, "p_harm_adjusted": rail.p_harm_adjusted, "sessions": rail.sessions,
    }  # fmt: skip
    span = f"{spoken(rail.name, rail.value)} ({spoken(rail.name, rail.low)} to {spoken(rail.name, rail.high)}, {several(rail.sessions, 'session')})"
    margin = spoken(rail.name, rail.margin).removeprefix("+")
    if rail.code == HARM:
        return Reason(harm, severity, f"{_TITLES[rail.name]} {span}: more than the margin of {margin}.", evidence)
    text = f"{_TITLES[rail.name]} {span}: within the margin of {margin} or not is undecided."
    return Reason("WITHIN_MARGIN_UNKNOWN", "LOW", text, evidence)


_TITLES: Final = {
    "errors": "Wrong answers beyond the primary's:",
    "differences": "Differences beyond the baseline's:",
    "latency": "Latency beyond the primary's:",
    "cost": "Cost beyond the primary's:",
    "flags": "Flagged answers beyond the primary's:",
}


def spoken(name: str, value: float) -> str:
    """Write an excess in the unit of its endpoint.

    >>> spoken("errors", 0.0123), spoken("latency", 0.105)
    ('+1.23 pt', '+10.5 %')
    """
    if name in {"latency", "cost"}:
        return f"{100 * value:+.1f} %".replace("-", "−")
    return points(value)


def units_needed(rail: Guardrail) -> int | None:
    """Say how many times as many sessions would settle an undecided guardrail, its value staying; None where none would.

    The interval shrinks with the root of the sessions: (half width / distance to the margin)^2.
    """
    if rail.code in {SAFE, HARM, NOT_MEASURED} or rail.value is None or rail.high is None or rail.low is None:
        return None
    distance = abs(rail.margin - rail.value)
    half = (rail.high - rail.low) / 2
    if distance < half / sqrt(1e6):
        return None
    return max(0, round(rail.sessions * ((half / distance) ** 2 - 1)))


def _pairs_as_sessions(study: Study) -> SessionSums:
    counts = study.experiment.counts
    d, differing = counts.only_shadow - counts.only_primary, counts.discordant
    return SessionSums(
        counts.n, counts.n, d, differing, d, counts.n, counts.only_shadow, counts.only_primary, counts.n - differing, 1
    )


def _short(value: Any) -> Any:
    return float(f"{value:.9g}") if isinstance(value, float) else value
