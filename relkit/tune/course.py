"""The course of a run in a hundred or so steps of time: what a ribbon timeline and the explorer draw."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relkit.errors.kinds import ADVICE
from relkit.exceptions import ParameterError
from relkit.policies.codes import CLOSED, HALF_OPEN, OPEN
from relkit.simulation.room import COUNTERS
from relkit.simulation.run import Run
from relkit.simulation.workload import FAILED
from relkit.units import several

Counts = npt.NDArray[np.int64]
BINS = 120
_KINDS = ("", *(kind.value for kind, _ in sorted(ADVICE.items(), key=lambda both: both[1].int_code)))


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A run over time.

    Parameters
    ----------
    bin_s : float
        Length of a step, seconds.
    arrivals, answered, failed, rejected, attempts : array of int, shape (bins,)
        Counts; a request counts where it ends, rejected ones are those the breaker turned away.
    stretches : tuple of tuple of (state, start_s, end_s)
        For each model the states of the first client's breaker.
    kinds : tuple of (str, array of int)
        Failed requests by the error kind of their last attempt, the commonest first; together they are `failed`.
    """

    bin_s: float
    arrivals: Counts
    answered: Counts
    failed: Counts
    rejected: Counts
    attempts: Counts
    stretches: tuple[tuple[tuple[int, float, float], ...], ...]
    kinds: tuple[tuple[str, Counts], ...]

    @property
    def span_s(self) -> float:
        """Length of the whole, seconds."""
        return self.bin_s * len(self.arrivals)

    def main_kinds(self, most: int) -> list[tuple[str, Counts]]:
        """Return at most so many kinds of failure, the last of them all others together."""
        if len(self.kinds) <= most:
            return list(self.kinds)
        rest = self.kinds[most - 1 :]
        others: Counts = np.sum([counts for _, counts in rest], axis=0)
        return [*self.kinds[: most - 1], (several(len(rest), "other kind"), others)]

    def open_tenths(self, model: int = 0) -> Counts:
        """Return how many tenths of each step a model's breaker was open, and 20 more where it was half open."""
        found = np.zeros(len(self.arrivals), dtype=np.float64)
        halves = np.zeros(len(found), dtype=bool)
        edges = np.arange(len(found) + 1) * self.bin_s
        for state, start_s, end_s in self.stretches[model]:
            overlap = np.clip(np.minimum(end_s, edges[1:]) - np.maximum(start_s, edges[:-1]), 0.0, None)
            if state == OPEN:
                found += overlap
            elif state == HALF_OPEN:
                halves |= (edges[:-1] <= end_s) & (edges[1:] > start_s)
        tenths: Counts = np.rint(10.0 * found / self.bin_s).astype(np.int64) + 20 * halves
        return tenths


def course_of(run: Run, bins: int = BINS) -> Course:
    """Sum up a run in steps of equal length, from its start to the arrival of its last request.

    Parameters
    ----------
    run : Run
        Complete.
    bins : int
        Steps, at least 1.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.run import simulate
    >>> from relkit.simulation.suite import w0
    >>> found = course_of(simulate(w0(1000), presets["pybreaker"], 1), bins=10)
    >>> int(found.arrivals.sum()), len(found.open_tenths())
    (1000, 10)
    """
    if bins < 1:
        raise ParameterError.of("bins", bins, "at least 1", "120 is usual")
    span_s = max(float(run.requests["arrival_s"].max(initial=0.0)), 1.0)
    bin_s = span_s / bins
    places = np.minimum((np.arange(len(run.seconds)) / bin_s).astype(np.int64), bins - 1)
    summed = {
        name: np.bincount(places, weights=run.seconds[:, column], minlength=bins).astype(np.int64)
        for column, name in enumerate(COUNTERS)
    }
    stretches = tuple(_stretches(run, place, span_s) for place in range(len(run.scenario.models)))
    answered = summed["fresh"] + summed["cached"] + summed["stale"]
    kinds = _kinds(run, bin_s, bins)
    failed = sum((counts for _, counts in kinds), start=np.zeros(bins, dtype=np.int64))
    return Course(
        bin_s, summed["arrivals"], answered, failed, summed["rejected"], summed["attempts"], stretches, kinds
    )  # fmt: skip


def _kinds(run: Run, bin_s: float, bins: int) -> tuple[tuple[str, Counts], ...]:
    failed = run.requests[run.requests["outcome"] == FAILED]
    places = np.minimum((failed["arrival_s"] + failed["latency_s"]).astype(np.int64) / bin_s, bins - 1).astype(np.int64)
    found = [
        (_KINDS[code], np.bincount(places[failed["kind"] == code], minlength=bins).astype(np.int64))
        for code in np.unique(failed["kind"]).tolist()
    ]
    return tuple(sorted(found, key=lambda one: (-int(one[1].sum()), one[0])))


def _stretches(run: Run, model: int, span_s: float) -> tuple[tuple[int, float, float], ...]:
    changes = run.transitions
    own = changes[(changes["model"] == model) & (changes["client"] == 0)]
    begins = [0.0, *own["at_s"].tolist()]
    states = [CLOSED, *own["state"].tolist()]
    ends = [*begins[1:], max(span_s, begins[-1])]
    return tuple(
        (int(state), start, end) for state, start, end in zip(states, begins, ends, strict=True) if end > start
    )
