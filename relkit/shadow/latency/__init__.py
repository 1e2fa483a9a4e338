"""How much slower is the shadow, pair by pair? Signed ranks of the log ratios, and the typical ratio with its interval.

Only pairs that both arms answered have a ratio. A timeout is a failure: it is counted with the errors and shown as its
own two-by-two table, never given a latency here.
"""

from relkit.shadow.latency.differences import Differences
from relkit.shadow.latency.ranks import FEWEST_GROUPS, SignedRank, signed_rank
from relkit.shadow.latency.typical import Typical, hodges_lehmann, typical_ratio

__all__ = [
    "FEWEST_GROUPS",
    "Differences",
    "SignedRank",
    "Typical",
    "hodges_lehmann",
    "signed_rank",
    "typical_ratio",
]
