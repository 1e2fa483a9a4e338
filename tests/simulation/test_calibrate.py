"""A log becomes a scenario: what was planted is found, what was hidden is missing, what is wrong is stamped."""

from dataclasses import replace

import numpy as np
import pytest
from logs_with_known_truth import SERVER, TIMEOUT, as_traffic, drawn, hidden_by_a_breaker, planted, wrong_models

from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.exceptions import DataError
from relkit.policies.presets import presets
from relkit.simulation.arrivals import in_visits, varying
from relkit.simulation.calibrate import calibrate
from relkit.simulation.calibrate.arriving import draw_arrivals, read_arrivals
from relkit.simulation.calibrate.checks import check_model
from relkit.simulation.calibrate.fit import fit
from relkit.simulation.calibrate.times import fit_times, share_beyond
from relkit.simulation.run import simulate
from relkit.simulation.traffic import traffic_of
from relkit.simulation.visits import Visits


@pytest.fixture(scope="module")
def calibrated():
    return calibrate(as_traffic(drawn(7)))


def test_planted_bursts_are_found_within_30_percent():
    # The spread of a mean of some 200 exponential times is 7 %: 30 % is beyond 4 standard errors.
    for seed in range(3):
        starts, took, failed = planted(seed, 200.0, 20.0, 0.005, 0.6, hours=12, rate=1.0)
        states = fit(traffic_of(starts, took, ~failed)).model.states
        assert states is not None
        found = np.array([states.good_s / 200.0, states.bad_s / 20.0, states.bad_level / 0.6])
        assert np.all(np.abs(found - 1.0) < 0.3), found


def test_failures_hidden_by_the_logs_own_breaker_are_missing_and_not_good():
    starts, took, failed = planted(3, 900.0, 200.0, 0.004, 0.9, hours=30, rate=2.0)
    hidden = hidden_by_a_breaker(starts, failed)
    found = calibrate(traffic_of(starts, took, ~failed, rejected=hidden))
    assert failed.mean() / failed[~hidden].mean() > 5.0
    assert found.error_share == pytest.approx(failed.mean(), rel=0.15)
    assert found.error_share_low < failed.mean() < found.error_share_high
    assert any("missing, not good" in line for line in found.diagnostics)
    assert any(check.why_not for check in found.checks)


def test_independent_failures_are_not_called_bursts():
    # BIC lets a second state in by chance in well under 1 % of logs; 5 logs.
    for seed in range(5):
        rng = np.random.default_rng(seed)
        starts = np.sort(rng.uniform(0.0, 20_000.0, 8000))
        assert (
            fit(traffic_of(starts, np.full(8000, 0.3) + rng.random(8000), rng.random(8000) > 0.02)).model.states is None
        )


def test_one_long_outage_keeps_its_own_time():
    rng = np.random.default_rng(5)
    starts = np.sort(rng.uniform(0.0, 20_000.0, 8000))
    failed = rng.random(8000) < np.where((starts > 9000.0) & (starts < 9600.0), 0.9, 0.01)
    (time,) = fit(traffic_of(starts, 0.3 + rng.random(8000), ~failed)).model.bad_times
    assert time.start_s == pytest.approx(9000.0, abs=20.0)
    assert time.end_s == pytest.approx(9600.0, abs=20.0)
    assert time.failing == pytest.approx(0.9, abs=0.1)


def test_what_took_longer_than_the_client_waited_is_not_dropped():
    rng = np.random.default_rng(2)
    took = 0.8 * np.exp(0.9 * rng.standard_normal(10_000))
    limit = 1.5
    kept = fit_times(took[took < limit], np.full(int((took >= limit).sum()), limit))
    dropped = fit_times(took[took < limit], np.empty(0))
    assert share_beyond(kept, 5.0) == pytest.approx(np.mean(took > 5.0), rel=0.3)
    assert share_beyond(dropped, 5.0) < 0.2 * np.mean(took > 5.0)


def test_two_kinds_of_calls_are_two_parts():
    rng = np.random.default_rng(2)
    took = np.where(rng.random(8000) < 0.7, 0.3, 4.0) * np.exp(0.3 * rng.standard_normal(8000))
    assert [round(median_s, 1) for _, median_s, _ in fit_times(took, np.empty(0))] == [0.3, 4.0]


def test_each_process_of_arrivals_is_told():
    rng = np.random.default_rng(8)
    flat = np.sort(rng.uniform(0.0, 40_000.0, 8000))
    hours = np.repeat(np.arange(11), rng.poisson(np.tile([200, 1400], 6)[:11])) * 3600.0
    daily = np.sort(hours + rng.uniform(0.0, 3600.0, hours.size))
    assert read_arrivals(flat).process == "poisson"
    assert read_arrivals(daily - daily[0]).process in {"varying", "modulated"}
    assert read_arrivals(drawn(2).arrived_s).process in {"modulated", "replayed"}
    whole = read_arrivals(np.floor(flat))
    assert whole.resolution_s == 1.0
    assert whole.tie_share > 0.05


