"""A draft shows what it guessed, and asks where a guess could be wrong by a factor or by hours."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from workshop import Workshop

from relkit.exceptions import DataError
from relkit.store.ingest.draft import draft_mapping
from relkit.store.ingest.mapping import parse_mapping
from relkit.store.ingest.run import ingest_files

LOG = "timestamp,status,latency_ms,model\n2026-11-16T08:00:00Z,200,5,m\n2026-11-16T08:00:01Z,500,9,m\n"


def put(folder: Path, content: str, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_a_draft_of_a_plain_log_can_be_used_as_it_is(tmp_path: Path) -> None:
    path = put(tmp_path, LOG)
    draft = draft_mapping(path, "attempts")
    mapping = parse_mapping(draft.toml, "draft", "attempts")
    assert draft.open_questions == ()
    assert {name: (cell.column, cell.unit) for name, cell in mapping.columns.items()} == {
        "latency_us": ("latency_ms", "ms"), "status": ("status", None), "model": ("model", None),
    }  # fmt: skip
    assert "# coverage: 100" in draft.shown
    assert "ts=1794816000000000" in draft.shown
    shown: list[str] = []
    done = ingest_files(
        [str(path)], "attempts", tmp_path / "a.duckdb", None, confirm=lambda text: not shown.append(text)
    )  # type: ignore[func-returns-value]
    assert done[0].kept == 2
    assert shown == [draft.shown]


def test_a_draft_that_is_not_confirmed_stores_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no mapping was given\. The draft above is a start"):
        ingest_files([str(put(tmp_path, LOG))], "attempts", tmp_path / "a.duckdb", None, confirm=lambda _: False)
    assert not (tmp_path / "a.duckdb").exists()


@pytest.mark.parametrize(
    ("kind", "log", "asked"),
    [
        ("attempts", LOG.replace("_ms", ""), "in which unit is column 'latency'"),
        ("attempts", LOG.replace("Z,", ","), "in which zone are the times of column 'timestamp'"),
        ("attempts", LOG.replace("2026-11-16T", "16/11 "), "what format has the time in column 'timestamp'"),
        ("probes", "service,state\na,up\n", "which column holds the time"),
        ("pairs", "id,x\n1,2\n", "which column is experiment"),
        ("events", "timestamp,user,event\n2026-11-16T08:00:00Z,u,start\n", "which line starts an attempt, which ends it"),
        ("minutes", "timestamp,x\n2026-11-16T08:00:00Z,1\n", "which columns are measured values"),
    ],
)  # fmt: skip
def test_what_cannot_be_guessed_is_asked(tmp_path: Path, kind: str, log: str, asked: str) -> None:
    path = put(tmp_path, log)
    draft = draft_mapping(path, kind)
    assert any(asked in question for question in draft.open_questions)
    assert f"# to answer: {next(q for q in draft.open_questions if asked in q)}" in draft.shown
    assert tomllib.loads(draft.shown)["kind"] == kind  # what is shown can be saved as it stands
    with pytest.raises(DataError, match="the draft cannot be used as it is"):
        ingest_files([str(path)], kind, tmp_path / "a.duckdb", None, confirm=lambda _: True)


def test_a_draft_of_json_lines_and_of_odd_values(tmp_path: Path) -> None:
    line = '{"time": 1795000000.5, "http": {"status": 200}, "dur_ms": %s, "note": "mail me@' + "home.example" + '"}\n'
    draft = draft_mapping(put(tmp_path, line % 5 + line % '"fast"', "log.jsonl"), "attempts")
    assert 'format = "unix_s"' in draft.toml
    assert "home.example" not in draft.shown


@pytest.mark.traces
@pytest.mark.parametrize(
    ("name", "kind"),
    [("apache-access-2015.csv", "attempts"), ("nezha-2022-08-22-requests.csv", "attempts"), ("upptime-checks-a.csv", "probes")],
)  # fmt: skip
def test_drafts_of_real_logs_read_most_rows(trace: Callable[[str], Path], name: str, kind: str) -> None:
    draft = draft_mapping(trace(name), kind)
    assert "# coverage: 100 %" in draft.shown or "# coverage: 100.0 %" in draft.shown


def test_a_workshop_of_its_own_is_not_needed(workshop: Workshop) -> None:
    """Drafting touches no database: one that another process holds is no hindrance."""
    assert draft_mapping(workshop.write(LOG), "attempts").toml
    assert workshop.is_empty()


@pytest.mark.parametrize(
    ("stamps", "pattern"),
    [
        (("24.12.2026 18:00:00", "01.12.2026 07:00:00"), "%d.%m.%Y %H:%M:%S"),
        (("12/24/2026 18:00", "12/01/2026 07:00"), "%m/%d/%Y %H:%M"),
        (("24.12.2026 18:00:00.125", "01.12.2026 07:00:00.5"), "%d.%m.%Y %H:%M:%S.%f"),
    ],
)
def test_a_date_written_by_hand_is_read_where_a_number_tells_the_day(
    tmp_path: Path, stamps: tuple[str, ...], pattern: str
) -> None:
    path = put(tmp_path, "timestamp,status\n" + "".join(f"{stamp},200\n" for stamp in stamps))
    draft = draft_mapping(path, "attempts")
    assert f'format = "{pattern}"' in draft.toml
    (question,) = draft.open_questions
    assert "in which zone" in question
    answered = draft.toml.replace('# zone = "UTC"', 'zone = "UTC"')
    (tmp_path / "map.toml").write_text(answered)
    done = ingest_files([str(path)], "attempts", tmp_path / "a.duckdb", tmp_path / "map.toml", confirm=lambda _: False)
    assert (done[0].kept, done[0].rejected) == (2, 0)


@pytest.mark.parametrize("stamps", ["05.06.2026 18:00:00", "05.06.2026 18:00:00\n06.05.2026 18:00:00"])
def test_a_date_that_could_be_two_days_is_asked(tmp_path: Path, stamps: str) -> None:
    draft = draft_mapping(put(tmp_path, f"timestamp\n{stamps}\n"), "attempts")
    assert any("is the day or the month first in column 'timestamp'" in question for question in draft.open_questions)


def test_decimal_commas_are_seen_where_a_semicolon_parts_the_cells(tmp_path: Path) -> None:
    path = put(tmp_path, "timestamp;latency_ms\n2026-11-16T08:00:00Z;12,5\n2026-11-16T08:00:01Z;7\n")
    draft = draft_mapping(path, "attempts")
    assert 'decimal = ","' in draft.toml
    assert "latency_us=12500" in draft.shown
    mixed = put(tmp_path, "timestamp;latency_ms\n2026-11-16T08:00:00Z;12,5\n2026-11-16T08:00:01Z;7.5\n", "mixed.csv")
    assert "decimal" not in draft_mapping(mixed, "attempts").toml


def test_columns_that_were_left_aside_are_named(tmp_path: Path) -> None:
    path = put(tmp_path, "timestamp,status,colour,shape\n2026-11-16T08:00:00Z,200,red,round\n")
    assert '# columns of the log that stand for nothing here: "colour", "shape"' in draft_mapping(path, "attempts").toml
