"""The whole numbers that the policy functions speak in, and the words for them.

Module-level integers and no Enum, so that the same functions run live and compiled. The tuples of words (`STATES`,
`OUTCOMES`, ...) stand in the order of the numbers.
"""

from typing import Final

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

# Why it opened last; the number behind it is kept beside.
WHY_NOTHING: Final = 0
WHY_RUN: Final = 1
WHY_FAILURES: Final = 2
WHY_SLOW: Final = 3
WHY_EVIDENCE: Final = 4
WHY_OUTLIER: Final = 5
WHY_HALF_OPEN: Final = 6
WHY_EXPIRED: Final = 7
WHY_PROBE: Final = 8
WHY_SERVER: Final = 9
WHY_HAND: Final = 10

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
VOTES_ACCEPTED: Final = 4
VOTES_LITELLM: Final = 5
VOTES: Final = ("every_error", "by_kind", "all_but_cancelled", "server_errors", "not_accepted", "litellm")

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
