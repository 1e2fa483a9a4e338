"""Why a breaker is open or closed: one sentence with the numbers that decided."""

from typing import Final

from relkit.policies.breaker import is_over
from relkit.policies.codes import (
    ADAPTIVE,
    CLOSED,
    CONSECUTIVE,
    COOLDOWN,
    DISABLED,
    EMA,
    EVIDENCE,
    FORCED_OPEN,
    HALF_OPEN,
    METRICS_ONLY,
    OUTLIER,
    THROTTLE,
    WHY_EVIDENCE,
    WHY_EXPIRED,
    WHY_FAILURES,
    WHY_HALF_OPEN,
    WHY_HAND,
    WHY_NOTHING,
    WHY_OUTLIER,
    WHY_PROBE,
    WHY_RUN,
    WHY_SERVER,
    WHY_SLOW,
)
from relkit.policies.records import ALONE, BreakerSettings, BreakerState, Peers
from relkit.policies.trips import SOLE_CALLS, learned_share, least_calls, throttle_share
from relkit.units import duration, percent

_FIXED: Final = {
    FORCED_OPEN: "Forced open: every call is rejected until somebody closes it.",
    DISABLED: "Disabled: every call is admitted and nothing is counted.",
}


def counted(state: BreakerState, cfg: BreakerSettings) -> tuple[int, float, float]:
    """What the breaker judges by: calls, share of failures and share of slow calls.

    Parameters
    ----------
    state : BreakerState
        Its state.
    cfg : BreakerSettings
        Its settings.

    Returns
    -------
    tuple of int, float, float
        For families that count failures in a row, that row. For the evidence family the calls and the failure share it
        has learned, its prior of 50 calls included. For client throttling requests and the share not accepted. Shares
        are 0 where nothing was counted.

    Examples
    --------
    >>> counted(BreakerState(run=3), BreakerSettings())
    (3, 1.0, 0.0)
    """
    family = cfg.family
    if family == CONSECUTIVE or (family == ADAPTIVE and state.calls == 0):
        return state.run, 1.0 if state.run else 0.0, 0.0
    if family == EVIDENCE and state.state != HALF_OPEN:
        calls = state.base_calls + state.held_calls
        return round(calls), (state.base_failures + state.held_failures) / calls, 0.0
    if state.calls <= 0:
        return 0, 0.0, 0.0
    failures = 1.0 - state.ema if family == EMA else state.failures / state.calls
    # Where calls count when they start and failures when they end, a window may hold one without the other.
    return state.calls, min(max(failures, 0.0), 1.0), state.slows / state.calls


def explain(state: BreakerState, cfg: BreakerSettings, peers: Peers = ALONE, now_s: float = 0.0) -> str:
    """Say in one sentence why the breaker did or did not open.

    Parameters
    ----------
    state : BreakerState
        Its state.
    cfg : BreakerSettings
        Its settings.
    peers : Peers
        What is known of its fleet.
    now_s : float
        Present time on the breaker's clock, in seconds.

    Returns
    -------
    str
        One sentence with the numbers that decided.

    Examples
    --------
    >>> explain(BreakerState(run=3), BreakerSettings())
    'Closed: 3 failures in a row; 5 open it.'
    """
    if state.state in _FIXED:
        return _FIXED[state.state]
    if state.state == CLOSED:
        return f"Closed: {_not_yet(state, cfg, peers)}."
    if state.state == METRICS_ONLY:
        would = "" if state.why == WHY_NOTHING else f"; it would have opened because {_because(state, cfg)}"
        return f"Metrics only, every call is admitted: {_not_yet(state, cfg, peers)}{would}."
    if state.state == HALF_OPEN:
        return f"Half open: {_trial(state, cfg)}."
    if is_over(state, cfg, now_s):
        wait = "its time is over, and the next call is the trial"
        if cfg.interval_s > 0:
            wait = "its time is over, and the next sweep releases it"
    else:
        wait = f"{duration(state.until_s - now_s)} of {duration(state.until_s - state.since_s)} are left"
    return f"Open because {_because(state, cfg)}; {wait}."


