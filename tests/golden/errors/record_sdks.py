"""Write sdks.csv: what seven client libraries do with an answer, by asking their own code.

Needs them installed, in an environment of its own:
openai==3.54.0 groq==1.7.0 anthropic==2.12.0 urllib3==2.8.0 botocore==1.44.5 google-api-core==2.44.0 azure-core==1.41.0
Then `python tests/golden/errors/record_sdks.py > tests/golden/errors/sdks.csv`. The wait is asked for twice, with the smallest and the
largest draw; the clock stands at AT_S. One line a case, one column a library: no, breaks, or the two waits in seconds.
"""

import csv
import datetime as dt
import itertools
import sys
import time
from types import SimpleNamespace
from unittest import mock

import anthropic
import groq
import openai
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.utils import case_insensitive_dict
from botocore.retries import standard
from google.api_core import exceptions
from google.api_core.retry import retry_base
from urllib3 import HTTPResponse
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

STATUSES = (
    400,
    401,
    403,
    404,
    408,
    409,
    413,
    422,
    425,
    429,
    498,
    500,
    501,
    502,
    503,
    504,
    505,
    506,
    507,
    520,
    529,
    599,
)
METHODS = ("POST", "GET")
RETRY_AFTER = ("0", "0.5", "60", "61", "121", "3600", "99999", "-5", "nan", "abc", "inf", "1e400", " 7 ", "1_0")
AT_S = 1_767_225_600.0  # 2026-01-01T00:00:00Z
DATES = ("Thu, 01 Jan 2026 00:00:30 GMT", "Wed, 31 Dec 2025 00:00:00 GMT", "Thu, 01 Jan 2026 00:03:00 GMT")
MORE = (
    ("retry-after-ms", "1500"),
    ("retry-after-ms", "x"),
    ("x-ms-retry-after-ms", "2500"),
    ("x-should-retry", "true"),
    ("x-should-retry", "false"),
    ("x-amz-retry-after", "3000"),
    ("x-amz-retry-after", "60000"),
    ("x-amz-retry-after", "-1"),
)
CODES = ("ThrottlingException", "RequestTimeout", "PriorRequestNotComplete", "AccessDenied", "SlowDown")


def cases():
    for status, method in itertools.product(STATUSES, METHODS):
        for name, value in (("", ""), ("retry-after", "5")):
            yield status, method, name, value, "", 1
    for status, method in itertools.product((413, 429, 503), METHODS):
        for value in (*RETRY_AFTER, *DATES):
            yield status, method, "retry-after", value, "", 1
    for status in (400, 429, 503):
        for name, value in MORE:
            yield status, "GET", name, value, "", 1
        for code in CODES:
            yield status, "POST", "", "", code, 1
    for attempt in range(1, 13):
        yield 503, "GET", "", "", "", attempt
        yield 503, "GET", "retry-after", "5", "", attempt


def stainless(module, client):
    """openai, groq, anthropic: clients of one generator."""
    base = sys.modules[f"{module.__name__}._base_client"]
    headers_of = base.httpx2.Headers if hasattr(base, "httpx2") else base.httpx.Headers

    def decide(status, method, name, value, code, attempt, draw):
        headers = headers_of({name: value} if name else {})
        remaining = client.max_retries - (attempt - 1)
        if remaining <= 0 or not client._should_retry(SimpleNamespace(status_code=status, headers=headers)):
            return None
        options = SimpleNamespace(get_max_retries=lambda given: given)
        # The largest draw of theirs gives the smallest wait
        with mock.patch.object(base, "random", return_value=1.0 - draw):
            return client._calculate_retry_timeout(remaining, options, headers)

    return decide


def urllib3_retry():
    def decide(status, method, name, value, code, attempt, draw):
        response = HTTPResponse(status=status, headers={name: value} if name else {})
        retry = Retry()
        try:
            for _ in range(attempt - 1):
                retry = retry.increment(method, "/", response)
            if not retry.is_retry(method, status, bool(response.headers.get("Retry-After"))):
                return None
            retry = retry.increment(method, "/", response)
        except MaxRetryError:
            return None
        return retry.get_retry_after(response) or retry.get_backoff_time()

    return decide


def botocore_standard():
    service = SimpleNamespace(service_name="bedrock-runtime")
    operation = SimpleNamespace(name="Converse", error_shapes=[], service_model=service)

    def decide(status, method, name, value, code, attempt, draw):
        context = standard.RetryContext(
            attempt_number=attempt,
            operation_model=operation,
            parsed_response={"Error": {"Code": code}} if code else {},
            http_response=SimpleNamespace(status_code=status, headers={name: value} if name else {}),
        )
        if not standard.StandardRetryConditions().is_retryable(context):
            return None
        detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
        backoff = standard.ExponentialBackoff(random=lambda: draw, throttling_detector=detector)
        return backoff.delay_amount(context)

    return decide


def google_retry():
    def decide(status, method, name, value, code, attempt, draw):
        if not retry_base.if_transient_error(exceptions.from_http_status(status, "text")):
            return None
        with mock.patch.object(retry_base.random, "uniform", lambda low, high: low + draw * (high - low)):
            waits = retry_base.exponential_sleep_generator(
                retry_base._DEFAULT_INITIAL_DELAY, retry_base._DEFAULT_MAXIMUM_DELAY
            )
            return next(itertools.islice(waits, attempt - 1, None))

    return decide


def azure_retry():
    def decide(status, method, name, value, code, attempt, draw):
        policy = RetryPolicy()
        settings = policy.configure_retries({})
        request = SimpleNamespace(method=method, body=None, files=None)
        headers = case_insensitive_dict({name: value} if name else {})
        answer = SimpleNamespace(status_code=status, headers=headers, request=request)
        response = PipelineResponse(request, answer, None)
        for _ in range(attempt):
            if not policy.is_retry(settings, response) or not policy.increment(settings, response=response):
                return None
        slept = []

        def sleep(seconds):
            if seconds == float("inf"):
                raise OverflowError("timestamp too large to convert to C _PyTime_t")  # what time.sleep says
            slept.append(seconds)

        policy.sleep(settings, SimpleNamespace(sleep=sleep), response=response)
        return sum(slept)

    return decide


def outcome(decide, case):
    try:
        low, high = decide(*case, 0.0), decide(*case, 1.0)
    except Exception:  # noqa: BLE001  whatever a library raises here, its user gets instead of the answer
        return "breaks"
    return "no" if low is None else f"{low:g} {high:g}" if high < 1e5 else f"{low:.0f} {high:.0f}"


def main():
    libraries = {
        "openai": stainless(openai, openai.OpenAI(api_key="none")),
        "groq": stainless(groq, groq.Groq(api_key="none")),
        "anthropic": stainless(anthropic, anthropic.Anthropic(api_key="none")),
        "urllib3": urllib3_retry(),
        "botocore": botocore_standard(),
        "google": google_retry(),
        "azure": azure_retry(),
    }
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["status", "method", "header", "value", "code", "attempt", *libraries])
    for case in cases():
        writer.writerow([*case, *(outcome(decide, case) for decide in libraries.values())])


class Stopped(dt.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(AT_S, tz)


if __name__ == "__main__":
    with mock.patch.object(time, "time", return_value=AT_S), mock.patch.object(dt, "datetime", Stopped):
        main()
