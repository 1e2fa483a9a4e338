"""One rule: conditions on the signals of an error, and the kind they prove."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final, Literal

from relkit.errors.kinds import ADVICE, Advice, ErrorKind
from relkit.errors.rules.common_regex import compiled
from relkit.errors.signals import Signals

EVIDENCE_CHARACTERS: Final = 120
ALWAYS: Final = "always"
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of a rule: at least one of the fields passes.

    Parameters
    ----------
    fields : tuple of str
        Names of `Signals` fields; any of them may pass.
    op : str
        in, re or between.
    values : tuple of str
        For in: texts in lower case, compared with the field's text in lower case (ASCII letters only).
    regex : str
        For re: searched in the field, in any ASCII case, dot crossing lines.
    low, high : int
        For between: both ends belong.

    Examples
    --------
    >>> Condition(("status",), "between", low=500, high=599).find(Signals(status=503))
    'status = 503'
    """

    fields: tuple[str, ...]
    op: Literal["in", "re", "between"]
    values: tuple[str, ...] = ()
    regex: str = ""
    low: int = 0
    high: int = 0

    def find(self, signals: Signals) -> str | None:
        """Return what passed, for the reader of an answer, or None."""
        for field in self.fields:
            value = getattr(signals, field)
            if value is None:
                continue
            if self.op == "in" and ascii_lower(str(value)) in self.values:
                return f"{field} = {value}"
            if self.op == "between" and self.low <= value <= self.high:
                return f"{field} = {value}"
            if self.op == "re" and (found := compiled(self.regex).search(str(value))):
                return f"{field} has “{found[0][:EVIDENCE_CHARACTERS]}”"
        return None

    def test(self) -> Callable[[Signals], bool]:
        """Return the same test without the evidence, made ready for many errors."""
        if self.op != "re":
            return lambda signals: self.find(signals) is not None
        # Searching is what takes the time. Names and codes are few, so they are remembered; sentences are not.
        search = compiled(self.regex).search
        if self.fields == ("message",):
            return lambda signals: (text := signals.message) is not None and search(text) is not None
        passes = lru_cache(maxsize=512)(lambda value: value is not None and search(str(value)) is not None)
        first, *more = (attrgetter(name) for name in self.fields)
        if not more:
            return lambda signals: passes(first(signals))
        return lambda signals: passes(first(signals)) or any(passes(read(signals)) for read in more)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: when all conditions hold, it is this kind.

    Parameters
    ----------
    id : str
        Unique and stable; stands in every answer.
    kind : ErrorKind
        The answer.
    when : tuple of Condition
        All must hold; none at all is "always".
    override : tuple of (str, value)
        Fields of `Advice` that differ from the kind's own.
    source : str
        What justifies the rule; may be empty.
    examples, counterexamples : tuple of mapping
        Rows that must and must not match.
    before, after : tuple of str
        Ids of rules that this one stands in front of and behind.
    expires : date or None
        First day on which the rule is due for another look; it goes on deciding.
    layer : str
        Where it was written: a file, or the notebook.
    line : int or None
        Line of the file.
    """

    id: str
    kind: ErrorKind
    when: tuple[Condition, ...]
    override: tuple[tuple[str, Any], ...] = ()
    source: str = ""
    examples: tuple[Mapping[str, object], ...] = ()
    counterexamples: tuple[Mapping[str, object], ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    expires: date | None = None
    layer: str = ""
    line: int | None = None

    def match(self, signals: Signals) -> str | None:
        """Return the evidence when every condition holds, else None."""
        evidence = []
        for condition in self.when:
            found = condition.find(signals)
            if found is None:
                return None
            evidence.append(found)
        return "; ".join(evidence) or ALWAYS

    @property
    def advice(self) -> Advice:
        """The kind's advice with this rule's overrides."""
        return _advice(self.kind, self.override)


def ascii_lower(text: str) -> str:
    """Lower the ASCII letters of a text and no others, which SQL can do alike.

    >>> ascii_lower("QUOTA É")
    'quota É'
    """
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


@cache
def _advice(kind: ErrorKind, override: tuple[tuple[str, Any], ...]) -> Advice:
    changes = dict(override)
    advice = ADVICE[kind]
    # "Not retryable" and "so many retries" cannot both be said.
    if changes.get("retryable") is False:
        changes["max_retries"] = 0
    elif changes.get("retryable") is True and not advice.retryable:
        changes.setdefault("max_retries", None)
    return replace(advice, **changes)
