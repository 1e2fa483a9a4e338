"""Classify one failure: what it is, whether it may be retried, and which rule says so.

The rules see one flat record of signals at a time. Of an exception every link of its chain is such a record, and the
earliest rule that matches any of them decides: the table is ordered by how much its evidence is worth, so a code three
causes deep beats the name of the outermost class. What the rules cannot see is added here, once, for rows and
exceptions alike: the wait, the server's own word on retries, and whether a call that only reads can have done harm.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from relkit.errors.chain import TRUNK, Link, links
from relkit.errors.evidence import Evidence, read_headers
from relkit.errors.bodies import parsed, said
from relkit.errors.guarded import is_a, item, text_of
from relkit.errors.kinds import ADVICE, Advice, ErrorKind, Fallback, Severity
from relkit.errors.matching import NOWHERE, Matcher, matcher
from relkit.errors.retry_after import retry_after_s, seconds_of
from relkit.errors.rules import Rule, RuleSet, load_rules
from relkit.errors.signals import READ_CHARACTERS, SIGNAL_FIELDS, Signals, class_name, read_signals

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
NO_RULE: Final = "none"
_NETWORK: Final = frozenset(
    {ErrorKind.NETWORK_ERROR, ErrorKind.NETWORK_REFUSED, ErrorKind.NETWORK_TIMEOUT, ErrorKind.NETWORK_TLS}
)


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
    return _deciding(_judged(links(error), matcher(table))).signals


@dataclass(frozen=True, slots=True)
class _Judged:
    """One link and the rule that matched it first; NOWHERE and no rule where none did."""

    link: Link
    signals: Signals
    position: int
    rule: Rule | None
    evidence: str

    @property
    def retryable(self) -> bool:
        return self.rule is not None and self.rule.advice.retryable


_NOTHING: Final = _Judged(
    Link(Evidence((), (), dict.fromkeys(SIGNAL_FIELDS), {}, None, ""), TRUNK, explicit=True),
    Signals(),
    NOWHERE,
    None,
    "",
)


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
    judged = _judged(found, matcher(table))
    best = _deciding(judged)
    vetoed = not best.retryable or _has_permanent(judged[judged.index(best) + 1 :] if best in judged else ())
    seen = [one.link.evidence for one in judged if one.link.explicit or one is best]
    # Whoever asks for the longest wait is obeyed.
    waits = [retry_after_s(one.headers, one.body, one.text) for one in seen]
    told = [wait_s for wait_s in waits if wait_s is not None]
    headers = next((one.headers for one in seen if one.headers), {})
    executed = _chain_executed(best, judged)
    return _answer(
        best.rule, best.evidence, best.signals, max(told, default=None), headers, vetoed=vetoed, executed=executed
    )


def _judged(chain: Iterable[Link], rules: Matcher) -> list[_Judged]:
    found = []
    for link in chain:
        signals = _signals(link.evidence, rules)
        first = rules.first(signals)
        if first is None:
            found.append(_Judged(link, signals, NOWHERE, None, ""))
        else:
            position, evidence = first
            rule = rules.rules[position]
            # An implicit context that is a bug ("KeyError: not in the cache") explains nothing by itself.
            if not link.explicit and rule.kind is ErrorKind.PROGRAMMING_ERROR:
                position += NOWHERE
            found.append(_Judged(link, signals, position, rule, evidence))
    return found


def _deciding(judged: list[_Judged]) -> _Judged:
    """Return the link whose rule stands first in the table; in a group a permanent member goes before the others."""
    members = _members(judged)
    permanent = [best for best in members if not best.retryable]
    return min(permanent or judged, key=lambda one: one.position, default=_NOTHING)


def _members(judged: Iterable[_Judged]) -> list[_Judged]:
    best: dict[int, _Judged] = {}
    for one in judged:
        branch = one.link.branch
        if branch != TRUNK and (branch not in best or one.position < best[branch].position):
            best[branch] = one
    return list(best.values())


def _has_permanent(below: Iterable[_Judged]) -> bool:
    """Say whether a cause of the deciding link forbids a retry by a fact: a code or a status, not a name or words."""
    return any(
        one.rule is not None and not one.retryable and one.link.explicit and one.link.evidence.has_facts
        for one in below
    )


def _chain_executed(best: _Judged, judged: Iterable[_Judged]) -> bool:
    """Say whether the other side may have acted: in a network error nothing was sent if any link says so."""
    if any(one.link.branch != TRUNK for one in judged):
        return any(_maybe_executed(one) for one in _members(judged))
    if best.rule is None or best.rule.kind not in _NETWORK:
        return _maybe_executed(best)
    network = [one for one in judged if one.rule is not None and one.rule.kind in _NETWORK]
    return all(_maybe_executed(one) for one in network)


def _signals(evidence: Evidence, rules: Matcher) -> Signals:
    row: dict[str, object] = dict(evidence.signals)
    row["exception_type"] = _most_telling(evidence, rules.class_ranks)
    if row["code"] is None:
        row["code"] = _code_of_headers(row["status"], evidence.headers)
    return read_signals(row)


def _most_telling(evidence: Evidence, ranks: Mapping[str, int]) -> str | None:
    """Return the most specific class name that a rule lists; of unrelated ones that of the earliest rule.

    "redis.AuthenticationError" is a connection error too, and must not pass for one; but a class that inherits from an
    SDK's BadRequestError and from ContextOverflowError is more than either.
    """
    known = [(rank, n) for n, name in enumerate(evidence.names) if (rank := _rank(name, ranks)) is not None]
    hidden = {above for _, n in known for above in evidence.above[n]}
    _, chosen = min(((rank, n) for rank, n in known if n not in hidden), default=(NOWHERE, 0))
    return evidence.names[chosen] if evidence.names else None


def _rank(name: str, ranks: Mapping[str, int]) -> int | None:
    return ranks.get(class_name(name).lower())


def _code_of_headers(status: object, headers: Mapping[str, str]) -> str | None:
    """Read a refusal that is a limit: 403 with nothing left, or with a wait (GitHub's way to say 429)."""
    if status != 403 or not headers:
        return None
    used_up = any(
        "ratelimit" in name and "remaining" in name and value.strip() == "0" for name, value in headers.items()
    )
    return "rate_limited" if used_up or "retry-after" in headers else None


def _of_row(row: Mapping[str, object] | Signals, table: RuleSet) -> Classification:
    rules = matcher(table)
    if isinstance(row, Signals):
        signals, wait_s, headers, only_reads = row, None, {}, False
    else:
        headers = read_headers(_json(item(row, "headers") or item(row, "headers_json")))
        body = parsed(item(row, "body"))
        spoken = said(body)
        raw = {name: item(row, name) for name in SIGNAL_FIELDS}
        raw["code"] = raw["code"] or spoken.code
        raw["body_type"] = raw["body_type"] or spoken.body_type
        raw["message"] = raw["message"] or spoken.message
        signals = read_signals(raw)
        if signals.code is None and (code := _code_of_headers(signals.status, headers)):
            signals = read_signals(raw | {"code": code})
        wait_s = seconds_of(item(row, "retry_after_s"))
        if wait_s is None:
            wait_s = retry_after_s(headers, body, text_of(raw["message"] or "", READ_CHARACTERS))
        only_reads = str(item(row, "method")).strip().upper() in SAFE_METHODS
    first = rules.first(signals)
    rule, evidence = (None, "") if first is None else (rules.rules[first[0]], first[1])
    executed = _executed(rule, signals) and not only_reads
    retryable = rule is not None and rule.advice.retryable
    return _answer(rule, evidence, signals, wait_s, headers, vetoed=not retryable, executed=executed)


def _json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _maybe_executed(one: _Judged) -> bool:
    return _executed(one.rule, one.signals)


def _executed(rule: Rule | None, signals: Signals) -> bool:
    if rule is None:
        return ADVICE[ErrorKind.UNKNOWN].maybe_executed_default
    # An error inside a 200 came after the work had begun.
    begun = signals.status is not None and 200 <= signals.status <= 299
    return begun or rule.advice.maybe_executed_default


def _answer(
    rule: Rule | None,
    evidence: str,
    signals: Signals,
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
