"""The same simulation once more, written apart: `heapq`, queues and slotted objects, a thousand times easier to read.

It shares the policy functions and the distributions with the kernel, and nothing else: the kernel is right when both
agree bit for bit. It needs no compiler and takes about a second for 100,000 requests.
"""

import math
from bisect import bisect_right
from collections import OrderedDict, deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final

import numpy as np

from relkit.exceptions import ParameterError
from relkit.policies.breaker import allow, settle, tick
from relkit.policies.codes import ADMIT, COOLDOWN, OPEN, OUTLIER
from relkit.policies.failure import FALLBACK_NEXT_MODEL, KIND_RATE_LIMIT, KIND_TIMEOUT
from relkit.policies.fallback import CACHED as CACHED_ANSWER
from relkit.policies.fallback import NO_MODEL, last_resort, next_model
from relkit.policies.freshness import freshness, may_serve
from relkit.policies.loop import after_failure, may_move_on
from relkit.policies.records import ALONE, Peers
from relkit.policies.retry import NO_HINT, RETRY, begin_attempt, begin_call, begin_model
from relkit.policies.retry_budget import deposit, earn, fill, release
from relkit.policies.switches import throttle, trip_now
from relkit.policies.transitions import new_breaker
from relkit.simulation.actors import Call, Client, Guard, Server, arrivals_of
from relkit.simulation.agenda import ANSWER, DONE, MOST_ATTEMPTS, MOST_STARTS, TIMEOUT, WAKE, event_of
from relkit.simulation.draws import ARRIVAL, ATTEMPT, EPISODE, PERMIT, REQUEST, TOKENS, WAIT, KeyedDraws
from relkit.simulation.latency import latency_s
from relkit.simulation.room import COUNTERS, LAST_SECOND, RESULT, TRANSITION, TRY, Rows
from relkit.simulation.tokens import billed, count_at
from relkit.simulation.workload import CACHED, ENDS, FAILED, FRESH, REJECTED, STALE, Workload

_CUT: Final = 3
_INVALID: Final = 8
_OVERLOADED: Final = 12
_CIRCUIT_OPEN: Final = 22


@dataclass(slots=True)
class OracleResult:
    """What the oracle saw, in the rows of `relkit.simulation.run.Run`."""

    requests: Rows
    seconds: Any
    transitions: Rows
    tries: Rows


