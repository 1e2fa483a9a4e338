"""May a cached answer be served? By its age, by what failed, and never in place of a call that changes something."""

import math
from dataclasses import dataclass
from typing import Final

from relkit.policies._checks import checked_number
from relkit.policies.failure import FALLBACK_CACHE, FALLBACK_LARGER_WINDOW, FALLBACK_NEXT_MODEL

FRESH: Final = 0
STALE: Final = 1
EXPIRED: Final = 2
NOT_CACHED: Final = 3
FRESHNESS: Final = ("fresh", "stale", "expired", "not_cached")


@dataclass(frozen=True, slots=True)
class FreshnessSettings:
    """How old a cached answer may be.

    Parameters
    ----------
    ttl_s : float
        Age up to which it is served at once, seconds; 0 = it never is.
    stale_on_error_s : float
        Time beyond `ttl_s` for which it is served when every model failed, seconds; 0 = never.

    Raises
    ------
    ParameterError
        For a negative or missing time.

    Examples
    --------
    >>> FreshnessSettings(ttl_s=300.0, stale_on_error_s=86400.0).ttl_s
    300.0
    """

    ttl_s: float = 300.0
    stale_on_error_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("ttl_s", "stale_on_error_s"):
            checked_number(name, getattr(self, name), 0.0, math.inf, "give seconds")


def freshness(cfg: FreshnessSettings, age_s: float, writes: bool) -> int:
    """Say how a cached answer may be used.

    Parameters
    ----------
    cfg : FreshnessSettings
        The settings.
    age_s : float
        Age of the answer, seconds; below 0 when there is none, or when it comes from the future of this clock.
    writes : bool
        Whether the call changes something, as a booking does.

    Returns
    -------
    int
        FRESH: at once; STALE: only when every model failed (RFC 5861, stale-if-error); EXPIRED: not at all;
        NOT_CACHED: there is none, or the call changes something.

    Examples
    --------
    >>> cfg = FreshnessSettings(ttl_s=60.0, stale_on_error_s=600.0)
    >>> [FRESHNESS[freshness(cfg, age, False)] for age in (59.0, 60.0, 660.0, -1.0)]
    ['fresh', 'stale', 'expired', 'not_cached']
    """
    if writes or age_s < 0.0:
        return NOT_CACHED
    if age_s < cfg.ttl_s:
        return FRESH
    if age_s < cfg.ttl_s + cfg.stale_on_error_s:
        return STALE
    return EXPIRED


def may_serve(code: int, failed: bool, turn: int) -> bool:
    """Say whether a cached answer may be served now.

    Parameters
    ----------
    code : int
        What `freshness` said.
    failed : bool
        Whether every model failed.
    turn : int
        What the last failure advises, one of `relkit.policies.failure.FALLBACKS`.

    Returns
    -------
    bool
        A fresh answer always; a stale one only after failures that say the service cannot answer. An invalid request
        stays invalid.

    Examples
    --------
    >>> may_serve(STALE, True, FALLBACK_NEXT_MODEL), may_serve(STALE, True, 0), may_serve(STALE, False, 0)
    (True, False, False)
    """
    if code == FRESH:
        return True
    return code == STALE and failed and turn in (FALLBACK_NEXT_MODEL, FALLBACK_LARGER_WINDOW, FALLBACK_CACHE)
