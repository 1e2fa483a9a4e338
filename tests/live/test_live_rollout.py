"""A rollout that runs beside the calls takes the steps of `relkit.policies.rollout`, and tells each once."""

from pathlib import Path

from relkit.live.events import RolloutEvent
from relkit.live.files import RotatingFile
from relkit.live.journal import Journal
from relkit.live.rollout import Rollout, Standing
from relkit.policies.rollout import GATE_HOLD, GATE_INCONCLUSIVE, GATE_PROMOTE, GATE_ROLL_BACK, RolloutSchedule
from relkit.store.follow import Follower
from relkit.store.open import open_store
from relkit.store.rollouts import share_in_force

SCHEDULE = RolloutSchedule((10.0, 20.0), (0.1, 1.0))


def test_each_transition_is_told_once_and_the_database_knows_where_it_stands(tmp_path: Path):
    now = {"us": 0}
    gate = {"says": GATE_INCONCLUSIVE}
    told: list[RolloutEvent] = []
    with Journal([RotatingFile(tmp_path / "journal")], service="booking") as journal:

        def record(event: RolloutEvent) -> None:
            told.append(event)
            journal(event)

        rollout = Rollout("llama-4", SCHEDULE, gate=lambda: gate["says"], record=record, now_us=lambda: now["us"])
        found = [rollout()]
        for at_s, says in ((10, GATE_INCONCLUSIVE), (11, GATE_INCONCLUSIVE), (20, GATE_HOLD), (21, GATE_INCONCLUSIVE),
                           (22, GATE_INCONCLUSIVE), (23, GATE_PROMOTE), (24, GATE_ROLL_BACK), (25, GATE_PROMOTE)):  # fmt: skip
            now["us"], gate["says"] = at_s * 1_000_000, says
            found.append(rollout())
    assert [each.share for each in found] == [0.0, 0.1, 0.1, 0.1, 0.1, 1.0, 1.0, 0.0, 0.0]
    assert found[0] == Standing(0.0, None)
    assert [(event.state, event.step, event.share) for event in told] == [
        ("running", 0, 0.1), ("held", 0, 0.1), ("running", 0, 0.1), ("running", 1, 1.0), ("promoted", 1, 1.0), ("rolled_back", 1, 0.0),
    ]  # fmt: skip
    assert [event.reason for event in told][:2] == ["its time has come", "the gate says HOLD"]
    list(Follower(tmp_path / "journal", tmp_path / "relkit.duckdb").landings(once=True))
    with open_store(tmp_path / "relkit.duckdb") as store:
        assert share_in_force(store, "llama-4") == (0.0, 1)
        assert share_in_force(store, "no such") == (0.0, None)
