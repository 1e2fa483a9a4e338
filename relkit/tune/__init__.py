"""Which settings to deploy, and how sure that is.

`space` says what may be set, `suite` what it must stand, `sweep` plays all of it into `results` (`measures` are the
columns), `goal` is what is wanted, `judge` applies it, `select` finds the best of many on common draws, and `choose`
is the door to a `choice` (`relkit.sweep`, `relkit.choose`). `front` and `sensitivity` look at a sweep from other
sides; `reach` and `false_opens` ask of one breaker whether it can open, and how often it does for nothing.
"""

from relkit.tune.code import code_hash
from relkit.tune.goal import Goal, Limit
from relkit.tune.measures import MEASURES, RAW, measure_run
from relkit.tune.results import Sweep
from relkit.tune.space import Candidate, Design, Linear, Log, OneOf, Space, Whole
from relkit.tune.suite import around

__all__ = [
    "MEASURES",
    "RAW",
    "Candidate",
    "Design",
    "Goal",
    "Limit",
    "Linear",
    "Log",
    "OneOf",
    "Space",
    "Sweep",
    "Whole",
    "around",
    "code_hash",
    "measure_run",
]
