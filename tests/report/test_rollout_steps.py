"""A rollout stepped over a log: four transitions a day, a roll-back for good, restarts that change nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from relkit.batch import Batch
from relkit.config import Config, load_config
from relkit.exceptions import ParameterError
from relkit.policies.rollout import ROLLED_BACK, ROLLOUT_STATES
from relkit.report.rollout import Look, step_rollout
from relkit.shadow.decide import Rules, decide
from relkit.store import open_store
from relkit.store.rollouts import rollout_rows, state_of
from relkit.store.sinks import sink_into
from relkit.units import US_PER_MINUTE, US_PER_SECOND

DAY = datetime(2026, 11, 16, 10, tzinfo=UTC)
TOML = """
[shadow.x]
margin = 0.01
schedule = [
    {{ at = {}, share = 0.10 }}, {{ at = {}, share = 0.25 }}, {{ at = {}, share = 0.50 }}, {{ at = {}, share = 1.0 }},
]
"""


def us(hours: float) -> int:
    return int((DAY + timedelta(hours=hours)).timestamp() * US_PER_SECOND)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    steps = [(DAY + timedelta(hours=hours)).isoformat() for hours in (0, 6, 12, 18)]
    (tmp_path / "relkit.toml").write_text(TOML.format(*steps))
    return load_config(tmp_path / "relkit.toml")


def log(folder: Path, wrong_after_h: float | None = None, number: int = 900, share_wrong: float = 0.5) -> Path:
    """Pairs over a day, three a session; from an hour on the shadow is wrong that often."""
    rng = np.random.default_rng(4)
    ts = [us(24 * place / number) + 1 for place in range(number)]
    primary = rng.random(number) < 0.97
    shadow = primary.copy()
    if wrong_after_h is not None:
        late = np.array(ts) >= us(wrong_after_h)
        shadow &= ~(late & (rng.random(number) < share_wrong))
    path = folder / "log.duckdb"
    columns = {
        "pair_id": [f"p{place}" for place in range(number)], "ts": ts, "experiment": ["x"] * number,
        "session_id": [f"s{place // 3}" for place in range(number)], "primary_ok": primary.tolist(),
        "shadow_ok": shadow.tolist(), "state": ["compared"] * number,
    }  # fmt: skip
    with open_store(path, write=True) as store, sink_into(store, "log", "pairs") as sink:
        sink(Batch("pairs", columns))
    return path


def looks(path: Path, config: Config, hours: list[float]) -> list[Look]:
    return [step_rollout(path, config, "x", us(hour)) for hour in hours]


def rows(path: Path) -> list[tuple[str, float]]:
    with open_store(path) as store:
        return [(row.state, row.share) for row in rollout_rows(store, "x")]


def test_a_day_of_steps_is_exactly_four_transitions(tmp_path: Path, config: Config) -> None:
    """A look every hour, each knowing only what the ledger says: 25 looks, four rows."""
    path = log(tmp_path, number=300)
    found = looks(path, config, [float(hour) for hour in range(25)])
    assert [look.changed for look in found].count(True) == 4
    assert rows(path) == [("running", 0.10), ("running", 0.25), ("running", 0.50), ("running", 1.0)]
    assert [look.at_us for look in found if look.changed] == [us(hour) for hour in (0, 6, 12, 18)]


def test_a_roll_back_is_for_good(tmp_path: Path, config: Config) -> None:
    """Later steps, later looks and a promoting gate change nothing any more."""
    path = log(tmp_path, wrong_after_h=2)
    found = looks(path, config, [0, 1, 3, 5, 6, 7, 12, 18, 24, 48, 1_000])
    last = rows(path)[-1]
    assert last == ("rolled_back", 0.0)
    first = next(place for place, look in enumerate(found) if look.after.state == ROLLED_BACK)
    assert all(look.share == 0.0 and not look.changed for look in found[first + 1 :])
    with open_store(path, write=True) as store:
        store.connection.execute("UPDATE pairs SET shadow_ok = primary_ok")
    assert step_rollout(path, config, "x", us(2_000)).after.state == ROLLED_BACK


def test_a_roll_back_is_not_late_within_a_tick(tmp_path: Path, config: Config) -> None:
    """The step was taken at this very minute; what came in since ends it, and the minute's later looks change nothing."""
    path = log(tmp_path, number=300)
    looks(path, config, [0, 20])
    with open_store(path, write=True) as store:
        store.connection.execute("UPDATE pairs SET shadow_ok = FALSE")
    tick = us(20) + 20 * US_PER_SECOND
    assert tick // US_PER_MINUTE == us(20) // US_PER_MINUTE
    assert step_rollout(path, config, "x", tick).after.state == ROLLED_BACK
    with open_store(path, write=True) as store:
        store.connection.execute("UPDATE pairs SET shadow_ok = primary_ok")
    later = step_rollout(path, config, "x", tick + US_PER_SECOND)
    assert (later.after.state, later.changed, later.share) == (ROLLED_BACK, False, 0.0)


