"""The calibrated generator: what a log says of its traffic, as numbers, and a log drawn from them."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from relkit.simulation.arrivals import Arrivals
from relkit.simulation.calibrate.arriving import draw_arrivals
from relkit.simulation.calibrate.hidden import States
from relkit.simulation.calibrate.times import Part, draw_times

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
MOST_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class BadTime:
    """One long bad stretch of the log, kept at its own time.

    Parameters
    ----------
    start_s, end_s : float
        From when to before when, seconds from the start of the log.
    failing : float
        Share of the attempts in it that failed, those that were given up not counted.
    attempts : int
        Attempts in it.
    kind : int
        Code of its commonest error.
    slow_factor : float
        Factor on the latency of those that were answered.
    hanging : float
        Share of the others that hung until the client gave them up, beyond those that were only slow.

    Examples
    --------
    >>> BadTime(0.0, 60.0, 0.5, 100, 1, hanging=0.2).lost
    0.6
    """

    start_s: float
    end_s: float
    failing: float
    attempts: int
    kind: int
    slow_factor: float = 1.0
    hanging: float = 0.0

    @property
    def lost(self) -> float:
        """Share of the attempts in it that failed or hung."""
        return self.failing + (1.0 - self.failing) * self.hanging


@dataclass(frozen=True, slots=True)
class TrafficModel:
    """What a log says of its traffic.

    Parameters
    ----------
    span_s : float
        Length of the log, seconds.
    arrivals : Arrivals
        When requests come.
    failing : float
        Share of attempts that fail outside bad states and bad times, time-outs not counted.
    states : States or None
        Good and bad by turns; None where failures are independent of one another.
    bad_times : tuple of BadTime
        Long bad stretches, at their own times.
    latency : tuple of (share, median_s, sigma)
        Of calls that are answered.
    slow_factor : float
        Factor on the latency in the bad state.
    timeout_s : float
        When the client gives an attempt up; infinite where the log shows none.
    error_s : float
        Time of a failure, seconds.
    again : tuple of float
        Share of requests whose 1st, 2nd, ... failed attempt is followed by another.
    wait_s : float
        Median wait before it, seconds.
    """

    span_s: float
    arrivals: Arrivals
    failing: float
    states: States | None
    bad_times: tuple[BadTime, ...]
    latency: tuple[Part, ...]
    slow_factor: float = 1.0
    timeout_s: float = math.inf
    error_s: float = 0.02
    again: tuple[float, ...] = ()
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A log as the checks see it, observed or drawn: attempts ordered by start.

    Parameters
    ----------
    start_s, latency_s : array of float
        Start and time taken in seconds; NaN where not measured.
    failed : array of bool
        Whether each failed.
    timed_out : array of bool
        Whether it failed because the client gave it up.
    number : array of int
        1 for the first attempt of a request, 2 for the next, ...
    request : array of int
        Number of the request that each belongs to.
    arrived_s : array of float
        When requests came, ascending.
    span_s : float
        Length of the log, seconds.
    """

    start_s: Floats
    latency_s: Floats
    failed: Flags
    timed_out: Flags
    number: npt.NDArray[np.int64]
    request: npt.NDArray[np.int64]
    arrived_s: Floats
    span_s: float


def draw_log(model: TrafficModel, rng: np.random.Generator) -> Drawn:
    """Draw a log.

    Parameters
    ----------
    model : TrafficModel
        What it is drawn from.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    Drawn

    Examples
    --------
    >>> from relkit.simulation.arrivals import poisson
    >>> flat = TrafficModel(100.0, poisson(5.0), 0.1, None, (), ((1.0, 0.4, 0.5),), again=(1.0,))
    >>> log = draw_log(flat, np.random.default_rng(1))
    >>> int(log.number.max()), round(float(log.failed.mean()), 1)
    (2, 0.1)
    """
    arrived = draw_arrivals(model.arrivals, model.span_s, rng)
    ends = _state_ends(model, rng)
    start = arrived
    request = np.arange(arrived.size)
    rows: list[tuple[Any, ...]] = []
    for number in range(1, MOST_TRIES + 1):
        bad = np.searchsorted(ends, start, side="right") % 2 == 1
        chance = np.full(start.size, model.failing)
        if model.states is not None:
            chance = np.where(bad, model.states.bad_level, chance)
        slower = np.where(bad, model.slow_factor, 1.0)
        for time in model.bad_times:
            inside = (start >= time.start_s) & (start < time.end_s)
            chance[inside], slower[inside] = time.failing, time.slow_factor
            if time.hanging:
                slower[inside & (rng.random(start.size) < time.hanging)] = math.inf
        took = draw_times(model.latency, rng, start.size) * slower
        errs = rng.random(start.size) < chance
        took = np.where(errs, model.error_s, took)
        late = took > model.timeout_s
        took = np.minimum(took, model.timeout_s)
        failed = errs | late
        rows.append((start, took, failed, late & ~errs, np.full(start.size, number), request))
        if number > len(model.again):
            break
        on = failed & (rng.random(start.size) < model.again[number - 1])
        start = (start + took)[on] + model.wait_s * rng.exponential(1.0, int(on.sum())) / math.log(2.0)
        kept = start <= model.span_s
        start, request = start[kept], request[on][kept]
        if not start.size:
            break
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    start, took, failed, late, number_of, request = (column[order] for column in columns)
    return Drawn(start, took, failed, late, number_of, request, arrived, model.span_s)


def _state_ends(model: TrafficModel, rng: np.random.Generator) -> Floats:
    """Ends of the good and bad states by turns, the first of them good."""
    if model.states is None:
        return np.empty(0)
    good_s, bad_s = model.states.good_s, model.states.bad_s
    number = int(model.span_s / (good_s + bad_s) + 6.0 * math.sqrt(model.span_s / (good_s + bad_s) + 1.0)) + 10
    return np.cumsum(np.column_stack([rng.exponential(good_s, number), rng.exponential(bad_s, number)]).ravel())
