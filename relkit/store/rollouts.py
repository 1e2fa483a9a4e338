"""The ledger of rollouts: what a rollout did and why, one row a transition, never changed."""

from dataclasses import dataclass

from relkit.exceptions import DataError
from relkit.policies.rollout import BEFORE_FIRST, ROLLOUT_STATES, RolloutState
from relkit.store.open import Store
from relkit.units import US_PER_SECOND


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """One transition.

    Parameters
    ----------
    ts : int
        When, microseconds since 1970 UTC.
    state : str
        One of `relkit.policies.rollout.ROLLOUT_STATES`.
    step : int
        Place of the step in force; -1 before the first.
    share : float
        Share of the traffic from then on, in [0, 1].
    reason : str
        Why.
    """

    ts: int
    state: str
    step: int
    share: float
    reason: str


def rollout_rows(store: Store, experiment: str) -> tuple[RolloutRow, ...]:
    """Read a rollout's transitions in the order they were written."""
    rows = store.connection.execute(
        "SELECT ts, state, step, share, reason FROM rollouts WHERE experiment = ? ORDER BY ts, rowid", [experiment]
    ).fetchall()
    return tuple(RolloutRow(ts, state, step, share, reason or "") for ts, state, step, share, reason in rows)


def state_of(rows: tuple[RolloutRow, ...]) -> RolloutState:
    """Return where a rollout stands: its last row, whichever process wrote it.

    Raises
    ------
    DataError
        The ledger names a state that is none.

    Examples
    --------
    >>> state_of((RolloutRow(5_000_000, "running", 0, 0.1, ""),))
    RolloutState(state=1, step=0, since_s=5.0)
    """
    if not rows:
        return RolloutState()
    last = rows[-1]
    if last.state not in ROLLOUT_STATES:
        raise DataError(
            f"the ledger of rollouts names the state {last.state!r}; there are: {', '.join(ROLLOUT_STATES)}"
        )
    step = BEFORE_FIRST if last.step is None else last.step
    return RolloutState(ROLLOUT_STATES.index(last.state), step, last.ts / US_PER_SECOND)


def share_in_force(store: Store, experiment: str) -> tuple[float, int | None]:
    """Return the share of the traffic that a rollout gives its shadow now, in [0, 1], and its step: what a mirror asks for.

    A rollout that never began has share 0 and no step.
    """
    rows = rollout_rows(store, experiment)
    state = state_of(rows)
    return (rows[-1].share if rows else 0.0), None if state.step == BEFORE_FIRST else state.step


def append_rollout(store: Store, experiment: str, row: RolloutRow) -> None:
    """Write one transition; rows are only ever added."""
    store.connection.execute(
        "INSERT INTO rollouts VALUES (?, ?, ?, ?, ?, ?)",
        [row.ts, experiment, row.state, row.step, row.share, row.reason],
    )
