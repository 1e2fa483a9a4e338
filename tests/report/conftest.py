"""Notebooks that are cheap to run, runs that are cheap to publish, and one report made for all."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from relkit.batch import Batch
from relkit.period import period_of
from relkit.report import publish as publishing
from relkit.report.contract import CONTRACTS, DEMO_WEEK
from relkit.report.normal import normalise, to_text
from relkit.report.outputs import Shown, check_outputs
from relkit.report.publish import Published, publish
from relkit.report.weekly import publish_week
from relkit.store import open_store, sink_into
from relkit.units import US_PER_DAY, US_PER_MINUTE, US_PER_SECOND
from relkit.verdict import MIME

CODE = {"version": "0", "commit": "c0ffee", "lock": "0"}
HASH = "0" * 64


def record_output(kind: str, name: str, **fields: Any) -> NotebookNode:
    """An output as our records make it."""
    record = {"kind": kind, "name": name, **fields}
    html = f"<figure class='{kind}' id='{name}'><figcaption>{fields.get('caption') or fields.get('sentence', '')}</figcaption></figure>"
    data = {MIME: record, "text/html": html, "text/plain": name}
    return nbformat.v4.new_output("execute_result", data=data, metadata={}, execution_count=1)


def whole_run(notebook: str = "4_slo", code: str = "MET", sentence: str = "99.9 % were good.") -> NotebookNode:
    """An executed notebook that keeps its contract, as a kernel would leave it."""
    contract = CONTRACTS[notebook]
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("parameters", execution_count=1)]
    cells[1].metadata["tags"] = ["parameters"]
    for number, area in enumerate(sorted(contract.verdicts), start=2):
        said = {"code": code if area == "slo" else "FINE" if area != "shadow" else "HOLD", "sentence": sentence}
        shown = record_output("verdict", area, area=area, **said)
        cells.append(nbformat.v4.new_code_cell(f"verdict({number})", execution_count=number, outputs=[shown]))
    for number, name in enumerate(sorted(contract.shows), start=len(cells)):
        shown = record_output("plate", name, caption="1 of 2", values={})
        cells.append(nbformat.v4.new_code_cell(f"plate({number})", execution_count=number, outputs=[shown]))
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for the kernels: publishing gets the runs of this mapping, or its one error."""
    answers: dict[str, Any] = {name: whole_run(name) for name in CONTRACTS}

    def run(
        sources: Sequence[Path], parameters: Mapping[str, Any], *, on_done: Callable[[str], None], **_: Any
    ) -> dict[str, tuple[NotebookNode, Shown]]:
        whole = {}
        for source in sources:
            if isinstance(answers[source.stem], BaseException):
                raise answers[source.stem]
            notebook = normalise(answers[source.stem])
            whole[source.stem] = notebook, check_outputs(source.stem, notebook)
            on_done(source.stem)
        return whole

    monkeypatch.setattr(publishing, "run_notebooks", run)
    monkeypatch.setattr(publishing, "code_identity", lambda folder: dict(CODE))
    return answers


@pytest.fixture
def put(runs: dict[str, Any], tmp_path: Path) -> Callable[..., Published]:
    """Publish the stood-in runs of one week."""

    def put(reports: Path | None = None, data_hash: str = HASH, **settings: Any) -> Published:
        where = reports if reports is not None else tmp_path / "reports"
        return publish(tmp_path / "log.duckdb", period_of(DEMO_WEEK), data_hash, where, **settings)

    return put


@pytest.fixture
def quick_notebook(tmp_path: Path) -> Callable[..., Path]:
    """Write a notebook that a real kernel runs in a second: it shows what the contract of 4_slo asks for."""

    def write(*extra: str, show: Mapping[str, int] | None = None, name: str = "4_slo") -> Path:
        contract = CONTRACTS[name]
        numbers = {**dict.fromkeys(sorted(contract.shows), 1), **(show or {})}
        records = [{"kind": "plate", "name": plate} for plate, times in numbers.items() for _ in range(times)]
        records += [
            {"kind": "verdict", "name": area, "area": area, "code": "FINE", "sentence": "."}
            for area in contract.verdicts
        ]
        cells = [
            nbformat.v4.new_code_cell('week: str = "2026-W47"', metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell(
                "import json\nfrom IPython.display import display\n"
                f"for record in json.loads({json.dumps(json.dumps(records))}):\n"
                f"    display({{{MIME!r}: record, 'text/plain': 'x', 'text/html': 'x'}}, raw=True)"
            ),
            *(nbformat.v4.new_code_cell(source) for source in extra),
        ]
        folder = tmp_path / "notebooks"
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.ipynb"
        path.write_text(to_text(normalise(nbformat.v4.new_notebook(cells=cells))), encoding="utf-8")
        return path

    return write


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    """Write a database of requests that all went well, one at each of the times given (microseconds since 1970 UTC)."""

    def write(times: Sequence[int], name: str = "log.duckdb", ok: bool = True) -> Path:
        path = tmp_path / name
        rows = len(times)
        columns = {
            "request_id": [f"r{number}" for number in range(rows)],
            "attempt": [1] * rows,
            "ts": list(times),
            "latency_us": [US_PER_SECOND] * rows,
            "ended": [True] * rows,
            "ok": [ok] * rows,
            "role": ["user"] * rows,
            "granularity": ["attempt"] * rows,
        }
        with open_store(path, write=True) as store, sink_into(store, "test", name) as sink:
            if rows:
                sink(Batch("attempts", columns))
        return path

    return write


@pytest.fixture(scope="session")
def minutes_of_week() -> Callable[..., list[int]]:
    """Times in the middle of each minute of an ISO week, with minutes [start, end) left out."""

    def times(label: str, zone: str = "UTC", gap: tuple[int, int] = (0, 0)) -> list[int]:
        start = period_of(label, zone).start_us
        assert start is not None
        minutes = range(7 * US_PER_DAY // US_PER_MINUTE)
        return [start + m * US_PER_MINUTE + 30 * US_PER_SECOND for m in minutes if not gap[0] <= m < gap[1]]

    return times


@pytest.fixture(scope="session")
def report_folder(demo_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The demo week's report, made once by real kernels with DuckDB at one thread."""
    reports = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELKIT_THREADS", "1")
        patch.setattr(publishing, "code_identity", lambda folder: dict(CODE))
        yield publish_week(database=demo_database, week=DEMO_WEEK, reports=reports).published.folder


@pytest.fixture
def make_run() -> Callable[..., NotebookNode]:
    """Make an executed notebook that keeps its contract."""
    return whole_run


@pytest.fixture
def make_output() -> Callable[..., NotebookNode]:
    """Make an output as our records do."""
    return record_output
