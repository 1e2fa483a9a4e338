"""Error rates by simulation over the reference's settings, with its seeds; bounds are 4 standard errors: one false alarm in 16,000 looks at one."""

import numpy as np
import pytest
from shadow_settings import (
    Chats,
    Skewed,
    any_look,
    any_rate_look,
    any_session_look,
    cells,
    four_se,
    latencies,
    misses_any_look,
    plans_rule,
    rejected_share,
    true_delta,
)

from relkit.shadow import (
    Differences,
    SessionTable,
    e_sessions,
    mcnemar,
    mcnemar_power,
    mixture_rho,
    obuchowski,
    session_sign_test,
    session_t,
    sign_flip,
    signed_rank,
)

HOURS, PER_HOUR = 168, 200


# Level and power on pairs


@pytest.mark.parametrize(
    ("p", "rho"), [(0.9, 0.0), (0.9, 0.3), (0.9, 0.6), (0.9, 0.9), (0.98, 0.6), (0.98, 0.9), (0.7, 0.6)]
)
def test_level_of_the_tests_of_pairs(p, rho):
    """T1: n = 1,000, 50,000 replications a row, seed 20251008: mid-p at most .053, exact at most .05, both as enumerated."""
    replications, shares = 50_000, cells(p, rho)
    drawn = np.random.default_rng(20251008).multinomial(1_000, shares, replications)
    mid = rejected_share(drawn, lambda counts: mcnemar(counts).p_mid <= 0.05)
    exact = rejected_share(drawn, lambda counts: mcnemar(counts).p_exact <= 0.05)
    assert mid <= 0.053
    assert exact <= 0.05
    for found, test in ((mid, "mid_p"), (exact, "exact")):
        theory = mcnemar_power(1_000, shares[1], shares[2], test=test)
        assert abs(found - theory) <= four_se(theory, replications)
    if (p, rho) == (0.9, 0.6):
        assert 0.0459 <= mid <= 0.0513
        assert 0.0041 <= rejected_share(drawn[:20_000], plans_rule, all_cells=True) <= 0.0059


@pytest.mark.parametrize(
    ("rho", "delta", "mid"),
    [(0.6, 0.02, 0.938), (0.6, 0.01, 0.395), (0.6, -0.01, 0.370), (0.6, -0.02, 0.896), (0.6, -0.05, 1.0),
     (0.9, 0.01, 0.940), (0.9, -0.01, 0.914), (0.3, -0.02, 0.680)],
)  # fmt: skip
def test_power_of_the_tests_of_pairs(rho, delta, mid):
    """T2: n = 2,000, p1 = .90, 20,000 replications: mid-p within .009 of the reference; the plan's rule sees no harm at all."""
    drawn = np.random.default_rng(20251008).multinomial(2_000, cells(0.9, rho, delta), 20_000)
    found = rejected_share(drawn, lambda counts: mcnemar(counts).p_mid <= 0.05)
    assert abs(found - mid) <= max(0.009, four_se(mid, 20_000))
    if delta < 0:
        assert rejected_share(drawn[:4_000], plans_rule, all_cells=True) <= 0.001


# Looks at every hour


@pytest.fixture(scope="module")
def healthy():
    """4,000 weeks of 168 hours with 200 pairs, p = .90, rho = .6, no difference; seed 168."""
    drawn = np.random.default_rng(168).multinomial(PER_HOUR, cells(0.9, 0.6), (4_000, HOURS))
    return drawn[..., 1].cumsum(axis=1), drawn[..., 2].cumsum(axis=1)


@pytest.mark.parametrize("rule", ["e 0.5", "e 10", "e 50", "benefit 10"])
def test_evidence_at_every_hour_raises_few_false_alarms(healthy, rule):
    """T3: 4,000 replications: any-look false alarms at most .05, with 4 standard errors to spare."""
    found = any_look(*healthy, rule).mean()
    assert found + four_se(found, 4_000) <= 0.05


