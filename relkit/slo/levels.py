"""Two levels of one log: what users met (requests) and what was tried (attempts), with degraded answers as a third class.

A retry that helps is a bad attempt and a good request, so the requests alone hide how near to failing a service runs;
an answer from a stale cache is a good request that hides an outage.
"""

from dataclasses import dataclass

from relkit.slo.minutes import Totals


@dataclass(frozen=True, slots=True)
class Levels:
    """Requests beside attempts.

    Parameters
    ----------
    requests : Totals
        By their last attempt.
    degraded_requests : int
        Good requests that were answered degraded.
    attempts : Totals
        Every try of users.
    degraded_attempts : int
        Good tries that were answered degraded.

    Examples
    --------
    >>> both = Levels(Totals(98, 2, 0, 0), 8, Totals(95, 10, 0, 0), 5)
    >>> both.full_share, both.mended
    (0.9, 8)
    """

    requests: Totals
    degraded_requests: int
    attempts: Totals
    degraded_attempts: int

    @property
    def full_share(self) -> float | None:
        """Return the share of valid requests that were answered in full, None without any."""
        valid = self.requests.valid
        return (self.requests.good - self.degraded_requests) / valid if valid else None

    @property
    def mended(self) -> int:
        """Return how many bad attempts no user met as a bad request."""
        return max(0, self.attempts.bad - self.requests.bad)
