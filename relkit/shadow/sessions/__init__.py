"""Pairs of one session resemble each other: tests and intervals with the session as the unit, from sums of integers."""

from relkit.shadow.sessions.cluster import (
    ClusterTest,
    SignFlip,
    durkalski,
    obuchowski,
    session_chi2,
    session_sign_test,
    sign_flip,
)
from relkit.shadow.sessions.influence import LeaveOneOut, leave_one_session_out
from relkit.shadow.sessions.student import (
    SPARSE_SESSIONS,
    SessionT,
    session_non_inferiority_p,
    session_sample_growth,
    session_t,
)
from relkit.shadow.sessions.sums import SessionSums, SessionTable, session_sums, session_table

__all__ = [
    "SPARSE_SESSIONS",
    "ClusterTest",
    "LeaveOneOut",
    "SessionSums",
    "SessionT",
    "SessionTable",
    "SignFlip",
    "durkalski",
    "leave_one_session_out",
    "obuchowski",
    "session_chi2",
    "session_non_inferiority_p",
    "session_sample_growth",
    "session_sign_test",
    "session_sums",
    "session_t",
    "session_table",
    "sign_flip",
]
