"""Comparing an answer with what is expected; used live and on the recorded chains alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from relkit.errors import Classification


@dataclass
class Verdict:
    """What of one answer is right; None where honest people differ."""

    kind: bool
    retry: bool | None
    executed: bool | None
    wait: bool
    told: bool
    in_vain: bool
    wrong: list[str] = field(default_factory=list)


def judged(expected: Mapping[str, Any], answer: Classification) -> Verdict:
    """Compare one answer."""
    kind = answer.kind.value in expected["kinds"]
    retry = None if expected["retryable"] is None else answer.retryable is expected["retryable"]
    executed = None if expected["maybe_executed"] is None else answer.maybe_executed is expected["maybe_executed"]
    wait = _near(answer.retry_after_s, expected["retry_after_s"])
    verdict = Verdict(
        kind, retry, executed, wait, expected["retry_after_s"] is not None, retry is False and answer.retryable
    )
    if not kind:
        verdict.wrong.append(f"kind {answer.kind.value}, not {'|'.join(expected['kinds'])}")
    if retry is False:
        verdict.wrong.append(f"retryable {answer.retryable}")
    if executed is False:
        verdict.wrong.append(f"maybe_executed {answer.maybe_executed}")
    if not wait:
        verdict.wrong.append(f"wait {answer.retry_after_s}, not {expected['retry_after_s']}")
    return verdict


def _near(found: float | None, wanted: Any) -> bool:
    if wanted is None or found is None:
        return found is wanted
    low, high = wanted if isinstance(wanted, (list, tuple)) else (wanted, wanted)
    return low - 1e-6 <= found <= high + 1e-6


@dataclass
class Score:
    """Counts over many answers."""

    n: int = 0
    kinds: int = 0
    retries: int = 0
    retries_asked: int = 0
    executed: int = 0
    executed_asked: int = 0
    waits: int = 0
    waits_told: int = 0
    waits_invented: int = 0
    in_vain: int = 0

    def count(self, verdict: Verdict) -> None:
        """Add one answer."""
        self.n += 1
        self.kinds += verdict.kind
        self.retries += verdict.retry is True
        self.retries_asked += verdict.retry is not None
        self.executed += verdict.executed is True
        self.executed_asked += verdict.executed is not None
        self.waits += verdict.told and verdict.wait
        self.waits_told += verdict.told
        self.waits_invented += not verdict.told and not verdict.wait
        self.in_vain += verdict.in_vain

    def __str__(self) -> str:
        return (
            f"kind {self.kinds}/{self.n}, retry {self.retries}/{self.retries_asked}, permanent errors retried {self.in_vain}, "
            f"waits {self.waits}/{self.waits_told} (invented {self.waits_invented}), maybe executed {self.executed}/{self.executed_asked}"
        )
