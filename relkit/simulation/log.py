"""A Run as a log: rows of the attempts table, so that every reading takes simulated and real logs alike.

The log is what the client sees. What it gave up or lost on the way was billed all the same: `Run.requests` has the whole
price, the log that of the answers.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from relkit.batch import Batch, Sink
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.codes import STATES
from relkit.simulation.demo_draws import Flags, Ints
from relkit.simulation.sessions import sessions_of
from relkit.simulation.tokens import billed, counts_of
from relkit.simulation.workload import CACHED, REJECTED, STALE
from relkit.units import US_PER_SECOND

if TYPE_CHECKING:
    from relkit.simulation.run import Run

_KINDS = {advice.int_code: kind for kind, advice in ADVICE.items()}
# What a caller would see of each kind: a name of the exception that the rules of relkit.errors know, and a status.
_SIGNALS: dict[ErrorKind, tuple[str | None, int | None, str | None]] = {
    ErrorKind.NETWORK_TIMEOUT: ("TimeoutError", None, "ETIMEDOUT"),
    ErrorKind.NETWORK_REFUSED: ("ConnectionRefusedError", None, "ECONNREFUSED"),
    ErrorKind.NETWORK_ERROR: ("ConnectionResetError", None, "ECONNRESET"),
    ErrorKind.API_RATE_LIMIT: (None, 429, None),
    ErrorKind.API_AUTH_ERROR: (None, 401, None),
    ErrorKind.API_INVALID_REQUEST: (None, 400, None),
    ErrorKind.API_NOT_FOUND: (None, 404, None),
    ErrorKind.API_CONFLICT: (None, 409, None),
    ErrorKind.API_SERVER_ERROR: (None, 500, None),
    ErrorKind.MODEL_OVERLOADED: (None, 503, None),
}


def signals_of(kind: ErrorKind) -> tuple[str | None, int | None, str | None]:
    """Return exception type, status and code by which a caller would know an error.

    >>> signals_of(ErrorKind.API_RATE_LIMIT)
    (None, 429, None)
    """
    return _SIGNALS.get(kind, (None, None, kind.value))


def request_name(number: int) -> str:
    """Return the id of a request in a log.

    >>> request_name(0)
    'r000001'
    """
    return f"r{number + 1:06d}"


def session_name(number: int) -> str:
    """Return the id of a session in a log.

    >>> session_name(0)
    's00001'
    """
    return f"s{number + 1:05d}"


def sessions_in(run: "Run") -> tuple[Ints, Ints]:
    """Return for each request of a complete Run its session and turn; without sessions each stands alone."""
    if not run.complete:
        remedy = "let it run to its end: a stopped run no longer says which request is which"
        raise ParameterError.of("run", "stopped by Ctrl-C", "a complete run", remedy)
    count = len(run.requests)
    if run.scenario.sessions is None:
        return np.arange(count), np.ones(count, dtype=np.int64)
    return sessions_of(run.scenario.sessions, run.seed, count)


def to_sink(run: "Run", sink: Sink, *, start_us: int = 0, service: str = "") -> None:
    """Hand a Run to a sink as rows of the attempts and faults tables.

    Parameters
    ----------
    run : Run
        Complete, simulated with `keep_attempts=True`.
    sink : Sink
        Takes batches, e.g. one of the store.
    start_us : int
        Time of its beginning, in microseconds since 1970.
    service : str
        Name of the service; the scenario's where empty.

    Raises
    ------
    ParameterError
        For a run without its tries, or one that was stopped.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.run import simulate
    >>> from relkit.simulation.suite import w0
    >>> run = simulate(w0().changed(requests=50), presets["plan-fixed"], 1, keep_attempts=True, engine="oracle")
    >>> seen = []
    >>> to_sink(run, lambda batch: seen.append((batch.table, len(batch) >= 1)))
    >>> seen
    [('attempts', True), ('faults', True)]
    """
    sink(Batch("attempts", attempt_columns(run, start_us=start_us, service=service)))
    episodes = run.scenario.episodes
    if episodes:
        sink(
            Batch(
                "faults",
                {
                    "ts_start": [start_us + round(episode.start_s * US_PER_SECOND) for episode in episodes],
                    "ts_end": [start_us + round(episode.end_s * US_PER_SECOND) for episode in episodes],
                    "service": [service or run.scenario.name] * len(episodes),
                    "label": [episode.label for episode in episodes],
                },
            )
        )


def attempt_columns(run: "Run", *, start_us: int = 0, service: str = "") -> dict[str, list[Any]]:
    """Return a Run as columns of the attempts table.

    A try is a row. A request that was answered from the cache, or that the breakers let nothing of through, is one row
    more: `cache_hit` and, where the answer is a stale one, `degraded`, or CIRCUIT_OPEN. A stale answer after tries that
    failed is a row after them, so that a request's last row is how it ended.

    Parameters
    ----------
    run, start_us, service
        As for `to_sink`.

    Returns
    -------
    dict of str to list
        Rows in order of time, then request and attempt.
    """
    if run.attempts is None:
        raise ParameterError.of("run", "no attempts", "a run with attempts", "simulate with keep_attempts=True")
    session, _ = sessions_in(run)
    tries, requests = run.attempts, run.requests
    outcome = requests["outcome"]
    extra = np.flatnonzero((outcome == CACHED) | (outcome == STALE) | (outcome == REJECTED))
    rejected = outcome[extra] == REJECTED
    end_s = requests["arrival_s"][extra] + requests["latency_s"][extra]
    # The cache answers at once; after tries that failed it is asked at their end.
    asked_s = np.where(requests["attempts"][extra] > 0, end_s, requests["arrival_s"][extra])
    request = np.concatenate([tries["request"], extra])
    attempt = np.concatenate([tries["attempt"], requests["attempts"][extra] + 1])
    start_s = np.concatenate([tries["start_s"], asked_s])
    latency_s = np.concatenate([tries["latency_s"], end_s - asked_s])
    kind = np.concatenate([tries["kind"], np.where(rejected, ADVICE[ErrorKind.CIRCUIT_OPEN].int_code, 0)])
    model = np.concatenate([tries["model"], np.full(len(extra), -1)])
    state = np.concatenate([tries["breaker_state"], np.full(len(extra), -1)])
    from_cache = np.arange(len(request)) >= len(tries)
    from_cache[len(tries) :] &= ~rejected
    ts = start_us + np.rint(start_s * US_PER_SECOND).astype(np.int64)
    order = np.lexsort((attempt, request, ts))
    request, attempt, ts, latency_s = request[order], attempt[order], ts[order], latency_s[order]
    kind, model, state, from_cache = kind[order], model[order], state[order], from_cache[order]
    kinds = [_KINDS.get(number) for number in kind.tolist()]
    answered = (kind == 0) & ~from_cache
    # The first try of all meets closed breakers, so it goes where the policy wants its calls to go.
    primary = int(tries["model"][np.lexsort((tries["attempt"], tries["request"]))[0]]) if len(tries) else 0
    stale = np.isin(request, np.flatnonzero(outcome == STALE)) & from_cache
    names = [served.name for served in run.scenario.models]
    signals = [signals_of(one) if one else (None, None, None) for one in kinds]
    executed = [bool(ADVICE[one].maybe_executed_default) if one else None for one in kinds]
    size = len(request)
    return {
        "request_id": [request_name(number) for number in request.tolist()],
        "attempt": attempt.tolist(),
        "ts": ts.tolist(),
        "latency_us": np.rint(latency_s * US_PER_SECOND).astype(np.int64).tolist(),
        "ended": [True] * size,
        "ok": (kind == 0).tolist(),
        "role": ["user"] * size,
        "service": [service or run.scenario.name] * size,
        "model": [names[place] if place >= 0 else None for place in model.tolist()],
        "session_id": (
            [None] * size
            if run.scenario.sessions is None
            else [session_name(number) for number in session[request].tolist()]
        ),
        "exception_type": [each[0] for each in signals],
        "status": [each[1] for each in signals],
        "code": [each[2] for each in signals],
        "maybe_executed": executed,
        "breaker_state": [STATES[place] if place >= 0 else None for place in state.tolist()],
        "cache_hit": from_cache.tolist(),
        "degraded": (stale | (answered & (model != primary))).tolist(),
        **_spent(run, request, model, answered),
        "policy_hash": [run.policy_hash] * size,
        "granularity": ["attempt"] * size,
    }


def _spent(run: "Run", request: Ints, model: Ints, answered: Flags) -> dict[str, list[Any]]:
    """Tokens and price of the answers."""
    models, known = run.scenario.models, answered.tolist()
    if run.scenario.tokens is None:
        asked, told = [0] * len(run.requests), [0] * len(run.requests)
    else:
        asked, told = counts_of(run.scenario.tokens, run.seed, len(run.requests))
    rows = list(zip(known, request.tolist(), model.tolist(), strict=True))
    counted = run.scenario.tokens is not None
    return {
        "tokens_in": [asked[number] if here and counted else None for here, number, _ in rows],
        "tokens_out": [told[number] if here and counted else None for here, number, _ in rows],
        "cost_microusd": [
            billed(models[place], asked[number], told[number]) if here else None for here, number, place in rows
        ],
    }
