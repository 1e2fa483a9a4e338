"""How a page is published: parameters, running, checking, and moving one link; nothing else knows papermill."""

from relkit.report.alerts import read_alert_history
from relkit.report.gather import (
    read_change,
    read_error_log,
    read_failures,
    read_groups,
    read_log,
    read_service,
    read_tries,
)
from relkit.report.scope import Scope, begin
from relkit.report.shadow import (
    characteristics_of,
    checks_of,
    decide_shadow,
    judge_shadow,
    read_disagreements,
    read_experiments,
    read_study,
    rules_of,
)
from relkit.report.slo import read_costs, read_levels, read_outlook
from relkit.report.tuning import read_tuning

__all__ = [
    "Scope",
    "begin",
    "characteristics_of",
    "checks_of",
    "decide_shadow",
    "judge_shadow",
    "read_alert_history",
    "read_change",
    "read_costs",
    "read_disagreements",
    "read_error_log",
    "read_experiments",
    "read_failures",
    "read_groups",
    "read_levels",
    "read_log",
    "read_outlook",
    "read_service",
    "read_study",
    "read_tries",
    "read_tuning",
    "rules_of",
]
