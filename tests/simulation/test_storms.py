"""Retry storms: closed forms, the moment of recovery, what the runs must show, and Ctrl-C."""

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.policies.retry_budget import PER_SUCCESS, RetryBudgetSettings
from relkit.simulation import storm_runs
from relkit.simulation.collect import collect
from relkit.simulation.run import simulate
from relkit.simulation.storm_runs import (
    STRATEGIES,
    amplification,
    cell,
    course,
    lessons,
    storm,
    storms,
    strategy,
    strategy_policy,
)
from relkit.simulation.storm_verdict import recommended, verdict_of
from relkit.simulation.storms import (
    NEVER,
    AcrossSeeds,
    Amplification,
    Storms,
    Strategy,
    across_seeds,
    answered_course,
    expected_attempts,
    most_attempts,
    most_safe_retries,
    recovery_s,
    stays_down,
)
from relkit.simulation.suite import retrying, w1, w_policy

LESSONS = lessons()
BUDGET = LESSONS["3 retries, budget of a tenth"]


@pytest.mark.parametrize(("share", "retries"), [(0.0, 3), (0.3, 1), (0.5, 3), (0.9, 5), (1.0, 4)])
def test_attempts_are_the_truncated_geometric_series(share: float, retries: int) -> None:
    closed = retries + 1 if share == 1.0 else (1.0 - share ** (retries + 1)) / (1.0 - share)
    assert expected_attempts(share, retries) == pytest.approx(closed, rel=1e-12)


def test_a_budget_filled_by_requests_has_a_cap_and_others_have_no_closed_form() -> None:
    assert BUDGET.retry_budget is not None
    assert most_attempts(BUDGET.retry_budget, 1000) == pytest.approx(1.0 + 0.1 + 50 / 1000)
    assert most_attempts(None, 1000) == math.inf
    assert most_attempts(RetryBudgetSettings(PER_SUCCESS), 1000) is None
    budgeted = Amplification("", 0.5, across_seeds([1.0]), 3, 1.15)
    assert budgeted.closed_form(0.01) == expected_attempts(0.01, 3)
    assert budgeted.closed_form(0.9) == 1.15
    assert replace(budgeted, most=None).closed_form(0.5) is None


def test_the_most_safe_retries_are_the_last_that_do_not_stay_down() -> None:
    for load in (0.05, 0.2, 0.25, 1 / 3, 0.5, 0.7, 0.99):
        safe = most_safe_retries(load)
        assert not stays_down(load * (1 - 1e-9), safe)
        assert stays_down(load, safe + 1)


def test_the_median_of_seeds_has_the_interval_of_its_rank_or_none() -> None:
    assert across_seeds([3.0, 1.0, 2.0]) == AcrossSeeds(2.0, None, None, 3)
    assert across_seeds([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]) == AcrossSeeds(3.5, 1.0, 6.0, 6)
    assert across_seeds([1.0, *[NEVER] * 5]) == AcrossSeeds(NEVER, 1.0, NEVER, 6)
    with pytest.raises(ParameterError, match="at least one"):
        across_seeds([])


def test_who_came_in_a_step_counts_in_it_whenever_the_answer_comes() -> None:
    came = np.array([0.5, 4.9, 5.0, 11.0, 99.0])
    assert answered_course(came, np.array([True, False, True, False, True]), steps=4) == [0.5, 1.0, 0.0, None]


def test_recovery_asks_for_a_whole_minute_and_an_empty_step_is_no_success() -> None:
    fine = [1.0] * 12
    assert recovery_s([0.0, 0.0, *fine], 0.0) == 10.0
    assert recovery_s([0.0, *[1.0] * 11, 0.94, *fine], 0.0) == 65.0
    assert recovery_s([0.0, *[1.0] * 6, None, *fine], 0.0) == 40.0
    assert recovery_s([1.0] * 11, 0.0) == NEVER
    assert recovery_s([0.0, *fine, *fine], 62.0) == 3.0, "counted from the end of the cause"


def test_measured_amplification_is_the_closed_form_within_luck() -> None:
    """3000 requests a seed: the standard error of tries a request is below 0.03; a false alarm in 10,000 at 4 of them."""
    for share, retries in ((0.3, 1), (0.5, 3), (0.9, 5)):
        found = amplification("x", retrying(retries), share, retries)
        assert found.closed_form(share) == pytest.approx(expected_attempts(share, retries))
        assert abs(found.attempts.median - expected_attempts(share, retries)) < 0.1
    capped = amplification("x", BUDGET, 0.9, 3)
    assert capped.most is not None
    assert capped.attempts.median <= capped.most + 1e-9
    assert capped.attempts.median > 1.1


def test_without_a_budget_the_storm_never_ends_and_a_breaker_ends_it_first() -> None:
    found = {name: course(name, policy, storm(0.7)) for name, policy in LESSONS.items()}
    well = {name: one.recovery for name, one in found.items()}
    assert well["3 retries"] == AcrossSeeds(NEVER, NEVER, NEVER, 6)
    assert well["3 retries, breaker"].median < well["no retries"].median < well["3 retries, budget of a tenth"].median
    assert well["3 retries, budget of a tenth"].median < NEVER
    before = [one.answered[step].median for one in found.values() for step in range(3)]
    assert min(before) > 0.99, "nothing is wrong before the trigger"
    assert max(found["3 retries"].sent_per_s) > 100.0
    assert max(found["3 retries, budget of a tenth"].sent_per_s) < 45.0, (
        "28 a second, a tenth more, and the store at once"
    )


