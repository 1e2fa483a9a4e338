"""Five logs on which the plan's verdict and ours differ, from the functions that the page uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relkit.period import period_of
from relkit.shadow.decide import Rules, decide, verdict_of
from relkit.shadow.naive import naive_rules, plan_verdict
from relkit.shadow.study import Study
from relkit.simulation.demo_truth import read_truth
from relkit.simulation.flips import FLIPS, flip_batch, flip_truth
from relkit.store import open_store, readings
from relkit.store.sinks import sink_into

EXPECTED = {  # experiment: what the plan does, what we say
    "harm_missed": ("go on", "ROLL_BACK"),
    "cluster_false_alarm": ("shadow wins", "INCONCLUSIVE"),
    "peeking": ("shadow wins", "INCONCLUSIVE"),
    "dropped_timeouts": ("shadow wins", "ROLL_BACK"),
    "noisy_field": ("halt", "PROMOTE"),
}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Study]]:
    path: Path = tmp_path_factory.mktemp("flips") / "log.duckdb"
    with open_store(path, write=True) as store, sink_into(store, "demo", "flips") as sink:
        sink(flip_batch(read_truth().start_us))
    with open_store(path) as store:
        week = period_of("2026-W47")
        yield {
            name: readings.study(store, week, name, quiet_flags=("timeout",))
            for name in readings.experiments(store, week)
        }


def test_there_are_five_and_all_in_the_demo_week(studies: dict[str, Study]) -> None:
    assert set(studies) == set(EXPECTED) == {flip.name for flip in FLIPS}
    for flip in FLIPS:
        counts = studies[flip.name].experiment.counts
        assert (counts.both, counts.only_primary, counts.only_shadow, counts.neither) == (
            flip.both, flip.only_primary, flip.only_shadow, flip.neither,
        )  # fmt: skip
        assert flip_truth()[flip.name]["delta"] == counts.delta
        assert counts.n < 8_754  # the demo's own experiment stays the first


@pytest.mark.parametrize("name", EXPECTED)
def test_the_verdict_flips(studies: dict[str, Study], name: str) -> None:
    study = studies[name]
    assert (plan_verdict(naive_rules(study)), verdict_of(study, Rules(), "2026-W47").code) == EXPECTED[name]


def test_why_each_flips(studies: dict[str, Study]) -> None:
    said = {name: {one.rule: one.value for one in naive_rules(study)} for name, study in studies.items()}
    assert said["harm_missed"]["plan_z"] > 0.5  # one-sided: a worse shadow is never significant
    assert said["cluster_false_alarm"]["plan_z"] < 0.01
    assert studies["cluster_false_alarm"].table.sums().sessions == 396
    assert studies["peeking"].experiment.counts.delta == 0
    assert said["peeking"]["plan_z"] < 0.05
    lost = studies["dropped_timeouts"]
    assert (lost.compared.delta or 0) > 0.01 > -0.02 > (lost.experiment.counts.delta or 0)
    assert said["noisy_field"]["plan_differences"] == pytest.approx(0.36)


def test_evidence_of_many_looks_promotes_no_shadow_too_early(studies: dict[str, Study]) -> None:
    codes = {name: decide(study, Rules(), anytime=True).code for name, study in studies.items()}
    assert codes["peeking"] == "INCONCLUSIVE"
    assert codes["cluster_false_alarm"] == "INCONCLUSIVE"
    assert codes["harm_missed"] == "ROLL_BACK"


def test_equal_seeds_give_equal_rows() -> None:
    assert flip_batch(0, seed=3).columns == flip_batch(0, seed=3).columns
