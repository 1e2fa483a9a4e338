"""relkit: from your request log to the thresholds you should deploy, with error bars.

Names are loaded when they are first used, so that importing relkit is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from relkit.errors import Classification, ErrorKind, classify
    from relkit.errors.redact import redact
    from relkit.exceptions import RelkitError
    from relkit.live.pipeline import Pipeline
    from relkit.plates import Plate
    from relkit.policies.guard import Breaker
    from relkit.policies.policy import Policy
    from relkit.policies.presets import presets
    from relkit.policies.purse import RetryBudget
    from relkit.policies.retry_settings import Retry
    from relkit.simulation.calibrate import calibrate
    from relkit.simulation.drive import drive
    from relkit.simulation.replay import replay
    from relkit.simulation.run import simulate
    from relkit.simulation.scenario import Scenario
    from relkit.slo import ErrorBudget, Objective
    from relkit.slo.alerts import AlertRule
    from relkit.store import ingest_file as ingest
    from relkit.store import open_store
    from relkit.tune.choose import choose
    from relkit.tune.sweep import sweep
    from relkit.verdict import Verdict

_HOMES: Final = {
    "AlertRule": "relkit.slo.alerts",
    "Breaker": "relkit.policies.guard",
    "Classification": "relkit.errors",
    "ErrorBudget": "relkit.slo",
    "ErrorKind": "relkit.errors",
    "Objective": "relkit.slo",
    "Pipeline": "relkit.live.pipeline",
    "Plate": "relkit.plates",
    "Policy": "relkit.policies.policy",
    "RelkitError": "relkit.exceptions",
    "Retry": "relkit.policies.retry_settings",
    "RetryBudget": "relkit.policies.purse",
    "Scenario": "relkit.simulation.scenario",
    "Verdict": "relkit.verdict",
    "calibrate": "relkit.simulation.calibrate",
    "choose": "relkit.tune.choose",
    "classify": "relkit.errors",
    "drive": "relkit.simulation.drive",
    "ingest": "relkit.store:ingest_file",
    "open_store": "relkit.store",
    "presets": "relkit.policies.presets",
    "redact": "relkit.errors.redact",
    "replay": "relkit.simulation.replay",
    "simulate": "relkit.simulation.run",
    "sweep": "relkit.tune.sweep",
}
_ROOMS: Final = frozenset(
    {
        "config",
        "errors",
        "live",
        "plates",
        "policies",
        "report",
        "serve",
        "shadow",
        "simulation",
        "slo",
        "store",
        "tune",
    }
)

__all__ = [
    "AlertRule",
    "Breaker",
    "Classification",
    "ErrorBudget",
    "ErrorKind",
    "Objective",
    "Pipeline",
    "Plate",
    "Policy",
    "RelkitError",
    "Retry",
    "RetryBudget",
    "Scenario",
    "Verdict",
    "calibrate",
    "choose",
    "classify",
    "drive",
    "ingest",
    "open_store",
    "presets",
    "redact",
    "replay",
    "simulate",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        return getattr(import_module(module), attribute or name)
    if name in _ROOMS:
        return import_module(f"relkit.{name}")
    raise AttributeError(f"module 'relkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
