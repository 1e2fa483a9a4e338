"""Live = simulated: a Pipeline and the simulator's clients make the same decisions on the same luck, bit for bit."""

from collections import Counter

import pytest
from lockstep import InTask, InThread, LiveOracle, compare, script

from relkit.policies.codes import FAMILIES
from relkit.policies.retry_budget import BUDGETS
from relkit.simulation.workload import ENDS

SCRIPTS = 60


def test_random_scripts_come_out_the_same_and_use_everything() -> None:
    families: Counter[str] = Counter()
    budgets: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    retried = hinted = moved = 0
    for seed in range(SCRIPTS):
        scenario, policy, carrier = script(seed, 60)
        try:
            live = compare(scenario, policy, seed, carrier)
        except AssertionError as error:
            raise AssertionError(f"script {seed} ({carrier.__name__}): {error}") from error
        if live is None:
            continue
        ends.update(ENDS[row[4]] for row in live.results)
        if policy.breaker is not None and live.transitions:
            families[FAMILIES[policy.breaker.family]] += 1
        if policy.retry_budget is not None:
            budgets[BUDGETS[policy.retry_budget.budget_family]] += 1
        for answer in live.answers.values():
            retried += len(answer.waits_s)
            hinted += sum(
                each.classification is not None and each.classification.retry_after_s is not None
                for each in answer.attempts
            )
            moved += len({each.model for each in answer.attempts}) > 1
    # A comparison of scripts in which nothing happens would prove nothing.
    assert len(families) >= 6, families
    assert len(budgets) >= 5, budgets
    assert set(ends) == set(ENDS), ends
    assert min(retried, hinted, moved) > 100, (retried, hinted, moved)


@pytest.mark.parametrize("carrier", [InTask, InThread])
def test_another_draw_is_seen(carrier: "type[InTask | InThread]", monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison's own check: with a jitter that is off by a millionth the scripts differ."""
    draw = LiveOracle._draw
    monkeypatch.setattr(
        LiveOracle, "_draw", lambda self, purpose, *where: draw(self, purpose, *where) + (purpose == "wait") * 1e-6
    )
    differing = 0
    for seed in range(24):
        scenario, policy, _ = script(seed, 30)
        if policy.breaker is not None and policy.breaker.timeout_s > 0.0:
            continue
        try:
            compare(scenario, policy, seed, carrier)
        except AssertionError:
            differing += 1
    assert differing >= 3
