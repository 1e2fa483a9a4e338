"""What is wrong with a policy on this traffic, before anything is simulated: a list of findings, each with its number.

error = it cannot work, warning = it works badly, note = worth knowing.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from scipy.stats import binom

from relkit.exceptions import ParameterError
from relkit.policies.backoff import backoff_s
from relkit.policies.codes import PER_ATTEMPT
from relkit.policies.failure import Failure
from relkit.policies.loop import waits
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_settings import HINT_AT_LEAST, HINT_EXACT, HINT_IGNORED, NO_RETRIES, RetrySettings
from relkit.simulation.traffic import Flags, LoggedTraffic
from relkit.tune.false_opens import MONTH_S
from relkit.tune.reach import NEVER_A_MONTH, reach
from relkit.tune.retired import RETIRED
from relkit.tune.stray import stray_opens
from relkit.units import count, duration, percent, several
from relkit.verdict import Finding

HAIR_A_MONTH: Final = 1.0
"""False openings a month above which a breaker is a hair trigger."""
MOST_ATTEMPTS: Final = 6
"""Attempts of one request over all layers above which they multiply: three of a model, twice (SRE book, ch. 21)."""
_SERVER_ERROR: Final = Failure(11)
_LATEST_DRAW: Final = 1.0 - 2.0**-53
_DEAD_CALLS: Final = 20
_RUN: Final = 100  # attempts in a row that are judged together
_CHANCE: Final = 0.001  # of so many failures among them in ordinary times


@dataclass(frozen=True, slots=True)
class ModelTally:
    """How often a model was asked and answered.

    Parameters
    ----------
    name : str
        Of the model.
    calls, good : int
        Attempts whose end is known, and those that succeeded.

    >>> ModelTally("small", 100, 98).good
    98
    """

    name: str
    calls: int
    good: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a policy must stand, in ordinary times.

    Parameters
    ----------
    calls_per_s : float
        Requests a second, above 0.
    failure_share : float
        Share of attempts that fail in ordinary times, in [0, 1).
    latency_s : float
        Time of an attempt that nobody cuts short, seconds: of a slow one, such as p99, when the worst case is asked for.
    deadline_s : float or None
        After which the caller has given up; None when nobody says.
    sdk_retries : int
        Retries that the provider's SDK makes by itself below ours: 2 in those of OpenAI and Anthropic.
    as_of : date or None
        Day on which models must still be there; None leaves that question out.
    models : tuple of ModelTally
        What each model of a log answered; empty leaves that question out.

    Raises
    ------
    ParameterError
        For no traffic, a share outside [0, 1) or a negative time.

    Examples
    --------
    >>> Traffic.a_month(10_000, failure_share=0.01).calls_a_month
    10000.0
    """

    calls_per_s: float
    failure_share: float = 0.01
    latency_s: float = 1.0
    deadline_s: float | None = None
    sdk_retries: int = 0
    as_of: date | None = None
    models: tuple[ModelTally, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 < self.calls_per_s < math.inf:
            raise ParameterError.of("calls_per_s", self.calls_per_s, "a number above 0", "give e.g. 0.004")
        if not 0.0 <= self.failure_share < 1.0:
            raise ParameterError.of("failure_share", self.failure_share, "a share from 0 to below 1", "give e.g. 0.01")
        if not 0.0 <= self.latency_s < math.inf:
            raise ParameterError.of("latency_s", self.latency_s, "seconds from 0 on", "give e.g. 1.5")
        if self.deadline_s is not None and not 0.0 < self.deadline_s < math.inf:
            raise ParameterError.of("deadline_s", self.deadline_s, "seconds above 0", "give e.g. 30")
        if not 0 <= self.sdk_retries <= 100:
            raise ParameterError.of("sdk_retries", self.sdk_retries, "a whole number from 0 to 100", "give e.g. 2")

    @classmethod
    def a_month(cls, requests: float, failure_share: float = 0.01, latency_s: float = 1.0) -> "Traffic":
        """Return traffic of so many requests in 30 days."""
        return cls(requests / MONTH_S, failure_share, latency_s)

    @classmethod
    def of_log(cls, log: LoggedTraffic) -> "Traffic":
        """Return the traffic of a log: users' requests a second, attempts that fail in ordinary times, and p99 of their latency.

        Ordinary times are what is left when stretches with more failures than chance explains are set aside: an
        incident says nothing about how often a breaker opens while all is well.

        Raises
        ------
        ParameterError
            For a log of less than two requests, or in which everything fails.
        """
        sent = log.is_user & ~log.rejected
        span_us = int(log.start_us[-1] - log.start_us[0]) if len(log.start_us) else 0
        requests = len(set(log.request[log.is_user].tolist()))
        if requests < 2 or span_us <= 0:
            raise ParameterError.of("log", several(requests, "request"), "two requests or more", "ingest a longer log")
        known = sent & (log.outcome >= 0)
        failed = int((log.outcome[known] == 0).sum())
        if failed == int(known.sum()):
            raise ParameterError.of(
                "log", "no call that succeeded", "some", "a lint needs ordinary times; check what ok means"
            )
        timed = sorted(log.latency_us[sent & (log.latency_us >= 0)].tolist())
        p99_us = timed[math.ceil(0.99 * len(timed)) - 1] if timed else 0
        return cls(requests * 1e6 / span_us, _ordinary_share(log.outcome[known] == 0), p99_us / 1e6)

    @property
    def calls_a_month(self) -> float:
        """Requests in 30 days."""
        return self.calls_per_s * MONTH_S


def _ordinary_share(failed: Flags) -> float:
    """Share of failures in the runs of `_RUN` attempts that one constant share explains; the rest is set aside in turns."""
    starts = np.arange(0, len(failed), _RUN)
    failures = np.add.reduceat(failed.astype(np.int64), starts)
    sizes = np.diff(np.append(starts, len(failed)))
    kept = np.ones(len(starts), dtype=bool)
    while True:
        share = float(failures[kept].sum() / sizes[kept].sum())
        now = kept & (failures <= binom.isf(_CHANCE, sizes, share))
        if now.sum() in (0, kept.sum()):
            return share
        kept = now


def lint(policy: Policy, traffic: Traffic) -> list[Finding]:
    """Find what cannot work, or works badly, in a policy on some traffic.

    Parameters
    ----------
    policy : Policy
        Of a preset or a relkit.toml.
    traffic : Traffic
        What it must stand.

    Returns
    -------
    list of Finding
        Codes: NEVER_TRIPS, HAIR_TRIGGER, ONE_CALL_OPENS, SLOW_IS_USUAL (breaker); OUTLIVES_DEADLINE, UNUSED_ATTEMPTS
        (retries); LAYERS_MULTIPLY; DEAD_FALLBACK, ONE_PROVIDER, NEVER_ASKED (fallback); CONTRADICTION. Empty when
        nothing was found, which is no promise that the settings are good.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> [(each.code, each.severity) for each in lint(presets["polly-8"], Traffic.a_month(10_000))]
    [('NEVER_TRIPS', 'error')]
    """
    found: list[Finding] = []
    if policy.breaker is not None:
        found += _breaker(policy, policy.breaker, traffic)
    if policy.retry is not None:
        found += _retries(policy, traffic)
    found += _layers(policy, traffic)
    found += _fallback(policy, traffic)
    found += _contradictions(policy, traffic)
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def _breaker(policy: Policy, cfg: BreakerSettings, traffic: Traffic) -> Iterator[Finding]:
    within = reach(policy, traffic.calls_a_month)
    if not within.can_open:
        yield Finding("NEVER_TRIPS", "error", within.sentence, within.openings_a_month, NEVER_A_MONTH, "breaker")
    stray = stray_opens(cfg, traffic.calls_per_s, traffic.failure_share)
    if stray is not None and stray.value >= HAIR_A_MONTH and within.can_open:
        sure = stray.low >= HAIR_A_MONTH
        sentence = (
            f"{policy.name} opens about {count(stray.value)} times a month ({count(stray.low)} to {count(stray.high)}) on "
            f"healthy traffic with {percent(traffic.failure_share, 1)} of failures: raise its threshold or its minimum of calls."
        )
        yield Finding("HAIR_TRIGGER", "error" if sure else "warning", sentence, stray.value, HAIR_A_MONTH, "breaker")
    attempts = _attempts(policy)
    if (
        cfg.counts == PER_ATTEMPT
        and within.can_open
        and within.failing_calls is not None
        and attempts >= within.failing_calls > 1
    ):
        sentence = (
            f"One request alone opens {policy.name}: it makes up to {_several(attempts)} and {count(within.failing_calls)} "
            "failures open the breaker; count calls, or set the threshold above the attempts."
        )
        yield Finding("ONE_CALL_OPENS", "warning", sentence, attempts, within.failing_calls, "breaker.counts")
    if 0.0 < cfg.slow_call_s < traffic.latency_s and cfg.slow_share <= 1.0:
        sentence = (
            f"A call is slow from {duration(cfg.slow_call_s)} on, and ordinary calls take up to {duration(traffic.latency_s)}: "
            "raise slow_call_s above your p99."
        )
        yield Finding("SLOW_IS_USUAL", "warning", sentence, traffic.latency_s, cfg.slow_call_s, "breaker.slow_call_s")


def _attempts(policy: Policy) -> float:
    """Attempts on one model, without the SDK's."""
    if policy.retry is None:
        return 1
    loops = (policy.retry.transient, policy.retry.rate_limited, policy.retry.critical)
    return max(each.max_attempts or math.inf for each in loops)


def _several(attempts: float) -> str:
    return "attempts without end" if attempts == math.inf else several(int(attempts), "attempt")


def _worst_s(policy: Policy, latency_s: float) -> tuple[float, int]:
    """Longest time of a call whose every attempt fails on one model, and its attempts, each wait at its longest."""
    assert policy.retry is not None
    _, found = waits(policy.retry, _SERVER_ERROR, latency_s=latency_s, draw=_LATEST_DRAW, most=1000)
    return (len(found) + 1) * latency_s + sum(found), len(found) + 1


def _retries(policy: Policy, traffic: Traffic) -> Iterator[Finding]:
    assert policy.retry is not None
    cfg = policy.retry.transient
    one_s = traffic.latency_s * (1 + traffic.sdk_retries)
    worst_s, made = _worst_s(policy, one_s)
    endless = cfg.max_attempts == 0 and cfg.deadline_s == math.inf
    if traffic.deadline_s is not None and worst_s > traffic.deadline_s:
        lasts = "for ever" if endless else f"up to {duration(worst_s)} with {_several(made)}"
        sentence = (
            f"A call that keeps failing takes {lasts}, and its caller leaves after "
            f"{duration(traffic.deadline_s)}: set deadline_s to that, or try less often."
        )
        yield Finding(
            "OUTLIVES_DEADLINE", "error", sentence, None if endless else worst_s, traffic.deadline_s, "retry.deadline_s"
        )
    elif traffic.deadline_s is None and cfg.deadline_s == math.inf and made > 1:
        said = "without end" if endless else f"up to {duration(worst_s)} with {_several(made)}"
        sentence = f"Nothing limits the time of a call: one that keeps failing is tried {said}; set deadline_s."
        value = None if endless else worst_s
        yield Finding("OUTLIVES_DEADLINE", "error" if endless else "warning", sentence, value, None, "retry.deadline_s")
    if cfg.max_attempts > 1 and made < cfg.max_attempts and cfg.deadline_s < math.inf:
        sentence = (
            f"Of {_several(cfg.max_attempts)} only {made} fit into deadline_s = {duration(cfg.deadline_s)} when an attempt takes "
            f"{duration(one_s)} and waits are long: lengthen the deadline or promise less."
        )
        yield Finding("UNUSED_ATTEMPTS", "note", sentence, made, cfg.max_attempts, "retry.max_attempts")


def _layers(policy: Policy, traffic: Traffic) -> Iterator[Finding]:
    models = 1 if policy.fallback is None else len(policy.fallback.models)
    attempts, in_all = _attempts(policy), math.inf
    if policy.retry is not None:
        in_all = max(
            each.max_total_attempts or math.inf for each in (policy.retry.transient, policy.retry.rate_limited)
        )
    ours = min(attempts * models, in_all)
    total = ours * (1 + traffic.sdk_retries)
    if total <= MOST_ATTEMPTS:
        return
    parts = [_several(attempts), several(models, "model")] if models > 1 else [_several(attempts)]
    if in_all < attempts * models:
        parts = [f"{_several(in_all)} over the chain"]
    if traffic.sdk_retries:
        parts.append(f"{1 + traffic.sdk_retries} tries of the SDK")
    made = "calls without end" if total == math.inf else several(int(total), "call")
    unbounded = policy.retry_budget is None
    sentence = f"One request becomes {made} when all fail: {' times '.join(parts)}. Keep one retry loop" + (
        ", and give it a retry_budget: nothing else bounds the load of an outage."
        if unbounded
        else " and set the SDK's to 0."
    )
    value = None if total == math.inf else total
    yield Finding(
        "LAYERS_MULTIPLY", "error" if unbounded else "warning", sentence, value, MOST_ATTEMPTS, "retry.max_attempts"
    )


def _fallback(policy: Policy, traffic: Traffic) -> Iterator[Finding]:
    if policy.fallback is None:
        return
    models = policy.fallback.models
    tallies = {tally.name: tally for tally in traffic.models}
    for place, model in enumerate(models):
        where = f"fallback.models[{place}]"
        what = "a dead fallback" if place else "a dead first model: every call pays for it"
        tally = tallies.get(model.name)
        gone = RETIRED.get(model.name)
        if gone is not None and traffic.as_of is not None and traffic.as_of >= gone[0]:
            days = (traffic.as_of - gone[0]).days
            sentence = f"{model.name} has answered nothing since {gone[0]} ({gone[1]}), {several(days, 'day')}: {what}; take it out."
            yield Finding("DEAD_FALLBACK", "error", sentence, float(days), 0.0, where)
        elif tally is not None and tally.calls >= _DEAD_CALLS and tally.good == 0:
            sentence = f"None of {several(tally.calls, 'call')} of {model.name} succeeded: {what}; take it out or mend its name or key."
            yield Finding("DEAD_FALLBACK", "error", sentence, float(tally.calls), float(_DEAD_CALLS), where)
    if len(models) > 1 and len(policy.fallback.providers) == 1:
        sentence = (
            f"All {len(models)} models are {models[0].provider}'s: one outage, or one bad key, takes them together."
        )
        yield Finding("ONE_PROVIDER", "warning", sentence, 1.0, 2.0, "fallback.models")
    if policy.retry is not None and len(models) > 1:
        cfg = policy.retry.transient
        asked = (
            math.inf
            if not cfg.max_total_attempts or not cfg.max_attempts
            else cfg.max_total_attempts / cfg.max_attempts
        )
        if math.ceil(asked) < len(models) if asked < math.inf else cfg.max_attempts == 0 and cfg.deadline_s == math.inf:
            reached = 1 if asked == math.inf else math.ceil(asked)
            sentence = f"Of {len(models)} models only {reached} can be asked before the attempts are used up: raise max_total_attempts."
            yield Finding("NEVER_ASKED", "warning", sentence, reached, len(models), "retry.max_total_attempts")


def _contradictions(policy: Policy, traffic: Traffic) -> Iterator[Finding]:
    if policy.breaker is not None:
        cfg = policy.breaker
        if 0.0 < cfg.timeout_s <= cfg.slow_call_s and cfg.slow_share <= 1.0:
            sentence = f"No call is ever slow: it fails at {duration(cfg.timeout_s)} and is slow after {duration(cfg.slow_call_s)}."
            yield _contradiction(sentence, cfg.slow_call_s, cfg.timeout_s, "breaker.slow_call_s")
        if 0.0 < cfg.timeout_s < traffic.latency_s:
            sentence = f"Ordinary calls take up to {duration(traffic.latency_s)} and are failures from {duration(cfg.timeout_s)} on."
            yield _contradiction(sentence, traffic.latency_s, cfg.timeout_s, "breaker.timeout_s")
        gap_s = 1.0 / traffic.calls_per_s
        if 0.0 < cfg.half_open_max_s < gap_s and not cfg.half_open_expiry_closes and not cfg.waits_for_call:
            sentence = f"Half open lasts {duration(cfg.half_open_max_s)} and a call comes every {duration(gap_s)}: it opens again unasked."
            yield _contradiction(sentence, gap_s, cfg.half_open_max_s, "breaker.half_open_max_s")
    if policy.retry is None:
        return
    for name, loop in (("transient", policy.retry.transient), ("rate_limited", policy.retry.rate_limited)):
        if loop != policy.retry.transient or name == "transient":
            yield from _loop(name, loop, traffic)


def _loop(name: str, cfg: RetrySettings, traffic: Traffic) -> Iterator[Finding]:
    if cfg.max_attempts == 1 or cfg == NO_RETRIES:
        return
    if traffic.latency_s >= cfg.deadline_s:
        sentence = f"No attempt but the first is ever made: it takes {duration(traffic.latency_s)}, and deadline_s is {duration(cfg.deadline_s)}."
        yield _contradiction(sentence, traffic.latency_s, cfg.deadline_s, f"retry.{name}.deadline_s")
    longest_s = cfg.hint_cap_s if cfg.hint == HINT_AT_LEAST else math.inf
    if cfg.hint in {HINT_EXACT, HINT_AT_LEAST} and longest_s > cfg.deadline_s:
        sentence = f"Retry-After is obeyed up to {_time(longest_s)}, and a call ends after {duration(cfg.deadline_s)}: longer ones end it at once."
        value = None if longest_s == math.inf else longest_s
        yield Finding("CONTRADICTION", "note", sentence, value, cfg.deadline_s, f"retry.{name}.hint_cap_s")
    first_s, _ = backoff_s(cfg, 0, 0.0, 1.0, _LATEST_DRAW)
    if cfg.cap_s < cfg.first_delay_s and first_s > 0.0:
        sentence = f"The first wait of {duration(cfg.first_delay_s)} is cut to cap_s = {duration(cfg.cap_s)}: waits do not grow."
        yield _contradiction(sentence, cfg.first_delay_s, cfg.cap_s, f"retry.{name}.cap_s")
    if cfg.hint == HINT_IGNORED and cfg.rate_limit_factor == 1.0 and first_s == 0.0 and cfg.max_attempts != 2:
        sentence = (
            "It retries at once, and reads no Retry-After: a rate limiter is hammered; set first_delay_s or hint."
        )
        yield Finding("CONTRADICTION", "warning", sentence, 0.0, None, f"retry.{name}.first_delay_s")


def _contradiction(sentence: str, value: float, threshold: float, where: str) -> Finding:
    return Finding("CONTRADICTION", "warning", sentence, value, threshold, where)


def _time(seconds: float) -> str:
    return "any length" if seconds == math.inf else duration(seconds)


def lint_all(policies: Sequence[Policy], traffic: Traffic) -> dict[str, list[Finding]]:
    """Lint several policies on the same traffic, by name; those without a finding are there with an empty list.

    >>> from relkit.policies.presets import presets
    >>> len(lint_all([presets["pybreaker"]], Traffic.a_month(10_000))["pybreaker"])
    0
    """
    return {policy.name: lint(policy, traffic) for policy in policies}
