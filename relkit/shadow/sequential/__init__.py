"""Evidence that may be looked at every hour: e-processes, running p-values and confidence sequences.

An e-process starts at 1 and stays small when there is nothing: the chance that it ever reaches 1/alpha is at most alpha,
at however many looks (Ville). So the shadow may be stopped the moment it does, and 1/(largest E so far) is a p-value at
every look. A fixed test looked at each hour of a week raises false alarms in 41 % of weeks.
"""

from relkit.shadow.sequential.evidence import (
    DEFAULT_PRIOR,
    Evidence,
    e_pairs,
    e_rate,
    e_sessions,
    mixture_bound,
    mixture_rho,
)
from relkit.shadow.sequential.looks import Look, watch_pairs, watch_sessions
from relkit.shadow.sequential.sequences import session_sequence, share_sequence

__all__ = [
    "DEFAULT_PRIOR",
    "Evidence",
    "Look",
    "e_pairs",
    "e_rate",
    "e_sessions",
    "mixture_bound",
    "mixture_rho",
    "session_sequence",
    "share_sequence",
    "watch_pairs",
    "watch_sessions",
]
