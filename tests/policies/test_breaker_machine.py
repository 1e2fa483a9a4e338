"""Every permit settles exactly once, in any order, and no half-open permit leaks: a state machine over all presets."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from relkit.policies.breaker import allow, settle, tick
from relkit.policies.breaker_presets import BREAKER_PRESETS
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
    NONE,
    OPEN,
    REJECT_FORCED,
    REJECT_OPEN,
    REJECT_PROBES,
    REJECT_THROTTLED,
    SUCCESS,
)
from relkit.policies.records import BreakerSettings, Peers
from relkit.policies.switches import force, probe, throttle, trip_now
from relkit.policies.transitions import new_breaker

FLEET = Peers(members=20, open_members=0, mean_share=0.99, sd_share=0.01)
REJECTED_IN = {
    REJECT_OPEN: {OPEN},
    REJECT_PROBES: {HALF_OPEN},
    REJECT_FORCED: {FORCED_OPEN},
    REJECT_THROTTLED: {OPEN, CLOSED, HALF_OPEN},
}


class Machine(RuleBasedStateMachine):
    """Plays with a breaker and keeps books of its own; a subclass sets `cfg`."""

    cfg = BreakerSettings()
    permits = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.state, self.window = new_breaker(self.cfg, 0.0)
        self.now_s = 0.0
        self.out: list[int] = []  # generations of the permits not yet settled

    @rule(target=permits, draw=st.sampled_from([0.0, 0.5, 0.99]))
    def ask(self, draw: float) -> int | None:
        code, generation, left_s = allow(self.state, self.window, self.cfg, FLEET, self.now_s, draw)
        assert generation == self.state.generation
        assert left_s >= 0
        if code == ADMIT:
            assert self.state.state in {CLOSED, HALF_OPEN, DISABLED, METRICS_ONLY}
            self.out.append(generation)
            return generation
        assert self.state.state in REJECTED_IN[code]
        return None

    @rule(
        permit=consumes(permits),
        outcome=st.sampled_from([SUCCESS, FAILURE, FAILURE, IGNORED, ABANDONED]),
        latency_s=st.sampled_from([0.0, 0.2, 100.0]),
    )
    def settle(self, permit: int | None, outcome: int, latency_s: float) -> None:
        if permit is None:
            return
        self.out.remove(permit)
        tick(self.state, self.window, self.cfg, FLEET, self.now_s)
        late = permit != self.state.generation
        before = (self.state.state, self.state.generation, self.state.in_flight, self.state.calls, self.state.run)
        event = settle(self.state, self.window, self.cfg, FLEET, self.now_s, permit, outcome, latency_s)
        after = (self.state.state, self.state.generation, self.state.in_flight, self.state.calls, self.state.run)
        if late and not self.cfg.records_late:
            assert (event, after) == (NONE, before)

    @rule(seconds=st.sampled_from([0.01, 1.0, 5.0, 61.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        tick(self.state, self.window, self.cfg, FLEET, self.now_s)

    @rule(
        how=st.sampled_from(["trip", "trip", "trip", "pass", "fail", "throttle", "force"]),
        code=st.sampled_from([CLOSED, CLOSED, CLOSED, FORCED_OPEN, DISABLED, METRICS_ONLY]),
        seconds=st.sampled_from([0.0, 3.0, 90.0]),
    )
    def meddle(self, how: str, code: int, seconds: float) -> None:
        place = (self.state, self.window, self.cfg, FLEET, self.now_s)
        if how == "trip":
            trip_now(*place)
        elif how == "throttle":
            throttle(*place, seconds)
        elif how == "force":
            force(self.state, self.window, self.cfg, self.now_s, code)
        else:
            probe(*place, how == "pass")

    @invariant()
    def permits_out_are_the_permits_given(self) -> None:
        """In half open the count of permits out is that of this generation's unsettled ones: none leaks."""
        if self.state.state == HALF_OPEN:
            mine = self.out.count(self.state.generation)
            assert self.state.in_flight == mine <= self.cfg.half_open_permits
            assert self.state.admitted >= mine
        else:
            assert self.state.in_flight == 0

    @invariant()
    def counts_make_sense(self) -> None:
        assert self.state.calls >= 0
        assert self.state.run >= 0
        assert self.state.evidence >= 0
        if self.cfg.counts_at_start:
            return  # failures of calls that were counted in a slot now gone
        assert 0 <= self.state.failures <= self.state.calls
        assert 0 <= self.state.slows <= self.state.calls

    def teardown(self) -> None:
        """Once everything is settled and time has passed, a permit is to be had: no state is a trap."""
        while self.out:
            generation = self.out.pop()
            settle(self.state, self.window, self.cfg, FLEET, self.now_s, generation, ABANDONED, 0.0)
        if self.state.state in {FORCED_OPEN, DISABLED, METRICS_ONLY}:
            return
        self.now_s += 10_000
        assert allow(self.state, self.window, self.cfg, FLEET, self.now_s, 0.999)[0] == ADMIT


def play(cfg: BreakerSettings, examples: int) -> None:
    checks = list(HealthCheck)
    most = settings(max_examples=examples, stateful_step_count=50, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(type("Played", (Machine,), {"cfg": cfg}), settings=most)


@pytest.mark.parametrize("name", BREAKER_PRESETS)
def test_no_permit_leaks(name: str) -> None:
    """Each preset, made so quick to open that every state is reached."""
    cfg = BREAKER_PRESETS[name].breaker
    least = {"min_calls": min(cfg.min_calls, 2), "failure_threshold": min(cfg.failure_threshold, 2)}
    play(cfg.changed(**least), 40)


@pytest.mark.parametrize(
    "changes",
    [
        {"half_open_permits": 3, "half_open_successes": 2},
        {"half_open_permits": 4, "half_open_successes": 0, "permits_in_all": True, "min_calls": 4},
        {"half_open_permits": 2, "half_open_max_s": 3.0, "half_open_expiry_closes": True},
        {"half_open_permits": 2, "half_open_max_s": 3.0, "waits_for_call": True, "records_late": True},
    ],
)
def test_no_permit_leaks_in_other_half_opens(changes: dict[str, object]) -> None:
    play(BreakerSettings(failure_threshold=2, open_s=5.0).changed(**changes), 80)
