"""opossum (Node.js): the options of a CircuitBreaker as JSON. Times are milliseconds, the share is a percentage."""

import json
from dataclasses import replace
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
    scaled,
    unscaled,
    whole_ms,
    wiring,
    worded,
)
from relkit.config.unread import read_breaker, read_policy
from relkit.exceptions import ParameterError
from relkit.policies.codes import TIME
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings

NAME: Final = "opossum"
_PARTS: Final = {
    "retry": "opossum has no retries",
    "retry_budget": "opossum has no retries",
    "fallback": "a fallback is a function of your code there (breaker.fallback)",
    "freshness": "its cache is an option of its own",
}
_SAID: Final = frozenset(["failure_share", "window_s", "buckets", "min_calls", "timeout_s", "warm_up_s", "open_s"])
_WHY: Final = {
    "half_open_permits": "one call is let through half open there: set half_open_permits = 1",
    "share_is_strict": "the share must be exceeded there: set share_is_strict = true",
    "keeps_window": "its window is not cleared: set keeps_window = true",
    "counts_at_start": "calls are counted when they are fired: set counts_at_start = true",
    "open_growth": "every opening lasts equally long there",
    "open_jitter": "every opening lasts equally long there",
}
_FORMER: Final = {
    "maxFailures": "opossum 1; write errorThresholdPercentage and volumeThreshold",
    "Promise": "opossum 1; take it out",
    "usePrometheus": "opossum 4; take it out and use opossum-prometheus",
}


def write(policy: Policy) -> Written:
    """Write the options of a CircuitBreaker as JSON.

    Parameters
    ----------
    policy : Policy
        Its breaker; the other parts are named in the notes.

    Returns
    -------
    Written

    Examples
    --------
    >>> json.loads(write(presets["opossum-10"]).text)["resetTimeout"]
    30000
    """
    policy = read_policy(policy)
    refusals, notes = left_out(NAME, policy, _PARTS)
    cfg = policy.breaker
    if cfg is None:
        return Written("", tuple(refusals), tuple(notes))
    base = _base()
    if cfg.family != TIME:
        why = "it judges the share of failures in the last seconds (time) alone"
        refusals.append(Refusal("breaker.family", worded("family", cfg.family), why))
    else:
        refusals += differences(NAME, "breaker", cfg, base, _SAID, _WHY)
    if cfg.warm_up_s not in {0.0, cfg.window_s}:
        why = "allowWarmUp lasts one window (rollingCountTimeout): set warm_up_s to 0 or to window_s"
        refusals.append(Refusal("breaker.warm_up_s", f"{cfg.warm_up_s:g}", why))
    if cfg.failure_share > 1.0:
        refusals.append(Refusal("breaker.failure_share", "off", "the rule cannot be switched off there: set it to 1"))
    window_ms, open_ms, timeout_ms = (
        whole_ms(NAME, f"breaker.{each}", getattr(cfg, each), refusals) for each in ("window_s", "open_s", "timeout_s")
    )
    options = {
        "name": policy.name,
        "timeout": timeout_ms or False,
        "errorThresholdPercentage": number(scaled(cfg.failure_share, 100)),
        "resetTimeout": open_ms,
        "rollingCountTimeout": window_ms,
        "rollingCountBuckets": cfg.buckets,
        "volumeThreshold": cfg.min_calls,
        "allowWarmUp": cfg.warm_up_s > 0.0,
    }
    text = "" if refusals else json.dumps(options, indent=2) + "\n"
    return Written(text, tuple(refusals), (*notes, *wiring(cfg, base)))


class _Options(Border):
    name: str = NAME
    group: str = ""
    timeout: Annotated[float, Field(gt=0)] | Literal[False] = 10_000.0
    errorThresholdPercentage: Annotated[float, Field(gt=0, le=100)] = 50.0
    resetTimeout: Annotated[float, Field(gt=0)] = 30_000.0
    rollingCountTimeout: Annotated[float, Field(gt=0)] = 10_000.0
    rollingCountBuckets: Annotated[int, Field(ge=1)] = 10
    volumeThreshold: Annotated[int, Field(ge=0)] = 0
    allowWarmUp: bool = False
    enabled: Literal[True] = True
    rollingPercentilesEnabled: bool = True
    enableSnapshots: bool = True


def read(text: str, name: str = "") -> Policy:
    """Read the options of a CircuitBreaker.

    Parameters
    ----------
    text : str
        JSON.
    name : str
        Of the policy; empty for the option `name`.

    Returns
    -------
    Policy
        What is not there is at opossum's default.

    Raises
    ------
    ParameterError
        For what is no JSON, a key of another version, or an option that relkit does not know or model.

    Examples
    --------
    >>> read('{"timeout": 3000, "errorThresholdPercentage": 60}').breaker.failure_share
    0.6
    """
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ParameterError(f"{NAME}, line {error.lineno}: {error.msg}; mend the JSON") from error
    options = checked(_Options, given, NAME, _FORMER)
    window_s = unscaled(options.rollingCountTimeout, 1000)
    changes: dict[str, Any] = {
        "timeout_s": unscaled(options.timeout, 1000) if options.timeout else 0.0,
        "failure_share": unscaled(options.errorThresholdPercentage, 100),
        "open_s": unscaled(options.resetTimeout, 1000),
        "window_s": window_s,
        "buckets": options.rollingCountBuckets,
        "min_calls": options.volumeThreshold,
        "warm_up_s": window_s if options.allowWarmUp else 0.0,
    }
    breaker = replace(_base(), **changes)
    return Policy(name or options.name, presets["opossum-10"].dated, "options of opossum", breaker=breaker)


def _base() -> BreakerSettings:
    found = presets["opossum-10"].breaker
    assert found is not None
    return read_breaker(found)
