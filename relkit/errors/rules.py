"""Rules as data: an ordered table that says which kind a set of signals is; the first rule that matches wins.

The table lies in `rules.toml`. Regexes keep to what RE2 and `re` share and are matched in any ASCII case with the dot
crossing lines, so that the same table can run as SQL (`regexp_matches(field, regex, 'is')`).
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from relkit.errors.kinds import ADVICE, Advice, ErrorKind
from relkit.errors.signals import SIGNAL_FIELDS, Signals
from relkit.exceptions import ParameterError

EVIDENCE_CHARACTERS: Final = 120
OVERRIDES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "retryable": bool,
    "max_retries": int,
    "severity": str,
    "alert": bool,
    "user_message": str,
    "fallback": str,
    "maybe_executed_default": bool,
}
_CHOICES: Final[Mapping[str, tuple[object, ...]]] = {
    "severity": ("low", "medium", "high", "critical"),
    "fallback": ("none", "next_model", "larger_window", "truncate", "cache", "call_api"),
    "max_retries": (0, 1),
}
_NUMBERS = ("status", "errno")
_RULE_KEYS = {"id", "kind", "when", "override", "source", "examples", "counterexamples"}
# What one of the engines lacks or reads otherwise: look-around, named and numbered back-references, atomic and
# conditional groups, possessive repeats, {,n}, and the classes whose members differ (\s has no vertical tab in RE2).
_NOT_COMMON = re.compile(r"\(\?[=!<>P(]|\\[1-9dDsSZzAuUNkg]|[*+?}]\+|\{,")


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
        For in: texts in lower case, compared with the field's text in lower case.
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
            if self.op == "in" and str(value).lower() in self.values:
                return f"{field} = {value}"
            if self.op == "between" and self.low <= value <= self.high:
                return f"{field} = {value}"
            if self.op == "re" and (found := _compiled(self.regex).search(str(value))):
                return f"{field} has “{found[0][:EVIDENCE_CHARACTERS]}”"
        return None


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
        All must hold.
    override : tuple of (str, value)
        Fields of `Advice` that differ from the kind's own.
    source : str
        What justifies the rule; may be empty.
    examples, counterexamples : tuple of mapping
        Rows that must and must not match.
    """

    id: str
    kind: ErrorKind
    when: tuple[Condition, ...]
    override: tuple[tuple[str, Any], ...] = ()
    source: str = ""
    examples: tuple[Mapping[str, object], ...] = ()
    counterexamples: tuple[Mapping[str, object], ...] = ()

    def match(self, signals: Signals) -> str | None:
        """Return the evidence when every condition holds, else None."""
        evidence = []
        for condition in self.when:
            found = condition.find(signals)
            if found is None:
                return None
            evidence.append(found)
        return "; ".join(evidence)

    @property
    def advice(self) -> Advice:
        """The kind's advice with this rule's overrides."""
        return _advice(self.kind, self.override)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """An ordered table of rules.

    Parameters
    ----------
    name : str
        Who made it.
    hash : str
        First 12 hex digits of the SHA-256 over everything that decides: ids, kinds, conditions and overrides in order.
    rules : tuple of Rule
        In order; the first that matches wins.
    """

    name: str
    hash: str
    rules: tuple[Rule, ...]

    def first(self, signals: Signals) -> tuple[Rule, str] | None:
        """Return the first rule that matches, with its evidence.

        >>> load_rules().first(Signals(status=404))[0].id
        'status.not_found'
        """
        for rule in self.rules:
            evidence = rule.match(signals)
            if evidence is not None:
                return rule, evidence
        return None


def load_rules(text: str | None = None) -> RuleSet:
    r"""Load a table of rules from TOML text, or relkit's own.

    In front of every table stand 25 rules which believe a code, body type or class name that is the name of a kind:
    who raises "BOOKING_CONFLICT" knows best.

    Parameters
    ----------
    text : str or None
        TOML with `name`, `[phrases]` (named regexes) and `[[rule]]`; None for relkit's own table.

    Returns
    -------
    RuleSet
        Checked: a misspelt key, kind, field or regex never passes in silence.

    Raises
    ------
    ParameterError
        With the id of the rule that is not acceptable.

    Examples
    --------
    >>> load_rules('[[rule]]\nid = "teapot"\nkind = "UNKNOWN"\nwhen = { status = 418 }').rules[-1].id
    'teapot'
    """
    return _own_rules() if text is None else _read_rules(text)


@cache
def _own_rules() -> RuleSet:
    return _read_rules(files("relkit.errors").joinpath("rules.toml").read_text(encoding="utf-8"))


def _read_rules(text: str) -> RuleSet:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"the rules are not TOML: {error}; mend that line") from error
    _known("the rules", document, {"name", "phrases", "rule"})
    phrases = document.get("phrases", {})
    for name, regex in phrases.items():
        _check_regex(f"phrase {name}", regex)
    rules = list(DECLARED)
    ids = {rule.id for rule in rules}
    for table in document.get("rule", []):
        rule = _read_rule(table, phrases)
        if rule.id in ids:
            raise ParameterError.of("id", rule.id, "one rule per id", "give this rule another id")
        ids.add(rule.id)
        rules.append(rule)
    return RuleSet(str(document.get("name", "own")), _hash(rules), tuple(rules))


