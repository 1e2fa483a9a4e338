"""Answers that were given before: by an exact key, the one used longest ago goes first, and age decides what may be served.

Only calls that change nothing reach it, see `relkit.live.answers.Request`. What it holds is shared, not copied: an answer
that somebody changes is changed for all.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias

from relkit.exceptions import ParameterError
from relkit.live.clocks import now_s
from relkit.policies.freshness import FreshnessSettings, freshness, may_serve

Similar: TypeAlias = Callable[[Hashable, Sequence[Hashable]], Hashable | None]
_Place: TypeAlias = tuple[str, str | None, Hashable]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that may be served.

    Parameters
    ----------
    value : object
        The answer.
    age_s : float
        Since it was stored, seconds.
    exact : bool
        Whether it was stored under the very key that was asked for.
    """

    value: Any
    age_s: float
    exact: bool = True


class AnswerCache:
    """A cache of answers for many threads and tasks.

    Parameters
    ----------
    freshness : FreshnessSettings or None
        How old an answer may be; None for five minutes.
    entries : int
        Most answers kept, at least 1.
    similar : callable or None
        A hook that is off by default: given a key and the keys that are held for the same service and operation, it
        returns the one whose answer will do, or None. It runs without the lock.
    clock : callable
        Gives seconds that never run backwards.

    Examples
    --------
    >>> cache = AnswerCache(FreshnessSettings(ttl_s=60.0), entries=2, clock=lambda: 0.0)
    >>> for town in ("Rome", "Oslo", "Bern"):
    ...     cache.keep("weather", None, town, f"sun in {town}")
    >>> cache.fresh("weather", None, "Rome") is None, cache.fresh("weather", None, "Bern").value
    (True, 'sun in Bern')
    """

    __slots__ = ("_answers", "_lock", "clock", "entries", "freshness", "similar")

    def __init__(
        self,
        freshness: FreshnessSettings | None = None,
        *,
        entries: int = 1000,
        similar: Similar | None = None,
        clock: Callable[[], float] = now_s,
    ) -> None:
        if isinstance(entries, bool) or not isinstance(entries, int) or entries < 1:
            raise ParameterError.of("entries", entries, "a whole number from 1", "say how many answers to keep")
        self.freshness = freshness or FreshnessSettings()
        self.entries = entries
        self.similar = similar
        self.clock = clock
        self._lock = Lock()
        self._answers: OrderedDict[_Place, tuple[Any, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def fresh(self, service: str, operation: str | None, key: Hashable) -> Kept | None:
        """Return an answer that is served at once, or None."""
        return self._found((service, operation, key), failed=False, turn=0)

    def after_failure(self, service: str, operation: str | None, key: Hashable, turn: int) -> Kept | None:
        """Return an answer that is served when every model failed, or None.

        Parameters
        ----------
        service, operation, key
            Under which it was kept.
        turn : int
            What the last failure advises, one of `relkit.policies.failure.FALLBACKS`.
        """
        return self._found((service, operation, key), failed=True, turn=turn)

    def keep(self, service: str, operation: str | None, key: Hashable, value: object) -> None:
        """Keep an answer as of now."""
        place, at_s = (service, operation, key), self.clock()
        with self._lock:
            self._answers[place] = (value, at_s)
            self._answers.move_to_end(place)
            if len(self._answers) > self.entries:
                self._answers.popitem(last=False)

    def clear(self) -> None:
        """Forget every answer."""
        with self._lock:
            self._answers.clear()

    def _found(self, place: _Place, *, failed: bool, turn: int) -> Kept | None:
        kept = self._at(place, failed=failed, turn=turn)
        if kept is not None or self.similar is None:
            return kept
        with self._lock:
            others = [other for service, operation, other in self._answers if (service, operation) == place[:2]]
        try:
            nearest = self.similar(place[2], others)
            kept = None if nearest is None else self._at((*place[:2], nearest), failed=failed, turn=turn)
        except Exception:  # noqa: BLE001  a hook for convenience must not cost a call
            return None
        return None if kept is None else Kept(kept.value, kept.age_s, exact=False)

    def _at(self, place: _Place, *, failed: bool, turn: int) -> Kept | None:
        now_s = self.clock()
        with self._lock:
            held = self._answers.get(place)
            if held is None:
                return None
            age_s = now_s - held[1]
            if not may_serve(freshness(self.freshness, age_s, False), failed, turn):
                return None
            if not failed:
                # An answer given in need is not in use: it may go before those that are.
                self._answers.move_to_end(place)
        return Kept(held[0], age_s)
