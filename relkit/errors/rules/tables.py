"""From tables, as TOML or a notebook gives them, to rules; everything that is wrong is found, with its line."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from relkit.errors.kinds import ErrorKind
from relkit.errors.rules.common_regex import fault_of
from relkit.errors.rules.rule import ALWAYS, Condition, Rule, ascii_lower
from relkit.errors.signals import SIGNAL_FIELDS

OVERRIDES: Final[Mapping[str, type]] = {
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
_NUMBERS: Final = frozenset({"status", "errno"})
_KEYS: Final = ("id", "kind", "when", "override", "source", "examples", "counterexamples", "before", "after", "expires")
_CONDITION: Final = (
    "a value, a list of values, { re = ... }, { phrase = ... } or, for numbers, { between = [low, high] }"
)
_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*rule[ \t]*\]\]", re.MULTILINE)
_OTHER_HEADER: Final = re.compile(r"^[ \t]*\[\[?[ \t]*(?!rule[ \t]*\.)[\"'A-Za-z]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth a look, in a table of rules.

    Parameters
    ----------
    layer : str
        The file, or the notebook.
    line : int or None
        Line of the file, from 1; None where there is no file.
    rule : str
        Id of the rule; empty where it has none.
    text : str
        What is wrong, and what to do.

    Examples
    --------
    >>> print(Finding("relkit.toml", 12, "mine", "kind is missing"))
    relkit.toml, line 12, rule mine: kind is missing
    """

    layer: str
    line: int | None
    rule: str
    text: str

    def __str__(self) -> str:
        parts = [self.layer, f"line {self.line}" if self.line else "", f"rule {self.rule}" if self.rule else ""]
        return f"{', '.join(part for part in parts if part)}: {self.text}"


@dataclass(frozen=True, slots=True)
class Layer:
    """Where a table of rules was written, so that a finding can name the line.

    Parameters
    ----------
    name : str
        The file, or the notebook.
    text : str
        The TOML; empty where the tables came from Python.

    Examples
    --------
    >>> Layer("mine.toml", '[[rule]]\\nid = "x"\\nkind = "UNKNOWN"').line(0, "kind")
    3
    """

    name: str
    text: str = ""

    def line(self, number: int, key: str = "id") -> int | None:
        """Return the line of a key of the rule with this number (from 0), or of its id, or the line its table begins at."""
        starts = _starts(self.text)
        if number >= len(starts):
            return None
        after = _OTHER_HEADER.search(self.text, starts[number] + len("[[rule"))
        end = after.start() if after else len(self.text)
        return (
            self._find(key, starts[number], end) or self._find("id", starts[number], end) or self._count(starts[number])
        )

    def line_of_key(self, key: str) -> int | None:
        """Return the line of a key that stands in front of the rules."""
        return self._find(key, 0, next(iter(_starts(self.text)), len(self.text)))

    def _find(self, key: str, start: int, end: int) -> int | None:
        name = re.escape(key)
        pattern = rf"^[ \t]*(?:[\"']?{name}[\"']?[ \t]*[=.]|\[[ \t]*rule[ \t]*\.[ \t]*{name}[ \t]*\])"
        found = re.compile(pattern, re.MULTILINE).search(self.text, start, end)
        return self._count(found.start()) if found else None

    def _count(self, place: int) -> int:
        return self.text.count("\n", 0, place) + 1


@cache
def _starts(text: str) -> tuple[int, ...]:
    return tuple(found.start() for found in _HEADER.finditer(text))


def read_phrases(given: object, layer: Layer) -> tuple[dict[str, str], list[Finding]]:
    """Read the named regexes; those with a fault are left out and found."""
    if not isinstance(given, Mapping):
        return {}, [Finding(layer.name, layer.line_of_key("phrases"), "", "[phrases] is a table of name = 'regex'")]
    phrases, findings = {}, []
    for name, regex in given.items():
        fault = fault_of(regex) if isinstance(regex, str) else "write the regex between quotes"
        if fault:
            findings.append(Finding(layer.name, layer.line_of_key(name), "", f"phrase {name}: {fault}"))
        else:
            phrases[name] = regex
    return phrases, findings


def read_rules(tables: Sequence[object], phrases: Mapping[str, str], layer: Layer) -> tuple[list[Rule], list[Finding]]:
    """Read each table as a rule.

    Parameters
    ----------
    tables : sequence of mapping
        One a rule, with the keys id, kind, when, and any of override, source, examples, counterexamples, before,
        after, expires.
    phrases : mapping of str to str
        Named regexes.
    layer : Layer
        Where they were written.

    Returns
    -------
    (list of Rule, list of Finding)
        The rules that can be read, and what is wrong in the others.
    """
    rules, findings = [], []
    for number, table in enumerate(tables):
        reader = _Reader(table if isinstance(table, Mapping) else {}, phrases, layer, number)
        rule = reader.rule()
        findings += reader.findings
        if rule is not None:
            rules.append(rule)
    return rules, findings


def suggestion(word: object, known: Sequence[str]) -> str:
    """Say which of the known words was meant, or which there are.

    >>> suggestion("statuss", ["status", "code"])
    'did you mean status?'
    """
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.65)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


