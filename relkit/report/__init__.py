"""How a page is published: parameters, running, checking, and moving one link; nothing else knows papermill."""

from relkit.report.gather import (
    judge_shadow,
    margin_of,
    read_error_log,
    read_experiment,
    read_failures,
    read_groups,
    read_log,
    read_service,
)
from relkit.report.scope import Scope, begin

__all__ = [
    "Scope",
    "begin",
    "judge_shadow",
    "margin_of",
    "read_error_log",
    "read_experiment",
    "read_failures",
    "read_groups",
    "read_log",
    "read_service",
]
