"""resilience4j as Spring Boot has it: `resilience4j.circuitbreaker.instances.NAME` and `resilience4j.retry.instances.NAME`.

YAML is written; YAML and .properties are read, keys in camelCase or kebab-case. Percentages are percentages there, and
resilience4j keeps them as 32-bit floats.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from relkit.config.foreign import (
    Border,
    Refusal,
    Written,
    checked,
    differences,
    left_out,
    number,
    one_loop,
    scaled,
    unscaled,
    whole_ms,
    wiring,
    worded,
)
from relkit.config.spring import duration, instances, seconds, tree
from relkit.config.unread import read_breaker, read_policy, read_retries
from relkit.config.yaml_text import yaml_text
from relkit.exceptions import ParameterError
from relkit.policies.backoff import EXPONENTIAL as EXPONENTIAL_WAIT
from relkit.policies.backoff import FIXED, NO_JITTER, PROPORTIONAL
from relkit.policies.codes import COUNT, EXPONENTIAL, STEADY, TIME
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_settings import NO_RETRIES, Retry, RetrySettings

NAME: Final = "resilience4j"
_PARTS: Final = {
    "retry_budget": "resilience4j has no RetryBudget",
    "fallback": "a fallback is a method of your code there (fallbackMethod)",
    "freshness": "resilience4j keeps no answers",
}
_SAID: Final = frozenset(
    [
        "family",
        "window_calls",
        "window_s",
        "buckets",
        "min_calls",
        "caps_min_calls",
        "failure_share",
        "slow_share",
        "slow_call_s",
        "half_open_permits",
        "half_open_max_s",
        "half_open_expiry_closes",
        "open_s",
        "open_growth",
        "open_factor",
        "open_max_s",
        "open_jitter",
        "waits_for_call",
    ]
)
_RETRY_SAID: Final = frozenset(
    ["max_attempts", "backoff", "first_delay_s", "growth", "cap_s", "jitter", "jitter_share"]
)
_WHY: Final = {
    "half_open_successes": "half open is judged by the failure rate there: set half_open_successes = 0",
    "permits_in_all": "the permitted calls are given once in each half-open period there: set permits_in_all = true",
    "records_late": "late results are counted there: set records_late = true",
    "open_is_strict": "the wait must be exceeded there: set open_is_strict = true",
    "judges_success": "every outcome is judged there: set judges_success = true",
    "timeout_s": "a time-out is a TimeLimiter there, no setting of the breaker: set timeout_s = 0",
    "trips_kept_s": "openings are forgotten when it closes there: set trips_kept_s = 0",
}
_RETRY_WHY: Final = {
    "deadline_s": "its retries have no total time; a TimeLimiter around them has",
    "hint": "it reads no Retry-After without code of yours (intervalBiFunction)",
}
_FORMER: Final = {
    "ringBufferSizeInClosedState": "0.x; write slidingWindowSize and minimumNumberOfCalls",
    "ringBufferSizeInHalfOpenState": "0.x; write permittedNumberOfCallsInHalfOpenState",
    "waitDurationInOpenStateMillis": "0.x; write waitDurationInOpenState with a unit, e.g. 60s",
    "waitInterval": "0.x; write waitDurationInOpenState with a unit, e.g. 60s",
    "recordFailure": "1.x before 1.2; write recordFailurePredicate",
    "maxRetryAttempts": "1.x; write maxAttempts",
    "backends": "0.x; write instances",
}


def write(policy: Policy) -> Written:
    """Write a policy as an application.yml.

    Parameters
    ----------
    policy : Policy
        Its breaker and retries; the other parts are named in the notes.

    Returns
    -------
    Written

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> print(write(presets["resilience4j-retry"]).text, end="")
    # Written by relkit from resilience4j-retry.
    resilience4j:
      retry:
        instances:
          resilience4j-retry:
            maxAttempts: 3
            waitDuration: "500ms"
    """
    policy = read_policy(policy)
    refusals, notes = left_out(NAME, policy, _PARTS)
    tables: dict[str, Any] = {}
    if policy.breaker is not None:
        base = _base(policy.breaker.family)
        tables["circuitbreaker"] = {"instances": {policy.name: _breaker(policy.breaker, base, refusals)}}
        notes += wiring(policy.breaker, base)
    if policy.retry is not None:
        refusals += one_loop(NAME, policy.retry)
        tables["retry"] = {"instances": {policy.name: _retry(policy.retry.transient, refusals)}}
        notes += wiring(policy.retry.transient, _RETRY_BASE)
    if policy.retry_budget is not None and policy.retry is not None:
        refusals.append(
            Refusal("retry_budget", "set", "resilience4j has no RetryBudget; without it an outage multiplies")
        )
    comments = [f"Written by relkit from {policy.name}.", *notes]
    return Written("" if refusals else yaml_text({"resilience4j": tables}, comments), tuple(refusals), tuple(notes))


def read(text: str, name: str = "") -> Policy:
    """Read an application.yml or .properties text.

    Parameters
    ----------
    text : str
        The file.
    name : str
        Which instance; empty where there is one.

    Returns
    -------
    Policy
        What is not in the file is at resilience4j's default.

    Raises
    ------
    ParameterError
        For a key of another version, one that is unknown or that relkit does not model, or several instances and no name.

    Examples
    --------
    >>> read("resilience4j.circuitbreaker.instances.a.waitDurationInOpenState=10s").breaker.open_s
    10.0
    """
    found = tree(text)
    tables = {part: instances(part, found.get(part), _FORMER) for part in ("circuitbreaker", "retry")}
    for key in found:
        if key not in tables:
            why = "relkit reads circuitbreaker and retry"
            raise ParameterError(f"{NAME}: unknown key resilience4j.{key}; {why}")
    named = sorted({each for table in tables.values() for each in table})
    chosen = name or (named[0] if len(named) == 1 else "")
    if chosen not in named:
        raise ParameterError.of("name", name, ", ".join(named) or "none is there", "say which instance to read")
    given = tables["circuitbreaker"].get(chosen)
    breaker = None if given is None else _read_breaker(given, f"{NAME}: circuitbreaker.instances.{chosen}")
    given = tables["retry"].get(chosen)
    retry = None if given is None else Retry.of(_read_retry(given, f"{NAME}: retry.instances.{chosen}"))
    return Policy(chosen, presets["resilience4j-count"].dated, "a resilience4j file", breaker=breaker, retry=retry)


def _base(family: int) -> BreakerSettings:
    found = presets["resilience4j-time" if family == TIME else "resilience4j-count"].breaker
    assert found is not None
    return read_breaker(found)


def _retry_base() -> RetrySettings:
    found = presets["resilience4j-retry"].retry
    assert found is not None
    return read_retries(found.transient)


_RETRY_BASE: Final = _retry_base()


def _breaker(cfg: BreakerSettings, base: BreakerSettings, refusals: list[Refusal]) -> dict[str, Any]:
    if cfg.family not in {COUNT, TIME}:
        why = "it judges shares of the last calls (count) or the last seconds (time) alone"
        refusals.append(Refusal("breaker.family", worded("family", cfg.family), why))
        return {}
    refusals += differences(NAME, "breaker", cfg, base, _SAID, _WHY)
    size = cfg.window_calls if cfg.family == COUNT else int(cfg.window_s)
    if cfg.family == TIME and (cfg.window_s != size or cfg.buckets != size):
        why = "its window is made of whole seconds, one part each: give window_s in whole seconds and as many buckets"
        refusals.append(Refusal("breaker.window_s", f"{cfg.window_s:g} in {cfg.buckets} parts", why))
    if cfg.half_open_permits == 0:
        refusals.append(Refusal("breaker.half_open_permits", "0", "it always half-opens; give at least 1"))
    if cfg.open_growth not in {STEADY, EXPONENTIAL}:
        refusals.append(
            Refusal("breaker.open_growth", str(cfg.open_growth), "open times stay or grow by a factor there")
        )
    if not cfg.min_calls:
        refusals.append(Refusal("breaker.min_calls", "0", "minimumNumberOfCalls is at least 1"))
    for share in ("failure_share", "slow_share"):
        if getattr(cfg, share) > 1.0:
            why = "this rule cannot be switched off there: set the share to 1 (and slow_call_s above any latency)"
            refusals.append(Refusal(f"breaker.{share}", "off", why))
    ms = {
        each: whole_ms(NAME, f"breaker.{each}", getattr(cfg, each), refusals)
        for each in ("slow_call_s", "open_s", "half_open_max_s", "open_max_s")
    }
    found: dict[str, Any] = {
        "slidingWindowType": "COUNT_BASED" if cfg.family == COUNT else "TIME_BASED",
        "slidingWindowSize": size,
        "minimumNumberOfCalls": cfg.min_calls,
        "failureRateThreshold": number(scaled(cfg.failure_share, 100)),
        "slowCallRateThreshold": number(scaled(cfg.slow_share, 100)),
        "slowCallDurationThreshold": duration(ms["slow_call_s"]),
        "waitDurationInOpenState": duration(ms["open_s"]),
        "permittedNumberOfCallsInHalfOpenState": cfg.half_open_permits,
        "automaticTransitionFromOpenToHalfOpenEnabled": not cfg.waits_for_call,
    }
    if cfg.half_open_max_s:
        found["maxWaitDurationInHalfOpenState"] = duration(ms["half_open_max_s"])
        found["transitionToStateAfterWaitDuration"] = "CLOSED" if cfg.half_open_expiry_closes else "OPEN"
    if cfg.open_growth == EXPONENTIAL:
        found |= {"enableExponentialBackoff": True, "exponentialBackoffMultiplier": cfg.open_factor}
        if cfg.open_max_s:
            found["exponentialMaxWaitDurationInOpenState"] = duration(ms["open_max_s"])
    if cfg.open_jitter:
        found |= {"enableRandomizedWait": True, "randomizedWaitFactor": cfg.open_jitter}
    return found


def _retry(cfg: RetrySettings, refusals: list[Refusal]) -> dict[str, Any]:
    if cfg == NO_RETRIES:
        return {"maxAttempts": 1}
    if cfg.backoff not in {FIXED, EXPONENTIAL_WAIT}:
        refusals.append(
            Refusal("retry.backoff", worded("backoff", cfg.backoff), "waits are fixed or exponential there")
        )
    if cfg.jitter not in {NO_JITTER, PROPORTIONAL}:
        why = "it spreads a wait by plus or minus a share of itself (proportional) or not at all"
        refusals.append(Refusal("retry.jitter", worded("jitter", cfg.jitter), why))
    elif cfg.jitter == PROPORTIONAL and cfg.backoff == EXPONENTIAL_WAIT:
        why = "Spring properties take enableExponentialBackoff or enableRandomizedWait, not both"
        refusals.append(Refusal("retry.jitter", "proportional", why))
    if cfg.max_attempts == 0:
        refusals.append(Refusal("retry.max_attempts", "0", "maxAttempts is at least 1; endless retries are not there"))
    refusals += differences(NAME, "retry", cfg, _RETRY_BASE, _RETRY_SAID, _RETRY_WHY)
    wait_ms = whole_ms(NAME, "retry.first_delay_s", cfg.first_delay_s, refusals)
    if wait_ms < 1:
        refusals.append(Refusal("retry.first_delay_s", "0", "waitDuration is at least 1 ms"))
    found: dict[str, Any] = {"maxAttempts": cfg.max_attempts, "waitDuration": duration(wait_ms)}
    if cfg.backoff == EXPONENTIAL_WAIT:
        found |= {"enableExponentialBackoff": True, "exponentialBackoffMultiplier": cfg.growth}
        cap = Decimal("Infinity") if cfg.cap_s == float("inf") else scaled(cfg.cap_s, 1000)
        if cap.is_finite():
            cap_ms = whole_ms(NAME, "retry.cap_s", cfg.cap_s, refusals)
            found["exponentialMaxWaitDuration"] = duration(cap_ms)
    elif cfg.cap_s < cfg.first_delay_s * (1.0 + (cfg.jitter_share if cfg.jitter else 0.0)):
        refusals.append(Refusal("retry.cap_s", f"{cfg.cap_s:g}", "a fixed wait has no cap there"))
    if cfg.jitter == PROPORTIONAL:
        found |= {"enableRandomizedWait": True, "randomizedWaitFactor": cfg.jitter_share}
    return found


_Percent = Annotated[float, Field(gt=0, le=100)]
_Count = Annotated[int, Field(ge=1)]


class _Breaker(Border):
    slidingWindowType: Literal["COUNT_BASED", "TIME_BASED"] = "COUNT_BASED"
    slidingWindowSize: _Count = 100
    minimumNumberOfCalls: _Count = 100
    failureRateThreshold: _Percent = 50.0
    slowCallRateThreshold: _Percent = 100.0
    slowCallDurationThreshold: int | str = "60s"
    waitDurationInOpenState: int | str = "60s"
    permittedNumberOfCallsInHalfOpenState: _Count = 10
    automaticTransitionFromOpenToHalfOpenEnabled: bool = False
    maxWaitDurationInHalfOpenState: int | str = "0s"
    transitionToStateAfterWaitDuration: Literal["OPEN", "CLOSED"] = "OPEN"
    enableExponentialBackoff: bool = False
    exponentialBackoffMultiplier: Annotated[float, Field(ge=1)] = 1.5
    exponentialMaxWaitDurationInOpenState: int | str | None = None
    enableRandomizedWait: bool = False
    randomizedWaitFactor: Annotated[float, Field(ge=0, lt=1)] = 0.5
    # Not about when it opens:
    registerHealthIndicator: bool = False
    allowHealthIndicatorToFail: bool = False
    eventConsumerBufferSize: int = 100
    writableStackTraceEnabled: bool = True


class _Retry(Border):
    maxAttempts: _Count = 3
    waitDuration: int | str = "500ms"
    enableExponentialBackoff: bool = False
    exponentialBackoffMultiplier: Annotated[float, Field(ge=1)] = 1.5
    exponentialMaxWaitDuration: int | str | None = None
    enableRandomizedWait: bool = False
    randomizedWaitFactor: Annotated[float, Field(ge=0, lt=1)] = 0.5
    eventConsumerBufferSize: int = 100


def _read_breaker(given: object, source: str) -> BreakerSettings:
    table = checked(_Breaker, given, source, _FORMER)
    is_time = table.slidingWindowType == "TIME_BASED"
    size = table.slidingWindowSize
    longest = table.exponentialMaxWaitDurationInOpenState
    changes: dict[str, Any] = {
        "min_calls": table.minimumNumberOfCalls,
        "caps_min_calls": True,
        "failure_share": unscaled(table.failureRateThreshold, 100),
        "slow_share": unscaled(table.slowCallRateThreshold, 100),
        "slow_call_s": seconds(table.slowCallDurationThreshold, "slowCallDurationThreshold"),
        "open_s": seconds(table.waitDurationInOpenState, "waitDurationInOpenState"),
        "half_open_permits": table.permittedNumberOfCallsInHalfOpenState,
        "waits_for_call": not table.automaticTransitionFromOpenToHalfOpenEnabled,
        "half_open_max_s": seconds(table.maxWaitDurationInHalfOpenState, "maxWaitDurationInHalfOpenState"),
        "half_open_expiry_closes": table.transitionToStateAfterWaitDuration == "CLOSED",
        **({"window_s": float(size), "buckets": size} if is_time else {"window_calls": size}),
    }
    if table.enableExponentialBackoff:
        changes |= {"open_growth": EXPONENTIAL, "open_factor": table.exponentialBackoffMultiplier}
        changes["open_max_s"] = 0.0 if longest is None else seconds(longest, "exponentialMaxWaitDurationInOpenState")
    if table.enableRandomizedWait:
        changes["open_jitter"] = table.randomizedWaitFactor
    return replace(_base(TIME if is_time else COUNT), **changes)


def _read_retry(given: object, source: str) -> RetrySettings:
    table = checked(_Retry, given, source, _FORMER)
    if table.enableExponentialBackoff and table.enableRandomizedWait:
        raise ParameterError(
            f"{source}: enableExponentialBackoff and enableRandomizedWait exclude each other; take one out"
        )
    changes: dict[str, Any] = {
        "max_attempts": table.maxAttempts,
        "first_delay_s": seconds(table.waitDuration, "waitDuration"),
    }
    changes["cap_s"] = max(_RETRY_BASE.cap_s, changes["first_delay_s"] * 2)
    if table.enableExponentialBackoff:
        longest = table.exponentialMaxWaitDuration
        changes |= {"backoff": EXPONENTIAL_WAIT, "growth": table.exponentialBackoffMultiplier}
        changes["cap_s"] = float("inf") if longest is None else seconds(longest, "exponentialMaxWaitDuration")
    if table.enableRandomizedWait:
        changes |= {"jitter": PROPORTIONAL, "jitter_share": table.randomizedWaitFactor}
    return replace(_RETRY_BASE, **changes)
