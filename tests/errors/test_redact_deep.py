"""Whole records: nothing gets by at any depth, nothing harmless is lost, and nothing raises."""

import enum
from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from secret_texts import CANARY, HOSTILE, KEPT, SECRETS

from relkit import redact
from relkit.errors.redact import RedactedError
from relkit.errors.redact.deep import CHARACTERS, CYCLE, ITEMS, NODES, REDACTED, TOO_DEEP, TOO_MANY

KEY = b"k" * 32


@dataclass(frozen=True, slots=True)
class Call:
    url: str
    api_key: str
    max_tokens: int
    nested: Any = None


@dataclass
class Checked:
    """A dataclass whose constructor looks at what it gets."""

    password: str
    kept: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.password == REDACTED:
            raise ValueError("no password")


Pair = namedtuple("Pair", "token count")  # noqa: PYI024  a plain one is what this is about


class Level(enum.Enum):
    FINE = "fine"
    LEAK = f"password={CANARY}"


def raised(text: str, note: str, cause: BaseException | None = None) -> BaseException:
    error = ValueError(text, {"detail": text})
    error.add_note(note)
    error.__cause__ = cause
    return error


POSITIONS = {
    "key": lambda secret: {secret: 1},
    "value": lambda secret: {"field": secret},
    "message": lambda secret: f"it failed: {secret}",
    "nested list": lambda secret: [1, [2, {"a": [secret]}]],
    "tuple": lambda secret: ("a", (secret, 3), 1),
    "set": lambda secret: {secret},
    "bytes": lambda secret: [secret.encode(), bytearray(secret.encode()), memoryview(secret.encode())],
    "dataclass": lambda secret: Call("/", "abc", 3, secret),
    "exception arg": lambda secret: raised(secret, ""),
    "cause": lambda secret: raised("a", "b", RuntimeError(secret)),
    "note": lambda secret: raised("a", secret),
    "group": lambda secret: ExceptionGroup("several", [RuntimeError(secret)]),
    "url": lambda secret: f"https://example.org/path?note={secret}",
    "header": lambda secret: {"headers": {"X-Anything": secret}},
    "header pairs": lambda secret: {"headers": [(b"x-anything", secret.encode())]},
    "path": lambda secret: Path("/tmp") / secret.replace("/", "_"),
    "deep": lambda secret: _nested(secret, 40),
    "long": lambda secret: "x" * CHARACTERS + " " + secret,
    "late": lambda secret: [0] * (2 * ITEMS) + [secret],
    "object": lambda secret: type("Thing", (), {"__repr__": lambda self: secret, "held": secret})(),
    "mapping": lambda secret: MappingProxyType({"a": OrderedDict(b=deque([secret]))}),
}  # fmt: skip


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_gets_by_in_any_place(position, secret):
    shown = repr(redact(POSITIONS[position](secret))).upper()
    assert CANARY.upper() not in shown


@pytest.mark.parametrize("name", ["password", "X-Api-Key", "openai_api_key", "accessToken", b"authorization"])
@pytest.mark.parametrize("value", [CANARY, CANARY.encode(), 1234567, [CANARY], {"a": CANARY}, ("a", CANARY)])
def test_all_that_stands_under_a_secret_name_goes(name, value):
    for record in ({name: value}, [(name, value)], {"name": name, "value": value}):
        clean = repr(redact(record))
        assert CANARY not in clean
        assert "1234567" not in clean


def test_counters_and_harmless_values_stay():
    record = {
        "max_tokens": 4096, "prompt_tokens": 12, "completion_tokens": 7, "token_count": 33048, "tokens_used": 5, "ok": True, "none": None,
        "share": 0.5, "at": datetime(2026, 11, 16, tzinfo=UTC), "id": UUID(int=7), "epoch_ms": 1_700_000_000_123, "path": Path("a/b"),
        "level": Level.FINE, "texts": KEPT, "raw": b"\xff\x00plain", "pair": ("retries", 3), "has_secret": True,
    }  # fmt: skip
    assert redact(record) == record


def test_makes_stay_and_constructors_are_not_asked():
    call = redact(Call("https://a.example/?q=1", "abc", 3))
    assert call == Call("https://a.example/?q=[redacted]", REDACTED, 3)
    checked = redact(Checked("hunter22", ["mail bob@example.org"]))
    assert isinstance(checked, Checked)
    assert (checked.password, checked.kept) == (REDACTED, ["mail [email]"])
    assert redact(Pair("abc", 3)) == Pair(REDACTED, 3)
    assert redact(frozenset({"a", "bob@example.org"})) == frozenset({"a", "[email]"})
    assert redact(bytearray(b"token=abc")) == b"token=[redacted]"
    assert redact(Level.LEAK) == REDACTED
    assert redact(4111111111111111) == "[card]"


