"""How well a table of rules knows the errors of a log: which signal decided, which rules fire, which to write next.

Everything here works on distinct errors with their counts: each is classified once, however often it came.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from relkit.errors.classifier import Classification
from relkit.errors.counts import FingerprintCount, FingerprintCounts, answers_of
from relkit.errors.kinds import ErrorKind
from relkit.errors.rules import Condition, Rule, RuleSet, load_rules
from relkit.errors.signals import Signals
from relkit.prices import Money, Price, money_of

Answers: TypeAlias = Mapping[int, Classification]
# Strongest first: what a rule of the table looks at, and the fields in which it looks.
SIGNALS: Final[Mapping[str, tuple[str, ...]]] = {
    "declared": (),
    "code": ("code", "body_type"),
    "database, gRPC": ("sqlstate", "db_code", "grpc_code"),
    "status": ("status",),
    "errno": ("errno",),
    "class": ("exception_type",),
    "words": ("message",),
    "none": (),
}
# Class names that say nothing of what happened: a rule on one of them would catch all sorts of errors.
_VAGUE: Final = frozenset(
    {
        "Error", "Exception", "BaseException", "RuntimeError", "OSError", "IOError", "APIError", "ApiError", "HTTPError",
        "HttpError", "ClientError", "ServiceError", "UnknownError", "InternalError",
    }
)  # fmt: skip
_PHRASE_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many errors one signal decided.

    Parameters
    ----------
    signal : str
        One of `SIGNALS`; "none" where no rule matched.
    fingerprints, attempts : int
        Distinct errors and failed attempts.
    share : float
        Share of all failed attempts, in [0, 1].
    refined_by_words : int
        Attempts of which the deciding rule also asks for words of the message.
    """

    signal: str
    fingerprints: int
    attempts: int
    share: float
    refined_by_words: int


@dataclass(frozen=True, slots=True)
class RuleUse:
    """How often one rule decided.

    Parameters
    ----------
    rule : str
        Its id.
    kind : ErrorKind
        Its answer.
    fingerprints, attempts : int
        Distinct errors and failed attempts; 0 for a rule that never fired.
    last_ts_us : int or None
        When it last fired, microseconds since 1970 UTC; None if never, or in a log without a clock.
    """

    rule: str
    kind: ErrorKind
    fingerprints: int
    attempts: int
    last_ts_us: int | None = None


@dataclass(frozen=True, slots=True)
class NextRule:
    """Errors that no rule knows, and the condition that would catch them.

    Parameters
    ----------
    when : str
        Condition of the draft, as it would stand in the table of rules; empty where the error says nothing to go by.
    signals : Signals
        The commonest of these errors.
    fingerprints, attempts, requests : int
        Distinct errors, failed attempts and requests lost.
    money : Money
        What these attempts cost.
    """

    when: str
    signals: Signals
    fingerprints: int
    attempts: int
    requests: int
    money: Money


def deciding_signal(rule: Rule | None, signals: Signals) -> str:
    """Name the strongest signal that a rule decided by, in the order of `SIGNALS`.

    >>> found = load_rules().first(Signals(status=404))
    >>> deciding_signal(found and found[0], Signals(status=404)), deciding_signal(None, Signals())
    ('status', 'none')
    """
    if rule is None or not rule.when:  # a rule that always holds looks at nothing
        return "none"
    if rule.id.startswith("declared."):
        return "declared"
    seen = {field for condition in rule.when for field in _passing(condition, signals)}
    return next((name for name, fields in SIGNALS.items() if seen.intersection(fields)), "words")


def _passing(condition: Condition, signals: Signals) -> list[str]:
    return [field for field in condition.fields if replace(condition, fields=(field,)).find(signals) is not None]


def coverage_of(
    counts: FingerprintCounts, rules: RuleSet | None = None, answers: Answers | None = None
) -> tuple[Coverage, ...]:
    """Count errors by the signal that decided them.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    rules : RuleSet or None
        Table of rules; None for relkit's own.
    answers : mapping of int to Classification, optional
        Its answers for each fingerprint, where they are made already.

    Returns
    -------
    tuple of Coverage
        In the order of `SIGNALS`, signals that decided nothing left out. A rule with several conditions goes by its
        strongest; those that only words decided are fragile, because wording changes without notice.

    Examples
    --------
    >>> seen = FingerprintCounts((FingerprintCount(1, Signals(status=500), 3, 1), FingerprintCount(2, Signals(), 1, 1)))
    >>> [(row.signal, row.share) for row in coverage_of(seen)]
    [('status', 0.75), ('none', 0.25)]
    """
    table = load_rules() if rules is None else rules
    known = answers_of(counts, table) if answers is None else answers
    by_id = {rule.id: rule for rule in table.rules}
    total = counts.failed_attempts
    cells = {name: [0, 0, 0] for name in SIGNALS}
    for row in counts.rows:
        rule = by_id.get(known[row.fp].rule)
        signal = deciding_signal(rule, row.signals)
        cell = cells[signal]
        cell[0] += 1
        cell[1] += row.failed_attempts
        if rule is not None and signal != "words" and any(set(test.fields) == {"message"} for test in rule.when):
            cell[2] += row.failed_attempts
    return tuple(
        Coverage(name, fps, attempts, attempts / total if total else 0.0, refined)
        for name, (fps, attempts, refined) in cells.items()
        if fps
    )


