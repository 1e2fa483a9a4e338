"""Finding the first rule that matches, fast: an index over the rules instead of a walk through all of them.

The answer is that of the walk, rule for rule. A rule whose condition lists values is looked up by the value; the rest is
tried only where the fields it reads are there. Equal signals are answered from memory, because errors come in storms.
"""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Final

from relkit.errors.rules import Rule, RuleSet
from relkit.errors.signals import SIGNAL_FIELDS, Signals

REMEMBERED: Final = 4_096
NOWHERE: Final = 1 << 30


class Matcher:
    """The rules of one table, indexed.

    Parameters
    ----------
    rules : RuleSet
        Table of rules.

    Examples
    --------
    >>> from relkit.errors.rules import load_rules
    >>> position, evidence = Matcher(load_rules()).first(Signals(status=404))
    >>> evidence
    'status = 404'
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules.rules
        self._listed: dict[tuple[str, str], list[int]] = {}
        self._by_field: dict[str, list[int]] = {name: [] for name in SIGNAL_FIELDS}
        self._always: list[int] = []
        for position, rule in enumerate(rules.rules):
            self._index(position, rule)
        self.first = lru_cache(maxsize=REMEMBERED)(self._first)

    def _index(self, position: int, rule: Rule) -> None:
        """Enter a rule under its most selective condition: values before regexes and ranges."""
        listed = [condition for condition in rule.when if condition.op == "in"]
        if listed:
            for field in listed[0].fields:
                for value in listed[0].values:
                    self._listed.setdefault((field, value), []).append(position)
        elif rule.when:
            for field in rule.when[0].fields:
                self._by_field[field].append(position)
        else:
            self._always.append(position)

    @cached_property
    def class_ranks(self) -> Mapping[str, int]:
        """Class names that rules list, in lower case, each with the position of the first rule that does."""
        ranks: dict[str, int] = {}
        for (field, value), positions in self._listed.items():
            if field == "exception_type":
                ranks[value] = min(positions)
        for position, rule in enumerate(self.rules):
            for condition in rule.when:
                if condition.op == "in" and "exception_type" in condition.fields:
                    for value in condition.values:
                        ranks[value] = min(ranks.get(value, NOWHERE), position)
        return ranks

    def _first(self, signals: Signals) -> tuple[int, str] | None:
        positions = set(self._always)
        for field in SIGNAL_FIELDS:
            value = getattr(signals, field)
            if value is None:
                continue
            positions.update(self._listed.get((field, str(value).lower()), ()))
            positions.update(self._by_field[field])
        for position in sorted(positions):
            evidence = self.rules[position].match(signals)
            if evidence is not None:
                return position, evidence
        return None


_MADE: Final[dict[str, Matcher]] = {}
_TABLES: Final = 16


def matcher(rules: RuleSet) -> Matcher:
    """Return the matcher of a table, made once for each: the hash names everything that decides.

    >>> from relkit.errors.rules import load_rules
    >>> matcher(load_rules()) is matcher(load_rules())
    True
    """
    made = _MADE.get(rules.hash)
    if made is None:
        while len(_MADE) >= _TABLES:
            _MADE.pop(next(iter(_MADE)), None)
        made = _MADE.setdefault(rules.hash, Matcher(rules))
    return made
