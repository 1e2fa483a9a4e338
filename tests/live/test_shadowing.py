"""Shadowing: a shadow never slows, fails or changes a call, and each pair is of one request, whatever runs beside it."""

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from scipy.stats import binom

from relkit.exceptions import ParameterError
from relkit.live.answers import Offered, Primary, Request
from relkit.live.events import Event, PairEvent
from relkit.live.pairing import Reading
from relkit.live.pipeline import Pipeline
from relkit.live.shadowing import Mirror
from relkit.policies.presets import presets
from relkit.shadow.assign import is_assigned
from relkit.shadow.compare import Comparison

READS = Request(only_reads=True, session_id="s1")


def offered(number: int = 1, request: Request = READS, *args: Any) -> Offered:
    return Offered(f"r{number}", 1_000_000 + number, request, args or (number,), {})


def primary(value: Any = None, *, ok: bool | None = True, **more: Any) -> Primary:
    return Primary(ok, value, "" if ok else "API_SERVER_ERROR", "llama-3", 120_000, **more)


class Told:
    """A mirror and the pairs it told."""

    def __init__(self, call: Callable[..., Any], **options: Any) -> None:
        self.pairs: list[PairEvent] = []
        self.mirror = Mirror(call, **{"experiment": "llama-4", "share": 1.0, "record": self.take} | options)

    def take(self, event: Event) -> None:
        assert isinstance(event, PairEvent)
        self.pairs.append(event)

    def one(self, value: Any, ended: Primary | None = None) -> PairEvent:
        """Mirror one call and return its pair."""
        finish = self.mirror.offer(offered())
        assert finish is not None
        finish(ended or primary(value))
        assert self.mirror.close(10)
        (pair,) = self.pairs
        return pair


async def echo(number: int) -> int:
    await asyncio.sleep(0)
    return number


@pytest.mark.parametrize("call", [lambda number: {"action": "book", "room": number}, None], ids=["plain", "async"])
def test_a_pair_says_who_answered_what_and_whether_it_differs(call: Callable[..., Any] | None):
    async def shadow(number: int) -> dict[str, Any]:
        return {"action": "book", "room": number}

    same = Told(call or shadow).one({"action": "book", "room": 1})
    assert (same.state, same.differs, same.primary_ok, same.shadow_ok, same.experiment) == (
        "compared",
        False,
        True,
        True,
        "llama-4",
    )
    assert (same.request_id, same.session_id, same.at_us, same.primary_variant, same.shadow_variant) == (
        "r1",
        "s1",
        1_000_001,
        "llama-3",
        "shadow",
    )
    assert (same.primary_action, same.shadow_action, same.primary_latency_us) == ("book", "book", 120_000)
    assert same.shadow_latency_us is not None
    assert same.primary_first is not None
    assert Told(call or shadow).one({"action": "ask", "room": 1}).differs is True
    only_action = Told(call or shadow, rules=Comparison(action="$.action"))
    assert only_action.one({"action": "book", "room": 99}).differs is False


def test_a_shadow_that_raises_has_answered_badly_and_one_that_is_late_has_not_answered():
    def broken(number: int) -> None:
        raise SystemExit("even this")

    async def late(number: int) -> None:
        await asyncio.sleep(30)

    bad = Told(broken).one({})
    assert (bad.state, bad.primary_ok, bad.shadow_ok, bad.differs) == ("answered", True, False, None)
    missing = Told(late, timeout_s=0.05).one({})
    assert (missing.state, missing.shadow_ok, missing.differs) == ("mirrored", None, None)


def test_a_primary_that_failed_is_a_pair_and_one_that_was_given_up_is_none():
    failed = Told(lambda number: {}).one(None, primary(ok=False))
    assert (failed.state, failed.primary_ok, failed.shadow_ok, failed.differs) == ("answered", False, True, None)
    for _ in range(8):  # whichever of the two was to be first
        told = Told(lambda number: {})
        finish = told.mirror.offer(offered())
        finish(primary(ok=None))
        assert told.mirror.close(10)
        assert told.pairs == []
        assert (told.mirror.status.given_up, told.mirror.status.in_flight) == (1, 0)


