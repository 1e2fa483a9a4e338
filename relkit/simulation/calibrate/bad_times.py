"""Bad times of a log: bursts that recur, long ones that stand alone, and what each of the latter is like."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.simulation.calibrate.hidden import States, chance_of_bad, fit_failing
from relkit.simulation.calibrate.model import BadTime
from relkit.simulation.calibrate.times import Part, fit_factor, share_beyond

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Span = tuple[float, float]

FEWEST_IN_STATE: Final = 30
SLOWER: Final = 0.1
_FEWEST_FAILURES: Final = 20
_FEWEST_BURSTS: Final = 5
_ROUNDS: Final = 4
_UNLIKELY: Final = 0.01
_APART: Final = 10
_ALIKE: Final = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Attempts of a log, ordered by start.

    Parameters
    ----------
    starts_s, took_s : array of float
        Start, and time taken, in seconds; NaN where not measured.
    failed, timed_out : array of bool
        Whether each failed, and whether its client gave it up.
    kinds : array of int
        Codes of the error kinds.
    counted : array of bool
        Whether it is a user's, was sent, and has a known outcome.
    """

    starts_s: Floats
    took_s: Floats
    failed: Flags
    timed_out: Flags
    kinds: npt.NDArray[np.int64]
    counted: Flags


def bad_states(starts: Floats, failed: Flags, span_s: float) -> tuple[list[Span], States | None]:
    """Tell bursts that recur from the long bad times that stand alone; the latter keep their places in time.

    Parameters
    ----------
    starts : array of float
        Ascending, seconds from the start of the log.
    failed : array of bool
        Whether each attempt failed.
    span_s : float
        Length of the log, seconds.

    Returns
    -------
    list of (start_s, end_s), States or None
        What stands alone; and the states outside of it, None where failures come independently there.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> starts = np.arange(9000.0)
    >>> failed = rng.random(9000) < np.where((starts >= 4000) & (starts < 4500), 0.9, 0.01)
    >>> spans, states = bad_states(starts, failed, 9000.0)
    >>> [round(low, -2) for low, _ in spans], states
    ([4000.0], None)
    """
    rest = np.ones(starts.size, bool)
    found: list[Span] = []
    for _ in range(_ROUNDS):
        when, bad = starts[rest], failed[rest]
        states = _two_states(when, bad)
        if states is None:
            return sorted(found), None
        lasting = _stretches(when, chance_of_bad(when, bad, states) > 0.5)
        few = len(lasting) < _FEWEST_BURSTS or span_s / (states.good_s + states.bad_s) < _FEWEST_BURSTS
        long = lasting if few else _alone(lasting, states.bad_s, when[bad])
        if not long:
            return sorted(found), None if few else states
        found += long
        for low, high in long:
            rest &= (starts < low) | (starts >= high)
    return sorted(found), _two_states(starts[rest], failed[rest])


def _alone(lasting: list[Span], mean_s: float, failures_s: Floats) -> list[Span]:
    """Bursts too long to be of the others' kind, each with a chance below 1 in 100 among exponential times.

    Of N the longest lasts ln N + 5 means with that chance; and where the mean is itself made long by it, its share g of the
    sum of all tells it: P(g > x) <= N (1 - x)^(N - 1) (Fisher 1929). Only those that hold enough failures stand alone.
    """
    limit, left = mean_s * (math.log(len(lasting)) + 5.0), sum(high - low for low, high in lasting)
    alone = []
    for number, (low, high) in enumerate(sorted(lasting, key=lambda span: span[0] - span[1])):
        others = len(lasting) - number - 1
        chance = (others + 1) * (1.0 - (high - low) / max(left, 1e-12)) ** others
        if high - low <= limit and (others + 1 < _FEWEST_BURSTS or chance >= _UNLIKELY):
            break
        if np.count_nonzero((failures_s >= low) & (failures_s < high)) >= _FEWEST_FAILURES:
            alone.append((low, high))
        left -= high - low
    return alone


def bad_times_of(spans: Sequence[Span], calls: Calls, usual: tuple[Part, ...], limit_s: float) -> tuple[BadTime, ...]:
    """Say what each stretch of a log is like: who fails in it, who hangs, and how much slower the others are.

    Parameters
    ----------
    spans : sequence of (start_s, end_s)
        Stretches that do not overlap, in any order; slow ones that touch and are alike become one.
    calls : Calls
        The log.
    usual : tuple of (share, median_s, sigma)
        How long calls usually take.
    limit_s : float
        When clients give up, seconds; infinite for never.
    """
    found: list[BadTime] = []
    for span in sorted(spans):
        time = _bad_time(span, calls, usual, limit_s)
        if found and _touch(found[-1], time, calls):
            found[-1] = _bad_time((found[-1].start_s, time.end_s), calls, usual, limit_s)
        else:
            found.append(time)
    return tuple(found)


def _touch(one: BadTime, other: BadTime, calls: Calls) -> bool:
    """Whether two bad times are one slow time that was cut in two."""
    between = calls.counted & (calls.starts_s >= one.end_s) & (calls.starts_s < other.start_s)
    factors = sorted((one.slow_factor, other.slow_factor))
    alike = factors[0] > 1.0 and factors[1] < _ALIKE * factors[0]
    return alike and int(np.count_nonzero(between)) < _APART


def _bad_time(span: Span, calls: Calls, usual: tuple[Part, ...], limit_s: float) -> BadTime:
    inside = calls.counted & (calls.starts_s >= span[0]) & (calls.starts_s < span[1])
    number = max(int(inside.sum()), 1)
    failing = float((inside & calls.failed & ~calls.timed_out).sum()) / number
    answered = calls.took_s[inside & ~calls.failed & (calls.took_s > 0.0)]
    factor = 1.0
    if answered.size >= FEWEST_IN_STATE:
        fitted = fit_factor(usual, answered, 0, math.inf)
        factor = fitted if abs(fitted - 1.0) > SLOWER else 1.0
    given_up = float((inside & calls.timed_out).sum()) / number / max(1.0 - failing, 1e-9)
    slow = share_beyond(usual, limit_s / factor)
    hanging = min(max((given_up - slow) / max(1.0 - slow, 1e-9), 0.0), 1.0)
    kind = commonest(calls.kinds[inside & calls.failed])
    return BadTime(*span, failing, int(inside.sum()), kind, factor, hanging)


def commonest(codes: npt.NDArray[np.int64]) -> int:
    """Return the commonest code of a kind, 0 where there is none.

    >>> commonest(np.array([0, 3, 3, 7]))
    3
    """
    codes = codes[codes > 0]
    return int(np.bincount(codes).argmax()) if codes.size else 0


def _two_states(when: Floats, failed: Flags) -> States | None:
    """Two states where the likelihood pays for three parameters more (BIC), else None."""
    number = int(failed.sum())
    if not _FEWEST_FAILURES <= number <= failed.size - _FEWEST_FAILURES:
        return None
    share = number / failed.size
    alone = number * math.log(share) + (failed.size - number) * math.log(1.0 - share)
    states = fit_failing(when, failed)
    return states if states.log_likelihood - alone > 1.5 * math.log(failed.size) else None


def _stretches(when: Floats, bad: Flags) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], bad.astype(np.int8), [0]])))
    return [(float(when[a]), float(when[b - 1]) + 1e-6) for a, b in zip(edges[::2], edges[1::2], strict=True)]
