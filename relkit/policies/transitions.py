"""From one state into another: what is forgotten, what is kept, and for how long a breaker stays open.

Each change of state begins a new generation, by which outcomes of earlier permits are known.
"""

from typing import Final

from relkit.policies.codes import (
    CLOSED,
    CLOSED_AGAIN,
    EMA,
    EQUAL_JITTER,
    EVIDENCE,
    EXPONENTIAL,
    HALF_OPEN,
    HALF_OPENED,
    LINEAR,
    METRICS_ONLY,
    NONE,
    OPEN,
    OPENED,
    OUTLIER,
    STEADY,
    WHY_NOTHING,
)
from relkit.policies.records import BreakerSettings, BreakerState
from relkit.policies.trips import PRIOR_CALLS, PRIOR_FAILURES, forgive
from relkit.policies.windows import NOT_IN_WINDOW, Window, clear_window, window_slots

_LONGEST_S: Final = 1e15


def reset_state(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> None:
    """Make a state as it is at the birth of a breaker: closed, knowing nothing."""
    state.state = CLOSED
    state.generation = 0
    state.since_s = now_s
    state.until_s = now_s
    state.throttled = False
    state.trips = 0
    state.in_flight = 0
    state.admitted = 0
    state.successes = 0
    state.run = 0
    state.threshold = cfg.failure_threshold
    state.adapt_seen = 0
    state.start_s = now_s
    state.draw = 0.0
    state.ema = 1.0
    state.ema_at_s = now_s
    state.evidence = 0.0
    state.held_calls = 0.0
    state.held_failures = 0.0
    state.base_calls = PRIOR_CALLS
    state.base_failures = PRIOR_FAILURES
    state.sweep_s = now_s + cfg.interval_s
    state.why = WHY_NOTHING
    state.why_value = 0.0
    clear_window(state, window, cfg)


def new_breaker(cfg: BreakerSettings, now_s: float) -> tuple[BreakerState, Window]:
    """Return a closed breaker's state and its window.

    >>> state, window = new_breaker(BreakerSettings(), 0.0)
    >>> state.state, state.threshold, window
    (0, 5, [])
    """
    state, window = BreakerState(), [0.0] * window_slots(cfg)
    reset_state(state, window, cfg, now_s)
    return state, window


def open_time_s(cfg: BreakerSettings, trips: int, draw: float) -> float:
    """How long the breaker stays open at its `trips`-th opening in a row.

    Steady: open_s. Exponential: open_s · factor^(trips-1). Linear: open_s · trips (Envoy). Equal jitter: open_s, then
    half + U(0, half) with half = open_s · 2^(trips-2) (Finagle). Cut to open_max_s, then spread by ± open_jitter.

    Parameters
    ----------
    cfg : BreakerSettings
        open_s, open_growth, open_factor, open_max_s and open_jitter are read.
    trips : int
        Openings since the breaker was last closed, this one included; at least 1.
    draw : float
        Uniform in [0, 1).

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> cfg = BreakerSettings(open_s=30.0, open_growth=EXPONENTIAL, open_max_s=100.0)
    >>> [open_time_s(cfg, trips, 0.5) for trips in (1, 2, 3)]
    [30.0, 60.0, 100.0]
    """
    longest_s = cfg.open_max_s if cfg.open_max_s > 0.0 else _LONGEST_S
    time_s = cfg.open_s * 1.0
    if cfg.open_growth == LINEAR:
        time_s *= trips
    elif cfg.open_growth != STEADY:
        doublings = trips - 1 if cfg.open_growth == EXPONENTIAL else trips - 2
        factor = cfg.open_factor if cfg.open_growth == EXPONENTIAL else 2.0
        while doublings > 0 and time_s < longest_s and factor > 1.0:
            time_s *= factor
            doublings -= 1
        if cfg.open_growth == EQUAL_JITTER and trips > 1:
            time_s += time_s * draw
    time_s = min(time_s, longest_s)
    return time_s * (1.0 + cfg.open_jitter * (2.0 * draw - 1.0))


def enter_open(state: BreakerState, cfg: BreakerSettings, now_s: float, why: int) -> int:
    """Open for as long as the settings say, and keep why; while metrics only, say so once and go on."""
    if state.state == METRICS_ONLY:
        first = state.trips == 0
        state.trips = 1
        state.why = why
        return OPENED if first else NONE
    if state.state == CLOSED and cfg.trips_kept_s > 0.0 and now_s - state.since_s >= cfg.trips_kept_s:
        state.trips = 0
    state.trips += 1
    if cfg.family == OUTLIER and cfg.open_max_s > 0.0 and state.trips > 1:
        # Envoy's multiplier stops where one more would add nothing.
        while state.trips > 1 and (state.trips - 1) * cfg.open_s >= cfg.open_max_s + cfg.open_s:
            state.trips -= 1
    if state.state == HALF_OPEN and cfg.half_open_successes == 0 and not cfg.keeps_window:
        # The counts stay to be read; they are half open's, and the window holds none of them.
        state.head = NOT_IN_WINDOW
    _begin(state, OPEN, now_s)
    state.why = why
    state.until_s = now_s + open_time_s(cfg, state.trips, state.draw)
    return OPENED


def enter_half_open(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> int:
    """Admit a few permits to see; or close at once, where the settings know no half open."""
    if cfg.half_open_permits == 0:
        return enter_closed(state, window, cfg, now_s)
    _begin(state, HALF_OPEN, now_s)
    if not cfg.keeps_window:
        clear_window(state, window, cfg)
    return HALF_OPENED


def enter_closed(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float) -> int:
    """Serve again; what was counted before the opening is forgotten unless the settings keep it."""
    _begin(state, CLOSED, now_s)
    if cfg.family != OUTLIER and cfg.trips_kept_s <= 0.0:
        state.trips = 0
    if not cfg.keeps_window:
        clear_window(state, window, cfg)
        state.adapt_seen = 0
    if cfg.family == EMA:
        state.start_s = now_s
    if cfg.family == EVIDENCE:
        forgive(state, cfg)
    return CLOSED_AGAIN


def _begin(state: BreakerState, code: int, now_s: float) -> None:
    state.state = code
    state.generation += 1
    state.since_s = now_s
    state.throttled = False
    state.in_flight = 0
    state.admitted = 0
    state.successes = 0
    if code == CLOSED:
        state.run = 0
