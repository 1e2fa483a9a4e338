"""Pages and retries left in a run: what the alert engine and the policies' own functions say, and nothing more."""

import numpy as np
import pytest

from relkit.policies.presets import changed, presets
from relkit.simulation.arrivals import poisson
from relkit.simulation.episodes import outage
from relkit.simulation.latency import lognormal
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario, ServedModel
from relkit.slo.objective import Objective
from relkit.tune.course import course_of
from relkit.tune.paged import minutes_of, pages_of
from relkit.tune.retries_left import retries_left

CALM = Scenario("calm", 2400, poisson(1.0), (ServedModel("small", "a", lognormal(0.4, 0.3)),), timeout_s=10.0)
DOWN = CALM.changed(name="down", episodes=(outage("*", 905.0, 1200.0),))
THREE_NINES = Objective("availability", "0.999")


@pytest.mark.parametrize("seed", range(1, 6))
def test_an_outage_pages_and_health_does_not(seed: int) -> None:
    """The page comes at the end of the first minute that burns fast enough over an hour: no later than the second of the outage."""
    assert pages_of(simulate(CALM, presets["plan-fixed"], seed), THREE_NINES) == ()
    (start_s, end_s), *more = pages_of(simulate(DOWN, presets["plan-fixed"], seed), THREE_NINES)
    assert 905.0 < start_s <= 1020.0
    assert end_s > 1200.0
    assert more == []


def test_every_request_is_in_a_minute_once() -> None:
    minutes = minutes_of(simulate(DOWN, presets["plan-fixed"], 1), THREE_NINES)
    assert minutes.totals.good + minutes.totals.bad + minutes.totals.excluded == 2400


def test_kinds_together_are_the_failed_requests() -> None:
    course = course_of(simulate(DOWN, presets["plan-fixed"], 1), 40)
    assert course.kinds[0][0] == "NETWORK_REFUSED"
    assert np.array_equal(np.sum([counts for _, counts in course.kinds], axis=0), course.failed)
    assert course.main_kinds(1)[0][1].sum() == course.failed.sum()
    assert sum(counts.sum() for _, counts in course.main_kinds(3)) == course.failed.sum()


def test_a_budget_runs_dry_in_an_outage_and_fills_again() -> None:
    """Ten retries at the plain cost; afterwards each answer earns a tenth of one, so it is full after a hundred."""
    patient = changed(presets["plan-fixed"], failure_threshold=5, open_s=1.0, open_max_s=1.0)
    left = retries_left(DOWN, patient, 1, 40, 2400.0)
    assert left is not None
    assert left[:14].min() >= 8.0
    assert left[16:19].min() < 1.0
    assert left[-5:].max() == pytest.approx(10.0)


def test_a_step_without_an_event_keeps_what_was_left() -> None:
    rare = CALM.changed(requests=20, arrivals=poisson(0.01))
    left = retries_left(rare, presets["plan-fixed"], 1, 400, 2000.0)
    assert left is not None
    assert left.tolist() == [10.0] * 400
