"""Requests that follow each other: as many as they should, as uneven as theory says, and the same draws for every policy."""

import math

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.policies.presets import presets
from relkit.simulation.arrivals import held, in_visits, modulated, poisson, replayed, times_of, varying
from relkit.simulation.calibrate.arriving import draw_arrivals
from relkit.simulation.calibrate.visiting import _PARTS, HOUR_S, _within_hours, expected_unevenness
from relkit.simulation.latency import constant
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario, ServedModel
from relkit.simulation.visits import Visits

VISITS = Visits(0.75, 50.0, 0.3)
MEAN_GAP_S = 50.0 * math.exp(0.3**2 / 2.0)
SHAPE = 1.0 / math.expm1(0.3**2)
SEEDS = range(12)


def test_requests_come_at_the_rate_that_was_asked_for() -> None:
    # Variance of the count over its mean is (1 + again) / (1 - again) = 7 in the long run: 20,000 requests have sd 374.
    spans = [times_of(in_visits(poisson(2.0), VISITS), seed, 20_000)[-1] for seed in SEEDS]
    error = math.sqrt(7.0 / 20_000) / math.sqrt(len(spans))
    assert abs(float(np.mean(spans)) / 10_000.0 - 1.0) < 4.0 * error  # false alarm: 1 in 16,000


@pytest.mark.parametrize("keyed", [True, False], ids=["the simulator's draws", "the calibration's draws"])
def test_counts_are_as_uneven_as_lewis_says(keyed: bool) -> None:
    """Nine widths, 12 seeds of 60 hours: within 5 standard errors each, a false alarm in about 1 of 200,000 runs."""
    arrivals, hours = in_visits(poisson(0.1), VISITS), 60
    seen = []
    for seed in SEEDS:
        drawn = draw_arrivals(arrivals, hours * HOUR_S, np.random.default_rng(seed))
        times = np.array(times_of(arrivals, seed, 24_000)) if keyed else drawn
        seen.append(_within_hours(times[times < hours * HOUR_S], hours))
    error = np.std(seen, axis=0, ddof=1) / math.sqrt(len(seen))
    # A gap's distribution is lognormal here and gamma in the formula: of the same mean and variance, it costs up to 1 %.
    off = np.abs(np.mean(seen, axis=0) - expected_unevenness(0.75, MEAN_GAP_S, SHAPE))
    assert np.all(off < 5.0 * error + 0.01), dict(zip(_PARTS.tolist(), (off / error).tolist(), strict=True))


def test_alone_they_are_poisson_and_a_longer_run_begins_as_a_shorter_one() -> None:
    alone = np.diff(times_of(in_visits(poisson(5.0), Visits(0.0, 1.0)), 3, 5_000))
    assert abs(float(np.std(alone) / np.mean(alone)) - 1.0) < 4.0 / math.sqrt(5_000)
    changing = in_visits(varying([(600.0, 0.5), (600.0, 2.0), (600.0, 0.0)]), VISITS)
    assert times_of(changing, 7, 5_000)[:300] == times_of(changing, 7, 300)


def test_what_is_held_back_comes_at_the_end_of_the_gap() -> None:
    one = (ServedModel("small", "a", constant(0.1)),)
    gaps = held(in_visits(poisson(2.0), VISITS), [(100.0, 160.0)])
    free, kept = (
        simulate(Scenario("v", 1000, each, one), presets["plan-no-retry"], seed=1) for each in (held(gaps, []), gaps)
    )
    before, after = free.requests["arrival_s"], kept.requests["arrival_s"]
    inside = (before >= 100.0) & (before < 160.0)
    assert inside.sum() > 20
    assert np.all(after[inside] == 160.0)
    assert np.array_equal(before[~inside], after[~inside])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Visits(1.0, 5.0), "again"),
        (lambda: Visits(0.5, 0.0), "gap_median_s"),
        (lambda: Visits(0.5, 5.0, -1.0), "gap_sigma"),
        (lambda: in_visits(modulated([(9.0, 1.0), (1.0, 5.0)]), VISITS), "poisson or varying"),
        (lambda: in_visits(replayed([0.0, 1.0]), VISITS), "poisson or varying"),
    ],
)
def test_what_cannot_be_is_refused(make, said) -> None:
    with pytest.raises(ParameterError, match=said):
        make()
