"""What seven client libraries do by default with one and the same answer: retry it or not, and after how long a wait.

They do not agree: only 500 and 503 are retried by all that retry a POST at all, and one Retry-After of 121 seconds is
waited for, ignored or refused. Each function follows the code of its library; the versions are openai 3.54, groq 1.7,
anthropic 2.12, urllib3 2.8, botocore 1.44 (standard mode), google-api-core 2.44 and azure-core 1.41.
"""

import email.utils
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from relkit.exceptions import ParameterError

_IDEMPOTENT: Final = frozenset({"HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE"})
_OPENAI_MOST_S: Final = 120.0
_GROQ_MOST_S: Final = 60.0
_ANTHROPIC_MOST_S: Final = 4_294_967.0  # 2^32 milliseconds, 50 days
_URLLIB3_MOST_S: Final = 21_600.0
_THROTTLED: Final = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
        "TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException",
        "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown",
        "PriorRequestNotComplete", "EC2ThrottledException",
    }
)  # fmt: skip
_TRANSIENT: Final = frozenset({"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"})


@dataclass(frozen=True, slots=True)
class SdkDecision:
    """What one library does after one answer.

    Parameters
    ----------
    sdk : str
        openai, groq, anthropic, urllib3, botocore, google or azure.
    retries : bool
        Whether it tries again.
    wait_low_s, wait_high_s : float or None
        Shortest and longest wait its jitter allows; None without a retry.
    why : str
        What decided.
    """

    sdk: str
    retries: bool
    wait_low_s: float | None
    wait_high_s: float | None
    why: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a library may look at; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    method: str
    code: str | None
    attempt: int
    at_s: float | None

    def date_s(self, text: str) -> float | None:
        """Seconds until an HTTP-date, or None where the text is none."""
        try:
            parsed = email.utils.parsedate_tz(text)
            if parsed is None:
                return None
            then_s = email.utils.mktime_tz(parsed)
        except (TypeError, ValueError, OverflowError, OSError):
            return None
        if self.at_s is None:
            raise ParameterError.of("at_s", None, "seconds since 1970 UTC", f"say when the Retry-After {text!r} came")
        return then_s - self.at_s


def sdk_decisions(
    status: int,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    code: str | None = None,
    attempt: int = 1,
    at_s: float | None = None,
) -> tuple[SdkDecision, ...]:
    """Say what each library would have done with an answer, its defaults in force.

    Parameters
    ----------
    status : int
        HTTP status, 400 to 599.
    headers : mapping of str to str
        As sent; read are retry-after, retry-after-ms, x-should-retry, x-amz-retry-after and x-ms-retry-after-ms.
    method : str
        Of HTTP; urllib3 and azure repeat some statuses only where that is safe.
    code : str or None
        Code of the service; botocore's throttling comes as 400 with a code.
    attempt : int
        Number of the attempt that got this answer, from 1.
    at_s : float or None
        When it came, seconds since 1970 UTC; only a Retry-After that is a date needs it.

    Returns
    -------
    tuple of SdkDecision
        One a library, always in the same order. google has no largest number of attempts; it gives up after 120
        seconds, which one answer does not show.

    Raises
    ------
    ParameterError
        When the status or the attempt is out of range, or a date comes without at_s.

    Examples
    --------
    >>> for decision in sdk_decisions(429, {"Retry-After": "121"}, method="GET")[:4]:
    ...     print(decision.sdk, decision.retries, decision.wait_high_s)
    openai False None
    groq True 0.5
    anthropic True 121.0
    urllib3 True 121.0
    """
    if not 400 <= status <= 599:
        raise ParameterError.of("status", status, "400 to 599", "pass the status of a failed call")
    if attempt < 1:
        raise ParameterError.of("attempt", attempt, "1 or more", "count the first try as 1")
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    answer = _Answer(status, lower, method.upper(), code, attempt, at_s)
    return tuple(decide(answer) for decide in _LIBRARIES)


def _openai(answer: _Answer) -> SdkDecision:
    asked_s = _stainless_wait(answer, overflow_s=_OPENAI_MOST_S + 1)
    if asked_s is not None and math.isfinite(asked_s) and asked_s > _OPENAI_MOST_S:
        return _stops("openai", f"refuses a Retry-After above {_OPENAI_MOST_S:.0f} s")
    return _stainless("openai", answer, asked_s if asked_s is not None and 0 < asked_s <= _OPENAI_MOST_S else None)


def _groq(answer: _Answer) -> SdkDecision:
    asked_s = _stainless_wait(answer)
    return _stainless("groq", answer, asked_s if asked_s is not None and 0 < asked_s <= _GROQ_MOST_S else None)


def _anthropic(answer: _Answer) -> SdkDecision:
    asked_s = _stainless_wait(answer)
    is_asked = asked_s is not None and asked_s > 0
    return _stainless("anthropic", answer, min(asked_s, _ANTHROPIC_MOST_S) if is_asked and asked_s else None)


def _stainless_wait(answer: _Answer, overflow_s: float = math.inf) -> float | None:
    """Read the wait as the clients of one generator do; a number too large for a float is `overflow_s`."""
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        text = answer.headers.get(name)
        if text is None:
            continue
        try:
            wait = float(text)
        except ValueError:
            continue
        is_overflow = wait == math.inf and text.strip().lower().lstrip("+") not in ("inf", "infinity")
        return overflow_s if is_overflow else wait / divisor
    text = answer.headers.get("retry-after")
    return None if text is None else answer.date_s(text)


