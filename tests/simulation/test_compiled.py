"""The cache of compiled code: old versions go, what is used stays."""

import os
import time
from pathlib import Path

from relkit.simulation.compiled import prune


def folder(parent: Path, number: int, age_s: float) -> Path:
    made = parent / f"{number:016x}"
    made.mkdir()
    (made / "kernel.nbc").write_bytes(b"code")
    os.utime(made, (time.time() - age_s,) * 2)
    return made


def test_the_newest_few_stay_and_so_does_what_was_used_within_the_hour(tmp_path: Path) -> None:
    keep = folder(tmp_path, 0, 90 * 86_400.0)
    made = [folder(tmp_path, number, age_s) for number, age_s in enumerate([60.0] * 5 + [7_200.0] * 3, start=1)]
    prune(tmp_path, keep)
    assert keep.exists()
    assert [one.exists() for one in made] == [True] * 5 + [False] * 3


def test_what_nobody_used_for_a_month_goes_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    keep, old, recent = (folder(tmp_path, n, days * 86_400.0) for n, days in enumerate((0.0, 40.0, 2.0)))
    mine = tmp_path / "notes"
    mine.mkdir()
    os.utime(mine, (1.0, 1.0))
    left_over = tmp_path / "gone-000000000000000f-1"
    left_over.mkdir()
    os.utime(left_over, (1.0, 1.0))
    prune(tmp_path, keep)
    assert [one.exists() for one in (keep, old, recent, mine, left_over)] == [True, False, True, True, False]


def test_a_folder_that_another_process_took_away_is_no_error(tmp_path: Path) -> None:
    prune(tmp_path / "nowhere", tmp_path)
    assert not (tmp_path / "nowhere").exists()
    assert list(tmp_path.iterdir()) == []
