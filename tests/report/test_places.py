"""Where things go: beside the project, and somewhere else when the checkout cannot be written."""

import json
import os
from pathlib import Path

import pytest

from relkit.exceptions import ReportError
from relkit.report import demo as demo_module
from relkit.report import places
from relkit.report.demo import ensure_demo, make_demo
from relkit.report.places import demo_database as demo_place
from relkit.report.places import is_writable, project_folder, reports_folder


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout that cannot be written (root can write everywhere, so it is said, not made), seen from elsewhere."""
    project = project_folder()
    monkeypatch.setattr(places, "is_writable", lambda folder: project not in (folder, *folder.parents))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return project


def test_reports_go_beside_the_project_or_to_the_current_folder(read_only: Path, tmp_path: Path) -> None:
    assert reports_folder(read_only / "relkit.duckdb") == tmp_path / "reports"


def test_a_log_of_another_folder_never_replaces_the_pages_of_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    project = project_folder()
    assert reports_folder(tmp_path / "relkit.duckdb") == tmp_path / "reports"
    assert reports_folder(project / "data/demo.duckdb") == project / "reports"


def test_reports_with_nowhere_to_go_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "is_writable", lambda folder: False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportError, match="no page can be written: neither"):
        reports_folder(tmp_path / "relkit.duckdb")


def test_a_demo_that_cannot_lie_in_the_project_lies_in_scratch(read_only: Path, tmp_path: Path) -> None:
    assert demo_place() == tmp_path / f"relkit-{os.getuid()}" / "demo.duckdb"


def test_a_good_demo_in_a_read_only_project_is_used(demo_database: Path, read_only: Path) -> None:
    assert demo_database.parent == read_only / "data"
    assert ensure_demo() == demo_database


def test_a_stale_demo_in_a_read_only_project_is_made_elsewhere(
    demo_database: Path, read_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stored one was made by an earlier generator; it is left as it is."""
    before = demo_database.stat().st_mtime_ns
    monkeypatch.setattr(demo_module, "_maker", lambda: "newer")
    made = ensure_demo()
    assert made.parent == tmp_path / f"relkit-{os.getuid()}"
    assert json.loads((made.parent / "demo-truth.json").read_text())["maker"] == "newer"
    assert ensure_demo() == made  # and is found there the next time
    assert demo_database.stat().st_mtime_ns == before


def test_writable_means_that_a_file_can_be_made(tmp_path: Path) -> None:
    assert is_writable(tmp_path / "new" / "folder")
    (tmp_path / "file").write_text("")
    assert not is_writable(tmp_path / "file" / "folder")
    assert not is_writable(Path("/proc/relkit"))


def test_the_project_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (project_folder() / "notebooks" / "6_weekly.ipynb").is_file()


def test_an_installed_package_looks_above_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "site-packages" / "relkit")
    (tmp_path / "checkout" / "notebooks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "checkout" / "notebooks")
    with pytest.raises(ReportError, match="no notebooks found: run relkit from a checkout"):
        project_folder()
    (tmp_path / "checkout" / "notebooks" / "6_weekly.ipynb").write_text("{}")
    assert project_folder() == tmp_path / "checkout"


def test_a_demo_never_takes_the_place_of_a_log(tmp_path: Path) -> None:
    """`relkit demo -d relkit.duckdb` in the folder of a real log, even with a demo beside it."""
    place = tmp_path / "relkit.duckdb"
    place.write_bytes(b"mine")
    (tmp_path / "demo-truth.json").write_text(json.dumps({"database": "demo.duckdb", "maker": "x"}))
    with pytest.raises(ReportError, match="is no demo database; name another file, this one was left alone"):
        make_demo(place)
    assert place.read_bytes() == b"mine"


def test_a_demo_is_made_with_its_truth_and_may_be_made_again(tmp_path: Path) -> None:
    place = tmp_path / "week.duckdb"
    truth = make_demo(place)
    told = json.loads((tmp_path / "demo-truth.json").read_text())
    assert told["requests"] == truth["requests"]
    assert told["database"] == "week.duckdb"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo-truth.json", "week.duckdb"]
    assert make_demo(place) == truth


def test_a_demo_that_cannot_be_written_says_so() -> None:
    with pytest.raises(ReportError, match="the demo week cannot be written"):
        make_demo(Path("/proc/x.duckdb"))
