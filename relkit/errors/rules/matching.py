"""A table of rules ready for a stream of errors: equal signals are answered from memory, because errors come in storms."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Final

from relkit.errors.rules import RuleSet
from relkit.errors.rules.rule import ALWAYS
from relkit.errors.signals import Signals

REMEMBERED: Final = 4_096
TABLES: Final = 16
NOWHERE: Final = 1 << 30


class Matcher:
    """The rules of one table, with what it answered lately.

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
        self._index = rules.index
        self._tests = [tuple(condition.test() for condition in rule.when) for rule in rules.rules]
        self.first = lru_cache(maxsize=REMEMBERED)(self._first)

    @cached_property
    def class_ranks(self) -> Mapping[str, int]:
        """Class names that rules list, in lower case, each with the position of the first rule that does."""
        ranks: dict[str, int] = {}
        for position, rule in enumerate(self.rules):
            for condition in rule.when:
                if condition.op == "in" and "exception_type" in condition.fields:
                    for value in condition.values:
                        ranks.setdefault(value, position)
        return ranks

    def _first(self, signals: Signals) -> tuple[int, str] | None:
        for position in self._index.candidates(signals):
            for test in self._tests[position]:
                if not test(signals):
                    break
            else:
                return position, self.rules[position].match(signals) or ALWAYS
        return None


_MADE: Final[dict[str, Matcher]] = {}


def matcher(rules: RuleSet) -> Matcher:
    """Return the matcher of a table, made once for each: the hash names everything that decides.

    >>> from relkit.errors.rules import load_rules
    >>> matcher(load_rules()) is matcher(load_rules())
    True
    """
    made = _MADE.get(rules.hash)
    if made is None:
        while len(_MADE) >= TABLES:
            _MADE.pop(next(iter(_MADE)), None)
        made = _MADE.setdefault(rules.hash, Matcher(rules))
    return made