def rule_uses(
    counts: FingerprintCounts, rules: RuleSet | None = None, answers: Answers | None = None
) -> tuple[RuleUse, ...]:
    """Count how often each rule of the table decided, those that never did included.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    rules : RuleSet or None
        Table of rules; None for relkit's own.
    answers : mapping of int to Classification, optional
        Its answers for each fingerprint, where they are made already.

    Returns
    -------
    tuple of RuleUse
        Most attempts first, then in the order of the table. The 25 rules on declared kinds are left out where they never
        fired: they are no entries of a table.

    Examples
    --------
    >>> rule_uses(FingerprintCounts((FingerprintCount(1, Signals(status=404), 3, 1),)))[0].rule
    'status.not_found'
    """
    table = load_rules() if rules is None else rules
    known = answers_of(counts, table) if answers is None else answers
    fired: dict[str, list[FingerprintCount]] = {}
    for row in counts.rows:
        fired.setdefault(known[row.fp].rule, []).append(row)
    uses = []
    for rule in table.rules:
        rows = fired.get(rule.id, [])
        if rows or not rule.id.startswith("declared."):
            last = max((row.last_ts_us for row in rows if row.last_ts_us is not None), default=None)
            uses.append(RuleUse(rule.id, rule.kind, len(rows), sum(row.failed_attempts for row in rows), last))
    return tuple(sorted(uses, key=lambda use: -use.attempts))


def next_rules(
    counts: FingerprintCounts,
    rules: RuleSet | None = None,
    prices: Mapping[str, Price] | None = None,
    answers: Answers | None = None,
) -> tuple[NextRule, ...]:
    """Rank the rules that nobody has written yet by what they would explain.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    rules : RuleSet or None
        Table of rules; None for relkit's own.
    prices : mapping of str to Price, optional
        Model to price.
    answers : mapping of int to Classification, optional
        Answers of the rules for each fingerprint, where they are made already.

    Returns
    -------
    tuple of NextRule
        Unknown errors that one condition would catch together: by money where it is known, then by attempts, downwards.
        The condition is the most telling signal: a code, else a class name that is not vague, else a status, else the
        beginning of the message.

    Examples
    --------
    >>> seen = FingerprintCounts((FingerprintCount(1, Signals(exception_type="WorkerExit", message="gone"), 3, 1),))
    >>> next_rules(seen)[0].when
    'exception_type = "WorkerExit"'
    """
    known = answers_of(counts, rules) if answers is None else answers
    groups: dict[str, list[FingerprintCount]] = {}
    for row in counts.rows:
        if known[row.fp].kind is ErrorKind.UNKNOWN:
            groups.setdefault(draft_condition(row.signals), []).append(row)
    found = []
    for when, rows in groups.items():
        lead = max(rows, key=lambda row: row.failed_attempts)
        money = money_of((use for row in rows for use in row.uses), prices or {})
        attempts = sum(row.failed_attempts for row in rows)
        requests = sum(row.failed_requests for row in rows)
        found.append(NextRule(when, lead.signals, len(rows), attempts, requests, money))
    return tuple(sorted(found, key=lambda rule: (-(rule.money.usd or 0.0), -rule.attempts, rule.when)))


def draft_condition(signals: Signals) -> str:
    """Write the condition that would catch an error and its like; empty where it says nothing to go by.

    >>> draft_condition(Signals(exception_type="Error", message="E#: unexpected state #"))
    "message = { re = '^E#: unexpected state #' }"
    """
    for field in ("code", "body_type", "sqlstate", "db_code", "grpc_code", "exception_type", "status", "errno"):
        value = getattr(signals, field)
        if value is None or value in _VAGUE:
            continue
        return f"{field} = {value}" if isinstance(value, int) else f'{field} = "{_toml(value)}"'
    if signals.message is None:
        return ""
    phrase = signals.message[:_PHRASE_CHARACTERS].partition("'")[0].rstrip()
    escaped = re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", phrase)
    return f"message = {{ re = '^{escaped}' }}" if phrase else ""


def _toml(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