def test_requests_that_follow_each_other_are_told_by_the_hour():
    rates = varying([(3600.0, rate) for rate in (0.05, 0.1, 0.2, 0.3, 0.3, 0.2, 0.1, 0.05)])
    planted_visits = Visits(0.75, 50.0, 0.3)
    times = draw_arrivals(in_visits(rates, planted_visits), 48 * 3600.0, np.random.default_rng(6))
    found = read_arrivals(times)
    assert found.process == "visits"
    assert found.arrivals.visits is not None
    # Over 20 other logs the fitted share had a standard deviation of .033 and the gap one of 5.3 %: four of them.
    assert found.arrivals.visits.again == pytest.approx(0.75, abs=0.13)
    assert found.arrivals.visits.gap_median_s == pytest.approx(50.0, rel=0.21)


def slow_hour(seed, factor, hangs):
    """Calls on a calm service that is slow for one of six hours; clients give up after 10 s."""
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.uniform(0.0, 21_600.0, 9000))
    slow = (starts >= 10_000.0) & (starts < 13_600.0)
    took = 0.5 * np.exp(0.6 * rng.standard_normal(9000)) * np.where(slow, factor, 1.0)
    took[slow & (rng.random(9000) < hangs)] = np.inf
    late = took > 10.0
    failed = late | (rng.random(9000) < 0.002)
    kind = np.where(late, TIMEOUT, np.where(failed, SERVER, 0))
    return traffic_of(starts, np.minimum(took, 10.0), ~failed, kind=kind)


def test_a_slow_time_is_found_with_the_calls_that_hung():
    found = calibrate(slow_hour(1, 4.0, 0.05))
    (time,) = found.model.bad_times
    assert (time.start_s, time.end_s) == pytest.approx((10_000.0, 13_600.0), abs=60.0)
    assert time.slow_factor == pytest.approx(4.0, rel=0.1)
    assert time.hanging == pytest.approx(0.05, abs=0.025)  # 4.5 standard errors of 1,500 calls
    assert time.failing < 0.01
    assert found.is_trusted, found.stamp
    (episode,) = found.scenario.episodes
    assert (episode.slow_factor, episode.error) == (time.slow_factor, ErrorKind.NETWORK_TIMEOUT)


def test_a_service_that_is_never_slow_has_no_slow_time():
    # A stretch must pay for its four numbers (BIC): by chance in well under 1 % of logs; 5 logs.
    for seed in range(5):
        assert fit(slow_hour(seed, 1.0, 0.0)).model.bad_times == ()


def test_an_outage_among_short_bursts_stands_alone():
    """Seven minutes in a week with sixteen bursts of half a minute: it makes their mean long, but is not one of them."""
    rng = np.random.default_rng(4)
    starts = np.sort(rng.uniform(0.0, 400_000.0, 40_000))
    failed = rng.random(40_000) < 0.001
    for begins in rng.uniform(0.0, 390_000.0, 16):
        failed |= (starts >= begins) & (starts < begins + 30.0 * rng.exponential())
    failed |= (starts >= 200_000.0) & (starts < 200_420.0)
    (time,) = fit(traffic_of(starts, 0.3 + rng.random(40_000), ~failed)).model.bad_times
    assert (time.start_s, time.end_s) == pytest.approx((200_000.0, 200_420.0), abs=60.0)
    assert time.lost == time.failing > 0.9


def test_a_right_model_is_trusted_and_wrong_ones_are_stamped(calibrated):
    assert calibrated.is_trusted
    assert calibrated.stamp == ""
    # Each is caught in at least 95 of 100 logs (the proof says how often); this log is one of those.
    for name, model in wrong_models(calibrated.model, calibrated.fitted.log).items():
        checks = check_model(model, calibrated.fitted.log, np.random.default_rng(1))
        assert not all(check.passed for check in checks), name
    broken = replace(calibrated, checks=checks)
    assert not broken.is_trusted
    assert "Not to be trusted" in broken.stamp


def test_the_scenario_runs_and_fails_as_often_as_the_log(calibrated):
    # Without retries; over three seeds the standard error of the share is about a tenth of it (some 65 bursts a run).
    shares = []
    for seed in range(3):
        run = simulate(calibrated.scenario, presets["plan-no-retry"], seed=seed)
        shares.append(np.mean(run.requests["kind"] > 0))
    first = calibrated.fitted.log.number == 1
    assert np.mean(shares) == pytest.approx(np.mean(calibrated.fitted.log.failed[first]), rel=0.4)


def test_a_log_too_short_is_refused():
    with pytest.raises(DataError, match="calibration needs 200"):
        calibrate(traffic_of(np.arange(150.0), np.full(150, 0.2), np.ones(150, bool)))
    with pytest.raises(DataError, match="latency"):
        calibrate(traffic_of(np.arange(300.0), None, np.ones(300, bool)))


def test_rate_limits_keep_what_the_server_stated():
    starts, took, failed = planted(4, 300.0, 40.0, 0.001, 0.7, hours=8, rate=1.0)
    kind = np.where(failed, ADVICE[ErrorKind.API_RATE_LIMIT].int_code, 0)
    made = traffic_of(starts, took, ~failed, kind=kind)
    found = calibrate(replace(made, retry_after_us=np.where(made.outcome == 0, 7_000_000, -1)))
    (burst,) = found.scenario.episodes
    assert burst.error is ErrorKind.API_RATE_LIMIT
    assert burst.retry_after_s == 7.0
    assert SERVER not in found.fitted.kinds
