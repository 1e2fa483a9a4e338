"""A shadow arm on a Run: its harm is the one asked for, its turns are alike, its luck is keyed."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from relkit.batch import Batch
from relkit.exceptions import ParameterError
from relkit.period import Period
from relkit.policies.presets import presets
from relkit.simulation.pairs import ShadowArm, Stage, shadow_pairs
from relkit.simulation.run import Run, simulate
from relkit.simulation.sessions import Sessions
from relkit.simulation.suite import retrying, w0
from relkit.store import open_store, sink_into
from relkit.store.readings.shadow import experiment

HARM = ShadowArm("candidate", delta=-0.03, cost_factor_percent=125)


@pytest.fixture(scope="module")
def run() -> Run:
    scenario = w0(12_000).changed(timeout_s=4.0, sessions=Sessions(6.0, 60), episodes=())
    return simulate(scenario, retrying(2), 5, engine="oracle")


def exact_share(centre: float, sd: float) -> float:
    return float(integrate.quad(lambda x: stats.norm.pdf(x) / (1 + math.exp(-(centre + sd * x))), -12, 12)[0])


@pytest.mark.parametrize("delta", [-0.2, -0.03, 0.0, 0.02])
def test_the_expected_harm_is_exactly_what_was_asked_for(delta: float) -> None:
    """By another rule of integration than the one that solved it."""
    arm = ShadowArm("candidate", delta=delta)
    primary = exact_share(arm.intercept, arm.sd)
    shadow = (1 - arm.timeout_share) * exact_share(arm.intercept + arm.shift, arm.sd)
    assert shadow - primary == pytest.approx(delta, abs=1e-8)


def test_the_realised_harm_is_the_expected_one_over_many_seeds(run: Run) -> None:
    """20 seeds: the t statistic stays within the 1e-4 level, so a false alarm comes once in 10,000."""
    harms = []
    for seed in range(20):
        columns = shadow_pairs(run, HARM, seed)
        judged = [row for row, state in enumerate(columns["state"]) if state != "eligible"]
        difference = [int(columns["shadow_ok"][row]) - int(columns["primary_ok"][row]) for row in judged]
        harms.append(float(np.mean(difference)))
    assert stats.ttest_1samp(harms, HARM.delta).pvalue > 1e-4
    assert np.std(harms) < 0.02


def test_turns_of_a_session_are_alike_and_other_turns_are_not(run: Run) -> None:
    columns = shadow_pairs(run, HARM, 1)
    ok = np.array(columns["primary_ok"], dtype=float)
    session = np.unique(columns["session_id"], return_inverse=True)[1]
    sums, sizes = np.bincount(session, ok - ok.mean()), np.bincount(session)
    clustered = float((sums**2).sum() / (sizes * ok.var()).sum())
    assert clustered > 1.3, "the variance of session sums is well above that of independent turns"
    alone = shadow_pairs(run, ShadowArm("candidate", shared_sd=0.0, own_sd=0.0), 1)
    ok = np.array(alone["primary_ok"], dtype=float)
    sums = np.bincount(session, ok - ok.mean())
    assert 0.85 < float((sums**2).sum() / (sizes * ok.var()).sum()) < 1.15


def test_latency_cost_and_timeouts_are_the_arms_own(run: Run) -> None:
    columns = shadow_pairs(run, HARM, 2)
    flags = np.array([flag == "timeout" for flag in columns["shadow_flags"]])
    latency_us = np.array(columns["shadow_latency_us"])
    assert np.all(latency_us[flags] == 4_000_000)
    assert np.all(latency_us[~flags] < 4_000_000)
    assert abs(flags.mean() - HARM.timeout_share) < 5 * math.sqrt(HARM.timeout_share / len(flags))
    assert abs(np.median(latency_us) / 1e6 - HARM.latency_median_s) < 0.03
    both = np.log(latency_us[~flags]), np.log(np.array(columns["primary_latency_us"])[~flags])
    assert 0.4 < np.corrcoef(*both)[0, 1] < 0.6
    assert all(
        shadow is None or shadow == (primary * 125 + 50) // 100
        for shadow, primary in zip(columns["shadow_cost_microusd"], columns["primary_cost_microusd"], strict=True)
    )


def test_the_luck_of_a_turn_does_not_hang_on_what_else_is_mirrored(run: Run) -> None:
    whole = shadow_pairs(run, HARM, 3)
    part = shadow_pairs(run, ShadowArm("candidate", delta=-0.03, stages=(Stage(0.0, 0.3, 1), Stage(120.0, 0.6, 2))), 3)
    assert 0.3 < len(part["pair_id"]) / len(whole["pair_id"]) < 0.6
    answers = dict(zip(whole["request_id"], whole["shadow_ok"], strict=True))
    assert all(answers[request] == ok for request, ok in zip(part["request_id"], part["shadow_ok"], strict=True))
    assert set(part["step"]) == {1, 2}


def test_the_store_takes_the_pairs_and_adds_them_up(run: Run, tmp_path: Path) -> None:
    columns = shadow_pairs(run, HARM, 4, start_us=1_763_000_000_000_000)
    with open_store(tmp_path / "pairs.duckdb", write=True) as store:
        with sink_into(store, "simulated", "pairs") as sink:
            sink(Batch("pairs", columns))
        seen = experiment(store, Period("all", 0, 2_000_000_000_000_000), "candidate")
    assert seen.counts.n == len(columns["pair_id"])
    assert seen.counts.only_primary == sum(
        bool(one) and not other for one, other in zip(columns["primary_ok"], columns["shadow_ok"], strict=True)
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"timeout_share": 1.5}, "a share from 0 to 1"),
        ({"delta": 0.5}, "cannot be so much better"),
        ({"segments": (("en", 0.5),)}, "scale them"),
        ({"stages": (Stage(5.0, 0.5, 1),)}, "begin at 0"),
        ({"latency_correlation": 2.0}, "from -1 to 1"),
    ],
)
def test_an_arm_that_cannot_be_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        ShadowArm("candidate", **changes)  # type: ignore[arg-type]


def test_a_run_that_cannot_be_mirrored_is_refused() -> None:
    endless = simulate(w0(50), presets["plan-fixed"], 1, engine="oracle")
    with pytest.raises(ParameterError, match="give the scenario a timeout_s"):
        shadow_pairs(endless, HARM, 1)
