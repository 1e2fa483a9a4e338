"""The table of rules as SQL: one CASE over the signals of an error, equal to `RuleSet.first` in every answer.

Text is compared and searched as Python's ASCII mode does: the three letters that RE2 or `lower` would fold into ASCII
ones are taken away first, once for each column.
"""

from typing import Final

from relkit.errors import ErrorKind, RuleSet
from relkit.errors.classifier import NO_RULE
from relkit.errors.rules.common_regex import FOLDED_BY_SQL
from relkit.errors.rules.rule import Condition
from relkit.errors.signals import SIGNAL_FIELDS
from relkit.store.text import quoted

NUMBERS: Final = frozenset({"status", "errno"})


def classified_sql(rules: RuleSet, source: str = "fingerprints") -> str:
    """Write the SELECT that classifies rows holding signals.

    Parameters
    ----------
    rules : RuleSet
        The table.
    source : str
        Table, view or bracketed SELECT with the columns of `Signals`.

    Returns
    -------
    str
        SELECT giving every column of the source, and the texts `rule` and `kind`; where no rule matches these are
        "none" and UNKNOWN.

    Examples
    --------
    >>> import duckdb
    >>> from relkit.errors import load_rules
    >>> columns = ", ".join(f"NULL AS {name}" for name in SIGNAL_FIELDS if name != "status")
    >>> sql = classified_sql(load_rules(), f"(SELECT 429 AS status, {columns})")
    >>> duckdb.execute(f"SELECT rule, kind FROM ({sql})").fetchall()
    [('status.rate', 'API_RATE_LIMIT')]
    """
    texts = [name for name in SIGNAL_FIELDS if name not in NUMBERS]
    plain = ", ".join(f"translate(CAST({name} AS VARCHAR), '{FOLDED_BY_SQL}', '¿¿¿') AS {name}__text" for name in texts)
    lower = ", ".join(f"lower({name}__text) AS {name}__lower" for name in texts)
    helpers = ", ".join([*(f"{name}__text, {name}__lower" for name in texts), "relkit__place"])
    kinds = ", ".join(quoted(kind) for kind in [*(rule.kind.value for rule in rules.rules), ErrorKind.UNKNOWN.value])
    ids = ", ".join(quoted(name) for name in [*(rule.id for rule in rules.rules), NO_RULE])
    return (
        f"SELECT * EXCLUDE ({helpers}), [{ids}][relkit__place] AS rule, [{kinds}][relkit__place] AS kind FROM ("
        f"SELECT *, {rules_case(rules)} AS relkit__place FROM ("
        f"SELECT *, {lower} FROM (SELECT *, {plain} FROM {source})))"
    )


def rules_case(rules: RuleSet) -> str:
    """Write the CASE that gives the number of the first rule that matches, from 1; one more where none does.

    Its columns are those of `Signals` for numbers, and for texts `NAME__text` and `NAME__lower`.
    """
    branches = []
    for number, rule in enumerate(rules.rules, 1):
        tests = " AND ".join(_condition(condition) for condition in rule.when) or "TRUE"
        branches.append(f"WHEN {tests} THEN {number}")
    return f"CASE {' '.join(branches)} ELSE {len(rules.rules) + 1} END" if branches else "1"


def _condition(condition: Condition) -> str:
    tests = " OR ".join(_test(condition, field) for field in condition.fields)
    return f"({tests})"


def _test(condition: Condition, field: str) -> str:
    is_number = field in NUMBERS
    if condition.op == "between":
        return f"{field} BETWEEN {condition.low} AND {condition.high}"
    if condition.op == "re":
        text = f"CAST({field} AS VARCHAR)" if is_number else f"{field}__text"
        return f"regexp_matches({text}, {quoted(condition.regex)}, 'is')"
    if not is_number:
        return f"{field}__lower IN ({', '.join(quoted(value) for value in condition.values)})"
    # Compared as texts in Python: what is not just how a number is written equals none
    numbers = [value for value in condition.values if value.removeprefix("-").isdecimal() and str(int(value)) == value]
    return f"{field} IN ({', '.join(numbers)})" if numbers else "FALSE"
