"""The circuit breaker as pure decisions: `tick`, `allow` and `settle`, the same live and compiled.

Time, draws and settings are arguments. Nothing here keeps a clock, draws, raises or holds a text. Every permit that
`allow` gives is settled exactly once, with the generation it was given in; see `relkit.policies.records` for the codes.
"""

from relkit.policies.codes import (
    ABANDONED,
    ADAPTIVE,
    ADMIT,
    CLOSED,
    CONSECUTIVE,
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
    SLOW,
    SLOW_FAILURE,
    SUCCESS,
    THROTTLE,
    TIME,
    WHY_EXPIRED,
    WHY_HALF_OPEN,
    WHY_NOTHING,
    WHY_OUTLIER,
)
from relkit.policies.records import BreakerSettings, BreakerState, Peers
from relkit.policies.transitions import enter_closed, enter_half_open, enter_open
from relkit.policies.trips import is_outlier, judge_shares, may_eject, must_open, note, throttle_share
from relkit.policies.windows import NOT_IN_WINDOW, Window, add_to_slot, roll


def tick(state: BreakerState, window: Window, cfg: BreakerSettings, peers: Peers, now_s: float) -> int:
    """Let time alone change the state.

    Parameters
    ----------
    state, window : BreakerState, list of float
        As made by `relkit.policies.transitions.new_breaker`; both are changed.
    cfg : BreakerSettings
        The settings.
    peers : Peers
        What is known of the fleet.
    now_s : float
        Seconds on a clock that never runs backwards.

    Returns
    -------
    int
        NONE, OPENED, HALF_OPENED or CLOSED_AGAIN: the last thing that happened.

    Examples
    --------
    >>> from relkit.policies.codes import HALF_OPENED
    >>> from relkit.policies.records import ALONE
    >>> from relkit.policies.transitions import new_breaker
    >>> state, window = new_breaker(BreakerSettings(open_s=60.0), 0.0)
    >>> enter_open(state, BreakerSettings(), 0.0, 1), tick(state, window, BreakerSettings(), ALONE, 59.0)
    (1, 0)
    >>> tick(state, window, BreakerSettings(), ALONE, 60.0) == HALF_OPENED
    True
    """
    event = NONE
    if cfg.interval_s > 0.0:
        event = _sweep(state, window, cfg, peers, now_s)
    else:
        changed = _pass_time(state, window, cfg, now_s)
        while changed != NONE:
            event = changed
            changed = _pass_time(state, window, cfg, now_s)
    if state.state != HALF_OPEN or cfg.keeps_window:
        # What half open counts is no window of time: it stays until the verdict.
        roll(state, window, cfg, now_s)
    return event


