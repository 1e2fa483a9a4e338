"""A plate is the same bytes from the same numbers, readable as an image, and inert whatever it is told."""

import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import numpy as np
import pytest
from studies import make_study

from relkit.exceptions import ReportError
from relkit.plates import Plate, Table
from relkit.plates.errors import errors_by_hour_plate, kinds_plate
from relkit.plates.plate import empty_plate, rounded
from relkit.plates.shadow import experiment_plate, methods_table, plan_test_table
from relkit.plates.slo import budget_plate, burn_plate
from relkit.plates.weekly import availability_week_plate
from relkit.shadow import judge_experiment
from relkit.slo import Minutes, Objective
from relkit.verdict import MIME

OBJECTIVE = Objective("availability", "0.999")
START = 29_913_120  # Monday 2026-11-16 00:00 UTC
HOSTILE = "<script>alert(1)</script> \"'><svg onload=x> \x1b[31m \u202e \0 & `|*"


def week(bad_at=4000, bad=60, scale=1):
    good = np.full(10_080, 6 * scale)
    failed = np.zeros(10_080, dtype=np.int64)
    failed[bad_at : bad_at + 7] = bad
    return Minutes(START, good, failed, np.zeros(10_080, int), np.zeros(10_080, int), np.ones(10_080, bool))


def study(only_primary=614, only_shadow=434):
    primary = np.repeat([True, True, False, False], (7171, only_primary, only_shadow, 535))
    shadow = np.repeat([True, False, True, False], (7171, only_primary, only_shadow, 535))
    return make_study(np.arange(primary.size), primary, shadow, has_sessions=False)


def drawn():
    found = study()
    return [
        burn_plate(week(), OBJECTIVE),
        budget_plate(week(), OBJECTIVE),
        availability_week_plate(week(), OBJECTIVE),
        errors_by_hour_plate(START // 60, {"UNKNOWN": np.arange(168) % 5, "CANCELLED": np.arange(168) % 3}),
        experiment_plate(found, judge_experiment(found.experiment, 0.01), 0.01),
    ]


def shown(plate):
    return plate._repr_mimebundle_()["text/html"]


@pytest.fixture(scope="module")
def plates():
    return drawn()


def test_the_same_numbers_give_the_same_bytes(plates):
    assert [shown(plate) for plate in plates] == [shown(plate) for plate in drawn()]


def test_another_number_gives_another_picture():
    assert burn_plate(week(bad=60), OBJECTIVE).svg != burn_plate(week(bad=70), OBJECTIVE).svg


def test_a_burn_picture_hardly_grows_with_the_number_of_alerts():
    """From none to hundreds of them; each minute in which the rule fired lies within a shaded stretch."""
    good, failed = np.full(10_080, 1_000), np.zeros(10_080, dtype=np.int64)
    none = Minutes(START, good, failed.copy(), failed, failed, np.ones(10_080, bool))
    failed[::23] = 345
    often = burn_plate(Minutes(START, good, failed, 0 * failed, 0 * failed, np.ones(10_080, bool)), OBJECTIVE)
    assert often.values["pages"] > 300
    assert len(often.svg) < 1.25 * len(burn_plate(none, OBJECTIVE).svg)


def test_a_difference_below_what_is_shown_changes_no_byte_and_one_above_does():
    values = {"a": 159.340659341, "b": 0.1}
    assert rounded(values) == rounded({name: value * (1 + 1e-12) for name, value in values.items()})
    assert rounded(values) != rounded({name: value * (1 + 1e-3) for name, value in values.items()})


def test_a_picture_is_an_image_with_its_svg_inside_the_address(plates):
    for plate in plates:
        html = shown(plate)
        assert html.count("<img") == 1
        assert "<svg" not in html  # JupyterLab strips it where a notebook is not trusted
        svg = unquote(re.search(r'src="data:image/svg\+xml,([^"]*)"', html)[1])
        assert ET.fromstring(svg).tag.endswith("svg")


def test_a_picture_holds_text_as_text_and_nothing_of_the_machine(plates):
    for plate in plates:
        assert "<text" in plate.svg
        assert "<metadata" not in plate.svg
        assert not re.search(r"\d{4}-\d{2}-\d{2}T", plate.svg)
        assert len(plate.svg) < 40_000


def test_every_picture_has_words_for_who_cannot_see_it_and_a_number_in_its_caption(plates):
    for plate in plates:
        assert len(plate.alt) > 20
        assert re.search("[0-9]", plate.caption)


def test_nothing_to_draw_is_a_sentence_and_no_blank_axes():
    html = shown(empty_plate("burn", "No request."))
    assert "<img" not in html
    assert "No request." in html


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_json_cannot_say_is_refused(number):
    with pytest.raises(ReportError, match="None and the reason"):
        rounded({"x": number})


def test_hostile_text_is_inert():
    plate = Plate("p", HOSTILE, HOSTILE, burn_plate(week(), OBJECTIVE).svg, {"x": 1})
    table = Table("t", HOSTILE, (HOSTILE,), ((HOSTILE,),), {"x": HOSTILE})
    for record in (plate, table):
        html = record._repr_mimebundle_()["text/html"]
        assert "<script" not in html
        assert "<svg onload" not in html
        # nothing closes the attribute it stands in
        assert html.count("<img") <= 1


def test_a_table_sets_figures_flush_right_and_words_left():
    html = Table("t", "c", ("kind", "n"), (("A", "12"), ("B", "unknown")))._repr_mimebundle_()["text/html"]

    assert re.search(r"<td style='text-align:right[^']*'>12", html)
    assert re.search(r"<td style='text-align:left[^']*'>A", html)


def test_records_carry_the_numbers_behind_the_picture(plates):
    for plate in plates:
        record = plate._repr_mimebundle_()[MIME]
        assert record["kind"] == "plate"
        assert record["values"]


def test_kinds_without_any_failure_say_so():
    assert kinds_plate(()).caption == "Nothing failed."


def test_the_methods_table_names_the_plans_test_last_and_as_no_answer():
    rows = methods_table(study()).rows
    assert "no answer" in rows[-1][0]
    assert "sessions" in rows[0][4]


def test_all_eight_fields_of_the_plan_are_shown():
    assert len(plan_test_table(study()).rows) == 8
    assert len(plan_test_table(None).rows) == 8
