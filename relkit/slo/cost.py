"""What reliability costs: retries, fallbacks and the shadow, and what one successful answer costs with all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from scipy.special import stdtrit

from relkit.exceptions import ParameterError
from relkit.prices import Money, Price, Use, money_of

LINES: Final = ("first tries", "retries", "fallbacks", "shadow", "probe", "canary")
"""Why a call was made, in the order in which pages show it."""

FEWEST_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class CostCell:
    """What the calls of one day, line, service and model used.

    Parameters
    ----------
    day : int
        Days since 1970 UTC, 0 where the log has no clock.
    line : str
        One of `LINES`.
    use : Use
        Calls with their cost or tokens, added up.

    >>> CostCell(20_000, "retries", Use("groq", "m", 2, 2, 260)).use.cost_microusd
    260
    """

    day: int
    line: str
    use: Use

    def __post_init__(self) -> None:
        if self.line not in LINES:
            raise ParameterError.of("line", self.line, ", ".join(LINES), "say why the call was made")


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the bill.

    Parameters
    ----------
    name : str
        One of `LINES`.
    calls : int
        Calls of it.
    money : Money
        What they cost, as far as it is known.

    >>> CostLine("retries", 3, Money(0.00039, 3, 3)).money.text
    '$0.00039'
    """

    name: str
    calls: int
    money: Money


@dataclass(frozen=True, slots=True)
class Costs:
    """What all calls of a period cost, and what that is for each successful answer.

    Parameters
    ----------
    lines : tuple of CostLine
        Those of `LINES` that have calls.
    total : Money
        Of all lines.
    answers : int
        Requests of users that succeeded.
    usd_per_answer, low, high : float or None
        Priced cost / answers in US dollars with its interval; None without a price or an answer, or under three days.
    level : float
        Confidence level of the interval.
    days : int
        Days the interval rests on.

    Examples
    --------
    >>> Costs((), Money(None, 0, 0), 0, None, None, None, 0.95, 0).added_share is None
    True
    """

    lines: tuple[CostLine, ...]
    total: Money
    answers: int
    usd_per_answer: float | None
    low: float | None
    high: float | None
    level: float
    days: int

    @property
    def added_share(self) -> float | None:
        """Return what everything but first tries adds to the cost of first tries; None where either is not known."""
        firsts = next((line.money.usd for line in self.lines if line.name == "first tries"), None)
        if not firsts or self.total.usd is None:
            return None
        return self.total.usd / firsts - 1

    def at(self, answers: int) -> float | None:
        """Return what so many answers would cost in US dollars, at the same cost each."""
        return None if self.usd_per_answer is None else self.usd_per_answer * answers


def cost_of(
    cells: Sequence[CostCell], answers_by_day: Mapping[int, int], prices: Mapping[str, Price], level: float = 0.95
) -> Costs:
    """Add up a bill.

    Parameters
    ----------
    cells : sequence of CostCell
        What was used.
    answers_by_day : mapping of int to int
        Day to requests that succeeded.
    prices : mapping of str to Price
        Model to price, for calls that state tokens and no cost.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    Costs
        Calls that have neither cost nor a price are named in `total.text`, never taken as free.

    Notes
    -----
    Cost per answer is a ratio R = sum c / sum a over days. Its variance by the delta method, with days as clusters (the
    requests of one day share its outages): D/(D-1) sum (c_d - R a_d)^2 / (sum a)^2, and Student's t with D - 1 degrees of
    freedom. Cochran, Sampling Techniques (1977), 6.3.

    Examples
    --------
    >>> day = lambda d: CostCell(d, "first tries", Use("groq", "m", 100, 100, 13_000))
    >>> bill = cost_of([day(1), day(2), CostCell(2, "retries", Use("groq", "m", 10, 10, 1_300))], {1: 100, 2: 95}, {})
    >>> round(bill.usd_per_answer, 6), round(bill.added_share, 3)
    (0.00014, 0.05)
    """
    if not 0 < level < 1:
        raise ParameterError.of("level", level, "0 < level < 1", "pass a share such as 0.95")
    lines = []
    for name in LINES:
        uses = [cell.use for cell in cells if cell.line == name]
        if uses:
            lines.append(CostLine(name, sum(use.calls for use in uses), money_of(uses, prices)))
    total = money_of([cell.use for cell in cells], prices)
    answers = sum(answers_by_day.values())
    days = sorted({cell.day for cell in cells} | set(answers_by_day))
    if total.usd is None or not answers:
        return Costs(tuple(lines), total, answers, None, None, None, level, len(days))
    ratio = total.usd / answers
    half = None
    if len(days) >= FEWEST_DAYS:
        spent = {day: money_of([cell.use for cell in cells if cell.day == day], prices).usd or 0.0 for day in days}
        squares = sum((spent[day] - ratio * answers_by_day.get(day, 0)) ** 2 for day in days)
        spread = sqrt(len(days) / (len(days) - 1) * squares) / answers
        half = spread * float(stdtrit(len(days) - 1, (1 + level) / 2))
    low, high = (None, None) if half is None else (max(0.0, ratio - half), ratio + half)
    return Costs(tuple(lines), total, answers, ratio, low, high, level, len(days))
