"""Labels: appended and never overwritten, the latest holds, and they outlive the database's making anew."""

from pathlib import Path

import pytest
from workshop import Workshop

from relkit.errors import ErrorKind, Signals, fingerprint, read_signals
from relkit.exceptions import DataError, ParameterError, StoreError
from relkit.period import period_of
from relkit.store import import_labels, label_error, open_store, readings

LOG = "ts,ms,status\n2026-11-16T00:00:00Z,5,500\n2026-11-16T00:00:01Z,5,404\n"
DOWN, MISSING = fingerprint(Signals(status=500)), fingerprint(Signals(status=404))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "labels"
    folder.mkdir()
    path = folder / "log.duckdb"
    fill(path)
    return path


def fill(path: Path) -> None:
    with open_store(path, write=True) as store:
        Workshop(path.parent, store).ingest(LOG)


def held(path: Path) -> dict[int, ErrorKind]:
    with open_store(path) as store:
        return readings.labels(store)


def rows(path: Path) -> list[tuple[object, ...]]:
    with open_store(path) as store:
        return store.connection.execute("SELECT fp, kind, labelled_by, ts FROM labels ORDER BY rowid").fetchall()


def test_a_label_is_appended_and_the_latest_holds(database: Path) -> None:
    assert label_error(database, DOWN, "API_CONFLICT", by="ana", at_us=20) == DOWN
    label_error(database, DOWN, "API_AUTH_ERROR", by="ben", at_us=30)
    label_error(database, DOWN, "UNKNOWN", by="late", at_us=10)
    assert held(database) == {DOWN: ErrorKind.API_AUTH_ERROR}
    assert rows(database) == [
        (DOWN, "API_CONFLICT", "ana", 20),
        (DOWN, "API_AUTH_ERROR", "ben", 30),
        (DOWN, "UNKNOWN", "late", 10),
    ]


def test_of_two_labels_of_one_moment_the_later_written_holds(database: Path) -> None:
    label_error(database, DOWN, "API_CONFLICT", by="ana", at_us=20)
    label_error(database, DOWN, "CANCELLED", by="ana", at_us=20)
    assert held(database) == {DOWN: ErrorKind.CANCELLED}


def test_the_first_digits_that_a_page_shows_are_enough(database: Path) -> None:
    assert label_error(database, f"{MISSING:016x}"[:8], "API_NOT_FOUND", by="ana") == MISSING
    assert label_error(database, f" {MISSING:016X} "[:9], "API_NOT_FOUND", by="ana") == MISSING


def test_labels_outlive_a_database_made_anew(database: Path, tmp_path: Path) -> None:
    """The fingerprint is made of the signals alone, so labels exported from one database hold in another."""
    label_error(database, DOWN, "API_CONFLICT", by="ana", at_us=20)
    csv = tmp_path / "labels.csv"
    csv.write_text("fp,kind\n" + "".join(f"{fp},{kind}\n" for fp, kind in held(database).items()))
    database.unlink()
    fill(database)
    assert held(database) == {}
    assert import_labels(database, csv, by="ana") == 1
    with open_store(database) as store:
        counts = readings.fingerprint_counts(store, period_of("all"))
    assert set(held(database)) <= {row.fp for row in counts.rows}


def test_a_file_names_errors_by_their_signals_too(database: Path, tmp_path: Path) -> None:
    csv = tmp_path / "labels.csv"
    csv.write_text(
        "\ufeffexception_type,status,message,kind,by\n,500,,NETWORK_ERROR,ben\nodd.Exit,,left after 12 s,LOCAL_RESOURCE,\n",
        "utf-8",
    )
    assert import_labels(database, csv, by="ana") == 2
    unseen = fingerprint(read_signals({"exception_type": "odd.Exit", "message": "left after 99 s"}))
    assert held(database) == {DOWN: ErrorKind.NETWORK_ERROR, unseen: ErrorKind.LOCAL_RESOURCE}
    assert [row[2] for row in rows(database)] == ["ben", "ana"]


def test_the_same_file_twice_adds_nothing(database: Path, tmp_path: Path) -> None:
    csv = tmp_path / "labels.csv"
    csv.write_text(f"fp,kind\n{DOWN},CANCELLED\n{DOWN},CANCELLED\n")
    assert [import_labels(database, csv, by="ana") for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fp,kind\n{fp},CANCELLED\n{fp},TIMEOUT\n", "line 3: kind = 'TIMEOUT'"),
        ("fp,kind\n{fp},CANCELLED\n-1,CANCELLED\n", "line 3: fp = '-1'"),
        ("fp,kind\n{fp},CANCELLED\n18446744073709551616,CANCELLED\n", "line 3: fp"),
        ("fp,kind\n{fp},CANCELLED\n{fp}\n", "line 3: kind = ''"),
        ("fp,label\n{fp},CANCELLED\n", "need a column kind"),
        ("kind\nCANCELLED\n", "need a column kind, and fp or signals"),
        ("", "it has none"),
    ],
)
def test_a_file_with_a_fault_adds_nothing_and_names_the_line(
    database: Path, tmp_path: Path, text: str, message: str
) -> None:
    csv = tmp_path / "labels.csv"
    csv.write_text(text.format(fp=DOWN))
    with pytest.raises(DataError, match=message):
        import_labels(database, csv, by="ana")
    assert held(database) == {}


def test_what_is_no_label_is_refused(database: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="kind = 'TIMEOUT'"):
        label_error(database, DOWN, "TIMEOUT", by="ana")
    with pytest.raises(ParameterError, match="by = ' '"):
        label_error(database, DOWN, "CANCELLED", by=" ")
    with pytest.raises(ParameterError, match="hexadecimal"):
        label_error(database, "xyzw", "CANCELLED", by="ana")
    with pytest.raises(DataError, match="no error of"):
        label_error(database, DOWN ^ 1, "CANCELLED", by="ana")
    with pytest.raises(StoreError, match="no such database"):
        label_error(tmp_path / "nowhere.duckdb", DOWN, "CANCELLED", by="ana")
    assert not (tmp_path / "nowhere.duckdb").exists()
    with pytest.raises(DataError, match="cannot be read"):
        import_labels(database, tmp_path / "nowhere.csv", by="ana")


def test_several_errors_that_begin_alike_are_not_guessed(database: Path) -> None:
    with open_store(database, write=True) as store:
        for more in (1, 2):
            store.connection.execute("INSERT INTO fingerprints (fp, status) VALUES (?, 500)", [0xBEEF << 48 | more])
    with pytest.raises(DataError, match=r"more than one error \(2\)"):
        label_error(database, "beef", "CANCELLED", by="ana")


def test_who_says_so_is_redacted_like_every_text(database: Path) -> None:
    label_error(database, DOWN, "CANCELLED", by="ana.lopez@example.com")
    assert "example.com" not in str(rows(database))
