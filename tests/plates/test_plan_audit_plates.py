"""Plates and tables of the plan's audit: captions say the numbers of their records; equal numbers give equal bytes."""

import re

import numpy as np
import pytest

from relkit.exhibit import Exhibit
from relkit.plates import plan_audit as plates
from relkit.plates.plan_numbers import (
    SECTIONS,
    defects_table,
    doubts_table,
    made_from_table,
    numbers_table,
    shown,
    suite_table,
)
from relkit.policies.plan_rollout import plan_day
from relkit.policies.presets import presets
from relkit.policies.rollout import RolloutSchedule
from relkit.shadow.plan_looks import Flagged
from relkit.simulation.plan_breaker import Checked, Detection, threshold_course
from relkit.tune.before_after import MEASURED, BeforeAfter

NAMES = ("bare", "plan as dated", "plan", "plan-fixed", "our choice")
SCHEDULE = RolloutSchedule((0.0, 7200.0, 14400.0, 21600.0), (0.1, 0.25, 0.5, 1.0))


def played(seeds: int = 4) -> BeforeAfter:
    rng = np.random.default_rng(3)
    values = np.stack(
        [rng.uniform(*ends, (5, 2, seeds)) for ends in ((0.9, 1.0), (0.0, 0.01), (0.8, 2.0), (1.0, 60.0), (0.1, 1.0))],
        axis=-1,
    )
    assert values.shape[-1] == len(MEASURED)
    return BeforeAfter(NAMES, ("outage", "flapping"), values, 0.95)


def flagged(at: float, plan: float, ours: float) -> Flagged:
    return Flagged(at, plan, (max(plan - 0.02, 0.0), plan + 0.02), ours, (max(ours - 0.02, 0.0), ours + 0.02), 2_000)


BREAKERS = (("plan", 10), ("threshold of 5", 5), ("plan-fixed", 5), ("relkit-adaptive", 6))
CHECKS = (("the plan", 876), ("closed", 930), ("half open", 54), ("plan-fixed", 63))


def in_trouble(calls: float) -> dict[float, tuple[float, ...]]:
    return {1.0: (calls, calls, calls), 0.3: (calls, 10 * calls, float("inf"))}


def sent(calls: int) -> tuple[float, ...]:
    return tuple(np.linspace(0, 600, calls).tolist())


EVERY = {
    "before_after": lambda: plates.suite_plate(played()),
    "threshold": lambda: plates.threshold_plate(
        {name: threshold_course(presets[name].breaker, [False] * 12) for name in ("plan", "plan-fixed")},  # type: ignore[arg-type]
        {0.01: {9: 0.01, 10: 0.99}, 0.25: {2: 0.97, 3: 0.03}},
    ),
    "detection": lambda: plates.detection_plate([Detection(name, in_trouble(calls)) for name, calls in BREAKERS]),
    "health_check": lambda: plates.health_plate([Checked(name, sent(calls), (calls, calls)) for name, calls in CHECKS]),
    "schedule": lambda: plates.schedule_plate(plan_day(SCHEDULE, -3660.0), 4),
    "z_test": lambda: plates.harm_plate([flagged(-0.02, 0.0, 0.9), flagged(0.0, 0.005, 0.05), flagged(0.02, 0.8, 0.93)]),
    "peeking": lambda: plates.peeking_plate([flagged(float(look), 0.05 + 0.002 * look, 0.02) for look in range(1, 169)]),
}  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_equal_numbers_draw_equal_bytes_and_a_caption_has_a_number(name: str) -> None:
    one, other = EVERY[name](), EVERY[name]()
    assert one == other
    assert one.name == name
    assert re.search(r"\d", one.caption)
    assert one.svg.startswith("<svg")
    assert one.record()["values"]


def test_captions_say_what_the_numbers_are() -> None:
    assert "240 times an hour" in EVERY["schedule"]().caption
    assert "5,760 a day" in EVERY["schedule"]().caption
    assert "930 calls" in EVERY["health_check"]().caption
    assert "in 0.0 % of" in EVERY["z_test"]().caption
    assert "100 %: 10 against 5" in EVERY["detection"]().caption
    assert "After 5 healthy calls" in EVERY["threshold"]().caption


def test_tables_say_the_numbers_of_their_records() -> None:
    found = played()
    table = suite_table(found)
    assert table.values["plan success"] == pytest.approx(found.of("plan", "success").value)
    assert [row[0] for row in table.rows] == list(NAMES)
    assert len(table.unlisted) == len(NAMES) * 2
    doubts = doubts_table(found, (Exhibit("E17", "tries", 11, 1, "calls"), Exhibit("A08", "c", 0.1, None, "share")))
    assert doubts.values["stale_share"] == pytest.approx(found.of("our choice", "stale").value)
    assert "sha256 0123456789abcdef" in made_from_table(3, "0123456789abcdef0", {"plan": "x"}).rows[0][1]


def test_one_run_has_no_interval_and_says_so() -> None:
    table = suite_table(played(seeds=1))
    assert "one run" in table.caption
    assert not any("±" in cell for row in table.rows for cell in row)


def test_the_list_is_counted_and_what_has_no_number_is_named() -> None:
    counts = {"Errors": {"high": 2, "medium": 1, "low": 0}, "Health": {"high": 1, "medium": 0, "low": 0}}
    table = defects_table(counts, 2, ("H05",))
    assert table.rows[-1] == ("all", "3", "1", "0", "4")
    assert "2 of these 3" in table.caption
    assert "H05" in table.caption
    assert "none here" not in defects_table(counts, 3, ()).caption


def test_every_section_names_defects_of_its_own_areas() -> None:
    for areas, caption in SECTIONS.values():
        named = re.findall(r"\{([A-Z])\d\d\[[01]\]\}", caption)
        assert named
        assert set(named) <= set(areas)
    letters = "".join(areas for areas, _ in SECTIONS.values())
    assert sorted(letters) == sorted("ECLRFBHSAOM")


def test_a_number_that_is_not_there_is_a_dash() -> None:
    ids = re.findall(r"\{([A-Z]\d\d)\[", SECTIONS["breakers"][1])
    table = numbers_table([Exhibit(each, "what", 1.0, None, "min") for each in ids], "breakers")
    assert all(row[3] == "–" for row in table.rows)


WRITTEN = [
    (0.0, "share", "0.0 %"), (6.9e-10, "share", "6.9e-10"), (0.001, "s", "1 ms"), (3600.0, "s", "3,600 s"),
    (0.0, "s", "0 s"), (3.9, "usd", "$3.90"), (20.0, "x", "20x"), (43.2, "min", "43.2 min"), (23.6, "pairs", "23.6"),
    (11.0, "calls", "11"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "unit", "text"), WRITTEN)
def test_numbers_are_written_with_their_unit(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text
