"""What one exception says of itself is read by structure: statuses, codes, numbers of the system and of databases, headers."""

import errno
import ftplib
import http
import smtplib
import socket
import sqlite3
import ssl

import pytest

from relkit.errors import ErrorKind, classify
from relkit.errors.classifier import signals_of
from relkit.errors.reading.bodies import Said, said
from relkit.errors.reading.evidence import evidence_of, read_headers
from relkit.errors.reading.guarded import called, is_a, whole


class AppError(Exception):
    pass


def with_(**attributes):
    error = AppError("x")
    vars(error).update(attributes)
    return error


def read(error, name):
    return evidence_of(error).signals[name]


class Holder:
    def __init__(self, **attributes):
        vars(self).update(attributes)


@pytest.mark.parametrize(
    "error",
    [
        with_(status_code=429), with_(status="429"), with_(status_code="LOADING", status=429), with_(status_code=lambda: 429),
        with_(code=http.HTTPStatus.TOO_MANY_REQUESTS), with_(response=Holder(status_code=429)), with_(response=Holder(status=429)),
        with_(response={"ResponseMetadata": {"HTTPStatusCode": 429}}), with_(http_status=429), with_(resp=Holder(status=429)),
        with_(status_code=200.5, status=429), with_(status_code=True, status=429), AppError("too many 429 error responses"),
    ],
)  # fmt: skip
def test_a_status_is_the_first_value_that_converts_to_one(error):
    assert read(error, "status") == 429


def test_numbers_that_are_no_status():
    assert read(with_(code=1), "status") is None  # an exit code, a count
    assert read(with_(code=112), "status") is None
    assert read(SystemExit(2), "status") is None
    assert read(with_(status_code="LOADING"), "status") is None


def test_the_system_and_the_resolver_count_apart():
    assert read(OSError(errno.ECONNRESET, "reset"), "errno") == errno.ECONNRESET
    assert read(socket.gaierror(-2, "unknown"), "errno") == -2
    assert read(socket.gaierror(8, "unknown"), "errno") is None  # EAI_NONAME elsewhere, ENOEXEC in the system's space
    assert read(ssl.SSLError(1, "x"), "errno") is None
    assert read(with_(errno=111), "errno") is None  # no OSError: some library's own number


def test_sqlite_names_its_errors():
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(":memory:").execute("SELEC 1")
    assert read(caught.value, "db_code") == "SQLITE_ERROR"


def test_names_run_along_the_resolution_order_without_the_bases_of_all():
    evidence = evidence_of(ConnectionRefusedError())
    assert evidence.names == ("builtins.ConnectionRefusedError", "builtins.ConnectionError", "builtins.OSError")
    assert evidence.above == ((1, 2), (2,), ())


def test_the_most_specific_known_class_speaks_and_of_unrelated_ones_the_earliest_rule():
    timeout = type("OurReadTimeout", (type("ReadTimeout", (Exception,), {}),), {})
    assert signals_of(timeout()).exception_type == "ReadTimeout"
    bad, long = type("BadRequestError", (Exception,), {}), type("ContextOverflowError", (Exception,), {})
    assert classify(type("Both", (bad, long), {})()).kind == "MODEL_CONTEXT_LENGTH"
    redis = {"__module__": "redis.exceptions"}
    connection = type("ConnectionError", (Exception,), redis)
    assert classify(connection()).kind == "CACHE_UNAVAILABLE"
    assert classify(type("AuthenticationError", (connection,), redis)()).kind == "API_AUTH_ERROR"


def test_addresses_speak_for_nothing():
    error = AppError("failed for http://127.0.0.1:80/rate_limit/timed out, with url: /connection/refused")
    assert "refused" not in evidence_of(error).text
    assert "rate" not in evidence_of(error).text


def test_the_servers_words_go_before_the_librarys():
    error = with_(response=Holder(status_code=400, _content=b'{"error": {"message": "prompt is too long"}}'))
    assert read(error, "message") == "prompt is too long"


def test_a_body_on_the_wire_is_not_read():
    def explode():
        raise AssertionError("read from the network")

    response = type(
        "Response", (), {"status_code": 500, "content": property(lambda self: explode()), "read": explode}
    )()
    assert read(with_(response=response), "status") == 500


def test_an_error_that_names_its_kind_is_believed():
    assert classify(with_(error_type="BOOKING_CONFLICT", status_code=500)).kind == "BOOKING_CONFLICT"
    assert classify(with_(error_type="network", status_code=500)).kind == "API_SERVER_ERROR"


def test_headers_are_read_from_mappings_and_pairs_in_any_case_and_the_rest_left_alone():
    assert read_headers({"RETRY-AFTER": 5, "Authorization": "Bearer x"}) == {"retry-after": "5"}
    assert read_headers(((b"Retry-After", b"5"), ("x-ratelimit-remaining", "0"))) == {
        "retry-after": "5",
        "x-ratelimit-remaining": "0",
    }
    assert read_headers(5) == read_headers(None) == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"code": "a", "type": "b", "message": "c"}, Said("a", "b", "c")),
        ({"error": {"code": "a", "message": "c"}}, Said("a", None, "c")),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, Said(None, "overloaded_error", "Overloaded")),
        ([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"}}], Said("RESOURCE_EXHAUSTED", None, "m")),
        ({"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}, Said("API_KEY_INVALID", "INVALID_ARGUMENT", "")),
        (
            {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
            Said("content_filter", "ResponsibleAIPolicyViolation", ""),
        ),
        ({"__type": "com.amazon.coral#ThrottlingException", "message": "m"}, Said("ThrottlingException", None, "m")),
        ({"error": "invalid_grant", "error_description": "expired"}, Said("invalid_grant", None, "expired")),
        ({"error": "Model gpt2 is currently loading", "estimated_time": 20.0}, Said(message="Model gpt2 is currently loading")),
        ({"type": "urn:problem:slot_taken", "title": "Taken"}, Said(None, "slot_taken", "Taken")),
        ({"detail": [{"msg": "Field required"}, {"msg": "Too long"}]}, Said(message="Field required; Too long")),
        ({"object": "error", "code": "3505", "message": "m"}, Said("3505", None, "m")),
        ("plain words", Said(message="plain words")),
        (None, Said()), ([], Said()), (5, Said()), ({"error": {}}, Said()), ({"error": None}, Said()),
    ],
)  # fmt: skip
def test_bodies_of_all_providers_say_code_type_and_sentence(body, expected):
    assert said(body) == expected


def test_guards_answer_nothing_instead_of_raising():
    assert called(lambda: 1 / 0) is None
    assert whole("9" * 5000) is None
    assert whole(10**400) == 10**400

    class Liar:
        __class__ = ValueError

    assert not is_a(Liar(), ValueError)


def test_a_reply_of_mail_or_file_transfer_is_no_status():
    refused = smtplib.SMTPRecipientsRefused({"x@y.z": (451, b"try later")})
    for error, code in (
        (smtplib.SMTPDataError(451, b"Greylisting"), "REPLY_451"),
        (refused, "REPLY_451"),
        (ftplib.error_perm("530 Login incorrect."), "REPLY_530"),
        (ftplib.error_perm("no number"), None),
        (smtplib.SMTPRecipientsRefused({}), None),
    ):
        signals = evidence_of(error).signals
        assert (signals["code"], signals["status"]) == (code, None)
    later = classify(refused)
    assert (later.kind, later.retryable, later.maybe_executed) == (ErrorKind.API_SERVER_ERROR, True, False)
