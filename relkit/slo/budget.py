"""ErrorBudget: how much of what may fail has failed, and whether that settles the objective.

Two questions, two answers. `is_met` asks whether the requests that were counted kept the objective; it compares
integers and leaves no doubt. `verdict` asks whether so many requests show that the service keeps it: at 10,000
requests a month a service that is exactly at 99.9 % is reported as having missed it in 42 % of the months, so the
second question needs an interval and the answer may be "undecided".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scipy.special import ndtri

from relkit.exceptions import ParameterError
from relkit.intervals import wilson_of_share
from relkit.slo.minutes import Gap, Minutes, gap_text
from relkit.slo.objective import Objective
from relkit.slo.slices import parts_of
from relkit.units import count, percent, several
from relkit.verdict import Verdict

_UNKNOWN_WORTH_NAMING = Fraction(1, 100)


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise ParameterError.of("level", level, "0 < level < 1", "pass a share such as 0.95")
    return float(ndtri((1 + level) / 2))


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """What an objective allows over a stretch of time, and what was used of it.

    Parameters
    ----------
    objective : Objective
        The objective whose budget it is.
    valid : int
        Requests in the denominator, or slices of time: what the objective counts.
    bad : int or Fraction
        Those of them that were bad; a fraction where the good shares of slices are averaged.
    excluded, unknown : int
        Requests left out as faults of the caller, and requests whose outcome is not told.
    coverage : float
        Share of the minutes that hold data, in [0, 1].
    level : float
        Confidence level of `low` and `high`.

    Examples
    --------
    >>> spent = ErrorBudget(Objective("availability", "0.999"), valid=10_000, bad=4)
    >>> spent.allowed, spent.spent_share, spent.left_share, spent.is_met
    (Fraction(10, 1), 0.4, 0.6, True)
    """

    objective: Objective
    valid: int
    bad: int | Fraction
    excluded: int = 0
    unknown: int = 0
    coverage: float = 1.0
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.valid:
            raise ParameterError.of(
                "bad", self.bad, f"0 to valid = {self.valid}", "count bad requests among valid ones"
            )
        for name, number in (("excluded", self.excluded), ("unknown", self.unknown)):
            if number < 0:
                raise ParameterError.of(name, number, "0 or more", "give a count of requests")
        if not 0 <= self.coverage <= 1:
            raise ParameterError.of("coverage", self.coverage, "0 to 1", "give a share of minutes")
        _z(self.level)

    @property
    def allowed(self) -> Fraction:
        """Return how many requests may be bad: budget share x valid, exactly."""
        return self.objective.budget_share * self.valid

    @property
    def spent_share(self) -> float | None:
        """Return bad / allowed; above 1 when the budget is overdrawn, None without valid requests."""
        return float(self.bad / self.allowed) if self.valid else None

    @property
    def left_share(self) -> float | None:
        """Return 1 - spent_share; negative when the budget is overdrawn, None without valid requests."""
        return float(1 - self.bad / self.allowed) if self.valid else None

    @property
    def sli(self) -> float | None:
        """Return the good share of the valid requests, None without any."""
        return float((self.valid - self.bad) / self.valid) if self.valid else None

    @property
    def low(self) -> float | None:
        """Return the lower end of the Wilson interval of the good share, None without valid requests."""
        return _interval(self.bad, self.valid, self.level)[0] if self.valid else None

    @property
    def high(self) -> float | None:
        """Return the upper end of the Wilson interval of the good share, None without valid requests."""
        return _interval(self.bad, self.valid, self.level)[1] if self.valid else None

    @property
    def is_met(self) -> bool | None:
        """Say whether the counted requests kept the objective, by integers; exactly on target is kept.

        None without valid requests: 0 of 0 is neither kept nor missed.
        """
        budget = self.objective.budget_share
        return self.bad * budget.denominator <= budget.numerator * self.valid if self.valid else None

    @property
    def requests_to_decide(self) -> int | None:
        """Return `requests_to_decide` of this budget; None when no finite number would."""
        return requests_to_decide(self.bad, self.valid, self.objective.target, self.level) if self.valid else None


def error_budget(objective: Objective, minutes: Minutes, level: float = 0.95) -> ErrorBudget:
    """Return the error budget of an objective over a grid of minutes, weighted by what it counts.

    Sums of requests, never a mean of minute shares: with that a quiet night would weigh as much as a busy day. An
    objective on slices takes the grid of `in_slices`.

    >>> grid = Minutes(0, [99, 0], [1, 0], [5, 0], [0, 0], [True, False])
    >>> spent = error_budget(Objective("availability", "0.99"), grid)
    >>> spent.valid, spent.excluded, spent.coverage, spent.is_met
    (100, 5, 0.5, True)
    """
    sums, parts = minutes.totals, parts_of(objective)
    bad = sums.bad if parts == 1 else Fraction(sums.bad, parts)
    return ErrorBudget(objective, sums.valid // parts, bad, sums.excluded, sums.unknown, minutes.coverage, level)


def requests_to_decide(bad: int | Fraction, valid: int, target: Fraction, level: float = 0.95) -> int | None:
    """Return how many requests, at the same observed share, put the Wilson interval wholly on one side of the target.

    The interval holds every share t with |p - t| <= z sqrt(t(1-t)/n), so it leaves the target from
    n = z^2 t(1-t) / (p-t)^2 on. None when p = t exactly: no number of requests would do.

    >>> requests_to_decide(20, 10_000, Fraction(999, 1000))
    3838
    >>> requests_to_decide(10, 10_000, Fraction(999, 1000)) is None
    True
    """
    if not 0 <= bad <= valid or valid == 0:
        raise ParameterError.of(
            "bad, valid", (bad, valid), "0 <= bad <= valid, valid > 0", "count at least one request"
        )
    apart = Fraction(valid - bad, valid) - target
    if apart == 0:
        return None
    return math.ceil(Fraction(_z(level)) ** 2 * target * (1 - target) / apart**2)


def share_digits(share: float | Fraction, target: Fraction, least: int = 2) -> int:
    """Return how many decimals of percent keep a share on its own side of the target, and below 100 %, when printed.

    99.895 % is not printed as 99.90 % beside "the objective is 99.9 %: missed".

    Parameters
    ----------
    share : float or Fraction
        The share that will be printed with `units.percent`.
    target : Fraction
        The exact target it is read against.
    least : int
        Fewest decimals; at most 12 are returned, where a float ends.

    >>> share_digits(0.9942, Fraction(999, 1000)), share_digits(0.99897, Fraction(999, 1000))
    (2, 3)
    """
    exact = Fraction(share)
    for digits in range(least, 12):
        printed = Fraction(percent(float(share), digits).removesuffix(" %")) / 100
        same_side = (printed > target) - (printed < target) == (exact > target) - (exact < target)
        if same_side and (printed < 1) == (exact < 1) and (printed > 0) == (exact > 0):
            return digits
    # On a target like 2/3 no decimal is equal to it; the first twelve say so well enough.
    return 12


def verdict(budget: ErrorBudget, *, minimum_coverage: float = 0.95, gaps: Sequence[Gap] = ()) -> Verdict:
    r"""Say whether the service keeps its objective: MET, MISSED or UNDECIDED.

    MET when the Wilson interval lies wholly at or above the target, MISSED when it lies wholly below. UNDECIDED when
    it holds the target, when no valid request was seen, when less than `minimum_coverage` of the minutes hold data,
    or when the requests of unknown outcome, counted all good or all bad, would give another code. An outcome that is
    never told is often a crash, so a few unknown ones outweigh a budget of one in a thousand.

    Parameters
    ----------
    budget : ErrorBudget
        What was counted.
    minimum_coverage : float
        Least share of minutes with data, in [0, 1].
    gaps : sequence of (int, int)
        Missing stretches as `Minutes.gaps` gives them, longest first; named in `why_not`.

    >>> verdict(ErrorBudget(Objective("availability", "0.99"), valid=1000, bad=30)).sentence
    '97.00 % of 1\u202f000 requests were good (95 % interval 95.75 to 97.89 %); the objective is 99 %: missed.'
    """
    code, reasons, changes = _decide(budget, minimum_coverage, gaps)
    return Verdict(
        area="slo",
        code=code,
        sentence=_sentence(budget, code),
        value=budget.sli,
        low=budget.low,
        high=budget.high,
        level=budget.level if budget.valid else None,
        n=budget.valid,
        why_not=" ".join(reasons),
        would_change=" ".join(changes),
    )


def _decide(budget: ErrorBudget, minimum_coverage: float, gaps: Sequence[Gap]) -> tuple[str, list[str], list[str]]:
    """Return the code, the reasons against a stronger one, and what would change it."""
    code = _code(budget.objective, budget.bad, budget.valid, budget.level)
    reasons, changes = [], []
    if budget.coverage < minimum_coverage:
        code = "UNDECIDED"
        reasons.append(_coverage_text(budget.coverage, minimum_coverage, gaps))
        changes.append("The rows of the missing minutes.")
    if budget.valid == 0:
        reasons.append("No request with a known outcome was counted: 0 of 0 is not 100 %.")
        changes.append("Requests with a known outcome.")
    elif budget.coverage >= minimum_coverage:
        if code == "UNDECIDED":
            reasons.append("The interval holds the objective.")
            changes.append(_requests_text(budget))
        else:
            changes.extend(_spare_text(budget) if code == "MET" else [])

    if budget.objective.method != "occurrences":  # how a slice would turn out with them cannot be told from the sums
        if budget.unknown:
            reasons.append(
                f"The outcome of {several(budget.unknown, 'request')} is not told; the slices stand without them."
            )
        return code, reasons, changes
    known_and_unknown = budget.valid + budget.unknown
    extremes = {
        _code(budget.objective, budget.bad + more, known_and_unknown, budget.level) for more in (0, budget.unknown)
    }
    flips = code != "UNDECIDED" and extremes != {code}
    if budget.unknown > _UNKNOWN_WORTH_NAMING * known_and_unknown or flips:
        share = percent(budget.unknown / known_and_unknown)
        reasons.append(f"The outcome of {several(budget.unknown, 'request')} ({share}) is not told.")
    if flips:
        reasons.append("Counted as good or as bad they would give different verdicts.")
        code, changes = "UNDECIDED", ["The outcome of the requests that do not tell it."]
    return code, reasons, changes


def _interval(bad: int | Fraction, valid: int, level: float) -> tuple[float, float]:
    """Wilson's interval of the good share; of averaged shares, which vary less than events, it is on the wide side."""
    return wilson_of_share(float((valid - bad) / valid), valid, level) if valid else (0.0, 1.0)