def test_the_mixture_on_pairs_raises_few_false_alarms(healthy):
    b, c = healthy
    found = any_session_look(c - b, b + c, v_opt=float((b + c)[:, -1].mean())).mean()
    assert found + four_se(found, 4_000) <= 0.05


def test_a_fixed_test_at_every_hour_raises_two_in_five(healthy):
    assert 0.375 <= any_look(*healthy, "mid_p").mean() <= 0.437
    for every, low, high in ((42, 0.09, 0.15), (7, 0.22, 0.30)):
        looks = slice(every - 1, None, every)
        assert low <= any_look(healthy[0][:, looks], healthy[1][:, looks], "mid_p").mean() <= high
    assert any_look(*(path[:, -1:] for path in healthy), "mid_p").mean() == pytest.approx(
        0.049, abs=four_se(0.049, 4_000)
    )


def test_evidence_sees_a_loss_of_one_point_within_the_week():
    """2,000 replications: found in nearly every week, at half of them within 35 hours (reference 30), harm-only evidence too."""
    drawn = np.random.default_rng(169).multinomial(PER_HOUR, cells(0.9, 0.6, -0.01), (2_000, HOURS))
    b, c = drawn[..., 1].cumsum(axis=1), drawn[..., 2].cumsum(axis=1)
    assert any_look(b, c, "e 10").mean() > 0.99
    assert any_look(b[:, :35], c[:, :35], "e 10").mean() > 0.5
    assert any_look(c, b, "benefit 10").mean() > 0.99  # arms exchanged: the same loss, seen by the one-sided evidence
    assert any_look(b, c, "benefit 10").mean() < 0.05


@pytest.mark.parametrize(("rate", "most"), [(0.02, 0.001), (0.05, 0.05)])
def test_a_limit_on_a_rate_kills_few_healthy_rollouts(rate, most):
    """8 hours of 10 requests a minute, looked at each minute, 2,000 replications: the rule "more than 5 % so far" kills .25 at a true 2 %."""
    failures = np.random.default_rng(808).binomial(10, rate, (2_000, 480)).cumsum(axis=1)
    n = 10 * np.arange(1, 481)
    assert any_rate_look(failures, n, 0.05).mean() <= most
    if rate == 0.02:
        assert (failures > 0.05 * n).any(axis=1).mean() > 0.2
        bad = np.random.default_rng(809).binomial(10, 0.10, (500, 480)).cumsum(axis=1)
        assert any_rate_look(bad, n, 0.05).mean() > 0.99


# Sessions


@pytest.mark.parametrize(
    ("own", "sessions", "naive"), [(0.0, 100, 0.0), (1.0, 30, 0.14), (1.0, 100, 0.15), (2.0, 400, 0.30)]
)
def test_level_where_turns_of_a_chat_resemble_each_other(own, sessions, naive):
    """T4: seed 404, 1,500 replications a row. CR1 t in [.035, .070], Obuchowski and sign test in [.030, .060], each with 4 standard errors."""
    replications = 1_500
    chats = Chats(404, replications, sessions, own)
    hits = np.zeros(6)
    rho = mixture_rho(float((chats.d**2).sum(axis=1).mean()))
    for one in range(replications):
        sums, table = chats.sums(one), chats.table(one)
        d, times = np.unique(chats.d[one], return_counts=True)
        hits += [
            session_t(sums, table).p <= 0.05,
            (obuchowski(sums).p or 1.0) <= 0.05,
            session_sign_test(sums).p_mid <= 0.05,
            sign_flip(SessionTable(tuple(d), (60,) * d.size, tuple(times))).p <= 0.05,
            e_sessions(sums.s, sums.v, rho).p <= 0.05,
            mcnemar(table).p_mid <= 0.05,
        ]
    t, chi2, sign, flip, evidence, pairs = hits / replications
    slack = four_se(0.05, replications)
    assert 0.035 - slack <= t <= 0.070 + slack
    assert 0.030 - slack <= chi2 <= 0.060 + slack
    assert 0.030 - slack <= sign <= 0.060 + slack
    assert flip <= 0.05 + slack
    assert evidence <= 0.05
    assert pairs >= naive


