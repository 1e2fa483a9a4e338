"""The picture of live runs beside the simulator's band."""

import json

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.plates.live_band import Band, live_band
from tests.draw_live_band import FIGURES, PICTURE, drawn
from tests.fault_scripts import bands


def test_the_band_holds_its_share_of_the_seeds_and_counts_what_lies_within() -> None:
    simulated = tuple(float(value) for value in np.random.default_rng(1).normal(size=999))
    band = Band("outage", "s", simulated, (band_low := float(np.quantile(simulated, 0.025)), 0.0, 99.0))
    assert np.mean((np.array(simulated) >= band.low) & (np.array(simulated) <= band.high)) == pytest.approx(
        0.95, abs=0.002
    )
    assert band.low == band_low
    assert band.inside == 2, "its ends belong to it"


def test_the_caption_says_how_many_and_how_many_were_to_be_expected_outside() -> None:
    bands = [
        Band(script, measure, tuple(float(value) for value in range(100)), (50.0, 200.0))
        for script in ("outage", "brownout")
        for measure in ("s to open", "tries lost")
    ]
    drawn = live_band(bands)
    assert drawn.caption.startswith("4 of 8 figures of live runs lie within the band of 95 % of 100 simulated runs")
    assert "0.4 outside are expected" in drawn.caption
    assert drawn.values["inside"] == 4
    assert drawn == live_band(bands), "the same bytes from the same numbers"
    for words in ("port refused", "s to open", "tries lost", "95 % simulated", "live"):
        assert words in drawn.svg


@pytest.mark.parametrize(
    "wrong", [{"simulated": ()}, {"live": ()}, {"level": 1.0}, {"level": 0.0}], ids=["seeds", "live", "one", "zero"]
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    given = {"script": "x", "measure": "s", "simulated": (1.0,), "live": (1.0,)} | wrong
    with pytest.raises(ParameterError):
        Band(**given)  # type: ignore[arg-type]


def test_the_picture_of_the_docs_is_that_of_the_stored_figures() -> None:
    drawn_now = drawn()
    assert PICTURE.read_text(encoding="utf-8") == drawn_now.svg, "run python -m tests.draw_live_band"
    medians_within = [
        band.low <= float(np.median(band.live)) <= band.high for band in bands(json.loads(FIGURES.read_text()))
    ]
    assert all(medians_within)
    told = (PICTURE.parents[1] / "live.md").read_text(encoding="utf-8")
    assert f"{drawn_now.values['inside']} of {drawn_now.values['figures']} single figures" in told
