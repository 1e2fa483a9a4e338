"""Points of the chaos tests: the plan's four scenarios and a fifth, through `agent.chat` over real sockets."""

from itertools import pairwise
from pathlib import Path

from .point import Found, point


@point("live", "chaos: an outage of any kind has an answer")
def answers(folder: Path) -> Found:
    from relkit.live.testing import rehearsal  # noqa: PLC0415  pytest collects this module and must not pay for it
    from relkit.live.upstream import Upstream  # noqa: PLC0415
    from tests.chaos import FAULTS, agent_of  # noqa: PLC0415

    said: dict[str, str] = {}
    for name, reply in FAULTS.items():
        with Upstream(lambda _, reply=reply: reply) as upstream, rehearsal():
            said[name] = agent_of(upstream).chat("s", "Is Tuesday free?").message
    with Upstream() as upstream, rehearsal():
        upstream.refuse()
        said["refused port"] = agent_of(upstream).chat("s", "Is Tuesday free?").message
    told = [name for name, message in said.items() if "temporarily unavailable" in message]
    figure = f"{len(told)} of {len(said)} faults: {', '.join(told)}"
    return Found('an answer with "temporarily unavailable"', figure, len(told) == len(said) == 9)


@point("live", "chaos: delays as configured")
def delays(folder: Path) -> Found:
    from relkit.live.faults import answer, in_turn, limited  # noqa: PLC0415
    from relkit.live.testing import rehearsal  # noqa: PLC0415
    from relkit.live.upstream import Upstream  # noqa: PLC0415
    from tests.chaos import agent_of, policy  # noqa: PLC0415

    script = in_turn([answer(delay_s=5.0), answer(delay_s=5.0)], then=answer())
    with Upstream(script) as upstream, rehearsal() as seen:
        agent_of(upstream).chat("s", "Hello")
        grown = list(seen.waits_s)
    told = []
    for as_date in (False, True):
        with Upstream(in_turn([limited(20, as_date=as_date)], then=answer())) as upstream, rehearsal() as seen:
            agent_of(upstream).chat("s", "Hello")
            told += seen.waits_s
    with Upstream(in_turn([limited(0), limited(0)], then=answer())) as upstream:
        agent_of(upstream, policy(first_delay_s=0.1)).chat("s", "Hello")
        at_s = [each.at_s for each in upstream.served]
    real = [round(after - before, 3) for before, after in pairwise(at_s)]
    figure = f"after two timeouts {grown} s; after Retry-After 20 {told[0]:.1f} s, as a date {told[1]:.1f} s; unskipped {real} s"
    holds = grown == [1.0, 2.0] and len(told) == 2 and all(18.0 <= each <= 25.0 for each in told)
    return Found(
        "1 s and 2 s as set; 20 s in both forms; real waits of at least 0.1 and 0.2 s",
        figure,
        holds and real[0] >= 0.1 and real[1] >= 0.2,
    )


@point("live", "chaos: nothing is sent after the threshold")
def threshold(folder: Path) -> Found:
    from relkit.live.answers import CircuitOpenError, Request  # noqa: PLC0415
    from relkit.live.faults import failed  # noqa: PLC0415
    from relkit.live.testing import rehearsal  # noqa: PLC0415
    from relkit.live.upstream import Upstream  # noqa: PLC0415
    from tests.chaos import THRESHOLD, agent_of, state_of  # noqa: PLC0415

    with Upstream(lambda _: failed(500)) as upstream, rehearsal() as seen:
        agent = agent_of(upstream)
        for _ in range(THRESHOLD):
            agent.chat("s", "Hello")
        state, sent, waits = state_of(agent), upstream.calls, len(seen.waits_s)
        for _ in range(100):
            agent.chat("s", "Hello")
        more, slept = upstream.calls - sent, len(seen.waits_s) - waits
        try:
            agent.pipeline.call(lambda model: None, request=Request(only_reads=True))
            raised = "nothing"
        except CircuitOpenError as error:
            raised = f"CircuitOpenError, {error.retry_after_s:.0f} s to wait"
    figure = f"{state} after {THRESHOLD} chats and {sent} calls; in the next 100 {more} calls and {slept} sleeps; raised: {raised}"
    return Found(
        "open after 5 calls; no upstream call, no sleep",
        figure,
        (state, more, slept) == ("open", 0, 0) and raised.startswith("Circuit"),
    )


@point("live", "chaos: a cached answer says so")
def cached(folder: Path) -> Found:
    from relkit.live.faults import answer, failed, in_turn  # noqa: PLC0415
    from relkit.live.testing import rehearsal  # noqa: PLC0415
    from relkit.live.upstream import Upstream  # noqa: PLC0415
    from tests.chaos import agent_of  # noqa: PLC0415

    with Upstream(in_turn([answer("Good morning.")], then=failed(500))) as upstream, rehearsal() as seen:
        agent = agent_of(upstream)
        first = agent.chat("s", "Hello")
        seen.advance(3600.0)
        later, other = agent.chat("s", "Hello"), agent.chat("s", "Book Tuesday at nine")
    figure = f"first from_cache {first.from_cache}; in the outage {later.message!r} from_cache {later.from_cache}; a booking: {other.message[:33]!r}"
    holds = not first.from_cache and later.from_cache and later.message == first.message and not other.from_cache
    return Found("the old answer with from_cache; a booking never", figure, holds)


@point("live", "chaos: all models down")
def all_down(folder: Path) -> Found:
    from examples.booking_agent import ask  # noqa: PLC0415
    from relkit.live.answers import CallFailedError, Request  # noqa: PLC0415
    from relkit.live.faults import failed, reset  # noqa: PLC0415
    from relkit.live.testing import rehearsal  # noqa: PLC0415
    from relkit.live.upstream import Upstream  # noqa: PLC0415
    from tests.chaos import MODELS, agent_of, policy  # noqa: PLC0415

    replies = dict(zip(MODELS, (failed(500), failed(503), reset()), strict=True))
    with Upstream(lambda asked: replies[asked.model]) as upstream, rehearsal():
        agent = agent_of(upstream, policy(MODELS, max_attempts=2))
        message = agent.chat("s", "Hello").message
        try:
            agent.pipeline.call(ask, agent.url, "Hello", request=Request(only_reads=True))
            return Found("it fails", "it was answered", holds=False)
        except CallFailedError as error:
            found = error
        for _ in range(3):
            agent.chat("s", "Hello")
        sent = upstream.calls
        for _ in range(100):
            agent.chat("s", "Hello")
        more = upstream.calls - sent
    first = found.attempts[0].cause
    status = getattr(first, "code", None)
    figure = (
        f"{message[:33]!r}; {len(found.attempts)} attempts on {len({each.model for each in found.attempts})} models, first cause "
        f"{type(first).__name__} {status}, last {found.kind}; {more} calls in 100 chats once all are open"
    )
    holds = "temporarily unavailable" in message and found.__cause__ is first and status == 500
    return Found(
        "an answer; the first cause kept; then nothing is sent",
        figure,
        holds and len(found.attempts) == 6 and more == 0,
    )
