"""The parts of a scenario do what they say: token limits, cut streams, herds, sessions, bursts."""

from dataclasses import replace

import numpy as np
import pytest

from relkit.errors import ErrorKind
from relkit.errors.kinds import ADVICE
from relkit.exceptions import ParameterError
from relkit.policies.policy import Policy
from relkit.simulation.arrivals import held, poisson, replayed
from relkit.simulation.episodes import bursts, cut, outage, recovering, stretches
from relkit.simulation.latency import constant
from relkit.simulation.run import Run, simulate
from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel
from relkit.simulation.sessions import Sessions, sessions_of
from relkit.simulation.tokens import Tokens, billed, counts_of
from relkit.simulation.workload import workload_of

MODEL = ServedModel("m", "p", constant(1.0))
ONCE = Policy("once", "2026-11", "test")


def played(scenario: Scenario, policy: Policy = ONCE, seed: int = 1) -> Run:
    return simulate(scenario, policy, seed, keep_attempts=True, engine="oracle")


def test_tokens_of_a_minute_are_counted_and_beyond_them_it_is_429_until_the_next() -> None:
    tokens = Tokens(100.0, 0.0, 50.0, 0.0)
    limited = replace(MODEL, tokens_per_minute=600)
    times_s = [float(second) for second in range(0, 120, 6)]
    run = played(Scenario("limit", 20, replayed(times_s), (limited,), tokens=tokens))
    assert run.requests["kind"].tolist() == ([0] * 4 + [5] * 6) * 2, "four of 150 tokens fit into 600"
    huge = replace(MODEL, tokens_per_minute=10)
    run = played(Scenario("huge", 20, replayed(times_s), (huge,), tokens=tokens))
    assert run.counts["fresh"] == 2, "what is larger than the limit is let in where it is the first of its minute"


def test_limits_and_prices_of_tokens_need_tokens() -> None:
    with pytest.raises(ParameterError, match="say how many tokens"):
        Scenario("s", 1, poisson(1.0), (replace(MODEL, tokens_per_minute=10),))


def test_tokens_are_lognormal_and_billed_by_their_price() -> None:
    """Means of the logarithm within 5 standard errors: a false alarm in 10^6 runs."""
    tokens = Tokens(900.0, 0.5, 120.0, 0.6)
    asked, answered = (np.array(counts) for counts in counts_of(tokens, 3, 20_000))
    for counts, median, sigma in ((asked, 900.0, 0.5), (answered, 120.0, 0.6)):
        logs = np.log(counts / median)
        assert abs(logs.mean()) < 5 * sigma / 20_000**0.5
        assert abs(logs.std() / sigma - 1) < 0.03
    dear = replace(MODEL, cost_microusd=7, input_usd_per_million=0.59, output_usd_per_million=0.79)
    run = played(Scenario("s", 50, poisson(5.0), (dear,), tokens=tokens), seed=3)
    assert run.requests["cost_microusd"].tolist() == [
        billed(dear, *both) for both in zip(asked[:50].tolist(), answered[:50].tolist(), strict=True)
    ]


def test_a_cut_stream_takes_part_of_the_time_and_of_the_tokens_and_may_have_been_carried_out() -> None:
    dear = replace(MODEL, output_usd_per_million=1.0)
    fixed = Tokens(1.0, 0.0, 1000.0, 0.0)
    run = played(Scenario("cut", 2_000, poisson(50.0), (dear,), (cut("m", 0.0, 1e3, 0.25),), tokens=fixed))
    broken = run.requests["kind"] == ADVICE[ErrorKind.NETWORK_ERROR].int_code
    assert ADVICE[ErrorKind.NETWORK_ERROR].maybe_executed_default
    assert abs(broken.mean() - 0.25) < 5 * (0.25 * 0.75 / 2_000) ** 0.5
    assert run.attempts is not None
    took_s = run.requests["latency_s"][broken]
    assert 0.0 <= took_s.min() < took_s.max() < 1.0
    assert abs(took_s.mean() - 0.5) < 5 * (1 / 12 / broken.sum()) ** 0.5, "where it breaks off is uniform"
    np.testing.assert_allclose(run.requests["cost_microusd"][broken], 1000 * took_s, atol=1.0)


