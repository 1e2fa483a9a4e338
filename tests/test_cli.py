"""What is typed: one clear line for wrong words, exit codes 0, 1 and 3, and text that a terminal can show."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relkit import cli
from relkit.exceptions import ReportError
from relkit.report import weekly

Run = Callable[..., SimpleNamespace]
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "matplotlib",
    "duckdb",
    "numba",
    "statsmodels",
    "papermill",
    "nbconvert",
    "IPython",
)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command line takes over the signals of its process; here that is pytest's."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command in an empty folder; get its exit code and both streams."""
    monkeypatch.chdir(tmp_path)

    def type_(*words: str) -> SimpleNamespace:
        with pytest.raises(SystemExit) as stop:
            cli.main(list(words))
        out, err = capfd.readouterr()
        return SimpleNamespace(code=stop.value.code, out=out, err=err)

    return type_


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for the publishing; what is asked lands in the mapping, its `broken` and `lines` are the answer."""
    seen: dict[str, Any] = {"broken": (), "lines": ("Data from Monday.",), "is_new": True, "changed": ()}

    def publish_week(**asked: Any) -> Any:
        seen["asked"] = asked
        if "error" in seen:
            raise seen["error"]
        page = SimpleNamespace(
            page=Path("reports/2026-W47/index.html"),
            is_new=seen["is_new"],
            changed=seen["changed"],
            summary={"week": "2026-W47"},
        )
        return SimpleNamespace(published=page, lines=seen["lines"], broken=seen["broken"])

    monkeypatch.setattr(weekly, "publish_week", publish_week)
    return seen


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["ingest", "--help"],
        ["demo", "--help"],
        ["report", "--help"],
        ["notebooks", "--help"],
        ["notebooks", "refresh", "--help"],
    ],
    ids=" ".join,
)
def test_help_is_an_answer(words: list[str], run: Run) -> None:
    done = run(*words)
    assert done.code == 0
    assert done.out.startswith(f"Usage: relkit {' '.join(words[:-1])}".rstrip())
    assert done.err == ""
    assert done.out.isascii()


@pytest.mark.parametrize("words", [[], ["notebooks"]], ids=["relkit", "relkit notebooks"])
def test_no_command_shows_the_help_but_did_nothing(words: list[str], run: Run) -> None:
    done = run(*words)
    assert (done.code, done.out) == (1, "")
    assert "Commands:" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["repor"], "No such command 'repor'. Did you mean 'report', 'export'? (see relkit --help)"),
        (["report", "--wek", "2026-W47"], "No such option: --wek (Possible options: --week) (see relkit report --help)"),
        (["report", "--week"], "Option '--week' requires an argument"),
        (["report", "extra"], "No such command 'extra'"),
        (["report", "--week", "2026-W47", "--all"], "--week and --all exclude each other; give one"),
        (["report", "--week", "47"], "week = '47' is not acceptable: allowed is a week such as 2026-W47, or all"),
        (["report", "--database", "none.duckdb"], "none.duckdb: no such database"),
        (["report", "--database", "."], ".: cannot be opened"),
        (["report", "--config", "none.toml"], "none.toml: cannot be read (No such file or directory)"),
        (["ingest"], "say which log files to read, or --follow FOLDER for a journal"),
        (["ingest", "x.csv"], "x.csv: no such file"),
        (["ingest", "x.csv", "--as", "rows"], "--as = 'rows' is not acceptable: allowed is attempts, events"),
        (["ingest", "x.csv", "--as", "attempts"], "x.csv: no such file"),
        (["forget", "access"], "relkit.duckdb: no such database"),
        (["demo", "-d", "no/such/x.duckdb"], "make no/such first"),
        (["notebooks", "refresh", "nothing"], "notebook = 'nothing' is not acceptable: allowed is 6_weekly"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_wrong_words_get_one_clear_line(words: list[str], said: str, run: Run, tmp_path: Path) -> None:
    """Exit code 1, nothing on stdout, no traceback, nothing written."""
    done = run(*words)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("relkit: ")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_first_line_comes_first_and_the_page_last(run: Run, published: dict[str, Any]) -> None:
    published["lines"] = ("Data from Monday.", "slo: MET. 99.95 % were good.")
    published["changed"] = ("slo: MISSED before, MET now: yes",)
    done = run("report", "--week", "2026-W47")
    assert done.code == 0
    assert done.err == ""
    assert done.out.splitlines() == [
        "Data from Monday.",
        "slo: MET. 99.95 % were good.",
        "changed since the last run: slo: MISSED before, MET now: yes",
        "page: reports/2026-W47/index.html",
    ]


def test_a_run_without_news_says_so(run: Run, published: dict[str, Any]) -> None:
    published["is_new"] = False
    assert "nothing changed since the last run; its page stands\n" in run("report").out


def test_a_broken_guardrail_is_exit_code_3_and_still_a_report(run: Run, published: dict[str, Any]) -> None:
    published["broken"] = ("availability",)
    done = run("report")
    assert done.code == 3
    assert done.out.endswith("page: reports/2026-W47/index.html\nguardrail broken: availability\n")
    done = run("report", "--json")
    assert (done.code, json.loads(done.out)["broken"]) == (3, ["availability"])


def test_progress_is_for_a_terminal_alone(run: Run, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar on stderr of a person; a log file, a pipe and stdout get none."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert run("report").err == ""
    monkeypatch.setattr(sys, "stderr", Terminal())
    done = run("report")
    assert "running notebooks" in sys.stderr.getvalue()
    assert "running" not in done.out


def test_words_reach_the_weekly_run(run: Run, published: dict[str, Any]) -> None:
    run("report", "--all", "-d", "x.duckdb", "--config", "c.toml", "--reports", "r")
    asked = published["asked"]
    assert (asked["week"], asked["database"], asked["config"], asked["reports"]) == (
        "all", Path("x.duckdb"), Path("c.toml"), Path("r"),
    )  # fmt: skip


def test_a_log_is_taken_back_by_its_name(run: Run, tmp_path: Path) -> None:
    """Rows and ledger go; a name that no log has changes nothing and is told what the file holds."""
    (tmp_path / "access.csv").write_text("time,status\n" + "2026-11-16T10:00:00Z,200\n" * 3, encoding="utf-8")
    (tmp_path / "map.toml").write_text(
        'kind = "attempts"\nsource = "access"\n[time]\ncolumn = "time"\n[columns]\nstatus = "status"\n',
        encoding="utf-8",
    )
    ingest = ("ingest", "access.csv", "--as", "attempts", "--map", "map.toml")
    assert run(*ingest).code == 0
    wrong = run("forget", "acess")
    assert (wrong.code, wrong.out) == (1, "")
    assert "holds no log 'acess'; did you mean 'access'?" in wrong.err
    assert run("forget", "access").out == "access: 3 rows and its entries in the ledger are gone\n"
    again = run(*ingest, "--json")
    assert json.loads(again.out)["files"][0]["kept"] == 3
    assert json.loads(run("forget", "access", "--json").out) == {"source": "access", "rows": 3}


HOSTILE = "a\x1b[31mb\u202ec\x00\x9b\nd"


def test_text_of_a_log_is_shown_not_obeyed(run: Run, published: dict[str, Any]) -> None:
    """Escape sequences, direction marks and line ends of a log do nothing to a terminal."""
    published["lines"] = (HOSTILE,)
    assert run("report").out.splitlines()[0] == r"a\x1b[31mb\x202ec\x00\x9b\x0ad"
    published["changed"] = (HOSTILE,)
    out = run("report", "--json").out
    assert out.isascii()
    assert json.loads(out)["changed"] == [HOSTILE]


def test_text_of_an_error_is_shown_not_obeyed(run: Run, published: dict[str, Any]) -> None:
    published["error"] = ReportError(HOSTILE)
    done = run("report")
    assert (done.code, done.out) == (1, "")
    assert done.err == "relkit: a\\x1b[31mb\\x202ec\\x00\\x9b\nrelkit: d\n"


def test_an_interrupt_is_said_in_one_line(run: Run, published: dict[str, Any]) -> None:
    published["error"] = KeyboardInterrupt()
    done = run("report")
    assert (done.code, done.out, done.err) == (1, "", "relkit: interrupted; nothing half done was kept\n")


def test_a_bug_of_ours_shows_where(run: Run, published: dict[str, Any]) -> None:
    """Only errors raised on purpose are one line; anything else must not be swallowed."""
    published["error"] = ZeroDivisionError("ours")
    with pytest.raises(ZeroDivisionError):
        cli.main(["report"])


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    "statement", ["import relkit", "import relkit.cli", "import relkit; relkit.RelkitError; relkit.Verdict"]
)
def test_importing_loads_no_heavy_library(statement: str) -> None:
    """Start-up is what a person waits for; a new process says what was imported."""
    done = python(f"import sys; {statement}; print(*sorted(set(sys.modules) & set({HEAVY!r})))")
    assert (done.stdout, done.stderr) == ("\n", "")


def test_help_loads_no_heavy_library() -> None:
    done = python(
        "import sys; from relkit.cli import main\ntry: main(['report', '--help'])\n"
        f"except SystemExit: print(*sorted(set(sys.modules) & set({HEAVY!r})), 'end')"
    )
    assert done.stdout.splitlines()[-1].split() == ["end"]


def test_a_terminal_without_unicode_is_no_reason_to_fail() -> None:
    code = "from relkit.cli import said; said.say({}, ['1\\u202f000 \\u2212 2'], as_json=False)"
    done = python(
        f"from relkit import cli\ncli.app = lambda *a, **k: exec({code!r})\ncli.main([])", PYTHONIOENCODING="ascii"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\\u202f000 \\u2212 2\n", "")


def test_a_reader_that_went_away_is_no_traceback() -> None:
    """`relkit report | head -1`."""
    code = "from relkit.cli import said; said.say({}, ['x' * 100] * 100_000, as_json=False)"
    words = [sys.executable, "-c", f"from relkit import cli\ncli.app = lambda *a, **k: exec({code!r})\ncli.main([])"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_python_m_relkit_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "relkit", "nothing"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "relkit: No such command 'nothing'. (see relkit --help)\n"
