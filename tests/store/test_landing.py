"""Landing: SQL cleans, fingerprints and redacts as Python does, and no secret reaches the file."""

import csv
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from workshop import Workshop

from relkit.batch import Batch
from relkit.errors import SIGNAL_FIELDS, Signals, fingerprint, read_signals, redact_text
from relkit.store import open_store, sink_into
from relkit.store.ingest.run import ingest_files
from relkit.store.ingest.targets import SIGNAL_COLUMNS, TARGETS
from relkit.store.landing import TEXT_COLUMNS, TEXT_KEPT, finished, redacted

SECRETS = {
    "provider key": "sk-" + "proj4Abcdefgh1234567890XYZ",
    "password": "hunter" + "22secret",
    "bearer": "abcDEF123456" + "7890tokentoken",
    "mail": "jane.doe" + "@private-mail.example",
    "url credentials": "root:" + "t0ps3cret",
    "query value": "session" + "value998877",
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
}
SENTENCE = (
    f"key {SECRETS['provider key']} password={SECRETS['password']} Authorization: Bearer {SECRETS['bearer']} from {SECRETS['mail']} "
    f"via https://{SECRETS['url credentials']}@db.example/x?auth={SECRETS['query value']} {SECRETS['jwt']} {SECRETS['aws']}"
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": "1"}) as opened:
        yield opened


def in_sql(
    connection: duckdb.DuckDBPyConnection, rows: list[dict[str, str | int | None]]
) -> list[tuple[int | None, Signals]]:
    """Take rows through the door of the store; return fingerprint and signals of each."""
    types = {"status": "INTEGER", "errno": "INTEGER"}
    declared = ", ".join(f"{name} {types.get(name, 'VARCHAR')}" for name in SIGNAL_FIELDS)
    connection.execute(f"CREATE OR REPLACE TABLE arriving (n INTEGER, {declared})")
    connection.executemany(
        f"INSERT INTO arriving VALUES ({', '.join('?' * (len(SIGNAL_FIELDS) + 1))})",
        [[n, *(row.get(name) for name in SIGNAL_FIELDS)] for n, row in enumerate(rows)],
    )
    select, columns = finished("SELECT *, FALSE AS ok FROM arriving", "attempts", [*SIGNAL_FIELDS, "ok"], ["n"])
    found = connection.execute(f"SELECT fp, {', '.join(SIGNAL_FIELDS)} FROM ({select}) ORDER BY n").fetchall()
    assert columns[-1] == "fp"
    return [(fp, Signals(*signals)) for fp, *signals in found]


def assert_twins(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, str | int | None]]) -> None:
    for row, (fp, signals) in zip(rows, in_sql(connection, rows), strict=True):
        assert signals == read_signals(row)
        assert fp == fingerprint(signals)


_PIECES = st.sampled_from([
    *SECRETS.values(), SENTENCE, "password=", "token: ", "api_key=\"", "?a=", "&b=c", "://u:p@h", "@", "a@b.de", " ", "\t", "\v", "\n", "\0", "é", "ſ", "K",
    "İ", "ı", "日本", "🙂", "…", "12", "3.5", "x" * 199, "y" * 600, "z." * 40, "Bearer ", "-----BEGIN KEY-----", "cookie: ", "'", '"', "\\", "%", "$1", "\\1",
    "[redacted]",
])  # fmt: skip
_TEXT = st.one_of(st.text(max_size=80), st.lists(st.one_of(_PIECES, st.text(max_size=6)), max_size=14).map("".join))
_ROW = st.fixed_dictionaries(
    {
        **{name: st.none() | _TEXT for name in SIGNAL_FIELDS if name not in {"status", "errno"}},
        "status": st.none() | st.integers(100, 599),
        "errno": st.none() | st.integers(-(2**31), 2**31 - 1),
    }
)


