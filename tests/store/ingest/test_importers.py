"""Importers against calls that we made up: what each sample tells of them is found again, and nothing else."""

import csv
import gzip
import importlib.util
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from importing import read, told
from typer.testing import CliRunner
from workshop import Workshop

from relkit.cli import app
from relkit.exceptions import DataError
from relkit.store.ingest.importers.nginx import LOG_FORMATS
from relkit.store.ingest.importers.packaged import IMPORTERS, packaged_mapping, recognised
from relkit.store.ingest.mapping import Mapping

GOLDEN = Path(__file__).parents[2] / "golden" / "importers"
CANARY = "canary"
RUN = CliRunner()


@dataclass(frozen=True)
class Truth:
    call: int
    attempt: int
    start_us: int
    latency_us: int
    end: str
    status: str
    kind: str


def truth() -> list[Truth]:
    with (GOLDEN / "truth.csv").open(encoding="utf-8") as file:
        return [
            Truth(
                int(r["call"]),
                int(r["attempt"]),
                int(r["start_us"]),
                int(r["latency_us"]),
                r["end"],
                r["status"],
                r["kind"],
            )
            for r in csv.DictReader(file)
        ]


def sample(name: str) -> bytes:
    return gzip.decompress((GOLDEN / f"{name}.gz").read_bytes())


def holds_no_secret(workshop: Workshop) -> bool:
    tables = ("attempts", "fingerprints", "classifications", "rejects")
    return not any(CANARY in str(workshop.rows(f"SELECT * FROM {table}")) for table in tables)


def rows_of(workshop: Workshop) -> list[tuple[Any, ...]]:
    """attempt, ts, latency, ok, status, kind; requests in the order of their start."""
    found = told(workshop, "request_id", "attempt", "ts", "latency_us", "ok", "status", "kind")
    requests = [list(rows) for _, rows in groupby(found, key=lambda row: row[0])]
    return [row[1:] for request in sorted(requests, key=lambda rows: rows[0][2]) for row in request]


