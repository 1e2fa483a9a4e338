"""The arrays that the kernel works in: its state, its pools and its results, which grow when they are full.

Everything the kernel knows between two events lies here, so that it can stop after any event and go on later: to
grow a pool, to show progress, or because somebody pressed Ctrl-C.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from relkit.policies.failure import Failure
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.records import ALONE, BreakerSettings, BreakerState, Peers
from relkit.policies.retry import RetryState
from relkit.policies.retry_budget import SLOTS, RetryBudgetSettings, RetryBudgetState, fill
from relkit.policies.retry_settings import RetrySettings
from relkit.policies.transitions import new_breaker
from relkit.simulation.answers import guide_of
from relkit.simulation.compiled import record_dtype
from relkit.simulation.workload import UNFINISHED, EpisodeRow, ModelRow, Setup, Workload, filled

Rows = npt.NDArray[np.void]

COUNTERS: Final = (
    "arrivals", "fresh", "cached", "stale", "failed", "rejected", "attempts", "retries", "refused", "timeouts",
)  # fmt: skip


@dataclass(slots=True)
class Marks:
    """Where the kernel is, between two events.

    Parameters
    ----------
    arrived : int
        Requests that have come.
    next_s, next_key, units : float
        When the next comes, the draw of its key, and the expected arrivals until then.
    waiting : int
        Events in the heap.
    free_call, calls : int
        First free place for a call (-1: none), and places ever used; then the same for queued attempts.
    free_job, jobs : int
        The same for attempts in queues.
    transitions, tries : int
        Rows written.
    newest, oldest, kept : int
        Ends of the cache's list of keys, -1 for none, and answers kept.
    events, finished : int
        Events handled and requests ended.
    """

    arrived: int = 0
    next_s: float = 0.0
    next_key: float = 0.0
    units: float = 0.0
    waiting: int = 0
    free_call: int = -1
    calls: int = 0
    free_job: int = -1
    jobs: int = 0
    transitions: int = 0
    tries: int = 0
    newest: int = -1
    oldest: int = -1
    kept: int = 0
    events: int = 0
    finished: int = 0


@dataclass(slots=True)
class CallMarks:
    """What the kernel keeps of a running call, beside its RetryState."""

    request: int = 0
    client: int = 0
    key: int = -1
    place: int = 0
    generation: int = 0
    phase: int = 0
    kind: int = 0
    waited_s: float = 0.0
    hint_s: float = 0.0
    attempt_s: float = 0.0
    entered_s: float = 0.0
    paying: bool = False
    answered: bool = False
    queued: bool = False
    next_free: int = -1


CALL: Final = record_dtype(RetryState, CallMarks)
SETUP: Final = record_dtype(Setup)
MARKS: Final = record_dtype(Marks)
MODEL: Final = record_dtype(ModelRow)
EPISODE: Final = record_dtype(EpisodeRow)
BREAKER: Final = record_dtype(BreakerSettings)
STATE: Final = record_dtype(BreakerState)
RETRY: Final = record_dtype(RetrySettings)
BUDGET: Final = record_dtype(RetryBudgetSettings)
PURSE: Final = record_dtype(RetryBudgetState)
FRESHNESS: Final = record_dtype(FreshnessSettings)
FAILURE: Final = record_dtype(Failure)
PEERS: Final = record_dtype(Peers)
JOB: Final = np.dtype([("request", np.int64), ("attempt", np.int64), ("attempt_s", np.float64), ("next_job", np.int64)])
SERVER: Final = np.dtype(
    [
        ("busy", np.int64), ("first", np.int64), ("last", np.int64), ("queued", np.int64), ("episode", np.int64),
        ("minute", np.int64), ("asked", np.int64), ("used", np.int64),
    ]
)  # fmt: skip
TRANSITION: Final = np.dtype(
    [
        ("at_s", np.float64), ("client", np.int32), ("model", np.int32), ("state", np.int8), ("why", np.int8),
        ("why_value", np.float64), ("threshold", np.int64),
    ],
    align=True,
)  # fmt: skip
TRY: Final = np.dtype(
    [
        ("request", np.int64), ("attempt", np.int32), ("model", np.int32), ("start_s", np.float64),
        ("latency_s", np.float64), ("waited_s", np.float64), ("kind", np.int8), ("breaker_state", np.int8),
    ],
    align=True,
)  # fmt: skip
RESULT: Final = np.dtype(
    [
        ("arrival_s", np.float64), ("latency_s", np.float64), ("cost_microusd", np.int64), ("attempts", np.int32),
        ("outcome", np.int8), ("kind", np.int8), ("model", np.int8),
    ],
    align=True,
)  # fmt: skip

LAST_SECOND: Final = 2_000_000.0  # what comes later is counted in that second: 23 days
NEEDED: Final = 4  # free places that one event may take in any pool but that of the transitions


def rows_of(dtype: np.dtype[np.void], records: Any) -> Rows:
    """Return dataclasses of numbers as an array of records; never empty, so that its type stays one."""
    made = np.zeros(max(len(records), 1), dtype=dtype)
    for place, record in enumerate(records):
        made[place] = filled(record) + made[place].item()[len(filled(record)) :]
    return made


def inputs_of(work: Workload) -> tuple[npt.NDArray[Any], ...]:
    """Return what the kernel reads, in the order of its arguments."""
    return (
        rows_of(SETUP, [work.setup]),
        rows_of(MODEL, work.models),
        rows_of(EPISODE, work.episodes),
        work.values,
        work.rates,
        work.lengths_s,
        work.times_s,
        work.held_s,
        work.luck,
        work.error_kinds,
        work.error_until,
        work.chain,
        work.windows,
        work.popularity,
        guide_of(work.popularity),
        rows_of(BREAKER, [work.breaker]),
        rows_of(BUDGET, [work.budget]),
        rows_of(FRESHNESS, [work.freshness]),
        rows_of(RETRY, work.retries),
        rows_of(FAILURE, work.failures),
        work.strategies,
        work.votes,
        work.at_once,
    )


class Room:
    """The arrays of one run after another; those that fit are used again.

    Parameters
    ----------
    work : Workload
        What will run.
    """

    def __init__(self, work: Workload) -> None:
        setup = work.setup
        breakers = setup.clients * setup.places
        self.marks = rows_of(MARKS, [Marks()])
        self.heap_s = np.empty(1024)
        self.heap_what = np.empty(1024, dtype=np.int64)
        self.calls = np.zeros(512, dtype=CALL)
        self.place_of = np.full(setup.requests, -1, dtype=np.int32)
        self.jobs = np.zeros(512, dtype=JOB)
        self.servers = np.zeros(len(work.models), dtype=SERVER)
        self.servers["first"] = self.servers["last"] = -1
        self.servers["episode"] = [model.episodes_from for model in work.models]
        self.servers["minute"] = -1
        state, window = new_breaker(work.breaker, 0.0)
        self.breakers = np.repeat(rows_of(STATE, [state]), breakers)
        self.windows = np.tile(np.array([window or [0.0]]), (breakers, 1))
        purse, slots = RetryBudgetState(), [0] * SLOTS
        fill(purse, slots, work.budget, 0.0)
        self.purses = np.repeat(rows_of(PURSE, [purse]), setup.clients)
        self.purse_windows = np.zeros((setup.clients, SLOTS), dtype=np.int64)
        self.peers = rows_of(PEERS, [ALONE])
        self.usable = np.ones(setup.places, dtype=np.bool_)
        self.piece = np.zeros(3)
        self.newer = np.full(max(setup.keys, 1), -1, dtype=np.int32)
        self.older = np.full(max(setup.keys, 1), -1, dtype=np.int32)
        self.stored_s = np.full(max(setup.keys, 1), -1.0)
        self.results = np.zeros(setup.requests, dtype=RESULT)
        self.results["outcome"] = UNFINISHED
        self.seconds = np.zeros((1024, len(COUNTERS)), dtype=np.int64)
        self.transitions = np.zeros(256 + 16 * breakers, dtype=TRANSITION)
        self.tries = np.zeros(2 * setup.requests + NEEDED if setup.keeps_attempts else NEEDED + 1, dtype=TRY)

    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """Return what the kernel writes, in the order of its arguments."""
        return (
            self.marks, self.heap_s, self.heap_what, self.calls, self.place_of, self.jobs, self.servers, self.breakers,
            self.windows, self.purses, self.purse_windows, self.peers, self.usable, self.piece, self.newer, self.older,
            self.stored_s, self.results, self.seconds, self.transitions, self.tries,
        )  # fmt: skip

    def grow(self, at_s: float) -> None:
        """Double every pool that is nearly full, and let the counters reach the second of the next event."""
        marks = self.marks[0]
        if marks["waiting"] + NEEDED >= len(self.heap_s):
            self.heap_s, self.heap_what = _doubled(self.heap_s), _doubled(self.heap_what)
        if marks["calls"] + NEEDED >= len(self.calls):
            self.calls = _doubled(self.calls)
        if marks["jobs"] + NEEDED >= len(self.jobs):
            self.jobs = _doubled(self.jobs)
        if marks["tries"] + NEEDED >= len(self.tries):
            self.tries = _doubled(self.tries)
        if len(self.transitions) - marks["transitions"] <= len(self.transitions) // 2:
            self.transitions = _doubled(self.transitions)
        while min(at_s, LAST_SECOND) >= len(self.seconds):
            self.seconds = _doubled(self.seconds)


def _doubled(full: npt.NDArray[Any]) -> npt.NDArray[Any]:
    made = np.zeros((2 * len(full), *full.shape[1:]), dtype=full.dtype)
    made[: len(full)] = full
    return made
