"""Health as the draft of `application/health+json` writes it: the worst of what is required, warned by what is not; pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from relkit.serve.checks import FAIL, PASS, WARN, Check, Seen
from relkit.serve.shelf import Answer
from relkit.serve.snapshot import CALM, breaker_record, utc_text
from relkit.store.readings.standing import BreakerStanding, ProbeStanding

MEDIA_TYPE: Final = "application/health+json"
PLAN_WORDS: Final[Mapping[str, str]] = {PASS: "healthy", WARN: "degraded", FAIL: "degraded"}
"""The plan knows two words."""


def status_of(looked: Sequence[tuple[Check, Seen]], breakers: Sequence[BreakerStanding] | None) -> str:
    """Return pass, warn or fail.

    fail when a required check fails; warn when any other does not pass, when a breaker is open, half-open or set by hand,
    or when nobody knows (None); else pass.

    Examples
    --------
    >>> cache = Check("cache", lambda: None, required=False)
    >>> status_of([(cache, Seen("fail", 0, 0))], []), status_of([(cache, Seen("pass", 0, 0))], [])
    ('warn', 'pass')
    """
    if any(check.required and seen.status == FAIL for check, seen in looked):
        return FAIL
    is_calm = breakers is not None and all(one.state == CALM for one in breakers)
    return PASS if is_calm and all(seen.status == PASS for _, seen in looked) else WARN


def http_status(status: str) -> int:
    """Return the HTTP status of a health status: 503 for fail, 200 for every other."""
    return 503 if status == FAIL else 200


def health_record(
    status: str,
    looked: Sequence[tuple[Check, Seen]],
    breakers: Answer[tuple[BreakerStanding, ...]],
    probes: Sequence[ProbeStanding] = (),
) -> dict[str, Any]:
    """Return what who may see it all is told.

    Parameters
    ----------
    status : str
        Of `status_of`.
    looked : sequence of (Check, Seen)
        The checks and what they found.
    breakers : Answer
        The breakers, and how old that knowledge is.
    probes : sequence of ProbeStanding
        What the log's own probes found last; told, and never decided on.
    """
    checks: dict[str, list[dict[str, Any]]] = {}
    for check, seen in looked:
        checks[f"{check.name}:responseTime"] = [_check_record(check, seen)]
    for one in breakers.value or ():
        checks.setdefault("circuitBreaker:state", []).append(_breaker_check(one))
    for probe in probes:
        checks.setdefault("probe:responseTime", []).append(_probe_check(probe))
    return {
        "status": status,
        "health": PLAN_WORDS[status],
        "description": "relkit",
        "checks": checks,
        "breakers": [breaker_record(one) for one in breakers.value or ()],
        "breakers_known": breakers.state,
        "breakers_age_s": None if breakers.age_s is None else round(breakers.age_s, 3),
    }


def _check_record(check: Check, seen: Seen) -> dict[str, Any]:
    record: dict[str, Any] = {
        "componentId": check.name,
        "componentType": check.kind,
        "required": check.required,
        "status": seen.status,
    }
    if seen.latency_us is not None:
        record |= {"observedValue": seen.latency_us / 1000, "observedUnit": "ms"}
    if seen.at_us is not None:
        record["time"] = utc_text(seen.at_us)
    if seen.status != PASS:
        record["output"] = seen.output
    return record


def _breaker_check(one: BreakerStanding) -> dict[str, Any]:
    return {
        "componentId": "/".join(filter(None, (one.service, one.model))),
        "componentType": "component",
        "observedValue": one.state,
        "status": PASS if one.state == CALM else WARN,
        "time": utc_text(one.since_us),
    }


def _probe_check(probe: ProbeStanding) -> dict[str, Any]:
    record: dict[str, Any] = {
        "componentId": probe.service,
        "componentType": "component",
        "status": PASS if probe.up else WARN,
        "time": utc_text(probe.at_us),
    }
    if probe.latency_us is not None:
        record |= {"observedValue": probe.latency_us / 1000, "observedUnit": "ms"}
    return record
