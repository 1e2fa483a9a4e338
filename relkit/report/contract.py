"""What each notebook takes and must show.

The launcher checks parameters before a kernel starts and the outputs before a page is published; the notebook's
setup cell checks the parameters again, so that plain papermill is safe too (it accepts a misspelt name).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.period import period_of

DEMO_WEEK: Final = "2026-W47"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One notebook parameter: type, default, meaning, and a check that raises ParameterError."""

    kind: type
    default: str | int | float | bool
    meaning: str
    check: Callable[[Any], object] | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What one notebook answers, takes and must show.

    Parameters
    ----------
    notebook : str
        File name without its ending.
    title, question : str
        Head of its page.
    parameters : mapping of str to Parameter
        What may be passed.
    shows : frozenset of str
        Names of the plates and tables a run must show.
    verdicts : frozenset of str
        Areas of the verdicts it must reach.
    """

    notebook: str
    title: str
    question: str
    parameters: Mapping[str, Parameter]
    shows: frozenset[str]
    verdicts: frozenset[str]


def _share(name: str) -> Callable[[Any], object]:
    def check(value: float) -> None:
        if not 0 < value < 1:
            raise ParameterError.of(name, value, "a share between 0 and 1, both excluded", "write 0.95 for 95 %")

    return check


def _preset(name: str) -> None:
    if name:
        from relkit.policies.presets import presets  # noqa: PLC0415  few notebooks need them

        presets[name]  # refuses a name that is none


def _goal(text: str) -> None:
    if text:
        from relkit.tune.goal import Goal  # noqa: PLC0415  few notebooks need it

        Goal.parse(text)


_COMMON: Final[dict[str, Parameter]] = {
    "database": Parameter(str, "", "DuckDB file; empty = the demo week"),
    "week": Parameter(str, DEMO_WEEK, "ISO week such as 2026-W47, or all", period_of),
    "config": Parameter(str, "", "relkit.toml; empty = the packaged objectives"),
    "level": Parameter(float, 0.95, "confidence level of every interval", _share("level")),
}

CONTRACTS: Final[dict[str, Contract]] = {
    contract.notebook: contract
    for contract in (
        Contract(
            "6_weekly",
            "The week in one page",
            "What must I know about this week, and what should I change?",
            _COMMON,
            frozenset({"availability_week", "biggest_causes", "shadow_difference"}),
            frozenset({"data", "slo", "errors", "shadow"}),
        ),
        Contract(
            "4_slo",
            "Objectives, budget and burn",
            "Did we keep the objectives, and how fast did the error budget burn?",
            _COMMON,
            frozenset(
                {"objectives", "outlook", "policy", "budget", "levels", "exclusions", "burn", "services", "models"}
            )
            | {"latency", "costs", "plan_slo", "plan_costs"}
            | {"pages", "incidents", "scores", "alert_sets", "better_alerts", "alert_rules"},
            frozenset({"data", "slo", "tuning"}),
        ),
        Contract(
            "1_errors",
            "What failed",
            "Which errors came, how often, may they be retried, and how far can the answers be trusted?",
            _COMMON,
            frozenset({"kinds", "kind_table", "errors_by_hour", "retryability", "coverage", "fingerprint_table"})
            | {"rules_diff", "mistakes", "decisions", "sdks"},
            frozenset({"data", "errors"}),
        ),
        Contract(
            "2_retries",
            "Do retries help, or feed the storm?",
            "What did retries bring this week, what would they do in a storm, and which way to retry is worth it?",
            {
                **_COMMON,
                "load": Parameter(
                    float, 0.7, "share of its capacity that a service is busy without retries", _share("load")
                ),
            },
            frozenset({"tries", "amplification", "storm", "phase", "strategies", "money"}),
            frozenset({"data", "tuning"}),
        ),
        Contract(
            "3_breakers",
            "Which breaker settings, and how sure?",
            "Which settings should I deploy on this traffic, what do they buy, and how sure is that?",
            {
                **_COMMON,
                "today": Parameter(
                    str, "", "preset in force; empty = the default service of the config, else plan-fixed", _preset
                ),
                "goal": Parameter(
                    str, "", "what is wanted, in words; empty = few wasted calls, success as today", _goal
                ),
                "interactive": Parameter(bool, False, "whether to show live sliders instead of a still picture"),
            },
            frozenset({"your_traffic", "checks", "today", "reach", "detection", "front", "regret", "heat"})
            | {"sensitivity", "choice", "trial", "last_week", "replayed", "calendar", "export", "settings_text"},
            frozenset({"data", "tuning"}),
        ),
        Contract(
            "5_shadow_ab",
            "May the shadow go live?",
            "Is the shadow as good as the primary, and how sure are we?",
            {
                **_COMMON,
                "experiment": Parameter(str, "", "name of the experiment; empty = the one with most pairs"),
                "protocol": Parameter(str, "", "registered protocol; empty = none was registered"),
            },
            frozenset(
                {
                    "header",
                    "experiments",
                    "pairs_2x2",
                    "difference",
                    "methods",
                    "sessions",
                    "influence",
                    "path",
                    "looks",
                }
            )
            | {"funnel", "data_quality", "baseline", "latency_shift", "latency", "guardrails", "segments", "actions"}
            | {"disagreements", "power", "sensitivity", "ledger", "rules", "plan_test", "sign_off"},
            frozenset({"data", "shadow"}),
        ),
        Contract(
            "7_plan_audit",
            "The plan, audited",
            "What would the reliability plan have done, word for word, and what instead?",
            {"level": _COMMON["level"]},  # it reads no log
            frozenset({"defects", "policies", "before_after", "threshold", "detection", "health_check", "schedule"})
            | {"z_test", "peeking", "doubts"}
            | {f"{section}_numbers" for section in ("errors", "retries", "breakers", "shadow", "objectives")},
            frozenset({"tuning"}),
        ),
    )
}


def contract_of(notebook: str) -> Contract:
    """Return the contract of a notebook by name.

    Raises
    ------
    ParameterError
        There is no such notebook.
    """
    if notebook not in CONTRACTS:
        raise ParameterError.of("notebook", notebook, ", ".join(CONTRACTS), "name one of these")
    return CONTRACTS[notebook]


def check_parameters(notebook: str, given: Mapping[str, object]) -> dict[str, Any]:
    """Check parameters against the contract and fill in the defaults.

    Parameters
    ----------
    notebook : str
        File name without its ending.
    given : mapping
        Names and values as they came.

    Returns
    -------
    dict
        Every parameter of the notebook.

    Raises
    ------
    ParameterError
        Misspelt name (with the nearest one), wrong type, or out of range.

    Examples
    --------
    >>> check_parameters("6_weekly", {"wek": "2026-W47"})
    Traceback (most recent call last):
    ...
    relkit.exceptions.ParameterError: 6_weekly has no parameter 'wek'; did you mean week? (it takes database, week, config, level)
    """
    known = contract_of(notebook).parameters
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ";"
            raise ParameterError(f"{notebook} has no parameter {name!r}{hint} (it takes {', '.join(known)})")
    checked: dict[str, Any] = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        if parameter.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not parameter.kind:
            raise ParameterError.of(
                name,
                value,
                f"{parameter.kind.__name__} ({parameter.meaning})",
                f"pass a {parameter.kind.__name__}, not a {type(value).__name__}",
            )
        if parameter.check is not None:
            parameter.check(value)
        checked[name] = value
    return checked