def test_the_samples_are_what_their_script_makes() -> None:
    spec = importlib.util.spec_from_file_location("make_importer_samples", GOLDEN / "make_samples.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    made = make.calls()
    for writer in (make.otlp, make.litellm, make.nginx, make.envoy):
        for name, text in writer(made).items():
            assert sample(name).decode() == text
    assert len(truth()) == sum(map(len, made))


@pytest.mark.parametrize("name", ["otlp.jsonl", "otlp-old-names.json", "litellm-spend.json", "litellm-spend.csv"])
def test_logs_with_a_row_a_try_give_every_try_back(workshop: Workshop, name: str) -> None:
    outcome = read(workshop, sample(name), name)
    assert (outcome.kept, outcome.rejected, outcome.already_there) == (len(truth()), 0, 0)
    want = [
        (t.attempt, t.start_us, t.latency_us, t.end == "ok", int(t.status) if t.status else None, t.kind or None)
        for t in truth()
    ]
    if name.startswith("litellm"):  # a success's status is not told
        want = [(*row[:4], row[4] if row[4] != 200 else None, row[5]) for row in want]
    assert rows_of(workshop) == want
    assert holds_no_secret(workshop)


@pytest.mark.parametrize("name", ["nginx.jsonl", "nginx-ingress.log"])
def test_nginx_lists_become_tries(workshop: Workshop, name: str) -> None:
    """nginx goes on to the next server at once, and its own status stands for tries that got no answer."""
    assert read(workshop, sample(name), name).kept == len(truth())
    own = {"timeout": (504, "NETWORK_TIMEOUT"), "refused": (502, "NETWORK_ERROR")}
    want, end_us = [], 0
    for one in truth():
        status, kind = own.get(one.end, (int(one.status or 0), one.kind or None))
        if name.endswith("log") and one.end in own:
            kind = "API_SERVER_ERROR"  # without the header times an upstream that answered 504 looks the same
        end_us = (one.start_us if one.attempt == 1 else end_us) + one.latency_us
        want.append((one.attempt, end_us - one.latency_us, one.latency_us, one.end == "ok", status, kind))
    found = rows_of(workshop)
    if name.endswith("log"):  # its clock shows whole seconds
        assert all(0 <= true[1] - row[1] < 1_000_000 for row, true in zip(found, want, strict=True))
        found, want = [(row[0], *row[2:]) for row in found], [(row[0], *row[2:]) for row in want]
    assert found == want
    assert holds_no_secret(workshop)


def test_envoy_tells_of_the_last_try_alone(workshop: Workshop) -> None:
    assert read(workshop, sample("envoy.jsonl"), "envoy.jsonl").kept == len(truth())
    want = []
    for _, group in groupby(truth(), key=lambda one: one.call):
        tries = list(group)
        last = tries[-1]
        status = int(last.status or {"timeout": 504, "refused": 503}[last.end])
        took = (last.start_us + last.latency_us - tries[0].start_us) // 1000 * 1000
        want += [(one.attempt, tries[0].start_us, None, False, None, "UNKNOWN") for one in tries[:-1]]
        want.append((last.attempt, tries[0].start_us, took, last.end == "ok", status, last.kind or None))
    assert rows_of(workshop) == want
    assert holds_no_secret(workshop)


@pytest.mark.parametrize("name", ["otlp.jsonl", "nginx-ingress.log", "envoy.jsonl", "litellm-spend.csv"])
def test_a_log_that_grew_line_by_line_gives_the_rows_of_the_whole(workshop: Workshop, name: str) -> None:
    content = sample(name)
    cuts = [len(content) * part // 7 for part in (1, 4)]  # within lines
    cuts.insert(1, content.index(b"\n", cuts[0]) + 1)  # and between two
    kept = sum(read(workshop, content[:cut], name, mapping_of(name)).kept for cut in [*cuts, len(content)])
    grown = workshop.content()
    assert kept == len(grown["attempts"]) == len(truth())
    again = read(workshop, content, name)
    assert (again.kept, again.rejected) == (0, 0)
    workshop.store.connection.execute(
        "DELETE FROM attempt_rows; DELETE FROM ingests; DELETE FROM fingerprints; DELETE FROM rejects"
    )
    read(workshop, content, name)
    assert workshop.content() == grown


def mapping_of(name: str) -> Mapping:
    """What the whole log is recognised as; its first bytes may be too few."""
    if name == "nginx-ingress.log":
        return packaged_mapping("nginx", LOG_FORMATS[0])
    return packaged_mapping(name.split(".", maxsplit=1)[0].split("-", maxsplit=1)[0])


@pytest.mark.parametrize("name", ["otlp.jsonl", "litellm-spend.json"])
def test_exports_that_overlap_add_only_what_is_new(workshop: Workshop, name: str) -> None:
    """The same span or try in another file is the same one, be it alone in both or of one moment with others."""
    content = sample(name)
    read(workshop, content, name)
    before = workshop.content()
    outcome = read(
        workshop, content + b"\n" if name.endswith(".jsonl") else content.replace(b"}, {", b"},{"), f"again-{name}"
    )
    assert (outcome.kept, outcome.rejected, outcome.already_there) == (0, 0, len(truth()))
    assert workshop.content() == before


def test_a_log_is_read_by_name_of_file_alone(tmp_path: Path) -> None:
    for name in ("otlp.jsonl", "litellm-spend.csv", "nginx-ingress.log", "envoy.jsonl"):
        (tmp_path / name).write_bytes(sample(name))
    database = str(tmp_path / "db.duckdb")
    answer = RUN.invoke(app, ["ingest", *(str(path) for path in sorted(tmp_path.glob("*.*"))), "-d", database])
    assert answer.exit_code == 0, answer.output
    assert answer.output.count("483 kept") == 4
    answer = RUN.invoke(
        app, ["ingest", str(tmp_path / "envoy.jsonl"), "--map", "envoy", "-d", str(tmp_path / "b.duckdb")]
    )
    assert answer.exit_code == 0, answer.output


def test_a_log_that_is_none_of_them_asks_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("ts,status\n2026-11-16T08:00:00Z,200\n")
    answer = RUN.invoke(app, ["ingest", str(path), "-d", str(tmp_path / "db.duckdb")])
    assert answer.exit_code == 1
    assert "say with --as" in str(answer.exception)
    assert recognised(path) is None


def test_each_importer_has_a_mapping_that_names_its_columns_only() -> None:
    for name, importer in IMPORTERS.items():
        mapping = packaged_mapping(name)
        used = {cell.column for cell in mapping.columns.values() if cell.column} | {
            mapping.time.column if mapping.time else ""
        }
        assert used <= set(importer.columns)
        assert Counter(importer.columns).most_common(1)[0][1] == 1


def test_a_column_that_an_importer_lacks_is_named(workshop: Workshop) -> None:
    mapping = 'kind = "attempts"\nsource = "x"\nimporter = "envoy"\n[columns]\nstatus = "statsu"\n'
    with pytest.raises(DataError, match="has no column 'statsu'; did you mean 'status'"):
        read(workshop, sample("envoy.jsonl"), "envoy.jsonl", mapping)
