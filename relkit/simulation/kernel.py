"""The event loop, compiled: one function over flat arrays that calls the very policy functions that run live.

`run_events` is long on purpose: its pieces share some forty arrays, and a call with forty arrays costs more than what
it would do. It stops between two events when a pool is nearly full or when it was told to, and goes on from there.
"""

import math
from typing import Any, Final

from relkit.policies import (
    backoff,
    breaker,
    fallback,
    freshness,
    loop,
    retry,
    retry_budget,
    switches,
    transitions,
    trips,
    windows,
)
from relkit.policies.breaker import allow, settle
from relkit.policies.codes import ADMIT, COOLDOWN, OUTLIER
from relkit.policies.failure import FALLBACK_NEXT_MODEL, KIND_TIMEOUT
from relkit.policies.fallback import CACHED as CACHED_ANSWER
from relkit.policies.fallback import last_resort, next_model
from relkit.policies.freshness import freshness as freshness_of
from relkit.policies.freshness import may_serve
from relkit.policies.loop import after_failure, may_move_on
from relkit.policies.retry import NO_HINT, RETRY, STOP_ATTEMPTS, begin_attempt, begin_call, begin_model
from relkit.policies.retry_budget import deposit, earn, release
from relkit.policies.switches import throttle, trip_now
from relkit.simulation import agenda, answers, arrivals, conditions, draws, fleet, latency, tokens
from relkit.simulation.agenda import ANSWER, DONE, MOST_ATTEMPTS, MOST_STARTS, TIMEOUT, WAKE, event_of, pop, push
from relkit.simulation.answers import key_at, store, unlink, use
from relkit.simulation.arrivals import schedule
from relkit.simulation.compiled import callable_inside, compiled
from relkit.simulation.conditions import error_of, places_now, service_of
from relkit.simulation.draws import ATTEMPT, PERMIT, REQUEST, WAIT, drawn
from relkit.simulation.fleet import look_around, note_change, sweep_fleet
from relkit.simulation.room import LAST_SECOND, NEEDED
from relkit.simulation.workload import CACHED, FAILED, FRESH, REJECTED, STALE

ENDED: Final = 0
WANTS_ROOM: Final = 1
WENT_ON: Final = 2
ENDLESS: Final = 3

KIND_OVERLOADED: Final = 12
KIND_REJECTED: Final = 22

# What to do next for the call in hand.
_REST: Final = 0
_ASK: Final = 1
_SEND: Final = 2
_RESULT: Final = 3
_MOVE: Final = 4
_FINISH: Final = 5

# Columns of the counters, as in relkit.simulation.room.COUNTERS; ends follow the arrivals.
_ARRIVALS: Final = 0
_ENDS: Final = 1
_ATTEMPTS: Final = 6
_RETRIES: Final = 7
_REFUSED: Final = 8
_TIMEOUTS: Final = 9

callable_inside(
    agenda, answers, arrivals, backoff, breaker, conditions, draws, fallback, fleet, freshness, latency, loop, retry,
    retry_budget, switches, tokens, transitions, trips, windows,
)  # fmt: skip


