"""Classify one failure: what it is, whether it may be retried, and which rule says so."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from relkit.errors.kinds import ADVICE, ErrorKind, Fallback, Severity
from relkit.errors.rules import RuleSet, load_rules
from relkit.errors.signals import Signals, read_signals

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
NO_RULE: Final = "none"


@dataclass(frozen=True, slots=True)
class Classification:
    """The answer for one failure.

    Parameters
    ----------
    kind : ErrorKind
        What failed.
    retryable : bool
        Whether the same call, unchanged, may succeed later.
    max_retries : int or None
        0 when not retryable, 1 for "once", None where the retry policy decides.
    retry_after_s : float or None
        Seconds the other side asks us to wait; finite and not negative.
    maybe_executed : bool
        Whether the other side may have changed something all the same: if so, repeat only with an idempotency key.
    severity : str
        low, medium, high or critical.
    alert : bool
        Whether a person must act.
    user_message : str or None
        What to tell the user; None means say nothing.
    fallback : str
        none, next_model, larger_window, truncate, cache or call_api.
    rule : str
        Id of the rule that decided; "none" where no rule knows the error.
    evidence : str
        The signals that rule saw.
    """

    kind: ErrorKind
    retryable: bool
    max_retries: int | None
    retry_after_s: float | None
    maybe_executed: bool
    severity: Severity
    alert: bool
    user_message: str | None
    fallback: Fallback
    rule: str
    evidence: str


def classify(row: Mapping[str, object] | Signals, rules: RuleSet | None = None) -> Classification:
    """Classify one failure; never raises on what a row holds.

    Parameters
    ----------
    row : mapping or Signals
        Any of the fields of `Signals`, and `retry_after_s` (seconds) and `method` (of HTTP: a call that only reads
        has changed nothing, whatever became of it).
    rules : RuleSet or None
        Table of rules; None for relkit's own.

    Returns
    -------
    Classification
        UNKNOWN, not retryable, where no rule matches.

    Examples
    --------
    >>> answer = classify({"status": 429, "code": "insufficient_quota"})
    >>> print(answer.kind, answer.retryable, answer.rule)
    API_QUOTA_EXHAUSTED False code.quota
    """
    table = load_rules() if rules is None else rules
    signals = row if isinstance(row, Signals) else read_signals(row)
    found = table.first(signals)
    if found is None:
        kind, advice, rule, evidence = ErrorKind.UNKNOWN, ADVICE[ErrorKind.UNKNOWN], NO_RULE, "no rule matched"
    else:
        kind, advice, rule, evidence = found[0].kind, found[0].advice, found[0].id, found[1]
    wait_s, only_reads = (None, False) if isinstance(row, Signals) else (_wait_s(row), _only_reads(row))
    return Classification(
        kind=kind,
        retryable=advice.retryable,
        max_retries=advice.max_retries,
        retry_after_s=wait_s,
        maybe_executed=advice.maybe_executed_default and not only_reads,
        severity=advice.severity,
        alert=advice.alert,
        user_message=advice.user_message,
        fallback=advice.fallback,
        rule=rule,
        evidence=evidence,
    )


def _wait_s(row: Mapping[str, object]) -> float | None:
    try:
        value = row.get("retry_after_s")
        if value is None or isinstance(value, bool):
            return None
        wait_s = float(value)  # type: ignore[arg-type]  # whatever does not convert is caught
    except Exception:  # noqa: BLE001 - rows are strangers; an error path that raises hides the error
        return None
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None


def _only_reads(row: Mapping[str, object]) -> bool:
    try:
        method = row.get("method")
    except Exception:  # noqa: BLE001 - see _wait_s
        return False
    return isinstance(method, str) and method.strip().upper() in SAFE_METHODS
