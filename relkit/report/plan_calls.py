"""What the plan's errors, retries, fallbacks and breakers come to, each beside the corrected form: numbers from the rooms' own functions."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any, Final

from scipy.special import pdtrc

from relkit.errors import ADVICE, ErrorKind, Signals, classify, error_context, plan_rules
from relkit.errors.redact import redact
from relkit.errors.rules.plan import plan_signals
from relkit.errors.rules.rule import Rule
from relkit.exhibit import Exhibit
from relkit.policies.failure import Failure, plan_failure
from relkit.policies.loop import settings_for, waits
from relkit.policies.presets import presets
from relkit.policies.retry_presets import WAIT_CASES, case_waits, plan_hint_s
from relkit.policies.retry_settings import Retry
from relkit.simulation.drive import drive
from relkit.simulation.drive_retry import failure_of
from relkit.simulation.plan_runs import calls_a_request, first_model_delay_s
from relkit.simulation.suite import booking_policy
from relkit.tune.reach import MONTH_S, reach
from relkit.tune.retired import RETIRED
from relkit.units import SECONDS_PER_MINUTE

PLAN: Final = "plan"
FIXED: Final = "plan-fixed"
PLAN_DATE: Final = date(2025, 10, 8)
REQUESTS_A_MONTH: Final = 10_000
PLAN_MODELS: Final = ("llama-3.1-8b-instant", "llama-3.1-70b-versatile", "mixtral-8x7b-32768")
"""The plan's chain (plan, 2.3)."""
HTTP_DATE: Final = "Wed, 21 Oct 2026 07:28:20 GMT"
STATUSES: Final = (400, 401, 403, 404, 409, 413, 422, 429, 498, 500, 502, 503)
_STATED_S: Final = 20.0
_SDK_TRIES: Final = 3
"""Of the SDKs of OpenAI and Anthropic by themselves: two retries."""
_SECRETS: Final = ("Bearer sk-live-1f2e3d4c5b6a79880f1e2d3c", "session=8d7c6b5a49382716", "jane.roe@example.org")
_TOO_LONG: Final = (
    Signals(status=400, code="context_length_exceeded", message="Please reduce the length of the messages or completion."),
    Signals(status=400, message="prompt is too long: 210000 tokens > 200000 maximum"),
    Signals(status=400, message="Input tokens exceed the configured limit of 272000 tokens."),
)  # fmt: skip
"""As Groq, Anthropic and Azure word it."""


def call_exhibits() -> tuple[Exhibit, ...]:
    """Work out every number of the plan's chapters 1 to 3, in the order of the list of defects.

    Examples
    --------
    >>> {one.id: (one.literal, one.corrected) for one in call_exhibits()}["E17"]
    (11.0, 1.0)
    """
    return (*_errors(), *_records(), *_retries(), *_fallback(), *_breakers())


class _ApiError(Exception):
    """An error in the shape of the plan's own client library: status and headers on the error itself."""

    def __init__(self, status: int, headers: dict[str, str] | None = None, message: str = "refused") -> None:
        super().__init__(message)
        self.status_code = status
        self.headers = headers or {}


_Both = tuple[float | None, float | None]


def _both(ask: Callable[[str], float | None]) -> _Both:
    """Ask about the plan and about its corrected form."""
    return ask(PLAN), ask(FIXED)


def _shown(id_: str, what: str, both: _Both, unit: str, note: str = "") -> Exhibit:
    return Exhibit(id_, what, *both, unit, note)


def _loop(name: str) -> Retry:
    retry = presets[name].retry
    assert retry is not None
    return retry


def _tries(name: str, failure: Failure) -> float:
    """Tries of a call that fails like this for ever."""
    return 1.0 + len(waits(_loop(name), failure)[1])


def _failing(kind: ErrorKind) -> Failure:
    return failure_of(ADVICE[kind])


def _plans_rule(signals: Signals) -> Rule:
    found = plan_rules().first(signals)
    assert found is not None
    return found[0]


