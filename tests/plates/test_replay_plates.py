"""Pictures of calibration and replay: the level and the bounds are on them, and a failed check opens the caption."""

from dataclasses import replace

import numpy as np
import pytest

from relkit import presets, replay
from relkit.plates.replay import checks_plate, replay_table, timeline_plate
from relkit.simulation.calibrate.calibration import Calibration, scenario_of
from relkit.simulation.calibrate.checks import Check
from relkit.simulation.calibrate.fit import fit
from relkit.simulation.replay import Incident, Replay
from relkit.simulation.traffic import LoggedTraffic, traffic_of

RIGHT = Check("failures in a row", 2.0, 1.5, 1.9, 2.4, 0.7, True, "calls")
WRONG = Check("dispersion of errors per minute", 23.0, 0.8, 1.0, 1.2, 1e-9, False, "ratio")
UNMADE = Check("p50 in bad minutes", None, 0.0, 0.0, 0.0, None, True, "s", "too few such calls in the log")


def log() -> LoggedTraffic:
    starts = np.arange(3000.0)
    rejected = (starts >= 420) & (starts < 480)
    good = (starts < 400) | (starts >= 500)
    made = traffic_of(starts, np.full(3000, 0.2), good, rejected=rejected, kind=np.where(good, 0, 7))
    return replace(made, outcome=np.where(rejected, -1, good.astype(np.int64)))


@pytest.fixture(scope="module")
def found() -> Replay:
    incidents = (Incident(400.0, 500.0),)
    return replay(log(), [presets["pybreaker"], presets["plan-fixed"]], incidents=incidents)


def calibration(*checks: Check) -> Calibration:
    fitted = fit(log())
    return Calibration(scenario_of(fitted, "log", "model"), fitted.model, checks, (), 0.0, 0.0, 0.0, 0.0, 0.0, fitted)


def test_the_level_is_printed_on_the_chart_and_in_its_caption(found: Replay) -> None:
    drawn = timeline_plate(found)
    assert "R0, open loop" in drawn.svg
    assert drawn.caption.startswith("R0: ")
    assert found.supposes in replay_table(found).caption


def test_missing_calls_are_told_with_bounds(found: Replay) -> None:
    assert "2.0 % of the calls are missing" in timeline_plate(found).caption
    assert " to " in replay_table(found).rows[0][3]


def test_every_policy_has_its_row_and_its_number(found: Replay) -> None:
    assert set(timeline_plate(found).values) == {"pybreaker", "plan-fixed"}
    assert [row[0] for row in replay_table(found).rows] == ["pybreaker", "plan-fixed"]


def test_a_stamp_opens_the_caption_of_every_page_that_uses_the_calibration(found: Replay) -> None:
    stamped = calibration(RIGHT, WRONG)
    assert timeline_plate(replace(found, stamp=stamped.stamp)).caption.startswith("Not to be trusted")
    assert checks_plate(stamped).caption.startswith("Not to be trusted")
    assert "dispersion of errors per minute" in checks_plate(stamped).caption


def test_checks_that_pass_say_so_and_those_not_made_are_counted() -> None:
    drawn = checks_plate(calibration(RIGHT, UNMADE))
    assert (
        drawn.caption
        == "The one property compared lies where logs drawn from the model lie. 1 check could not be made."
    )
    assert "too short" in checks_plate(calibration(UNMADE)).caption
