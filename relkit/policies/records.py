"""The records that every breaker function reads and writes.

Flat, slotted and made of numbers alone, so that one compiled kernel serves all breaker families.
"""

from dataclasses import dataclass, fields, replace
from typing import Final

from relkit.exceptions import ParameterError
from relkit.policies._breaker_checks import check_breaker, check_peers, numbered
from relkit.policies.codes import CLOSED, CONSECUTIVE, PER_CALL, PROBE_NOTHING, STEADY, VOTES_BY_KIND


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """Everything a circuit breaker of any family can be told; fields of other families are not read.

    docs/policies.md has one table of all fields with the value each preset gives them.

    Parameters
    ----------
    family : int
        How it decides to open, one of `relkit.policies.codes.FAMILIES`.
    failure_threshold : int
        Consecutive failures that open it: the rule of the consecutive family, where the adaptive one begins, and
        beside their own rule in the ema and outlier families, where 0 switches it off.
    threshold_floor, threshold_ceiling : int
        Bounds of the adaptive threshold.
    lower_below_share, raise_above_share : float
        The adaptive threshold falls below the first success share and rises above the second.
    adapt_calls : int
        Calls that must have been seen since the last change of the adaptive threshold; the plan's own is 1.
    window_calls : int
        Length of the count window, in calls.
    window_s : float
        Length of the time window, in seconds.
    buckets : int
        Parts the time window is made of.
    grid_from_start : bool
        Whether the parts are counted from the making of the breaker rather than from second 0 of the clock.
    min_calls : int
        Calls in the window below which no share is judged.
    caps_min_calls : bool
        Whether a count window shorter than that lowers it (resilience4j), instead of being refused.
    failure_share : float
        Share of failures that opens it, in (0, 1]; above 1 never.
    share_is_strict : bool
        Whether the share must lie above `failure_share` rather than at or above it.
    slow_share : float
        Share of slow calls that opens it; above 1 never.
    slow_call_s : float
        A call is slow when it takes longer than this; 0 means no call is slow by its latency.
    timeout_s : float
        A call that takes this long or longer is a failure whatever came back; 0 for no such rule.
    judges_success : bool
        Whether a success, too, may open it; else failures alone do.
    counts_at_start : bool
        Whether a call enters the window when it is asked for, rejected ones included, rather than when it ends.
    keeps_window : bool
        Whether the window survives opening and closing.
    warm_up_s : float
        Time after the making (or, in the ema family, the last recovery) in which no share opens it.
    ema_s : float
        Time constant of the moving success share, in seconds.
    ema_calls : float
        The same in calls; above 0 the share moves with each call and not with time.
    evidence_gap : float
        How far above the learned failure share lies the bad share that the evidence family tests against.
    evidence_limit : float
        Evidence, in natural-log units of the likelihood ratio, that opens it.
    baseline_calls : int
        Calls that the learned failure share remembers.
    baseline_doubt : float
        Standard errors that are added to the learned share.
    baseline_low, baseline_high : float
        Bounds of the learned share with its doubt.
    interval_s : float
        Time between two sweeps of outlier ejection; 0 for none.
    min_peers : int
        Members of the fleet with enough calls, below which no member is judged by its share.
    sd_factor : float
        Standard deviations below the fleet's mean success share at which a member is ejected; 0 switches it off.
    ejected_share : float
        Share of the fleet that may be ejected at once.
    enforced_share : float
        Share of the ejections that are carried out.
    accepts_factor : float
        The SRE book's K: how many requests may be sent for one that is accepted.
    reject_cap : float
        Largest share of calls that client throttling rejects.
    half_open_permits : int
        Calls admitted while half open; 0 means that it closes blindly when the open time is over.
    permits_in_all : bool
        Whether the permits are given out once in each half-open period, rather than that many at a time.
    half_open_successes : int
        Successes that close it; a failure opens it. 0 means that half open is judged by `failure_share`.
    half_open_max_s : float
        Longest stay in half open; 0 for no limit.
    half_open_expiry_closes : bool
        Whether it closes when that time is over, rather than opens.
    open_s : float
        Time it stays open, in seconds.
    open_growth : int
        How that time grows with repeated openings, one of `GROWTHS`.
    open_factor : float
        Factor of exponential growth.
    open_max_s : float
        Longest open time before jitter is added; 0 for no limit.
    open_jitter : float
        The open time is spread evenly over plus or minus this share of itself.
    trips_kept_s : float
        Time closed after which earlier openings no longer lengthen the next one; 0 forgets them when it closes.
    open_is_strict : bool
        Whether the open time must be exceeded rather than reached.
    waits_for_call : bool
        Whether it half-opens only when the next call asks, rather than when the time is over.
    probe_success, probe_failure : int
        What a passing health check does to an open breaker and a failing one to a closed breaker, of `PROBE_EFFECTS`.
    ignored_is_success : bool
        Whether an outcome that is to be ignored counts as a success.
    records_late : bool
        Whether outcomes of permits of an earlier state are counted in the present one, rather than dropped.
    votes : int
        Which error kinds are failures, one of `VOTES`.
    counts : int
        Whether each attempt takes a permit or the whole call, one of `COUNTS`.

    Raises
    ------
    ParameterError
        For a value out of range, or settings that cannot work together.

    Examples
    --------
    >>> BreakerSettings(failure_threshold=3).open_s
    60.0
    """

    family: int = CONSECUTIVE
    failure_threshold: int = 5
    threshold_floor: int = 2
    threshold_ceiling: int = 10
    lower_below_share: float = 0.7
    raise_above_share: float = 0.95
    adapt_calls: int = 1
    window_calls: int = 100
    window_s: float = 60.0
    buckets: int = 10
    grid_from_start: bool = False
    min_calls: int = 20
    caps_min_calls: bool = False
    failure_share: float = 0.5
    share_is_strict: bool = False
    slow_share: float = 2.0
    slow_call_s: float = 0.0
    timeout_s: float = 0.0
    judges_success: bool = False
    counts_at_start: bool = False
    keeps_window: bool = False
    warm_up_s: float = 0.0
    ema_s: float = 30.0
    ema_calls: float = 0.0
    evidence_gap: float = 0.2
    evidence_limit: float = 12.0
    baseline_calls: int = 1000
    baseline_doubt: float = 2.0
    baseline_low: float = 0.01
    baseline_high: float = 0.5
    interval_s: float = 0.0
    min_peers: int = 5
    sd_factor: float = 0.0
    ejected_share: float = 1.0
    enforced_share: float = 1.0
    accepts_factor: float = 2.0
    reject_cap: float = 1.0
    half_open_permits: int = 1
    permits_in_all: bool = False
    half_open_successes: int = 1
    half_open_max_s: float = 0.0
    half_open_expiry_closes: bool = False
    open_s: float = 60.0
    open_growth: int = STEADY
    open_factor: float = 2.0
    open_max_s: float = 0.0
    open_jitter: float = 0.0
    trips_kept_s: float = 0.0
    open_is_strict: bool = False
    waits_for_call: bool = False
    probe_success: int = PROBE_NOTHING
    probe_failure: int = PROBE_NOTHING
    ignored_is_success: bool = False
    records_late: bool = False
    votes: int = VOTES_BY_KIND
    counts: int = PER_CALL

    def __post_init__(self) -> None:
        check_breaker(self)

    def changed(self, **overrides: object) -> "BreakerSettings":
        """Return a copy with other values; a field that is one of several words takes the word or its number.

        Parameters
        ----------
        **overrides
            Field names and their values.

        Raises
        ------
        ParameterError
            For a name that is no field, a value out of range, or settings that cannot work together.

        Examples
        --------
        >>> BreakerSettings().changed(family="count", failure_share=0.2).failure_share
        0.2
        """
        known = [field.name for field in fields(self)]
        for name in overrides:
            if name not in known:
                raise ParameterError.of("setting", name, ", ".join(known), "use the name of a breaker setting")
        given = {name: numbered(name, value) for name, value in overrides.items()}
        return replace(self, **given)  # type: ignore[arg-type]  # the record checks them


