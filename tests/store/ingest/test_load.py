"""Loading: one transaction a file, exactly the content that was hashed, and nothing where nothing can be read."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from workshop import PLAIN, Workshop

from relkit.exceptions import DataError
from relkit.store.ingest import load
from relkit.store.ingest.run import ingest_files

HEAD = "ts,status,ms\n"
STAMP = "2026-11-16T08:00:00Z"


def lines(first: int, last: int) -> str:
    return "".join(
        f"2026-11-16T08:{i // 60:02d}:{i % 60:02d}Z,{200 if i % 7 else 500},{i}\n" for i in range(first, last)
    )


def test_rows_keep_the_order_of_the_file_at_any_number_of_threads(workshop: Workshop) -> None:
    workshop.store.connection.execute("SET threads = 4")
    rows = "".join(f"{1_795_000_000 + (i * 7919) % 300_007},200,{i % 1000}\n" for i in range(300_000))
    workshop.ingest(HEAD + rows, PLAIN.replace('"ts"', '"ts"\nformat = "unix_s"'))
    found = workshop.column("SELECT ts // 1000000 FROM attempt_rows ORDER BY rowid")
    assert found == [1_795_000_000 + (i * 7919) % 300_007 for i in range(300_000)]


def test_an_error_in_the_middle_leaves_nothing(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.ingest(HEAD + lines(0, 10))
    before = workshop.content()

    def fail(*_: object) -> None:
        raise RuntimeError("the power went")

    for step in ("find_rejects", "frequent"):
        with monkeypatch.context() as patch:
            patch.setattr(load, step, fail)
            with pytest.raises(RuntimeError, match="the power went"):
                workshop.ingest(HEAD + lines(0, 20))
        assert workshop.content() == before
    real = load.land

    def land_and_fail(*given: object) -> None:
        real(*given)  # type: ignore[arg-type]
        assert workshop.column("SELECT count(*) FROM attempt_rows") == [20]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(load, "land", land_and_fail)
        with pytest.raises(KeyboardInterrupt):
            workshop.ingest(HEAD + lines(0, 20))
    assert workshop.content() == before
    assert workshop.ingest().kept == 10, "after a failure the same file is read as if nothing had been"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEAD + "x,200,1\ny,200,1\n", r"no row could be read: ts: … is not an ISO 8601 time .* \(2 rows\)\. Nothing of it was stored; mend the mapping"),
        (HEAD + f"{STAMP}\n{STAMP},200\n", "no row could be read: has fewer cells than the header"),
        (HEAD.replace(",", ";") + f"{STAMP};0;1\n", "no row could be read: status: … is no HTTP status"),
    ],
)  # fmt: skip
def test_a_file_that_gives_no_row_stores_nothing(workshop: Workshop, content: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        workshop.ingest(content)
    assert workshop.is_empty()


def test_a_wrong_delimiter_is_an_absent_column(workshop: Workshop) -> None:
    with pytest.raises(DataError, match=r"has no column 'ts'; it was split at ';': say delimiter"):
        workshop.ingest(HEAD + lines(0, 3), PLAIN.replace("kind", 'delimiter = ";"\nkind'))
    assert workshop.is_empty()


def test_a_header_alone_and_the_beginning_of_a_first_line_are_a_log_that_holds_nothing_yet(workshop: Workshop) -> None:
    assert workshop.ingest(HEAD).read == 0
    assert workshop.ingest(HEAD + f"{STAMP},2").kept == 0
    assert workshop.is_empty()
    assert workshop.ingest(HEAD + f"{STAMP},200,5\n").kept == 1


def test_where_leaves_lines_out_and_they_are_no_rows(workshop: Workshop) -> None:
    toml = PLAIN + '[rows]\nwhere = "number(status) >= 500"\n'
    outcome = workshop.ingest(HEAD + lines(0, 14) + "x,200,1\ny,500,1\n", toml)
    assert (outcome.read, outcome.kept, outcome.rejected, outcome.left_out) == (3, 2, 1, 13)
    again = workshop.ingest(None, toml)
    assert (again.read, again.already_there, again.left_out) == (3, 3, 13)


def test_the_same_file_with_another_mapping_is_refused(workshop: Workshop) -> None:
    workshop.ingest(HEAD + lines(0, 5))
    changed = PLAIN.replace('unit = "ms"', 'unit = "s"')
    for content in (lines(0, 5), lines(0, 9)):
        with pytest.raises(
            DataError, match=r"was read before with another mapping.*relkit forget web.* another source"
        ):
            workshop.ingest(HEAD + content, changed)
    assert workshop.ingest(None, changed.replace('"web"', '"web in s"')).kept == 9


def test_what_is_written_while_it_is_read_belongs_to_the_next_reading(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live log grows between hashing and reading, in the middle of a line too; the rows are those of what was hashed."""
    real = load.digest

    def hash_and_grow(path: Path, *given: object) -> object:
        found = real(path, *given)  # type: ignore[arg-type]
        with path.open("a") as log:
            log.write(lines(10, 15) + "2026-11-16T08:59:59Z,5")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(load, "digest", hash_and_grow)
        assert workshop.ingest(HEAD + lines(0, 10)).kept == 10
    assert workshop.rows("SELECT bytes, lines, records FROM ingests") == [(len(HEAD + lines(0, 10)), 11, 10)]
    with (workshop.folder / "log.csv").open("a") as log:
        log.write("03,7\n")
    assert workshop.ingest().kept == 6
    assert workshop.column("SELECT count(*) FROM attempts WHERE status = 503") == [1]
    assert workshop.rejects() == []


