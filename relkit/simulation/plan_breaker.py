"""What the plan's breaker does, played beside others: its threshold, how it notices trouble, and its health check."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import Final

from relkit.policies.breaker import allow, settle
from relkit.policies.codes import ADMIT, CLOSED, FAILURE, OPENED, REJECT_OPEN, SUCCESS
from relkit.policies.records import ALONE, BreakerSettings, BreakerState
from relkit.policies.switches import probe
from relkit.policies.transitions import new_breaker

OUTAGES: Final = (1.0, 0.7, 0.5, 0.3)
"""Shares of failing calls at which detection is measured."""
_PACE_S: Final = 0.1
_EVEN: Final = 0.5
SEED: Final = 20251008


@dataclass(slots=True)
class _Watched:
    """A breaker, its window and its clock; calls answer at once, so that the order of answers plays no part."""

    cfg: BreakerSettings
    state: BreakerState
    window: list[float]
    now_s: float = 0.0

    def call(self, failing: bool) -> tuple[bool, bool]:
        """Make a call; say whether it was let through, and whether it opened the breaker. After a refusal time goes on."""
        self.now_s += _PACE_S
        code, generation, retry_after_s = allow(self.state, self.window, self.cfg, ALONE, self.now_s, _EVEN)
        if code != ADMIT:
            self.now_s += retry_after_s
            return False, False
        was_closed = self.state.state == CLOSED
        outcome = FAILURE if failing else SUCCESS
        event = settle(self.state, self.window, self.cfg, ALONE, self.now_s, generation, outcome, 0.0)
        return True, event == OPENED and was_closed

    def twin(self) -> "_Watched":
        return _Watched(self.cfg, copy(self.state), list(self.window), self.now_s)


def _fresh(cfg: BreakerSettings) -> _Watched:
    return _Watched(cfg, *new_breaker(cfg, 0.0))


def threshold_course(cfg: BreakerSettings, failing: Sequence[bool]) -> tuple[int, ...]:
    """Return the threshold after each call.

    Parameters
    ----------
    cfg : BreakerSettings
        A breaker that counts failures in a row.
    failing : sequence of bool
        Whether each call fails.

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> threshold_course(presets["plan"].breaker, [False] * 6)
    (6, 7, 8, 9, 10, 10)
    """
    watched = _fresh(cfg)
    course = []
    for fails in failing:
        watched.call(fails)
        course.append(watched.state.threshold)
    return tuple(course)


def threshold_shares(
    cfg: BreakerSettings, failing_share: float, runs: int = 20, calls: int = 4_000, seed: int = SEED
) -> dict[int, float]:
    """Return the share of the calls after which the threshold stood at each value, beginning with a fresh breaker.

    Parameters
    ----------
    cfg : BreakerSettings
        The breaker.
    failing_share : float
        Share of the calls that fail, in [0, 1].
    runs, calls : int
        Breakers, and calls let through by each.
    seed : int
        Of the failures.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> threshold_shares(presets["plan"].breaker, 0.04)[10] > 0.98
    True
    """
    rng = Random(seed)  # noqa: S311  a simulation, not a secret
    counted: dict[int, int] = {}
    for _ in range(runs):
        watched, seen = _fresh(cfg), 0
        while seen < calls:
            admitted, _ = watched.call(rng.random() < failing_share)
            seen += admitted
            if admitted:
                counted[watched.state.threshold] = counted.get(watched.state.threshold, 0) + 1
    return {value: count / (runs * calls) for value, count in sorted(counted.items())}


@dataclass(frozen=True, slots=True)
class Detection:
    """How many calls it takes a breaker to open, once a share of the calls fails.

    Parameters
    ----------
    name : str
        Of the breaker.
    calls : mapping of float to tuple of float
        Share of failing calls to the calls of each run; infinite where it did not open.
    """

    name: str
    calls: Mapping[float, tuple[float, ...]]

    def quantile(self, share: float, level: float) -> float | None:
        """Return a quantile of the calls over the runs, an order statistic; None where it did not open.

        Parameters
        ----------
        share : float
            Share of failing calls.
        level : float
            In [0, 1].
        """
        ordered = sorted(self.calls[share])
        found = ordered[min(len(ordered) - 1, int(level * len(ordered)))]
        return None if found == inf else found

    def median(self, share: float) -> float | None:
        """Return the median over the runs; None where most did not open."""
        return self.quantile(share, 0.5)


def detection(
    name: str,
    cfg: BreakerSettings,
    shares: Sequence[float] = OUTAGES,
    runs: int = 200,
    *,
    history: int = 1_000,
    history_share: float = 0.01,
    most: int = 3_000,
    seed: int = SEED,
) -> Detection:
    """Count the calls until a breaker opens, each run after a history of its own.

    Parameters
    ----------
    name : str
        What it is called.
    cfg : BreakerSettings
        The breaker.
    shares : sequence of float
        Shares of failing calls, in (0, 1].
    runs : int
        Independent runs.
    history, history_share
        Calls before, and the share of them that fails.
    most : int
        Calls after which to stop looking.
    seed : int
        Of the failures.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> detection("plan", presets["plan"].breaker, (1.0,), runs=5).median(1.0)
    10
    """
    rng = Random(seed)  # noqa: S311  a simulation, not a secret
    found: dict[float, list[float]] = {share: [] for share in shares}
    for _ in range(runs):
        warm = _fresh(cfg)
        for _ in range(history):
            warm.call(rng.random() < history_share)
        while warm.state.state != CLOSED:
            warm.call(rng.random() < history_share)
        for share in shares:
            found[share].append(_until_open(warm.twin(), share, most, rng))
    return Detection(name, {share: tuple(counts) for share, counts in found.items()})


def _until_open(watched: _Watched, share: float, most: int, rng: Random) -> float:
    draw, call = rng.random, watched.call
    for number in range(1, most + 1):
        if call(draw() < share)[1]:
            return number
    return inf


@dataclass(frozen=True, slots=True)
class Checked:
    """What a breaker sent into an outage while a shallow health check passed.

    Parameters
    ----------
    name : str
        Of the breaker.
    at_s : tuple of float
        When each call of the first run was sent, seconds into the outage.
    calls : tuple of int
        Calls sent, a run each.
    """

    name: str
    at_s: tuple[float, ...]
    calls: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Mean over the runs."""
        return sum(self.calls) / len(self.calls)