def test_what_an_answer_means_is_read_by_the_caller_and_an_unreadable_one_is_bad():
    def read(value: Any) -> Reading:
        return Reading(value["text"].lower(), value["do"], value["fine"], "polite", value["text"], 130)

    told = Told(lambda number: {"text": "HELLO", "do": "greet", "fine": True}, read=read)
    pair = told.one(
        {"text": "hello", "do": "greet", "fine": False},
        primary({"text": "hello", "do": "greet", "fine": False}, degraded=True),
    )
    assert (pair.differs, pair.primary_ok, pair.shadow_ok) == (False, False, True)
    assert (pair.primary_flags, pair.shadow_flags, pair.primary_body, pair.shadow_body) == (
        "polite,degraded",
        "polite",
        "hello",
        "HELLO",
    )
    assert (pair.primary_cost_microusd, pair.shadow_cost_microusd) == (130, 130)
    unread = Told(lambda number: "no mapping", read=read).one({"text": "x", "do": "y", "fine": True})
    assert (unread.state, unread.shadow_ok, unread.differs) == ("answered", False, None)


def test_only_the_share_takes_part_it_stays_by_session_and_a_larger_share_only_adds():
    def taking_part(share: float) -> set[str]:
        told = Told(lambda number: number, share=share, key="k")
        for number in range(600):
            told.mirror.offer(offered(number, Request(session_id=f"s{number % 200}")))(primary(number))
        assert told.mirror.close(20)
        states = {pair.session_id: pair.state for pair in told.pairs}
        assert len(told.pairs) == 600
        assert Counter(pair.session_id for pair in told.pairs) == dict.fromkeys(states, 3)
        assert all(states[pair.session_id] == pair.state for pair in told.pairs), "a session stays where it is"
        return {str(session) for session, state in states.items() if state == "compared"}

    small, large = taking_part(0.1), taking_part(0.4)
    assert small < large
    assert small == {f"s{number}" for number in range(200) if is_assigned(f"s{number}", "k", 0.1)}


def test_a_coin_says_whether_the_shadow_waits_for_the_primary():
    """The gate calls an order that a fair coin would not give invalid; this fails one time in 10,000."""
    called: list[int] = []
    told = Told(called.append, workers=1)
    finishes = [told.mirror.offer(offered(number)) for number in range(400)]
    limit_s = time.monotonic() + 20
    while told.mirror._crew._jobs.qsize() and time.monotonic() < limit_s:  # type: ignore[attr-defined]
        time.sleep(0.01)
    at_once = set(called)
    for number, finish in enumerate(finishes):
        finish(primary(number))
    assert told.mirror.close(20)
    waited = {int(pair.request_id[1:]) for pair in told.pairs if pair.primary_first}
    assert at_once.isdisjoint(waited)
    assert len(at_once) + len(waited) in {399, 400}  # one may have been in work
    low, high = binom.ppf([0.00005, 0.99995], 400, 0.5)
    assert low <= len(waited) <= high


def test_some_pairs_ask_the_primary_twice_and_only_what_reads_is_asked_twice():
    again: list[int] = []

    def second(number: int) -> dict[str, int]:
        again.append(number)
        return {"n": number, "noise": len(again)}

    told = Told(lambda number: {"n": number, "noise": 0}, primary=second, baseline_share=0.5, capacity=400)
    for number in range(200):
        told.mirror.offer(offered(number))(primary({"n": number, "noise": 0}))
    for number in range(200, 400):
        told.mirror.offer(offered(number, Request()))(primary({"n": number, "noise": 0}))
    assert told.mirror.close(20)
    asked = {int(pair.request_id[1:]) for pair in told.pairs if pair.differs_baseline is not None}
    assert asked == set(again) <= set(range(200))
    assert 60 <= len(asked) <= 140
    assert all(pair.differs is False for pair in told.pairs)
    assert all(pair.differs_baseline for pair in told.pairs if pair.differs_baseline is not None)


def test_a_full_queue_drops_and_counts_and_never_waits():
    go = threading.Event()
    told = Told(lambda number: go.wait(30), capacity=10, workers=2)
    for number in range(100):
        told.mirror.offer(offered(number))(primary(True))
    assert (told.mirror.dropped, told.mirror.status.in_flight, told.mirror.status.mirrored) == (90, 10, 10)
    assert Counter(pair.state for pair in told.pairs) == {"eligible": 90}
    assert told.mirror.close(0.01) is False
    go.set()
    assert told.mirror.close(10) is True
    assert told.mirror.offer(offered()) is None