@pytest.mark.parametrize(("load", "retries"), [(0.45, 1), (0.525, 1), (0.3, 2), (0.375, 2), (0.9, 0)])
def test_a_cell_is_stuck_where_load_times_tries_is_above_one(load: float, retries: int) -> None:
    found = cell(load, retries)
    assert found.agrees
    assert not found.is_on_the_line
    assert found.stuck == (6 if load * (1 + retries) > 1 else 0)


def test_each_strategy_of_the_page_is_a_preset_of_that_name() -> None:
    for name in STRATEGIES:
        policy = strategy_policy(name)
        assert policy.name == name
        assert policy.fallback is None
        assert policy.retry is not None


def test_the_plan_alone_feeds_the_storm_and_pays_for_it() -> None:
    theirs, ours = (strategy(name, strategy_policy(name), 0.7) for name in ("plan (retries alone)", "plan-fixed"))
    assert not theirs.always_recovers
    assert ours.always_recovers
    assert theirs.paid.median > 4.0
    assert 1.0 <= ours.paid.median < 1.1
    assert not theirs.has_budget
    assert ours.has_budget


def measured(
    name: str, answered: float, recovery: float = 25.0, *, budget: bool = True, tries: float = 1.1
) -> Strategy:
    def exactly(value: float) -> AcrossSeeds:
        return AcrossSeeds(value, value, value, 6)

    return Strategy(
        name, budget, False, exactly(answered), exactly(tries), exactly(1.0), exactly(1.0), exactly(recovery)
    )


NOTHING = measured("none", 0.9, budget=False, tries=1.0)


def study(*strategies: Strategy, runs: int = 3, wanted: int = 3) -> Storms:
    return Storms(0.7, 0.95, (), (), (), strategies, runs, wanted)


def test_the_recommended_one_has_a_budget_recovers_and_answers_most() -> None:
    found = study(
        NOTHING, measured("unlimited", 1.0, budget=False), measured("stuck", 1.0, NEVER), measured("less", 0.95), measured("most", 0.99),
    )  # fmt: skip
    best = recommended(found)
    assert best is not None
    assert best.policy == "most"
    verdict = verdict_of(found)
    assert (verdict.area, verdict.code, verdict.value) == ("tuning", "RECOMMENDED", 25.0)
    assert "1 of 5 strategies were not well within 230 s: stuck" in verdict.sentence


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (study(NOTHING, measured("stuck", 1.0, NEVER)), "Do not retry"),
        (study(NOTHING, measured("no better", 0.9)), "Do not retry"),
        (study(NOTHING, measured("unlimited", 1.0, budget=False)), "Do not retry"),
        (study(NOTHING, measured("fine", 1.0), runs=2, wanted=3), "Stopped early, after 2 of 3"),
    ],
)
def test_nothing_is_recommended_without_grounds(found: Storms, said: str) -> None:
    verdict = verdict_of(found)
    assert verdict.code == "REFUSED"
    assert verdict.sentence.startswith(said)
    assert verdict.value is None


def test_a_load_that_is_no_share_is_refused_before_anything_runs() -> None:
    for load in (0.0, 1.0, 70.0, math.nan):
        with pytest.raises(ParameterError, match="share between 0 and 1"):
            storms(load)


def test_ctrl_c_keeps_what_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third figure is interrupted within its simulation, as the kernel tells it: a run that is not complete."""
    played, told = [], []

    def play(*arguments: object, **named: object) -> object:
        run = simulate(*arguments, **named)  # type: ignore[arg-type]
        played.append(run)
        if len(played) == 5:
            object.__setattr__(run, "complete", False)
        return run

    monkeypatch.setattr(storm_runs, "simulate", play)
    found = storms(0.7, seeds=(1,), progress=lambda done, wanted: told.append((done, wanted)))
    assert (found.runs, found.complete) == (2, False)
    assert [one.policy for one in found.strategies] == list(STRATEGIES[:2])
    assert told == [(1, found.wanted), (2, found.wanted)]
    assert verdict_of(found).code == "REFUSED"


def test_work_ends_after_the_first_piece_that_is_not_whole() -> None:
    assert collect([lambda: 1, lambda: 2, lambda: 3], is_whole=lambda piece: piece != 2) == [1, 2]


def test_records_and_verdict_load_no_compiler() -> None:
    code = "import sys, relkit.simulation.storms, relkit.simulation.storm_verdict, relkit.plates; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_w1_leaves_no_breaker_stuck_and_few_failures() -> None:
    """Ten seeds; `make prove AREA=simulation` has a hundred."""
    for seed in range(1, 11):
        run = simulate(w1(), w_policy(), seed)
        assert 1.0 - run.answered_share < 0.06
        last = {int(row["model"]): (int(row["state"]), float(row["at_s"])) for row in run.transitions}
        end_s = float(run.requests["arrival_s"][-1])
        assert not [model for model, (state, at_s) in last.items() if state == 2 and at_s < end_s - 60.0]
