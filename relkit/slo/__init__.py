"""Are we within budget? Objectives, minutes of counts, error budgets, burn rates, uptime.

Names are loaded when they are first used: a running service reads its objectives without loading numpy. `burn`,
`forecast` and `plan_figures` are modules of this room, and the functions of the same names live in them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from relkit.slo.budget import ErrorBudget, error_budget, requests_to_decide, share_digits, verdict
    from relkit.slo.budget_policy import Clause, policy_clauses
    from relkit.slo.burn import TIERS, Tier, burn_of_shares, episodes, over, threshold_reachable, tiers_for
    from relkit.slo.cost import CostCell, CostLine, Costs, cost_of
    from relkit.slo.exclusions import Exclusion, leave_out
    from relkit.slo.forecast import Forecast, exhaustion_minutes
    from relkit.slo.groups import Group, added
    from relkit.slo.levels import Levels
    from relkit.slo.minutes import Gap, Minutes, MinuteShares, Totals, covered_minutes, gap_text, is_dead, silence_limit
    from relkit.slo.objective import DEFAULT_EXCLUDED, NEVER_EXCLUDED, Objective, window_of
    from relkit.slo.percentiles import Latency, latency_of, rank_interval
    from relkit.slo.plan_figures import plan_costs
    from relkit.slo.service import Goal, Service, goal_of, headline, leading_shares
    from relkit.slo.slices import in_slices
    from relkit.slo.span import LogSpan, data_verdict
    from relkit.slo.traps import Traps, trap_lines
    from relkit.slo.uptime import Uptime, time_weighted

_HOMES: Final = {
    "ErrorBudget": "relkit.slo.budget",
    "error_budget": "relkit.slo.budget",
    "requests_to_decide": "relkit.slo.budget",
    "share_digits": "relkit.slo.budget",
    "verdict": "relkit.slo.budget",
    "Clause": "relkit.slo.budget_policy",
    "policy_clauses": "relkit.slo.budget_policy",
    "TIERS": "relkit.slo.burn",
    "Tier": "relkit.slo.burn",
    "burn_of_shares": "relkit.slo.burn",
    "episodes": "relkit.slo.burn",
    "over": "relkit.slo.burn",
    "threshold_reachable": "relkit.slo.burn",
    "tiers_for": "relkit.slo.burn",
    "CostCell": "relkit.slo.cost",
    "CostLine": "relkit.slo.cost",
    "Costs": "relkit.slo.cost",
    "cost_of": "relkit.slo.cost",
    "Exclusion": "relkit.slo.exclusions",
    "leave_out": "relkit.slo.exclusions",
    "Forecast": "relkit.slo.forecast",
    "exhaustion_minutes": "relkit.slo.forecast",
    "Group": "relkit.slo.groups",
    "added": "relkit.slo.groups",
    "Levels": "relkit.slo.levels",
    "Gap": "relkit.slo.minutes",
    "Minutes": "relkit.slo.minutes",
    "MinuteShares": "relkit.slo.minutes",
    "Totals": "relkit.slo.minutes",
    "covered_minutes": "relkit.slo.minutes",
    "gap_text": "relkit.slo.minutes",
    "is_dead": "relkit.slo.minutes",
    "silence_limit": "relkit.slo.minutes",
    "DEFAULT_EXCLUDED": "relkit.slo.objective",
    "NEVER_EXCLUDED": "relkit.slo.objective",
    "Objective": "relkit.slo.objective",
    "window_of": "relkit.slo.objective",
    "Latency": "relkit.slo.percentiles",
    "latency_of": "relkit.slo.percentiles",
    "rank_interval": "relkit.slo.percentiles",
    "plan_costs": "relkit.slo.plan_figures",
    "Goal": "relkit.slo.service",
    "Service": "relkit.slo.service",
    "goal_of": "relkit.slo.service",
    "headline": "relkit.slo.service",
    "leading_shares": "relkit.slo.service",
    "in_slices": "relkit.slo.slices",
    "LogSpan": "relkit.slo.span",
    "data_verdict": "relkit.slo.span",
    "Traps": "relkit.slo.traps",
    "trap_lines": "relkit.slo.traps",
    "Uptime": "relkit.slo.uptime",
    "time_weighted": "relkit.slo.uptime",
}

__all__ = [
    "DEFAULT_EXCLUDED",
    "NEVER_EXCLUDED",
    "TIERS",
    "Clause",
    "CostCell",
    "CostLine",
    "Costs",
    "ErrorBudget",
    "Exclusion",
    "Forecast",
    "Gap",
    "Goal",
    "Group",
    "Latency",
    "Levels",
    "LogSpan",
    "MinuteShares",
    "Minutes",
    "Objective",
    "Service",
    "Tier",
    "Totals",
    "Traps",
    "Uptime",
    "added",
    "burn_of_shares",
    "cost_of",
    "covered_minutes",
    "data_verdict",
    "episodes",
    "error_budget",
    "exhaustion_minutes",
    "gap_text",
    "goal_of",
    "headline",
    "in_slices",
    "is_dead",
    "latency_of",
    "leading_shares",
    "leave_out",
    "over",
    "plan_costs",
    "policy_clauses",
    "rank_interval",
    "requests_to_decide",
    "share_digits",
    "silence_limit",
    "threshold_reachable",
    "tiers_for",
    "time_weighted",
    "trap_lines",
    "verdict",
    "window_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
