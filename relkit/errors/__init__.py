"""What failed, and whether it may be retried.

`classify` reads the signals of a failure (class name, status, codes, text), of a live exception or of a row, and answers
with a kind, a retry decision and the rule that made it. It imports none of the libraries that raise errors, and never
raises itself.
"""

from relkit.errors.classifier import (
    Classification,
    classify,
    fallback_strategy,
    should_alert,
    should_retry,
    signals_of,
    user_message,
)
from relkit.errors.context import Cause, ErrorContext, error_context
from relkit.errors.counts import (
    FingerprintCount,
    FingerprintCounts,
    KindCount,
    answers_of,
    biggest_cause,
    kind_counts,
    kind_hours,
    verdict,
)
from relkit.errors.evaluation.confusion import Confusion, Label, confusion_of, labelled
from relkit.errors.evaluation.coverage import Coverage, NextRule, RuleUse, coverage_of, next_rules, rule_uses
from relkit.errors.evaluation.diff import Change, RulesDiff, compare_rules
from relkit.errors.evaluation.evaluate import Evaluation, Rivalry, evaluate, rival
from relkit.errors.evaluation.habits import SdkHabit, sdk_habits
from relkit.errors.evaluation.misjudged import Cost, cost_of_mistakes
from relkit.errors.evaluation.retryability import (
    WAIT_EDGES_US,
    WORTH_RETRYING,
    Agreement,
    NextTries,
    NextTry,
    Retryability,
    contradicted,
    contradiction_text,
    retryability_of,
    wait_label,
)
from relkit.errors.kinds import ADVICE, GOOD_KINDS, Advice, ErrorKind
from relkit.errors.redact import PATTERNS, PREFILTER, Pattern, is_secret_key, redact_text
from relkit.errors.rules import RuleSet, load_rules
from relkit.errors.rules.plan import plan_rules
from relkit.errors.rules.rule import Condition, Rule
from relkit.errors.signals import SIGNAL_FIELDS, Signals, clean_message, fingerprint, read_signals

__all__ = [
    "ADVICE",
    "GOOD_KINDS",
    "PATTERNS",
    "PREFILTER",
    "SIGNAL_FIELDS",
    "WAIT_EDGES_US",
    "WORTH_RETRYING",
    "Advice",
    "Agreement",
    "Cause",
    "Change",
    "Classification",
    "Condition",
    "Confusion",
    "Cost",
    "Coverage",
    "ErrorContext",
    "ErrorKind",
    "Evaluation",
    "FingerprintCount",
    "FingerprintCounts",
    "KindCount",
    "Label",
    "NextRule",
    "NextTries",
    "NextTry",
    "Pattern",
    "Retryability",
    "Rivalry",
    "Rule",
    "RuleSet",
    "RuleUse",
    "RulesDiff",
    "SdkHabit",
    "Signals",
    "answers_of",
    "biggest_cause",
    "classify",
    "clean_message",
    "compare_rules",
    "confusion_of",
    "contradicted",
    "contradiction_text",
    "cost_of_mistakes",
    "coverage_of",
    "error_context",
    "evaluate",
    "fallback_strategy",
    "fingerprint",
    "is_secret_key",
    "kind_counts",
    "kind_hours",
    "labelled",
    "load_rules",
    "next_rules",
    "plan_rules",
    "read_signals",
    "redact_text",
    "retryability_of",
    "rival",
    "rule_uses",
    "sdk_habits",
    "should_alert",
    "should_retry",
    "signals_of",
    "user_message",
    "verdict",
    "wait_label",
]