def _not_yet(state: BreakerState, cfg: BreakerSettings, peers: Peers) -> str:
    """What is counted, and what it would take."""
    family = cfg.family
    if family == CONSECUTIVE:
        return f"{_run(state.run)}; {cfg.failure_threshold} open it"
    if family == ADAPTIVE:
        bounds = f"{cfg.threshold_floor} to {cfg.threshold_ceiling}"
        return f"{_run(state.run)}; {state.threshold} open it (the threshold moves within {bounds})"
    if family == EVIDENCE:
        usual = percent(learned_share(state, cfg), 1)
        return (
            f"evidence {state.evidence:.1f} of the {cfg.evidence_limit:.1f} that open it, against a usual failure share of "
            f"at most {usual}"
        )
    if family == EMA:
        text = f"moving failure share {percent(1 - state.ema, 1)} over {state.calls} calls; "
        text += f"more than {percent(cfg.failure_share, 0)} of at least {cfg.min_calls} opens it"
        return text + (f", or {cfg.failure_threshold} in a row (now {state.run})" if cfg.failure_threshold else "")
    if family == THROTTLE:
        share = percent(throttle_share(state, cfg), 1)
        return f"{state.calls - state.failures} of {state.calls} requests were accepted; {share} of calls are rejected"
    if family == OUTLIER:
        return _outlier(state, cfg, peers)
    if family == COOLDOWN and peers.members <= 1:
        return f"{_shares(state)}; a sole deployment is spared until all of {SOLE_CALLS} calls of a minute have failed"
    least = least_calls(cfg)
    if state.calls < least:
        return f"{_shares(state)}; no share is judged below {least} calls"
    rule = "more than " if cfg.share_is_strict else ""
    slow = f" or {rule}{percent(cfg.slow_share, 0)} slow" if cfg.slow_share <= 1 else ""
    return f"{_shares(state)}; {rule}{percent(cfg.failure_share, 0)} failed{slow} opens it"


def _outlier(state: BreakerState, cfg: BreakerSettings, peers: Peers) -> str:
    text = _run(state.run) if cfg.failure_threshold else _shares(state)
    if peers.members > 0 and (peers.open_members + 1) / peers.members > cfg.ejected_share:
        most = percent(cfg.ejected_share, 0)
        return f"{text}; one more of {peers.members} members cannot be ejected, since at most {most} may be"
    if cfg.failure_threshold:
        return f"{text}; {cfg.failure_threshold} open it"
    if peers.members < cfg.min_peers:
        return f"{text}; a share is judged against at least {cfg.min_peers} members, and {peers.members} are known"
    limit = percent(peers.mean_share - cfg.sd_factor * peers.sd_share, 1)
    return f"{text}; a success share below {limit} of at least {cfg.min_calls} calls opens it at the next sweep"


def _trial(state: BreakerState, cfg: BreakerSettings) -> str:
    out = f"{state.in_flight} of {cfg.half_open_permits} permits out"
    if cfg.half_open_successes:
        return f"{out}, {state.successes} of the {cfg.half_open_successes} successes that close it"
    least = min(cfg.min_calls, cfg.half_open_permits)
    return f"{out}, {state.failures} of {state.calls} calls failed; {least} decide"


def _because(state: BreakerState, cfg: BreakerSettings) -> str:
    value = state.why_value
    judged = "of half open failed" + (" or were slow" if cfg.slow_share <= 1 else "")
    texts = {
        WHY_RUN: f"{_run(round(value))} reached the threshold",
        WHY_FAILURES: f"{percent(value, 1)} of calls failed ({percent(cfg.failure_share, 0)} opens it)",
        WHY_SLOW: f"{percent(value, 1)} of calls were slow ({percent(cfg.slow_share, 0)} opens it)",
        WHY_EVIDENCE: f"the evidence reached {value:.1f} (limit {cfg.evidence_limit:.1f})",
        WHY_OUTLIER: f"{percent(value, 1)} of its calls succeeded, too far below its peers",
        WHY_HALF_OPEN: "a call failed while half open" if cfg.half_open_successes > 0 else f"too many calls {judged}",
        WHY_EXPIRED: f"half open lasted {duration(value)} without a verdict",
        WHY_PROBE: "a health check failed",
        WHY_SERVER: f"the server asked for {duration(value)}",
        WHY_HAND: "it was opened from outside",
        WHY_NOTHING: "it was made so",
    }
    return texts[state.why]


def _run(run: int) -> str:
    return f"{run} failure in a row" if run == 1 else f"{run} failures in a row"


def _shares(state: BreakerState) -> str:
    if state.calls <= 0:
        return "no calls counted"
    slow = f" and {state.slows} were slow" if state.slows else ""
    return f"{state.failures} of {state.calls} calls failed{slow}"
