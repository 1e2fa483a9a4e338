"""Windows agree with a plain list of all events, whatever came when."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.policies.breaker_presets import BREAKER_PRESETS
from relkit.policies.codes import ADAPTIVE, ANCHORED, CONSECUTIVE, COUNT, TIME
from relkit.policies.records import BreakerSettings
from relkit.policies.transitions import new_breaker
from relkit.policies.windows import add_to_slot, clear_window, push_call, roll, window_slots

CALLS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)
TIMED = st.lists(st.tuples(st.sampled_from([0, 1, 3, 9, 10, 11, 40, 99, 100, 101, 500]), st.booleans()), max_size=60)


@given(CALLS, st.integers(1, 12))
def test_a_ring_holds_the_last_calls(calls: list[tuple[bool, bool]], length: int) -> None:
    cfg = BreakerSettings(family=COUNT, window_calls=length, min_calls=1)
    state, window = new_breaker(cfg, 0.0)
    for place, (failed, slow) in enumerate(calls, 1):
        push_call(state, window, length, failed, slow)
        last = calls[max(0, place - length) : place]
        assert (state.calls, state.failures, state.slows) == (
            len(last),
            sum(failed for failed, _ in last),
            sum(slow for _, slow in last),
        )


@given(TIMED, st.sampled_from([0.0, 0.35]))
def test_a_grid_holds_the_present_slot_and_those_before_it(events: list[tuple[int, bool]], start_s: float) -> None:
    """Ten slots of a second, steps of a tenth: slot = floor of the time since the origin."""
    cfg = BreakerSettings(family=TIME, window_s=10.0, buckets=10, grid_from_start=True)
    state, window = new_breaker(cfg, start_s)
    ticks, seen = 0, []
    for wait, failed in events:
        ticks += wait
        now_s = start_s + ticks / 8
        roll(state, window, cfg, now_s)
        add_to_slot(state, window, cfg, now_s, 1, int(failed), 0)
        slot = math.floor((now_s - start_s) / 1.0)
        seen.append((slot, failed))
        inside = [one for at, one in seen if slot - 10 < at <= slot]
        assert (state.calls, state.failures) == (len(inside), sum(inside))


@given(TIMED)
def test_anchored_slots_begin_with_events(events: list[tuple[int, bool]]) -> None:
    """Polly's rule, written the long way: a list of [start, calls, failures]; eighths of a second are exact."""
    cfg = BreakerSettings(family=ANCHORED, window_s=5.0, buckets=10)
    state, window = new_breaker(cfg, 0.0)
    ticks, slots = 0, []
    for wait, failed in events:
        ticks += wait
        now_s = ticks / 8
        roll(state, window, cfg, now_s)
        add_to_slot(state, window, cfg, now_s, 1, int(failed), 0)
        if not slots or now_s - slots[-1][0] >= 0.5:
            slots.append([now_s, 0, 0])
        slots = [slot for slot in slots if now_s - slot[0] < 5.0]
        slots[-1][1] += 1
        slots[-1][2] += failed
        assert (state.calls, state.failures) == (sum(slot[1] for slot in slots), sum(slot[2] for slot in slots))


@pytest.mark.parametrize("name", BREAKER_PRESETS)
def test_a_cleared_window_is_like_a_new_one(name: str) -> None:
    cfg = BREAKER_PRESETS[name].breaker
    state, window = new_breaker(cfg, 0.0)
    empty = list(window)
    if cfg.family in {COUNT, ADAPTIVE}:
        push_call(state, window, cfg.window_calls, True, True)
    elif window:
        roll(state, window, cfg, 3.0)
        add_to_slot(state, window, cfg, 3.0, 2, 1, 1)
    clear_window(state, window, cfg)
    assert (state.calls, state.failures, state.slows) == (0, 0, 0)
    if cfg.family not in {COUNT, ADAPTIVE}:
        assert window == empty


def test_a_breaker_without_a_window_needs_no_room() -> None:
    assert window_slots(BreakerSettings(family=CONSECUTIVE)) == 0
    assert window_slots(BreakerSettings(family=TIME, buckets=10)) == 30
    assert window_slots(BreakerSettings(family=ANCHORED, buckets=10)) == 40
