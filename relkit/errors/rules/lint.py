"""Whether each rule of a table decides what it was written for, and which rules want another look."""

from collections.abc import Sequence
from datetime import date

from relkit.errors.rules.rule import Rule
from relkit.errors.rules.tables import Finding
from relkit.errors.signals import SIGNAL_FIELDS, Signals, read_signals


def lint_rows(table: Sequence[Rule], layers: Sequence[str], checked: Sequence[Rule]) -> list[Finding]:
    """Check that rules win their examples and leave their counterexamples alone.

    A rule whose examples are all taken by earlier rules is shadowed: it never decides what it was written for. Rules
    of a later layer may take what they like from earlier ones, so they count here for nothing; see `overridden`.

    Parameters
    ----------
    table : sequence of Rule
        All rules in order.
    layers : sequence of str
        The layers, the earliest first.
    checked : sequence of Rule
        The rules to check.

    Returns
    -------
    list of Finding
        What is wrong.
    """
    findings = []
    for rule in checked:
        rivals = frozenset(layers[: layers.index(rule.layer) + 1])
        rows = [read_signals(row) for row in rule.examples]
        missed = [(number, signals) for number, signals in enumerate(rows, 1) if rule.match(signals) is None]
        findings += [
            finding_of(rule, f"example {number} does not match; {_seen(signals)}") for number, signals in missed
        ]
        if not missed:
            findings += _shadows(rule, _takers(table, rule, rows, rivals))
        for number, row in enumerate(rule.counterexamples, 1):
            if rule.match(read_signals(row)) is not None:
                findings.append(finding_of(rule, f"counterexample {number} matches; narrow the condition"))
    return findings


def overridden(table: Sequence[Rule], layers: Sequence[str]) -> list[Finding]:
    """Find the rules of earlier layers that later layers leave nothing of what they were written for."""
    findings = []
    for rule in table:
        if rule.layer == layers[-1]:
            continue
        takers = _takers(table, rule, [read_signals(row) for row in rule.examples], frozenset(layers))
        if takers and all(other is not None and other.layer != rule.layer for other in takers):
            by = ", ".join(sorted({f"{other.id} ({other.layer})" for other in takers if other}))
            findings.append(finding_of(rule, f"overridden: all its examples are taken by {by}"))
    return findings


def expired(table: Sequence[Rule], as_of: date) -> list[Finding]:
    """Find the rules whose day has come; they go on deciding, because an answer must not change with the calendar."""
    return [
        finding_of(
            rule, f"expired on {rule.expires}: see whether the words still come, then move expires or drop the rule"
        )
        for rule in table
        if rule.expires is not None and rule.expires <= as_of
    ]


def finding_of(rule: Rule, text: str) -> Finding:
    """Say something about a rule, with its place."""
    return Finding(rule.layer, rule.line, rule.id, text)


def _takers(table: Sequence[Rule], rule: Rule, rows: Sequence[Signals], rivals: frozenset[str]) -> list[Rule | None]:
    """Return for each row the rule of these layers that takes it away, or None where the rule itself wins."""
    found: list[Rule | None] = []
    for signals in rows:
        winner = next(
            other for other in table if other is rule or (other.layer in rivals and other.match(signals) is not None)
        )
        found.append(None if winner is rule else winner)
    return found


def _shadows(rule: Rule, takers: Sequence[Rule | None]) -> list[Finding]:
    by = ", ".join(sorted({other.id for other in takers if other is not None}))
    if by and None not in takers:
        text = f"shadowed: its examples are all taken by {by}, which stands earlier; move it with before, or drop it"
        return [finding_of(rule, text)]
    return [
        finding_of(rule, f"example {number} is taken by {other.id}, which stands earlier; give it to that rule")
        for number, other in enumerate(takers, 1)
        if other is not None
    ]


def _seen(signals: Signals) -> str:
    """Say what the example's fields became, and how a condition looks at them."""
    told = ", ".join(f"{name} = {value!r}" for name in SIGNAL_FIELDS if (value := getattr(signals, name)) is not None)
    return (
        f"it was read as {told or 'nothing'} (digits of a message become #); a plain text must be the whole field, "
        "{ re = '...' } finds a part of it"
    )
