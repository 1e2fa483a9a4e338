"""Classify one failure: what it is, whether it may be retried, and which rule says so.

The rules see one flat record of signals at a time. Of an exception every link of its chain is such a record, and the
earliest rule that matches any of them decides: the table is ordered by how much its evidence is worth, so a code three
causes deep beats the name of the outermost class. What the rules cannot see is added here, once, for rows and
exceptions alike: the wait, the server's own word on retries, and whether a call that only reads can have done harm.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, replace
from typing import Final

from relkit.errors.judging import code_of_headers, deciding, executed_by, forbidden, judge, may_have_executed
from relkit.errors.kinds import ADVICE, Advice, ErrorKind, Fallback, Severity
from relkit.errors.reading.bodies import parsed, said
from relkit.errors.reading.chain import Link, links
from relkit.errors.reading.evidence import read_headers
from relkit.errors.reading.guarded import is_a, item, text_of
from relkit.errors.reading.retry_after import retry_after_s, seconds_of
from relkit.errors.rules import RuleSet, load_rules
from relkit.errors.rules.matching import matcher
from relkit.errors.rules.rule import Rule
from relkit.errors.signals import READ_CHARACTERS, SIGNAL_FIELDS, Signals, read_signals

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


def classify(error: BaseException | Mapping[str, object] | Signals, rules: RuleSet | None = None) -> Classification:
    """Classify one failure; never raises, whatever the object does.

    Parameters
    ----------
    error : exception, mapping or Signals
        A live exception of any library; or a row of a log with any of the fields of `Signals`, and `headers` (mapping,
        pairs or JSON), `body` (mapping or JSON), `retry_after_s` (seconds) and `method` (of HTTP: a call that only
        reads has changed nothing, whatever became of it).
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
    >>> answer = classify(ConnectionRefusedError(111, "Connection refused"))
    >>> print(answer.kind, answer.retryable, answer.maybe_executed)
    NETWORK_REFUSED True False
    """
    table = load_rules() if rules is None else rules
    if is_a(error, Signals):
        return _of_signals(error, table)  # type: ignore[arg-type]
    if is_a(error, BaseException):
        return classify_links(links(error), table)  # type: ignore[arg-type]  # the true class says so, whatever __class__ says
    return _of_row(error, table)  # type: ignore[arg-type]


def signals_of(error: BaseException, rules: RuleSet | None = None) -> Signals:
    """Return the signals a log should keep of an exception: those of the link of its chain that decides.

    Parameters
    ----------
    error : BaseException
        Any exception.
    rules : RuleSet or None
        Table of rules; None for relkit's own.

    Returns
    -------
    Signals
        `classify` gives them the kind and the rule that it gives the exception, unless it is a group of several kinds.

    Examples
    --------
    >>> signals_of(ConnectionRefusedError(111, "Connection refused")).errno
    111
    """
    table = load_rules() if rules is None else rules
    return deciding(judge(links(error), matcher(table))).signals


def should_retry(error: BaseException | Mapping[str, object] | Signals, rules: RuleSet | None = None) -> bool:
    """Say whether the same call, unchanged, may succeed later.

    >>> should_retry(TimeoutError()), should_retry(KeyError("slot"))
    (True, False)
    """
    return classify(error, rules).retryable


def user_message(error: BaseException | Mapping[str, object] | Signals, rules: RuleSet | None = None) -> str | None:
    """Return what to tell the user; None means say nothing, which a caller must not fill in.

    >>> user_message({"code": "CACHE_MISS"}) is None
    True
    """
    return classify(error, rules).user_message


def should_alert(error: BaseException | Mapping[str, object] | Signals, rules: RuleSet | None = None) -> bool:
    """Say whether a person must act.

    >>> should_alert({"status": 401}), should_alert({"status": 429})
    (True, False)
    """
    return classify(error, rules).alert


def fallback_strategy(error: BaseException | Mapping[str, object] | Signals, rules: RuleSet | None = None) -> Fallback:
    """Return what to do instead: none, next_model, larger_window, truncate, cache or call_api.

    >>> fallback_strategy({"status": 400, "code": "context_length_exceeded"})
    'larger_window'
    """
    return classify(error, rules).fallback


def classify_links(found: Iterable[Link], rules: RuleSet | None = None) -> Classification:
    """Classify the links of a chain, as `links` reads them of an exception.

    Parameters
    ----------
    found : iterable of Link
        The outermost first.
    rules : RuleSet or None
        Table of rules; None for relkit's own.

    Returns
    -------
    Classification
        That of the exception.

    Examples
    --------
    >>> print(classify_links(links(TimeoutError())).kind)
    NETWORK_TIMEOUT
    """
    table = load_rules() if rules is None else rules
    judged = judge(found, matcher(table))
    best = deciding(judged)
    seen = [one.link.evidence for one in judged if one.link.explicit or one is best]
    # Whoever asks for the longest wait is obeyed.
    waits = [retry_after_s(one.headers, one.body, one.text) for one in seen]
    told = [wait_s for wait_s in waits if wait_s is not None]
    headers = next((one.headers for one in seen if one.headers), {})
    return _answer(
        best.rule,
        best.evidence,
        max(told, default=None),
        headers,
        vetoed=forbidden(best, judged),
        executed=may_have_executed(best, judged),
    )


def _of_signals(signals: Signals, table: RuleSet) -> Classification:
    rule, evidence = _first(signals, table)
    return _answer(rule, evidence, None, {}, vetoed=False, executed=executed_by(rule, signals))


def _of_row(row: Mapping[str, object], table: RuleSet) -> Classification:
    headers = read_headers(_read_json(item(row, "headers"), item(row, "headers_json")))
    body = parsed(item(row, "body"))
    raw = {name: item(row, name) for name in SIGNAL_FIELDS}
    signals = read_signals(raw)
    if body is not None:
        spoken = read_signals(asdict(said(body)))
        signals = Signals(
            *(own if own is not None else told for own, told in zip(astuple(signals), astuple(spoken), strict=True))
        )
    if signals.code is None and (code := code_of_headers(signals.status, headers)):
        signals = replace(signals, code=code)
    wait_s = seconds_of(item(row, "retry_after_s"))
    if wait_s is None:
        wait_s = retry_after_s(headers, body, text_of(raw["message"], READ_CHARACTERS))
    only_reads = text_of(item(row, "method"), 20).strip().upper() in SAFE_METHODS
    rule, evidence = _first(signals, table)
    executed = executed_by(rule, signals) and not only_reads
    return _answer(rule, evidence, wait_s, headers, vetoed=False, executed=executed)


def _first(signals: Signals, table: RuleSet) -> tuple[Rule | None, str]:
    rules = matcher(table)
    found = rules.first(signals)
    return (None, "") if found is None else (rules.rules[found[0]], found[1])


def _read_json(given: object, text: object) -> object:
    """Return headers as they were given, or out of their JSON."""
    if given is not None and type(given) is not str:
        return given
    found = parsed(text if given is None else given)
    return found if type(found) in {dict, list} else None


def _answer(
    rule: Rule | None,
    evidence: str,
    wait_s: float | None,
    headers: Mapping[str, str],
    *,
    vetoed: bool,
    executed: bool,
) -> Classification:
    kind = ErrorKind.UNKNOWN if rule is None else rule.kind
    advice = ADVICE[kind] if rule is None else rule.advice
    retryable = advice.retryable and not vetoed
    word = _servers_word(headers)
    if word is False:
        retryable, evidence = False, f"{evidence}; the server says: do not retry".lstrip("; ")
    elif word is True and not retryable and (kind is ErrorKind.UNKNOWN or ADVICE[kind].retryable):
        retryable, evidence = True, f"{evidence}; the server says: retry".lstrip("; ")
    return Classification(
        kind=kind,
        retryable=retryable,
        max_retries=_max_retries(advice, kind, retryable=retryable),
        retry_after_s=wait_s,
        maybe_executed=executed,
        severity=advice.severity,
        alert=advice.alert,
        user_message=advice.user_message,
        fallback=advice.fallback,
        rule=NO_RULE if rule is None else rule.id,
        evidence=evidence or "no rule matched",
    )


def _max_retries(advice: Advice, kind: ErrorKind, *, retryable: bool) -> int | None:
    if not retryable:
        return 0
    return advice.max_retries if advice.retryable else ADVICE[kind].max_retries or None


def _servers_word(headers: Mapping[str, str]) -> bool | None:
    """Return what the server itself says of a retry, or None.

    `x-should-retry: false` wins over all; so does a negative or unreadable gRPC push-back, which means the same (gRFC
    A6). `true` is believed only where waiting can help: it lifts a refusal of one rule, never that of a whole kind,
    because no header mends a wrong key.
    """
    word = headers.get("x-should-retry", "").strip().lower()
    if word in {"true", "false"}:
        return word == "true"
    pushback = headers.get("grpc-retry-pushback-ms")
    return False if pushback is not None and seconds_of(pushback) is None else None
