"""The plan's chaos tests, and a fifth, through `agent.chat` over real sockets; waits are instant in a rehearsal."""

import threading
import time

import pytest

from examples.booking_agent import SORRY, BareAgent, Said, ask
from relkit.live.answers import CallFailedError, CircuitOpenError, Request
from relkit.live.events import AttemptEvent, RetryEvent
from relkit.live.faults import Asked, Reply, Script, answer, failed, in_turn, limited, reset
from relkit.live.testing import rehearsal
from relkit.live.upstream import HOST, Upstream
from tests.chaos import FAULTS, MODELS, OPEN_S, THRESHOLD, agent_of, policy, state_of


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", HOST)  # urllib would take the loopback's calls to a proxy that the machine names


# The plan's first: an outage has an answer


@pytest.mark.parametrize("reply", FAULTS.values(), ids=FAULTS)
def test_in_an_outage_of_any_kind_the_user_gets_an_answer(reply: Reply) -> None:
    with Upstream(lambda _: reply) as upstream, rehearsal():
        said = agent_of(upstream).chat("s", "Is Tuesday free?")
        assert "temporarily unavailable" in said.message
        assert not said.from_cache
        assert upstream.calls >= 1


def test_a_refused_port_has_an_answer_too_and_all_is_well_when_it_is_back() -> None:
    with Upstream() as upstream, rehearsal() as seen:
        agent = agent_of(upstream)
        upstream.refuse()
        assert agent.chat("s", "Is Tuesday free?").message == SORRY
        assert {event.kind for event in seen.of(AttemptEvent)} == {"NETWORK_REFUSED"}
        upstream.accept()
        assert agent.chat("s", "Is Tuesday free?") == Said("ok")


# The plan's second: delays are those of the policy


def test_delays_grow_as_the_policy_says() -> None:
    script = in_turn([answer(delay_s=5.0), answer(delay_s=5.0)], then=answer("success"))
    with Upstream(script) as upstream, rehearsal() as seen:
        assert agent_of(upstream).chat("s", "Hello").message == "success"
        assert seen.waits_s == [1.0, 2.0]
        retries = [(event.attempt, event.most, event.next_wait_s, event.kind) for event in seen.of(RetryEvent)]
        assert retries == [(1, 3, 1.0, "NETWORK_TIMEOUT"), (2, 3, 2.0, "NETWORK_TIMEOUT")]
        assert upstream.calls == 3


def test_without_a_rehearsal_the_delays_are_real() -> None:
    with Upstream(in_turn([failed(500), failed(500)], then=answer())) as upstream:
        began_s = time.monotonic()
        agent_of(upstream, policy(first_delay_s=0.1)).chat("s", "Hello")
        first, second, third = (served.at_s for served in upstream.served)
        assert second - first >= 0.1
        assert third - second >= 0.2
        assert time.monotonic() - began_s >= 0.3


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
def test_a_retry_after_is_obeyed_in_both_forms(as_date: bool) -> None:
    with Upstream(in_turn([limited(20, as_date=as_date)], then=answer())) as upstream, rehearsal() as seen:
        assert agent_of(upstream).chat("s", "Hello") == Said("ok")
        (wait_s,) = seen.waits_s
        assert 15.0 <= wait_s <= 30.0, "never much earlier: a date is whole seconds, and it takes a moment to read it"


# The plan's third: after the threshold nothing is sent, and nobody waits


@pytest.mark.parametrize("reply", [failed(500), failed(503), reset()], ids=["500", "503", "reset"])
def test_a_chat_never_fails_while_its_pipeline_does_and_opens_at_the_threshold(reply: Reply) -> None:
    with Upstream(lambda _: reply) as upstream, rehearsal() as seen:
        agent = agent_of(upstream)
        request = Request(only_reads=True)
        for number in range(THRESHOLD):
            assert state_of(agent) == "closed" if number else True
            with pytest.raises(CallFailedError) as failure:
                agent.pipeline.call(ask, agent.url, "Hello", request=request)
            assert not isinstance(failure.value, CircuitOpenError)
        assert state_of(agent) == "open"
        sent, waited = upstream.calls, len(seen.waits_s)
        assert sent == 3 * THRESHOLD, "every call had its retries, and counted once"
        assert agent.chat("s", "Hello") == Said(SORRY), "the agent's user never sees the error"
        with pytest.raises(CircuitOpenError) as open_:
            agent.pipeline.call(ask, agent.url, "Hello", request=request)
        assert 0.0 < open_.value.retry_after_s <= OPEN_S
        assert (upstream.calls, len(seen.waits_s)) == (sent, waited), "no call, no sleep"


def test_it_closes_again_by_one_call_when_its_time_has_come() -> None:
    with Upstream(in_turn([failed(500)] * 15, then=answer())) as upstream, rehearsal() as seen:
        agent = agent_of(upstream)
        for _ in range(THRESHOLD + 3):
            assert agent.chat("s", "Hello") == Said(SORRY)
        assert upstream.calls == 15
        seen.advance(OPEN_S + 1.0)
        assert agent.chat("s", "Hello") == Said("ok")
        assert state_of(agent) == "closed"
        assert upstream.calls == 16


