"""What failed, and whether it may be retried.

`classify` reads the signals of a failure (class name, status, codes, text) and answers with a kind, a retry decision
and the rule that made it. It imports none of the libraries that raise errors, and never raises on a row.
"""

from relkit.errors.classifier import Classification, classify
from relkit.errors.counts import (
    FingerprintCount,
    FingerprintCounts,
    KindCount,
    biggest_cause,
    kind_counts,
    verdict,
)
from relkit.errors.kinds import ADVICE, Advice, ErrorKind
from relkit.errors.redact import PATTERNS, PREFILTER, Pattern, is_secret_key, redact_text
from relkit.errors.rules import Condition, Rule, RuleSet, load_rules
from relkit.errors.signals import SIGNAL_FIELDS, Signals, clean_message, fingerprint, read_signals

__all__ = [
    "ADVICE",
    "PATTERNS",
    "PREFILTER",
    "SIGNAL_FIELDS",
    "Advice",
    "Classification",
    "Condition",
    "ErrorKind",
    "FingerprintCount",
    "FingerprintCounts",
    "KindCount",
    "Pattern",
    "Rule",
    "RuleSet",
    "Signals",
    "biggest_cause",
    "classify",
    "clean_message",
    "fingerprint",
    "is_secret_key",
    "kind_counts",
    "load_rules",
    "read_signals",
    "redact_text",
    "verdict",
]
