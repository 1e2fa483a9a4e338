"""Which columns a log's rows can fill, for each `--as` word, and how each value is read."""

from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["text", "integer", "boolean", "span", "money", "status", "signed", "time"]


@dataclass(frozen=True, slots=True)
class Target:
    """What one `--as` word fills.

    Parameters
    ----------
    table : str
        The table the rows go to.
    columns : dict of str to Form
        Columns a mapping may fill; span = microseconds, money = millionths of a dollar,
        status = 100..599, time = read like `[time]`.
    required : tuple of str
        Columns that must be mapped or constant.
    clock : "needed" | "optional"
        Whether a row without a time can be a row.
    defaults : dict of str to str
        SQL for columns that are not mapped.
    """

    table: str
    columns: dict[str, Form]
    required: tuple[str, ...]
    clock: Literal["needed", "optional"]
    defaults: dict[str, str]


SIGNAL_COLUMNS: Final[dict[str, Form]] = {
    "exception_type": "text",
    "code": "text",
    "body_type": "text",
    "errno": "signed",
    "sqlstate": "text",
    "db_code": "text",
    "grpc_code": "text",
    "message": "text",
}

_ATTEMPT_COLUMNS: Final[dict[str, Form]] = {
    "request_id": "text",
    "attempt": "integer",
    "latency_us": "span",
    "ended": "boolean",
    "ok": "boolean",
    "role": "text",
    "service": "text",
    "model": "text",
    "operation": "text",
    "session_id": "text",
    "arm": "text",
    "status": "status",
    **SIGNAL_COLUMNS,
    "retry_after_us": "span",
    "maybe_executed": "boolean",
    "breaker_state": "text",
    "budget_left": "integer",
    "cache_hit": "boolean",
    "degraded": "boolean",
    "tokens_in": "integer",
    "tokens_out": "integer",
    "cost_microusd": "money",
    "policy_hash": "text",
    "strategy": "text",
    "granularity": "text",
}
_ATTEMPT_DEFAULTS: Final[dict[str, str]] = {"role": "'user'", "granularity": "'request'", "ended": "TRUE"}

ROLES: Final = ("user", "shadow", "probe", "canary")
GRANULARITIES: Final = ("attempt", "request")
PAIR_STATES: Final = ("eligible", "mirrored", "answered", "compared")
WORDS: Final[dict[str, tuple[str, ...]]] = {"role": ROLES, "granularity": GRANULARITIES, "state": PAIR_STATES}

TARGETS: Final[dict[str, Target]] = {
    "attempts": Target("attempts", _ATTEMPT_COLUMNS, (), "optional", _ATTEMPT_DEFAULTS),
    "events": Target("attempts", _ATTEMPT_COLUMNS, (), "needed", _ATTEMPT_DEFAULTS),
    # An arm of an experiment must never count as the service's own availability, so its role is canary.
    "arms": Target("attempts", _ATTEMPT_COLUMNS, ("arm", "ok"), "optional", {**_ATTEMPT_DEFAULTS, "role": "'canary'"}),
    "minutes": Target("samples", {"service": "text", "n": "integer"}, (), "needed", {}),
    "pairs": Target(
        "pairs",
        {
            "pair_id": "text",
            "experiment": "text",
            "request_id": "text",
            "session_id": "text",
            "turn": "integer",
            "segment": "text",
            "primary_variant": "text",
            "primary_action": "text",
            "primary_ok": "boolean",
            "primary_latency_us": "span",
            "primary_cost_microusd": "money",
            "primary_flags": "text",
            "shadow_variant": "text",
            "shadow_action": "text",
            "shadow_ok": "boolean",
            "shadow_latency_us": "span",
            "shadow_cost_microusd": "money",
            "shadow_flags": "text",
            "state": "text",
            "differs": "boolean",
            "differs_baseline": "boolean",
            "primary_first": "boolean",
            "step": "integer",
        },
        ("pair_id", "experiment", "primary_ok", "shadow_ok"),
        "optional",
        {"state": "'compared'"},
    ),
    "faults": Target("faults", {"label": "text", "service": "text", "ts_end": "time"}, ("label",), "needed", {}),
    "probes": Target(
        "probes",
        {"service": "text", "up": "boolean", "status": "status", "latency_us": "span"},
        ("service", "up"),
        "needed",
        {},
    ),
}
