"""Folders that go with who made them: also when that is killed, and never while it lives."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from relkit.exceptions import ParameterError
from relkit.scratch import held, leased_folder, process_folder, scratch_folder

HOLD = """
import sys
from pathlib import Path
from relkit.scratch import leased_folder, process_folder
with leased_folder(Path(sys.argv[1]), "making-") as folder:
    (folder / "page").write_text("half")
    (process_folder() / "spill").write_text("half")
    print(folder, process_folder(), sep="\\n", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test's, for child processes too."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def hold(tmp_path: Path) -> Callable[[], tuple[subprocess.Popen[str], Path, Path]]:
    """Start a process that holds a folder under tmp_path, and its own."""

    def start() -> tuple[subprocess.Popen[str], Path, Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip()), Path(process.stdout.readline().strip())

    return start


def test_what_a_killed_process_left_goes_with_the_next(
    tmp_path: Path, hold: Callable[[], tuple[subprocess.Popen[str], Path, Path]]
) -> None:
    process, made, own = hold()
    with process:
        with leased_folder(tmp_path, "making-") as beside, leased_folder(own.parent, "process-"):
            assert made.is_dir(), "a living process lost its folder"
            assert own.is_dir()
            assert beside != made
        process.kill()
        process.wait()
        assert (made / "page").is_file()
        assert (own / "spill").is_file()
    with leased_folder(tmp_path, "making-"), leased_folder(own.parent, "process-"):
        assert not made.exists()
        assert not own.exists()


def test_a_process_that_ends_leaves_nothing(
    tmp_path: Path, hold: Callable[[], tuple[subprocess.Popen[str], Path, Path]]
) -> None:
    process, made, own = hold()
    process.communicate("\n")
    assert not made.exists()
    assert not own.exists()


def test_a_folder_goes_when_its_with_is_left_by_an_error_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "making-a-file").write_text("x")
    (tmp_path / "makings").mkdir()
    (tmp_path / "making-link").symlink_to(tmp_path / "makings")

    def fail() -> None:
        with leased_folder(tmp_path, "making-") as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / "deep" / "deeper").mkdir(parents=True)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "temporary") == [
        "making-a-file",
        "making-link",
        "makings",
    ]


def test_a_folder_is_held_by_one_alone(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(BlockingIOError), held(tmp_path, wait=False):
        pass
    with held(tmp_path, wait=False):
        pass
    with pytest.raises(FileNotFoundError), held(tmp_path / "gone"):
        pass


def test_a_file_system_without_locks_works_and_clears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems know none: nothing can be said of what lies there, so it stays."""

    def unknown(lock: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unknown)
    (tmp_path / "making-perhaps-living").mkdir()
    with leased_folder(tmp_path, "making-") as folder:
        assert folder.is_dir()
    assert not folder.exists()
    assert (tmp_path / "making-perhaps-living").is_dir()


def test_the_folder_of_a_process_is_one_and_comes_back_when_tidied_away() -> None:
    folder = process_folder()
    assert process_folder() == folder
    shutil.rmtree(folder)
    assert process_folder().is_dir()


def test_the_scratch_folder_is_private_and_ours(temporary: Path) -> None:
    """The temporary folder is everybody's: a name that somebody else took first is not used."""
    folder = scratch_folder()
    assert folder == temporary / f"relkit-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    folder.symlink_to(temporary)
    with pytest.raises(ParameterError, match="belongs to somebody else; set TMPDIR to a folder of your own"):
        scratch_folder()
