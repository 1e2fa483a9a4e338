"""A report is published whole by moving one link, or not at all."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relkit.exceptions import ReportError
from relkit.report.contract import CONTRACTS
from relkit.report.publish import PAGES, Published
from relkit.report.spreadsheet import csv_name
from relkit.scratch import held

Put = Callable[..., Published]
AUDIT_PLATES = {"before_after", "threshold", "detection", "health_check", "schedule", "z_test", "peeking"}
FILES = {
    "1_errors.ipynb", "2_retries.ipynb", "3_breakers.ipynb", "4_slo.ipynb", "5_shadow_ab.ipynb", "6_weekly.ipynb", "7_plan_audit.ipynb",
    "audit.html", "breakers.html", "errors.html", "index.html", "manifest.json", "retries.html", "shadow.html", "slo.html", "summary.json", "summary.md",
    # the page that reads no log is the stored one, whatever stands in for the kernels
    *(csv_name("audit.html", name) for name in CONTRACTS["7_plan_audit"].shows - AUDIT_PLATES), "tables/audit-provenance.csv",
}  # fmt: skip


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kept(reports: Path) -> list[str]:
    return sorted(path.name for path in (reports / ".runs").iterdir())


def test_a_report_is_a_link_to_a_whole_run(put: Put, tmp_path: Path) -> None:
    published = put()
    assert published.is_new
    assert published.changed == ()
    assert published.page == tmp_path / "reports" / "2026-W47" / "index.html"
    assert published.folder.is_symlink()
    assert str(published.folder.readlink()) == ".runs/2026-W47-0001"  # relative: the folder may be moved or served
    assert set(content(published.folder)) == FILES
    assert kept(tmp_path / "reports") == ["2026-W47-0001"]


def test_others_may_read_what_the_umask_lets_them(put: Put) -> None:
    """A web server is seldom the user who ran the report."""
    before = os.umask(0o022)
    try:
        folder = put().folder.resolve()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_each_page_links_to_the_others(put: Put) -> None:
    folder = put().folder
    for name in PAGES.values():
        page = (folder / name).read_text()
        assert page.count("aria-current") == 1
        others = set(PAGES.values()) - {name}
        assert all(f'href="{other}"' in page for other in others)


def test_the_same_bytes_are_not_kept_twice(put: Put, tmp_path: Path) -> None:
    first = put()
    again = put()
    assert (again.is_new, again.changed, again.folder) == (False, (), first.folder)
    assert kept(tmp_path / "reports") == ["2026-W47-0001"]


def test_late_data_gets_the_next_number_and_says_what_changed(
    put: Put, runs: dict[str, Any], make_run: Callable[..., Any], tmp_path: Path
) -> None:
    first = content(put().folder)
    runs["6_weekly"] = make_run("6_weekly", "MISSED", "98 % were good.")
    second = put(data_hash="1" * 64)
    assert second.is_new
    assert "slo: MET before, MISSED now: 98 % were good." in second.changed
    assert "the data differ (other ingest ledger)" in second.changed
    assert kept(tmp_path / "reports") == ["2026-W47-0001", "2026-W47-0002"]
    assert content(tmp_path / "reports" / ".runs" / "2026-W47-0001") == first
    assert b"98 % were good." in content(second.folder)["index.html"]


@pytest.mark.parametrize("notebook", ["6_weekly", "5_shadow_ab"])
def test_a_failing_notebook_leaves_everything_as_it_was(
    notebook: str, put: Put, runs: dict[str, Any], tmp_path: Path
) -> None:
    """Whichever fails, the first or the last: the link and its page stand, and nothing new claims to be a report."""
    before = content(put().folder)
    runs[notebook] = ReportError(f"{notebook}: cell 3: KeyError: 'x'; nothing was published")
    with pytest.raises(ReportError, match="KeyError"):
        put(data_hash="1" * 64)
    assert content(tmp_path / "reports" / "2026-W47") == before
    assert kept(tmp_path / "reports") == ["2026-W47-0001"]


def test_a_first_run_that_fails_leaves_no_link(put: Put, runs: dict[str, Any], tmp_path: Path) -> None:
    runs["4_slo"] = ReportError("no")
    with pytest.raises(ReportError):
        put()
    assert [path.name for path in (tmp_path / "reports").iterdir()] == [".runs"]
    assert kept(tmp_path / "reports") == []


def test_a_run_that_is_not_whole_is_not_published(
    put: Put, runs: dict[str, Any], make_run: Callable[..., Any], tmp_path: Path
) -> None:
    before = content(put().folder)
    runs["1_errors"] = make_run("1_errors")
    runs["1_errors"].cells.pop()
    with pytest.raises(ReportError, match="1_errors: the run does not show"):
        put()
    assert content(tmp_path / "reports" / "2026-W47") == before


def test_a_write_that_fails_half_way_publishes_nothing(
    put: Put, runs: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A full disk while the last file is written."""
    before = content(put().folder)
    write = Path.write_text

    def full(path: Path, *words: Any, **named: Any) -> int:
        if path.name == "manifest.json":
            raise OSError(28, "No space left on device", str(path))
        return write(path, *words, **named)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ReportError, match=r"manifest\.json: No space left on device; nothing was published"):
        put(data_hash="1" * 64)
    assert content(tmp_path / "reports" / "2026-W47") == before
    assert kept(tmp_path / "reports") == ["2026-W47-0001"]