def _case(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Waits of one of the documented cases, plan and corrected."""
    case = next(case for case in WAIT_CASES if case.name.startswith(name))
    return case_waits(_loop(PLAN), case)[1], case_waits(_loop(FIXED), case)[1]


def _errors() -> Iterator[Exhibit]:
    plan, fixed = _case("rate limit without hint")
    intended = sum(waits(_loop("plan-rate-limited"), _failing(ErrorKind.API_SERVER_ERROR))[1])
    yield Exhibit(
        "E01", "all retries after a 429 are spent within", sum(plan), sum(fixed), "s",
        f"the strategy that the plan meant for it waits {intended:g} s in all and is never chosen",
    )  # fmt: skip
    errors = [_ApiError(status) for status in STATUSES]
    known = sum(_plans_rule(plan_signals(error)).kind is not ErrorKind.UNKNOWN for error in errors)
    ours = sum(classify(error).kind is not ErrorKind.UNKNOWN for error in errors)
    yield Exhibit("E02", f"of {len(STATUSES)} statuses of the plan's own client, recognised", known, ours, "errors")
    told = _ApiError(429, {"Retry-After": f"{_STATED_S:g}"})
    yield Exhibit(
        "E03", f"first wait after a 429 that says {_STATED_S:g} s", plan[0], classify(told).retry_after_s, "s"
    )
    for number, name, cases in (
        ("E06", "that comes as 400 with its code", _TOO_LONG[:1]),
        ("E08", "in the words of three providers", _TOO_LONG),
    ):
        theirs = sum(_plans_rule(one).kind is ErrorKind.MODEL_CONTEXT_LENGTH for one in cases)
        right = sum(classify(one).kind is ErrorKind.MODEL_CONTEXT_LENGTH for one in cases)
        yield Exhibit(number, f"over-long prompt {name}, recognised", theirs, right, "errors")
    for number, name, signals in (
        ("E15", "tries when the quota is spent", Signals(status=429, code="insufficient_quota")),
        ("E16", "tries of a bug of our own (TypeError)", Signals(exception_type="TypeError", message="unsupported operand")),
        ("E17", "tries of a typo in SQL", Signals(code="SQLITE_ERROR", message='near "FORM": syntax error')),
    ):  # fmt: skip
        answer = classify(signals)
        failure = Failure.of(ADVICE[answer.kind].int_code, answer)
        note = f"{sum(_case('typo in SQL')[0]):g} s of waiting" if number == "E17" else ""
        yield _shown(number, name, _both(partial(_tries, failure=failure)), "calls", note)
    odd: list[Any] = [None, 7, "text", {}, object(), ValueError(), KeyError("x")]
    raised = sum(not _is_quiet(partial(classify, one)) for one in odd)
    yield Exhibit(
        "E23", f"errors raised by classifying {len(odd)} odd objects", None, raised, "errors",
        "the plan's name is never created: every call raises a ReferenceError",
    )  # fmt: skip


def _is_quiet(work: Callable[[], object]) -> bool:
    try:
        work()
    except Exception:  # noqa: BLE001  whatever is raised is the finding
        return False
    return True


def _records() -> Iterator[Exhibit]:
    headers = {"Authorization": _SECRETS[0], "Cookie": _SECRETS[1], "X-User": _SECRETS[2], "Retry-After": "20"}
    error = _ApiError(429, headers, f"key {_SECRETS[0]} of {_SECRETS[2]} is over its limit")
    url = f"https://api.example.org/v1?session={_SECRETS[1]}&user={_SECRETS[2]}"
    kept = error_context(error, url=url, headers=headers).record()
    odd = sum(not _is_quiet(partial(error_context, one)) for one in (None, 7, error))
    yield Exhibit(
        "C01", "errors raised by writing down three errors", None, odd, "errors",
        "the plan calls instance methods as static ones: every record raises a TypeError",
    )  # fmt: skip
    for number, name, literal in (
        ("C03", "the whole error object", {"message": str(error), **vars(error)}),
        ("C04", "request headers", headers),
        ("C05", "address and message", {"url": url, "message": str(error)}),
    ):
        yield Exhibit(
            number, f"of 3 planted secrets, in the record with {name}", _leaks(literal), _leaks(kept), "secrets"
        )
    entry = {"level": "ERROR", "apiKey": _SECRETS[0], "error": {"message": str(error), "headers": headers}}
    shallow = {name: value for name, value in entry.items() if name != "apiKey"}
    yield Exhibit(
        "L03",
        "of 3 planted secrets, past redaction of the top level",
        _leaks(shallow),
        _leaks(redact(entry)),
        "secrets",
    )
    circle: dict[str, Any] = {"level": "ERROR"}
    circle["self"] = circle
    raises = [not _is_quiet(lambda: json.dumps(circle)), not _is_quiet(lambda: json.dumps(redact(circle)))]
    yield Exhibit("L04", "log calls that raise on one circular reference", raises[0], raises[1], "calls")


def _leaks(record: object) -> int:
    text = json.dumps(record, default=str)
    return sum(secret in text for secret in _SECRETS)


def _retries() -> Iterator[Exhibit]:
    handed = settings_for(_loop(PLAN), plan_failure(ADVICE[ErrorKind.API_AUTH_ERROR].int_code))
    ours = _tries(FIXED, _failing(ErrorKind.API_AUTH_ERROR)) - 1
    waited = sum(waits(_loop("plan-critical"), _failing(ErrorKind.API_SERVER_ERROR))[1])
    note = f"it waits {waited:g} s; only another method saves the call"
    yield Exhibit("R01", "retries of the strategy that a 401 is handed", handed.max_attempts - 1, ours, "retries", note)
    plan, fixed = _case("rate limit, Retry-After an HTTP date")
    note = f"{len(plan)} retries within {1000 * sum(plan):g} ms"
    what = f"wait after a 429 with an HTTP date {_STATED_S:g} s ahead"
    yield Exhibit("R02", what, plan_hint_s(HTTP_DATE), fixed[0], "s", note)
    plan, fixed = _case("rate limit, Retry-After 3600")
    note = "ours gives up or falls back at once"
    yield Exhibit("R05", "first wait when the server says 3,600 s", plan[0], sum(fixed[:1]), "s", note)
    plan, fixed = _case("timeout of a booking without key")
    what = "bookings made when each times out after it was made"
    yield Exhibit("R10", what, 1.0 + len(plan), 1.0 + len(fixed), "calls")
    layers, worst = calls_a_request(PLAN), calls_a_request("plan-critical")
    note = f"{worst:g} with the critical strategy; {_SDK_TRIES * layers:g} to {_SDK_TRIES * worst:g} over an SDK that retries twice"
    yield _shown("R11", "calls of one request when three models fail", _both(calls_a_request), "calls", note)
    note = "the plan's objective for p99 is 5 s"
    yield _shown("R14", "time before the first fallback, time-outs of 10 s", _both(_time_on_first_s), "s", note)


def _time_on_first_s(name: str, timeout_s: float = 10.0) -> float:
    found = waits(_loop(name), _failing(ErrorKind.NETWORK_TIMEOUT), latency_s=timeout_s)[1]
    return timeout_s * (1 + len(found)) + sum(found)


def _fallback() -> Iterator[Exhibit]:
    wrong_key = _both(partial(calls_a_request, kind=ErrorKind.API_AUTH_ERROR))
    yield _shown("F01", "calls of one request with a wrong key, three models", wrong_key, "calls")
    final = _plans_rule(Signals(message="All models failed. Last error: 500 Internal Server Error"))
    again = _tries(PLAN, Failure(ADVICE[final.kind].int_code)) if final.advice.retryable else 1.0
    what = "calls when an outer layer reads the final error and starts again"
    yield Exhibit("F02", what, calls_a_request(PLAN) * again, calls_a_request(FIXED), "calls")
    yield _shown("F03", "time each request spends on a first model that is down", _both(first_model_delay_s), "s")
    alive = sum(name not in RETIRED or RETIRED[name][0] > PLAN_DATE for name in PLAN_MODELS[1:])
    chain = booking_policy().fallback
    assert chain is not None
    ours = sum(model.name not in RETIRED for model in chain.models[1:])
    yield Exhibit("F06", "of two fallback models, answering on the day of the plan", alive, ours, "models")


def _breakers() -> Iterator[Exhibit]:
    what = f"outage until it opens at {REQUESTS_A_MONTH:,} requests a month"
    yield _shown("B03", what, _both(_outage_minutes), "min", "99.9 % allows 43.2 min a month")
    invalid = _both(lambda name: _opens_after("call", "API_INVALID_REQUEST", name))
    yield _shown("B05", "invalid requests of one user that open it for everybody", invalid, "calls", "ours: not in 100")
    tried = _both(lambda name: _opens_after("request", "failure", name))
    yield _shown("B06", "failing requests that open it, each with its retries", tried, "requests")
    chance = float(pdtrc(4, 10.0 * REQUESTS_A_MONTH / MONTH_S))  # Poisson: more than 4 in 10 s
    what = "chance that 5 calls fall within the plan's 10 s, when all fail"
    note = "if monitoringPeriod is the window; in ours each setting has one meaning"
    yield Exhibit("B12", what, chance, None, "share", note)


def _outage_minutes(name: str) -> float | None:
    seconds = reach(presets[name], REQUESTS_A_MONTH).outage_s
    return None if seconds is None else seconds / SECONDS_PER_MINUTE


def _opens_after(op: str, outcome: str, name: str, most: int = 100) -> float | None:
    steps = drive(name, [(op, outcome)] * most)
    return next((float(number) for number, step in enumerate(steps, 1) if step.state == "open"), None)
