"""One look at a rollout: read the ledger and the pairs so far, ask the gate, write what changes."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from relkit.config import Config, ShadowPlan
from relkit.exceptions import ParameterError
from relkit.period import Period
from relkit.policies.rollout import (
    GATE_ROLL_BACK,
    GATES,
    ROLLED_BACK,
    ROLLOUT_STATES,
    RolloutState,
    advance,
    share_of_traffic,
)
from relkit.report.shadow import QUIET_FLAGS
from relkit.shadow.decide import Decision, Rules, decide
from relkit.store import open_store, readings
from relkit.store.open import Store
from relkit.store.rollouts import RolloutRow, append_rollout, rollout_rows, state_of
from relkit.units import US_PER_MINUTE, US_PER_SECOND

TICK_US: Final = US_PER_MINUTE
"""A look a minute at most: within one, a second look changes nothing, except that a roll-back is never late."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found and did.

    Parameters
    ----------
    experiment : str
        Which rollout.
    at_us : int
        When.
    before, after : RolloutState
        Where it stood, and stands.
    share : float
        Share of the traffic from now on, in [0, 1].
    decision : Decision
        What the gate said, and why.
    changed : bool
        Whether a row was written.
    """

    experiment: str
    at_us: int
    before: RolloutState
    after: RolloutState
    share: float
    decision: Decision
    changed: bool

    def record(self) -> dict[str, Any]:
        """Return the look as plain values."""
        return {
            "experiment": self.experiment,
            "at_us": self.at_us,
            "before": ROLLOUT_STATES[self.before.state],
            "after": ROLLOUT_STATES[self.after.state],
            "step": self.after.step,
            "share": self.share,
            "changed": self.changed,
            "gate": self.decision.record(),
        }


def step_rollout(database: Path, config: Config, experiment: str, at_us: int, *, write: bool = True) -> Look:
    """Look at a rollout once.

    Parameters
    ----------
    database : Path
        Where pairs and ledger lie.
    config : Config
        Names the schedule and the margins.
    experiment : str
        Which rollout.
    at_us : int
        The time of the look, microseconds since 1970 UTC; pairs after it are not seen.
    write : bool
        False: only say what would happen.

    Raises
    ------
    ParameterError
        No schedule is set for the experiment, or the time lies before the last transition.
    """
    plan = planned(config, experiment)
    assert plan.schedule is not None
    with open_store(database, write=write, rules=config.rules) as store:
        if write:
            store.connection.execute("BEGIN")
        rows = rollout_rows(store, experiment)
        before = state_of(rows)
        if rows and at_us < rows[-1].ts:
            raise ParameterError.of(
                "--at",
                at_us,
                f"{rows[-1].ts} or later",
                "a rollout does not go back in time; look at the ledger with status",
            )
        decision = decide(_study(store, experiment, at_us), _rules(plan), anytime=True)
        gate = GATES.index(decision.code)
        is_same_tick = bool(rows) and rows[-1].ts // TICK_US == at_us // TICK_US
        after = before
        if not is_same_tick or gate == GATE_ROLL_BACK:
            after = advance(before, plan.schedule, at_us / US_PER_SECOND, gate)
        changed = (after.state, after.step) != (before.state, before.step)
        share = share_of_traffic(after, plan.schedule)
        if changed and write:
            append_rollout(
                store, experiment, RolloutRow(at_us, ROLLOUT_STATES[after.state], after.step, share, _why(decision))
            )
        if write:
            store.connection.execute("COMMIT")
    return Look(experiment, at_us, before, after, share, decision, changed)


def planned(config: Config, experiment: str) -> ShadowPlan:
    """Return what relkit.toml says of a rollout.

    Raises
    ------
    ParameterError
        It says nothing, or no schedule.
    """
    plan = config.shadow.get(experiment)
    if plan is None or plan.schedule is None:
        known = ", ".join(name for name, each in config.shadow.items() if each.schedule is not None) or "none"
        raise ParameterError.of(
            "experiment", experiment, f"one with a schedule in relkit.toml: {known}",
            f'write [shadow.{experiment}] margin = 0.01, schedule = [{{ at = 2026-11-16T10:00:00Z, share = 0.10 }}]',
        )  # fmt: skip
    return plan


def is_rolled_back(rows: tuple[RolloutRow, ...]) -> bool:
    """Say whether a rollout has ended by a roll-back: for good."""
    return state_of(rows).state == ROLLED_BACK


def _rules(plan: ShadowPlan) -> Rules:
    return replace(Rules(), margins=plan.margins)


def _study(store: Store, experiment: str, at_us: int) -> Any:
    until = Period("all so far", 0, at_us + 1, "UTC")
    if experiment not in readings.experiments(store, until):
        return None
    return readings.study(store, until, experiment, quiet_flags=QUIET_FLAGS)


def _why(decision: Decision) -> str:
    if not decision.reasons:
        return f"{decision.code}: every guardrail is within its margin."
    return f"{decision.code}: " + " ".join(f"[{reason.code}] {reason.message}" for reason in decision.reasons[:3])