def test_reports_that_cannot_be_written_are_named(put: Put, tmp_path: Path) -> None:
    """Here a file stands where the folder should be: root may write anywhere else."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"file/\.runs: cannot be written \(Not a directory\); nothing was published"):
        put(tmp_path / "file")


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_stands_in_the_way_of_the_link_is_left_alone(what: str, put: Put, tmp_path: Path) -> None:
    """It is said before a notebook runs, and nothing is written."""
    place = tmp_path / "reports" / "2026-W47"
    place.parent.mkdir()
    if what == "folder":
        place.mkdir()
        (place / "mine.txt").write_text("mine")
    else:
        place.write_text("mine")
    steps: list[str] = []
    with pytest.raises(ReportError, match=f"is a {what}, not a link to a run; move it away"):
        put(on_step=steps.append)
    assert steps == []
    assert not (tmp_path / "reports" / ".runs").exists()
    assert (place / "mine.txt" if what == "folder" else place).read_text() == "mine"


def test_a_link_that_leads_nowhere_is_put_right(put: Put, tmp_path: Path) -> None:
    """Somebody cleared .runs by hand."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "2026-W47").symlink_to(".runs/2026-W47-0001")
    assert put().is_new
    assert (tmp_path / "reports" / "2026-W47" / "index.html").is_file()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"verdicts": {}}'])
def test_an_earlier_summary_that_cannot_be_read_is_no_reason_to_fail(text: str, put: Put) -> None:
    (put().folder.resolve() / "summary.json").write_text(text)
    again = put()
    assert again.is_new
    assert str(again.folder.readlink()) == ".runs/2026-W47-0002"


def test_what_killed_runs_left_is_cleared_by_the_next(put: Put, tmp_path: Path) -> None:
    """What a living process holds is a run that is going on; a published run is never cleared."""
    put()
    runs = tmp_path / "reports" / ".runs"
    for name in ("making-dead", "making-living"):
        (runs / name / "fresh").mkdir(parents=True)
        (runs / name / "fresh" / "index.html").write_text("half")
    with held(runs / "making-living"):
        put()
    assert kept(tmp_path / "reports") == ["2026-W47-0001", "making-living"]


def test_of_two_reports_at_once_the_later_sees_what_the_earlier_published(
    put: Put, runs: dict[str, Any], tmp_path: Path
) -> None:
    """Published while the later one still runs its notebooks: equal bytes are not kept twice."""
    done: list[Published] = []
    later = put(on_step=lambda name: done.append(put()) if not done else None)
    assert (done[0].is_new, later.is_new) == (True, False)
    assert kept(tmp_path / "reports") == ["2026-W47-0001"]


def test_a_run_that_cannot_be_shown_gives_its_number_back(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may fill between the last page and the link."""

    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "symlink_to", full)
    with pytest.raises(ReportError, match="link: No space left on device; nothing was published"):
        put()
    assert kept(tmp_path / "reports") == []


def test_a_failed_run_kept_to_look_at_goes_with_the_next_good_one(put: Put, tmp_path: Path) -> None:
    put()
    failed = tmp_path / "reports" / ".runs" / "4_slo.failed.ipynb"
    failed.write_text("{}")
    put()
    assert not failed.exists()


def test_two_runs_at_once_both_stand(
    put: Put, runs: dict[str, Any], make_run: Callable[..., Any], tmp_path: Path
) -> None:
    """The number is taken by the rename itself; the link shows one of them whole."""
    (tmp_path / "reports" / ".runs" / "2026-W47-0001").mkdir(parents=True)
    (tmp_path / "reports" / ".runs" / "2026-W47-0001" / "index.html").write_text("another run")
    assert str(put().folder.readlink()) == ".runs/2026-W47-0002"


def test_the_manifest_names_every_file_and_no_folder_of_this_machine(put: Put, tmp_path: Path) -> None:
    config = tmp_path / "relkit.toml"
    config.write_text("")
    folder = put(config=str(config)).folder
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["as_of"] == "2026-11-23T00:00:00+00:00"
    assert manifest["parameters"] == {
        "config": "relkit.toml", "config_sha256": hashlib.sha256(b"").hexdigest(),
        "database": "log.duckdb", "week": "2026-W47", "zone": "UTC",
    }  # fmt: skip
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert {plate["name"] for plate in manifest["plates"]["4_slo"]} >= {"burn", "budget"}
    for name, written in content(folder).items():
        assert str(tmp_path).encode() not in written, name


def test_injected_parameters_keep_the_name_of_a_file_not_its_folder(
    put: Put, runs: dict[str, Any], make_run: Callable[..., Any]
) -> None:
    """Whatever characters the folder holds; papermill writes backslashes and quotes its own way."""
    run = make_run("4_slo")
    run.cells[1].metadata["tags"] = ["injected-parameters"]
    run.cells[1].source = '# Parameters\ndatabase = "/home/o\\\\\'neil \\"x\\"/log.duckdb"\nweek = "2026-W47"'
    runs["4_slo"] = run
    stored = json.loads((put().folder / "4_slo.ipynb").read_text())
    assert (
        "".join(stored["cells"][1]["source"]) == '# Parameters\ndatabase = "log.duckdb"\nweek = "2026-W47"\nconfig = ""'
    )