def test_of_an_exception_what_may_be_kept_is_kept():
    clean = redact(raised("mail bob@example.org", "see token=abc", KeyError("x")))
    assert isinstance(clean, RedactedError)
    assert clean.exception_type == "ValueError"
    assert clean.args == ("mail [email]", {"detail": "mail [email]"})
    assert clean.notes == ("see token=[redacted]",)
    assert clean.cause.exception_type == "KeyError"


def test_people_become_names_that_can_be_joined():
    first = redact({"user_id": "jane", "session_id": 7, "calls": [{"userId": "jane"}]}, key=KEY)
    again = redact({"user_id": "jane"}, key=KEY)
    other = redact({"user_id": "jane"}, key=b"l" * 32)
    assert first["user_id"] == first["calls"][0]["userId"] == again["user_id"] != other["user_id"]
    assert first["user_id"] != first["session_id"]
    assert "jane" not in repr(first)


def test_two_names_that_become_one_stay_two():
    assert len(redact({"a@example.org": 1, "b@example.org": 2})) == 2


def test_headers_known_to_be_harmless_stay_and_names_of_parameters():
    headers = {"Retry-After": "20", "X-RateLimit-Remaining": "3", "Authorization": "x", "X-New": "y"}
    assert redact({"response_headers": headers}) == {
        "response_headers": {
            "Retry-After": "20",
            "X-RateLimit-Remaining": "3",
            "Authorization": REDACTED,
            "X-New": REDACTED,
        }
    }
    assert redact({"query": {"a": "1"}, "query_string": "a=1&b=2"}) == {
        "query": {"a": REDACTED}, "query_string": "a=[redacted]&b=[redacted]"
    }  # fmt: skip
    assert redact({"query": "select 1"}) == {"query": "select 1"}


def test_caps_replace_and_cycles_end():
    ring: list[Any] = [1]
    ring.append(ring)
    assert redact(ring) == [1, CYCLE]
    assert TOO_DEEP in repr(redact(_nested("a", 40)))
    assert redact("x" * (CHARACTERS + 1)) == f"[text of {CHARACTERS + 1} characters]"
    assert redact(b"x" * (CHARACTERS + 1)) == f"[{CHARACTERS + 1} bytes]".encode()
    assert len(redact(list(range(ITEMS)))) == ITEMS
    assert redact(list(range(ITEMS + 1)))[-1] == TOO_MANY
    many = [["a"] * 900] * 100
    assert sum(len(row) for row in redact(many) if isinstance(row, list)) < NODES + 900
    twice: Any = "bottom"
    for _ in range(14):  # 2 to the 14th leaves by 14 lists
        twice = [twice, twice]
    assert redact(twice) == redact(redact(twice))


class Hostile:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]


class HostileMapping(dict):
    def items(self):
        raise KeyError("items")


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("str")


class HostileText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("str")

    def lower(self) -> str:
        raise RuntimeError("lower")


HOSTILES = [
    Hostile(), [Hostile()], HostileMapping(a=1), HostileError("a"), HostileText(f"password={CANARY}"), {HostileText("a"): 1}, 10**5000,
    float("nan"), object, Hostile, (x for x in "ab"), "\ud800", b"\xff", range(10**9), {("a", 1): 2}, memoryview(b"abcd")[::2],
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(HOSTILES)))  # pytest itself would ask the values for their class
def test_nothing_raises(place):
    assert CANARY not in repr(redact(HOSTILES[place])) if place != 6 else redact(HOSTILES[place])


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), HOSTILE, st.sampled_from(SECRETS), st.binary(max_size=30),
    HOSTILE.map(lambda text: text.encode("utf-8", "replace")), HOSTILE.map(RuntimeError), st.builds(Call, HOSTILE, HOSTILE, st.integers(0, 9)),
)  # fmt: skip
_NAMES = st.one_of(
    HOSTILE, st.sampled_from(["headers", "query", "user_id", "password", "name", "value", "key", "email", "session"])
)
_RECORDS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(_NAMES, inner, max_size=4), st.tuples(_NAMES, inner), st.tuples(inner, inner, inner),
        st.builds(Call, _NAMES, _NAMES, st.integers(), inner),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(_RECORDS)
def test_redacting_a_record_twice_changes_nothing(record):
    once = redact(record, key=KEY)
    assert redact(once, key=KEY) == once