class Oracle:
    """One run, event by event.

    Parameters
    ----------
    work : Workload
        What to run.
    """

    def __init__(self, work: Workload) -> None:
        self.work = work
        self.setup = work.setup
        self.draws = KeyedDraws(work.setup.seed)
        self.servers = [
            Server(number, row, deque(work.episodes[row.episodes_from : row.episodes_to]))
            for number, row in enumerate(work.models)
        ]
        self.chain: list[int] = work.chain.tolist()
        self.sizes: list[int] = work.windows.tolist()
        self.luck: list[float] = work.luck.tolist()
        self.values: list[float] = work.values.tolist()
        self.error_kinds: list[int] = work.error_kinds.tolist()
        self.error_until: list[float] = work.error_until.tolist()
        self.popularity: list[float] = work.popularity.tolist()
        self.strategies: list[int] = work.strategies.tolist()
        self.votes: list[int] = work.votes.tolist()
        self.clients = [self._client(number) for number in range(self.setup.clients)]
        self.has_fleet = len(self.chain) > 1 and work.breaker.family in {OUTLIER, COOLDOWN}
        self.cache: OrderedDict[int, float] = OrderedDict()
        self.agenda: list[tuple[float, int, Call]] = []
        self.now_s = 0.0
        self.results: list[tuple[Any, ...]] = [()] * self.setup.requests
        self.costs = [0] * self.setup.requests
        self.seconds: dict[int, list[int]] = {}
        self.transitions: list[tuple[Any, ...]] = []
        self.tries: list[tuple[Any, ...]] = []
        self.events = 0

    def _client(self, number: int) -> Client:
        client = Client([Guard(*new_breaker(self.work.breaker, 0.0), number, model) for model in self.chain])
        fill(client.purse, client.slots, self.work.budget, 0.0)
        return client

    def run(self) -> OracleResult:
        """Play everything to the end."""
        coming = enumerate(arrivals_of(self.work, self.draws))
        upcoming = next(coming, None)
        while upcoming is not None or self.agenda:
            self.events += 1
            if upcoming is not None and (not self.agenda or upcoming[1] <= self.agenda[0][0]):
                number, self.now_s = upcoming
                upcoming = next(coming, None)
                self.arrive(number)
                continue
            self.now_s, what, call = heappop(self.agenda)
            attempt, server = (what >> 10) & 16383, self.servers[(what >> 3) & 127]
            event = what & 7
            if event == ANSWER:
                self.hear(call, call.kind)
            elif event == WAKE:
                if self.setup.asks_each_attempt:
                    self.ask(call)
                else:
                    self.send(call)
            elif event == TIMEOUT:
                self.give_up_attempt(call, attempt, server)
            elif event == DONE:
                self.finish_service(call, attempt, server)
        return self._result()

    def _result(self) -> OracleResult:
        seconds = np.zeros((max(self.seconds, default=-1) + 1, len(COUNTERS)), dtype=np.int64)
        for second, row in self.seconds.items():
            seconds[second] = row
        requests = np.array(self.results, dtype=RESULT)
        requests["cost_microusd"] = self.costs
        return OracleResult(
            requests, seconds, np.array(self.transitions, dtype=TRANSITION), np.array(self.tries, dtype=TRY)
        )

    def count(self, counter: str) -> None:
        """Add one to a counter of the present second."""
        row = self.seconds.setdefault(int(min(self.now_s, LAST_SECOND)), [0] * len(COUNTERS))
        row[COUNTERS.index(counter)] += 1

    def plan(self, at_s: float, call: Call, attempt: int, server: int, event: int) -> None:
        """Put an event on the agenda."""
        heappush(self.agenda, (at_s, event_of(call.number, attempt, server, event), call))

    # A request

    def arrive(self, number: int) -> None:
        """Take a request in: from the cache, or on its way."""
        self.count("arrivals")
        key = None
        if self.popularity:
            key = min(bisect_right(self.popularity, self.draws.at(number, 0, ARRIVAL)[1]), len(self.popularity) - 1)
            if key in self.cache:
                code = freshness(self.work.freshness, self.now_s - self.cache[key], False)
                if may_serve(code, False, 0):
                    self.cache.move_to_end(key)
                    self.results[number] = (self.now_s, self.setup.hit_s, 0, 0, CACHED, 0, -1)
                    self.count("cached")
                    return
        client = self.clients[0]
        if self.setup.clients > 1:
            client = self.clients[int(self.draws.at(number, 0, REQUEST)[1] * self.setup.clients)]
        call = Call(number, client, key, self.now_s, entered_s=self.now_s)
        begin_call(call.retry, self.now_s)
        deposit(client.purse, client.slots, self.work.budget, self.now_s)
        self.ask(call)

    def end(self, call: Call, outcome: int) -> None:
        """Write down how a request ended."""
        self._release(call)
        earn(call.client.purse, self.work.budget, outcome == FRESH, call.retry.paid)
        latency_s = self.now_s - call.came_s
        if outcome == STALE:
            latency_s += self.setup.hit_s
        model = self.chain[call.place] if outcome == FRESH else -1
        self.results[call.number] = (call.came_s, latency_s, 0, call.retry.total_attempts, outcome, call.kind, model)
        self.count(ENDS[outcome])

    def _release(self, call: Call) -> None:
        if call.paying:
            release(call.client.purse, self.work.budget)
            call.paying = False

    # The breaker

    def ask(self, call: Call) -> None:
        """Ask the breaker, then send or go on to another model."""
        if self.setup.has_breaker:
            guard = call.client.guards[call.place]
            draw = 0.5
            if self.setup.draws_permit:
                draw = self.draws.at(call.number, call.retry.total_attempts, PERMIT + call.place)[0]
            peers = self.fleet(call)
            before = guard.state.generation
            code, call.generation, _ = allow(guard.state, guard.window, self.work.breaker, peers, self.now_s, draw)
            self.note(guard, before)
            if code != ADMIT:
                self.count("refused")
                self.move(call, FALLBACK_NEXT_MODEL, rejected=True)
                return
        self.send(call)

    def settle(self, call: Call, kind: int) -> None:
        """Tell the breaker how a permit ended."""
        guard = call.client.guards[call.place]
        cfg, peers = self.work.breaker, self.fleet(call)
        since_s = call.attempt_s if self.setup.asks_each_attempt else call.entered_s
        before = guard.state.generation
        settle(
            guard.state, guard.window, cfg, peers, self.now_s, call.generation, self.votes[kind], self.now_s - since_s
        )  # fmt: skip
        self.note(guard, before)
        if self.work.at_once[kind]:
            before = guard.state.generation
            if call.hint_s > 0.0:
                throttle(guard.state, guard.window, cfg, peers, self.now_s, call.hint_s)
            else:
                trip_now(guard.state, guard.window, cfg, peers, self.now_s)
            self.note(guard, before)

    def note(self, guard: Guard, before: int) -> None:
        """Write down that a breaker has changed its state."""
        state = guard.state
        if state.generation != before:
            self.transitions.append(
                (state.since_s, guard.client, guard.model, state.state, state.why, state.why_value, state.threshold)
            )

    def fleet(self, call: Call) -> Peers:
        """Return what a breaker knows of the others; sweep them where that is due."""
        if not self.has_fleet:
            return ALONE
        guards = call.client.guards
        if self.work.breaker.interval_s > 0.0 and guards[0].state.sweep_s <= self.now_s:
            self.sweep(guards)
        return self.members(guards, call.place, 0.0, 0.0)

    def members(self, guards: list[Guard], place: int, mean: float, sd: float) -> Peers:
        """Count the fleet of one of its members."""
        others = sum(guard.state.state == OPEN for number, guard in enumerate(guards) if number != place)
        return Peers(len(guards), others, mean, sd)

    def sweep(self, guards: list[Guard]) -> None:
        """Judge all members at once by the interval that is over."""
        least = max(self.work.breaker.min_calls, 1)
        judged = [guard.state for guard in guards if guard.state.calls >= least]
        shares = [(state.calls - state.failures) / state.calls for state in judged]
        mean = sum(shares) / len(shares) if shares else 0.0
        sd = math.sqrt(max(sum(share * share for share in shares) / len(shares) - mean * mean, 0.0)) if shares else 0.0
        for place, guard in enumerate(guards):
            before = guard.state.generation
            tick(guard.state, guard.window, self.work.breaker, self.members(guards, place, mean, sd), self.now_s)
            self.note(guard, before)

    # An attempt

    def send(self, call: Call) -> None:
        """Send an attempt: it fails at once, is served or waits."""
        begin_attempt(call.retry)
        attempt = call.retry.total_attempts
        if attempt > MOST_ATTEMPTS:
            raise endless()
        self.count("attempts")
        if attempt > 1:
            self.count("retries")
        call.attempt_s, call.waits_for = self.now_s, attempt
        call.will_be_answered = call.in_queue = False
        server = self.servers[self.chain[call.place]]
        kind, call.hint_s = self.error(call, attempt, server)
        gives_up_s = self.now_s + self.setup.timeout_s
        if kind == 0:
            if server.has_server(self.now_s) and not server.queue:
                self.serve(call, attempt, self.now_s, server)
                if not call.will_be_answered:
                    self.plan(gives_up_s, call, attempt, server.number, TIMEOUT)
                return
            if server.has_place():
                server.queue.append((call, attempt, self.now_s))
                server.live += 1
                call.in_queue = True
                if gives_up_s != math.inf:
                    self.plan(gives_up_s, call, attempt, server.number, TIMEOUT)
                return
            kind = _OVERLOADED
        answers_s = self.now_s + server.row.error_s
        if answers_s > gives_up_s:
            kind, answers_s, call.hint_s = KIND_TIMEOUT, gives_up_s, NO_HINT
        call.kind = kind
        self.plan(answers_s, call, attempt, server.number, ANSWER)

    def error(self, call: Call, attempt: int, server: Server) -> tuple[int, float]:
        """Return kind and stated wait of what meets an attempt before it is served."""
        number, row = call.number, server.row
        episode = server.episode(self.now_s)
        if (
            episode is not None
            and episode.share > 0
            and (episode.share >= 1 or self.draws.at(number, attempt, EPISODE)[0] < episode.share)
        ):
            return episode.kind, episode.hint_s
        if (row.requests_per_minute or row.tokens_per_minute) and not server.admits(
            self.now_s, sum(self.tokens_of(number)) if row.tokens_per_minute else 0
        ):
            left_s = (server.minute + 1) * 60.0 - self.now_s
            return KIND_RATE_LIMIT, max(float(math.floor(left_s)), 0.001) if self.setup.plan_hints else left_s
        if self.setup.invalid_share > 0 and self.draws.at(number, 0, REQUEST)[0] < self.setup.invalid_share:
            return _INVALID, NO_HINT
        if row.errors_to > row.errors_from:
            draw = self.draws.at(number, attempt, ATTEMPT)[0]
            luck = self.luck[number] if self.luck else 1.0
            for place in range(row.errors_from, row.errors_to):
                if draw < self.error_until[place] * luck:
                    return self.error_kinds[place], NO_HINT
        return 0, NO_HINT

    def tokens_of(self, number: int) -> tuple[int, int]:
        """Return the tokens that a request asks and is answered with."""
        asked, answered = self.draws.at(number, 0, TOKENS)
        setup = self.setup
        return count_at(setup.in_median, setup.in_sigma, asked), count_at(setup.out_median, setup.out_sigma, answered)

    def serve(self, call: Call, attempt: int, attempt_s: float, server: Server) -> None:
        """Start a service."""
        row = server.row
        draw = self.draws.at(call.number, attempt, ATTEMPT)[1]
        time_s = latency_s(row.family, self.values, row.values_from, row.values_to, draw)
        episode = server.episode(self.now_s)
        kind, part = 0, 1.0
        if episode is not None:
            time_s *= episode.slow_factor
            cut = self.draws.at(call.number, attempt, EPISODE)[1] if episode.cut_share > 0 else 1.0
            if cut < episode.cut_share:
                kind, part = _CUT, cut / episode.cut_share
                time_s *= part
        cost = row.cost_microusd
        if self.setup.counts_tokens:
            asked, answered = self.tokens_of(call.number)
            cost = billed(row, asked, math.floor(answered * part))
        self.costs[call.number] += cost
        ends_s = self.now_s + time_s
        if call.waits_for == attempt:
            call.kind = kind
            call.will_be_answered = ends_s <= attempt_s + self.setup.timeout_s
            call.in_queue = False
        server.busy += 1
        if row.servers >= 0 or call.will_be_answered:
            self.plan(ends_s, call, attempt, server.number, DONE)

    def finish_service(self, call: Call, attempt: int, server: Server) -> None:
        """End a service: the next in the queue is served, and the client is told if it still waits."""
        answered = call.waits_for == attempt and call.will_be_answered
        server.busy -= 1
        started = 0
        while server.queue and server.has_server(self.now_s) and started < MOST_STARTS:
            other, its_attempt, its_attempt_s = server.queue.popleft()
            if server.row.cancels and other.waits_for != its_attempt:
                continue
            server.live -= 1
            self.serve(other, its_attempt, its_attempt_s, server)
            started += 1
        if answered:
            self.hear(call, call.kind)

    def give_up_attempt(self, call: Call, attempt: int, server: Server) -> None:
        """Let the client give an attempt up that takes too long."""
        if call.waits_for != attempt or call.will_be_answered:
            return
        if call.in_queue and server.row.cancels:
            server.live -= 1
        call.hint_s = NO_HINT
        self.hear(call, KIND_TIMEOUT)

    def hear(self, call: Call, kind: int) -> None:
        """Take an attempt's answer, 0 for a success, and decide what comes next."""
        call.waits_for, call.kind = 0, kind
        if kind == KIND_TIMEOUT:
            self.count("timeouts")
        self._release(call)
        attempt, model = call.retry.total_attempts, self.chain[call.place]
        if self.setup.keeps_attempts:
            state = call.client.guards[call.place].state.state
            took_s = self.now_s - call.attempt_s
            self.tries.append((call.number, attempt, model, call.attempt_s, took_s, call.waited_s, kind, state))
        call.waited_s = 0.0
        wait_s = self.retry_wait(call, kind) if kind else None
        if self.setup.has_breaker and (self.setup.asks_each_attempt or wait_s is None):
            self.settle(call, kind)
        if kind == 0:
            if call.key is not None:
                self.cache[call.key] = self.now_s
                self.cache.move_to_end(call.key)
                if len(self.cache) > self.setup.cache_capacity:
                    self.cache.popitem(last=False)
            self.end(call, FRESH)
        elif wait_s is not None:
            call.paying, call.waited_s = True, wait_s
            self.plan(self.now_s + wait_s, call, attempt, model, WAKE)
        else:
            self.move(call, self.work.failures[kind].fallback, rejected=False)

    def retry_wait(self, call: Call, kind: int) -> float | None:
        """Return the wait before the retry, or None for no retry."""
        if not self.setup.has_retry:
            return None
        client, work = call.client, self.work
        jitter = self.draws.at(call.number, call.retry.total_attempts, WAIT)[0]
        code, wait_s = after_failure(
            call.retry, work.retries[self.strategies[kind]], client.purse, client.slots, work.budget,
            work.failures[kind], self.now_s, self.setup.has_key, call.hint_s, -1.0, jitter,
        )  # fmt: skip
        return wait_s if code == RETRY else None

    def move(self, call: Call, turn: int, *, rejected: bool) -> None:
        """Go on to another model, or end the request."""
        client, work = call.client, self.work
        place = next_model(self.sizes, [True] * len(self.sizes), call.place, turn, 0)
        if place != NO_MODEL:
            kind = _CIRCUIT_OPEN if rejected else call.kind
            pays = self.setup.budgets_models and not rejected
            code = may_move_on(
                call.retry, work.retries[self.strategies[kind]], client.purse, client.slots, work.budget,
                work.failures[kind], self.now_s, self.setup.has_key, pays,
            )  # fmt: skip
            if code == RETRY:
                call.paying = call.paying or pays
                begin_model(call.retry)
                call.place, call.entered_s = place, self.now_s
                self.ask(call)
                return
        if call.retry.total_attempts == 0:
            call.kind = _CIRCUIT_OPEN
        outcome = FAILED if call.retry.total_attempts else REJECTED
        if call.key is not None and call.key in self.cache:
            code = freshness(work.freshness, self.now_s - self.cache[call.key], False)
            if last_resort(turn, False, False, may_serve(code, True, turn)) == CACHED_ANSWER:
                outcome = STALE
        self.end(call, outcome)


def endless() -> ParameterError:
    """Say that a request never ends."""
    allowed = f"at most {MOST_ATTEMPTS} attempts of one request"
    remedy = "set max_attempts, max_total_attempts or deadline_s in the policy's retry"
    return ParameterError.of("attempts", f"more than {MOST_ATTEMPTS}", allowed, remedy)