def checked_outage(
    name: str,
    cfg: BreakerSettings,
    runs: int = 40,
    *,
    rate: float = 20.0,
    outage_s: float = 600.0,
    timeout_s: float = 2.0,
    every_s: float = 30.0,
    probes: bool = True,
    seed: int = SEED,
) -> Checked:
    """Play an outage in which every call times out and a health check proves nothing: it passes, whenever it is due.

    Parameters
    ----------
    name : str
        What it is called.
    cfg : BreakerSettings
        The breaker, closed and healthy when the outage begins.
    runs : int
        Independent runs.
    rate : float
        Calls a second, as a Poisson process.
    outage_s, timeout_s, every_s : float
        Length of the outage, time after which a call fails, time between health checks (the first at random within it);
        seconds.
    probes : bool
        Whether there is a health check at all.
    seed : int
        Of arrivals and check.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> plan, plain = (checked_outage(name, presets[name].breaker, runs=2).mean for name in ("plan", "pybreaker"))
    >>> plan > 10 * plain
    True
    """
    rng = Random(seed)  # noqa: S311  a simulation, not a secret
    played = [_outage(cfg, rng, rate, outage_s, timeout_s, every_s if probes else inf) for _ in range(runs)]
    return Checked(name, tuple(played[0]), tuple(len(sent) for sent in played))


def _outage(
    cfg: BreakerSettings, rng: Random, rate: float, outage_s: float, timeout_s: float, every_s: float
) -> list[float]:
    watched = _fresh(cfg)
    for _ in range(100):
        watched.call(failing=False)
    state, window, begins_s = watched.state, watched.window, watched.now_s
    waiting: list[tuple[float, int]] = []
    sent: list[float] = []
    due_s = begins_s + (rng.random() * every_s if every_s < inf else inf)
    now_s = begins_s + rng.expovariate(rate)
    while now_s < begins_s + outage_s:
        while (first_s := min(due_s, waiting[0][0] if waiting else inf)) <= now_s:
            if first_s == due_s:
                probe(state, window, cfg, ALONE, due_s, passed=True)
                due_s += every_s
            else:
                _, generation = heappop(waiting)
                settle(state, window, cfg, ALONE, first_s, generation, FAILURE, timeout_s)
        code, generation, retry_after_s = allow(state, window, cfg, ALONE, now_s, rng.random())
        if code == ADMIT:
            sent.append(now_s - begins_s)
            heappush(waiting, (now_s + timeout_s, generation))
        else:  # nothing is let in before one of these; a Poisson process begins anew at any time
            opens_s = now_s + retry_after_s if code == REJECT_OPEN else inf
            now_s = max(now_s, min(opens_s, due_s, waiting[0][0] if waiting else inf, begins_s + outage_s))
        now_s += rng.expovariate(rate)
    return sent
