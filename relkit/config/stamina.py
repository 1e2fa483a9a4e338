"""stamina (Python): the arguments of a retry loop as Python text. Times are seconds. Written alone."""

import math
from typing import Final

from relkit.config.foreign import Refusal, Written, differences, left_out, one_loop, wiring
from relkit.config.unread import read_policy, read_retries
from relkit.policies.backoff import ADDITIVE, NO_JITTER
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.retry_settings import RetrySettings

NAME: Final = "stamina"
_PARTS: Final = {
    "breaker": "stamina has no breaker; export it to pybreaker",
    "fallback": "stamina has no fallback chain",
    "freshness": "stamina keeps no answers",
}
_SAID: Final = frozenset(
    [
        "max_attempts",
        "first_delay_s",
        "growth",
        "cap_s",
        "jitter",
        "jitter_s",
        "deadline_s",
        "deadline_counts_wait",
        "cap_after_jitter",
    ]
)
_WHY: Final = {
    "backoff": "its waits grow exponentially: set backoff = exponential (growth 1 keeps them)",
    "hint": "it reads no Retry-After without code of yours (a back-off hook)",
    "floor_s": "it has no shortest wait",
}


def write(policy: Policy) -> Written:
    """Write the arguments of stamina.retry as a dictionary, to which you add what to retry on.

    Parameters
    ----------
    policy : Policy
        Its retries; the other parts are named in the notes.

    Returns
    -------
    Written

    Examples
    --------
    >>> print(write(presets["stamina"]).text.splitlines()[-1])
    retries = dict(attempts=10, timeout=45.0, wait_initial=0.1, wait_max=5.0, wait_jitter=1.0, wait_exp_base=2.0)
    """
    policy = read_policy(policy)
    refusals, notes = left_out(NAME, policy, _PARTS)
    if policy.retry is None:
        return Written("", tuple(refusals), tuple(notes))
    refusals += one_loop(NAME, policy.retry)
    if policy.retry_budget is not None:
        refusals.append(Refusal("retry_budget", "set", "it has no RetryBudget; without it an outage multiplies"))
    cfg, base = policy.retry.transient, _base()
    if cfg.max_attempts != 1:
        refusals += differences(NAME, "retry", cfg, base, _SAID, _WHY)
        refusals += _own(cfg)
    notes += wiring(cfg, base)
    jitter_s = cfg.jitter_s if cfg.jitter == ADDITIVE else 0.0
    timeout = None if cfg.deadline_s == math.inf else cfg.deadline_s
    lines = [f"# {line}" for line in (f"Written by relkit from {policy.name}.", *notes)]
    lines.append("# Use it as @stamina.retry(on=YourError, **retries)")
    lines.append(
        f"retries = dict(attempts={cfg.max_attempts or None}, timeout={timeout!r}, wait_initial={cfg.first_delay_s!r}, "
        f"wait_max={cfg.cap_s!r}, wait_jitter={jitter_s!r}, wait_exp_base={cfg.growth!r})"
    )
    return Written("" if refusals else "\n".join(lines) + "\n", tuple(refusals), tuple(notes))


def _own(cfg: RetrySettings) -> list[Refusal]:
    found = []
    if cfg.jitter not in {NO_JITTER, ADDITIVE}:
        found.append(
            Refusal("retry.jitter", "not additive", "it adds U(0, wait_jitter): set jitter = additive, or no_jitter")
        )
    if cfg.jitter == ADDITIVE and not cfg.cap_after_jitter:
        found.append(Refusal("retry.cap_after_jitter", "false", "wait_max comes after the jitter there"))
    if cfg.deadline_s < math.inf and cfg.deadline_counts_wait:
        why = "its timeout looks at the time gone alone, so that a wait may pass it: set deadline_counts_wait = false"
        found.append(Refusal("retry.deadline_counts_wait", "true", why))
    if cfg.cap_s == math.inf:
        found.append(Refusal("retry.cap_s", "inf", "wait_max is a finite time"))
    return found


def _base() -> RetrySettings:
    found = presets["stamina"].retry
    assert found is not None
    return read_retries(found.transient)