def test_the_ledger_tells_what_became_of_each_file(workshop: Workshop) -> None:
    workshop.ingest(HEAD + lines(0, 5) + "x,1,1\n")
    workshop.ingest(HEAD + lines(0, 5) + "x,1,1\n" + lines(5, 7))
    workshop.ingest(None, name="log.csv")
    assert workshop.rows(
        "SELECT ingest_id, lineage, name, kind, read_rows, kept_rows, rejected_rows, already_there_rows FROM ingests ORDER BY ALL"
    ) == [(1, 1, "log.csv", "attempts", 6, 5, 1, 0), (2, 1, "log.csv", "attempts", 8, 2, 0, 6)]


def test_parquet(workshop: Workshop) -> None:
    frame = pd.DataFrame(
        {
            "ts": pd.to_datetime(["2026-11-16T08:00:00Z"] * 3),
            "status": [200, 0, 500],
            "ms": [1.5, 2, None],
            "deep": [[1], [2], []],
        }
    )
    connection = workshop.store.connection
    connection.register("frame", frame)
    connection.execute(f"COPY (SELECT * FROM frame) TO '{workshop.folder / 'log.parquet'}'")
    connection.unregister("frame")
    outcome = workshop.ingest(None, PLAIN, "log.parquet")
    assert (outcome.kept, outcome.rejected) == (2, 1)
    assert workshop.rows("SELECT status, latency_us FROM attempts") == [(200, 1500), (500, None)]
    assert workshop.rejects() == [(2, "status: '0' is no HTTP status between 100 and 599", "")]
    assert workshop.ingest(None, PLAIN, "log.parquet").already_there == 3
    with pytest.raises(
        DataError, match=r"column 'deep' is nested \(INTEGER\[\]\); write it out flat first, or map another"
    ):
        workshop.ingest(None, PLAIN.replace('"web"', '"deep"') + 'model = "deep"\n', "log.parquet")
    with pytest.raises(DataError, match="is no readable Parquet file"):
        workshop.ingest(b"PAR1 but no more", PLAIN, "bad.parquet")


def test_hostile_column_names_are_names(workshop: Workshop) -> None:
    """Quotes, semicolons, names that differ by case alone, names of ours: the log's names never reach SQL."""
    names = ['ts"; DROP TABLE attempts; --', "Status", "status", "relkit__n", "c0", "line", "x'y", "ünï\tcode"]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    toml = """
kind = "attempts"
source = "odd"
[time]
column = 'ts"; DROP TABLE attempts; --'
[columns]
status = "status"
model = "c0"
service = { expr = '''concat(column("x'y"), column("relkit__n"))''' }
operation = "Status"
session_id = "ünï\\tcode"
"""
    workshop.ingest(f"{header}\n{STAMP},up,404,n,cee,line,apos,uni\n", toml)
    assert workshop.rows("SELECT status, model, service, operation, session_id FROM attempts") == [
        (404, "cee", "aposn", "up", "uni")
    ]


def test_files_before_the_one_that_fails_are_stored_each_whole(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(PLAIN)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((HEAD + lines(0, 5)).encode()))
    (tmp_path / "b.csv").write_text(HEAD + "x,1,1\n")

    def ingest(*names: str) -> list[int]:
        patterns = [str(tmp_path / name) for name in names]
        done = ingest_files(
            patterns, "attempts", tmp_path / "log.duckdb", tmp_path / "map.toml", confirm=lambda _: False
        )
        return [outcome.kept for outcome in done]

    with pytest.raises(DataError, match="no row could be read"):
        ingest("b.csv")
    assert not (tmp_path / "log.duckdb").exists(), "a first file that gives nothing leaves no database behind"
    with pytest.raises(DataError, match=r"b\.csv: no row could be read"):
        ingest("a.csv.gz", "b.csv")
    assert ingest("a.csv.gz") == [0]