class _Reader:
    """Reads one table and keeps what is wrong in it."""

    def __init__(self, table: Mapping[str, Any], phrases: Mapping[str, str], layer: Layer, number: int) -> None:
        self.table, self.phrases, self.layer, self.number = table, phrases, layer, number
        name = table.get("id")
        self.id = name if isinstance(name, str) and name else ""
        self.findings: list[Finding] = []

    def find(self, key: str, text: str) -> None:
        name = self.id or f"number {self.number + 1}"
        self.findings.append(Finding(self.layer.name, self.layer.line(self.number, key), name, text))

    def rule(self) -> Rule | None:
        for key in self.table:
            if key not in _KEYS:
                self.find(str(key), f"unknown key {key}; {suggestion(key, _KEYS)}")
        if not self.id:
            self.find("id", "the rule has no id; give it a text of its own, which stands in every answer")
        kind = self.table.get("kind")
        if not isinstance(kind, str) or kind not in ErrorKind.__members__:
            self.find("kind", f"unknown kind {kind!r}; {suggestion(kind, list(ErrorKind.__members__))}")
        when, override = self._when(), self._override()
        rows = {key: self._rows(key, must) for key, must in (("examples", "must"), ("counterexamples", "must not"))}
        before, after, expires = self._ids("before"), self._ids("after"), self._expires()
        if self.findings:
            return None
        return Rule(
            id=self.id,
            kind=ErrorKind(str(kind)),
            when=when,
            override=override,
            source=str(self.table.get("source", "")),
            before=before,
            after=after,
            expires=expires,
            layer=self.layer.name,
            line=self.layer.line(self.number),
            **rows,
        )

    def _when(self) -> tuple[Condition, ...]:
        when = self.table.get("when")
        if when == ALWAYS:
            return ()
        if not isinstance(when, Mapping) or not when:
            self.find("when", 'when is a table with at least one condition, or "always"')
            return ()
        conditions = (self._condition(str(key), test) for key, test in when.items())
        return tuple(condition for condition in conditions if condition)

    def _condition(self, key: str, test: object) -> Condition | None:
        fields = tuple(key.split("|"))
        unknown = [field for field in fields if field not in SIGNAL_FIELDS]
        for field in unknown:
            self.find("when", f"when: no signal is called {field!r}; {suggestion(field, SIGNAL_FIELDS)}")
        match test:
            case {"re": str(regex), **rest} if not rest:
                return self._searched(fields, regex)
            case {"phrase": str(phrase), **rest} if not rest:
                return self._phrased(fields, phrase)
            case {"between": [int(low), int(high)], **rest} if not rest and set(fields) <= _NUMBERS and low <= high:
                return Condition(fields, "between", low=low, high=high)
        values = test if isinstance(test, (list, tuple)) else [test]
        if not values or any(not isinstance(value, (str, int)) or isinstance(value, bool) for value in values):
            self.find("when", f"when.{key} = {test!r} is not acceptable: allowed is {_CONDITION}")
        return Condition(fields, "in", tuple(ascii_lower(str(value)) for value in values))

    def _phrased(self, fields: tuple[str, ...], phrase: str) -> Condition | None:
        if phrase in self.phrases:
            return Condition(fields, "re", regex=self.phrases[phrase])
        self.find("when", f"no phrase is called {phrase!r}; {suggestion(phrase, list(self.phrases))}")
        return None

    def _searched(self, fields: tuple[str, ...], regex: str) -> Condition | None:
        fault = fault_of(regex)
        if fault is None:
            return Condition(fields, "re", regex=regex)
        self.find("when", f"regex {regex!r}: Python and RE2 do not share it; {fault}")
        return None

    def _override(self) -> tuple[tuple[str, Any], ...]:
        given = self.table.get("override", {})
        if not isinstance(given, Mapping):
            self.find("override", f"override is a table of advice; known are {', '.join(OVERRIDES)}")
            return ()
        for key, value in given.items():
            if key not in OVERRIDES:
                self.find("override", f"override: unknown key {key}; {suggestion(key, list(OVERRIDES))}")
                continue
            kind = OVERRIDES[key]
            is_right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
            if not is_right or value not in _CHOICES.get(key, (value,)):
                allowed = ", ".join(map(str, _CHOICES[key])) if key in _CHOICES else f"a {kind.__name__}"
                self.find("override", f"override.{key} = {value!r} is not acceptable: allowed is {allowed}")
        return tuple(sorted(given.items()))

    def _rows(self, key: str, must: str) -> tuple[Mapping[str, object], ...]:
        rows = self.table.get(key, ())
        if not isinstance(rows, (list, tuple)) or not all(isinstance(row, Mapping) for row in rows):
            self.find(key, f"{key} is a list of tables, each with signals such as status = 503")
            return ()
        for name in sorted({name for row in rows for name in row} - set(SIGNAL_FIELDS)):
            self.find(key, f"{key}: no signal is called {name!r}; {suggestion(name, SIGNAL_FIELDS)}")
        if not rows and not (must == "must not" and self.table.get("when") == ALWAYS):
            self.find(key, f"the rule has no {key}: give at least one row that {must} match")
        return tuple(rows)

    def _ids(self, key: str) -> tuple[str, ...]:
        given = self.table.get(key, ())
        ids = [given] if isinstance(given, str) else given
        if isinstance(ids, (list, tuple)) and all(isinstance(name, str) for name in ids):
            return tuple(ids)
        self.find(key, f"{key} is the id of a rule, or a list of ids")
        return ()

    def _expires(self) -> date | None:
        given = self.table.get("expires")
        if isinstance(given, str):
            try:
                given = date.fromisoformat(given)
            except ValueError:
                given = False
        if given is None or (isinstance(given, date) and not isinstance(given, datetime)):
            return given
        self.find("expires", "expires is a day such as 2027-06-30")
        return None
