"""The commands of the design as a person types them: plain papermill, nbval, and `relkit notebooks refresh`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from relkit.report import notebooks as storing
from relkit.report.normal import normalise, read_notebook, to_text
from relkit.report.places import project_folder
from relkit.verdict import MIME

PROJECT = project_folder()
WEEKLY = PROJECT / "notebooks" / "6_weekly.ipynb"


def run_to_end(*words: str, cwd: Path) -> SimpleNamespace:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    return SimpleNamespace(text=done.stdout, code=done.returncode, away=cwd)


@pytest.fixture(scope="module")
def typed(demo_database: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimpleNamespace]:
    """One after the other: kernels of several processes that start at once may take the same port."""
    away = tmp_path_factory.mktemp("away from home")
    changed = tmp_path_factory.mktemp("changed")
    shutil.copy(PROJECT / "notebooks" / "conftest.py", changed)
    notebook = read_notebook(PROJECT / "notebooks" / "1_errors.ipynb")
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            record = output.data[MIME]
            if record["name"] == "kinds":
                record["caption"] = record["caption"].replace("5", "6")
                output.data["text/html"] = output.data["text/html"].replace("L", "M")
    (changed / "1_errors.ipynb").write_text(to_text(notebook))
    out = str(away / "root.ipynb")
    done = {
        "root": run_to_end("papermill", "notebooks/6_weekly.ipynb", out, "-p", "week", "2026-W47", cwd=PROJECT),
        "away": run_to_end("papermill", str(WEEKLY), "out.ipynb", "-p", "week", "2026-W47", cwd=away),
        "misspelt": run_to_end("papermill", str(WEEKLY), "misspelt.ipynb", "-p", "wek", "2026-W47", cwd=away),
        "mistyped": run_to_end("papermill", str(WEEKLY), "mistyped.ipynb", "-p", "level", "95%", cwd=away),
        "nbval": run_to_end(
            "pytest", "--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider", str(changed), cwd=changed
        ),
    }
    return {name: SimpleNamespace(text=one.text, code=one.code, away=away) for name, one in done.items()}


@pytest.mark.parametrize(("name", "file"), [("root", "root.ipynb"), ("away", "out.ipynb")])
def test_plain_papermill_runs_from_the_root_and_from_elsewhere(
    name: str, file: str, typed: dict[str, SimpleNamespace]
) -> None:
    """And gives what is stored: the same outputs, but for the injected parameters."""
    done = typed[name]
    assert done.code == 0, done.text
    ran, stored = normalise(read_notebook(done.away / file)), read_notebook(WEEKLY)
    shown = [[output.data for cell in book.cells for output in cell.get("outputs", ())] for book in (ran, stored)]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("misspelt", "6_weekly has no parameter 'wek'; did you mean week?"),
        ("mistyped", "level = '95%' is not acceptable: allowed is float"),
    ],
)
def test_plain_papermill_with_a_wrong_parameter_fails_in_the_setup_cell(
    name: str, said: str, typed: dict[str, SimpleNamespace]
) -> None:
    """papermill only warns of a misspelt name; the notebook itself refuses, before any output."""
    done = typed[name]
    assert done.code == 1
    assert said in done.text
    ran = json.loads((done.away / f"{name}.ipynb").read_text())
    assert not any(MIME in output.get("data", {}) for cell in ran["cells"] for output in cell.get("outputs", ()))


def test_a_changed_output_fails_with_one_line_each(typed: dict[str, SimpleNamespace]) -> None:
    """`pytest --nbval` names plate and difference, instead of printing the picture's markup."""
    done = typed["nbval"]
    assert done.code == 1
    assert "1_errors.ipynb, cell" in done.text
    # Where CI is set, pytest repeats each message uncut in its closing summary.
    told = done.text.partition("short test summary info")[0]
    assert sum("plate kinds: caption was" in line for line in told.splitlines()) == 1
    assert all(len(line) < 400 for line in done.text.splitlines())
    assert "%3C" not in done.text
    assert "1 failed" in done.text


def test_refreshing_stores_whole_notebooks_in_normal_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are run before the first is stored; each is replaced in one step."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("4_slo", "1_errors", "2_retries", "5_shadow_ab", "6_weekly"):
        (folder / f"{name}.ipynb").write_text("stored")
    fresh = read_notebook(WEEKLY)
    asked: list[list[str]] = []

    def run(sources: list[Path], parameters: dict[str, object]) -> dict[str, tuple[object, None]]:
        asked.append([source.stem for source in sources])
        return {source.stem: (fresh, None) for source in sources}

    monkeypatch.setattr(storing, "project_folder", lambda: tmp_path)
    monkeypatch.setattr(storing, "run_notebooks", run)
    done = list(storing.refresh_notebooks(["6_weekly", "4_slo"]))
    assert asked == [["4_slo", "6_weekly"]]
    assert [path.stem for path in done] == ["4_slo", "6_weekly"]
    assert (folder / "6_weekly.ipynb").read_text() == WEEKLY.read_text()
    assert (folder / "1_errors.ipynb").read_text() == "stored"
    assert not list(folder.glob("*.new"))