def _pass_time(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> int:
    """Make the next change that time brings, at its own time: to tick often or seldom comes to the same."""
    if state.state == OPEN and not cfg.waits_for_call and is_over(state, cfg, now_s):
        return enter_half_open(state, window, cfg, state.until_s)
    if state.state == HALF_OPEN and 0.0 < cfg.half_open_max_s <= now_s - state.since_s:
        at_s = state.since_s + cfg.half_open_max_s
        if cfg.half_open_expiry_closes:
            return enter_closed(state, window, cfg, at_s)
        state.why_value = cfg.half_open_max_s
        return enter_open(state, cfg, at_s, WHY_EXPIRED)
    return NONE


def is_over(state: BreakerState, cfg: BreakerSettings, now_s: float) -> bool:
    """Say whether the open time is over; a time the server stated is over when it is reached."""
    if cfg.open_is_strict and not state.throttled:
        return now_s > state.until_s
    return now_s >= state.until_s


def _sweep(state: BreakerState, window: Window, cfg: BreakerSettings, peers: Peers, now_s: float) -> int:
    """Every sweep of outlier ejection that is due: release, lower the multiplier, judge the interval just finished."""
    event = NONE
    while state.sweep_s <= now_s:
        at_s = state.sweep_s
        state.sweep_s += cfg.interval_s
        if state.state == OPEN:
            if is_over(state, cfg, at_s):
                event = enter_closed(state, window, cfg, at_s)
        elif state.state == CLOSED:
            if is_outlier(state, cfg, peers) and may_eject(state, cfg, peers):
                event = enter_open(state, cfg, at_s, WHY_OUTLIER)
            elif state.trips > 0 and at_s - state.since_s >= cfg.interval_s:
                state.trips -= 1
        state.calls = 0
        state.failures = 0
        if state.state != OPEN and state.trips == 0 and state.sweep_s <= now_s:
            # Nothing can happen in the sweeps left out.
            gone = int((now_s - state.sweep_s) / cfg.interval_s)
            state.sweep_s += gone * cfg.interval_s
    return event


def allow(
    state: BreakerState, window: Window, cfg: BreakerSettings, peers: Peers, now_s: float, draw: float
) -> tuple[int, int, float]:
    """Ask for a permit.

    Parameters
    ----------
    state, window, cfg, peers, now_s
        As for `tick`, which is called first.
    draw : float
        Uniform in [0, 1): client throttling rejects by it, and the next open time is jittered by it.

    Returns
    -------
    tuple of int, int, float
        Code (ADMIT or a REJECT), generation to settle with, and the seconds after which it may be tried again, 0 when
        none are known.

    Examples
    --------
    >>> from relkit.policies.records import ALONE
    >>> from relkit.policies.transitions import new_breaker
    >>> state, window = new_breaker(BreakerSettings(), 0.0)
    >>> allow(state, window, BreakerSettings(), ALONE, 0.0, 0.5)
    (0, 0, 0.0)
    """
    state.draw = draw
    code = state.state
    if code == CLOSED and cfg.family < TIME:
        return ADMIT, state.generation, 0.0
    tick(state, window, cfg, peers, now_s)
    if cfg.counts_at_start and state.state != DISABLED:
        return _ask_counted(state, window, cfg, now_s)
    return _ask(state, window, cfg, now_s)


def _ask(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> tuple[int, int, float]:
    if state.state == OPEN and cfg.waits_for_call and is_over(state, cfg, now_s):
        enter_half_open(state, window, cfg, now_s)
    code = state.state
    if code == CLOSED or code == DISABLED or code == METRICS_ONLY:
        return ADMIT, state.generation, 0.0
    if code == HALF_OPEN:
        taken = state.admitted if cfg.permits_in_all else state.in_flight
        if taken >= cfg.half_open_permits:
            left_s = state.since_s + cfg.half_open_max_s - now_s if cfg.half_open_max_s > 0.0 else 0.0
            return REJECT_PROBES, state.generation, left_s
        state.in_flight += 1
        state.admitted += 1
        return ADMIT, state.generation, 0.0
    if code == FORCED_OPEN:
        return REJECT_FORCED, state.generation, 0.0
    left_s = max(state.until_s - now_s, 0.0)
    if cfg.interval_s > 0.0:
        left_s = _next_sweep_s(state, cfg) - now_s
    return REJECT_THROTTLED if state.throttled else REJECT_OPEN, state.generation, left_s


def _next_sweep_s(state: BreakerState, cfg: BreakerSettings) -> float:
    """Time of the sweep that will release an ejected member."""
    at_s = state.sweep_s
    while at_s < state.until_s:
        at_s += cfg.interval_s
    return at_s


def _ask_counted(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> tuple[int, int, float]:
    """Ask where each request is counted before it is sent, the rejected ones too."""
    if cfg.family != THROTTLE:
        add_to_slot(state, window, cfg, now_s, 1, 0, 0)
        return _ask(state, window, cfg, now_s)
    share = throttle_share(state, cfg)
    add_to_slot(state, window, cfg, now_s, 1, 1, 0)
    if state.state == CLOSED and state.draw < share:
        return REJECT_THROTTLED, state.generation, 0.0
    return _ask(state, window, cfg, now_s)


def settle(
    state: BreakerState,
    window: Window,
    cfg: BreakerSettings,
    peers: Peers,
    now_s: float,
    generation: int,
    outcome: int,
    latency_s: float,
) -> int:
    """Report how a permit ended.

    Parameters
    ----------
    state, window, cfg, peers, now_s
        As for `tick`.
    generation : int
        The generation the permit was given in. Outcomes of an earlier one are dropped, unless `records_late`.
    outcome : int
        SUCCESS, FAILURE, SLOW, SLOW_FAILURE, IGNORED (it says nothing about the service; the permit is given back) or
        ABANDONED (nobody will ever know; the permit is given back).
    latency_s : float
        How long the call took, in seconds; it makes a success slow where `slow_call_s` is set.

    Returns
    -------
    int
        NONE, OPENED, HALF_OPENED or CLOSED_AGAIN.

    Examples
    --------
    >>> from relkit.policies.records import ALONE
    >>> from relkit.policies.transitions import new_breaker
    >>> cfg = BreakerSettings(failure_threshold=2)
    >>> state, window = new_breaker(cfg, 0.0)
    >>> [settle(state, window, cfg, ALONE, 0.0, 0, FAILURE, 0.1) for _ in range(2)]
    [0, 1]
    """
    event = NONE
    if state.state != CLOSED or cfg.family >= TIME:
        event = tick(state, window, cfg, peers, now_s)
    if generation != state.generation and not cfg.records_late:
        return event
    if outcome >= IGNORED:
        if outcome == ABANDONED or not cfg.ignored_is_success:
            give_back(state, generation)
            return event
        outcome = SUCCESS
    if cfg.slow_call_s > 0.0 or cfg.timeout_s > 0.0:
        outcome = judge_latency(cfg, outcome, latency_s)
    failed = outcome == FAILURE or outcome == SLOW_FAILURE
    slow = outcome == SLOW or outcome == SLOW_FAILURE
    code = state.state
    if code == CLOSED and cfg.family == CONSECUTIVE and not failed:
        # By far the most frequent case, kept short.
        state.run = 0
        return event
    if code == CLOSED or code == METRICS_ONLY:
        changed = _settle_closed(state, window, cfg, peers, now_s, failed, slow)
    elif code == HALF_OPEN:
        changed = _settle_half_open(state, window, cfg, now_s, generation, failed, slow)
    else:
        # Late answers to a breaker that is open; here by force or by itself, they change its counts at most.
        if code == OPEN and state.head != NOT_IN_WINDOW:
            note(state, window, cfg, now_s, failed, slow)
        changed = NONE
    return event if changed == NONE else changed


def judge_latency(cfg: BreakerSettings, outcome: int, latency_s: float) -> int:
    """Turn an outcome that took too long into a slow or failed one.

    >>> judge_latency(BreakerSettings(slow_call_s=1.0), SUCCESS, 1.5) == SLOW
    True
    """
    if cfg.timeout_s > 0.0 and latency_s >= cfg.timeout_s:
        outcome = FAILURE
    if cfg.slow_call_s > 0.0 and latency_s > cfg.slow_call_s:
        if outcome == SUCCESS:
            return SLOW
        if outcome == FAILURE:
            return SLOW_FAILURE
    return outcome


def give_back(state: BreakerState, generation: int) -> None:
    """Return a half-open permit that brought no answer, so that another call may take it."""
    if state.state == HALF_OPEN and generation == state.generation:
        state.in_flight -= 1
        state.admitted -= 1


def _settle_closed(
    state: BreakerState, window: Window, cfg: BreakerSettings, peers: Peers, now_s: float, failed: bool, slow: bool
) -> int:
    state.run = state.run + 1 if failed else 0
    if cfg.family == ADAPTIVE:
        why = must_open(state, cfg, peers, now_s, failed)
        note(state, window, cfg, now_s, failed, slow)
    else:
        if cfg.family != CONSECUTIVE:
            note(state, window, cfg, now_s, failed, slow)
        why = must_open(state, cfg, peers, now_s, failed)
    return NONE if why == WHY_NOTHING else enter_open(state, cfg, now_s, why)


def _settle_half_open(
    state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float, generation: int, failed: bool, slow: bool
) -> int:
    if generation == state.generation:
        state.in_flight -= 1
    if cfg.keeps_window:
        note(state, window, cfg, now_s, failed, slow)
    if cfg.half_open_successes > 0:
        if failed:
            state.why_value = state.successes * 1.0
            return enter_open(state, cfg, now_s, WHY_HALF_OPEN)
        state.successes += 1
        if state.successes >= cfg.half_open_successes:
            return enter_closed(state, window, cfg, now_s)
        return NONE
    if not cfg.keeps_window:
        state.calls += 1
        if failed:
            state.failures += 1
        if slow:
            state.slows += 1
    least = min(cfg.min_calls, cfg.half_open_permits)
    if state.calls < least:
        return NONE
    if judge_shares(state, cfg, least) != WHY_NOTHING:
        return enter_open(state, cfg, now_s, WHY_HALF_OPEN)
    return enter_closed(state, window, cfg, now_s)
