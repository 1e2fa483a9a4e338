"""Sinks: batches of a producer land in one transaction, through the same door as log files."""

import pytest
from workshop import Workshop

from relkit.batch import Batch
from relkit.exceptions import DataError
from relkit.store import sink_into

ROWS = {"ts_start": [1, 2], "label": ["a", "b"]}


def test_all_batches_land_or_none(workshop: Workshop) -> None:
    def produce(batches: list[Batch]) -> None:
        with sink_into(workshop.store, "s", "x") as sink:
            for batch in batches:
                sink(batch)

    with pytest.raises(DataError):
        produce([Batch("faults", ROWS), Batch("none", ROWS)])
    assert workshop.is_empty()
    with sink_into(workshop.store, "s", "x") as sink:
        sink(Batch("faults", ROWS))
        sink(Batch("faults", ROWS))
    assert workshop.rows("SELECT count(*), count(DISTINCT ingest_id), any_value(source) FROM faults") == [(4, 1, "s")]
    assert workshop.rows("SELECT kind, kept_rows, read_rows FROM ingests") == [("sink", 4, 4)]


def test_rows_keep_their_order(workshop: Workshop) -> None:
    with sink_into(workshop.store, "s", "x") as sink:
        sink(Batch("probes", {"ts": list(range(5000, 0, -1)), "service": ["x"] * 5000, "up": [True] * 5000}))
    assert workshop.column("SELECT ts FROM probes ORDER BY rowid") == list(range(5000, 0, -1))


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (Batch("faultz", ROWS), "batch for table 'faultz': unknown; sinks take attempts"),
        (Batch("faults", {"ts_start": [1], "label": ["a"], "odd": [1]}), "unknown columns odd"),
    ],
)
def test_an_unknown_table_or_column_is_refused(workshop: Workshop, batch: Batch, said: str) -> None:
    with pytest.raises(DataError, match=said), sink_into(workshop.store, "s", "x") as sink:
        sink(batch)
    assert workshop.is_empty()


def test_texts_of_a_sink_are_redacted_too(workshop: Workshop) -> None:
    secret = "hunter" + "22"
    with sink_into(workshop.store, "s", "x") as sink:
        sink(Batch("faults", {"ts_start": [1], "label": [f"password={secret}"]}))
    assert workshop.column("SELECT label FROM faults") == ["password=[redacted]"]


def test_the_same_content_gives_the_same_hash(workshop: Workshop) -> None:
    for content in ("x", "x", "y"):
        with sink_into(workshop.store, "s", content) as sink:
            sink(Batch("faults", ROWS))
    first, second, third = workshop.column("SELECT sha256 FROM ingests ORDER BY ingest_id")
    assert first == second != third
