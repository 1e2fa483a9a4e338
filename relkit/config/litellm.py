"""LiteLLM: `router_settings` (and the `model_list` that a fallback chain needs) of a config.yaml. Times are seconds.

Its cooldown rule cannot be set in the file: more than half of at least five requests of a minute. Setting `allowed_fails`
switches to another rule, which relkit does not model; so such a file is refused and never half understood.
"""

from dataclasses import replace
from typing import Annotated, Any, Final

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
    read_yaml,
    scaled,
    unscaled,
    wiring,
    worded,
)
from relkit.config.unread import read_breaker, read_policy, read_retries
from relkit.config.yaml_text import yaml_text
from relkit.exceptions import ParameterError
from relkit.policies.codes import COOLDOWN
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_settings import NO_RETRIES, Retry, RetrySettings

NAME: Final = "litellm"
_PARTS: Final = {"freshness": "its cache is a section of its own (litellm_settings.cache)"}
_RULE: Final = "the rule is fixed there: more than half of at least 5 requests of a minute"
_WHY: Final = dict.fromkeys(("window_s", "buckets", "min_calls", "failure_share", "share_is_strict"), _RULE) | {
    "half_open_permits": "a deployment comes back without a trial there: set half_open_permits = 0",
    "open_growth": "every cooldown lasts equally long there",
    "open_jitter": "every cooldown lasts equally long there",
}
_RETRY_WHY: Final = dict.fromkeys(
    ("first_delay_s", "cap_s", "growth", "backoff", "jitter", "jitter_s", "hint", "hint_cap_s"),
    "its waits are fixed: Retry-After up to 60 s, else min(0.5 s 2^n, 8 s), and up to 0.75 s on top",
) | {"deadline_s": "its timeout is one attempt's; retries have no total time"}
_FORMER: Final = {
    "fallback_models": "0.x; write fallbacks, a list of {model: [models]}",
    "max_retries": "the SDK's name; write num_retries",
}
_OTHER_RULE: Final = (
    "switches to another cooldown rule (so many failures a minute), which relkit does not model; take it out"
)


def write(policy: Policy) -> Written:
    """Write router_settings, and model_list where there is a fallback chain.

    Parameters
    ----------
    policy : Policy
        Its breaker, retries and fallback.

    Returns
    -------
    Written

    Examples
    --------
    >>> print(write(presets["litellm"]).text, end="")
    # Written by relkit from litellm.
    router_settings:
      cooldown_time: 5
      num_retries: 2
    """
    policy = read_policy(policy)
    refusals, notes = left_out(NAME, policy, _PARTS)
    settings: dict[str, Any] = {}
    found: dict[str, Any] = {}
    if policy.breaker is not None:
        cfg, base = policy.breaker, _breaker_base()
        if cfg.family != COOLDOWN:
            refusals.append(Refusal("breaker.family", worded("family", cfg.family), _RULE))
        else:
            refusals += differences(NAME, "breaker", cfg, base, frozenset({"open_s"}), _WHY)
        settings["cooldown_time"] = number(scaled(cfg.open_s, 1))
        notes += wiring(cfg, base)
    else:
        settings["disable_cooldowns"] = True
    if policy.retry is not None:
        refusals += one_loop(NAME, policy.retry)
        refusals += _retries(policy.retry.transient, settings)
        notes += wiring(policy.retry.transient, _retry_base())
        if policy.retry_budget is not None:
            refusals.append(Refusal("retry_budget", "set", "it has no RetryBudget; without it an outage multiplies"))
    else:
        settings["num_retries"] = 0
    if policy.fallback is not None:
        refusals += _chain(policy.fallback, settings, found)
    found["router_settings"] = settings
    comments = (f"Written by relkit from {policy.name}.", *notes)
    return Written("" if refusals else yaml_text(found, comments), tuple(refusals), tuple(notes))


def _retries(cfg: RetrySettings, settings: dict[str, Any]) -> list[Refusal]:
    settings["num_retries"] = cfg.max_attempts - 1
    if cfg == NO_RETRIES:
        return []
    found = differences(NAME, "retry", cfg, _retry_base(), frozenset({"max_attempts"}), _RETRY_WHY)
    if cfg.max_attempts == 0:
        found.append(Refusal("retry.max_attempts", "0", "endless retries are not there"))
    return found


