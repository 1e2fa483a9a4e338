"""What holds for every breaker preset under any order of calls, late answers, abandonment and switches by hand.

Seeded random scripts, 60 a preset; half of them with small windows and several permits, so that half open is met often.
"""

from dataclasses import replace
from math import inf
from random import Random

import pytest

from relkit import presets
from relkit.policies.breaker import allow, settle, tick
from relkit.policies.codes import (
    ABANDONED,
    ADMIT,
    CLOSED,
    DISABLED,
    FAILURE,
    FORCED_OPEN,
    HALF_OPEN,
    IGNORED,
    METRICS_ONLY,
    OPEN,
    REJECT_OPEN,
    SLOW,
    SLOW_FAILURE,
    SUCCESS,
)
from relkit.policies.records import ALONE, BreakerSettings, BreakerState, Peers
from relkit.policies.switches import force, probe, throttle, trip_now
from relkit.policies.transitions import new_breaker

BREAKERS = [name for name in presets if presets[name].breaker]
FLEETS = (ALONE, Peers(members=2), Peers(members=10, mean_share=0.95, sd_share=0.02))
ALLOWED = {(CLOSED, OPEN), (OPEN, HALF_OPEN), (OPEN, CLOSED), (HALF_OPEN, OPEN), (HALF_OPEN, CLOSED)}
BY_HAND = {FORCED_OPEN, DISABLED, METRICS_ONLY}
WAITS_S = (0.0, 0.3, 1.0, 5.0, 10.0, 30.0, 61.0, 300.0, 86_400.0)


def settings(name: str, random: Random) -> BreakerSettings:
    """The preset's own settings, or smaller ones of the same family."""
    own = presets[name].breaker
    assert own is not None
    if random.random() < 0.5:
        return own
    permits = random.choice([1, 2, 3]) if own.half_open_permits else 0
    return replace(
        own,
        window_calls=8,
        min_calls=min(own.min_calls, 4),
        half_open_max_s=random.choice([0.0, 5.0]),
        half_open_permits=permits,
        half_open_successes=min(own.half_open_successes, random.choice([1, max(permits, 1)])),
    )


