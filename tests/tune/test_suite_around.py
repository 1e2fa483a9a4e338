"""The suite is the same traffic in twelve conditions, at fixed times."""

import pytest

from relkit.exceptions import ParameterError
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.tune import around


def test_twelve_scenarios_differ_only_in_what_goes_wrong(chat: Scenario) -> None:
    suite = around(chat)
    assert len({each.name for each in suite}) == 12
    assert {each.changed(name="one", episodes=()) for each in suite} == {chat.changed(name="one")}
    assert [each.name for each in suite if not each.episodes] == ["healthy"]
    for each in suite[1:]:
        assert min(episode.start_s for episode in each.episodes) == pytest.approx(0.3 * chat.duration_s)
        assert max(episode.end_s for episode in each.episodes) < 0.5 * chat.duration_s


def test_every_trouble_is_felt(chat: Scenario, today) -> None:
    """Without a fallback each costs answers or time."""
    alone = today.__class__("alone", today.dated, today.source, today.breaker, today.retry, today.retry_budget)
    runs = {each.name: simulate(each, alone, 1) for each in around(chat)}
    healthy = runs["healthy"]
    for name, run in runs.items():
        worse = run.answered_share < healthy.answered_share or run.latency_s(0.95)[0] > healthy.latency_s(0.95)[0]
        assert worse or name == "healthy"


def test_trouble_must_end_within_the_run(chat: Scenario) -> None:
    with pytest.raises(ParameterError, match="shorten the trouble"):
        around(chat, bad_s=chat.duration_s)
