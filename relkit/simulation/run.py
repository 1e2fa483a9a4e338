"""`simulate`: a scenario under a policy, and the Run that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from relkit.errors.kinds import ADVICE
from relkit.exceptions import ParameterError
from relkit.policies.codes import STATES
from relkit.policies.policy import Policy
from relkit.simulation.demo_draws import Floats, Ints
from relkit.simulation.oracle import Oracle, endless
from relkit.simulation.room import COUNTERS, Room, Rows, inputs_of
from relkit.simulation.scenario import Scenario
from relkit.simulation.workload import CACHED, ENDS, FRESH, STALE, UNFINISHED, workload_of

if TYPE_CHECKING:
    import pandas as pd

_SLICE: Final = 4_000_000  # events between two looks at the progress: a tenth of a second or so
_FRAMES: Final = ("requests", "seconds", "transitions", "attempts")
_KINDS: Final = ("", *(kind.value for kind, _ in sorted(ADVICE.items(), key=lambda both: both[1].int_code)))


@dataclass(frozen=True, slots=True)
class Run:
    """What happened.

    Parameters
    ----------
    scenario : Scenario
        The traffic.
    policy_hash : str
        Hash of the settings.
    seed : int
        The seed.
    requests : array of records
        One a finished request, in the order of coming: arrival_s, latency_s (waits included), cost_microusd, attempts,
        outcome (a place in `relkit.simulation.workload.ENDS`), kind (0 or the number of an error kind) and model
        (place in the scenario, -1 for none).
    attempts : array of records or None
        One a try, in the order of ending, where they were asked for: request, attempt, model, start_s, latency_s,
        waited_s, kind, breaker_state (before the outcome was counted).
    seconds : array of int
        A row a second, a column a counter of `relkit.simulation.room.COUNTERS`. A request counts in the second it ends.
    transitions : array of records
        Changes of breakers: at_s, client, model, state, why, why_value, threshold.
    complete : bool
        Whether every request was played to its end; False after Ctrl-C, and then `requests` holds what was finished.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> run = simulate(w0().changed(requests=1000), presets["pybreaker"], seed=1, engine="oracle")
    >>> len(run.requests), run.complete, run.frame("transitions").columns[0]
    (1000, True, 'at_s')
    """

    scenario: Scenario
    policy_hash: str
    seed: int
    requests: Rows
    attempts: Rows | None
    seconds: Ints
    transitions: Rows
    complete: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """Requests by how they ended."""
        found = np.bincount(self.requests["outcome"], minlength=len(ENDS))
        return {name: int(found[place]) for place, name in enumerate(ENDS)}

    @property
    def answered_share(self) -> float:
        """Share of the requests that got an answer, cached and stale ones too."""
        outcome = self.requests["outcome"]
        return float(np.isin(outcome, (FRESH, CACHED, STALE)).mean())

    @property
    def attempts_per_request(self) -> float:
        """Mean number of tries sent."""
        return float(self.requests["attempts"].mean())

    def latency_s(self, *levels: float) -> Floats:
        """Return quantiles of the latency of answered requests, in seconds.

        Parameters
        ----------
        *levels : float
            Levels in [0, 1].
        """
        answered = np.isin(self.requests["outcome"], (FRESH, CACHED, STALE))
        found: Floats = np.quantile(self.requests["latency_s"][answered], levels)
        return found

    def goodput(self, start_s: float, end_s: float) -> float:
        """Return answers of the models per arrival between two whole seconds; it may exceed one by what was late."""
        part = self.seconds[int(start_s) : int(end_s)]
        came = int(part[:, COUNTERS.index("arrivals")].sum())
        return float(part[:, COUNTERS.index("fresh")].sum()) / came if came else float("nan")

    def frame(self, name: str) -> "pd.DataFrame":
        """Return a part of the run as a table with words instead of numbers.

        Parameters
        ----------
        name : str
            requests, seconds, transitions or attempts.

        Raises
        ------
        ParameterError
            For another name, or for attempts that were not kept.
        """
        import pandas as pd  # noqa: PLC0415  a run without tables need not load it

        if name not in _FRAMES:
            raise ParameterError.of("frame", name, ", ".join(_FRAMES), "use one of these names")
        if name == "seconds":
            return pd.DataFrame(self.seconds, columns=list(COUNTERS)).rename_axis("second").reset_index()
        rows = self.attempts if name == "attempts" else getattr(self, name)
        if rows is None:
            raise ParameterError.of("frame", name, "a run with attempts", "simulate with keep_attempts=True")
        table = pd.DataFrame({column: rows[column] for column in rows.dtype.names or ()})
        models = np.array([*(model.name for model in self.scenario.models), ""], dtype=object)
        words = {"outcome": ENDS, "kind": _KINDS, "breaker_state": STATES, "state": STATES}
        for column in table.columns.intersection(list(words)):
            table[column] = np.array(words[column], dtype=object)[table[column].to_numpy()]
        table["model"] = models[table["model"].to_numpy()]
        return table


def simulate(
    scenario: Scenario,
    policy: Policy,
    seed: int,
    *,
    keep_attempts: bool = False,
    engine: str = "kernel",
    progress: Callable[[int], object] | None = None,
) -> Run:
    """Play a scenario under a policy.

    Parameters
    ----------
    scenario : Scenario
        The traffic and the services.
    policy : Policy
        The settings; parts that it lacks do nothing. A fallback chain names models of the scenario.
    seed : int
        The run, as a number: the same three arguments give the same run, bit for bit.
    keep_attempts : bool
        Whether each try becomes a row.
    engine : str
        kernel (compiled; the first call of a version compiles for some seconds) or oracle (plain Python, about fifty
        times slower, the same result).
    progress : callable or None
        Told the number of finished requests now and then.

    Returns
    -------
    Run
        What happened. After Ctrl-C it holds the requests that were finished, and `complete` is False.

    Raises
    ------
    ParameterError
        For a policy that does not fit the scenario, or one under which a request never ends.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> simulate(w0().changed(requests=500), presets["plan-fixed"], seed=1, engine="oracle").counts["cached"]
    0
    """
    if engine not in {"kernel", "oracle"}:
        raise ParameterError.of("engine", engine, "kernel, oracle", "use one of these names")
    work = workload_of(scenario, policy, seed, keeps_attempts=keep_attempts)
    if engine == "oracle":
        seen = Oracle(work).run()
        attempts = seen.tries if keep_attempts else None
        return Run(scenario, policy.hash, seed, seen.requests, attempts, seen.seconds, seen.transitions)
    room = Room(work)
    complete = play(inputs_of(work), room, progress)
    marks = room.marks[0]
    requests = room.results
    if not complete:
        requests = requests[requests["outcome"] != UNFINISHED]
    attempts = room.tries[: marks["tries"]] if keep_attempts else None
    used = np.flatnonzero(room.seconds.any(axis=1))
    seconds = room.seconds[: used[-1] + 1 if len(used) else 0]
    return Run(
        scenario, policy.hash, seed, requests, attempts, seconds, room.transitions[: marks["transitions"]], complete
    )


def play(inputs: tuple[Any, ...], room: Room, progress: Callable[[int], object] | None) -> bool:
    """Let the kernel go on until everything has ended; return whether it did, rather than being stopped by Ctrl-C."""
    from relkit.simulation.compiled import announce  # noqa: PLC0415  it loads the compiler
    from relkit.simulation.kernel import ENDED, ENDLESS, WANTS_ROOM, run_events  # noqa: PLC0415

    if not run_events.signatures:  # type: ignore[attr-defined]  # compiled functions know their versions
        announce()

    try:
        while True:
            arguments: tuple[Any, ...] = (*inputs, *room.arrays(), _SLICE)
            told = run_events(*arguments)
            if told == ENDED:
                return True
            if told == ENDLESS:
                raise endless()
            if told == WANTS_ROOM:
                marks = room.marks[0]
                coming = [marks["next_s"]] if marks["arrived"] < len(room.results) else []
                waiting = [room.heap_s[0]] if marks["waiting"] else []
                room.grow(min(*coming, *waiting) if coming and waiting else (coming or waiting)[0])
            elif progress is not None:
                progress(int(room.marks[0]["finished"]))
    except KeyboardInterrupt:
        return False