def test_what_cannot_be_copied_is_not_mirrored_and_what_changes_later_is_not_seen():
    unmirrored = Told(lambda lock: 1)
    unmirrored.mirror.offer(offered(1, READS, threading.Lock()))(primary(1))
    assert (unmirrored.mirror.dropped, unmirrored.pairs[0].state) == (1, "eligible")
    for _ in range(8):
        messages, answer = ["hello"], {"said": ["hello"]}
        told = Told(lambda texts: {"said": list(texts)})
        finish = told.mirror.offer(offered(1, READS, messages))
        messages.append("and more")
        finish(primary(answer))
        answer["said"].append("changed")
        assert told.mirror.close(10)
        assert told.pairs[0].differs is False


def test_the_share_is_asked_beside_the_calls_and_its_last_word_stands():
    answers: Iterator[Any] = iter([(0.0, None), (1.0, 2), RuntimeError("locked"), RuntimeError("locked")])

    def share() -> tuple[float, int | None]:
        found = next(answers, RuntimeError("over"))
        if isinstance(found, Exception):
            raise found
        return found

    told = Told(lambda number: number, share=share, asked_every_s=0.01)
    limit_s = time.monotonic() + 20
    while told.mirror.status.share_failures < 2 and time.monotonic() < limit_s:
        time.sleep(0.01)
    assert (told.mirror.status.share, told.mirror.status.step) == (1.0, 2)
    told.mirror.offer(offered())(primary(1))
    assert told.mirror.close(10)
    assert (told.pairs[0].state, told.pairs[0].step) == ("compared", 2)


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
def test_no_pair_of_many_concurrent_calls_is_mismatched(is_async: bool):
    """Through the pipeline, primaries and shadows of both makes; 20,000 in `make prove`."""
    told, calls = (
        Told(
            echo if is_async else lambda number: number,
            capacity=4_000,
            primary=echo if is_async else abs,
            baseline_share=0.2,
        ),
        1_500,
    )
    pipeline = Pipeline(presets["plan-fixed"], shadow=told.mirror)

    def request(number: int) -> Request:
        return Request(only_reads=True, request_id=f"r{number}", session_id=f"s{number % 30}")

    if is_async:

        async def everything() -> None:
            answers = await asyncio.gather(
                *(pipeline.acall(echo, number, request=request(number)) for number in range(calls))
            )
            assert [answer.value for answer in answers] == list(range(calls))

        asyncio.run(everything())
    else:
        with ThreadPoolExecutor(8) as pool:
            assert [
                answer.value for answer in pool.map(lambda n: pipeline.call(abs, n, request=request(n)), range(calls))
            ] == list(range(calls))
    assert told.mirror.close(30)
    assert told.mirror.dropped == 0
    assert sorted(str(pair.request_id) for pair in told.pairs) == sorted(f"r{number}" for number in range(calls))
    assert len({pair.pair_id for pair in told.pairs}) == calls
    assert {pair.differs for pair in told.pairs} == {False}
    assert {pair.differs_baseline for pair in told.pairs} == {False, None}


def test_a_mirror_that_breaks_breaks_no_call():
    def record(event: Event) -> None:
        raise RuntimeError("no journal")

    mirror = Mirror(lambda number: number, experiment="x", share=1.0, record=record)
    pipeline = Pipeline(presets["plan-fixed"], shadow=mirror)
    assert pipeline.call(abs, -1, request=READS).value == 1
    assert mirror.close(10)
    assert mirror.status.in_flight == 0


def test_a_forked_process_mirrors_on_its_own():
    told = Told(lambda number: number)
    told.one(1)
    told = Told(lambda number: number)
    child = os.fork()
    if not child:
        told.mirror.offer(offered())(primary(1))
        os._exit(0 if told.mirror.close(10) and len(told.pairs) == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    told.one(1)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"capacity": 0}, "capacity"),
        ({"workers": 0}, "workers"),
        ({"share": 1.5}, "share"),
        ({"share": lambda: 2.0}, "share"),
        ({"baseline_share": -0.1, "primary": abs}, "baseline_share"),
        ({"baseline_share": 0.1}, "primary"),
        ({"primary": abs}, "primary"),
        ({"primary": echo, "baseline_share": 0.1}, "primary"),
        ({"key": "x" * 65}, "key"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], name: str):
    with pytest.raises(ParameterError, match=name):
        Mirror(abs, **{"experiment": "x", "share": 0.1} | options)
