"""The Policy: all resilience settings of one service under one name and one hash."""

from dataclasses import dataclass, fields, is_dataclass
from hashlib import sha256
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.policies.fallback import FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import UNLIMITED, RetryBudgetSettings, refuse_unbudgeted
from relkit.policies.retry_settings import Retry

_PARTS: Final = ("breaker", "retry", "retry_budget", "fallback", "freshness")


@dataclass(frozen=True, slots=True)
class Policy:
    """The resilience settings of one service.

    Parameters
    ----------
    name : str
        Name of the preset or of the service.
    dated : str
        Day (YYYY-MM-DD) or month from which on these are the values.
    source : str
        Where they come from: project, version or commit, and file.
    breaker, retry, retry_budget, fallback, freshness : settings or None
        The settings of each part; None where the source has no such part.

    Raises
    ------
    ParameterError
        When the parts cannot work together: retries without the budget they need, or a breaker that stays open longer
        than a call may take, so that no retry of that call can see it recover.

    Examples
    --------
    >>> one, other = (Policy(name, "2026-11", "example", BreakerSettings()) for name in ("a", "b"))
    >>> one.hash == other.hash, len(one.hash)
    (True, 16)
    """

    name: str
    dated: str
    source: str
    breaker: BreakerSettings | None = None
    retry: Retry | None = None
    retry_budget: RetryBudgetSettings | None = None
    fallback: FallbackSettings | None = None
    freshness: FreshnessSettings | None = None

    def __post_init__(self) -> None:
        if self.retry is None:
            return
        refuse_unbudgeted(self.retry, self.retry_budget or UNLIMITED)
        if self.breaker is not None:
            _refuse_long_opening(self.breaker, self.retry)

    @property
    def hash(self) -> str:
        """Sixteen hex digits of a hash over all settings; name, date and source do not count."""
        text = "\n".join(line for part in _PARTS for line in _lines(part, getattr(self, part)))
        return sha256(text.encode()).hexdigest()[:16]


def _refuse_long_opening(breaker: BreakerSettings, retry: Retry) -> None:
    deadlines_s = [each.deadline_s for each in (retry.transient, retry.rate_limited) if each.max_attempts != 1]
    if deadlines_s and breaker.open_s > max(deadlines_s):
        allowed = f"at most the retries' deadline_s, {max(deadlines_s):g}"
        remedy = "shorten open_s, lengthen deadline_s, or set max_attempts to 1: a retry cannot outlast the open time"
        raise ParameterError.of("open_s", breaker.open_s, allowed, remedy)


def _lines(path: str, value: Any) -> list[str]:
    """One line for each number or text of a record, in the order of its fields."""
    if is_dataclass(value):
        return [line for each in fields(value) for line in _lines(f"{path}.{each.name}", getattr(value, each.name))]
    return [f"{path} = {value!r}"]
