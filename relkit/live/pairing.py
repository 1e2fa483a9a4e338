"""One request that two variants answer: what each brought, whether it differs, and the row it becomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from relkit.live.answers import Offered, Primary
from relkit.live.events import PairEvent
from relkit.shadow.compare import Comparison


@dataclass(frozen=True, slots=True)
class Reading:
    """What matters of one answer.

    Parameters
    ----------
    content : object
        What is compared: parsed JSON, or anything that knows whether it equals another.
    action : str or None
        What it does, such as book.
    ok : bool
        Whether it is a good answer.
    flags : str or None
        What it set, words with a comma between.
    body : str or None
        Its text, for the disagreement browser; redacted and capped where it is written.
    cost_microusd : int or None
        What it cost, millionths of a dollar.
    """

    content: Any
    action: str | None = None
    ok: bool = True
    flags: str | None = None
    body: str | None = None
    cost_microusd: int | None = None


NOTHING = Reading(None, ok=False)
"""No answer that could be read."""


def read_answer(value: Any) -> Reading:
    """Read an answer that is its own content; of a mapping the text under `action` is the action.

    >>> read_answer({"action": "book", "room": 7}).action
    'book'
    """
    action = value.get("action") if isinstance(value, Mapping) else None
    return Reading(value, action if isinstance(action, str) else None)


@dataclass(slots=True)
class Tried:
    """What one call of a mirror's brought.

    Parameters
    ----------
    ok : bool or None
        Whether it brought an answer; None = none in time.
    value : object
        The answer, or the error.
    latency_us : int
        How long it took, microseconds.
    """

    ok: bool | None
    value: Any
    latency_us: int


@dataclass(slots=True)
class Pair:
    """One request on its way: each side fills in its own fields, and the last one settles it.

    Parameters
    ----------
    offered : Offered
        The call.
    pair_id : str
        Name of the row.
    step : int or None
        Of the rollout, when the call began.
    inputs : tuple
        Copies of the arguments and keywords, for the shadow.
    is_mirrored : bool
        Whether the shadow is asked.
    primary_first : bool or None
        Whether it is asked when the primary has ended, and not when the call begins; None = not asked.
    primary, shadow, second : Primary, Tried, Tried
        What the sides brought; second is the primary once more.
    is_shadow_done : bool
        Whether shadow and second have come.
    """

    offered: Offered
    pair_id: str
    step: int | None
    inputs: tuple[tuple[Any, ...], dict[str, Any]] = field(default_factory=lambda: ((), {}))
    is_mirrored: bool = False
    primary_first: bool | None = None
    primary: Primary | None = None
    shadow: Tried | None = None
    second: Tried | None = None
    is_shadow_done: bool = False


@dataclass(frozen=True, slots=True)
class Comparer:
    """Turns a pair whose sides are known into its event.

    Parameters
    ----------
    experiment : str
        Name of the rows.
    shadow_variant : str
        Who the shadow is.
    rules : Comparison
        What may differ without meaning anything.
    read : callable
        Gives the `Reading` of an answer.
    """

    experiment: str
    shadow_variant: str
    rules: Comparison
    read: Callable[[Any], Reading]

    def event(self, pair: Pair, primary: Primary) -> PairEvent:
        """Return the event of a pair.

        A side that raised has answered badly; a shadow without an answer in time leaves the pair mirrored. An answer
        that cannot be read is a bad one. What cannot be compared is not said to be equal: differs stays None.
        """
        shadow, request = pair.shadow, pair.offered.request
        # what is only counted is not read: this is the path of the call then
        first = Reading(None, ok=bool(primary.ok))
        if pair.is_mirrored:
            first = self._reading(Tried(primary.ok, primary.value, primary.latency_us))
        other, again = self._reading(shadow), self._reading(pair.second)
        differs = self._differs(first, other)
        state = "compared" if differs is not None else "answered"
        if shadow is None or shadow.ok is None:
            state = "mirrored" if pair.is_mirrored else "eligible"
        has_come = state in {"answered", "compared"}
        flags = (first.flags, "degraded" if primary.degraded else None)
        return PairEvent(
            pair.pair_id,
            pair.offered.at_us,
            self.experiment,
            state,
            request_id=pair.offered.request_id,
            session_id=request.session_id,
            primary_variant=primary.model or "primary",
            primary_action=first.action,
            primary_ok=first.ok,
            primary_latency_us=primary.latency_us,
            primary_cost_microusd=first.cost_microusd if primary.cost_microusd is None else primary.cost_microusd,
            primary_flags=",".join(filter(None, flags)) or None,
            shadow_variant=self.shadow_variant,
            shadow_action=other.action,
            shadow_ok=other.ok if has_come else None,
            shadow_latency_us=shadow.latency_us if shadow else None,
            shadow_cost_microusd=other.cost_microusd,
            shadow_flags=other.flags,
            differs=differs,
            differs_baseline=self._differs(first, again),
            primary_first=pair.primary_first,
            step=pair.step,
            primary_body=first.body,
            shadow_body=other.body,
        )

    def _reading(self, side: Tried | None) -> Reading:
        if side is None or not side.ok:
            return NOTHING
        try:
            found = self.read(side.value)
        except Exception:  # noqa: BLE001 - the caller's own function on a stranger's answer
            return NOTHING
        return found if isinstance(found, Reading) else NOTHING

    def _differs(self, first: Reading, other: Reading) -> bool | None:
        if first is NOTHING or other is NOTHING:
            return None
        try:
            return self.rules.differs(first.content, other.content)
        except Exception:  # noqa: BLE001 - answers that cannot be compared
            return None
