"""What each line of a driven script does: the breaker, the retries and the virtual clock behind `drive`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any, Final

from relkit.errors import ErrorKind
from relkit.errors.kinds import ADVICE
from relkit.exceptions import ParameterError
from relkit.policies.breaker import allow, settle, tick
from relkit.policies.codes import (
    ADMIT,
    CLOSED,
    COOLDOWN,
    DISABLED,
    FAILURE,
    FORCED_OPEN,
    IGNORED,
    METRICS_ONLY,
    OPEN,
    OPENED,
    OUTCOMES,
    PER_ATTEMPT,
    REJECT_FORCED,
    REJECT_OPEN,
    REJECT_PROBES,
    REJECT_THROTTLED,
    SLOW,
    SLOW_FAILURE,
    STATES,
    SUCCESS,
)
from relkit.policies.explain import counted, explain
from relkit.policies.failure import Failure
from relkit.policies.policy import Policy
from relkit.policies.records import ALONE, BreakerSettings, Peers
from relkit.policies.retry import NO_HINT
from relkit.policies.switches import force, probe, throttle, trip_now
from relkit.policies.transitions import new_breaker
from relkit.policies.votes import opens_at_once, outcome_of
from relkit.simulation.drive_retry import RetryLoop, failure_of

_REJECTED: Final = {
    REJECT_OPEN: "because it is open",
    REJECT_PROBES: "because every permit is out",
    REJECT_FORCED: "by force",
    REJECT_THROTTLED: "by throttling",
}
_VOTES: Final = {"failure": FAILURE, "ignore": IGNORED, "success": SUCCESS}
_FORCED: Final = {
    "open": FORCED_OPEN,
    "forced_open": FORCED_OPEN,
    "closed": CLOSED,
    "disabled": DISABLED,
    "metrics_only": METRICS_ONLY,
}
_UNNAMED_FAILURE: Final = ADVICE[ErrorKind.API_SERVER_ERROR]


@dataclass(frozen=True, slots=True)
class Step:
    """What one line of a script came to.

    Parameters
    ----------
    op : str
        The line's first word.
    at_s : float
        Virtual time after it.
    state : str
        State of the breaker after it: closed, open, half_open, forced_open, disabled or metrics_only.
    admitted : bool or None
        Whether the call was let through; None where the line asks for nothing.
    code : int or None
        What `allow` answered, 0 to 4 (`relkit.policies.codes.CODES`); None where the line asks for nothing.
    generation : int
        Generation of the breaker after it.
    retry_after_s : float
        After a rejection, the seconds until the next permit may be given; 0 when unknown.
    calls : int
        Calls the breaker judges by, see `relkit.policies.explain.counted`.
    failure_share, slow_share : float
        Shares of them, in [0, 1].
    delay_s : float or None
        After a failure, the wait before the retry; None for no retry. For a request, all its waits together.
    sentence : str
        Why the breaker did or did not open, with the numbers.
    """

    op: str
    at_s: float
    state: str
    admitted: bool | None
    code: int | None
    generation: int
    retry_after_s: float
    calls: int
    failure_share: float
    slow_share: float
    delay_s: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """An outcome of the script: to the breaker, and to the retries (None: nothing failed)."""

    outcome: int
    failure: Failure | None
    at_once: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the call brought what was asked for."""
        return self.failure is None and self.outcome in {SUCCESS, SLOW}


@dataclass(slots=True)
class _Running:
    """A call that was started and not yet finished."""

    generation: int
    started_s: float


def checked_fleet(known: object) -> Peers | Sequence[float] | None:
    """Refuse what is neither a fleet nor the success shares of its other members.

    >>> checked_fleet([0.9, 1.0])
    [0.9, 1.0]
    """
    if known is None or isinstance(known, Peers):
        return known
    shares = known if isinstance(known, Sequence) and not isinstance(known, str) else None
    if shares is None or not all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares):
        allowed = "Peers, or a list of success shares in [0, 1]"
        raise ParameterError.of("peers", known, allowed, "give the shares of the other members, e.g. [1.0] * 9")
    return shares


