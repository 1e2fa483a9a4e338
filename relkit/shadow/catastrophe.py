"""The catastrophe breaker: counts so lopsided that nobody should wait for an interval."""

from dataclasses import dataclass
from typing import Final

from relkit.shadow.sessions import SessionSums


@dataclass(frozen=True, slots=True)
class Catastrophe:
    """When counts alone end a rollout.

    Parameters
    ----------
    sessions : int
        Sessions that must have lost on balance, at least.
    ratio : int
        How many of them there must be for each session that won.
    loss : float
        Share of right answers that must be lost so far: a shadow within its margin is no catastrophe, however sure.

    Examples
    --------
    >>> Catastrophe().sessions
    20
    """

    sessions: int = 20
    ratio: int = 10
    loss: float = 0.10


DEFAULT_CATASTROPHE: Final = Catastrophe()


def is_catastrophe(sums: SessionSums, margin: float, rule: Catastrophe = DEFAULT_CATASTROPHE) -> bool:
    """Say whether the shadow fails so plainly that the rollout ends at once.

    With arms alike each session that differs is a fair coin, whatever its turns have in common. That 20 lose before a
    third wins has probability 6e-5, and over all later looks the sum stays below 1e-4: no look is paid for.

    Parameters
    ----------
    sums : SessionSums
        Sessions so far; where the log names none, each pair is one.
    margin : float
        Loss that is acceptable.
    rule : Catastrophe
        The counts.

    Examples
    --------
    >>> lost = SessionSums(sessions=40, pairs=40, s=-20, v=20, dm=-20, mm=40, positive=0, negative=20, zero=20, largest=1)
    >>> is_catastrophe(lost, 0.01), is_catastrophe(lost.swapped(), 0.01)
    (True, False)
    """
    if sums.pairs == 0:
        return False
    return (
        sums.negative >= rule.sessions
        and sums.negative >= rule.ratio * sums.positive
        and -sums.s / sums.pairs >= max(rule.loss, margin)
    )
