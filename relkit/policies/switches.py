"""What changes a breaker from outside: a server that states a time, a health check, an operator.

All are pure decisions with the same arguments as `relkit.policies.breaker.tick`, and return the same events.
"""

from relkit.policies.breaker import tick
from relkit.policies.codes import (
    CLOSED,
    CLOSED_AGAIN,
    FORCED_OPEN,
    HALF_OPEN,
    NONE,
    OPEN,
    OPENED,
    PROBE_CLOSES,
    PROBE_HALF_OPENS,
    PROBE_OPENS,
    WHY_HAND,
    WHY_PROBE,
    WHY_SERVER,
)
from relkit.policies.records import BreakerSettings, BreakerState, Peers
from relkit.policies.transitions import enter_closed, enter_half_open, enter_open
from relkit.policies.windows import Window, clear_window


def throttle(
    state: BreakerState, window: Window, cfg: BreakerSettings, peers: Peers, now_s: float, wait_s: float
) -> int:
    """Open for a time that the server stated (Retry-After); a breaker already open stays so for the longer of the two.

    >>> from relkit.policies.records import ALONE
    >>> from relkit.policies.transitions import new_breaker
    >>> state, window = new_breaker(BreakerSettings(), 0.0)
    >>> throttle(state, window, BreakerSettings(), ALONE, 0.0, 5.0), state.until_s
    (1, 5.0)
    """
    event = tick(state, window, cfg, peers, now_s)
    if wait_s <= 0.0:
        return event
    if state.state == OPEN:
        if now_s + wait_s > state.until_s:
            state.until_s = now_s + wait_s
            state.throttled = True
            state.why = WHY_SERVER
            state.why_value = wait_s
        return event
    if state.state != CLOSED and state.state != HALF_OPEN:
        return event
    trips = state.trips
    enter_open(state, cfg, now_s, WHY_SERVER)
    state.why_value = wait_s
    # The server's word is no failure of the service: it does not lengthen the next open time.
    state.trips = trips
    state.until_s = now_s + wait_s
    state.throttled = True
    return OPENED


def trip_now(state: BreakerState, window: Window, cfg: BreakerSettings, peers: Peers, now_s: float) -> int:
    """Open for the usual time, whatever was counted, from closed or half open.

    >>> from relkit.policies.records import ALONE
    >>> from relkit.policies.transitions import new_breaker
    >>> state, window = new_breaker(BreakerSettings(open_s=5.0), 0.0)
    >>> trip_now(state, window, BreakerSettings(open_s=5.0), ALONE, 1.0), state.until_s
    (1, 6.0)
    """
    event = tick(state, window, cfg, peers, now_s)
    if state.state == CLOSED or state.state == HALF_OPEN:
        return enter_open(state, cfg, now_s, WHY_HAND)
    return event


def probe(state: BreakerState, window: Window, cfg: BreakerSettings, peers: Peers, now_s: float, passed: bool) -> int:
    """Take note of a health check.

    A check proves less than real calls do, so the corrected presets half-open where the plan closes at once.

    >>> from relkit.policies.codes import HALF_OPENED
    >>> from relkit.policies.records import ALONE
    >>> from relkit.policies.transitions import new_breaker
    >>> cfg = BreakerSettings(probe_success=PROBE_HALF_OPENS)
    >>> state, window = new_breaker(cfg, 0.0)
    >>> trip_now(state, window, cfg, ALONE, 0.0), probe(state, window, cfg, ALONE, 1.0, True) == HALF_OPENED
    (1, True)
    """
    event = tick(state, window, cfg, peers, now_s)
    if not passed:
        if cfg.probe_failure == PROBE_OPENS and (state.state == CLOSED or state.state == HALF_OPEN):
            return enter_open(state, cfg, now_s, WHY_PROBE)
        return event
    if state.state == OPEN and not state.throttled:
        if cfg.probe_success == PROBE_CLOSES:
            return enter_closed(state, window, cfg, now_s)
        if cfg.probe_success == PROBE_HALF_OPENS:
            return enter_half_open(state, window, cfg, now_s)
    return event


def force(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float, code: int) -> int:
    """Put a breaker into a state by hand: CLOSED, FORCED_OPEN, DISABLED or METRICS_ONLY; each begins with nothing counted.

    Half open is reached by time or probe alone, and open for the usual time by `trip_now`.

    >>> from relkit.policies.codes import FORCED_OPEN
    >>> from relkit.policies.transitions import new_breaker
    >>> state, window = new_breaker(BreakerSettings(), 0.0)
    >>> force(state, window, BreakerSettings(), 0.0, FORCED_OPEN), state.generation
    (1, 1)
    """
    was = state.state
    enter_closed(state, window, cfg, now_s)
    clear_window(state, window, cfg)
    state.trips = 0
    if code == CLOSED:
        return NONE if was == CLOSED else CLOSED_AGAIN
    state.state = code
    return OPENED if code == FORCED_OPEN else NONE
