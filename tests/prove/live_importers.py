"""Importers: samples with known truth, hostile files, and how many rows a second they read."""

import gzip
import importlib.util
import json
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from relkit.exceptions import RelkitError
from relkit.store import ingest_file, open_store
from relkit.store.ingest.importers.packaged import packaged_mapping, recognised

from .point import ROOT, Found, point

GOLDEN = ROOT / "tests/golden/importers"
_SPANS = 1_000_000
_CALLS = 40_000


def _made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("importer_samples", GOLDEN / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read(path: Path, database: Path) -> tuple[int, int, float]:
    """Rows kept and rejected, and seconds of CPU."""
    mapping = recognised(path)
    assert mapping is not None
    with open_store(database, write=True, threads=1) as store:
        began = time.process_time()
        outcome = ingest_file(store, path, mapping)
        return outcome.kept, outcome.rejected, time.process_time() - began


@point("live", "importers: samples with known truth")
def samples(folder: Path) -> Found:
    tries = len((GOLDEN / "truth.csv").read_text().splitlines()) - 1
    found = {}
    for number, path in enumerate(sorted(GOLDEN.glob("*.gz"))):
        kept, rejected, _ = _read(path, folder / f"{number}.duckdb")
        found[path.name.removesuffix(".gz")] = (kept, rejected)
    return Found(
        "every try of each sample becomes a row, joined to its request; nothing is rejected",
        f"{tries} tries; " + ", ".join(f"{name} {kept}" for name, (kept, _) in found.items()),
        all(each == (tries, 0) for each in found.values()),
    )


@point("live", "importers: rows a second")
def speed(folder: Path) -> Found:
    make: Any = _made()
    make.CALLS = _CALLS
    made = make.calls()
    tries = sum(map(len, made))
    figures, kept_all = [], True
    for writer in (make.otlp, make.litellm, make.nginx, make.envoy):
        for name, text in writer(made).items():
            path = folder / name
            path.write_text(text)
            kept, _, seconds = _read(path, folder / f"{name}.duckdb")
            kept_all &= kept == tries
            figures.append(f"{name} {kept / seconds:,.0f}")
            path.unlink()
    return Found(
        f"all {tries:,} tries of each format; no row by row in Python",
        f"rows a second of CPU: {', '.join(figures)}",
        kept_all,
    )


@point("live", "importers: a million spans in one document", slow=True)
def document(folder: Path) -> Found:
    path = folder / "spans.json"
    attributes = [
        {"key": "http.request.method", "value": {"stringValue": "GET"}},
        {"key": "http.response.status_code", "value": {"intValue": "200"}},
        {"key": "server.address", "value": {"stringValue": "api.example.com"}},
    ]
    with path.open("w") as file:
        file.write('{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[{"spans":[')
        for number in range(_SPANS):
            start = 1_795_000_000_000_000_000 + number * 1_000_000
            one = {
                "traceId": f"{number:032x}",
                "spanId": f"{number:016x}",
                "kind": 3,
                "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(start + 500_000),
            }
            file.write(("," if number else "") + json.dumps({**one, "attributes": attributes}))
        file.write("]}]}]}")
    size = path.stat().st_size
    kept, rejected, seconds = _read(path, folder / "spans.duckdb")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figure = f"{size / 1e6:,.0f} MB: {kept:,} rows, {rejected} rejects, {seconds:.0f} s of CPU ({kept / seconds:,.0f} rows a second), {most:,.0f} MiB at most"
    return Found("every span is a row", figure, (kept, rejected) == (_SPANS, 0))


@point("live", "importers: hostile files")
def hostile(folder: Path) -> Found:
    """Each file is read under each importer: it gives rows, rejects or one clear error, and never anything else."""
    outcomes = {"rows": 0, "rejects": 0, "errors": 0}
    wrong: list[str] = []
    for name, content in hostile_files().items():
        for importer in ("otlp", "litellm", "nginx", "envoy"):
            path = folder / name
            path.write_bytes(content() if callable(content) else content)
            database = folder / f"{importer}-{name}.duckdb"
            try:
                with open_store(database, write=True, threads=1) as store:
                    outcome = ingest_file(store, path, packaged_mapping(importer))
                outcomes["rows"] += outcome.kept
                outcomes["rejects"] += outcome.rejected
                if outcome.read != outcome.kept + outcome.rejected + outcome.already_there:
                    wrong.append(f"{name} as {importer}: {outcome}")
            except RelkitError as error:
                outcomes["errors"] += 1
                if not str(error).strip() or "\n\n" in str(error):
                    wrong.append(f"{name} as {importer}: unclear: {error}")
            except Exception as error:  # noqa: BLE001  that is what is looked for
                wrong.append(f"{name} as {importer}: {type(error).__name__}: {str(error)[:200]}")
            path.unlink()
    figure = f"{len(hostile_files())} files under 4 importers: {outcomes['rows']} rows, {outcomes['rejects']} rejects, {outcomes['errors']} clear errors"
    return Found("rows, rejects or one clear error", figure + "".join(f"; {each}" for each in wrong[:5]), not wrong)


def hostile_files() -> dict[str, bytes | Callable[[], bytes]]:
    """Files that somebody may hand over."""
    span = (
        '{"traceId":"t","spanId":"s%d","kind":3,"startTimeUnixNano":"1795000000000000000","endTimeUnixNano":"1795000001000000000",'
        '"attributes":[{"key":"http.method","value":{"stringValue":"GET"}},{"key":"http.status_code","value":{"intValue":200}}]}'
    )
    export = '{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}'
    good = export % span % 1
    envoy = '{"start_time":"2026-11-18T11:06:40Z","response_code":200,"response_flags":"-","duration":3%s}'
    nginx = '{"msec":"1795000000.5","status":"200","upstream_status":"502, 200","upstream_response_time":"0.1, 0.2"%s}'
    draw = random.Random(9)
    odd_spans = ['{"resourceSpans":{"a":1}}', '{"resourceSpans":[1,null,"x"]}', export % '1,[],{"attributes":{"a":1}}']
    odd = r""","path":"}{][\\\\\"{" """
    deep = '{"a":' * 1000 + "1" + "}" * 1000
    lines = [
        good,
        envoy % "",
        nginx % "",
        '{"startTime":"2026-11-18 11:06:40","endTime":"2026-11-18 11:06:41","request_id":"r","call_type":"x"}',
        "a,b,c",
        "1,2",
    ]
    return {
        "binary.jsonl": bytes(draw.randrange(256) for _ in range(20_000)),
        "binary-after.jsonl": (good + "\n").encode() + bytes(draw.randrange(1, 256) for _ in range(5_000)),
        "zeros.log": good.encode() + b"\n" + bytes(10_000),
        "empty.json": b"",
        "blank.json": b" \n\n \n",
        "bom-crlf.jsonl": b"\xef\xbb\xbf" + "\r\n".join(lines).encode(),
        "mixed.jsonl": "\n".join(lines).encode(),
        "mixed-ends.jsonl": "\r\n".join(lines[:2]).encode() + b"\n" + "\r".join(lines[2:]).encode(),
        "deep-line.jsonl": f"{good}\n{deep}\n{export % deep}\n".encode(),
        "deep-document.json": (f"[{envoy % ''},{deep}]").encode(),
        "deeper.json": b"[" * 100_000,
        "deeper-still.jsonl": (good + "\n").encode() + b'{"a":' * 200_000 + b"\n",
        "brackets-in-texts.json": ("[" + envoy % odd + "]").encode(),
        "long-line.jsonl": (envoy % (',"path":"' + "x" * (17 << 20) + '"') + "\n" + envoy % "").encode(),
        "keys-twice.jsonl": (
            envoy % ',"duration":4,"response_code":500'
            + "\n"
            + (export % span % 1).replace('"kind":3', '"kind":3,"kind":2')
        ).encode(),
        "key-cases.jsonl": (envoy % ',"Duration":4,"RESPONSE_CODE":500').encode(),
        "year-9999.jsonl": (
            envoy.replace("2026", "9999") % "" + "\n" + (nginx % "").replace("1795000000.5", "253402300799")
        ).encode(),
        "infinite.jsonl": (
            (nginx % "").replace("0.1, 0.2", "inf, nan") + "\n" + (nginx % "").replace("1795000000.5", "1e400")
        ).encode(),
        "negative.jsonl": (
            (nginx % "").replace("0.1, 0.2", "-1, -2") + "\n" + (envoy % "").replace(":3", ":-3")
        ).encode(),
        "many-tries.jsonl": (
            (nginx % "").replace("502, 200", ", ".join(["502"] * 50_000)).replace("0.1, 0.2", ", ".join(["0"] * 50_000))
        ).encode(),
        "attempt-count.jsonl": (envoy % ',"upstream_request_attempt_count":2000000000').encode(),
        "wrong-types.jsonl": "\n".join(odd_spans).encode(),
        "wrong-types.json": b'{"resourceSpans":\n[{"scopeSpans":5}]}',
        "array-of-arrays.json": b"[[1,2],[3,4]]",
        "array-of-numbers.json": b'[{"response_flags":1},2,3]',
        "surrogates.jsonl": (envoy % ',"path":"\\ud800"').encode(),
        "nul.jsonl": (envoy % ',"path":"a\\u0000b","authority":"\\u0000"').encode(),
        "cut.jsonl.gz": gzip.compress(good.encode() * 1000)[:-20],
        "not-gz.jsonl.gz": good.encode(),
        "latin1.jsonl": (envoy % ',"path":"/\xe9"').encode("latin-1") + b"\n" + (envoy % "").encode(),
        "separator.jsonl": (envoy % ',"path":"a\x01b"').encode() + b"\n" + (envoy % "").encode(),
        "injection.jsonl": (envoy % ',"authority":"\'; DROP TABLE attempt_rows; --"').encode(),
    }
