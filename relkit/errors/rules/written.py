"""A table of rules written out as TOML, so that a stored answer can be traced to what gave it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from relkit.errors.rules.rule import ALWAYS, Condition, Rule
from relkit.errors.rules.ruleset import DECLARED, RuleSet


def rules_text(rules: RuleSet) -> str:
    """Write every rule in the order in which it is asked; phrases stand in full.

    Parameters
    ----------
    rules : RuleSet
        Of any number of layers.

    Returns
    -------
    str
        TOML that `load_rules` reads into a table with the same answers (and the same hash, unless a layer has overridden
        a rule of an earlier one, which one file may not do).

    Examples
    --------
    >>> from relkit.errors import load_rules
    >>> load_rules(rules_text(load_rules())).hash == load_rules().hash
    True
    """
    built_in = {rule.id for rule in DECLARED}
    own = [rule for rule in rules.rules if rule.id not in built_in]
    head = [f"name = {_value(rules.name)}", f"declared = {_value(len(own) < len(rules.rules))}"]
    return "\n".join([*head, *(line for rule in own for line in _rule(rule))]) + "\n"


def _rule(rule: Rule) -> list[str]:
    lines = ["", "[[rule]]", f"id = {_value(rule.id)}", f"kind = {_value(rule.kind.value)}"]
    lines.append(f"when = {_table(_when(rule.when))}" if rule.when else f"when = {_value(ALWAYS)}")
    if rule.override:
        lines.append(f"override = {_table(dict(rule.override))}")
    if rule.source:
        lines.append(f"source = {_value(rule.source)}")
    lines += [f"{name} = {_value(getattr(rule, name))}" for name in ("examples", "counterexamples")]
    if rule.expires:
        lines.append(f"expires = {rule.expires.isoformat()}")
    return lines


def _when(conditions: Sequence[Condition]) -> dict[str, Any]:
    return {"|".join(condition.fields): _test(condition) for condition in conditions}


def _test(condition: Condition) -> Any:
    if condition.op == "re":
        return {"re": condition.regex}
    return {"between": [condition.low, condition.high]} if condition.op == "between" else list(condition.values)


def _table(values: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{_value(name)} = {_value(value)}" for name, value in values.items()) + " }"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _table(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    # TOML's texts are JSON's, but for one letter that TOML wants escaped
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
