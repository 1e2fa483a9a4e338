"""Replies and scripts of the pretended service: what each says, and which request each meets."""

from collections.abc import Callable

import pytest

from relkit.exceptions import ParameterError
from relkit.live.faults import Asked, OverTime, Reply, Spell, answer, cut, failed, in_turn, limited, slow


def asked(number: int = 1, at_s: float = 0.0, body: bytes = b"") -> Asked:
    return Asked(number, at_s, "POST", "/", body)


def test_a_script_in_turn_gives_each_reply_once_and_then_always_the_last() -> None:
    script = in_turn([failed(500), limited(3)], then=answer())
    assert [script(asked(number)).status for number in range(1, 6)] == [500, 429, 200, 200, 200]


@pytest.mark.parametrize(
    ("wait_s", "now_s", "told"),
    [(0, 0.0, "00:00:00"), (1.5, 0.0, "00:00:02"), (20, 0.4, "00:00:21"), (3600, 59.0, "01:00:59")],
)
def test_a_date_is_never_earlier_than_the_wait(wait_s: float, now_s: float, told: str) -> None:
    assert f"Retry-After: Thu, 01 Jan 1970 {told} GMT\r\n".encode() in limited(wait_s, as_date=True).head(now_s)


def test_a_script_by_the_clock_takes_the_first_spell_that_meets_the_request() -> None:
    draws = iter([0.5, 0.2, 0.2])
    script = OverTime(
        (Spell(0.0, 10.0, failed(500), share=0.3), Spell(5.0, 9.0, limited(), model="small")), draw=lambda: next(draws)
    )
    small = b'{"model": "small"}'
    assert script(asked(1, 6.0, small)).name == "limited"
    assert script(asked(2, 6.0, small)).name == "failed_500"
    assert script(asked(3, 12.0, small)).name == "answer"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Reply("x", status=42),
        lambda: answer(delay_s=-1.0),
        lambda: answer(delay_s=float("nan")),
        lambda: slow(1e9),
        lambda: cut(1.5),
        lambda: limited(float("inf")),
        lambda: Spell(2.0, 1.0, failed()),
        lambda: Spell(0.0, 1.0, failed(), share=2.0),
    ],
)
def test_what_cannot_be_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ParameterError):
        wrong()


def test_a_body_that_is_no_json_object_names_no_model() -> None:
    assert [Asked(1, 0.0, "POST", "/", body).model for body in (b"", b"\xff", b"[1]", b'{"model": 3}')] == [
        "",
        "",
        "",
        "3",
    ]