def test_many_chats_at_once_leave_no_permit_out() -> None:
    with Upstream(lambda asked: failed(500) if asked.number % 3 else answer()) as upstream, rehearsal():
        agent = agent_of(upstream, policy(MODELS))
        said: list[Said] = []
        threads = [
            threading.Thread(target=lambda name=f"m{n}": said.extend(agent.chat("s", f"{name} {k}") for k in range(10)))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(said) == 80
        assert {one.message for one in said} <= {"ok", SORRY}
        assert all(each.in_flight == 0 for each in agent.pipeline.registry.status())


# The plan's fourth: a known question keeps its answer


def test_a_known_question_gets_its_kept_answer_when_the_service_is_away() -> None:
    with Upstream(in_turn([answer("Good morning.")], then=failed(500))) as upstream, rehearsal() as seen:
        agent = agent_of(upstream)
        assert agent.chat("s", "Hello") == Said("Good morning.", from_cache=False)
        assert agent.chat("t", "hello") == Said("Good morning.", from_cache=True), "fresh: not even asked"
        assert upstream.calls == 1
        seen.advance(3600.0)
        assert agent.chat("s", "Hello") == Said("Good morning.", from_cache=True), "stale: after every try failed"
        assert upstream.calls == 4
        assert seen.of(AttemptEvent)[-1].degraded
        assert agent.chat("s", "Is Tuesday free?") == Said(SORRY), "what was never answered has no answer"
        seen.advance(86_400.0)
        assert agent.chat("s", "Hello") == Said(SORRY), "too old"


def test_a_booking_is_never_cached_nor_sent_twice_when_it_may_have_been_made() -> None:
    with (
        Upstream(in_turn([answer("Booked."), answer("late", delay_s=5.0)], then=answer("Booked."))) as upstream,
        rehearsal(),
    ):
        agent = agent_of(upstream)
        assert agent.chat("s", "Book Tuesday at nine") == Said("Booked.")
        assert agent.chat("s", "Book Tuesday at nine") == Said(SORRY), "it timed out: perhaps it was made"
        assert upstream.calls == 2
        assert agent.chat("s", "Book Tuesday at nine") == Said("Booked.")


# And a fifth: all models down


def by_model(replies: dict[str, Reply]) -> Script:
    def script(asked: Asked) -> Reply:
        return replies[asked.model]

    return script


def test_with_all_models_down_each_is_asked_and_the_first_cause_is_kept() -> None:
    replies = {"small": failed(500), "large": failed(503), "other": reset()}
    with Upstream(by_model(replies)) as upstream, rehearsal():
        agent = agent_of(upstream, policy(MODELS, max_attempts=2))
        assert agent.chat("s", "Hello") == Said(SORRY)
        assert [upstream.calls_of(model) for model in MODELS] == [2, 2, 2]
        with pytest.raises(CallFailedError) as failure:
            agent.pipeline.call(ask, agent.url, "Hello", request=Request(only_reads=True))
        found = failure.value
        assert [each.model for each in found.attempts] == ["small", "small", "large", "large", "other", "other"]
        assert getattr(found.cause, "code", None) == 500, "the error of the library itself"
        assert found.__cause__ is found.cause is found.attempts[0].cause
        assert found.kind == "NETWORK_ERROR", "an outer layer sees what failed last"


def test_with_all_models_down_every_breaker_opens_and_nothing_is_sent_any_more() -> None:
    with Upstream(lambda _: failed(503)) as upstream, rehearsal() as seen:
        agent = agent_of(upstream, policy(MODELS))
        for _ in range(THRESHOLD):
            assert agent.chat("s", "Hello") == Said(SORRY)
        assert [state_of(agent, model) for model in MODELS] == ["open"] * 3
        sent, waits = upstream.calls, len(seen.waits_s)
        for _ in range(20):
            assert agent.chat("s", "Hello") == Said(SORRY)
        assert (upstream.calls, len(seen.waits_s)) == (sent, waits)


def test_another_model_answers_while_the_first_is_down() -> None:
    with Upstream(by_model({"small": failed(503), "large": answer("Nine is free.")})) as upstream, rehearsal():
        agent = agent_of(upstream, policy(MODELS[:2]))
        assert [agent.chat("s", f"question {number}").message for number in range(20)] == ["Nine is free."] * 20
        assert upstream.calls_of("small") == 3 * THRESHOLD
        assert upstream.calls_of("large") == 20


# What it is compared with


def test_the_bare_agent_sends_every_call_into_the_outage() -> None:
    with Upstream(lambda _: failed(500)) as upstream:
        bare = BareAgent(upstream.url)
        assert {bare.chat("s", "Hello") for _ in range(30)} == {Said(SORRY)}
        assert upstream.calls == 30
