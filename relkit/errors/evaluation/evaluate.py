"""One table of rules held against one log: what it knows, what retries were worth, and what to do next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from relkit.errors.classifier import Classification
from relkit.errors.counts import FingerprintCounts, KindCount, answers_of, kind_counts, verdict
from relkit.errors.evaluation.confusion import Confusion, confusion_of, labelled
from relkit.errors.evaluation.coverage import Coverage, NextRule, RuleUse, coverage_of, next_rules, rule_uses
from relkit.errors.evaluation.diff import RulesDiff, compare_rules
from relkit.errors.evaluation.misjudged import Cost, cost_of_mistakes
from relkit.errors.evaluation.retryability import (
    NextTries,
    Retryability,
    contradicted,
    contradiction_text,
    retryability_of,
)
from relkit.errors.kinds import ErrorKind
from relkit.errors.rules import RuleSet, load_rules
from relkit.prices import Price, Use
from relkit.units import count, several
from relkit.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one table of rules makes of one log.

    Parameters
    ----------
    counts : FingerprintCounts
        The errors.
    answers : mapping of int to Classification
        Answer for each fingerprint.
    kinds : tuple of KindCount
        Kinds, most attempts first.
    coverage : tuple of Coverage
        Which signal decided.
    uses : tuple of RuleUse
        How often each rule decided, those that never did at the end.
    unknown : tuple of NextRule
        Rules to write, the one most worth it first.
    retries, retries_by_wait : tuple of Retryability
        P(success at the next try), by kind, and by kind and wait.
    verdict : Verdict
        Unknown share and biggest cause; the flag that the log contradicts, and the rule to write.
    """

    counts: FingerprintCounts
    answers: Mapping[int, Classification]
    kinds: tuple[KindCount, ...]
    coverage: tuple[Coverage, ...]
    uses: tuple[RuleUse, ...]
    unknown: tuple[NextRule, ...]
    retries: tuple[Retryability, ...]
    retries_by_wait: tuple[Retryability, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Rivalry:
    """What another table of rules would make of the same log.

    Parameters
    ----------
    diff : RulesDiff
        From the other table's answers to ours.
    costs : tuple of Cost
        What the other table's mistakes would have cost, ours (labels before rules) being held right.
    decisions : mapping of str to Confusion
        Name of each table to how it stands against the labels.
    """

    diff: RulesDiff
    costs: tuple[Cost, ...]
    decisions: Mapping[str, Confusion]


def evaluate(
    counts: FingerprintCounts,
    tries: NextTries | None = None,
    rules: RuleSet | None = None,
    prices: Mapping[str, Price] | None = None,
    level: float = 0.95,
    max_unknown_share: float = 0.05,
) -> Evaluation:
    """Hold a table of rules against the errors of a log.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    tries : NextTries or None
        What followed the errors, of the same period; None where nobody counted it.
    rules : RuleSet or None
        Table of rules; None for relkit's own.
    prices : mapping of str to Price, optional
        Model to price.
    level : float
        Confidence level of the intervals, in (0, 1).
    max_unknown_share : float
        Largest share of failed attempts, in [0, 1], that may stay UNKNOWN.

    Returns
    -------
    Evaluation

    Examples
    --------
    >>> from relkit.errors import FingerprintCount, Signals
    >>> evaluate(FingerprintCounts((FingerprintCount(1, Signals(status=500), 40, 9),))).verdict.code
    'FINE'
    """
    table = load_rules() if rules is None else rules
    answers = answers_of(counts, table)
    rows = tries.rows if tries else ()
    unknown = next_rules(counts, table, prices, answers)
    retries = retryability_of(rows, answers, level)
    by_wait = retryability_of(rows, answers, level, by_wait=True)
    said = verdict(counts, max_unknown_share, table, level, answers)
    if against := contradicted(retries):
        said = replace(said, sentence=f"{said.sentence} {contradiction_text(against[0], level)}")
    if unknown and unknown[0].when:
        lost = sum(rule.attempts for rule in unknown)
        told = f"A rule on {unknown[0].when} would name {count(unknown[0].attempts)} of {several(lost, 'unknown attempt')}."
        said = replace(said, would_change=told)
    kinds, covered = kind_counts(counts, table, answers), coverage_of(counts, table, answers)
    return Evaluation(
        counts, answers, kinds, covered, rule_uses(counts, table, answers), unknown, retries, by_wait, said
    )


def rival(
    ours: Evaluation,
    theirs: RuleSet,
    tries: NextTries | None = None,
    calls: Iterable[Use] = (),
    labels: Mapping[int, ErrorKind] | None = None,
    prices: Mapping[str, Price] | None = None,
    level: float = 0.95,
) -> Rivalry:
    """Say what another table of rules would make of the same log, and what its mistakes would have cost.

    Parameters
    ----------
    ours : Evaluation
        The table held to be right where no label says otherwise.
    theirs : RuleSet
        The other table.
    tries : NextTries or None
        What followed the errors, of the same period.
    calls : iterable of Use
        What all calls of the period used.
    labels : mapping of int to ErrorKind, optional
        What people say errors really were.
    prices : mapping of str to Price, optional
        Model to price.
    level : float
        Confidence level of the intervals, in (0, 1).

    Returns
    -------
    Rivalry

    Examples
    --------
    >>> from relkit.errors import FingerprintCount, Signals
    >>> mine = evaluate(FingerprintCounts((FingerprintCount(1, Signals(status=500), 40, 9),)))
    >>> rival(mine, load_rules()).diff.changed_attempts
    0
    """
    known = labels or {}
    other = answers_of(ours.counts, theirs)
    truth = labelled(ours.answers, known)
    return Rivalry(
        compare_rules(ours.counts, other, ours.answers, prices),
        cost_of_mistakes(ours.counts, truth, other, tries or NextTries(), calls, prices),
        {
            "relkit": confusion_of(ours.counts, ours.answers, known, level),
            theirs.name: confusion_of(ours.counts, other, known, level),
        },
    )