def test_evidence_of_sessions_at_every_hour_raises_few_false_alarms():
    """600 weeks of 10 sessions an hour, own part 1: sessions .012, turns taken as independent .28, mid-p of turns .82 (reference, 1,500)."""
    chats = Chats(405, 600, 10 * HOURS, 1.0)
    looks = slice(9, None, 10)
    s, v = chats.d.cumsum(axis=1)[:, looks], (chats.d**2).cumsum(axis=1)[:, looks]
    b, c = (chats.cells[..., arm].cumsum(axis=1)[:, looks] for arm in (1, 2))
    found = any_session_look(s, v, v_opt=float(v[:, -1].mean())).mean()
    assert found + four_se(max(found, 0.005), 600) <= 0.05
    assert any_look(b, c, "e 10").mean() > 0.15
    assert any_look(b, c, "mid_p").mean() > 0.7


def test_sessions_see_a_loss_of_six_points():
    """K = 400, own part 1, shift -.6 logit (delta -6.1 points): t .989, evidence at one look .850 (reference); 600 replications."""
    chats = Chats(406, 600, 400, 1.0, shift=-0.6)
    rho = mixture_rho(float((chats.d**2).sum(axis=1).mean()))
    t = np.mean([session_t(chats.sums(one), chats.table(one)).p_harm <= 0.025 for one in range(600)])
    evidence = np.mean(
        [
            e_sessions(s, v, rho).p <= 0.05
            for s, v in zip(chats.d.sum(axis=1).tolist(), (chats.d**2).sum(axis=1).tolist(), strict=True)
        ]
    )
    assert t == pytest.approx(0.989, abs=four_se(0.989, 600))
    assert evidence == pytest.approx(0.850, abs=four_se(0.850, 600) + 0.02)


@pytest.mark.parametrize("setting", ["alike", "worse", "skewed"])
def test_the_confidence_sequence_holds_at_every_look(setting):
    """150 weeks of 10 sessions an hour, looked at hourly from the third on: the truth is missed in at most .05 of weeks, within 4 standard errors."""
    if setting == "skewed":
        drawn, truth = Skewed(431, 150, 10 * HOURS), 0.0
    else:
        shift = -0.6 if setting == "worse" else 0.0
        drawn, truth = Chats(421, 150, 10 * HOURS, 1.0, shift), true_delta(1.0, shift)
    assert misses_any_look(drawn, truth) / 150 <= 0.05 + four_se(0.05, 150)


# Latency


@pytest.mark.parametrize(("slower", "expected"), [(1.0, 0.05), (1.05, 0.415), (1.10, 0.924)])
def test_signed_ranks_of_log_ratios(slower, expected):
    """n = 300, correlation .7, .5 % timeouts left to the errors, 1,000 replications: level .05, +5 % found in .42, +10 % in .92."""
    found = np.mean([signed_rank(Differences.of(latencies(501 + one, 300, slower))).p <= 0.05 for one in range(1_000)])
    assert found == pytest.approx(expected, abs=four_se(expected, 1_000) + (0.02 if slower > 1 else 0))


def test_signed_ranks_of_sessions_keep_their_level():
    """60 sessions of 5 pairs with a common part, 1,000 replications: by session .05, as pairs far above."""
    rng, sessions = np.random.default_rng(7), np.repeat(np.arange(60), 5)
    by_session = as_pairs = 0
    for _ in range(1_000):
        values = np.repeat(0.3 * rng.standard_normal(60), 5) + 0.3 * rng.standard_normal(300)
        by_session += signed_rank(Differences.of(values, sessions)).p <= 0.05
        as_pairs += signed_rank(Differences.of(values)).p <= 0.05
    assert by_session / 1_000 == pytest.approx(0.05, abs=four_se(0.05, 1_000))
    assert as_pairs / 1_000 > 0.2
