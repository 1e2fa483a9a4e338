"""A case: how to make a library raise, and what an honest person would call it, written before any classifier was asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

UNDECIDED = None  # honest people differ, so nobody is judged by it


@dataclass(frozen=True)
class Case:
    """One failure.

    Parameters
    ----------
    name : str
        Library, then what happened.
    provoke : callable
        Raises, given the net.
    kinds : tuple of str
        Kinds an honest person accepts; the first is the best.
    retryable, maybe_executed : bool or None
        None where honest people differ.
    retry_after_s : float, tuple of float or None
        The wait that is told; a pair is the range of one that depends on the clock.
    """

    name: str
    provoke: Callable[[Any], object]
    kinds: tuple[str, ...]
    retryable: bool | None
    maybe_executed: bool | None
    retry_after_s: float | tuple[float, float] | None = None
    wave: int = 1


@dataclass
class Cases:
    """Cases of one area, collected by the decorator `case` or by `add`."""

    wave: int = 1
    found: list[Case] = field(default_factory=list)

    def add(
        self, name: str, provoke: Callable[[Any], object], kinds: str, retry: Any, executed: Any, wait: Any = None
    ) -> None:
        self.found.append(Case(name, provoke, tuple(kinds.split("|")), retry, executed, wait, self.wave))

    def case(
        self, name: str, kinds: str, retry: Any, executed: Any, wait: Any = None
    ) -> Callable[[Callable[[Any], object]], None]:
        return lambda provoke: self.add(name, provoke, kinds, retry, executed, wait)
