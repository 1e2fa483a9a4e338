"""Judging a chain of exceptions by a table of rules: which link decides, what forbids a retry, what may have been done.

The table is ordered by how much its evidence is worth, so the earliest rule that matches any link decides: a code three
causes deep beats the name of the outermost class. Causes then have a say of their own: a permanent fact below the
deciding link forbids a retry, and so does a permanent member of a group.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.errors.reading.chain import TRUNK, Link
from relkit.errors.reading.evidence import Evidence
from relkit.errors.rules.matching import NOWHERE, Matcher
from relkit.errors.rules.rule import Rule
from relkit.errors.signals import SIGNAL_FIELDS, Signals, class_name, read_signals

MAY_HAVE_BEGUN: Final = frozenset({500, 502, 504})
_NETWORK: Final = frozenset(
    {ErrorKind.NETWORK_ERROR, ErrorKind.NETWORK_REFUSED, ErrorKind.NETWORK_TIMEOUT, ErrorKind.NETWORK_TLS}
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One link and the rule that matched it first; NOWHERE and no rule where none did."""

    link: Link
    signals: Signals
    position: int
    rule: Rule | None
    evidence: str

    @property
    def retryable(self) -> bool:
        """Whether its rule allows a retry; no rule allows none."""
        return self.rule is not None and self.rule.advice.retryable


_NOTHING: Final = Judged(
    Link(Evidence((), (), dict.fromkeys(SIGNAL_FIELDS), {}, None, ""), TRUNK, explicit=True),
    Signals(),
    NOWHERE,
    None,
    "",
)


def judge(chain: Iterable[Link], rules: Matcher) -> list[Judged]:
    """Match every link on its own."""
    found = []
    for link in chain:
        signals = _signals(link.evidence, rules)
        first = rules.first(signals)
        if first is None:
            found.append(Judged(link, signals, NOWHERE, None, ""))
        else:
            position, evidence = first
            rule = rules.rules[position]
            # An implicit context that is a bug ("KeyError: not in the cache") explains nothing by itself.
            if not link.explicit and rule.kind is ErrorKind.PROGRAMMING_ERROR:
                position += NOWHERE
            found.append(Judged(link, signals, position, rule, evidence))
    return found


def deciding(judged: list[Judged]) -> Judged:
    """Return the link whose rule stands first in the table; in a group a permanent member goes before the others."""
    members = _members(judged)
    permanent = [best for best in members if not best.retryable]
    return min(permanent or judged, key=lambda one: one.position, default=_NOTHING)


def _members(judged: Iterable[Judged]) -> list[Judged]:
    best: dict[int, Judged] = {}
    for one in judged:
        branch = one.link.branch
        if branch != TRUNK and (branch not in best or one.position < best[branch].position):
            best[branch] = one
    return list(best.values())


def forbidden(best: Judged, judged: list[Judged]) -> bool:
    """Say whether the deciding link, or a cause below it, forbids a retry.

    A cause forbids by a fact, a code or a status; a name or words are too little.
    """
    if not best.retryable:
        return True
    below = judged[judged.index(best) + 1 :]
    return any(
        one.rule is not None and not one.retryable and one.link.explicit and one.link.evidence.has_facts
        for one in below
    )


def may_have_executed(best: Judged, judged: Iterable[Judged]) -> bool:
    """Say whether the other side may have acted: in a network error nothing was sent if any link says so.

    Words alone say it only where they decide: Elasticsearch writes "Connection timed out" over a read that took too long.
    """
    if any(one.link.branch != TRUNK for one in judged):
        return any(executed_by(one.rule, one.signals) for one in _members(judged))
    if best.rule is None or best.rule.kind not in _NETWORK:
        return executed_by(best.rule, best.signals)
    network = [one for one in judged if one is best or _knows_of_network(one.rule)]
    return all(executed_by(one.rule, one.signals) for one in network)


def _knows_of_network(rule: Rule | None) -> bool:
    if rule is None or rule.kind not in _NETWORK:
        return False
    return any(condition.fields != ("message",) for condition in rule.when)


def _signals(evidence: Evidence, rules: Matcher) -> Signals:
    row: dict[str, object] = dict(evidence.signals)
    row["exception_type"] = _most_telling(evidence, rules.class_ranks)
    if row["code"] is None:
        row["code"] = code_of_headers(row["status"], evidence.headers)
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


def code_of_headers(status: object, headers: Mapping[str, str]) -> str | None:
    """Read a refusal that is a limit: 403 with nothing left, or with a wait (GitHub's way to say 429)."""
    if status != 403 or not headers:
        return None
    used_up = any(
        "ratelimit" in name and "remaining" in name and value.strip() == "0" for name, value in headers.items()
    )
    return "rate_limited" if used_up or "retry-after" in headers else None


def executed_by(rule: Rule | None, signals: Signals) -> bool:
    """Say whether the other side may have acted, by one rule and what it saw."""
    if rule is None:
        return ADVICE[ErrorKind.UNKNOWN].maybe_executed_default
    # An error inside a 200 came after the work had begun; a 500, 502 or 504 may have, whatever its words say.
    begun = signals.status is not None and (200 <= signals.status <= 299 or signals.status in MAY_HAVE_BEGUN)
    return begun or rule.advice.maybe_executed_default
