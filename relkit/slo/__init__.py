"""Are we within budget? Objectives, minutes of counts, error budgets, burn rates, uptime.

The functions `burn` and `forecast` hide the modules of the same names: write `from relkit.slo.burn import ...` for the others.
"""

from relkit.slo.budget import ErrorBudget, error_budget, requests_to_decide, share_digits, verdict
from relkit.slo.budget_policy import Clause, policy_clauses
from relkit.slo.burn import TIERS, Tier, burn, burn_of_shares, episodes, over, threshold_reachable, tiers_for
from relkit.slo.cost import CostCell, CostLine, Costs, cost_of
from relkit.slo.exclusions import Exclusion, leave_out
from relkit.slo.forecast import Forecast, exhaustion_minutes, forecast
from relkit.slo.groups import Group, added
from relkit.slo.levels import Levels
from relkit.slo.minutes import Gap, Minutes, MinuteShares, Totals, covered_minutes, gap_text, is_dead, silence_limit
from relkit.slo.objective import DEFAULT_EXCLUDED, NEVER_EXCLUDED, Objective, window_of
from relkit.slo.percentiles import Latency, latency_of, rank_interval
from relkit.slo.plan_figures import plan_costs, plan_figures
from relkit.slo.service import Goal, Service, headline, leading_shares
from relkit.slo.slices import in_slices
from relkit.slo.span import LogSpan, data_verdict
from relkit.slo.traps import Traps, trap_lines
from relkit.slo.uptime import Uptime, time_weighted

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
    "burn",
    "burn_of_shares",
    "cost_of",
    "covered_minutes",
    "data_verdict",
    "episodes",
    "error_budget",
    "exhaustion_minutes",
    "forecast",
    "gap_text",
    "headline",
    "in_slices",
    "is_dead",
    "latency_of",
    "leading_shares",
    "leave_out",
    "over",
    "plan_costs",
    "plan_figures",
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
