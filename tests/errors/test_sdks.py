"""Every decision is that of the library itself: its own code gave golden/errors/sdks.csv, and the tables that were published."""

import csv
from pathlib import Path

import pytest

from relkit.errors.evaluation.sdks import sdk_decisions
from relkit.exceptions import ParameterError

GOLDEN = Path(__file__).parents[1] / "golden/errors"
AT_S = 1_767_225_600.0  # the clock of the golden script
SDKS = ("openai", "groq", "anthropic", "urllib3", "botocore", "google", "azure")


def decisions(*given, **more):
    return {found.sdk: found for found in sdk_decisions(*given, **more)}


def golden_cases():
    with (GOLDEN / "sdks.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_case_is_decided_as_the_libraries_own_code_does():
    cases = golden_cases()
    for case in cases:
        headers = {case["header"]: case["value"]} if case["header"] else {}
        found = sdk_decisions(
            int(case["status"]),
            headers,
            method=case["method"],
            code=case["code"] or None,
            attempt=int(case["attempt"]),
            at_s=AT_S,
        )
        for decision in found:
            wanted = case[decision.sdk]
            if wanted in ("no", "breaks"):
                assert not decision.retries, (case, decision)
                assert ("raises" in decision.why) == (wanted == "breaks"), (case, decision)
            else:
                assert decision.retries, (case, decision)
                waits = [float(text) for text in wanted.split()]
                assert [decision.wait_low_s, decision.wait_high_s] == pytest.approx(waits), (case, decision)
    assert len(cases) > 250


# Whether a status is retried without a Retry-After: openai, groq and anthropic; azure POST, GET; botocore; google.
STATUS_TABLE = {
    404: (0, 0, 0, 0, 0), 413: (0, 0, 0, 0, 0), 422: (0, 0, 0, 0, 0),
    408: (1, 0, 1, 0, 0),
    409: (1, 0, 0, 0, 0),
    429: (1, 0, 1, 1, 1),
    500: (1, 1, 1, 1, 1), 503: (1, 1, 1, 1, 1),
    501: (1, 0, 0, 0, 0), 505: (1, 0, 0, 0, 0),
    502: (1, 0, 1, 1, 0),
    504: (1, 1, 1, 1, 0),
    507: (1, 0, 1, 0, 0), 520: (1, 0, 1, 0, 0), 529: (1, 0, 1, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize(("status", "wanted"), STATUS_TABLE.items())
def test_the_table_of_statuses(status, wanted):
    post, get = decisions(status), decisions(status, method="GET")
    for sdk in ("openai", "groq", "anthropic"):
        assert (post[sdk].retries, get[sdk].retries) == (wanted[0], wanted[0])
    found = (post["azure"], get["azure"], post["botocore"], post["google"])
    assert tuple(decision.retries for decision in found) == wanted[1:]
    assert not post["urllib3"].retries
    assert not get["urllib3"].retries


def test_azure_retries_any_failure_with_a_retry_after():
    for status in (400, 404, 413, 429, 501):
        for method in ("POST", "GET"):
            assert decisions(status, {"Retry-After": "5"}, method=method)["azure"].retries


@pytest.mark.parametrize("status", range(400, 600))
def test_urllib3_retries_three_statuses_and_only_with_a_retry_after(status):
    assert decisions(status, {"Retry-After": "5"}, method="GET")["urllib3"].retries == (status in (413, 429, 503))
    assert not decisions(status, {"Retry-After": "5"}, method="POST")["urllib3"].retries


REFUSES, BACKOFF, BREAKS = "refuses", "backoff", "breaks"
# Seconds waited after a 429: openai, groq, anthropic, urllib3.
WAIT_TABLE = {
    "60": (60, 60, 60, 60),
    "61": (61, BACKOFF, 61, 61),
    "121": (REFUSES, BACKOFF, 121, 121),
    "3600": (REFUSES, BACKOFF, 3600, 3600),
    "inf": (BACKOFF, BACKOFF, 4_294_967, BREAKS),
    "1e400": (REFUSES, BACKOFF, 4_294_967, BREAKS),
    "0.5": (0.5, 0.5, 0.5, BREAKS),
    "-5": (BACKOFF, BACKOFF, BACKOFF, BREAKS),
    "nan": (BACKOFF, BACKOFF, BACKOFF, BREAKS),
    "abc": (BACKOFF, BACKOFF, BACKOFF, BREAKS),
}


@pytest.mark.parametrize(("value", "wanted"), WAIT_TABLE.items())
def test_the_table_of_waits(value, wanted):
    found = decisions(429, {"Retry-After": value}, method="GET", at_s=0.0)
    for sdk, want in zip(SDKS, wanted, strict=False):
        decision = found[sdk]
        if want == REFUSES:
            assert (decision.retries, "refuses" in decision.why) == (False, True)
        elif want == BREAKS:
            assert (decision.retries, "raises" in decision.why) == (False, True)
        elif want == BACKOFF:
            assert (decision.retries, decision.wait_low_s, decision.wait_high_s) == (True, 0.375, 0.5)
        else:
            assert (decision.retries, decision.wait_low_s, decision.wait_high_s) == (True, want, want)


def test_a_service_may_forbid_and_order_a_retry():
    ordered, forbidden = decisions(400, {"X-Should-Retry": "true"}), decisions(503, {"x-should-retry": "false"})
    for sdk in ("openai", "groq", "anthropic"):
        assert ordered[sdk].retries
        assert not forbidden[sdk].retries


def test_botocore_knows_throttling_by_its_code():
    assert decisions(400, code="ThrottlingException")["botocore"].wait_high_s == 1.0
    assert not decisions(400, code="ValidationException")["botocore"].retries


def test_a_date_needs_a_clock_and_then_is_waited_for():
    date = {"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT"}
    assert decisions(429, date, at_s=1_767_225_600.0)["openai"].wait_low_s == 30
    with pytest.raises(ParameterError, match="at_s"):
        sdk_decisions(429, date)


def test_what_is_no_failed_attempt_is_refused():
    with pytest.raises(ParameterError, match="status"):
        sdk_decisions(200)
    with pytest.raises(ParameterError, match="attempt"):
        sdk_decisions(500, attempt=0)


def test_the_libraries_come_in_one_order():
    assert tuple(found.sdk for found in sdk_decisions(500)) == SDKS
