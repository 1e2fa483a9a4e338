"""The plan's rollout loop, literally: it never rests, hardly looks, and switches on what it has switched off."""

from hypothesis import given
from hypothesis import strategies as st

from relkit.policies.plan_rollout import OFF, plan_day, plan_pass
from relkit.policies.rollout import GATE_INCONCLUSIVE, RolloutSchedule, RolloutState, advance

HOUR_S = 3600.0
PLANS_OWN = RolloutSchedule((0.0, 2 * HOUR_S, 4 * HOUR_S, 6 * HOUR_S), (0.10, 0.25, 0.50, 1.0))
SCHEDULES = st.lists(st.tuples(st.integers(0, 600), st.integers(1, 100)), min_size=1, max_size=6).map(
    lambda steps: RolloutSchedule(
        tuple(60.0 * minute for minute in sorted({minute for minute, _ in steps})),
        tuple((place + 1) / 10 for place in range(len({minute for minute, _ in steps}))),
    )
)


def test_once_the_last_step_has_passed_it_changes_four_times_a_minute() -> None:
    day = plan_day(PLANS_OWN, PLANS_OWN.at_s[-1])
    assert {len(one.shares) for one in day[1:]} == {4}
    assert sum(len(one.shares) for one in day[60:120]) == 240
    assert sum(len(one.shares) for one in day) == 5_760


def test_the_first_day_of_the_design_notes() -> None:
    """4,680 changes: 1,440 passes, the first an hour before the first step."""
    assert sum(len(one.shares) for one in plan_day(PLANS_OWN, -HOUR_S - 60.0)) == 4_680


def test_with_one_step_it_looks_once_and_never_again() -> None:
    day = plan_day(RolloutSchedule((0.0,), (0.1,)), 0.0)
    assert [one.checks for one in day] == [1] + [0] * 1439


def test_a_roll_back_is_undone_by_every_later_step_of_the_pass() -> None:
    passed = plan_pass(PLANS_OWN, 1.0, 7 * HOUR_S, lambda: True)
    assert passed.shares == (0.1, OFF, 0.25, OFF, 0.5, OFF, 1.0, OFF)
    assert passed.switched_on_again == 3
    assert plan_pass(PLANS_OWN, 1.0, 7 * HOUR_S, lambda: False).switched_on_again == 0


@given(SCHEDULES)
def test_the_corrected_rollout_changes_once_a_step_and_the_plans_never_less(schedule: RolloutSchedule) -> None:
    state, changes = RolloutState(), 0
    for minute in range(601):
        after = advance(state, schedule, 60.0 * minute, GATE_INCONCLUSIVE)
        changes += after != state
        state = after
    assert changes == len(schedule.at_s)
    literal = sum(len(one.shares) for one in plan_day(schedule, -60.0, hours=601 / 60))
    assert literal >= changes
