"""The table of rules: read, linted, laid in order, matched."""

from relkit.errors.rules.rule import Condition, Rule
from relkit.errors.rules.ruleset import RuleSet, load_rules

__all__ = ["Condition", "Rule", "RuleSet", "load_rules"]
