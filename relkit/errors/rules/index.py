"""Which rules can match at all: most of a table is left aside by one look at each signal."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from relkit.errors.rules.rule import Rule, ascii_lower
from relkit.errors.signals import SIGNAL_FIELDS, Signals

_NONE: Final[Mapping[str, tuple[int, ...]]] = {}


@dataclass(frozen=True, slots=True)
class RuleIndex:
    """For each signal, the numbers of the rules that its value, or its mere presence, lets in.

    A rule is filed under one of its conditions: a list of values where it has one, else what it searches. As every
    condition must hold, a rule that is not let in cannot match.

    Parameters
    ----------
    by_value : mapping of str to mapping of str to tuple of int
        Field to value in lower case to numbers of rules.
    by_field : mapping of str to tuple of int
        Field to numbers of rules that search it or ask for a range.
    always : tuple of int
        Rules without a condition.

    Examples
    --------
    >>> from relkit.errors.rules import load_rules
    >>> len(index_of(load_rules().rules).candidates(Signals(status=503))) < 10
    True
    """

    by_value: dict[str, dict[str, tuple[int, ...]]]
    by_field: dict[str, tuple[int, ...]]
    always: tuple[int, ...]
    _remembered: dict[tuple[str, ...], tuple[int, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def candidates(self, signals: Signals) -> Sequence[int]:
        """Return the numbers of the rules that may match, in the order of the table."""
        present: list[str] = []
        named: list[int] = []
        for name in SIGNAL_FIELDS:
            value = getattr(signals, name)
            if value is not None:
                present.append(name)
                named += self.by_value.get(name, _NONE).get(ascii_lower(str(value)), ())
        searched = self._searched(tuple(present))
        return sorted({*named, *searched}) if named else searched

    def _searched(self, present: tuple[str, ...]) -> Sequence[int]:
        found = self._remembered.get(present)
        if found is None:
            found = tuple(
                sorted({*self.always, *(number for name in present for number in self.by_field.get(name, ()))})
            )
            self._remembered[present] = found  # at most as many as there are sets of signals
        return found


def index_of(rules: Sequence[Rule]) -> RuleIndex:
    """File the rules of a table."""
    by_value: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    by_field: dict[str, list[int]] = defaultdict(list)
    always = []
    for number, rule in enumerate(rules):
        if not rule.when:
            always.append(number)
            continue
        gate = next((condition for condition in rule.when if condition.op == "in"), rule.when[0])
        for name in gate.fields:
            if gate.op != "in":
                by_field[name].append(number)
            for value in gate.values:
                by_value[name][value].append(number)
    return RuleIndex(
        {name: {value: tuple(numbers) for value, numbers in values.items()} for name, values in by_value.items()},
        {name: tuple(numbers) for name, numbers in by_field.items()},
        tuple(always),
    )
