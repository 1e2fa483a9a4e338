"""When a closed breaker opens: one rule a family, over the windows.

`note` enters an outcome, `must_open` judges. Which of the two comes first is the family's own business: the plan's
adaptive breaker judges by the threshold from before the outcome.
"""

import math
from typing import Final

from relkit.policies.codes import (
    ADAPTIVE,
    CONSECUTIVE,
    COOLDOWN,
    COUNT,
    EMA,
    EVIDENCE,
    OUTLIER,
    THROTTLE,
    TIME,
    WHY_EVIDENCE,
    WHY_FAILURES,
    WHY_NOTHING,
    WHY_RUN,
    WHY_SLOW,
)
from relkit.policies.records import BreakerSettings, BreakerState, Peers
from relkit.policies.windows import Window, add_to_slot, push_call

# What the learned share starts from: five failures in a hundred calls, with the weight of fifty.
PRIOR_CALLS: Final = 50.0
PRIOR_FAILURES: Final = 2.5
_SURELY_BAD: Final = 0.95
SOLE_CALLS: Final = 1000  # LiteLLM: calls, all failed, after which even a sole deployment is cooled


def note(state: BreakerState, window: Window, cfg: BreakerSettings, now_s: float, failed: bool, slow: bool) -> None:
    """Enter the outcome of one call into whatever the family counts."""
    family = cfg.family
    if family == COUNT:
        push_call(state, window, cfg.window_calls, failed, slow)
    elif family == ADAPTIVE:
        push_call(state, window, cfg.window_calls, failed, slow)
        adapt_threshold(state, cfg)
    elif family == EVIDENCE:
        weigh(state, cfg, failed)
    elif family == EMA:
        move_share(state, cfg, now_s, failed)
    elif family == THROTTLE:
        # Requests were counted as not accepted when they were sent; an accepted one is taken back.
        add_to_slot(state, window, cfg, now_s, 0, 0 if failed else -1, 0)
    elif family == OUTLIER:
        state.calls += 1
        if failed:
            state.failures += 1
    elif family >= TIME:
        calls = 0 if cfg.counts_at_start else 1
        add_to_slot(state, window, cfg, now_s, calls, 1 if failed else 0, 1 if slow else 0)


def must_open(state: BreakerState, cfg: BreakerSettings, peers: Peers, now_s: float, failed: bool) -> int:
    """Say whether and why the outcome just entered opens the breaker; the deciding number goes into the state."""
    family = cfg.family
    if family == ADAPTIVE:
        return _because(state, WHY_RUN, state.run) if failed and state.run >= state.threshold else WHY_NOTHING
    if failed and state.run >= cfg.failure_threshold > 0:
        if family == CONSECUTIVE or family == EMA:
            return _because(state, WHY_RUN, state.run)
        if family == OUTLIER:
            # Envoy acts when the count equals the limit and then begins anew, carried out or not.
            state.run = 0
            return _because(state, WHY_RUN, cfg.failure_threshold) if may_eject(state, cfg, peers) else WHY_NOTHING
    if family == EVIDENCE:
        opens = state.evidence >= cfg.evidence_limit
        return _because(state, WHY_EVIDENCE, state.evidence) if opens else WHY_NOTHING
    if family == EMA:
        ready = failed and state.calls >= cfg.min_calls and now_s - state.start_s >= cfg.warm_up_s
        opens = ready and above(1.0 - state.ema, cfg.failure_share, cfg.share_is_strict)
        return _because(state, WHY_FAILURES, 1.0 - state.ema) if opens else WHY_NOTHING
    if not failed and not cfg.judges_success:
        return WHY_NOTHING
    if family == COOLDOWN and peers.members <= 1:
        # LiteLLM: there is no other deployment to go to.
        opens = state.calls >= SOLE_CALLS and state.failures == state.calls
        return _because(state, WHY_FAILURES, 1.0) if opens else WHY_NOTHING
    if family < COUNT or family == THROTTLE or family == OUTLIER or now_s - state.start_s < cfg.warm_up_s:
        return WHY_NOTHING
    return judge_shares(state, cfg, least_calls(cfg))


def _because(state: BreakerState, why: int, value: float) -> int:
    state.why_value = value * 1.0
    return why


def above(share: float, limit: float, strict: bool) -> bool:
    """Compare a share with its limit, strictly or not.

    >>> above(0.5, 0.5, strict=False), above(0.5, 0.5, strict=True)
    (True, False)
    """
    return share > limit if strict else share >= limit


def least_calls(cfg: BreakerSettings) -> int:
    """Calls from which on a share is judged; a window of calls cannot hold more than its length (resilience4j).

    >>> least_calls(BreakerSettings(family=COUNT, window_calls=10, min_calls=100, caps_min_calls=True))
    10
    """
    return min(cfg.min_calls, cfg.window_calls) if cfg.family == COUNT else cfg.min_calls


def judge_shares(state: BreakerState, cfg: BreakerSettings, least: int) -> int:
    """Say whether and why the counted shares are too large, given at least so many calls."""
    if state.calls < least:
        return WHY_NOTHING
    if state.calls <= 0:
        # opossum: failures of calls whose start has left the window, over no calls at all
        return _because(state, WHY_FAILURES, 1.0) if state.failures > 0 else WHY_NOTHING
    failures, slows = state.failures / state.calls, state.slows / state.calls
    if above(failures, cfg.failure_share, cfg.share_is_strict):
        return _because(state, WHY_FAILURES, min(failures, 1.0))
    if above(slows, cfg.slow_share, cfg.share_is_strict):
        return _because(state, WHY_SLOW, slows)
    return WHY_NOTHING


