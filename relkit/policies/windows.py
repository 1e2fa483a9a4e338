"""The windows that breakers count in: a ring of calls, a grid of time slots, and slots anchored to events.

A window is a flat list (live) or an array row (compiled) of `window_slots` numbers, kept apart from the record so that its
length is no part of the record's type. The sums over it are in the state: `calls`, `failures` and `slows`.
"""

import math
from typing import Final, TypeAlias

from relkit.policies.codes import ADAPTIVE, ANCHORED, COOLDOWN, COUNT, THROTTLE, TIME
from relkit.policies.records import BreakerSettings, BreakerState

Window: TypeAlias = list[float]

GRID_WIDTH: Final = 3  # calls, failures, slows of one slot
ANCHORED_WIDTH: Final = 4  # start (below 0: unused), calls, failures, slows
NOT_IN_WINDOW: Final = -1  # head while the counts are those of half open and the window holds none of them


def window_slots(cfg: BreakerSettings) -> int:
    """Numbers that the window of these settings needs; 0 for families without one.

    >>> from relkit.policies.codes import COUNT
    >>> from relkit.policies.records import BreakerSettings
    >>> window_slots(BreakerSettings(family=COUNT, window_calls=100)), window_slots(BreakerSettings())
    (100, 0)
    """
    if cfg.family in {COUNT, ADAPTIVE}:
        return cfg.window_calls
    if cfg.family in {TIME, THROTTLE, COOLDOWN}:
        return cfg.buckets * GRID_WIDTH
    if cfg.family == ANCHORED:
        return cfg.buckets * ANCHORED_WIDTH
    return 0


def clear_window(state: BreakerState, window: Window, cfg: BreakerSettings) -> None:
    """Forget every call in the window."""
    state.calls = 0
    state.failures = 0
    state.slows = 0
    state.head = 0
    state.slot = -1.0
    if cfg.family == ANCHORED:
        for place in range(cfg.buckets):
            window[place * ANCHORED_WIDTH] = -1.0
            window[place * ANCHORED_WIDTH + 1] = 0.0
            window[place * ANCHORED_WIDTH + 2] = 0.0
            window[place * ANCHORED_WIDTH + 3] = 0.0
    elif cfg.family >= TIME:
        for place in range(len(window)):
            window[place] = 0.0


def push_call(state: BreakerState, window: Window, length: int, failed: bool, slow: bool) -> None:
    """Enter one call into a ring of the last `length` calls.

    >>> state, window = BreakerState(), [0.0, 0.0]
    >>> for failed in (True, False, False):
    ...     push_call(state, window, 2, failed, False)
    >>> state.calls, state.failures
    (2, 0)
    """
    if state.calls < length:
        state.calls += 1
    else:
        gone = window[state.head]
        if gone == 1.0 or gone == 3.0:
            state.failures -= 1
        if gone >= 2.0:
            state.slows -= 1
    code = 0.0
    if failed:
        code += 1.0
        state.failures += 1
    if slow:
        code += 2.0
        state.slows += 1
    window[state.head] = code
    state.head += 1
    if state.head >= length:
        state.head = 0


def roll_grid(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> None:
    """Let the slots pass that lie outside the window at `now_s`.

    Slot number = floor(time / (window_s / buckets)); the present slot counts as one, so that the window spans between
    buckets - 1 and buckets slots. Time starts at second 0 of the clock (resilience4j's epoch seconds), or at the
    making of the breaker.
    """
    width_s = cfg.window_s / cfg.buckets
    origin_s = state.start_s if cfg.grid_from_start else 0.0
    slot = math.floor((now_s - origin_s) / width_s) * 1.0
    if slot <= state.slot:
        return
    gone = slot - state.slot
    if state.slot < 0.0 or gone >= cfg.buckets:
        if state.calls != 0 or state.failures != 0:
            for place in range(len(window)):
                window[place] = 0.0
        state.calls = 0
        state.failures = 0
        state.slows = 0
        # The same place for the same slot, however often time was looked at.
        state.head = int(slot) % cfg.buckets
    else:
        for _ in range(int(gone)):
            state.head += 1
            if state.head >= cfg.buckets:
                state.head = 0
            _drop(state, window, state.head * GRID_WIDTH)
    state.slot = slot


def roll_anchored(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> None:
    """Drop the slots that began `window_s` ago or earlier."""
    for place in range(cfg.buckets):
        at = place * ANCHORED_WIDTH
        if window[at] >= 0.0 and now_s - window[at] >= cfg.window_s:
            window[at] = -1.0
            _drop(state, window, at + 1)


def _drop(state: BreakerState, window: Window, at: int) -> None:
    state.calls -= int(window[at])
    state.failures -= int(window[at + 1])
    state.slows -= int(window[at + 2])
    window[at] = 0.0
    window[at + 1] = 0.0
    window[at + 2] = 0.0


def anchor(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> int:
    """Place of the slot that an event at `now_s` belongs to; a new one begins when the last is old enough.

    Polly: a slot begins with the first event after the one before it has lasted sampling / 10, so slots hang on events
    and not on a grid.
    """
    at = state.head * ANCHORED_WIDTH
    if window[at] >= 0.0 and now_s - window[at] < cfg.window_s / cfg.buckets:
        return at
    state.head += 1
    if state.head >= cfg.buckets:
        state.head = 0
    at = state.head * ANCHORED_WIDTH
    if window[at] >= 0.0:
        _drop(state, window, at + 1)
    window[at] = now_s
    return at


def roll(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> None:
    """Let time pass in a window of any kind; a ring of calls knows no time."""
    if cfg.family == ANCHORED:
        roll_anchored(state, window, cfg, now_s)
    elif cfg.family == TIME or cfg.family == THROTTLE or cfg.family == COOLDOWN:
        roll_grid(state, window, cfg, now_s)


def add_to_slot(
    state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float, calls: int, failures: int, slows: int
) -> None:
    """Add to the present slot of a time window that was rolled to `now_s`."""
    at = anchor(state, window, cfg, now_s) + 1 if cfg.family == ANCHORED else state.head * GRID_WIDTH
    window[at] += calls
    window[at + 1] += failures
    window[at + 2] += slows
    state.calls += calls
    state.failures += failures
    state.slows += slows
