"""One JSON document becomes lines: whatever its layout, at any cut of the reader, and with nothing of it lost."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from importing import read
from workshop import Workshop

from relkit.exceptions import DataError
from relkit.store.ingest.files import LogFile
from relkit.store.ingest.importers import documents
from relkit.store.ingest.importers.documents import as_lines

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.sampled_from(['\\"', "}{][", "\\\\", '"'])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=4)


def lines_of(path: Path, importer: str) -> list[Any]:
    with as_lines(LogFile(path, "jsonl", "none", "", ()), importer, None) as (file, number):
        found = [json.loads(line) for line in file.path.read_bytes().splitlines()]
    assert len(found) == number
    return found


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(OBJECTS, max_size=5),
    indent=st.sampled_from([None, 1]),
    chunk=st.integers(1, 40),
    ascii_only=st.booleans(),
)
def test_every_object_of_an_array_is_a_line(
    tmp_path_factory: Any, rows: list[Any], indent: int | None, chunk: int, ascii_only: bool
) -> None:
    path = tmp_path_factory.mktemp("document") / "a.json"
    path.write_text(json.dumps(rows, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "_CHUNK", chunk)
        assert lines_of(path, "envoy") == rows


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.lists(st.integers(0, 3), max_size=3), max_size=3),
    late=st.booleans(),
    chunk=st.integers(1, 60),
    extra=VALUES,
)
def test_every_span_keeps_the_service_that_made_it(
    tmp_path_factory: Any, counts: list[list[int]], late: bool, chunk: int, extra: Any
) -> None:
    """The resource may stand before its spans or behind them."""
    exports, want = [], []
    for number, scopes in enumerate(counts):
        named = {
            "resource": {
                "attributes": [
                    {"key": "service.name", "value": {"stringValue": str(number)}},
                    {"key": "x", "value": extra},
                ]
            }
        }
        spans = {
            "scopeSpans": [
                {
                    "scope": {"attributes": [{"key": "y", "value": extra}]},
                    "spans": [{"n": n, "events": [{"x": extra}]} for n in range(size)],
                }
                for size in scopes
            ]
        }
        exports.append({**spans, **named} if late else {**named, **spans})
        want += [(str(number), n) for size in scopes for n in range(size)]
    path = tmp_path_factory.mktemp("document") / "a.json"
    path.write_text(json.dumps({"resourceSpans": exports}, indent=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "_CHUNK", chunk)
        found = [line["resourceSpans"][0] for line in lines_of(path, "otlp")]
    assert [
        (one["resource"]["attributes"][0]["value"]["stringValue"], one["scopeSpans"][0]["spans"][0]["n"])
        for one in found
    ] == want


def span(number: int) -> dict[str, Any]:
    attributes = [
        {"key": "http.request.method", "value": {"stringValue": "GET"}},
        {"key": "http.response.status_code", "value": {"intValue": 200}},
    ]
    start = 1_795_000_000_000_000_000 + number
    return {
        "traceId": "t",
        "spanId": f"s{number}",
        "parentSpanId": f"{number}",
        "kind": 3,
        "startTimeUnixNano": start,
        "endTimeUnixNano": start,
        "attributes": attributes,
    }


def document(number: int) -> str:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span(n) for n in range(number)]}]}]}, indent=1)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, bytes])
def test_packed_documents(workshop: Workshop, pack: Any) -> None:
    ending = {gzip.compress: ".gz", zstandard.compress: ".zst"}.get(pack, "")
    outcome = read(workshop, pack(b"\xef\xbb\xbf" + document(50).replace("\n", "\r\n").encode()), f"a.json{ending}")
    assert (outcome.kept, outcome.rejected) == (50, 0)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.77])
def test_a_document_that_is_cut_off_gives_what_is_whole_and_says_so(workshop: Workshop, share: float) -> None:
    text = document(50)
    first = read(workshop, text[: int(len(text) * share)], "a.json")
    assert 0 < first.kept < 50
    assert first.rejected == 1
    assert read(workshop, text, "a.json").kept == 50 - first.kept, "the whole of it came later"
    assert workshop.rejects() == []
    assert workshop.column("SELECT count(*) FROM attempts") == [50]


def test_a_document_that_is_none_is_refused(workshop: Workshop) -> None:
    with pytest.raises(DataError, match="no valid JSON document"):
        read(workshop, '[{"response_flags":"-","response_code":200,"start_time":"x","duration":1} {"a" 1}]', "a.json")
    assert workshop.is_empty()


def test_broken_objects_of_an_array_are_rejects(workshop: Workshop) -> None:
    good = {"response_flags": "-", "response_code": 200, "start_time": "2026-11-18T11:06:40Z", "duration": 1}
    outcome = read(workshop, f"[{json.dumps(good)}, {{'a': 1}}, {json.dumps(good)}]", "a.json")
    assert (outcome.kept, outcome.rejected) == (2, 1)


def test_a_large_array_needs_no_more_than_its_chunks(workshop: Workshop) -> None:
    draw = random.Random(1)
    rows = [
        {
            "response_flags": "-",
            "response_code": 200,
            "start_time": f"2026-11-18T11:{n // 60 % 60:02d}:{n % 60:02d}Z",
            "duration": draw.random(),
            "path": "x" * 200,
        }
        for n in range(30_000)
    ]
    assert read(workshop, json.dumps(rows), "a.json").kept == 30_000
