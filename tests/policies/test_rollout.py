"""The rollout as a state machine: one transition a look, the last due step, and a roll-back that is final."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import ParameterError
from relkit.policies.rollout import (
    GATE_HOLD,
    GATE_INCONCLUSIVE,
    GATE_INVALID,
    GATE_PROMOTE,
    GATE_ROLL_BACK,
    GATES,
    HELD,
    PROMOTED,
    ROLLED_BACK,
    RUNNING,
    SCHEDULED,
    RolloutSchedule,
    RolloutState,
    advance,
    due_step,
    share_of_traffic,
)
from relkit.verdict import CODES

HOUR = 3600.0
SCHEDULE = RolloutSchedule((2 * HOUR, 4 * HOUR, 6 * HOUR, 8 * HOUR), (0.1, 0.25, 0.5, 1.0))


def look(state, now_s, gate=GATE_INCONCLUSIVE):
    return advance(state, SCHEDULE, now_s, gate)


def test_the_gates_numbers_stand_for_the_verdicts_of_the_shadow():
    assert set(GATES) == set(CODES["shadow"])


def test_nothing_starts_before_its_time():
    state = RolloutState()
    assert look(state, 1.9 * HOUR) is state
    assert share_of_traffic(state, SCHEDULE) == 0.0


def test_the_plans_schedule_runs_step_by_step():
    """The plan's loop goes through every step whose time has come at each look, and flips between them."""
    state, shares = RolloutState(), []
    for now_h in range(1, 10):
        state = look(state, now_h * HOUR)
        shares.append(share_of_traffic(state, SCHEDULE))
    assert shares == [0.0, 0.1, 0.1, 0.25, 0.25, 0.5, 0.5, 1.0, 1.0]
    assert look(state, 20 * HOUR) is state


def test_the_current_step_is_the_last_whose_time_has_come():
    assert share_of_traffic(look(RolloutState(), 6.5 * HOUR), SCHEDULE) == 0.5
    assert due_step(SCHEDULE, 1e9) == 3


@pytest.mark.parametrize("gate", [GATE_HOLD, GATE_INVALID])
def test_a_doubt_holds_it_at_its_share_and_the_end_of_the_doubt_lets_it_run(gate):
    state = look(look(RolloutState(), 2 * HOUR), 5 * HOUR, gate)
    assert (state.state, share_of_traffic(state, SCHEDULE)) == (HELD, 0.1)
    assert look(state, 7 * HOUR, gate) is state
    state = look(state, 7 * HOUR)
    assert (state.state, share_of_traffic(state, SCHEDULE)) == (RUNNING, 0.1), "one transition a look"
    assert share_of_traffic(look(state, 7 * HOUR), SCHEDULE) == 0.5


@pytest.mark.parametrize("gate", [GATE_HOLD, GATE_INVALID])
def test_a_doubt_keeps_it_from_starting(gate):
    state = RolloutState()
    assert look(state, 3 * HOUR, gate) is state


@pytest.mark.parametrize("gate", range(len(GATES)))
def test_only_promote_at_the_last_step_promotes(gate):
    for step in range(4):
        after = look(RolloutState(RUNNING, step), SCHEDULE.at_s[step], gate)
        assert (after.state == PROMOTED) == (gate == GATE_PROMOTE and step == 3)


@pytest.mark.parametrize("before", [SCHEDULED, RUNNING, HELD, PROMOTED])
def test_harm_rolls_back_from_everywhere_and_for_ever(before):
    state = look(RolloutState(before, 2), 6 * HOUR, GATE_ROLL_BACK)
    assert state.state == ROLLED_BACK
    assert share_of_traffic(state, SCHEDULE) == 0.0
    for gate in range(len(GATES)):
        assert look(state, 9 * HOUR, gate) is state


def test_a_promoted_shadow_has_all_traffic_and_stays():
    state = RolloutState(PROMOTED, 3)
    assert share_of_traffic(state, SCHEDULE) == 1.0
    assert look(state, 9 * HOUR, GATE_HOLD) is state


def test_a_transition_tells_when_it_happened():
    assert look(RolloutState(), 2.5 * HOUR).since_s == 2.5 * HOUR


@given(
    looks=st.lists(
        st.tuples(st.floats(min_value=0, max_value=HOUR), st.integers(min_value=0, max_value=4)), max_size=60
    )
)
def test_whatever_the_gate_says_the_rules_hold(looks):
    """One transition a look; the step never falls and is never ahead of the schedule; a roll-back is final."""
    state, now_s = RolloutState(), 0.0
    for gap_s, gate in looks:
        now_s += gap_s
        after = look(state, now_s, gate)
        assert after.step >= state.step
        assert after.step <= due_step(SCHEDULE, now_s)
        assert state.state != ROLLED_BACK or after is state
        assert (after.state, after.step) == (state.state, state.step) or after.since_s == now_s
        moved = after.state != state.state
        assert not (moved and after.step != state.step) or state.state == SCHEDULED
        state = after


@pytest.mark.parametrize(
    ("at_s", "share", "name"),
    [
        ((), (), "at_s"),
        ((0.0, 1.0), (0.5,), "share"),
        ((1.0, 0.0), (0.1, 0.5), "at_s"),
        ((1.0, 1.0), (0.1, 0.5), "at_s"),
        ((0.0, 1.0), (0.5, 0.1), "share"),
        ((0.0,), (0.0,), "share = 0.0"),
        ((0.0,), (10,), "share = 10"),
        ((-1.0,), (0.5,), "at_s = -1.0"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(at_s, share, name):
    with pytest.raises(ParameterError) as refused:
        RolloutSchedule(at_s, share)
    assert str(refused.value).startswith(name)