def test_what_is_held_back_comes_at_once() -> None:
    run = played(Scenario("herd", 1_000, held(poisson(10.0), [(20.0, 40.0)]), (MODEL,)))
    usual = played(Scenario("usual", 1_000, poisson(10.0), (MODEL,))).requests["arrival_s"]
    gap = (usual >= 20.0) & (usual < 40.0)
    assert np.all(run.requests["arrival_s"][gap] == 40.0)
    np.testing.assert_array_equal(run.requests["arrival_s"][~gap], usual[~gap])
    with pytest.raises(ParameterError, match="in order"):
        held(poisson(1.0), [(5.0, 9.0), (8.0, 12.0)])


def test_capacity_comes_back_in_a_straight_line() -> None:
    """Forty servers of one second, always asked for more: what is done in each second is what there is."""
    busy = replace(MODEL, servers=40)
    scenario = Scenario(
        "back", 8_000, poisson(80.0), (busy,), (outage("m", 0.0, 10.0), recovering("m", 10.0, 50.0, 0.25))
    )
    fresh = played(scenario).seconds[:, 1]
    for second in (15, 25, 35, 45):
        share = 0.25 + 0.75 * (second - 1 - 10.0) / 40.0
        assert abs(int(fresh[second]) - 40 * share) <= 3
    assert set(fresh[55:90].tolist()) == {40}


def test_sessions_are_geometric_and_their_failures_cluster() -> None:
    """Mean within 5 standard errors; the share of failures stays, their variance between sessions grows."""
    session, turn = sessions_of(Sessions(6.0, 50), 1, 60_000)
    sizes = np.bincount(session)
    whole = sizes[: len(sizes) - 200]  # the last are still running
    assert abs(whole.mean() - 6.0) < 5 * 30.0**0.5 / len(whole) ** 0.5
    assert abs((whole == 1).mean() - 1 / 6) < 5 * (5 / 36 / len(whole)) ** 0.5
    firsts = np.unique(session, return_index=True)[1]
    assert np.all(np.diff(firsts) > 0), "numbered in order of their first request"
    assert np.all(turn[firsts] == 1)
    spread, shares = [], []
    for luck_sd in (0.0, 1.0):
        failing = replace(MODEL, errors=(ErrorShare(ErrorKind.API_SERVER_ERROR, 0.05),))
        run = played(Scenario("s", 20_000, poisson(50.0), (failing,), sessions=Sessions(6.0, 50, luck_sd)))
        failed = (run.requests["kind"] > 0).astype(float)
        its = sessions_of(Sessions(6.0, 50), 1, 20_000)[0]
        sums = np.bincount(its, failed - failed.mean())
        spread.append(float((sums**2).sum() / (20_000 * failed.var())))
        shares.append(float(failed.mean()))
    assert all(abs(share - 0.05) < 0.01 for share in shares)
    assert spread[0] < 1.15
    assert spread[1] > 1.3


def test_bursts_last_as_long_as_they_are_said_to() -> None:
    """Mean times within 5 standard errors of some 900 bursts."""
    found = np.array(stretches(bursts("*", 0.0, 1e5, 90.0, 20.0, 0.5), 0, 4))
    good_s = np.diff(np.concatenate([[0.0], found[:, 0]])) - np.concatenate([[0.0], found[:-1, 1] - found[:-1, 0]])
    assert abs(good_s.mean() - 90.0) < 5 * 90.0 / len(found) ** 0.5
    assert abs((found[:, 1] - found[:, 0]).mean() - 20.0) < 5 * 20.0 / len(found) ** 0.5


def test_bursts_of_a_provider_take_all_its_models_at_once() -> None:
    models = (replace(MODEL, name="one"), replace(MODEL, name="two"), replace(MODEL, name="three", provider="q"))
    scenario = Scenario("s", 5_000, poisson(50.0), models, (bursts("p", 0.0, 100.0, 5.0, 2.0, 1.0),))
    work = workload_of(scenario, ONCE, 1)
    one, two, three = (work.episodes[model.episodes_from : model.episodes_to] for model in work.models)
    assert one == two
    assert len(one) > 5
    assert three == []
    failed = played(scenario).requests["kind"] > 0
    inside = [any(row.start_s <= at_s < row.end_s for row in one) for at_s in played(scenario).requests["arrival_s"]]
    assert failed.tolist() == inside
    with pytest.raises(ParameterError, match="both above 0"):
        bursts("p", 0.0, 10.0, 5.0, 0.0, 1.0)
