"""Ingests ended at random moments: the database is as before or as after, and the same ingest completes it."""

import random
from pathlib import Path

import pytest
from prove import killed_ingest
from prove.killing import drawn

KILLS = 10
ROWS = 4_000


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="sees from /proc when the work begins")
def test_an_ingest_that_is_ended_is_done_or_undone(tmp_path: Path) -> None:
    """Ten of the hundred of `make prove AREA=spine`, other ones each time; the seed is told when one goes wrong."""
    seed = random.randrange(1 << 32)
    draw = random.Random(seed)
    made = killed_ingest.bench(tmp_path / "bench", ROWS, draw)
    assert made.before != made.after
    ways = drawn([way for way in killed_ingest.WAYS if way != "full disk"], KILLS, draw)
    kills = [killed_ingest.kill(made, way, tmp_path / str(number), draw) for number, way in enumerate(ways)]
    assert [(seed, kill) for kill in kills if kill and kill.wrong] == []
    assert {kill.state for kill in kills if kill} <= {"before", "after"}


def test_a_full_disk_is_named_and_costs_nothing(tmp_path: Path) -> None:
    """A disk with room for the old rows and not for the new: exit 1, one line that says which, and all as before."""
    draw = random.Random(1)
    made = killed_ingest.bench(tmp_path / "bench", ROWS, draw)
    kill = killed_ingest.kill(made, "full disk", tmp_path / "full", draw, room=0)
    if kill is None:
        pytest.skip("a small disk may not be mounted here")
    assert (kill.code, kill.state, kill.wrong) == (1, "before", ())
