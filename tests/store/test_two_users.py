"""Two at once at one database: one waits, the other wins, nobody loses a row, and who is in the way is named."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest

from relkit.store import open_store, readings

MAPPING = """
kind = "attempts"
source = "{source}"
[time]
column = "ts"
[columns]
latency_us = {{ column = "ms", unit = "ms" }}
"""
# A kernel that somebody left open: it said `duckdb.connect` in a cell some hours ago.
KERNEL = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
print("open", flush=True)
sys.stdin.readline()
"""
# Two that meet at a database that is not there yet, again and again: one fails before it has stored anything.
MEETING = """
import sys
from pathlib import Path
from relkit.store import open_store
for line in sys.stdin:
    try:
        with open_store(Path(sys.argv[1]) / f"{line.strip()}.duckdb", write=True) as store:
            if sys.argv[2] == "fails":
                raise ZeroDivisionError
            store.connection.execute("INSERT INTO meta VALUES ('row', 'kept')")
    except ZeroDivisionError:
        pass
    print("done", flush=True)
"""
Relkit = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def relkit(tmp_path: Path) -> Iterator[Relkit]:
    """Start `relkit` in the folder of the test."""
    with ExitStack() as life:

        def start(*words: str) -> subprocess.Popen[str]:
            line = [sys.executable, "-m", "relkit", *words]
            run = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            life.callback(run.kill)
            return life.enter_context(run)

        yield start


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Callable[[str, Sequence[object]], subprocess.Popen[str]]]:
    """Start a Python that speaks with the test line by line."""
    with ExitStack() as life:

        def start(script: str, words: Sequence[object]) -> subprocess.Popen[str]:
            line = [sys.executable, "-c", script, *map(str, words)]
            run = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            life.callback(run.kill)
            return life.enter_context(run)

        yield start


def log(folder: Path, source: str, rows: int) -> list[str]:
    """Write a log with its mapping; return the words that ingest it."""
    lines = [f"2026-11-16T{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z,{n % 900}\n" for n in range(rows)]
    (folder / f"{source}.csv").write_text("ts,ms\n" + "".join(lines))
    (folder / f"{source}.toml").write_text(MAPPING.format(source=source))
    return ["ingest", f"{source}.csv", "--as", "attempts", "--map", f"{source}.toml", "-d", "log.duckdb"]


def test_two_ingests_into_a_database_that_is_not_there_yet(tmp_path: Path, relkit: Relkit) -> None:
    """The later one waits; both logs are there, whoever came first."""
    words = [log(tmp_path, source, 3_000) for source in ("one", "two")]
    runs = [relkit(*line) for line in words]
    told = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    with open_store(tmp_path / "log.duckdb") as store:
        ask = "SELECT source, count(*) FROM attempts GROUP BY ALL ORDER BY ALL"
        assert store.connection.execute(ask).fetchall() == [("one", 3_000), ("two", 3_000)]
    assert not (tmp_path / "log.duckdb.wal").exists()


def test_two_ingests_of_the_same_log_store_it_once(tmp_path: Path, relkit: Relkit) -> None:
    words = log(tmp_path, "one", 3_000)
    runs = [relkit(*words), relkit(*words)]
    told = [run.communicate(timeout=120)[0] for run in runs]
    assert sorted(told) == [
        "one.csv: read 3\u202f000 rows = 0 kept + 0 rejected + 3\u202f000 already there\n",
        "one.csv: read 3\u202f000 rows = 3\u202f000 kept + 0 rejected + 0 already there\n",
    ]


def test_one_that_fails_takes_nobodys_rows_with_it(
    tmp_path: Path, python: Callable[[str, Sequence[object]], subprocess.Popen[str]]
) -> None:
    """It removes the database it has made in vain, but not the one that another makes at the same time."""
    both = [python(MEETING, (tmp_path, how)) for how in ("fails", "stores")]
    for number in range(25):
        for run in both:
            assert run.stdin is not None
            print(number, file=run.stdin, flush=True)
        for run in both:
            assert run.stdout is not None
            assert run.stdout.readline() == "done\n"
        with duckdb.connect(str(tmp_path / f"{number}.duckdb"), read_only=True) as connection:
            assert connection.execute("SELECT value FROM meta WHERE key = 'row'").fetchall() == [("kept",)]


@pytest.mark.parametrize("kernel", ["reads", "writes"])
def test_a_kernel_left_open_is_named_with_the_remedy(
    kernel: str,
    tmp_path: Path,
    relkit: Relkit,
    python: Callable[[str, Sequence[object]], subprocess.Popen[str]],
) -> None:
    """Ingest waits ten seconds and changes nothing; when the kernel is gone, the same words work."""
    assert relkit(*log(tmp_path, "one", 100)).wait(120) == 0
    words = log(tmp_path, "two", 100)
    with open_store(tmp_path / "log.duckdb") as store:
        before = readings.data_hash(store)
    left_open = python(KERNEL, (tmp_path / "log.duckdb", kernel))
    assert left_open.stdout is not None
    assert left_open.stdout.readline() == "open\n"
    run = relkit(*words)
    out, err = run.communicate(timeout=120)
    assert (run.returncode, out) == (1, "")
    assert err.startswith(f"relkit: log.duckdb: locked by process {left_open.pid} (")
    assert Path(sys.executable).name in err
    assert "for more than 10 s" in err
    assert err.endswith("(a JupyterLab kernel: Shut Down Kernel), and run again\n")
    left_open.communicate("\n")
    with open_store(tmp_path / "log.duckdb") as store:
        assert readings.data_hash(store) == before
    assert relkit(*words).wait(120) == 0
