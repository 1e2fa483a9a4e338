"""What failed, in the numbers that retry and fallback decide on.

The kinds and what they advise belong to `relkit.errors`; this room knows their stable numbers alone, so that a decision
takes no text and no enumeration.
"""

from dataclasses import dataclass
from typing import Final, Protocol

# The two kinds whose waits have a factor of their own, by the stable numbers of relkit.errors.
KIND_TIMEOUT: Final = 1
KIND_RATE_LIMIT: Final = 5

NO_LIMIT: Final = -1

FALLBACK_NONE: Final = 0
FALLBACK_NEXT_MODEL: Final = 1
FALLBACK_LARGER_WINDOW: Final = 2
FALLBACK_TRUNCATE: Final = 3
FALLBACK_CACHE: Final = 4
FALLBACK_CALL_API: Final = 5
FALLBACKS: Final = ("none", "next_model", "larger_window", "truncate", "cache", "call_api")

# What the plan's own classifier and its rule for 4xx make of a typical error of each kind (plan, 1.1 and 2.1).
_PLAN_REFUSES: Final = frozenset({7, 8, 9, 10, 13, 14, 22})
_PLAN_CRITICAL: Final = frozenset({7, 19})


class Classified(Protocol):
    """What a retry decision reads of a `relkit.errors.Classification`."""

    @property
    def retryable(self) -> bool: ...  # noqa: D102  the fields are documented there
    @property
    def max_retries(self) -> int | None: ...  # noqa: D102
    @property
    def maybe_executed(self) -> bool: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def fallback(self) -> str: ...  # noqa: D102


@dataclass(slots=True)
class Failure:
    """What failed, in numbers; constant for a kind of error.

    Parameters
    ----------
    kind : int
        Stable number of the kind, 1 to 26.
    retryable : bool
        Whether the same call, unchanged, may succeed later.
    max_retries : int
        The kind's own limit of retries, -1 for none.
    maybe_executed : bool
        Whether the other side may have done the work all the same.
    critical : bool
        Whether its severity is critical.
    from_result : bool
        Whether an answer came and will not do, instead of an error.
    fallback : int
        What to turn to when there is no retry, one of `FALLBACKS`.

    Examples
    --------
    >>> Failure(KIND_TIMEOUT).retryable
    True
    """

    kind: int
    retryable: bool = True
    max_retries: int = NO_LIMIT
    maybe_executed: bool = False
    critical: bool = False
    from_result: bool = False
    fallback: int = FALLBACK_NONE

    @classmethod
    def of(cls, kind: int, answer: Classified, *, from_result: bool = False) -> "Failure":
        """Read a Classification.

        Parameters
        ----------
        kind : int
            Stable number of its kind, 1 to 26 (`relkit.errors.ADVICE[answer.kind].int_code`).
        answer : Classified
            The classification, or a kind's advice with the same fields.
        from_result : bool
            Whether an answer came and will not do.
        """
        limit = NO_LIMIT if answer.max_retries is None else answer.max_retries
        critical = answer.severity == "critical"
        turn = FALLBACKS.index(answer.fallback)
        return cls(kind, answer.retryable, limit, answer.maybe_executed, critical, from_result, turn)


def plan_failure(kind: int) -> Failure:
    """Read an error of this kind as the plan does.

    Parameters
    ----------
    kind : int
        Stable number of the kind, 1 to 26.

    Returns
    -------
    Failure
        Retryable unless it is a 4xx other than 429 or the breaker is open; a wrong key (7) and wrong SQL (19) are
        critical. The plan knows no limit of a kind's own and does not ask whether a call may have been carried out.

    Examples
    --------
    >>> plan_failure(19).retryable, plan_failure(19).critical
    (True, True)
    """
    return Failure(
        kind, retryable=kind not in _PLAN_REFUSES, critical=kind in _PLAN_CRITICAL, fallback=FALLBACK_NEXT_MODEL
    )