def test_two_looks_in_one_tick_are_one(tmp_path: Path, config: Config) -> None:
    """At 18 h both the step and, a look later, the promotion would be due; a second timer must not hurry it."""
    path = log(tmp_path, number=300)
    first = step_rollout(path, config, "x", us(18))
    again = step_rollout(path, config, "x", us(18))
    assert (first.changed, again.changed) == (True, False)
    assert first.after.state == again.after.state
    assert len(rows(path)) == 1


def test_a_restart_changes_nothing(tmp_path: Path, config: Config) -> None:
    """State is what the ledger says: stepping twelve times and stepping with a reading in between give equal rows."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = log(tmp_path / "a", wrong_after_h=10), log(tmp_path / "b", wrong_after_h=10)
    hours = [0, 2, 6, 8, 11, 12, 13, 14, 16, 18, 20, 24]
    looks(one, config, hours)
    for hour in hours:
        step_rollout(two, load_config(tmp_path / "relkit.toml"), "x", us(hour))
        with open_store(two) as store:
            assert state_of(rollout_rows(store, "x")).state < len(ROLLOUT_STATES)
    assert rows(one) == rows(two)


def test_one_error_in_the_first_request_does_not_roll_back(tmp_path: Path, config: Config) -> None:
    path = log(tmp_path, wrong_after_h=0, number=1, share_wrong=1.0)
    found = step_rollout(path, config, "x", us(1))
    assert (found.decision.code, ROLLOUT_STATES[found.after.state]) == ("INCONCLUSIVE", "running")


def test_a_catastrophe_rolls_back_at_once(tmp_path: Path, config: Config) -> None:
    """Sixty failures in twenty sessions, none the other way: below the thirty sessions that the gate waits for."""
    path = log(tmp_path, wrong_after_h=0, number=66, share_wrong=1.0)
    found = step_rollout(path, config, "x", us(24))
    assert found.decision.reasons[0].code == "CATASTROPHE"
    assert found.after.state == ROLLED_BACK


def test_a_dry_run_writes_nothing(tmp_path: Path, config: Config) -> None:
    path = log(tmp_path, number=30)
    assert step_rollout(path, config, "x", us(1), write=False).changed
    assert rows(path) == []


def test_pairs_after_the_look_are_not_seen(tmp_path: Path, config: Config) -> None:
    path = log(tmp_path, wrong_after_h=12)
    assert step_rollout(path, config, "x", us(11)).decision.code != "ROLL_BACK"


def test_time_does_not_run_backwards(tmp_path: Path, config: Config) -> None:
    path = log(tmp_path, number=30)
    step_rollout(path, config, "x", us(7))
    with pytest.raises(ParameterError, match="does not go back in time"):
        step_rollout(path, config, "x", us(1))


def test_an_experiment_without_a_schedule_is_refused(tmp_path: Path, config: Config) -> None:
    with pytest.raises(ParameterError, match=r"schedule in relkit\.toml: x"):
        step_rollout(log(tmp_path, number=3), config, "y", us(1))


def test_no_pairs_let_the_first_step_begin() -> None:
    assert decide(None, Rules(), anytime=True).code == "INCONCLUSIVE"
