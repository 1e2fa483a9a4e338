"""Forecast: what will be left of an error budget when its window ends, with a band, and when it runs out.

The estimand is the budget left at the end of the window, told at any moment before: what the log holds of the window
is known, the rest is drawn (`relkit.slo.futures`). A rolling window recovers: what was bad a window ago falls out of it.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from relkit.exceptions import ParameterError
from relkit.slo.futures import futures
from relkit.slo.minutes import Floats, Ints, Minutes, utc_text
from relkit.slo.objective import Objective
from relkit.slo.outages import hours_of
from relkit.slo.slices import parts_of
from relkit.units import HOURS_PER_DAY, MINUTES_PER_HOUR, percent
from relkit.verdict import Verdict

# Of what lies outside a band, three tenths on the side of less budget: a shortfall that was not announced is the dearer error.
_BAD_SIDE: Final = 0.3
_FAN_STEP_HOURS: Final = 6
_LONGEST_AHEAD_HOURS: Final = 400 * HOURS_PER_DAY


@dataclass(frozen=True, slots=True)
class FanPoint:
    """Budget left at a moment to come: middle and band.

    >>> FanPoint(60, 0.2, 0.5, 0.6).middle
    0.5
    """

    minute: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The budget left at the end of a window, as far as it can be told now.

    Parameters
    ----------
    objective : Objective
        Whose budget it is.
    start_minute, now_minute, end_minute : int
        The window, and the end of what is known, in unix minutes.
    known_share : float
        Share of the window's minutes up to now that the log holds, in [0, 1].
    left_now : float or None
        Budget left of the window that ends now (a calendar window: so far); None without a counted unit.
    left, low, high : float or None
        Budget left at the end: median and band. None when there is less than a day to draw from.
    met_share : float or None
        Share of the futures in which the objective is kept at the end: P(met).
    runs_out_share : float or None
        Share of the futures in which nothing is left at some moment before the end.
    runs_out_minute, runs_out_early, runs_out_late : int or None
        Median of that moment and its band over all futures; None where so many futures never get there.
    level : float
        Confidence level of the bands.
    outages : int
        Outages in the log, from which those to come are drawn.
    history_days : float
        Days of log that were drawn from.
    fan : tuple of FanPoint
        Budget left from now to the end.

    Examples
    --------
    >>> grid = Minutes(0, [99] * 2880, [0] * 2880, [0] * 2880, [0] * 2880, [True] * 2880)
    >>> ahead = forecast(grid, Objective("a", "0.99", window_days=4), 5760)
    >>> ahead.left_now, ahead.left > 0.95, ahead.verdict.code
    (1.0, True, 'MET')
    """

    objective: Objective
    start_minute: int
    now_minute: int
    end_minute: int
    known_share: float
    left_now: float | None
    left: float | None
    low: float | None
    high: float | None
    met_share: float | None
    runs_out_share: float | None
    runs_out_minute: int | None
    runs_out_early: int | None
    runs_out_late: int | None
    level: float
    outages: int
    history_days: float
    fan: tuple[FanPoint, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Say whether the objective will be kept: MET or MISSED when at least `level` of the futures agree."""
        end = utc_text(self.end_minute)
        if self.met_share is None or self.left is None:
            return Verdict(
                "slo",
                "UNDECIDED",
                f"The budget left on {end} cannot be told: a day of log with requests is needed to draw from.",
                would_change="A day of log.",
            )
        code = "MET" if self.met_share >= self.level else "MISSED" if self.met_share <= 1 - self.level else "UNDECIDED"
        chance = (
            "under 0.1 %"
            if self.met_share < 0.001
            else "over 99.9 %"
            if self.met_share > 0.999
            else percent(self.met_share, 1)
        )
        why = [] if code != "UNDECIDED" else [f"Fewer than {100 * self.level:.4g} % of the futures agree."]
        if self.known_share < 0.95:
            why.append(
                f"The log holds {percent(self.known_share, 0)} of the window so far; the rest of it is not counted."
            )
        return Verdict(
            "slo",
            code,
            f"Budget left on {end}: {left_text(self.left)} (band {left_text(self.low)} to {left_text(self.high)}); "
            f"the objective is kept in {chance} of the futures.",
            value=self.left,
            low=self.low,
            high=self.high,
            level=self.level,
            n=round(self.history_days * HOURS_PER_DAY),
            why_not=" ".join(why),
            would_change="A longer log narrows the band." if code == "UNDECIDED" else "",
        )


def forecast(
    minutes: Minutes,
    objective: Objective,
    end_minute: int,
    *,
    start_minute: int | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> Forecast:
    """Forecast the budget left when a window ends.

    Parameters
    ----------
    minutes : Minutes
        The whole log up to now, as `in_slices` gives it; what lies before the window tells what may come.
    objective : Objective
        Gives budget and window.
    end_minute : int
        End of the window, in unix minutes, after the log's end.
    start_minute : int, optional
        Start of a window that stands still (a calendar month). Default: the window rolls, and at the end begins
        `objective.window_minutes` before it.
    level : float
        Confidence level in (0, 1).
    draws : int
        Futures to draw.
    seed : int
        Of the draws.

    Returns
    -------
    Forecast
        The band's two tails differ: 7/10 of 1 - level lie on the good side, 3/10 on the bad one.

    Raises
    ------
    ParameterError
        For an end that is not after the log's end, or more than 400 days away.
    """
    now = minutes.end_minute
    ahead = -(-(end_minute - now) // MINUTES_PER_HOUR)
    if not 0 < ahead <= _LONGEST_AHEAD_HOURS:
        raise ParameterError.of(
            "end_minute",
            end_minute,
            f"after the log's end at {now}, within 400 days",
            "forecast a window that is not over",
        )
    if not 0 < level < 1:
        raise ParameterError.of("level", level, "0 < level < 1", "pass a share such as 0.95")
    rolls = start_minute is None
    first = end_minute - objective.window_minutes if start_minute is None else start_minute
    begun = now - objective.window_minutes if rolls else first
    hours = hours_of(minutes, objective)
    steps = np.arange(1, ahead + 1) * MINUTES_PER_HOUR
    starts = (
        np.maximum(now + steps - objective.window_minutes, minutes.start_minute) if rolls else np.full(ahead, first)
    )
    past_valid, past_bad = (
        _since(minutes, minutes.valid, starts, objective),
        _since(minutes, minutes.bad, starts, objective),
    )
    left_now = _left_now(minutes, objective, begun)
    known = _known_share(minutes, begun, now)
    seen = float(np.count_nonzero(hours.covered) / HOURS_PER_DAY)
    if len(hours.valid) < HOURS_PER_DAY or seen < 1 or not hours.valid.any():
        blank = (None,) * 8
        return Forecast(objective, first, now, end_minute, known, left_now, *blank, level, len(hours.outages), seen)
    valid, bad = futures(hours, ahead, draws, np.random.default_rng(seed))
    allowed = float(objective.budget_share) * (past_valid + np.cumsum(valid, axis=1))
    spent = past_bad + np.cumsum(bad, axis=1)
    left = 1 - spent / np.maximum(allowed, 1e-12)
    tails = ((1 - level) * _BAD_SIDE, 0.5, 1 - (1 - level) * (1 - _BAD_SIDE))
    low, middle, high = (float(mark) for mark in np.quantile(left[:, -1], tails, method="inverted_cdf"))
    gone = left <= 0
    out = np.where(gone.any(axis=1), now + (np.argmax(gone, axis=1) + 1) * MINUTES_PER_HOUR, np.inf)
    early, median, late = np.quantile(out, ((1 - level) / 2, 0.5, (1 + level) / 2), method="inverted_cdf")
    return Forecast(
        objective, first, now, end_minute, known, left_now, middle, low, high,
        float((left[:, -1] >= 0).mean()), float(gone.any(axis=1).mean()),
        _whole(median), _whole(early), _whole(late), level, len(hours.outages), seen, _fan(left, now, end_minute, tails),
    )  # fmt: skip


def exhaustion_minutes(minutes: Minutes, objective: Objective, burn_rate: float) -> int | None:
    """Return after how many minutes a rolling budget is gone at one burn rate, or None when it never is.

    Parameters
    ----------
    minutes : Minutes
        The log up to now.
    objective : Objective
        Gives budget and window.
    burn_rate : float
        Burn from now on, 0 or more; traffic goes on as it was a window ago (before the log: as on its average).

    Notes
    -----
    The first t with bad(now - P + t .. now) + burn x budget share x traffic(now .. now + t) >= budget share x traffic of
    that window. What was bad falls out of a rolling window, so at burn 1 or less a kept budget never runs out. From a full
    budget it is P / burn.

    Examples
    --------
    >>> grid = Minutes(0, [100] * 1440, [0] * 1440, [0] * 1440, [0] * 1440, [True] * 1440)
    >>> goal = Objective("a", "0.999", window_days=1)
    >>> exhaustion_minutes(grid, goal, 2.0), exhaustion_minutes(grid, goal, 0.9)
    (720, None)
    """
    if not 0 <= burn_rate < float("inf"):
        raise ParameterError.of("burn_rate", burn_rate, "0 or more, finite", "give how many times faster than allowed")
    window = objective.window_minutes
    usual = float(minutes.valid.sum()) / max(int(np.count_nonzero(minutes.covered)), 1)
    if usual == 0:
        return None
    valid, bad = np.full(window, usual), np.zeros(window)
    kept = min(window, len(minutes))
    valid[window - kept :], bad[window - kept :] = minutes.valid[-kept:], minutes.bad[-kept:]
    share = float(objective.budget_share)
    to_come = np.cumsum(valid)  # as it was a window ago, so the traffic of the whole window stays the same
    falls_out = np.concatenate((np.cumsum(bad[::-1])[::-1][1:], [0.0]))
    gone = np.flatnonzero(falls_out + burn_rate * share * to_come >= share * float(valid.sum()) * (1 - 1e-12))
    return int(gone[0]) + 1 if gone.size else None


def left_text(share: float | None) -> str:
    """Write what is left of a budget.

    >>> left_text(0.42), left_text(-0.5), left_text(None)
    ('42 %', 'none (150 % spent)', 'unknown')
    """
    if share is None:
        return "unknown"
    return percent(share, 0) if share >= 0 else f"none ({percent(1 - share, 0)} spent)"


def _since(minutes: Minutes, row: Ints, starts: Ints, objective: Objective) -> Floats:
    """Sum a row from each start (as far as the log goes back) to the log's end."""
    sums = np.concatenate(([0], np.cumsum(row, dtype=np.int64)))
    places = np.clip(starts - minutes.start_minute, 0, len(minutes))
    summed: Floats = (sums[-1] - sums[places]) / parts_of(objective)
    return summed


def _left_now(minutes: Minutes, objective: Objective, begun: int) -> float | None:
    part = minutes.slice(min(max(begun, minutes.start_minute), minutes.end_minute), minutes.end_minute).totals
    return float(1 - Fraction(part.bad) / (objective.budget_share * part.valid)) if part.valid else None


def _known_share(minutes: Minutes, begun: int, now: int) -> float:
    if now <= begun:
        return 1.0
    part = minutes.covered[max(0, begun - minutes.start_minute) :]
    return float(np.count_nonzero(part) / (now - begun))


def _fan(left: Floats, now: int, end_minute: int, tails: tuple[float, float, float]) -> tuple[FanPoint, ...]:
    ahead = left.shape[1]
    places = np.unique(np.append(np.arange(_FAN_STEP_HOURS - 1, ahead, max(_FAN_STEP_HOURS, ahead // 60)), ahead - 1))
    marks = np.quantile(left[:, places], tails, axis=0, method="inverted_cdf")
    return tuple(
        FanPoint(min(now + (int(place) + 1) * MINUTES_PER_HOUR, end_minute), *map(float, three))
        for place, three in zip(places, marks.T, strict=True)
    )


def _whole(moment: float) -> int | None:
    return int(moment) if np.isfinite(moment) else None
