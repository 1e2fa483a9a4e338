"""Which error kinds a breaker counts as failures: relkit's own advice, or what a library does by default.

Kinds are their stable numbers, as in `relkit.errors`.
"""

from typing import Final

from relkit.policies.codes import (
    FAILURE,
    IGNORED,
    SUCCESS,
    VOTES_ACCEPTED,
    VOTES_ANSWERED,
    VOTES_BY_KIND,
    VOTES_LITELLM,
    VOTES_SERVER,
)

_RATE_LIMIT: Final = 5
_CANCELLED: Final = 23
# No connection or no answer, 5xx and 503-like answers: what Envoy counts as a 5xx of the host.
_SERVER: Final = frozenset({1, 2, 3, 4, 11, 12})
# LiteLLM: a wrong key or an unknown model (401, 404) cools any deployment at once, the sole one too; a rate limit or a
# quota that is gone (429, 402) only where there is another.
_COOLED_AT_ONCE: Final = frozenset({7, 9})
_COOLED_IF_NOT_SOLE: Final = frozenset({_RATE_LIMIT, 6})
# LiteLLM: every other 4xx but 408, what has no status (its APIConnectionError), and what never left us, cools nothing.
_NEVER_COOLED: Final = frozenset({2, 3, 4, 8, 10, 13, 14, 15, 16, 17, 20, 22, _CANCELLED, 24, 25})


def outcome_of(votes: int, kind: int, advised: int) -> int:
    """Say which outcome an error of a kind is to a breaker.

    Parameters
    ----------
    votes : int
        The breaker's setting, one of `relkit.policies.codes.VOTES`.
    kind : int
        Stable number of the kind, 1 to 26.
    advised : int
        What `relkit.errors` advises for the kind: SUCCESS, FAILURE or IGNORED.

    Returns
    -------
    int
        SUCCESS, FAILURE or IGNORED.

    Examples
    --------
    >>> outcome_of(VOTES_BY_KIND, 8, IGNORED) == IGNORED, outcome_of(0, 8, IGNORED) == FAILURE
    (True, True)
    """
    if votes == VOTES_BY_KIND:
        return advised
    if votes == VOTES_ANSWERED:
        return IGNORED if kind == _CANCELLED else FAILURE
    if votes == VOTES_SERVER:
        return FAILURE if kind in _SERVER else SUCCESS
    if votes == VOTES_ACCEPTED:
        return FAILURE if kind in _SERVER or kind == _RATE_LIMIT else SUCCESS
    if votes == VOTES_LITELLM:
        return IGNORED if kind in _NEVER_COOLED else FAILURE
    return FAILURE


def opens_at_once(votes: int, kind: int, members: int) -> bool:
    """Say whether one error of a kind opens the breaker by itself: LiteLLM's cooldown, by status.

    >>> opens_at_once(VOTES_LITELLM, 5, 2), opens_at_once(VOTES_LITELLM, 5, 1), opens_at_once(VOTES_LITELLM, 7, 1)
    (True, False, True)
    """
    if votes != VOTES_LITELLM:
        return False
    return kind in _COOLED_AT_ONCE or (members > 1 and kind in _COOLED_IF_NOT_SOLE)