def _read_rule(table: Mapping[str, Any], phrases: Mapping[str, str]) -> Rule:
    name = table.get("id")
    if not isinstance(name, str) or not name:
        raise ParameterError.of("id", name, "a text", f"name the rule {dict(table)!r:.80}")
    where = f"rule {name}"
    _known(where, table, _RULE_KEYS)
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in ErrorKind.__members__:
        raise ParameterError.of(f"{where}: kind", kind, "one of the 26 kinds", "see relkit.errors.ErrorKind")
    when = table.get("when")
    if not isinstance(when, dict) or not when:
        raise ParameterError.of(f"{where}: when", when, "a table with at least one condition", "say when it holds")
    override = tuple(sorted(table.get("override", {}).items()))
    for key, value in override:
        _check_override(where, key, value)
    rows = {}
    for key in ("examples", "counterexamples"):
        rows[key] = tuple(table.get(key, ()))
        for row in rows[key]:
            _known(f"{where}: {key}", row, set(SIGNAL_FIELDS))
    return Rule(
        id=name,
        kind=ErrorKind(kind),
        when=tuple(_read_condition(where, key, test, phrases) for key, test in when.items()),
        override=override,
        source=str(table.get("source", "")),
        **rows,
    )


def _read_condition(where: str, key: str, test: object, phrases: Mapping[str, str]) -> Condition:
    fields = tuple(key.split("|"))
    _known(f"{where}: when", dict.fromkeys(fields), set(SIGNAL_FIELDS))
    match test:
        case {"re": str(regex), **rest} if not rest:
            _check_regex(where, regex)
            return Condition(fields, "re", regex=regex)
        case {"phrase": str(phrase), **rest} if not rest:
            _known(f"{where}: phrase", {phrase: None}, set(phrases))
            return Condition(fields, "re", regex=phrases[phrase])
        case {"between": [int(low), int(high)], **rest} if not rest and set(fields) <= set(_NUMBERS) and low <= high:
            return Condition(fields, "between", low=low, high=high)
        case str() | int() if not isinstance(test, bool):
            return Condition(fields, "in", (str(test).lower(),))
        case [*values] if values and all(isinstance(v, (str, int)) and not isinstance(v, bool) for v in values):
            return Condition(fields, "in", tuple(str(value).lower() for value in values))
    allowed = "a value, a list of values, { re = ... }, { phrase = ... } or, for numbers, { between = [a, b] }"
    raise ParameterError.of(f"{where}: {key}", test, allowed, "write one of these")


def _known(where: str, table: Mapping[str, object], allowed: set[str]) -> None:
    for key in table:
        if key not in allowed:
            raise ParameterError.of(f"{where}: key", key, ", ".join(sorted(allowed)), "mend the spelling")


def _check_override(where: str, key: str, value: object) -> None:
    _known(f"{where}: override", {key: value}, set(OVERRIDES))
    kinds = OVERRIDES[key]
    right_type = isinstance(value, kinds) and (kinds is bool or not isinstance(value, bool))
    if not right_type or value not in _CHOICES.get(key, (value,)):
        allowed = str(_CHOICES.get(key, getattr(kinds, "__name__", kinds)))
        raise ParameterError.of(f"{where}: override.{key}", value, allowed, "write one of these")


def _check_regex(where: str, regex: object) -> None:
    if not isinstance(regex, str):
        raise ParameterError.of(f"{where}: regex", regex, "a text", "write the regex between quotes")
    foreign = _NOT_COMMON.search(regex.replace(r"\\", "").replace("(?P<", "("))
    if foreign:
        allowed = "what RE2 and Python share"
        raise ParameterError.of(f"{where}: regex", regex, allowed, f"do without {foreign[0]}; write [0-9], not \\d")
    try:
        _compiled(regex)
    except re.error as error:
        raise ParameterError.of(f"{where}: regex", regex, "a regular expression", f"mend it: {error}") from error


@cache
def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.ASCII | re.IGNORECASE | re.DOTALL)


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


def _hash(rules: list[Rule]) -> str:
    deciding = [
        [rule.id, rule.kind, [[c.fields, c.op, c.values, c.regex, c.low, c.high] for c in rule.when], rule.override]
        for rule in rules
    ]
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:12]


DECLARED: Final[tuple[Rule, ...]] = tuple(
    Rule(
        id=f"declared.{kind.lower()}",
        kind=kind,
        when=(Condition(("code", "body_type", "exception_type"), "in", (kind.lower(),)),),
        source="who raises a kind by its name knows best",
        examples=({"code": kind.value, "status": 500},),
    )
    for kind in ErrorKind
    if kind is not ErrorKind.UNKNOWN  # a service that says "unknown" says nothing; its status may
)
