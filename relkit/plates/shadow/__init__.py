"""Pictures and tables of the shadow page, a subject a module."""

from relkit.plates.shadow.book import (
    experiments_table,
    header_table,
    ledger_table,
    sensitivity_table,
    sign_off_table,
)
from relkit.plates.shadow.gate import guardrails_table, rules_table
from relkit.plates.shadow.latency import latency_table, shift_plate
from relkit.plates.shadow.noise import baseline_plate
from relkit.plates.shadow.parts import actions_table, disagreements_table, forest_plate, influence_table, sessions_plate
from relkit.plates.shadow.path import looks_table, path_plate
from relkit.plates.shadow.power import power_table
from relkit.plates.shadow.quality import funnel_plate, quality_table
from relkit.plates.shadow.verdict import experiment_plate, methods_table, pairs_2x2_plate, plan_test_table

__all__ = [
    "actions_table",
    "baseline_plate",
    "disagreements_table",
    "experiment_plate",
    "experiments_table",
    "forest_plate",
    "funnel_plate",
    "guardrails_table",
    "header_table",
    "influence_table",
    "latency_table",
    "ledger_table",
    "looks_table",
    "methods_table",
    "pairs_2x2_plate",
    "path_plate",
    "plan_test_table",
    "power_table",
    "quality_table",
    "rules_table",
    "sensitivity_table",
    "sessions_plate",
    "shift_plate",
    "sign_off_table",
]
