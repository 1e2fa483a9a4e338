"""Whatever an object does, classifying it never raises and answers within bounds."""

import asyncio
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relkit.errors import Classification, ErrorKind, classify
from relkit.errors.classifier import signals_of
from relkit.errors.reading.chain import MAX_LINKS, links

READ = (
    "status_code", "status", "response", "code", "body", "headers", "args", "reason", "inner_exception", "orig", "details",
    "trailing_metadata", "grpc_status_code", "errno", "sqlstate", "pgcode", "sqlite_errorname", "type", "error", "error_type", "kind",
    "last_attempt", "exceptions", "errors", "retry_after", "content", "meta", "resp", "http_status", "error_code", "domain",
)  # fmt: skip


def is_answer(answer):
    wait_s = answer.retry_after_s
    return isinstance(answer, Classification) and (wait_s is None or (math.isfinite(wait_s) and wait_s >= 0))


def hostile_classes():
    """Made inside a function, because collecting tests looks at the classes of a module."""

    class RaisesEverywhere(Exception):
        def __getattribute__(self, name):
            raise RuntimeError(name)

        def __str__(self):
            raise RuntimeError("no text")

        __repr__ = __str__

    class LiesAboutItsClass(Exception):
        @property
        def __class__(self):
            raise RuntimeError("no class")

    class Refuses(type):
        def __hash__(cls):
            raise RuntimeError("no hash")

        def __eq__(cls, other):
            raise RuntimeError("no comparison")

        @property
        def __name__(cls):
            raise RuntimeError("no name")

        @property
        def __module__(cls):
            raise RuntimeError("no module")

    class OfAnUnfriendlyClass(Exception, metaclass=Refuses):
        pass

    class ExitsWhenRead(Exception):
        @property
        def status_code(self):
            raise SystemExit(3)

        @property
        def response(self):
            raise asyncio.CancelledError

        def __str__(self):
            raise GeneratorExit

    class SpeaksInObjects(Exception):
        status_code = "LOADING"
        code = object()
        body = {1: {2: {}}, "error": ["x", None]}  # noqa: RUF012
        headers = {"retry-after": 1e400, None: 5, b"\xff": b"\xff"}  # noqa: RUF012

        def __str__(self):
            return 5

    class AnswersItself(Exception):
        def __getattr__(self, name):
            return self

        def __call__(self):
            return self

        def __iter__(self):
            return self

        def __next__(self):
            return self, self

    return {
        "raises everywhere": RaisesEverywhere, "lies about its class": LiesAboutItsClass, "of an unfriendly class": OfAnUnfriendlyClass,
        "exits when read": ExitsWhenRead, "speaks in objects": SpeaksInObjects, "answers itself": AnswersItself,
    }  # fmt: skip


HABITS = [
    "raises everywhere",
    "lies about its class",
    "of an unfriendly class",
    "exits when read",
    "speaks in objects",
    "answers itself",
]


@pytest.mark.parametrize("habit", HABITS)
def test_a_hostile_exception_is_unknown_and_not_retried(habit):
    kind = hostile_classes()[habit]
    for answer in (classify(kind("x")), classify(kind())):
        assert is_answer(answer)
        assert (answer.kind, answer.retryable) == (ErrorKind.UNKNOWN, False)
    assert signals_of(kind("x")).status is None


def test_ctrl_c_passes():
    class Interrupted(Exception):
        @property
        def status_code(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        classify(Interrupted())


def test_cycles_end():
    one, two = ValueError("one"), ConnectionResetError(104, "two")
    one.__cause__, two.__cause__ = two, one
    assert classify(one).kind is ErrorKind.NETWORK_ERROR
    one.__cause__ = one.inner_exception = one
    assert is_answer(classify(one))


def test_a_long_chain_is_read_to_its_twelfth_link():
    def chained(depth, last):
        outer = RuntimeError("top")
        error = outer
        for _ in range(depth):
            error.__cause__ = RuntimeError("below")
            error = error.__cause__
        error.__cause__ = last
        return outer

    assert len(links(chained(300, TimeoutError()))) == MAX_LINKS
    assert classify(chained(300, TimeoutError())).kind is ErrorKind.UNKNOWN
    assert classify(chained(MAX_LINKS - 2, TimeoutError())).kind is ErrorKind.NETWORK_TIMEOUT


def test_a_group_of_groups_ends():
    error = TimeoutError()
    for _ in range(300):
        error = ExceptionGroup("again", [error, TimeoutError()])
    answer = classify(error)
    assert (answer.kind, answer.retryable) == (ErrorKind.NETWORK_TIMEOUT, True)
    assert is_answer(classify(ExceptionGroup("wide", [TimeoutError()] * 10_000)))


def test_a_message_of_two_megabytes_is_read_to_its_first_4000_characters():
    started = time.process_time()
    answer = classify(RuntimeError("x" * 2_000_000 + " timed out"))
    assert answer.kind is ErrorKind.UNKNOWN
    assert len(signals_of(RuntimeError("timed out" + " y" * 1_000_000)).message) == 500
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    "value", [1e400, -1e400, math.nan, 10**400, "1e400", "9" * 5000, True, b"429", [], {}, "٤٢٩", "４２９"]
)
def test_a_status_that_is_none_is_no_status(value):
    error = RuntimeError("x")
    error.status_code = error.code = value
    assert signals_of(error).status in {None, 429 if value == b"429" else None}
    assert is_answer(classify(error))


def test_a_body_that_nests_for_ever_ends():
    body = deep = {}
    for _ in range(5_000):
        deep["error"] = {}
        deep = deep["error"]
    deep["error"] = body
    error = RuntimeError("x")
    error.body = body
    assert is_answer(classify(error))
    error.body = "[" * 60_000
    assert is_answer(classify(error))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=30)
    | st.sampled_from([ValueError("x"), TimeoutError(), int, len, object()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(READ), _VALUES, max_size=8),
    st.text(max_size=80),
    st.sampled_from([Exception, OSError, ValueError, BaseException]),
)
def test_no_attributes_make_it_raise(attributes, text, base):
    kind = type("Made", (base,), {name: value for name, value in attributes.items() if name != "args"})
    error = kind(text)
    if "args" in attributes:
        error.args = attributes["args"] if isinstance(attributes["args"], (list, tuple)) else (attributes["args"],)
    assert is_answer(classify(error))
    assert classify(signals_of(error)).rule is not None


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*READ, "message", "exception_type", "headers_json", "retry_after_s", "method"]), _VALUES
    )
)
def test_no_mapping_makes_it_raise(row):
    assert is_answer(classify(row))


@pytest.mark.parametrize("thrown", [None, 5, "timed out", object(), [], b"x", type, RuntimeError])
def test_what_is_no_exception_is_unknown(thrown):
    assert classify(thrown).kind is ErrorKind.UNKNOWN
