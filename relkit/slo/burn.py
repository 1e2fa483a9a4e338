"""Burn rate: how many times faster than the objective allows a service uses up its error budget.

burn = (bad / valid) / (1 - target). At 1 the budget lasts exactly its window; a total outage burns at 1 / (1 - target).
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.exceptions import ParameterError
from relkit.slo.minutes import Bools, Floats, Gap, Ints, Minutes, MinuteShares, runs
from relkit.slo.objective import Objective
from relkit.units import MINUTES_PER_DAY

_EXACT: Final = 2**53  # whole numbers up to here are floats without loss
_GRAIN: Final = 10**12  # shares are summed as whole 10^-12 parts, so that windows by difference leave no residue


@dataclass(frozen=True, slots=True)
class Tier:
    """One pair of windows of a burn-rate alert: it holds while both windows burn faster than the factor.

    Parameters
    ----------
    severity : str
        page or ticket.
    long_minutes, short_minutes : int
        The two windows; the short one makes the alert end soon after the trouble does.
    factor : float
        Burn rate that both must exceed (strictly).

    >>> TIERS[0].spent_share(30)
    0.02
    """

    severity: str
    long_minutes: int
    short_minutes: int
    factor: float

    def spent_share(self, window_days: int) -> float:
        """Return the share of the budget of `window_days` that is gone when the tier fires, at flat traffic.

        factor x long window / objective window: 14.4 x 1 h / 30 d = 2 %.
        """
        return float(_written(self.factor) * self.long_minutes / (MINUTES_PER_DAY * window_days))


TIERS: Final = (
    Tier("page", 60, 5, 14.4),
    Tier("page", 360, 30, 6.0),
    Tier("ticket", 1440, 120, 3.0),
    Tier("ticket", 4320, 360, 1.0),
)
"""Beyer et al., The Site Reliability Workbook (2018), chapter 5, for an objective over 30 days: 2, 5, 10 and 10 %."""


def tiers_for(window_days: int) -> tuple[Tier, ...]:
    """Return the Workbook's tiers for an objective over another window: the same shares of the budget, other factors.

    With 30-day factors a page on a 7-day objective would come after 8.6 % of the budget instead of 2 %.

    >>> [tier.factor for tier in tiers_for(28)][:2]
    [13.44, 5.6]
    """
    return tuple(
        Tier(tier.severity, tier.long_minutes, tier.short_minutes, float(_written(tier.factor) * window_days / 30))
        for tier in TIERS
    )


def burn(minutes: Minutes, objective: Objective, window_minutes: int) -> Floats:
    """Return the burn rate over the window that ends with each minute, weighted by requests.

    Parameters
    ----------
    minutes : Minutes
        The grid of counts.
    objective : Objective
        Gives the budget share 1 - target.
    window_minutes : int
        Length of the window in minutes; entry i speaks of the minutes i - window + 1 to i.

    Returns
    -------
    float array
        One entry a minute, 0 = nothing bad. NaN where the window starts before the grid, where less than half of its
        minutes hold data, or where it holds no valid request: no traffic is no burn rate, not a burn rate of 0.

    Notes
    -----
    (bad x den) / (valid x num) with 1 - target = num/den. The sums are differences of cumulative whole numbers and the
    division comes last, so a burn of exactly 14.4 is the float 14.4 and is not over it. O(N) for any window.

    Examples
    --------
    >>> grid = Minutes(0, [99, 98, 100], [1, 2, 0], [0] * 3, [0] * 3, [True] * 3)
    >>> burn(grid, Objective("availability", "0.99"), 2).tolist()
    [nan, 1.5, 1.0]
    """
    window = _window(window_minutes)
    rates = np.full(len(minutes), np.nan)
    if window > len(minutes):
        return rates
    bad, valid = _window_sums(minutes.bad, window), _window_sums(minutes.valid, window)
    covered = _window_sums(minutes.covered.astype(np.int64), window)
    share = objective.budget_share
    told = (valid > 0) & (2 * covered >= window)
    if max(int(valid.max()) * share.numerator, int(bad.max()) * share.denominator) < _EXACT:
        above, below = bad * share.denominator, valid * share.numerator
        full = np.divide(above, below, out=np.full(len(valid), np.nan), where=told)
    else:  # beyond 2^53 the products would not be exact, and beyond 2^63 wrong
        full = np.divide(bad, valid, out=np.full(len(valid), np.nan), where=told) / float(share)
    rates[window - 1 :] = full
    return rates


def burn_of_shares(
    shares: MinuteShares, objective: Objective, window_minutes: int, *, full_only: bool = True
) -> Floats:
    """Return the burn rate over the window that ends with each minute, every minute weighing the same.

    For series that were averaged before they reached us. A quiet minute with one failure counts as much as a busy
    one, so where counts exist use `burn`.

    Parameters
    ----------
    shares : MinuteShares
        Good share of each clock minute, NaN = missing.
    objective : Objective
        Gives the budget share 1 - target.
    window_minutes : int
        Length of the window in clock minutes, missing ones included: the window never reaches back further to make up
        for a gap.
    full_only : bool
        True: NaN for the first window - 1 minutes, whose window starts before the grid. False: there the window is
        cut at the start of the grid, as a rule engine does that averages what it has. One bad minute among the first
        few then looks like a blaze.

    Returns
    -------
    float array
        mean(1 - share) / (1 - target) over the minutes that are present; NaN where less than half of the window (as far
        as it lies on the grid) is present.

    Notes
    -----
    On the Nezha frontend log of 2022-08-22 (1,209 minutes, objective 99.9 %) the unweighted mean over the whole log
    is a burn of 5.9. A 60-minute window is over 10 in 141 minutes with `full_only=False`: 47 of them lie in the first
    59 minutes, whose windows are cut. With full windows, the default, it is 94 minutes. Both count windows of exactly
    60 clock minutes, the ending one included, and compare strictly.

    Examples
    --------
    >>> series = MinuteShares(0, [0.5, 1.0, 1.0], "demo")
    >>> goal = Objective("availability", "0.9")
    >>> burn_of_shares(series, goal, 2).tolist(), burn_of_shares(series, goal, 2, full_only=False).tolist()
    ([nan, 2.5, 0.0], [5.0, 2.5, 0.0])
    """
    window = _window(window_minutes)
    present = shares.present.astype(np.int64)
    missed = np.where(shares.present, np.rint((1 - shares.share) * _GRAIN), 0).astype(np.int64)
    lost, there = _sums_so_far(missed, window), _sums_so_far(present, window)
    length = np.minimum(np.arange(1, len(shares) + 1), window)
    told = (there > 0) & (2 * there >= length)
    if full_only:
        told &= length == window
    mean = np.divide(lost, there, out=np.full(len(shares), np.nan), where=told)
    rates: Floats = mean / (_GRAIN * float(objective.budget_share))
    return rates


def over(rates: Floats, factor: float) -> Bools:
    """Return where a burn rate is over a factor, strictly; NaN is not.

    Strict as in the Workbook's rules and in Prometheus, so that a burn of exactly the factor does not fire.

    >>> over(np.array([14.4, 14.5, np.nan]), 14.4).tolist()
    [False, True, False]
    """
    return rates > factor


def episodes(mask: Bools, start_minute: int) -> list[Gap]:
    """Return the maximal runs of True as (start, end) in unix minutes, end exclusive, in order of time.

    >>> episodes(np.array([False, True, True, False, True]), 100)
    [(101, 103), (104, 105)]
    """
    return runs(mask, start_minute)


def threshold_reachable(factor: float, objective: Objective) -> bool:
    """Say whether an alert at this burn rate can ever fire.

    A total outage burns at 1 / (1 - target), and the comparison is strict: at or above that a rule is silent for ever.

    >>> threshold_reachable(14.4, Objective("availability", "0.90")), threshold_reachable(10, Objective("p50", "0.5"))
    (False, False)
    """
    return _written(factor) * objective.budget_share < 1


def _written(factor: float) -> Fraction:
    """Return the factor as it was written: 14.4 means 72/5, not the binary float beside it."""
    return Fraction(str(factor))


def _window(given: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
        raise ParameterError.of("window_minutes", given, "a whole number of minutes from 1", "give minutes, e.g. 60")
    return int(given)


def _cumulative(values: Ints) -> Ints:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(values, dtype=np.int64)))


def _window_sums(values: Ints, window: int) -> Ints:
    """Sum each full window; the first entry belongs to minute window - 1."""
    sums = _cumulative(values)
    return sums[window:] - sums[:-window]


def _sums_so_far(values: Ints, window: int) -> npt.NDArray[np.int64]:
    """Sum each window, those at the start cut at the start of the grid."""
    sums = _cumulative(values)
    ends = np.arange(1, len(values) + 1)
    return sums[ends] - sums[np.maximum(ends - window, 0)]
