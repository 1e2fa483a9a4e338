"""Pictures and tables of the SLO page, a module for each subject."""

from relkit.plates.slo.axes import days_axis
from relkit.plates.slo.budget import budget_plate
from relkit.plates.slo.burn import burn_plate
from relkit.plates.slo.cost import cost_table, plan_cost_table
from relkit.plates.slo.latency import latency_table
from relkit.plates.slo.objectives import exclusions_table, levels_table, objective_text, objectives_table
from relkit.plates.slo.outlook import outlook_plate, policy_table
from relkit.plates.slo.plan import plan_slo_table
from relkit.plates.slo.series import series_plate

__all__ = [
    "budget_plate",
    "burn_plate",
    "cost_table",
    "days_axis",
    "exclusions_table",
    "latency_table",
    "levels_table",
    "objective_text",
    "objectives_table",
    "outlook_plate",
    "plan_cost_table",
    "plan_slo_table",
    "policy_table",
    "series_plate",
]