def _code(objective: Objective, bad: int | Fraction, valid: int, level: float) -> str:
    low, high = _interval(bad, valid, level)
    if Fraction(low) >= objective.target:
        return "MET"
    return "MISSED" if Fraction(high) < objective.target else "UNDECIDED"


def _sentence(budget: ErrorBudget, code: str) -> str:
    objective, end = budget.objective, f"the objective is {budget.objective.target_text}: {code.lower()}."
    of = "" if objective.service is None else f" of {objective.service}"
    if budget.sli is None or budget.low is None or budget.high is None:
        return f"No {objective.unit}{of} with a known outcome ended in this time; {end}"
    exact = Fraction(budget.valid - budget.bad, budget.valid)
    digits = max(share_digits(share, objective.target) for share in (exact, budget.low, budget.high))
    were = "were good"
    if objective.threshold_us is not None and objective.method == "occurrences":
        were = f"took at most {count(objective.threshold_us / 1000)} ms"
    interval = f"{percent(budget.low, digits).removesuffix(' %')} to {percent(budget.high, digits)}"
    return (
        f"{percent(budget.sli, digits)} of {several(budget.valid, objective.unit, objective.units)}{of} {were} "
        f"({100 * budget.level:.4g} % interval {interval}); {end}"
    )


def _coverage_text(coverage: float, minimum: float, gaps: Sequence[Gap]) -> str:
    text = f"Not enough data: {percent(coverage)} of the minutes hold any, {100 * minimum:.4g} % are needed"
    if gaps:
        missing = sum(end - start for start, end in gaps)
        stretches = several(len(gaps), "stretch", "stretches")
        text += f"; {several(missing, 'missing minute')} in {stretches}, the longest {gap_text(gaps[0])}"
    return text + "."


def _requests_text(budget: ErrorBudget) -> str:
    needed = budget.requests_to_decide
    if needed is None:
        return "The share equals the objective exactly: no finite number of requests at this share would decide."
    # The interval's own rounding may hold the target at the very number of the formula: never promise 0 more.
    more = max(1, needed - budget.valid)
    unit, units = budget.objective.unit, budget.objective.units
    return f"At this share {several(budget.valid + more, unit, units)} would decide, {count(more)} more than now."


def _spare_text(budget: ErrorBudget) -> list[str]:
    """Say how many more bad requests among as many would still read MET."""
    low, high = math.ceil(budget.bad), budget.valid
    while high - low > 1:  # MET is kept up to `low`, and lost from `high` on
        middle = (low + high) // 2
        kept = _code(budget.objective, middle, budget.valid, budget.level) == "MET"
        low, high = (middle, high) if kept else (low, middle)
    more, unit, units = low + 1 - math.ceil(budget.bad), budget.objective.unit, budget.objective.units
    return [f"{several(more, unit, units)} more that went wrong, among as many, would leave it undecided."]
