"""A sweep gives the same numbers wherever it runs, keeps what is finished, and does nothing twice."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from relkit.batch import Batch
from relkit.exceptions import ParameterError
from relkit.policies.presets import presets
from relkit.simulation.scenario import Scenario
from relkit.tune import RAW, Space, Sweep, code_hash
from relkit.tune.code import made_of
from relkit.tune.results import scenario_key
from relkit.tune.sweep import sweep


def rows_of(batches: Sequence[Batch]) -> set[tuple[Any, ...]]:
    return {row for batch in batches for row in zip(*batch.columns.values(), strict=True)}


def known_of(batches: Sequence[Batch]) -> dict[tuple[str, str, int], tuple[float, ...]]:
    found: dict[tuple[str, str, int], dict[str, float]] = {}
    for _, policy_hash, scenario, seed, name, value in rows_of(batches):
        found.setdefault((policy_hash, scenario, seed), {})[name] = float("nan") if value is None else value
    return {key: tuple(by_name[name] for name in RAW) for key, by_name in found.items()}


def executors() -> list[Executor]:
    return [ThreadPoolExecutor(3), ProcessPoolExecutor(1, multiprocessing.get_context("fork"))]


def test_the_numbers_are_the_same_on_every_executor(space: Space, suite: tuple[Scenario, ...], found: Sweep) -> None:
    for executor in executors():
        with executor:
            batches: list[Batch] = []
            there = sweep(space.design(16), suite, 3, executor=executor, sink=batches.append)
        assert np.array_equal(there.values, found.values, equal_nan=True)
        assert [each.name for each in there.candidates] == [each.name for each in found.candidates]
        assert len(rows_of(batches)) == found.values[..., 0].size * len(RAW)


def test_what_is_known_is_not_played_again(space: Space, suite: tuple[Scenario, ...], found: Sweep) -> None:
    """A third of the runs is there, and then four seeds are asked for instead of three."""
    batches: list[Batch] = []
    sweep(space.design(16).candidates[:6], suite, 3, workers=1, sink=batches.append)
    known = known_of(batches)
    later: list[Batch] = []
    again = sweep(space.design(16), suite, 3, workers=1, known=known, sink=later.append)
    assert np.array_equal(again.values, found.values, equal_nan=True)
    assert (again.taken, again.ran) == (6 * 9, (len(found.candidates) - 6) * 9)
    assert not rows_of(batches) & rows_of(later)
    more = sweep(space.design(16).candidates[:6], suite, 4, workers=1, known=known)
    assert (more.taken, more.ran) == (6 * 9, 6 * 3)
    assert np.array_equal(more.values[:, :, :3], found.values[:6], equal_nan=True)


def test_ctrl_c_keeps_what_is_finished(
    monkeypatch: pytest.MonkeyPatch, space: Space, suite: tuple[Scenario, ...], found: Sweep
) -> None:
    import sys  # noqa: PLC0415

    module = sys.modules["relkit.tune.sweep"]
    waits = iter(range(100))
    true_wait = module.wait  # type: ignore[attr-defined]

    def interrupted(*arguments: Any, **named: Any) -> Any:
        if next(waits) == 1:
            raise KeyboardInterrupt
        return true_wait(*arguments, **named)

    monkeypatch.setattr(module, "wait", interrupted)
    batches: list[Batch] = []
    part = sweep(space.design(16), suite, 3, workers=1, sink=batches.append)
    assert not part.complete
    assert 0 < len(part.candidates) < len(found.candidates)
    assert part.ran * len(RAW) == len(rows_of(batches))
    places = [found.place_of(each.name) for each in part.candidates]
    assert np.array_equal(part.values, found.values[places], equal_nan=True)


def test_a_candidate_that_cannot_run_is_named_and_the_others_go_on(chat: Scenario) -> None:
    there = sweep([presets["aws-standard-2026"], presets["tenacity"]], [dead(chat)], 1, workers=1)
    assert [each.name for each in there.candidates] == ["aws-standard-2026"]
    assert there.refused[0][0] == "tenacity"
    assert there.refused[0][1]
    with pytest.raises(ParameterError, match="none of the 1 candidates"):
        sweep([presets["tenacity"]], [dead(chat)], 1, workers=1)


def dead(chat: Scenario) -> Scenario:
    """Nothing ever answers: who never stops retrying never ends."""
    from relkit.simulation.episodes import outage  # noqa: PLC0415

    return chat.changed(requests=20, episodes=(outage("*", 0.0, 1e9),))


def test_the_frame_has_a_row_a_run_and_intervals_agree_with_it(found: Sweep) -> None:
    table = found.frame()
    assert len(table) == found.values[..., 0].size
    its = found.measured("chat", "outage", "success")
    part = table[(table["candidate"] == "chat") & (table["scenario"] == "outage")]
    assert its.value == pytest.approx(part["success"].mean())
    assert its.low is not None
    assert its.low < part["success"].mean()
    spent = part["bad_before_opening"] / (0.001 * 50.0 * 30 * 86_400)
    assert part["budget_spent_share"].tolist() == pytest.approx(spent.tolist())


def test_the_code_hash_covers_what_the_numbers_come_from() -> None:
    names = {f"{path.parent.name}/{path.name}" for path in made_of(("tune/measures.py", "simulation/run.py"))}
    assert {"tune/measures.py", "simulation/run.py", "simulation/workload.py", "policies/trips.py"} <= names
    assert not {name for name in names if name.startswith(("plates/", "store/", "cli/"))}
    assert len(code_hash()) == 16


def test_scenarios_of_one_name_are_told_apart(chat: Scenario) -> None:
    assert scenario_key(chat) != scenario_key(chat.changed(timeout_s=2.0))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"scenarios": []}, "at least one scenario"),
        ({"seeds": 0}, "at least one seed"),
        ({"seeds": (1, 1)}, "each once"),
        ({"workers": 0}, "at least 1"),
        ({"label": "a@b"}, "without @"),
        ({"what": []}, "at least one policy"),
    ],
)
def test_what_cannot_be_is_refused(chat: Scenario, named: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"what": [presets["pybreaker"]], "scenarios": [chat], "seeds": 1, **named}
    with pytest.raises(ParameterError, match=said):
        sweep(given.pop("what"), given.pop("scenarios"), given.pop("seeds"), **given)


def test_names_that_are_not_there_are_refused(found: Sweep) -> None:
    with pytest.raises(ParameterError, match="sweep it along"):
        found.measured("hystrix", "outage", "success")
    with pytest.raises(ParameterError, match="healthy, outage, gray"):
        found.measured("chat", "storm", "success")
