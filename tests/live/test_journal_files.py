"""Files of the journal: they turn at their size, a torn or killed write spoils nothing, and orphans are finished."""

import json
import os
import random
from pathlib import Path

import pytest

from relkit.live.files import DONE, GROWING, RotatingFile
from tests.prove.killed_journal import kill_writers


def lines(number: int, size: int = 100) -> list[bytes]:
    return [json.dumps({"n": n, "pad": "x" * size}).encode() + b"\n" for n in range(number)]


def numbers(folder: Path) -> list[int]:
    return [
        json.loads(line)["n"] for path in sorted(folder.iterdir()) for line in path.read_bytes().splitlines() if line
    ]


def test_a_file_turns_at_its_size_and_is_whole_under_its_new_name(tmp_path: Path):
    file = RotatingFile(tmp_path / "made" / "here", max_bytes=2_000)
    for line in lines(60):
        file.write([line])
    growing = [path for path in file.folder.iterdir() if path.name.endswith(GROWING)]
    assert growing == [file.path]
    file.close()
    done = sorted(file.folder.iterdir())
    assert {path.name[-6:] for path in done} == {DONE}
    assert all(path.read_bytes().endswith(b"\n") and path.stat().st_size <= 2_000 + 200 for path in done)
    assert numbers(file.folder) == list(range(60))
    assert {path.stat().st_mode & 0o777 for path in done} == {0o600}


def test_the_oldest_finished_files_go_and_the_growing_one_stays(tmp_path: Path):
    (tmp_path / "other.txt").write_text("not ours")
    file = RotatingFile(tmp_path, max_bytes=1_000, keep=3)
    for line in lines(200):
        file.write([line])
    assert len(list(tmp_path.glob(f"*{DONE}"))) == 3
    assert (tmp_path / "other.txt").exists()
    file.close()
    assert len(list(tmp_path.glob(f"journal-*{DONE}"))) == 3


def test_a_write_that_fails_halfway_leaves_one_torn_line_and_the_next_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = RotatingFile(tmp_path)
    first, second, third = lines(3)
    file.write([first])
    real = os.write

    def full(descriptor: int, content: memoryview) -> int:
        real(descriptor, content[:40])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        file.write([second])
    monkeypatch.setattr(os, "write", real)
    file.write([third])
    file.close()
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == first + second[:40] + b"\n" + third


def test_what_a_killed_process_left_is_finished_by_the_next_and_a_living_ones_is_not(tmp_path: Path):
    living = RotatingFile(tmp_path)
    living.write(lines(2))
    orphan = tmp_path / f"journal-20260101T000000Z-1-abcd-0001{GROWING}"
    orphan.write_bytes(lines(1)[0] + b'{"n": 1, "cut')
    another = RotatingFile(tmp_path)
    another.write(lines(1))
    assert not orphan.exists()
    assert orphan.with_name(orphan.name.removesuffix(GROWING) + DONE).exists()
    assert living.path.exists()
    living.close()
    another.close()


def test_a_folder_that_was_cleared_is_made_again(tmp_path: Path):
    file = RotatingFile(tmp_path / "journal", max_bytes=1_000)
    file.write(lines(1))
    for path in file.folder.iterdir():
        path.unlink()
    file.folder.rmdir()
    for line in lines(30):
        file.write([line])
    file.close()
    found = numbers(file.folder)
    assert found == list(range(found[0], 30)), "only what lay in the cleared file is gone"
    assert found[0] <= 10


def test_kills_at_random_moments_lose_the_unflushed_tail_alone_and_the_files_always_ingest(tmp_path: Path):
    found = kill_writers(tmp_path, 8, random.Random(10))
    assert found.wrong == []
    assert found.written >= found.promised > 8 * 100