@compiled
def run_events(  # noqa: C901, PLR0912, PLR0915  see the module's first lines
    setup_: Any, models: Any, episodes: Any, values: Any, rates: Any, lengths_s: Any, times_s: Any, held_s: Any,
    luck: Any, error_kinds: Any, error_until: Any, chain: Any, sizes: Any, popularity: Any, guide: Any, breaker_: Any, budget_: Any, freshness_: Any,
    retries: Any, failures: Any, strategies: Any, votes: Any, at_once: Any,
    marks_: Any, heap_s: Any, heap_what: Any, calls: Any, place_of: Any, jobs: Any, servers: Any, breakers: Any,
    windows_: Any, purses: Any, purse_windows: Any, peers_: Any, usable: Any, piece: Any, newer: Any, older: Any,
    stored_s: Any, results: Any, seconds: Any, transitions_: Any, tries: Any,
    most_events: int,
) -> int:  # fmt: skip
    """Handle up to `most_events` events; return ENDED, WANTS_ROOM, WENT_ON (there are more) or ENDLESS.

    The first twenty-three arguments are `relkit.simulation.room.inputs_of`, the next `Room.arrays`.
    """
    setup, marks, cfg, budget, fresh, peers = setup_[0], marks_[0], breaker_[0], budget_[0], freshness_[0], peers_[0]
    places, timeout_s = setup.places, setup.timeout_s
    has_fleet = places > 1 and (cfg.family == OUTLIER or cfg.family == COOLDOWN)
    if marks.events == 0 and marks.arrived == 0:
        schedule(setup, marks, rates, lengths_s, times_s, held_s, piece)
    for _ in range(most_events):
        arrives = marks.arrived < setup.requests and (marks.waiting == 0 or marks.next_s <= heap_s[0])
        if not arrives and marks.waiting == 0:
            return ENDED
        now_s = marks.next_s if arrives else heap_s[0]
        if not arrives and heap_what[0] & 7 == TIMEOUT:
            # Most timers outlive what they wait for; those ask for no room and may lie far in the future.
            slot = place_of[heap_what[0] >> 24]
            attempt = (heap_what[0] >> 10) & 16383
            if slot < 0 or calls[slot].phase != 1 or calls[slot].total_attempts != attempt or calls[slot].answered:
                pop(heap_s, heap_what, marks.waiting)
                marks.waiting -= 1
                continue
        if (
            marks.waiting + NEEDED >= len(heap_s)
            or marks.calls + NEEDED >= len(calls)
            or marks.jobs + NEEDED >= len(jobs)
            or marks.tries + NEEDED >= len(tries)
            or marks.transitions + 8 * places + 8 >= len(transitions_)
            or min(now_s, LAST_SECOND) >= len(seconds)
        ):
            return WANTS_ROOM
        marks.events += 1
        second = int(min(now_s, LAST_SECOND))
        action, kind, outcome, turn, rejected = _REST, 0, FRESH, 0, False
        slot = -1

        if arrives:
            request = marks.arrived
            seconds[second, _ARRIVALS] += 1
            results[request].arrival_s = now_s
            key = -1
            if setup.keys > 0:
                key = key_at(popularity, guide, marks.next_key)
            marks.arrived += 1
            schedule(setup, marks, rates, lengths_s, times_s, held_s, piece)
            if key >= 0 and stored_s[key] >= 0.0:
                code = freshness_of(fresh, now_s - stored_s[key], False)
                if may_serve(code, False, 0):
                    unlink(marks, newer, older, key)
                    use(marks, newer, older, key)
                    results[request].latency_s = setup.hit_s
                    results[request].outcome = CACHED
                    results[request].model = -1
                    seconds[second, _ENDS + CACHED] += 1
                    marks.finished += 1
                    continue
            if marks.free_call >= 0:
                slot = marks.free_call
                marks.free_call = calls[slot].next_free
            else:
                slot = marks.calls
                marks.calls += 1
            place_of[request] = slot
            call = calls[slot]
            call.request = request
            call.key = key
            call.client = 0
            if setup.clients > 1:
                call.client = int(drawn(setup.seed, request, 0, REQUEST)[1] * setup.clients)
            call.place = 0
            call.kind = 0
            call.waited_s = 0.0
            call.paying = False
            call.phase = 0
            call.entered_s = now_s
            begin_call(call, now_s)
            deposit(purses[call.client], purse_windows[call.client], budget, now_s)
            action = _ASK
        else:
            what = heap_what[0]
            pop(heap_s, heap_what, marks.waiting)
            marks.waiting -= 1
            request = what >> 24
            attempt = (what >> 10) & 16383
            slot = place_of[request]
            event = what & 7
            if event == ANSWER:
                action, kind = _RESULT, calls[slot].kind
            elif event == WAKE:
                action = _ASK if setup.asks_each_attempt else _SEND
            elif event == TIMEOUT:
                action, kind = _RESULT, KIND_TIMEOUT
                calls[slot].hint_s = NO_HINT
                at = (what >> 3) & 127
                if calls[slot].queued and models[at].cancels:
                    servers[at].queued -= 1
            else:
                at = (what >> 3) & 127
                model, server = models[at], servers[at]
                waits = slot >= 0 and calls[slot].phase == 1 and calls[slot].total_attempts == attempt
                if waits and calls[slot].answered:
                    action, kind = _RESULT, calls[slot].kind
                if model.servers >= 0:
                    server.busy -= 1
                    room, started = places_now(model, server, episodes, now_s), 0
                    while server.first >= 0 and server.busy < room and started < MOST_STARTS:
                        taken = server.first
                        job = jobs[taken]
                        server.first = job.next_job
                        if server.first < 0:
                            server.last = -1
                        job.next_job = marks.free_job
                        marks.free_job = taken
                        other = place_of[job.request]
                        there = other >= 0 and calls[other].phase == 1 and calls[other].total_attempts == job.attempt
                        if model.cancels and not there:
                            continue
                        server.queued -= 1
                        server.busy += 1
                        takes = drawn(setup.seed, job.request, job.attempt, ATTEMPT)[1]
                        time_s, ending, cost = service_of(
                            setup, model, server, episodes, values, job.request, job.attempt, now_s, takes
                        )
                        ends_s = now_s + time_s
                        results[job.request].cost_microusd += cost
                        if there:
                            calls[other].queued = False
                            calls[other].kind = ending
                            calls[other].answered = ends_s <= job.attempt_s + timeout_s
                        push(heap_s, heap_what, marks.waiting, ends_s, event_of(job.request, job.attempt, at, DONE))
                        marks.waiting += 1
                        started += 1

        while action != _REST:
            call = calls[slot]
            purse = purses[call.client]
            base = call.client * places

            if action == _ASK:
                code = ADMIT
                if setup.has_breaker:
                    state = breakers[base + call.place]
                    draw = 0.5
                    if setup.draws_permit:
                        draw = drawn(setup.seed, request, call.total_attempts, PERMIT + call.place)[0]
                    if has_fleet:
                        if cfg.interval_s > 0.0 and breakers[base].sweep_s <= now_s:
                            sweep_fleet(
                                cfg, breakers, windows_, base, places, call.client, chain, peers, now_s, transitions_, marks
                            )  # fmt: skip
                        look_around(breakers, base, places, call.place, peers)
                    generation = state.generation
                    code, call.generation, _ = allow(state, windows_[base + call.place], cfg, peers, now_s, draw)
                    if state.generation != generation:
                        note_change(state, call.client, chain[call.place], transitions_, marks)
                if code == ADMIT:
                    action = _SEND
                else:
                    seconds[second, _REFUSED] += 1
                    rejected = True
                    turn = FALLBACK_NEXT_MODEL
                    action = _MOVE

            if action == _SEND:
                begin_attempt(call)
                attempt = call.total_attempts
                if attempt > MOST_ATTEMPTS:
                    return ENDLESS
                seconds[second, _ATTEMPTS] += 1
                if attempt > 1:
                    seconds[second, _RETRIES] += 1
                call.attempt_s = now_s
                call.answered = False
                call.queued = False
                call.phase = 1
                call.hint_s = NO_HINT
                at = chain[call.place]
                model, server = models[at], servers[at]
                fails, takes = drawn(setup.seed, request, attempt, ATTEMPT)
                kind, call.hint_s = error_of(
                    setup, model, server, episodes, error_kinds, error_until, luck, request, attempt, now_s, fails
                )
                gives_up_s = now_s + timeout_s
                if kind == 0:
                    free = server.first < 0 and server.busy < places_now(model, server, episodes, now_s)
                    if model.servers < 0 or free:
                        time_s, call.kind, cost = service_of(
                            setup, model, server, episodes, values, request, attempt, now_s, takes
                        )
                        ends_s = now_s + time_s
                        results[request].cost_microusd += cost
                        call.answered = ends_s <= gives_up_s
                        if model.servers >= 0:
                            server.busy += 1
                        if model.servers >= 0 or call.answered:
                            push(heap_s, heap_what, marks.waiting, ends_s, event_of(request, attempt, at, DONE))
                            marks.waiting += 1
                        if not call.answered:
                            push(heap_s, heap_what, marks.waiting, gives_up_s, event_of(request, attempt, at, TIMEOUT))
                            marks.waiting += 1
                    elif model.queue < 0 or server.queued < model.queue:
                        if marks.free_job >= 0:
                            taken = marks.free_job
                            marks.free_job = jobs[taken].next_job
                        else:
                            taken = marks.jobs
                            marks.jobs += 1
                        jobs[taken].request = request
                        jobs[taken].attempt = attempt
                        jobs[taken].attempt_s = now_s
                        jobs[taken].next_job = -1
                        if server.last >= 0:
                            jobs[server.last].next_job = taken
                        else:
                            server.first = taken
                        server.last = taken
                        server.queued += 1
                        call.queued = True
                        if gives_up_s < math.inf:
                            push(heap_s, heap_what, marks.waiting, gives_up_s, event_of(request, attempt, at, TIMEOUT))
                            marks.waiting += 1
                    else:
                        kind = KIND_OVERLOADED
                if kind != 0:
                    ends_s = now_s + model.error_s
                    if ends_s > gives_up_s:
                        kind, ends_s, call.hint_s = KIND_TIMEOUT, gives_up_s, NO_HINT
                    call.kind = kind
                    push(heap_s, heap_what, marks.waiting, ends_s, event_of(request, attempt, at, ANSWER))
                    marks.waiting += 1
                action = _REST

            elif action == _RESULT:
                call.phase = 0
                call.kind = kind
                at = chain[call.place]
                if kind == KIND_TIMEOUT:
                    seconds[second, _TIMEOUTS] += 1
                if call.paying:
                    release(purse, budget)
                    call.paying = False
                if setup.keeps_attempts:
                    row = tries[marks.tries]
                    row.request = request
                    row.attempt = call.total_attempts
                    row.model = at
                    row.start_s = call.attempt_s
                    row.latency_s = now_s - call.attempt_s
                    row.waited_s = call.waited_s
                    row.kind = kind
                    row.breaker_state = breakers[base + call.place].state
                    marks.tries += 1
                call.waited_s = 0.0
                code, wait_s = STOP_ATTEMPTS, 0.0
                if kind != 0 and setup.has_retry:
                    code, wait_s = after_failure(
                        call, retries[strategies[kind]], purse, purse_windows[call.client], budget, failures[kind], now_s,
                        setup.has_key, call.hint_s, -1.0, drawn(setup.seed, request, call.total_attempts, WAIT)[0],
                    )  # fmt: skip
                if setup.has_breaker and (setup.asks_each_attempt or kind == 0 or code != RETRY):
                    state = breakers[base + call.place]
                    if has_fleet:
                        if cfg.interval_s > 0.0 and breakers[base].sweep_s <= now_s:
                            sweep_fleet(
                                cfg, breakers, windows_, base, places, call.client, chain, peers, now_s, transitions_, marks
                            )  # fmt: skip
                        look_around(breakers, base, places, call.place, peers)
                    since_s = call.attempt_s if setup.asks_each_attempt else call.entered_s
                    window = windows_[base + call.place]
                    generation = state.generation
                    settle(state, window, cfg, peers, now_s, call.generation, votes[kind], now_s - since_s)
                    if state.generation != generation:
                        note_change(state, call.client, at, transitions_, marks)
                    if at_once[kind]:
                        generation = state.generation
                        if call.hint_s > 0.0:
                            throttle(state, window, cfg, peers, now_s, call.hint_s)
                        else:
                            trip_now(state, window, cfg, peers, now_s)
                        if state.generation != generation:
                            note_change(state, call.client, at, transitions_, marks)
                if kind == 0:
                    if call.key >= 0:
                        store(marks, newer, older, stored_s, call.key, now_s, setup.cache_capacity)
                    outcome = FRESH
                    action = _FINISH
                elif code == RETRY:
                    call.paying = True
                    call.waited_s = wait_s
                    push(
                        heap_s,
                        heap_what,
                        marks.waiting,
                        now_s + wait_s,
                        event_of(request, call.total_attempts, at, WAKE),
                    )
                    marks.waiting += 1
                    action = _REST
                else:
                    rejected = False
                    turn = failures[kind].fallback
                    action = _MOVE

            elif action == _MOVE:
                there = next_model(sizes, usable, call.place, turn, 0)
                code = STOP_ATTEMPTS
                if there >= 0:
                    told = KIND_REJECTED if rejected else call.kind
                    pays = setup.budgets_models and not rejected
                    code = may_move_on(
                        call, retries[strategies[told]], purse, purse_windows[call.client], budget, failures[told], now_s,
                        setup.has_key, pays,
                    )  # fmt: skip
                    if code == RETRY and pays:
                        call.paying = True
                if code == RETRY:
                    begin_model(call)
                    call.place = there
                    call.entered_s = now_s
                    action = _ASK
                else:
                    outcome = FAILED if call.total_attempts > 0 else REJECTED
                    if call.key >= 0 and stored_s[call.key] >= 0.0:
                        code = freshness_of(fresh, now_s - stored_s[call.key], False)
                        if last_resort(turn, False, False, may_serve(code, True, turn)) == CACHED_ANSWER:
                            outcome = STALE
                    if call.total_attempts == 0:
                        call.kind = KIND_REJECTED
                    action = _FINISH

            if action == _FINISH:
                if call.paying:
                    release(purse, budget)
                    call.paying = False
                earn(purse, budget, outcome == FRESH, call.paid)
                result = results[request]
                result.latency_s = now_s - result.arrival_s
                if outcome == STALE:
                    result.latency_s += setup.hit_s
                result.attempts = call.total_attempts
                result.outcome = outcome
                result.kind = call.kind
                result.model = chain[call.place] if outcome == FRESH else -1
                seconds[second, _ENDS + outcome] += 1
                marks.finished += 1
                place_of[request] = -1
                call.next_free = marks.free_call
                marks.free_call = slot
                action = _REST
    return WENT_ON