# Many rows an example: it is the planning of so long a query that takes the time.
@settings(max_examples=25, deadline=None)
@given(st.lists(_ROW, min_size=1, max_size=40))
@example([{"message": SENTENCE, "exception_type": "a.b.C ", "code": " 12\v", "status": 500, "errno": -3}])
@example(
    [
        {"exception_type": "trailing.dot."},
        {"exception_type": "redis.exceptions.ConnectionError"},
        {"exception_type": "_duckdb.\nIOException\n"},
        {"exception_type": "redis.\0."},
        {"exception_type": "\0a\0.b"},
        {"message": "\0"},
        {"code": "x" * 5000 + "token=abc"},
    ]
)
def test_signals_and_fingerprint_in_sql_equal_those_in_python(
    connection: duckdb.DuckDBPyConnection, rows: list[dict[str, str | int | None]]
) -> None:
    assert_twins(connection, rows)


@settings(max_examples=25, deadline=None)
@given(st.lists(_TEXT, min_size=1, max_size=40))
def test_other_texts_are_redacted_as_python_does(connection: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    connection.execute("CREATE OR REPLACE TABLE texts (n INTEGER, x VARCHAR)")
    connection.executemany("INSERT INTO texts VALUES (?, ?)", list(enumerate(texts)))
    found = connection.execute(f"SELECT {redacted('x')} FROM texts ORDER BY n").fetchall()
    for text, (kept,) in zip(texts, found, strict=True):
        clean = redact_text(text.replace("\0", "")[:4000]).strip(" \t\r\n\f\v")
        assert kept == ((clean if len(clean) <= TEXT_KEPT else clean[: TEXT_KEPT - 1] + "…") or None)


@pytest.mark.traces
def test_twins_agree_on_real_error_texts(connection: duckdb.DuckDBPyConnection, trace: Callable[[str], Path]) -> None:
    with trace("error-corpus-dev.csv").open(newline="", encoding="utf-8") as lines:
        corpus = list(csv.DictReader(lines))
    assert len(corpus) == 134
    rows: list[dict[str, str | int | None]] = [
        {
            "exception_type": row["exception_type"] or None,
            "status": int(row["status"]) if row["status"] else None,
            "code": row["code"] or None,
            "message": row["message"] or None,
        }
        for row in corpus
    ]
    assert_twins(connection, rows)


def test_what_counts_as_an_error(workshop: Workshop) -> None:
    """A failure is; a success is not, unless a kind is declared; unknown is where something marks it, and it ended."""
    toml = """
kind = "attempts"
source = "x"
[columns]
ok = "ok"
status = "status"
code = "code"
ended = "ended"
message = "message"
"""
    rows = {
        ",,,,": False, "yes,200,,,fine": False, "yes,500,,,odd": False, "no,,,,": True, "no,200,,,x": True, ",500,,,x": True, ",200,,,x": False,
        ",,E1,,": True, "yes,,E1,,": False, "yes,200,CACHE_MISS,,": True, "yes,200,cache_miss,,": True, ",500,,no,": False, "no,,,no,": True,
    }  # fmt: skip
    workshop.ingest(
        "ok,status,code,ended,message\n"
        + "\n".join(row.replace(",,,,", ",,,yes,") if row == ",,,," else _ended(row) for row in rows)
        + "\n",
        toml,
    )
    assert workshop.column("SELECT fp IS NOT NULL FROM attempt_rows ORDER BY rowid") == list(rows.values())


def _ended(row: str) -> str:
    cells = row.split(",")
    cells[3] = cells[3] or "yes"
    return ",".join(cells)


def test_equal_errors_have_one_fingerprint_however_they_came(workshop: Workshop) -> None:
    """A log line and a sink's row, days and digits apart."""
    toml = 'kind = "attempts"\nsource = "x"\n[columns]\nok = "ok"\nmessage = "message"\nstatus = "status"\n'
    workshop.ingest("ok,message,status\nno,failed after 12 ms,503\nno,failed after 7 ms,503\nno,other,503\n", toml)
    columns = {
        "attempt": [1],
        "ended": [True],
        "ok": [False],
        "role": ["user"],
        "granularity": ["request"],
        "message": ["failed after 99 ms"],
        "status": [503],
    }
    with sink_into(workshop.store, "sink", "test") as sink:
        sink(Batch("attempts", columns))
    assert sorted(
        workshop.rows("SELECT message, count(*) FROM attempts JOIN fingerprints USING (fp) GROUP BY ALL")
    ) == [("failed after # ms", 3), ("other", 1)]


def _mapping(kind: str, texts: list[str]) -> tuple[str, list[str]]:
    """A mapping that fills every text column of a kind, and the log's columns."""
    target = TARGETS[kind]
    names = [name for name in texts if name in target.columns]
    lines = [f'kind = "{kind}"', f'source = "{kind}"']
    if kind == "events":
        lines += ["[pair]", "start = \"word == 'start'\"", "end = \"word == 'end'\"", 'by = ["who"]']
    if kind == "minutes":
        lines += ["[samples]", 'x = "x"']
    lines += ["[time]", 'column = "ts"', "[columns]", *(f'{name} = "{name}"' for name in names)]
    flags = {"primary_ok", "shadow_ok", "ok", "up"} & set(target.required)
    lines += [f'{name} = "flag"' for name in sorted(flags | ({"ok"} if kind == "attempts" else set()))]
    if kind == "events":
        lines += ["ok = { expr = \"end.flag == '1'\" }"]
    return "\n".join(lines) + "\n", names


@pytest.mark.parametrize("kind", TARGETS)
def test_no_secret_of_any_text_column_reaches_the_file(tmp_path: Path, kind: str) -> None:
    """Kept and rejected rows, in every text column of every kind, are grepped in the bytes that lie on disk."""
    texts = sorted(
        TEXT_COLUMNS[TARGETS[kind].table] & set(TARGETS[kind].columns)
        | (set(SIGNAL_COLUMNS) & set(TARGETS[kind].columns) - {"errno"})
    )
    toml, names = _mapping(kind, texts)
    assert names == texts
    (tmp_path / "map.toml").write_text(toml)
    draw = random.Random(7)
    log = tmp_path / f"log of {SECRETS['mail']}.csv"
    with log.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ts", "word", "who", "flag", "x", *names])
        for i in range(40):
            odd = "".join(draw.choices(string.ascii_letters, k=5))
            for word in ("start", "end"):
                rows.writerow(
                    [
                        f"2026-11-16T08:{i:02d}:0{'1' if word == 'end' else '0'}Z",
                        word,
                        odd,
                        "0",
                        "1",
                        *(f"{SENTENCE} {odd} {name}" for name in names),
                    ]
                )
        rows.writerow([SENTENCE, "start", "x", "0", "1", *(SENTENCE for _ in names)])
        rows.writerow(["2026-11-16T09:00:00Z", "start", "x", SENTENCE, SENTENCE, *(SENTENCE for _ in names)])
        rows.writerow([SENTENCE])
    done = ingest_files([str(log)], kind, tmp_path / "log.duckdb", tmp_path / "map.toml", confirm=lambda _: False)
    assert done[0].kept >= 40 or kind == "pairs"
    assert done[0].rejected >= 2
    with open_store(tmp_path / "log.duckdb") as store:
        rejects = store.connection.execute("SELECT reason, raw FROM rejects").fetchall()
        for name in names:
            table = "fingerprints" if name in SIGNAL_COLUMNS else TARGETS[kind].table
            kept = store.connection.execute(f"SELECT count({name}) FROM {table}").fetchone()
            assert kept is not None
            assert kept[0] > 0, f"{name} holds nothing: the search would prove nothing"
    assert any("[redacted]" in raw for _, raw in rejects)
    with open_store(tmp_path / "log.duckdb") as store:  # unpacked too: the file's own compression could hide a text
        store.connection.execute(f"EXPORT DATABASE '{tmp_path / 'plain'}'")
    content = b"".join(path.read_bytes() for path in [tmp_path / "log.duckdb", *(tmp_path / "plain").iterdir()])
    assert b"redacted" in content
    for what, secret in SECRETS.items():
        assert secret.encode() not in content, what