@dataclass(slots=True)
class BreakerState:
    """What a breaker remembers; the window is kept apart, as a list of `window_slots` numbers.

    Only the policy functions write it.

    Parameters
    ----------
    state : int
        One of `STATES`.
    generation : int
        Number of the present state; a permit carries the generation it was given in.
    since_s, until_s : float
        When this state began, and until when an open breaker rejects.
    throttled : bool
        Whether it is open because the server stated a time.
    trips : int
        Openings since it was last closed, or Envoy's multiplier.
    in_flight, admitted : int
        Permits out, and given in all, in this half-open period.
    successes : int
        Successes in a row in this half-open period.
    run : int
        Failures in a row while closed.
    threshold : int
        Present threshold of the adaptive family.
    adapt_seen : int
        Calls since that threshold last changed.
    calls, failures, slows : int
        Sums over the window; the throttle family counts requests, and those not yet accepted as failures.
    head : int
        Place in the window that is written next; -1 while it holds none of what is counted.
    slot : float
        Number of the present part of a time window; below 0 before the first event.
    start_s : float
        When the breaker was made, or last revived.
    draw : float
        The last draw that came with `allow`, in [0, 1); it decides the jitter of the next open time.
    ema, ema_at_s : float
        Moving success share and when it was last moved.
    evidence : float
        Evidence gathered that the service has become bad.
    held_calls, held_failures : float
        Calls since the evidence last was zero: part of the baseline only if it falls back to zero.
    base_calls, base_failures : float
        Calls and failures that the learned share rests on.
    sweep_s : float
        Time of the next sweep.
    why, why_value : int, float
        Why it opened last, a WHY code of `relkit.policies.codes`, and the number that decided.

    Examples
    --------
    >>> BreakerState().state == CLOSED
    True
    """

    state: int = CLOSED
    generation: int = 0
    since_s: float = 0.0
    until_s: float = 0.0
    throttled: bool = False
    trips: int = 0
    in_flight: int = 0
    admitted: int = 0
    successes: int = 0
    run: int = 0
    threshold: int = 0
    adapt_seen: int = 0
    calls: int = 0
    failures: int = 0
    slows: int = 0
    head: int = 0
    slot: float = -1.0
    start_s: float = 0.0
    draw: float = 0.0
    ema: float = 1.0
    ema_at_s: float = 0.0
    evidence: float = 0.0
    held_calls: float = 0.0
    held_failures: float = 0.0
    base_calls: float = 0.0
    base_failures: float = 0.0
    sweep_s: float = 0.0
    why: int = 0
    why_value: float = 0.0


@dataclass(frozen=True, slots=True)
class Peers:
    """What a breaker knows of the other members of its fleet; zeros when it knows of none.

    Parameters
    ----------
    members : int
        Members of the fleet, this one included.
    open_members : int
        Members that are open or ejected now, this one not included.
    mean_share, sd_share : float
        Mean and population standard deviation of the members' success shares in the interval just finished.

    Raises
    ------
    ParameterError
        For counts below 0, and shares outside [0, 1].

    Examples
    --------
    >>> Peers(members=10).open_members
    0
    """

    members: int = 0
    open_members: int = 0
    mean_share: float = 0.0
    sd_share: float = 0.0

    def __post_init__(self) -> None:
        check_peers(self)


ALONE: Final = Peers()
