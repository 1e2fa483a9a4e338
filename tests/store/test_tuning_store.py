"""Runs and choices are kept as they are, found again, and never mixed with those of other code."""

import math
from pathlib import Path

import pytest

from relkit.batch import Batch
from relkit.exceptions import DataError, StoreError
from relkit.store import forget_sweep, known_runs, last_choice, open_store, tuning_sink

MEASURES = ("success", "p95_s")


def runs(sweep_id: str = "chat@c0de", seeds: tuple[int, ...] = (1, 2), value: float | None = 0.1 + 0.2) -> Batch:
    count = len(seeds) * len(MEASURES)
    return Batch(
        "sweeps",
        {
            "sweep_id": [sweep_id] * count,
            "policy_hash": ["p"] * count,
            "scenario": ["outage#1"] * count,
            "seed": [seed for seed in seeds for _ in MEASURES],
            "measure": list(MEASURES) * len(seeds),
            "value": [0.99, value] * len(seeds),
        },
    )


def choice(sentence: str, ts: int, sweep_id: str = "chat@c0de") -> Batch:
    columns = {
        "sweep_id": [sweep_id],
        "policy_hash": ["p"],
        "code": ["RECOMMENDED"],
        "sentence": [sentence],
        "ts": [ts],
        "settings": ["[service.p]"],
    }
    return Batch("choices", columns)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tuning.duckdb"


def test_runs_come_back_to_the_bit(path: Path) -> None:
    with tuning_sink(path) as sink:
        sink(runs())
        sink(runs(seeds=(3,), value=None))
    known = known_runs(path, "chat", "c0de", MEASURES)
    assert known["p", "outage#1", 1] == known["p", "outage#1", 2] == (0.99, 0.1 + 0.2)
    assert math.isnan(known["p", "outage#1", 3][1])
    assert known_runs(path, "chat", "c0de", ("p95_s", "success"))["p", "outage#1", 1] == (0.1 + 0.2, 0.99)


def test_a_run_that_lacks_a_measure_is_not_known(path: Path) -> None:
    with tuning_sink(path) as sink:
        sink(runs())
    assert known_runs(path, "chat", "c0de", (*MEASURES, "p99_s")) == {}
    assert known_runs(path, "other", "c0de", MEASURES) == {}


def test_what_was_written_twice_is_known_once(path: Path) -> None:
    for _ in range(2):
        with tuning_sink(path) as sink:
            sink(runs())
    assert len(known_runs(path, "chat", "c0de", MEASURES)) == 2


def test_a_sweep_of_other_code_is_refused_until_it_is_forgotten(path: Path) -> None:
    with tuning_sink(path) as sink:
        sink(runs("chat@0ld"))
        sink(runs("chat again@0ld"))
    with pytest.raises(
        DataError, match=r"made by other code \(hash 0ld; this code is c0de\).*another label.*forget_sweep"
    ):
        known_runs(path, "chat", "c0de", MEASURES)
    with open_store(path, write=True) as store:
        assert forget_sweep(store, "chat") == 4
    assert known_runs(path, "chat", "c0de", MEASURES) == {}
    assert len(known_runs(path, "chat again", "0ld", MEASURES)) == 2


def test_what_came_before_an_error_is_kept(path: Path) -> None:
    def produce() -> None:
        with tuning_sink(path) as sink:
            sink(runs())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        produce()
    assert len(known_runs(path, "chat", "c0de", MEASURES)) == 2


def test_the_database_is_free_between_two_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relkit.store.tuning._FLUSH_S", 0.0)
    with tuning_sink(path) as sink:
        sink(runs())
        with open_store(path, write=True) as store:
            assert store.connection.execute("SELECT count(*) FROM sweeps").fetchone() == (4,)
        sink(runs(seeds=(3,)))
    assert len(known_runs(path, "chat", "c0de", MEASURES)) == 3


def test_the_newest_choice_is_told(path: Path) -> None:
    with tuning_sink(path) as sink:
        sink(choice("Set open_s from 60 to 20.", 2_000_000))
        sink(choice("older", 1_000_000))
        sink(choice("of another service", 3_000_000, "mail@c0de"))
    with open_store(path) as store:
        last = last_choice(store, "chat")
        assert last is not None
        assert (last.sentence, last.policy_hash, last.ts) == ("Set open_s from 60 to 20.", "p", 2_000_000)
        assert last_choice(store).sentence == "of another service"  # type: ignore[union-attr]
        assert last_choice(store, "nobody") is None


def test_what_does_not_belong_there_is_refused(path: Path) -> None:
    def hand(batch: Batch) -> None:
        with tuning_sink(path) as sink:
            sink(batch)

    with pytest.raises(DataError, match="this sink takes sweeps"):
        hand(Batch("faults", {"ts_start": [1]}))
    with pytest.raises(DataError, match="this sink takes sweeps"):
        hand(Batch("choices", {"code": ["RECOMMENDED"]}))
    assert known_runs(path, "chat", "c0de", MEASURES) == {}
    path.write_text("no database")
    with pytest.raises(StoreError):
        known_runs(path, "chat", "c0de", MEASURES)
