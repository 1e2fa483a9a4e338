"""Real kernels: a run is whole or it is an error, silent, private, and leaves nothing behind."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from relkit.exceptions import ReportError
from relkit.report import launch
from relkit.report.launch import run_notebook, run_notebooks

Write = Callable[..., Path]


def kernels_of(folder: Path) -> list[str]:
    """Command lines of living processes that name a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if str(folder) in words and process.name != str(os.getpid()):
            found.append(words)
    return found


def left_in(folder: Path) -> list[Path]:
    """What a run left: anything but the user's and the process's own empty folders."""
    return [path for path in folder.rglob("*") if not path.name.startswith(("relkit-", "process-"))]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Kernels keep their files under a folder of the test, whose name papermill would like to fill in."""
    folder = tmp_path / "kernels {week} 'of' a \"test\""
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_a_run_is_silent_and_leaves_nothing(
    quick_notebook: Write, scratch: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No line of ipykernel, papermill or nbclient on either stream, three times in a row, two kernels at once."""
    before = dict(os.environ)
    sources = [quick_notebook(), quick_notebook(name="1_errors")]
    done: list[str] = []
    for _ in range(3):
        assert list(run_notebooks(sources, {"week": "2026-W47"}, on_done=done.append)) == ["4_slo", "1_errors"]
    assert done == ["4_slo", "1_errors"] * 3
    assert capfd.readouterr() == ("", "")
    assert left_in(scratch) == []
    assert kernels_of(scratch) == []
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1 / 0", "4_slo: cell 2: ZeroDivisionError: division by zero; nothing was published"),
        ("raise ValueError('a\\nb' * 500)", "4_slo: cell 2: ValueError: a ba b"),
        ("import sys; print('careful', file=sys.stderr)", "4_slo: code cell 3 wrote to stderr: careful"),
        ("import os; os._exit(1)", "4_slo: the kernel died (out of memory?); nothing was published"),
        ("import time; time.sleep(60)", "4_slo: a cell ran longer than 2 s; nothing was published"),
        ("raise KeyboardInterrupt", "4_slo: cell 2: KeyboardInterrupt"),
    ],
    ids=["error", "long error", "stderr", "dead kernel", "too long", "interrupted"],
)
def test_a_run_that_is_not_whole_is_an_error_of_one_line(
    cell: str, said: str, quick_notebook: Write, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """papermill ends some of these as if all were well. The notebook as it stopped is kept to look at."""
    monkeypatch.setattr(launch, "CELL_TIMEOUT_S", 2)
    with pytest.raises(ReportError) as failed:
        run_notebook(quick_notebook(cell), {}, keep_failed=tmp_path / "failed")
    assert str(failed.value).startswith(said)
    assert "\n" not in str(failed.value)
    assert len(str(failed.value)) < 700
    assert (tmp_path / "failed" / "4_slo.failed.ipynb").is_file()
    assert "4_slo.failed.ipynb" in str(failed.value)
    assert left_in(scratch) == []
    assert kernels_of(scratch) == []


def test_what_a_run_must_show_is_checked(quick_notebook: Write) -> None:
    with pytest.raises(ReportError, match="does not show burn"):
        run_notebook(quick_notebook(show={"burn": 0}), {})


def test_the_first_failure_calls_the_others_off(quick_notebook: Write, scratch: Path, tmp_path: Path) -> None:
    """A neighbour that would run for a minute loses its kernel; one that waits never starts; neither is called failed."""
    slow = quick_notebook("import time; time.sleep(60)", name="1_errors")
    waiting = quick_notebook("import time; time.sleep(60)", name="6_weekly")
    started = time.monotonic()
    with pytest.raises(ReportError, match="4_slo: cell 2: ZeroDivisionError"):
        run_notebooks([quick_notebook("1 / 0"), slow, waiting], {}, keep_failed=tmp_path / "failed")
    assert [path.name for path in (tmp_path / "failed").iterdir()] == ["4_slo.failed.ipynb"]
    assert time.monotonic() - started < 30  # a minute, had it waited
    assert kernels_of(scratch) == []
    assert left_in(scratch) == []


def test_the_kernel_takes_nothing_from_a_person(
    quick_notebook: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start-up files, another kernel called python3, IPython profiles: a report is the same for everybody."""
    startup = tmp_path / "startup.py"
    startup.write_text("mine = 1\n")
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "x", "language": "python"}')
    profile = tmp_path / "ipython" / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "00.py").write_text("mine = 2\n")
    monkeypatch.setenv("PYTHONSTARTUP", str(startup))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook, _ = run_notebook(quick_notebook("'mine' in globals()"), {})
    assert notebook.cells[-1].outputs[0].data["text/plain"] == "False"


def test_the_kernel_is_this_environment(quick_notebook: Write) -> None:
    notebook, _ = run_notebook(quick_notebook("import sys; sys.prefix"), {})
    assert notebook.cells[-1].outputs[0].data["text/plain"] == repr(sys.prefix)


def test_parameters_reach_the_notebook_as_they_are(quick_notebook: Write) -> None:
    """Quotes, backslashes and braces of a file name are no code and no pattern."""
    odd = '/tmp/o\'neil "x" \\ {week} $HOME'
    notebook, _ = run_notebook(quick_notebook("database"), {"database": odd})
    assert notebook.cells[-1].outputs[0].data["text/plain"] == repr(odd)
