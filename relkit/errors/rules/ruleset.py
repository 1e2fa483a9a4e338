"""Rules as data: an ordered table that says which kind a set of signals is; the first rule that matches wins.

The table lies in `rules.toml`; a project adds its own in `relkit.toml`, a notebook in a cell. Every layer is checked on
loading and nothing is skipped in silence. Regexes keep to what RE2 and `re` share, so that the same table runs as SQL.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from relkit.errors.kinds import ErrorKind
from relkit.errors.rules.index import RuleIndex, index_of
from relkit.errors.rules.lint import expired, lint_rows, overridden
from relkit.errors.rules.order import placed
from relkit.errors.rules.rule import Condition, Rule
from relkit.errors.rules.tables import Finding, Layer, read_phrases, read_rules, suggestion
from relkit.errors.signals import Signals
from relkit.exceptions import ParameterError

__all__ = ["DECLARED", "Condition", "Finding", "Rule", "RuleSet", "load_rules"]

_BUILT_IN: Final = "built in"
_FILE_KEYS: Final = ("name", "declared", "phrases", "rule")


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
    layers : tuple of str
        Where the rules were written, the earliest first.
    phrases : mapping of str to str
        Named regexes, which rules of later layers may use.
    index : RuleIndex
        Which rules a signal lets in; made from the rules.
    """

    name: str
    hash: str
    rules: tuple[Rule, ...]
    layers: tuple[str, ...] = ()
    phrases: Mapping[str, str] = field(default_factory=dict, repr=False)
    index: RuleIndex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", index_of(self.rules))

    def first(self, signals: Signals) -> tuple[Rule, str] | None:
        """Return the first rule that matches, with its evidence.

        >>> load_rules().first(Signals(status=404))[0].id
        'status.not_found'
        """
        for number in self.index.candidates(signals):
            evidence = self.rules[number].match(signals)
            if evidence is not None:
                return self.rules[number], evidence
        return None

    def with_rules(self, *tables: Mapping[str, Any], layer: str = "notebook", text: str = "") -> "RuleSet":
        r"""Add a layer of rules; this set stays as it is.

        Parameters
        ----------
        *tables : mapping
            One a rule, with the keys of a `[[rule]]`: id, kind, when, examples, counterexamples, and any of override,
            source, before, after, expires. Without before or after it stands in front of all earlier layers.
        layer : str
            Where the rules were written, as findings call it.
        text : str
            The TOML the tables were read from, so that findings name the line.

        Returns
        -------
        RuleSet
            Both layers in order, with a hash of their own.

        Raises
        ------
        ParameterError
            With every finding, each with its file, line and rule.

        Examples
        --------
        >>> mine = load_rules().with_rules({
        ...     "id": "teapot", "kind": "API_NOT_FOUND", "when": {"status": 418}, "before": "status.invalid",
        ...     "examples": [{"status": 418}], "counterexamples": [{"status": 400}],
        ... })
        >>> mine.first(Signals(status=418))[0].id, load_rules().first(Signals(status=418))[0].id
        ('teapot', 'status.invalid')
        """
        if not tables:
            return self
        new, findings = read_rules(tables, self.phrases, Layer(layer, text))
        return _joined(self, new, findings, layer)

    def warnings(self, as_of: date) -> tuple[Finding, ...]:
        """Return what wants a look although it is no fault: rules that have expired or were overridden by later layers.

        Parameters
        ----------
        as_of : date
            A rule has expired when its day is this one or earlier. It goes on deciding: an answer that changed with
            the calendar would make two reports of one log differ.

        Examples
        --------
        >>> mine = load_rules().with_rules({
        ...     "id": "pot", "kind": "UNKNOWN", "when": {"code": "POT"}, "expires": "2026-06-30",
        ...     "examples": [{"code": "POT"}], "counterexamples": [{"code": "POTS"}],
        ... })
        >>> [finding.rule for finding in mine.warnings(date(2026, 7, 1))], mine.warnings(date(2026, 6, 29))
        (['pot'], ())
        """
        return (*expired(self.rules, as_of), *overridden(self.rules, self.layers))


def load_rules(text: str | None = None, *, layer: str = "rules") -> RuleSet:
    r"""Load a table of rules from TOML text, or relkit's own.

    In front of every table stand 25 rules which believe a code, body type or class name that is the name of a kind:
    who raises "BOOKING_CONFLICT" knows best.

    Parameters
    ----------
    text : str or None
        TOML with `name`, `declared` (false = without those 25 rules), `[phrases]` (named regexes) and `[[rule]]`; None
        for relkit's own table.
    layer : str
        What findings call the text.

    Returns
    -------
    RuleSet
        Checked: a misspelt key, kind, field or regex, a rule without example and counterexample, one that never
        decides its own examples never pass in silence.

    Raises
    ------
    ParameterError
        With every finding, each with its line and rule.

    Examples
    --------
    >>> teapot = "[[rule]]\nid = 'teapot'\nkind = 'UNKNOWN'\nwhen = { status = 418 }\nexamples = [{ status = 418 }]\n"
    >>> load_rules(teapot + "counterexamples = [{ status = 400 }]").rules[-1].id
    'teapot'
    >>> load_rules(teapot, layer="pot.toml")
    Traceback (most recent call last):
    relkit.exceptions.ParameterError: pot.toml, line 2, rule teapot: the rule has no counterexamples: give ...
    """
    return _own_rules() if text is None else _read(text, layer)


@cache
def _own_rules() -> RuleSet:
    return _read(files("relkit.errors.rules").joinpath("rules.toml").read_text(encoding="utf-8"), "rules.toml")


def _read(text: str, name: str) -> RuleSet:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{name}: the rules are not TOML: {error}; mend that line") from error
    layer = Layer(name, text)
    findings = [
        Finding(name, layer.line_of_key(key), "", f"unknown key {key}; {suggestion(key, _FILE_KEYS)}")
        for key in document
        if key not in _FILE_KEYS
    ]
    phrases, faults = read_phrases(document.get("phrases", {}), layer)
    tables = document.get("rule", [])
    if not isinstance(tables, list):
        faults.append(Finding(name, layer.line_of_key("rule"), "", "rule is a list of tables: write [[rule]]"))
        tables = []
    new, wrong = read_rules(tables, phrases, layer)
    declared = DECLARED if document.get("declared", True) else ()
    base = RuleSet(str(document.get("name", name)), "", declared, (_BUILT_IN,), phrases)
    return _joined(base, new, [*findings, *faults, *wrong], name)


def _joined(base: RuleSet, new: Sequence[Rule], findings: Sequence[Finding], layer: str) -> RuleSet:
    """Place the rules of a layer and check them; everything that is wrong is said at once."""
    start = sum(rule.layer == _BUILT_IN for rule in base.rules)
    table, faults = placed(base.rules, new, start)
    layers = tuple(dict.fromkeys((*base.layers, layer)))
    standing = [rule for rule in table if any(rule is other for other in new)]
    faults += lint_rows(table, layers, standing)
    found = sorted((*findings, *faults), key=lambda finding: finding.line or 0)
    if found:
        count = "" if len(found) == 1 else f"{len(found)} findings in the rules:\n"
        raise ParameterError(count + "\n".join(map(str, found)))
    return RuleSet(base.name, _hash(table), tuple(table), layers, base.phrases)


def _hash(rules: Sequence[Rule]) -> str:
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
        counterexamples=({"code": f"NO_{kind.value}"},),
        layer=_BUILT_IN,
    )
    for kind in ErrorKind
    if kind is not ErrorKind.UNKNOWN  # a service that says "unknown" says nothing; its status may
)
