"""May the shadow go live? Inference from counts and sums; nothing here reads a log or draws a picture."""

from relkit.shadow.differences import ExcessDifference, excess_difference
from relkit.shadow.experiment import DEFAULT_MARGIN, Experiment, judge_experiment
from relkit.shadow.gate import judge
from relkit.shadow.missing import MissingAnswers, MissingBounds, missing_bounds
from relkit.shadow.paired import (
    Interval,
    McNemar,
    PairCounts,
    mcnemar,
    non_inferiority_p,
    sample_growth,
    tango,
    tango_z,
)
from relkit.shadow.plan_z import PlanZ, plan_z
from relkit.shadow.sessions import (
    SPARSE_SESSIONS,
    SessionSums,
    SessionT,
    session_non_inferiority_p,
    session_sample_growth,
    session_sums,
    session_t,
)

__all__ = [
    "DEFAULT_MARGIN",
    "SPARSE_SESSIONS",
    "ExcessDifference",
    "Experiment",
    "Interval",
    "McNemar",
    "MissingAnswers",
    "MissingBounds",
    "PairCounts",
    "PlanZ",
    "SessionSums",
    "SessionT",
    "excess_difference",
    "judge",
    "judge_experiment",
    "mcnemar",
    "missing_bounds",
    "non_inferiority_p",
    "plan_z",
    "sample_growth",
    "session_non_inferiority_p",
    "session_sample_growth",
    "session_sums",
    "session_t",
    "tango",
    "tango_z",
]