class Driver:
    """The breaker, the retries and the clock of one script.

    Parameters
    ----------
    policy : Policy
        The settings; without a breaker every call is admitted.
    draws : callable
        Gives uniform draws in [0, 1).
    peers : Peers, sequence of float or None
        What is known of the fleet, see `relkit.simulation.drive.drive`.
    start_s : float
        The clock at the beginning.
    has_key : bool
        Whether calls may be repeated safely.
    """

    def __init__(
        self,
        policy: Policy,
        draws: Callable[[], float],
        peers: Peers | Sequence[float] | None,
        start_s: float,
        has_key: bool,
    ) -> None:
        self.cfg = policy.breaker or BreakerSettings()
        self.now_s = start_s
        self.state, self.window = new_breaker(self.cfg, start_s)
        if policy.breaker is None:
            force(self.state, self.window, self.cfg, start_s, DISABLED)
        self.draws = draws
        self.known = checked_fleet(peers)
        self.running: dict[str, _Running] = {}
        # Calls that were started and rejected, or that ran into the breaker's own time-out.
        self.nothing_to_settle: set[str] = set()
        self.retries = RetryLoop(policy, draws, start_s, has_key)
        self.ops: dict[str, tuple[Callable[..., Step], int, int]] = {
            "call": (self._call, 1, 3),
            "request": (self._request, 1, 3),
            "start": (self._start, 1, 1),
            "finish": (self._finish, 2, 2),
            "wait": (self._wait, 1, 1),
            "probe": (self._probe, 1, 1),
            "force": (self._force, 1, 1),
            "trip": (self._trip, 0, 0),
            "throttle": (self._throttle, 1, 1),
            "peers": (self._peers, 1, 1),
        }
        self.place = ""

    def step(self, number: int, line: Sequence[Any]) -> Step:
        """Carry out one line, the `number`-th of its script; refuse with its place what it may not say."""
        self.place = f"script[{number}]"
        known = isinstance(line, tuple | list) and bool(line) and isinstance(line[0], str) and line[0] in self.ops
        if not known:
            raise self._refusal(line, f"a tuple that begins with one of {', '.join(self.ops)}")
        operation, least, most = self.ops[line[0]]
        if not least <= len(line) - 1 <= most:
            words = f"{least} to {most}" if most > least else str(least)
            raise self._refusal(line, f"{line[0]!r} and {words} more")
        return operation(*line[1:])

    def _refusal(self, got: object, allowed: str) -> ParameterError:
        return ParameterError.of(self.place, got, allowed, "see the operations in the docstring of drive")

    # The operations

    def _call(self, outcome: str, latency_s: float = 0.0, retry_after: float | str | None = None) -> Step:
        answer = self._answer(outcome)
        hint_s = self._hint_s(retry_after)
        latency_s = self._within_timeout(self._seconds(latency_s))
        code, generation, left_s = self._ask()
        if code != ADMIT:
            return self._told("call", code=code, retry_after_s=left_s)
        self.retries.attempt(self.now_s)
        self._advance(self.now_s + latency_s)
        self._settle(generation, answer, latency_s, hint_s)
        delay_s = self.retries.after(answer.failure, self.now_s, hint_s, succeeded=answer.succeeded)
        return self._told("call", code=code, delay_s=delay_s)

    def _request(self, outcome: str, latency_s: float = 0.0, retry_after: float | str | None = None) -> Step:
        answer = self._answer(outcome)
        hint_s = self._hint_s(retry_after)
        latency_s = self._within_timeout(self._seconds(latency_s))
        each_attempt = self.cfg.counts == PER_ATTEMPT
        code, generation, left_s = self._ask()
        if code != ADMIT:
            return self._told("request", code=code, retry_after_s=left_s)
        begun_s, waited_s = self.now_s, 0.0
        while True:
            self.retries.attempt(self.now_s)
            self._advance(self.now_s + latency_s)
            if each_attempt:
                self._settle(generation, answer, latency_s, hint_s)
            delay_s = self.retries.after(answer.failure, self.now_s, hint_s, succeeded=answer.succeeded)
            if delay_s is None:
                break
            waited_s += delay_s
            self._advance(self.now_s + delay_s)
            if each_attempt:
                # The breaker is asked at the moment of sending: it may have opened during the wait.
                code, generation, left_s = self._ask()
                if code != ADMIT:
                    self.retries.end(succeeded=False)
                    break
        if not each_attempt:
            self._settle(generation, answer, self.now_s - begun_s, hint_s)
        return self._told("request", code=code, retry_after_s=left_s, delay_s=waited_s)

    def _start(self, name: str) -> Step:
        if not isinstance(name, str | int) or name in self.running:
            raise self._refusal(name, "the name of a call that is not running")
        code, generation, left_s = self._ask()
        if code == ADMIT:
            self.running[name] = _Running(generation, self.now_s)
            self.nothing_to_settle.discard(name)
        else:
            self.nothing_to_settle.add(name)
        return self._told("start", code=code, retry_after_s=left_s)

    def _finish(self, name: str, outcome: str) -> Step:
        answer = self._answer(outcome)
        if not isinstance(name, str | int) or (name not in self.running and name not in self.nothing_to_settle):
            raise self._refusal(name, "the name of a call that was started and is not finished")
        self.nothing_to_settle.discard(name)
        if name in self.running:
            call = self.running.pop(name)
            self._settle(call.generation, answer, self.now_s - call.started_s, NO_HINT)
        return self._told("finish")

    def _wait(self, seconds: float) -> Step:
        self._advance(self.now_s + self._seconds(seconds))
        return self._told("wait")

    def _probe(self, result: str) -> Step:
        if result not in {"success", "failure"}:
            raise self._refusal(result, "success or failure")
        probe(self.state, self.window, self.cfg, self._fleet(), self.now_s, result == "success")
        return self._told("probe")

    def _force(self, word: str) -> Step:
        if word not in _FORCED:
            raise self._refusal(word, ", ".join(_FORCED))
        force(self.state, self.window, self.cfg, self.now_s, _FORCED[word])
        return self._told("force")

    def _trip(self) -> Step:
        trip_now(self.state, self.window, self.cfg, self._fleet(), self.now_s)
        return self._told("trip")

    def _throttle(self, seconds: float) -> Step:
        throttle(self.state, self.window, self.cfg, self._fleet(), self.now_s, self._seconds(seconds))
        return self._told("throttle")

    def _peers(self, known: Peers | Sequence[float]) -> Step:
        self.known = checked_fleet(known)
        return self._told("peers")

    # What they share

    def _ask(self) -> tuple[int, int, float]:
        return allow(self.state, self.window, self.cfg, self._fleet(), self.now_s, self.draws())

    def _settle(self, generation: int, answer: _Answer, latency_s: float, hint_s: float) -> None:
        fleet = self._fleet()
        event = settle(self.state, self.window, self.cfg, fleet, self.now_s, generation, answer.outcome, latency_s)
        if answer.at_once or (self.cfg.family == COOLDOWN and event == OPENED):
            # LiteLLM cools for as long as the server says (0: not at all), or for its usual time.
            if hint_s > 0:
                throttle(self.state, self.window, self.cfg, fleet, self.now_s, hint_s)
            elif hint_s != 0:
                trip_now(self.state, self.window, self.cfg, fleet, self.now_s)

    def _advance(self, to_s: float) -> None:
        """Move the clock; calls that run into the breaker's own time-out fail on the way."""
        while self.cfg.timeout_s > 0 and self.running:
            name, call = min(self.running.items(), key=lambda item: item[1].started_s)
            due_s = call.started_s + self.cfg.timeout_s
            if due_s > to_s:
                break
            self.now_s = due_s
            del self.running[name]
            self.nothing_to_settle.add(name)
            self._settle(call.generation, _Answer(FAILURE, None), self.cfg.timeout_s, NO_HINT)
        self.now_s = to_s
        tick(self.state, self.window, self.cfg, self._fleet(), self.now_s)

    def _within_timeout(self, latency_s: float) -> float:
        return min(latency_s, self.cfg.timeout_s) if self.cfg.timeout_s > 0 else latency_s

    def _fleet(self) -> Peers:
        if self.known is None:
            return ALONE
        if isinstance(self.known, Peers):
            return self.known
        shares = list(self.known)
        if self.state.calls >= max(self.cfg.min_calls, 1):
            shares.append((self.state.calls - self.state.failures) / self.state.calls)
        if not shares:
            return ALONE
        return Peers(members=len(self.known) + 1, mean_share=fmean(shares), sd_share=pstdev(shares))

    def _answer(self, word: str) -> _Answer:
        if word in OUTCOMES:
            outcome = OUTCOMES.index(word)
            failed = outcome in {FAILURE, SLOW_FAILURE}
            return _Answer(outcome, failure_of(_UNNAMED_FAILURE) if failed else None)
        if not isinstance(word, str) or word not in ErrorKind.__members__:
            raise self._refusal(word, f"{', '.join(OUTCOMES)}, or an error kind such as API_RATE_LIMIT")
        advice = ADVICE[ErrorKind(word)]
        outcome = outcome_of(self.cfg.votes, advice.int_code, _VOTES[advice.breaker])
        at_once = opens_at_once(self.cfg.votes, advice.int_code, self._fleet().members)
        return _Answer(outcome, failure_of(advice), at_once)

    def _hint_s(self, told: object) -> float:
        if isinstance(told, bool) or not (told is None or isinstance(told, str | int | float)) or told != told:  # noqa: PLR0124  not a number
            raise self._refusal(told, "seconds, or the text of a Retry-After header")
        return self.retries.read_hint(told, self.now_s)

    def _seconds(self, got: object) -> float:
        if isinstance(got, bool) or not isinstance(got, int | float) or not 0 <= got < math.inf:
            raise self._refusal(got, "a number of seconds from 0 on")
        return float(got)

    def _told(
        self, op: str, *, code: int | None = None, retry_after_s: float = 0.0, delay_s: float | None = None
    ) -> Step:
        calls, failure_share, slow_share = counted(self.state, self.cfg)
        sentence = explain(self.state, self.cfg, self._fleet(), self.now_s)
        if code is not None and code != ADMIT and self.state.state != OPEN:
            sentence = f"Rejected {_REJECTED[code]}. {sentence}"
        return Step(
            op=op,
            at_s=self.now_s,
            state=STATES[self.state.state],
            admitted=None if code is None else code == ADMIT,
            code=code,
            generation=self.state.generation,
            retry_after_s=retry_after_s,
            calls=calls,
            failure_share=failure_share,
            slow_share=slow_share,
            delay_s=delay_s,
            sentence=sentence,
        )
