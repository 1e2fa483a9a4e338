"""What wrong answers cost, read from the log and not guessed; where the log does not carry what is needed, it says so.

Two tables of rules answer the same errors: one is held to be right (with labels, where there are some), the other is
priced. A cost is a count of tries, requests or attempts, and seconds or dollars only where the log tells them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relkit.errors.classifier import Classification
from relkit.errors.counts import FingerprintCount, FingerprintCounts
from relkit.errors.evaluation.retryability import WAIT_EDGES_US, NextTries, NextTry
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.prices import Price, Use, money_of
from relkit.units import US_PER_SECOND, count, dollars, duration, percent, several


@dataclass(frozen=True, slots=True)
class Cost:
    """One way to be wrong, and what it costs.

    Parameters
    ----------
    mistake : str
        Which answer stands for which.
    attempts : int
        Failed attempts answered so.
    amount : float or None
        The cost in `unit`; None where the log does not carry what is needed.
    unit : str
        Unit of the amount.
    text : str
        The cost in words, or why there is none.
    """

    mistake: str
    attempts: int
    amount: float | None
    unit: str
    text: str


def cost_of_mistakes(
    counts: FingerprintCounts,
    right: Mapping[int, Classification],
    wrong: Mapping[int, Classification],
    tries: NextTries,
    calls: Iterable[Use] = (),
    prices: Mapping[str, Price] | None = None,
) -> tuple[Cost, ...]:
    """Price the answers of a table of rules by what the log shows.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    right, wrong : mapping of int to Classification
        Answers held to be right, and those to be priced.
    tries : NextTries
        What followed the errors, of the same period.
    calls : iterable of Use
        What all calls of the period used: the mean of the priced ones is what an extra try costs at most.
    prices : mapping of str to Price, optional
        Model to price.

    Returns
    -------
    tuple of Cost
        One for each mistake that was made or cannot be judged, in the order below.

    Notes
    -----
    Permanent called transient: requests lost to it x (most tries of the log - 1) extra tries, each after the mean wait of
    the log's other retries. Transient called permanent: requests that a retry saved in this log, which would be lost.
    Rate limit called generic: retries that waited, at the server's word, longer than the mean wait after other kinds, which
    would come too early. Alert missed: how long the errors lasted. Breaker: attempts counted for another vote.

    Examples
    --------
    >>> from relkit.errors import Signals, classify
    >>> seen = FingerprintCounts((FingerprintCount(1, Signals(status=400), 9, 9),))
    >>> answers = [{1: classify(Signals(status=status))} for status in (400, 500)]
    >>> cost_of_mistakes(seen, *answers, NextTries((), most_tries=3))[0].text
    '18 extra tries, with 3 tries a request as this log makes them; no wait is told; no call is priced'
    """
    found = [
        _permanent_retried(counts, right, wrong, tries, tuple(calls), prices or {}),
        _transient_dropped(counts, right, wrong, tries),
        _limit_as_generic(counts, right, wrong, tries),
        _alert_missed(counts, right, wrong),
        _breaker_misled(counts, right, wrong),
        _maybe_repeated(counts, right, wrong),
    ]
    return tuple(cost for cost in found if cost.attempts)


def _permanent_retried(
    counts: FingerprintCounts,
    right: Mapping[int, Classification],
    wrong: Mapping[int, Classification],
    tries: NextTries,
    calls: tuple[Use, ...],
    prices: Mapping[str, Price],
) -> Cost:
    rows = [row for row in counts.rows if wrong[row.fp].retryable and not right[row.fp].retryable]
    attempts = _attempts(rows)
    mistake = "permanent, called transient"
    if tries.most_tries < 2:
        return Cost(mistake, attempts, None, "tries", "unknown: no request of this log was tried twice")
    extra = sum(row.failed_requests for row in rows) * (tries.most_tries - 1)
    text = (
        f"{several(extra, 'extra try', 'extra tries')}, with {tries.most_tries} tries a request as this log makes them"
    )
    wait_s = _mean_wait_s(row for row in tries.rows if right[row.fp].kind is not ErrorKind.API_RATE_LIMIT)
    text += "; no wait is told" if wait_s is None else f"; {duration(extra * wait_s)} of waiting for users in all"
    # a set, for a log of many services has as many uses as errors x services x models
    places = {(use.service, use.model) for row in rows for use in row.uses}
    usd = money_of((use for use in calls if (use.service, use.model) in places), prices)
    each = usd.usd_per_call
    text += (
        "; no call is priced"
        if each is None
        else f"; at most {dollars(extra * each)} at {dollars(1000 * each)} for 1,000 calls"
    )
    return Cost(mistake, attempts, float(extra), "tries", text)


def _transient_dropped(
    counts: FingerprintCounts,
    right: Mapping[int, Classification],
    wrong: Mapping[int, Classification],
    tries: NextTries,
) -> Cost:
    rows = [row for row in counts.rows if right[row.fp].retryable and not wrong[row.fp].retryable]
    dropped = {row.fp for row in rows}
    followed = [row for row in tries.rows if row.fp in dropped]
    saved, retries = sum(row.successes for row in followed), sum(row.retries for row in followed)
    mistake = "transient, called permanent"
    if not retries:
        return Cost(mistake, _attempts(rows), None, "requests", "unknown: none of them was retried in this log")
    text = f"{several(saved, 'request')} lost that a retry saved ({percent(saved / retries, 0)} of {several(retries, 'retry', 'retries')} helped)"
    return Cost(mistake, _attempts(rows), float(saved), "requests", text)


def _limit_as_generic(
    counts: FingerprintCounts,
    right: Mapping[int, Classification],
    wrong: Mapping[int, Classification],
    tries: NextTries,
) -> Cost:
    limit = ErrorKind.API_RATE_LIMIT
    rows = [
        row
        for row in counts.rows
        if right[row.fp].kind is limit and wrong[row.fp].kind is not limit and wrong[row.fp].retryable
    ]
    mistake = "rate limit, called something else to retry"
    generic_s = _mean_wait_s(row for row in tries.rows if right[row.fp].kind is not limit)
    limited = {row.fp for row in rows}
    asked = [row for row in tries.rows if row.fp in limited and row.asked and row.wait is not None]
    if generic_s is None or not asked:
        why = "unknown: the log does not tell how long the server asked to wait, or how long others waited"
        return Cost(mistake, _attempts(rows), None, "tries", why)
    early = sum(row.asked for row in asked if _longer_than(row, generic_s))
    told = sum(row.asked for row in asked)
    text = f"at least {count(early)} of {several(told, 'retry', 'retries')} would come before the server's time, after {duration(generic_s)} like the others"
    return Cost(mistake, _attempts(rows), float(early), "tries", text)


def _alert_missed(
    counts: FingerprintCounts, right: Mapping[int, Classification], wrong: Mapping[int, Classification]
) -> Cost:
    rows = [row for row in counts.rows if right[row.fp].alert and not wrong[row.fp].alert]
    spans = [
        row.last_ts_us - row.first_ts_us for row in rows if row.first_ts_us is not None and row.last_ts_us is not None
    ]
    text = "nobody is told; the log has no clock to say for how long"
    if spans:
        text = f"nobody is told of errors that came over {duration(max(spans) / US_PER_SECOND)}; when a person looked is in no log"
    return Cost("needs a person, called without alert", _attempts(rows), None, "minutes", text)


def _breaker_misled(
    counts: FingerprintCounts, right: Mapping[int, Classification], wrong: Mapping[int, Classification]
) -> Cost:
    votes = [(ADVICE[right[row.fp].kind].breaker, ADVICE[wrong[row.fp].kind].breaker, row) for row in counts.rows]
    misled = _attempts(row for truth, vote, row in votes if truth != vote)
    blamed = _attempts(row for truth, vote, row in votes if truth != "failure" and vote == "failure")
    text = f"{several(blamed, 'attempt')} would count as failures of a healthy service, {count(misled - blamed)} would be missed"
    return Cost("breaker misled", misled, float(misled), "attempts", text)


def _maybe_repeated(
    counts: FingerprintCounts, right: Mapping[int, Classification], wrong: Mapping[int, Classification]
) -> Cost:
    rows = [row for row in counts.rows if right[row.fp].maybe_executed and not wrong[row.fp].maybe_executed]
    text = "unknown: the log names neither the idempotency of a call nor its duplicates"
    return Cost("maybe executed, called surely not", _attempts(rows), None, "duplicates", text)


def _attempts(rows: Iterable[FingerprintCount]) -> int:
    return sum(row.failed_attempts for row in rows)


def _mean_wait_s(rows: Iterable[NextTry]) -> float | None:
    told = list(rows)
    waits = sum(row.waits for row in told)
    return sum(row.wait_sum_us for row in told) / waits / US_PER_SECOND if waits else None


def _longer_than(row: NextTry, wait_s: float) -> bool:
    """Whether the whole stretch of waiting lies above a wait."""
    return bool(row.wait) and row.wait is not None and WAIT_EDGES_US[row.wait - 1] >= wait_s * US_PER_SECOND
