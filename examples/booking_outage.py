"""Both booking agents through the same outage, in real time over real sockets: python -m examples.booking_outage."""

import time
from dataclasses import dataclass

from examples.booking_agent import SORRY, BareAgent, BookingAgent
from relkit.live.faults import OverTime, Spell, answer, failed
from relkit.live.pipeline import Pipeline
from relkit.live.upstream import Upstream
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_settings import Retry, RetrySettings

DOWN_S = (1.0, 5.0)
SECONDS, EVERY_S, FAILS_AFTER_S = 6.0, 0.05, 0.1
QUESTIONS = tuple(f"Is {day} at {hour} free?" for day in ("Monday", "Tuesday", "Friday") for hour in range(9, 13))
POLICY = Policy(
    "booking agent",
    "2026-11",
    "relkit: examples",
    BreakerSettings(failure_threshold=3, open_s=1.5),
    Retry.of(RetrySettings(max_attempts=2, first_delay_s=0.05, deadline_s=2.0)),
    fallback=FallbackSettings((FallbackModel("small", "one", 8192),)),
    freshness=FreshnessSettings(ttl_s=0.3, stale_on_error_s=3600.0),
)


@dataclass(frozen=True)
class Played:
    """What became of the messages: answered anew, from the cache, or with an apology; and what the outage cost."""

    answered: int
    kept: int
    sorry: int
    wasted_calls: int
    waited_s: float


def play(agent: BareAgent | BookingAgent, upstream: Upstream) -> Played:
    """Chat on for some seconds; in the middle of them the service fails every time."""
    said, waited_s, number = [], 0.0, 0
    while upstream.now_s < SECONDS:
        asked_s = upstream.now_s
        said.append(agent.chat("demo", QUESTIONS[number % len(QUESTIONS)]))
        if DOWN_S[0] <= asked_s < DOWN_S[1]:
            waited_s += upstream.now_s - asked_s
        number += 1
        time.sleep(EVERY_S)
    kept = sum(one.from_cache for one in said)
    sorry = sum(one.message == SORRY for one in said)
    wasted = sum(one.status != 200 for one in upstream.served)
    return Played(len(said) - kept - sorry, kept, sorry, wasted, waited_s)


def main() -> None:
    """Play both and print what became of their users."""
    script = OverTime((Spell(*DOWN_S, failed(503).after(FAILS_AFTER_S)),), usual=lambda _: answer("Yes, it is."))
    print("agent          answered  from cache  sorry  calls into the outage  users waited in it")
    for name in ("bare", "with Pipeline"):
        with Upstream(script) as upstream:
            bare = name == "bare"
            agent = BareAgent(upstream.url) if bare else BookingAgent(upstream.url, Pipeline(POLICY, service="chat"))
            seen = play(agent, upstream)
        print(
            f"{name:<14} {seen.answered:>8}  {seen.kept:>10}  {seen.sorry:>5}  {seen.wasted_calls:>21}  {seen.waited_s:>16.2f} s"
        )


if __name__ == "__main__":
    main()