class Script:
    """One breaker, its permits that are out, and what must hold after each step."""

    def __init__(self, name: str, seed: int) -> None:
        self.random = Random(f"{name} {seed}")
        self.cfg = settings(name, self.random)
        self.peers = self.random.choice(FLEETS)
        self.state, self.window = new_breaker(self.cfg, 0.0)
        self.now_s = 0.0
        self.out: list[int] = []
        self.fails = self.random.random()

    def copy(self) -> tuple[BreakerState, list[float]]:
        return replace(self.state), list(self.window)

    def ask(self) -> None:
        code, generation, left_s = allow(
            self.state, self.window, self.cfg, self.peers, self.now_s, self.random.random()
        )
        assert 0.0 <= left_s < inf
        assert generation == self.state.generation
        if code == ADMIT:
            self.out.append(generation)
        if code == REJECT_OPEN and left_s > 0:
            state, window = self.copy()
            later_s = self.now_s + left_s * (1 + 1e-9) + 1e-6
            assert allow(state, window, self.cfg, self.peers, later_s, 0.5)[0] != REJECT_OPEN

    def answer(self) -> None:
        generation = self.out.pop(self.random.randrange(len(self.out)))
        usual = FAILURE if self.random.random() < self.fails else SUCCESS
        outcome = self.random.choice([usual] * 6 + [SLOW, SLOW_FAILURE, IGNORED, ABANDONED])
        state, window = self.copy()
        tick(state, window, self.cfg, self.peers, self.now_s)
        late = generation != state.generation
        latency_s = self.random.choice([0.0, 61.0])
        settle(self.state, self.window, self.cfg, self.peers, self.now_s, generation, outcome, latency_s)
        if late and (outcome == ABANDONED or not self.cfg.records_late):
            tick(self.state, self.window, self.cfg, self.peers, self.now_s)
            assert (self.state, self.window) == (state, window)

    def let_pass(self) -> None:
        wait_s = self.random.choice(WAITS_S)
        state, window = self.copy()
        tick(state, window, self.cfg, self.peers, self.now_s + wait_s * self.random.random())
        tick(state, window, self.cfg, self.peers, self.now_s + wait_s)
        self.now_s += wait_s
        tick(self.state, self.window, self.cfg, self.peers, self.now_s)
        told = ("state", "generation", "since_s", "until_s", "trips", "calls", "failures", "in_flight")
        assert [getattr(self.state, each) for each in told] == [getattr(state, each) for each in told]

    def switch(self) -> None:
        state, window, cfg, peers, now_s = self.state, self.window, self.cfg, self.peers, self.now_s
        turn = self.random.randrange(4)
        if turn == 0:
            probe(state, window, cfg, peers, now_s, self.random.random() < 0.6)
        elif turn == 1:
            trip_now(state, window, cfg, peers, now_s)
        elif turn == 2:
            throttle(state, window, cfg, peers, now_s, self.random.choice([1.0, 100.0]))
        else:
            force(state, window, cfg, now_s, self.random.choice([CLOSED, CLOSED, *sorted(BY_HAND)]))
            self.out.clear()

    def step(self) -> None:
        was, generation = self.state.state, self.state.generation
        turn = self.random.random()
        if turn < 0.4 or (turn < 0.85 and not self.out):
            self.ask()
        elif turn < 0.85:
            self.answer()
        elif turn < 0.95:
            self.let_pass()
        else:
            self.switch()
        self.check(was, generation, by_hand=turn >= 0.95)

    def check(self, was: int, generation: int, *, by_hand: bool) -> None:
        now = self.state
        assert now.generation >= generation
        assert (now.state == was) or now.generation > generation
        if not by_hand:
            assert was not in BY_HAND or now.state == was
            if now.generation == generation + 1:
                assert (was, now.state) in ALLOWED
        if now.state == HALF_OPEN:
            out = self.out.count(now.generation)
            assert out == now.in_flight <= self.cfg.half_open_permits
            if out == 0:  # never stuck: with no trial out, the next call is one
                state, window = self.copy()
                assert allow(state, window, self.cfg, self.peers, self.now_s, 0.5)[0] == ADMIT
        if not self.cfg.counts_at_start:  # else a window may hold an answer without its start
            assert 0 <= now.failures <= now.calls
            assert 0 <= now.slows <= now.calls


@pytest.mark.parametrize("name", BREAKERS)
def test_permits_states_and_generations_hold_in_any_order(name: str) -> None:
    for seed in range(60):
        script = Script(name, seed)
        for _ in range(60):
            script.step()


@pytest.mark.parametrize("name", BREAKERS)
def test_a_clock_that_runs_backwards_is_survived(name: str) -> None:
    """Live clocks are monotonic; a log's need not be. No permit leaks and nothing is raised."""
    script = Script(name, 0)
    for _ in range(300):
        script.step()
        script.now_s -= script.random.choice([0.0, 0.0, 0.1, 70.0])


def test_late_answers_after_half_open_failed_do_not_upset_the_window() -> None:
    """The counts of half open are no part of the ring: pushing a call would take away what was never in it."""
    cfg = presets["resilience4j-count"].breaker
    assert cfg is not None
    cfg = replace(cfg, window_calls=4, half_open_permits=4)
    state, window = new_breaker(cfg, 0.0)
    late = [allow(state, window, cfg, ALONE, 0.0, 0.5)[1] for _ in range(6)]
    trip_now(state, window, cfg, ALONE, 0.0)
    for _ in range(4):
        generation = allow(state, window, cfg, ALONE, 61.0, 0.5)[1]
        settle(state, window, cfg, ALONE, 61.0, generation, FAILURE, 0.0)
    assert (state.state, state.calls, state.failures) == (OPEN, 4, 4)
    for generation in late:
        settle(state, window, cfg, ALONE, 62.0, generation, FAILURE, 0.0)
    assert (state.calls, state.failures) == (4, 4)
