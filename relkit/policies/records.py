"""The records that every policy function reads and writes, and the whole numbers they speak in.

Codes, outcomes, events, states and families are module-level integers, not an Enum, so that the same functions run live
and compiled. Names for people (`STATES`, `OUTCOMES`, ...) are tuples in the order of the numbers.
"""

from dataclasses import astuple, dataclass, fields, is_dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from relkit.policies.fallback import FallbackSettings
    from relkit.policies.freshness import FreshnessSettings
    from relkit.policies.retry_budget import RetryBudgetSettings
    from relkit.policies.retry_settings import Retry

# What `allow` answers.
ADMIT: Final = 0
REJECT_OPEN: Final = 1
REJECT_PROBES: Final = 2
REJECT_FORCED: Final = 3
REJECT_THROTTLED: Final = 4
CODES: Final = ("admit", "reject_open", "reject_probes", "reject_forced", "reject_throttled")

# How a permit ended.
SUCCESS: Final = 0
FAILURE: Final = 1
SLOW: Final = 2
SLOW_FAILURE: Final = 3
IGNORED: Final = 4
ABANDONED: Final = 5
OUTCOMES: Final = ("success", "failure", "slow", "slow_failure", "ignored", "abandoned")

# What a call of `tick` or `settle` changed.
NONE: Final = 0
OPENED: Final = 1
HALF_OPENED: Final = 2
CLOSED_AGAIN: Final = 3
EVENTS: Final = ("none", "opened", "half_opened", "closed")

CLOSED: Final = 0
OPEN: Final = 1
HALF_OPEN: Final = 2
FORCED_OPEN: Final = 3
DISABLED: Final = 4
METRICS_ONLY: Final = 5
STATES: Final = ("closed", "open", "half_open", "forced_open", "disabled", "metrics_only")

# How a breaker decides to open. Those from COUNT on keep a window; those from TIME on look at the clock while closed.
CONSECUTIVE: Final = 0
EVIDENCE: Final = 1
EMA: Final = 2
ADAPTIVE: Final = 3
COUNT: Final = 4
TIME: Final = 5
ANCHORED: Final = 6
THROTTLE: Final = 7
COOLDOWN: Final = 8
OUTLIER: Final = 9
FAMILIES: Final = (
    "consecutive",
    "evidence",
    "ema",
    "adaptive",
    "count",
    "time",
    "anchored",
    "throttle",
    "cooldown",
    "outlier",
)

# How the open time grows with each opening that follows no recovery.
STEADY: Final = 0
EXPONENTIAL: Final = 1
LINEAR: Final = 2
EQUAL_JITTER: Final = 3
GROWTHS: Final = ("steady", "exponential", "linear", "equal_jitter")

# What a health check does to an open breaker when it passes, and to a closed one when it fails.
PROBE_NOTHING: Final = 0
PROBE_HALF_OPENS: Final = 1
PROBE_CLOSES: Final = 2
PROBE_OPENS: Final = 3
PROBE_EFFECTS: Final = ("nothing", "half_opens", "closes", "opens")

# Which error kinds are failures: see relkit.policies.votes.
VOTES_ALL: Final = 0
VOTES_BY_KIND: Final = 1
VOTES_ANSWERED: Final = 2
VOTES_SERVER: Final = 3
VOTES_LITELLM: Final = 4
VOTES: Final = ("every_error", "by_kind", "all_but_cancelled", "server_errors", "litellm")

# What one permit is taken for: each attempt, or the whole call with its retries.
PER_ATTEMPT: Final = 0
PER_CALL: Final = 1
COUNTS: Final = ("attempt", "call")

CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "family": FAMILIES,
    "open_growth": GROWTHS,
    "probe_success": PROBE_EFFECTS,
    "probe_failure": PROBE_EFFECTS,
    "votes": VOTES,
    "counts": COUNTS,
}
"""Settings that are one of several words: the words in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """Everything a circuit breaker of any family can be told; fields of other families are not read.

    docs/policies.md has one table of all fields with the value each preset gives them.

    Parameters
    ----------
    family : int
        How it decides to open, one of `FAMILIES`.
    failure_threshold : int
        Consecutive failures that open it; 0 switches the rule off. Families other than consecutive and adaptive may
        have it beside their own rule.
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
        Place in the window that is written next.
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

    Examples
    --------
    >>> STATES[BreakerState().state]
    'closed'
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

    Examples
    --------
    >>> Peers(members=10).open_members
    0
    """

    members: int = 0
    open_members: int = 0
    mean_share: float = 0.0
    sd_share: float = 0.0


ALONE: Final = Peers()


@dataclass(frozen=True, slots=True)
class Policy:
    """The resilience settings of one service.

    Parameters
    ----------
    name : str
        Name of the preset or of the service.
    dated : str
        Day (YYYY-MM-DD) or month from which on these are the values.
    source : str
        Where they come from: project, version or commit, and file.
    breaker, retry, retry_budget, fallback, freshness : settings or None
        The settings of each part; None where the source has no such part.

    Examples
    --------
    >>> one, other = (Policy(name, "2026-11", "example", BreakerSettings()) for name in ("a", "b"))
    >>> one.hash == other.hash, len(one.hash)
    (True, 16)
    """

    name: str
    dated: str
    source: str
    breaker: BreakerSettings | None = None
    retry: "Retry | None" = None
    retry_budget: "RetryBudgetSettings | None" = None
    fallback: "FallbackSettings | None" = None
    freshness: "FreshnessSettings | None" = None

    @property
    def hash(self) -> str:
        """Sixteen hex digits of a hash over all settings; name, date and source do not count."""
        parts = ("breaker", "retry", "retry_budget", "fallback", "freshness")
        text = "\n".join(line for part in parts for line in _lines(part, getattr(self, part)))
        return sha256(text.encode()).hexdigest()[:16]


def _lines(path: str, value: Any) -> list[str]:
    """One line for each number or text of a record, in the order of its fields."""
    if is_dataclass(value):
        return [line for each in fields(value) for line in _lines(f"{path}.{each.name}", getattr(value, each.name))]
    return [f"{path} = {value!r}"]


def copy_state(state: BreakerState) -> BreakerState:
    """Return an independent copy of a state.

    >>> copy_state(BreakerState(run=3)).run
    3
    """
    return BreakerState(*astuple(state))