def adapt_threshold(state: BreakerState, cfg: BreakerSettings) -> None:
    """Move the threshold of the adaptive family by one, after each `adapt_calls` calls.

    The plan moves it after every call, from a window that may hold a single one.
    """
    state.adapt_seen += 1
    if state.adapt_seen < cfg.adapt_calls:
        return
    share = (state.calls - state.failures) / state.calls
    if share < cfg.lower_below_share:
        state.adapt_seen = 0
        if state.threshold > cfg.threshold_floor:
            state.threshold -= 1
    elif share > cfg.raise_above_share:
        state.adapt_seen = 0
        if state.threshold < cfg.threshold_ceiling:
            state.threshold += 1


def learned_share(state: BreakerState, cfg: BreakerSettings) -> float:
    """Upper bound of the usual failure share: the Wilson bound over the baseline, within its limits.

    With n calls, f failures and z = `baseline_doubt`: m = n + z², p = (f + z²/2) / m, bound = p + z √(p(1-p)/m)
    (Agresti and Coull 1998).

    >>> state = BreakerState(base_calls=1000.0, base_failures=20.0)
    >>> round(learned_share(state, BreakerSettings()), 4)
    0.0312
    """
    doubt = cfg.baseline_doubt
    total = state.base_calls + doubt * doubt
    share = (state.base_failures + 0.5 * doubt * doubt) / total
    share += doubt * math.sqrt(share * (1.0 - share) / total)
    return min(max(share, cfg.baseline_low), cfg.baseline_high)


def weigh(state: BreakerState, cfg: BreakerSettings, failed: bool) -> None:
    """Add one call's log likelihood ratio of "bad" over "as usual" to the evidence, which never falls below zero.

    A CUSUM test (Page 1954) against a learned share p0: a failure adds ln(p1/p0), a success ln((1-p1)/(1-p0)), with
    p1 = p0 + `evidence_gap`. Calls are held back while there is evidence and join the baseline when it is gone, so an
    outage does not teach the breaker that outages are usual.
    """
    if not failed and state.evidence <= 0.0:
        state.base_calls += 1.0
        forget_old(state, cfg)
        return
    usual = learned_share(state, cfg)
    bad = min(usual + cfg.evidence_gap, _SURELY_BAD)
    state.held_calls += 1.0
    if failed:
        state.held_failures += 1.0
        state.evidence += math.log(bad / usual)
    else:
        state.evidence += math.log((1.0 - bad) / (1.0 - usual))
    if state.evidence <= 0.0:
        learn(state, cfg)


def learn(state: BreakerState, cfg: BreakerSettings) -> None:
    """Let the calls held back join the baseline, and drop the evidence."""
    state.evidence = 0.0
    state.base_calls += state.held_calls
    state.base_failures += state.held_failures
    state.held_calls = 0.0
    state.held_failures = 0.0
    forget_old(state, cfg)


def forgive(state: BreakerState, cfg: BreakerSettings) -> None:
    """Drop the evidence when the service is back; what was held joins the baseline only if it was mild.

    A slow rise below the bad share may have become the usual and is learned. An outage lies above it and is forgotten,
    so that the breaker is as quick the next time.
    """
    if state.held_failures >= (learned_share(state, cfg) + cfg.evidence_gap) * state.held_calls:
        state.held_calls = 0.0
        state.held_failures = 0.0
    learn(state, cfg)


def forget_old(state: BreakerState, cfg: BreakerSettings) -> None:
    """Keep the weight of the baseline at `baseline_calls`."""
    if state.base_calls > cfg.baseline_calls:
        state.base_failures *= cfg.baseline_calls / state.base_calls
        state.base_calls = cfg.baseline_calls * 1.0


def move_share(state: BreakerState, cfg: BreakerSettings, now_s: float, failed: bool) -> None:
    """Move the success share of the ema family: weight exp(-gap / time constant) for the past; the first call sets it."""
    success = 0.0 if failed else 1.0
    if state.calls == 0:
        state.ema = success
    else:
        age = 1.0 / cfg.ema_calls if cfg.ema_calls > 0.0 else (now_s - state.ema_at_s) / cfg.ema_s
        weight = math.exp(-age)
        state.ema = success * (1.0 - weight) + state.ema * weight
    state.ema_at_s = now_s
    state.calls += 1
    if failed:
        state.failures += 1


def may_eject(state: BreakerState, cfg: BreakerSettings, peers: Peers) -> bool:
    """Say whether the fleet can spare one more member, and whether chance carries the ejection out.

    A fleet of which nothing is known (0 members) holds nothing back.
    """
    if peers.members > 0 and (peers.open_members + 1) / peers.members > cfg.ejected_share:
        return False
    return state.draw < cfg.enforced_share


def is_outlier(state: BreakerState, cfg: BreakerSettings, peers: Peers) -> bool:
    """Envoy's sweep: the success share lies more than `sd_factor` standard deviations below the fleet's mean."""
    if cfg.sd_factor <= 0.0 or peers.members < cfg.min_peers or state.calls < cfg.min_calls or state.calls == 0:
        return False
    share = (state.calls - state.failures) / state.calls
    if share >= peers.mean_share - cfg.sd_factor * peers.sd_share:
        return False
    state.why_value = share
    return True


def throttle_share(state: BreakerState, cfg: BreakerSettings) -> float:
    """Share of calls that client throttling rejects: max(0, (requests - K accepts) / (requests + 1)).

    SRE book, chapter 21, "Handling Overload"; capped at `reject_cap`.

    >>> state = BreakerState(calls=100, failures=60)
    >>> round(101 * throttle_share(state, BreakerSettings()), 9)
    20.0
    """
    accepts = state.calls - state.failures
    share = (state.calls - cfg.accepts_factor * accepts) / (state.calls + 1.0)
    return min(max(share, 0.0), cfg.reject_cap)
