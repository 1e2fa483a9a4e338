"""From counts of equal errors to the biggest cause, and to how much of the trouble the rules do not know.

The store counts; a classification is made once per fingerprint, not once per row.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from relkit.errors.classifier import Classification, classify
from relkit.errors.kinds import ErrorKind
from relkit.errors.rules import RuleSet, load_rules
from relkit.errors.signals import Signals
from relkit.exceptions import DataError, ParameterError
from relkit.intervals import wilson
from relkit.prices import Use
from relkit.units import US_PER_HOUR, count, percent, several
from relkit.verdict import Verdict


@dataclass(frozen=True, slots=True)
class FingerprintCount:
    """How often one error was seen.

    Parameters
    ----------
    fp : int
        Fingerprint of the signals.
    signals : Signals
        The signals themselves.
    failed_attempts : int
        Attempts that failed so.
    failed_requests : int
        Requests whose outcome is this failure.
    first_ts_us, last_ts_us : int or None
        First and last time seen, microseconds since 1970 UTC; None in a log without a clock.
    uses : tuple of Use
        What these attempts used, by service and model; empty where nobody added it up.
    hours : tuple of (int, int)
        Hours since 1970 UTC in which attempts ended, ascending, and how many; without those that have no time.
    """

    fp: int
    signals: Signals
    failed_attempts: int
    failed_requests: int
    first_ts_us: int | None = None
    last_ts_us: int | None = None
    uses: tuple[Use, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for name in ("failed_attempts", "failed_requests"):
            if getattr(self, name) < 0:
                raise DataError(f"fingerprint {self.fp}: {name} = {getattr(self, name)} is below 0; count again")


@dataclass(frozen=True, slots=True)
class FingerprintCounts:
    """All errors of a span of time, one row per fingerprint.

    Parameters
    ----------
    rows : tuple of FingerprintCount
        Most frequent first.
    told : int or None
        Attempts whose outcome is told, good ones included; None where nobody counted them.

    >>> FingerprintCounts((FingerprintCount(1, Signals(status=500), 3, 1),)).failed_attempts
    3
    """

    rows: tuple[FingerprintCount, ...] = ()
    told: int | None = None

    @property
    def failed_attempts(self) -> int:
        """Sum of the failed attempts."""
        return sum(row.failed_attempts for row in self.rows)


@dataclass(frozen=True, slots=True)
class KindCount:
    """How often one kind of error was seen.

    Parameters
    ----------
    kind : ErrorKind
        The kind.
    attempts, requests : int
        Failed attempts, and requests that ended so.
    share : float
        Share of all failed attempts, in [0, 1].
    retryable : bool
        Whether at least half of these attempts may be retried (a rule may differ from its kind).
    alert : bool
        Whether any of them asks for a person.
    services : tuple of (str or None, int)
        Services that the attempts called, and how many each; most attempts first, None where the log does not say.
    """

    kind: ErrorKind
    attempts: int
    requests: int
    share: float
    retryable: bool
    alert: bool
    services: tuple[tuple[str | None, int], ...] = ()


def answers_of(counts: FingerprintCounts, rules: RuleSet | None = None) -> dict[int, Classification]:
    """Classify each distinct error once.

    >>> answers_of(FingerprintCounts((FingerprintCount(7, Signals(status=404), 1, 1),)))[7].kind.value
    'API_NOT_FOUND'
    """
    table = load_rules() if rules is None else rules
    return {row.fp: classify(row.signals, table) for row in counts.rows}


def kind_counts(
    counts: FingerprintCounts, rules: RuleSet | None = None, answers: Mapping[int, Classification] | None = None
) -> tuple[KindCount, ...]:
    """Count failed attempts and requests per kind, the most frequent first.

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
    tuple of KindCount
        Ordered by attempts, downwards, then by name; kinds with no attempt and no request are left out.

    Examples
    --------
    >>> seen = FingerprintCounts((FingerprintCount(1, Signals(status=500), 3, 1), FingerprintCount(2, Signals(), 1, 1)))
    >>> [(row.kind.value, row.share) for row in kind_counts(seen)]
    [('API_SERVER_ERROR', 0.75), ('UNKNOWN', 0.25)]
    """
    known = answers_of(counts, rules) if answers is None else answers
    groups: dict[ErrorKind, list[tuple[FingerprintCount, Classification]]] = {}
    for row in counts.rows:
        answer = known[row.fp]
        groups.setdefault(answer.kind, []).append((row, answer))
    total = counts.failed_attempts
    found = []
    for kind, members in groups.items():
        attempts = sum(row.failed_attempts for row, _ in members)
        requests = sum(row.failed_requests for row, _ in members)
        if attempts == 0 and requests == 0:
            continue
        may = sum(row.failed_attempts for row, answer in members if answer.retryable)
        share = attempts / total if total else 0.0
        alert = any(answer.alert for _, answer in members)
        services: Counter[str | None] = Counter()
        for row, _ in members:
            for use in row.uses:
                services[use.service] += use.calls
        ranked = tuple(sorted(services.items(), key=lambda item: (-item[1], item[0] or "")))
        found.append(KindCount(kind, attempts, requests, share, attempts > 0 and 2 * may >= attempts, alert, ranked))
    return tuple(sorted(found, key=lambda row: (-row.attempts, row.kind.value)))


def kind_hours(
    counts: FingerprintCounts,
    answers: Mapping[int, Classification],
    start_us: int | None = None,
    end_us: int | None = None,
) -> tuple[int, dict[str, list[int]]]:
    """Spread the failed attempts of each kind over the hours of a span.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    answers : mapping of int to Classification
        Answer for each fingerprint.
    start_us, end_us : int or None
        The span, microseconds since 1970 UTC, end exclusive; None for the hours that hold an attempt.

    Returns
    -------
    (int, dict of str to list of int)
        First hour (hours since 1970 UTC) and, for each kind by name, attempts in each hour from then on. (0, {}) where no
        attempt has a time.

    Examples
    --------
    >>> seen = FingerprintCounts((FingerprintCount(1, Signals(status=500), 3, 1, hours=((7, 1), (9, 2))),))
    >>> kind_hours(seen, {1: classify(Signals(status=500))})
    (7, {'API_SERVER_ERROR': [1, 0, 2]})
    """
    told = [hour for row in counts.rows for hour, _ in row.hours]
    if not told:
        return 0, {}
    first = min(told) if start_us is None else start_us // US_PER_HOUR
    last = max(told) + 1 if end_us is None else -(-end_us // US_PER_HOUR)
    found: dict[str, list[int]] = {}
    for row in counts.rows:
        hours = found.setdefault(answers[row.fp].kind.value, [0] * (last - first)) if row.hours else []
        for hour, attempts in row.hours:
            hours[hour - first] += attempts
    return first, dict(sorted(found.items()))


def biggest_cause(counts: FingerprintCounts, rules: RuleSet | None = None) -> KindCount | None:
    """Return the kind with the most failed attempts, or None when nothing failed.

    >>> biggest_cause(FingerprintCounts()) is None
    True
    """
    return next((row for row in kind_counts(counts, rules) if row.attempts), None)


def verdict(
    counts: FingerprintCounts,
    max_unknown_share: float = 0.05,
    rules: RuleSet | None = None,
    level: float = 0.95,
    answers: Mapping[int, Classification] | None = None,
) -> Verdict:
    """Judge how far the rules explain the errors of this log.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    max_unknown_share : float
        Largest share of failed attempts, in [0, 1], that may stay UNKNOWN.
    rules : RuleSet or None
        Table of rules; None for relkit's own.
    level : float
        Confidence level of the interval, in (0, 1).
    answers : mapping of int to Classification, optional
        Answers of the rules for each fingerprint, where they are made already.

    Returns
    -------
    Verdict
        Area errors: FINE up to the stated share, WARN above; value is the unknown share with its Wilson interval.

    Raises
    ------
    ParameterError
        When a share or level is out of range.

    Examples
    --------
    >>> verdict(FingerprintCounts((FingerprintCount(1, Signals(status=500), 40, 9),))).sentence
    'API_SERVER_ERROR leads with 100 % of 40 failed attempts; the rules know every one of them.'
    """
    if not 0 <= max_unknown_share <= 1:
        raise ParameterError.of("max_unknown_share", max_unknown_share, "0 to 1", "pass a share such as 0.05")
    n = counts.failed_attempts
    if n == 0 and counts.told == 0:
        sentence = "No attempt of this log tells its outcome, so nothing is known of errors."
        return Verdict(
            "errors", "INVALID", sentence, level=level, would_change="A log that tells outcomes or statuses."
        )
    if n == 0:
        among = "" if counts.told is None else f" among {count(counts.told)}"
        return Verdict("errors", "FINE", f"No failed attempt was seen{among}.", level=level, n=counts.told or 0)
    kinds = kind_counts(counts, rules, answers)
    unknown = sum(row.attempts for row in kinds if row.kind is ErrorKind.UNKNOWN)
    share = unknown / n
    low, high = wilson(unknown, n, level)
    lead = kinds[0]
    sentence = (
        f"{lead.kind.value} leads with {percent(lead.share, 0)} of {several(n, 'failed attempt')}; the rules know "
    )
    if unknown == 0:
        sentence += "every one of them."
    else:
        sentence += (
            f"all but {count(unknown)} of them ({percent(share)}, up to {percent(max_unknown_share, 0)} is acceptable)."
        )
    fine = share <= max_unknown_share
    would_change = "" if fine else "Rules for the unknown errors with the most attempts would change this."
    return Verdict(
        "errors", "FINE" if fine else "WARN", sentence, share, low, high, "share", level, n, would_change=would_change
    )
