"""Which rules can match at all: most of a table is left aside by one look at each signal."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from relkit.errors.rules.rule import Rule, ascii_lower
from relkit.errors.signals import SIGNAL_FIELDS, Signals


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

    def candidates(self, signals: Signals) -> list[int]:
        """Return the numbers of the rules that may match, in the order of the table."""
        found = set(self.always)
        for field in SIGNAL_FIELDS:
            value = getattr(signals, field)
            if value is not None:
                found.update(self.by_field.get(field, ()))
                found.update(self.by_value.get(field, {}).get(ascii_lower(str(value)), ()))
        return sorted(found)


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
        for field in gate.fields:
            if gate.op != "in":
                by_field[field].append(number)
            for value in gate.values:
                by_value[field][value].append(number)
    return RuleIndex(
        {field: {value: tuple(numbers) for value, numbers in values.items()} for field, values in by_value.items()},
        {field: tuple(numbers) for field, numbers in by_field.items()},
        tuple(always),
    )
