"""tenacity (Python): a retry loop as Python text. Times are seconds. Written alone: relkit does not read programs."""

import math
from typing import Final

from relkit.config.foreign import Refusal, Written, differences, left_out, one_loop, wiring, worded
from relkit.config.unread import read_policy, read_retries
from relkit.policies.backoff import ADDITIVE, EXPONENTIAL, FIXED, FULL, LINEAR, NO_JITTER, NO_WAIT
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.retry_settings import RetrySettings

NAME: Final = "tenacity"
_PARTS: Final = {
    "breaker": "tenacity has no breaker; export it to pybreaker",
    "fallback": "tenacity has no fallback chain",
    "freshness": "tenacity keeps no answers",
}
_SAID: Final = frozenset(
    [
        "max_attempts",
        "backoff",
        "first_delay_s",
        "step_s",
        "growth",
        "floor_s",
        "cap_s",
        "cap_after_jitter",
        "jitter",
        "jitter_s",
        "deadline_s",
        "deadline_counts_wait",
    ]
)
_WHY: Final = {"hint": "it reads no Retry-After without code of yours (wait_exception)"}


def write(policy: Policy) -> Written:
    """Write a decorator.

    Parameters
    ----------
    policy : Policy
        Its retries; the other parts are named in the notes.

    Returns
    -------
    Written

    Examples
    --------
    >>> print(write(presets["tenacity"]).text, end="")
    # Written by relkit from tenacity.
    import tenacity
    <BLANKLINE>
    retrying = tenacity.retry(
        stop=tenacity.stop_never,
        wait=tenacity.wait_none(),
        reraise=True,
    )
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
    wait = _wait(cfg, refusals)
    notes += wiring(cfg, base)
    lines = [f"# {line}" for line in (f"Written by relkit from {policy.name}.", *notes)]
    lines += ["import tenacity", "", "retrying = tenacity.retry(", f"    stop={_stop(cfg)},", f"    wait={wait},"]
    lines += ["    reraise=True,", ")"]
    return Written("" if refusals else "\n".join(lines) + "\n", tuple(refusals), tuple(notes))


def _stop(cfg: RetrySettings) -> str:
    stops = []
    if cfg.max_attempts:
        stops.append(f"tenacity.stop_after_attempt({cfg.max_attempts})")
    if cfg.deadline_s < math.inf:
        stops.append(f"tenacity.stop_{'before' if cfg.deadline_counts_wait else 'after'}_delay({cfg.deadline_s!r})")
    return " | ".join(stops) or "tenacity.stop_never"


def _wait(cfg: RetrySettings, refusals: list[Refusal]) -> str:
    if cfg.max_attempts == 1 or (cfg.backoff == NO_WAIT and cfg.jitter == NO_JITTER):
        return "tenacity.wait_none()"
    first, growth, floor = f"multiplier={cfg.first_delay_s!r}", f"exp_base={cfg.growth!r}", f"min={cfg.floor_s!r}"
    cap = "" if cfg.cap_s == math.inf else f", max={cfg.cap_s!r}"
    if cfg.backoff == EXPONENTIAL and cfg.jitter in {NO_JITTER, FULL} and not cfg.cap_after_jitter:
        name = "wait_exponential" if cfg.jitter == NO_JITTER else "wait_random_exponential"
        return f"tenacity.{name}({first}, {growth}, {floor}{cap})"
    if cfg.backoff == EXPONENTIAL and cfg.jitter == ADDITIVE and cfg.cap_after_jitter:
        return f"tenacity.wait_exponential_jitter({first}, {growth}, jitter={cfg.jitter_s!r}, {floor}{cap})"
    fixed_floor = cfg.floor_s <= cfg.first_delay_s
    if cfg.backoff == FIXED and cfg.jitter == NO_JITTER and fixed_floor and cfg.first_delay_s <= cfg.cap_s:
        return f"tenacity.wait_fixed({cfg.first_delay_s!r})"
    if cfg.backoff == LINEAR and cfg.jitter == NO_JITTER and fixed_floor:
        return f"tenacity.wait_incrementing(start={cfg.first_delay_s!r}, increment={cfg.step_s!r}{cap})"
    shape = f"{worded('backoff', cfg.backoff)}, {worded('jitter', cfg.jitter)}, cap {'after' if cfg.cap_after_jitter else 'before'}"
    why = "it waits exponentially (no jitter or full, capped before; additive, capped after), or fixed or linear without jitter"
    refusals.append(Refusal("retry.backoff", shape, why))
    return ""


def _base() -> RetrySettings:
    found = presets["tenacity"].retry
    assert found is not None
    return read_retries(found.transient)
