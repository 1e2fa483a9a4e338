"""Which causes are followed, which are not, and what the chain as a whole says."""

import asyncio

from relkit.errors import ErrorKind, classify
from relkit.errors.classifier import signals_of
from relkit.errors.reading.chain import TRUNK, links


class AppError(Exception):
    pass


def first_names(error):
    return [link.evidence.names[0].rpartition(".")[2] for link in links(error)]


def raised(outer, inner, *, how):
    """Return the outer error as Python leaves it: raised from, while handling, or hidden by from None."""
    try:
        try:
            raise inner  # noqa: TRY301
        except BaseException as error:
            if how == "from":
                raise outer from error
            if how == "from None":
                raise outer from None
            raise outer  # noqa: B904
    except BaseException as error:  # noqa: BLE001
        return error


def test_explicit_causes_are_followed_wherever_libraries_keep_them():
    for name in ("__cause__", "inner_exception", "reason", "orig", "original_error"):
        error = AppError("no answer")
        setattr(error, name, TimeoutError())
        assert first_names(error) == ["AppError", "TimeoutError"]
    assert first_names(AppError("no answer", ConnectionResetError())) == ["AppError", "ConnectionResetError"]


def test_a_context_is_followed_unless_hidden_or_beside_the_point():
    assert classify(raised(AppError(), ConnectionRefusedError(), how="context")).kind is ErrorKind.NETWORK_REFUSED
    assert classify(raised(AppError(), ConnectionRefusedError(), how="from None")).kind is ErrorKind.UNKNOWN
    # A bug in an except block is the news; so is an answer got after another way had failed.
    assert first_names(raised(AttributeError("x"), TimeoutError(), how="context")) == ["AttributeError"]
    limited = AppError("limited")
    limited.status_code = 429
    assert classify(raised(limited, TimeoutError(), how="context")).kind is ErrorKind.API_RATE_LIMIT


def test_a_key_that_was_not_in_the_cache_explains_nothing():
    error = raised(ConnectionRefusedError(111, "x"), KeyError("slot"), how="context")
    assert classify(error).kind is ErrorKind.NETWORK_REFUSED


def test_a_cancellation_below_a_timeout_is_how_and_not_why():
    error = raised(TimeoutError(), asyncio.CancelledError(), how="from")
    assert first_names(error) == ["TimeoutError"]
    assert first_names(raised(AppError(), asyncio.CancelledError(), how="from")) == ["AppError", "CancelledError"]


def test_members_of_a_group_are_branches_of_their_own():
    group = ExceptionGroup("both", [TimeoutError(), ExceptionGroup("inner", [ValueError("x"), ConnectionResetError()])])
    found = links(group)
    assert len({link.branch for link in found}) == len(found) == 3
    assert TRUNK not in {link.branch for link in found}


def test_one_permanent_member_makes_a_group_permanent():
    answer = classify(ExceptionGroup("both", [TimeoutError(), KeyError("slot")]))
    assert (answer.kind, answer.retryable, answer.max_retries) == (ErrorKind.PROGRAMMING_ERROR, False, 0)
    assert not classify(ExceptionGroup("both", [TimeoutError(), AppError("nobody knows")])).retryable
    assert classify(ExceptionGroup("both", [TimeoutError(), ConnectionResetError()])).retryable


def test_a_permanent_fact_below_a_network_error_forbids_the_retry():
    refused = AppError("no")
    refused.status_code = 401
    answer = classify(raised(TimeoutError(), refused, how="from"))
    assert not answer.retryable
    # Words and names are too little for that.
    assert classify(raised(TimeoutError(), ValueError("odd"), how="from")).kind is not ErrorKind.UNKNOWN


def test_nothing_was_sent_if_any_link_of_a_network_error_says_so():
    connect = type("ConnectError", (Exception,), {})("Connection reset by peer")
    assert not classify(raised(connect, ConnectionResetError(104, "reset"), how="from")).maybe_executed
    assert classify(ConnectionResetError(104, "reset")).maybe_executed


def test_words_say_that_nothing_was_sent_only_where_they_decide():
    slow = type("ReadTimeoutError", (Exception,), {})("Read timed out")
    outer = type("ConnectionTimeout", (Exception,), {})("Connection timed out")
    assert classify(raised(outer, slow, how="from")).maybe_executed
    assert not classify(AppError("connect timeout")).maybe_executed


def test_a_timeout_of_trio_is_no_cancellation():
    cancelled = type("Cancelled", (BaseException,), {"__module__": "trio"})()
    slow = type("TooSlowError", (Exception,), {"__module__": "trio"})()
    assert classify(raised(slow, cancelled, how="from")).kind is ErrorKind.NETWORK_TIMEOUT


def test_the_logged_signals_are_those_of_the_deciding_link():
    limited = AppError("limited")
    limited.status_code, limited.code = 429, "insufficient_quota"
    error = raised(RuntimeError("giving up"), limited, how="from")
    assert classify(signals_of(error)).rule == classify(error).rule == "code.quota"