def _stainless(sdk: str, answer: _Answer, asked_s: float | None) -> SdkDecision:
    told = answer.headers.get("x-should-retry")
    if answer.attempt > 2:
        return _stops(sdk, "two retries are used up")
    if told == "false":
        return _stops(sdk, "x-should-retry: false")
    if told != "true" and answer.status not in (408, 409, 429) and answer.status < 500:
        return _stops(sdk, f"status {answer.status}")
    why = "x-should-retry: true" if told == "true" else f"status {answer.status}"
    if asked_s is not None:
        return SdkDecision(sdk, True, asked_s, asked_s, f"{why}; waits as asked")
    longest_s = min(0.5 * 2 ** min(answer.attempt - 1, 10), 8.0)
    return SdkDecision(sdk, True, 0.75 * longest_s, longest_s, why)


def _urllib3(answer: _Answer) -> SdkDecision:
    text = answer.headers.get("retry-after")
    if answer.method not in _IDEMPOTENT:
        return _stops("urllib3", f"{answer.method} is not repeated")
    if answer.status not in (413, 429, 503) or not text:
        return _stops("urllib3", "only 413, 429 and 503, and only with a Retry-After")
    if answer.attempt > 10:
        return _stops("urllib3", "ten retries are used up")
    wait_s = float(text) if re.fullmatch(r"\s*[0-9]+\s*", text) else answer.date_s(text)
    if wait_s is None:
        return _stops("urllib3", "raises InvalidHeader")
    wait_s = min(max(wait_s, 0.0), _URLLIB3_MOST_S)
    return SdkDecision("urllib3", True, wait_s, wait_s, "Retry-After")


def _botocore(answer: _Answer) -> SdkDecision:
    is_throttled = answer.code in _THROTTLED or answer.status == 429
    if answer.attempt >= 3:
        return _stops("botocore", "three attempts are used up")
    if not is_throttled and answer.code not in _TRANSIENT and answer.status not in (500, 502, 503, 504):
        return _stops("botocore", f"status {answer.status}")
    longest_s = min((1.0 if is_throttled else 0.05) * 2 ** (answer.attempt - 1), 20.0)
    asked_s = _amazon_wait(answer.headers.get("x-amz-retry-after"))
    why = f"code {answer.code}" if answer.code in _THROTTLED | _TRANSIENT else f"status {answer.status}"
    if asked_s is None:
        return SdkDecision("botocore", True, 0.0, longest_s, why)
    low_s, high_s = min(asked_s, 5.0), max(longest_s, min(asked_s, 5.0 + longest_s))
    return SdkDecision("botocore", True, low_s, high_s, f"{why}; x-amz-retry-after")


def _amazon_wait(text: str | None) -> float | None:
    try:
        wait_s = int(text or "") / 1000
    except (ValueError, OverflowError):
        return None
    return wait_s if wait_s >= 0 else None


def _google(answer: _Answer) -> SdkDecision:
    if answer.status not in (429, 500, 503):
        return _stops("google", f"status {answer.status}")
    longest_s = min(2.0 ** min(answer.attempt - 1, 10), 60.0)
    return SdkDecision("google", True, 0.0, longest_s, f"status {answer.status}; Retry-After is not read")


def _azure(answer: _Answer) -> SdkDecision:
    is_told = bool(answer.headers.get("retry-after"))
    refusal = None if is_told else _azure_refusal(answer)
    if answer.attempt > 3:
        refusal = "three retries are used up"
    if refusal:
        return _stops("azure", refusal)
    try:
        asked_s = _azure_wait(answer)
    except ValueError:
        return _stops("azure", "raises on a wait that is no number and no date")
    if asked_s == math.inf:
        return _stops("azure", "raises OverflowError on an endless wait")
    backoff_s = 0.0 if answer.attempt == 1 else min(0.8 * 2 ** (answer.attempt - 1), 120.0)
    wait_s = asked_s or backoff_s
    return SdkDecision("azure", True, wait_s, wait_s, "Retry-After" if is_told else f"status {answer.status}")


def _azure_refusal(answer: _Answer) -> str | None:
    is_post_of_hope = answer.method in ("POST", "PATCH") and answer.status in (500, 503, 504)
    if answer.method not in _IDEMPOTENT and not is_post_of_hope:
        return f"{answer.method} with status {answer.status} is not repeated"
    is_known = answer.status in (408, 429, 500, 502, 503, 504) or answer.status >= 506
    return None if is_known else f"status {answer.status}"


def _azure_wait(answer: _Answer) -> float:
    for name, divisor in (("retry-after", 1), ("retry-after-ms", 1000), ("x-ms-retry-after-ms", 1000)):
        text = answer.headers.get(name)
        if not text:
            continue
        try:
            wait: float | None = float(text)
        except ValueError:
            wait = answer.date_s(text)
        if wait is None:
            raise ValueError(text)
        return max(0, wait) / divisor  # in this order: max(0, nan) is 0
    return 0.0


def _stops(sdk: str, why: str) -> SdkDecision:
    return SdkDecision(sdk, False, None, None, why)


_LIBRARIES: Final[tuple[Callable[[_Answer], SdkDecision], ...]] = (
    _openai, _groq, _anthropic, _urllib3, _botocore, _google, _azure,
)  # fmt: skip
