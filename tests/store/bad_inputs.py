"""What users get wrong with their logs, mappings and databases: each case makes its files and says what must come of it.

`whole` cases are refused with exit code 1 and change nothing. In `rows` cases the file is good but for some rows: those
are rejects with a reason, the others are stored.
"""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

STAMP: Final = "2026-11-16T08:00:00Z"
HEAD: Final = "ts,status,ms\n"
GOOD: Final = f"{STAMP},200,5\n"
MAP: Final = """
kind = "attempts"
source = "web"
[time]
column = "ts"
[columns]
status = "status"
latency_us = { column = "ms", unit = "ms" }
"""
WITH_ID: Final = MAP + 'request_id = "id"\n'
Make = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One bad input.

    Parameters
    ----------
    name : str
        What is bad about it.
    make : callable
        Writes the files into a folder that holds relkit.duckdb, with one row, and map.toml.
    says : tuple of str
        What the message holds: what, where, what to do.
    words : tuple of str
        The command; default reads log.csv with map.toml.
    kept : int
        Rows stored; 0: the whole input is refused.
    """

    name: str
    make: Make
    says: tuple[str, ...]
    words: tuple[str, ...] = ("ingest", "log.csv", "--as", "attempts", "--map", "map.toml")
    kept: int = 0


def log(content: str | bytes, name: str = "log.csv", mapping: str = MAP) -> Make:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        (folder / "map.toml").write_text(mapping, encoding="utf-8")

    return make


def of(name: str, kind: str = "attempts") -> tuple[str, ...]:
    return ("ingest", name, "--as", kind, "--map", "map.toml")


def _parquet(folder: Path) -> None:
    path = folder / "log.parquet"
    sql = f"COPY (SELECT '{STAMP}' AS ts, {{'code': 200}} AS status, 5 AS ms) TO '{path}' (FORMAT parquet)"
    with duckdb.connect() as connection:
        connection.execute(sql)
    (folder / "map.toml").write_text(MAP, encoding="utf-8")


def _newer_schema(folder: Path) -> None:
    log(HEAD + GOOD)(folder)
    with duckdb.connect(str(folder / "relkit.duckdb")) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")


def _corrupt(folder: Path) -> None:
    log(HEAD + GOOD)(folder)
    path = folder / "relkit.duckdb"
    content = bytearray(path.read_bytes())
    content[4096:12_288] = os.urandom(8_192)  # the database headers
    path.write_bytes(content)


def _other_database(folder: Path) -> None:
    log(HEAD + GOOD)(folder)
    (folder / "relkit.duckdb").unlink()
    with duckdb.connect(str(folder / "relkit.duckdb")) as connection:
        connection.execute("CREATE TABLE mine (a INTEGER)")


def _log_as_database(folder: Path) -> None:
    log(HEAD + GOOD)(folder)
    shutil.copy(folder / "log.csv", folder / "relkit.duckdb")


def _cut(content: bytes, share: float) -> bytes:
    packed = gzip.compress(content)
    return packed[: int(share * len(packed))]


def _many(rows: int) -> str:
    return "".join(f"{STAMP},200,{number * 7919 % 100_003}\n" for number in range(rows))


def json_lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def with_model(expression: str) -> str:
    return f'{MAP}model = {{ expr = "{expression}" }}\n'


CASES: Final = (
    Case("file that is not there", log(HEAD + GOOD, "other.csv"), ("log.csv: no such file",)),
    Case("pattern that matches nothing", log(HEAD + GOOD), ("logs/*.gz: no such file",), of("logs/*.gz")),
    Case(
        "folder for a file",
        lambda folder: (folder / "log.csv").mkdir(),
        ("is a folder", "log.csv/*.csv"),
        of("log.csv"),
    ),
    Case("empty file", log(""), ("log.csv: is empty",)),
    Case("header alone", log(HEAD), ("log.csv: read 0 rows",), kept=-1),
    Case("no header", log(GOOD * 3), ("log.csv: has no column 'ts'", "it has")),
    Case(
        "wrong delimiter",
        log((HEAD + GOOD * 3), mapping='delimiter = ";"\n' + MAP),
        ("log.csv: has no column 'ts'", "delimiter"),
    ),
    Case(
        "mapping file that is not there",
        log(HEAD + GOOD),
        ("none.toml: no such mapping file", "leave --map away"),
        (*of("log.csv")[:-1], "none.toml"),
    ),
    Case("mapping that is no TOML", log(HEAD + GOOD, mapping="kind = "), ("map.toml: not valid TOML", "line 1")),
    Case(
        "mapping with an absent column",
        log(HEAD + GOOD, mapping=MAP.replace('"status"', '"statuss"')),
        ("has no column 'statuss'", "did you mean 'status'"),
    ),
    Case(
        "mapping with an unknown key",
        log(HEAD + GOOD, mapping=MAP.replace("[columns]", "[colums]")),
        ("map.toml: unknown key colums", "did you mean columns"),
    ),
    Case(
        "mapping with an unknown column of ours",
        log(HEAD + GOOD, mapping=MAP.replace("status =", "statuss =")),
        ("'statuss' is no column of attempts", "did you mean status"),
    ),
    Case(
        "mapping without a unit",
        log(HEAD + GOOD, mapping=MAP.replace(', unit = "ms"', "")),
        ("map.toml", "latency_us needs its unit"),
    ),
    Case(
        "mapping of another kind", log(HEAD + GOOD), ("says kind = 'attempts'", "--as probes"), of("log.csv", "probes")
    ),
    Case(
        "unknown --as",
        log(HEAD + GOOD),
        ("--as = 'attemps' is not acceptable", "attempts, events"),
        of("log.csv", "attemps"),
    ),
    Case(
        "expression with an absent column",
        log(HEAD + GOOD, mapping=with_model("lower(modell)")),
        ("map.toml: [columns] model:", "has no column 'modell'"),
    ),
    Case(
        "expression that does not parse",
        log(HEAD + GOOD, mapping=with_model("lower(")),
        ("map.toml: [columns] model:", "does not parse"),
    ),
    Case(
        "expression outside the safe list",
        log(HEAD + GOOD, mapping=with_model("open('/etc/passwd')")),
        ("map.toml: [columns] model:", "safe list"),
    ),
    Case(
        "condition that is no condition",
        log(HEAD + GOOD, mapping=MAP + '[rows]\nwhere = "status"\n'),
        ("map.toml: [rows] where", "no condition"),
    ),
    Case(
        "mixed zones",
        log(f"{HEAD}{GOOD}2026-11-16T08:00:00,200,5\n2026-11-16T08:00:00+01:00,200,5\n"),
        ("rejected 1: ts: … is a time without a zone", "zone ="),
        kept=2,
    ),
    Case(
        "no zone anywhere",
        log(f"{HEAD}2026-11-16T08:00:00,200,5\n"),
        ("no row could be read", "a time without a zone", "zone ="),
    ),
    Case(
        "latency that is no number",
        log(f"{HEAD}{GOOD}{STAMP},200,fast\n"),
        ("rejected 1: latency_us: … is no duration",),
        kept=1,
    ),
    Case("latency NaN is no latency", log(f"{HEAD}{GOOD}{STAMP},200,NaN\n"), ("2 kept",), kept=2),
    Case(
        "negative latency", log(f"{HEAD}{GOOD}{STAMP},200,-5\n"), ("rejected 1: latency_us: … is no duration",), kept=1
    ),
    Case(
        "infinite latency", log(f"{HEAD}{GOOD}{STAMP},200,inf\n"), ("rejected 1: latency_us: … is no duration",), kept=1
    ),
    Case(
        "absurd latency",
        log(f"{HEAD}{GOOD}{STAMP},200,1e13\n"),
        ("rejected 1: latency_us: … is no duration between 0 and 30 days",),
        kept=1,
    ),
    Case(
        "epoch in the wrong unit",
        log("ts,status,ms\n1794816000000,200,5\n", mapping=MAP.replace('"ts"', '"ts"\nformat = "unix_s"')),
        ("no row could be read", "is the unit right", "unix_ms"),
    ),
    Case(
        "duplicate ids with other content",
        log(f"ts,status,ms,id\n{STAMP},200,5,a\n{STAMP},500,6,a\n", mapping=WITH_ID),
        ("rejected 1: request_id: … stands twice in this file",),
        kept=1,
    ),
    Case(
        "duplicate lines",
        log(f"ts,status,ms,id\n{STAMP},200,5,a\n{STAMP},200,5,a\n", mapping=WITH_ID),
        ("1 kept", "1 already there"),
        kept=1,
    ),
    Case("header that names a column twice", log(f"ts,status,ts\n{STAMP},200,5\n"), ("names 'ts' twice", "rename")),
    Case(
        "invalid UTF-8",
        log(HEAD.encode() + GOOD.encode() + f"{STAMP},2\xe9,5\n".encode("latin-1")),
        ("rejected 1: is not UTF-8",),
        kept=1,
    ),
    Case("UTF-16", log((HEAD + GOOD).encode("utf-16")), ("log.csv: is UTF-16", "UTF-8")),
    Case(
        "a packing that cannot be read",
        log(b"BZh91AY&SY" + bytes(range(64)), "log.csv.bz2"),
        ("log.csv.bz2", "bzip2", "gzip or zstd"),
        of("log.csv.bz2"),
    ),
    Case("a packed file with a plain name", log(gzip.compress((HEAD + GOOD).encode())), ("log.csv", "gzip", ".gz")),
    Case(
        "a line of 64 MB",
        log(HEAD + GOOD + f"{STAMP},200,5{' ' * (64 << 20)}\n" + GOOD.replace(":00Z", ":01Z")),
        ("rejected 1: is longer than 16 MiB",),
        kept=2,
    ),
    Case(
        "truncated gzip",
        log(_cut((HEAD + _many(50_000)).encode(), 0.7), "log.csv.gz"),
        ("log.csv.gz", "cut off or damaged", "nothing of it was stored"),
        of("log.csv.gz"),
    ),
    Case(
        "JSON key that is misspelt",
        log(json_lines({"ts": STAMP, "status": 200, "ms": 5}), "log.jsonl", MAP.replace('"status"', '"statuss"')),
        ("log.jsonl: has no key 'statuss'", "did you mean 'status'"),
        of("log.jsonl"),
    ),
    Case(
        "JSON key that never occurs",
        log(json_lines({"ts": STAMP, "status": 200, "ms": 5}), "log.jsonl", MAP + 'message = "exception_text"\n'),
        ("no line has the key 'exception_text'",),
        of("log.jsonl"),
        kept=1,
    ),
    Case(
        "JSONL that is none",
        log("[1]\n2\n", "log.jsonl"),
        ("no line of the first 50 is a JSON object",),
        of("log.jsonl"),
    ),
    Case(
        "Parquet with nested columns",
        _parquet,
        ("log.parquet: column 'status' is nested", "write it out flat"),
        of("log.parquet"),
    ),
    Case(
        "Parquet that is none",
        log(b"PAR1 and no more", "log.parquet"),
        ("log.parquet: is no readable Parquet file",),
        of("log.parquet"),
    ),
    Case("database of a newer schema", _newer_schema, ("relkit.duckdb", "newer relkit (schema 99", "upgrade relkit")),
    Case("corrupt database", _corrupt, ("relkit.duckdb: cannot be opened",)),
    Case(
        "somebody else's database",
        _other_database,
        ("relkit.duckdb: is a DuckDB file but no relkit database", "name another file"),
    ),
    Case("the log given as database", _log_as_database, ("relkit.duckdb", "it is no DuckDB database")),
    Case(
        "database in a folder that is not there",
        log(HEAD + GOOD),
        ("nowhere: no such folder", "make it first"),
        (*of("log.csv"), "--database", "nowhere/x.duckdb"),
    ),
)
