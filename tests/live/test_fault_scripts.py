"""The fault scripts of the proof in real time, in small: what must be seen live and simulated, without a sharp clock."""

import asyncio

import pytest

from tests.fault_scripts import SCRIPTS, candidates, live, scenario, simulated

TIMES = {"start_s": 0.3, "end_s": 2.3, "length_s": 2.5}
POLICY = next(each for each in candidates() if each.name == "10% of 50, 3 s")


def test_a_refused_port_opens_the_breaker_live_as_simulated() -> None:
    (played,) = simulated("outage", POLICY, [1], **TIMES)
    lived = asyncio.run(live("outage", POLICY, 1, **TIMES))
    for seen in (played, lived):
        assert seen.opened_s < TIMES["end_s"] - TIMES["start_s"], "it opens while the port is refused"
        # Open for 3 s it stays open: of 400 requests of two tries each it loses those alone that were out before.
        assert 5 <= seen.wasted <= 400


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_says_the_same_to_both(name: str) -> None:
    (episode,) = scenario(name, **TIMES).episodes
    assert (episode.start_s, episode.end_s, episode.where) == (0.3, 2.3, "small")