def _chain(chain: FallbackSettings, settings: dict[str, Any], found: dict[str, Any]) -> list[Refusal]:
    refusals = []
    if chain.truncates:
        refusals.append(Refusal("fallback.truncates", "true", "it shortens no prompt"))
    refusals += [
        Refusal("fallback.provider", model.provider, "a provider's name has no slash there")
        for model in chain.models
        if "/" in model.provider
    ]
    found["model_list"] = [
        {
            "model_name": model.name,
            "litellm_params": {"model": f"{model.provider}/{model.name}"},
            "model_info": {
                "max_input_tokens": model.window_tokens,
                "input_cost_per_token": float(scaled(model.usd_per_million_in, 1) / 1_000_000),
                "output_cost_per_token": float(scaled(model.usd_per_million_out, 1) / 1_000_000),
            },
        }
        for model in chain.models
    ]
    first, *others = [model.name for model in chain.models]
    if others:
        settings["fallbacks"] = [{first: others}]
    return refusals


class _Params(Border):
    model: str


class _ModelInfo(Border):
    max_input_tokens: Annotated[int, Field(ge=1)]
    input_cost_per_token: float = 0.0
    output_cost_per_token: float = 0.0


class _Model(Border):
    model_name: str
    litellm_params: _Params
    model_info: _ModelInfo


class _Router(Border):
    cooldown_time: Annotated[float, Field(gt=0)] = 5.0
    num_retries: Annotated[int, Field(ge=0)] = 2
    disable_cooldowns: bool = False
    fallbacks: Annotated[list[dict[str, list[str]]], Field(default_factory=list)]
    routing_strategy: str = "simple-shuffle"


def read(text: str, name: str = "") -> Policy:
    """Read a config.yaml with router_settings and, where it has fallbacks, a model_list.

    Parameters
    ----------
    text : str
        The file.
    name : str
        Of the policy.

    Returns
    -------
    Policy
        What is not there is at LiteLLM's default.

    Raises
    ------
    ParameterError
        For no YAML, a key that is unknown or not modelled, the other cooldown rule, or a fallback without its model.

    Examples
    --------
    >>> read("router_settings: {num_retries: 1, cooldown_time: 30}").breaker.open_s
    30.0
    """
    given = read_yaml(text, NAME)
    router = given.get("router_settings")
    for key in ("allowed_fails", "allowed_fails_policy"):
        if isinstance(router, dict) and router.get(key) is not None:
            raise ParameterError(f"{NAME}: router_settings.{key} {_OTHER_RULE}")
    if not isinstance(router, dict):
        raise ParameterError(f"{NAME}: no section router_settings; is this a config.yaml of LiteLLM?")
    table = checked(_Router, router, f"{NAME}: router_settings", _FORMER)
    models = [checked(_Model, each, f"{NAME}: model_list", _FORMER) for each in given.get("model_list") or []]
    breaker = None if table.disable_cooldowns else replace(_breaker_base(), open_s=float(table.cooldown_time))
    attempts = table.num_retries + 1
    loop = NO_RETRIES if attempts == 1 else replace(_retry_base(), max_attempts=attempts)
    fallback = _read_chain(table, {each.model_name: each for each in models}, [each.model_name for each in models])
    return Policy(
        name or NAME,
        presets["litellm"].dated,
        "router_settings of LiteLLM",
        breaker=breaker,
        retry=Retry.of(loop),
        fallback=fallback,
    )


def _read_chain(table: _Router, models: dict[str, _Model], names: list[str]) -> FallbackSettings | None:
    if len(table.fallbacks) > 1 or any(len(each) != 1 for each in table.fallbacks):
        raise ParameterError(
            f"{NAME}: router_settings.fallbacks names several chains; relkit reads one, {{model: [models]}}"
        )
    if table.fallbacks:
        ((first, others),) = table.fallbacks[0].items()
        names = [first, *others]
    elif len(names) != 1:
        return None
    chain = []
    for each in names:
        if each not in models:
            raise ParameterError(f"{NAME}: {each} of fallbacks is not in model_list; add it with its max_input_tokens")
        info, full = models[each].model_info, models[each].litellm_params.model
        provider = full.split("/", 1)[0] if "/" in full else "openai"
        prices = (unscaled(cost, 1) for cost in (info.input_cost_per_token, info.output_cost_per_token))
        dear = [float(scaled(cost, 1_000_000)) for cost in prices]
        chain.append(FallbackModel(each, provider, info.max_input_tokens, *dear))
    return FallbackSettings(tuple(chain))


def _breaker_base() -> BreakerSettings:
    found = presets["litellm"].breaker
    assert found is not None
    return read_breaker(found)


def _retry_base() -> RetrySettings:
    found = presets["litellm"].retry
    assert found is not None
    return read_retries(found.transient)
