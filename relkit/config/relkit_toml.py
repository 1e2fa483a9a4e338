"""relkit.toml: the one file that says which objectives hold, what a call costs, what its errors mean and how the report is made.

Every key is known or an error: a misspelt key that is silently ignored is a setting that silently does not hold.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from relkit.config.services import DEFAULT, read_services
from relkit.config.toml_text import parsed_toml
from relkit.errors.kinds import ErrorKind
from relkit.errors.rules import RuleSet, load_rules
from relkit.exceptions import ParameterError
from relkit.policies.policy import Policy
from relkit.policies.rollout import RolloutSchedule
from relkit.prices import Price
from relkit.shadow.margins import Margins
from relkit.slo.objective import DEFAULT_EXCLUDED, Objective
from relkit.units import SECONDS_PER_MINUTE
from relkit.verdict import CODES

_DEFAULTS: Final = "default.toml"


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """What a shadow experiment is held to.

    Parameters
    ----------
    margin : float
        Largest loss of the success share that is still acceptable, in (0, 1): 0.01 = one percentage point.
    schedule : RolloutSchedule or None
        When which share of the traffic begins, in seconds since 1970 UTC; None when the shadow never takes traffic.
    difference_margin, latency_margin, cost_margin, flag_margin : float or None
        What the guardrails may lose; None = relkit's own margins.

    >>> ShadowPlan(margin=0.01).margins.latency
    0.1
    """

    margin: float
    schedule: RolloutSchedule | None = None
    difference_margin: float | None = None
    latency_margin: float | None = None
    cost_margin: float | None = None
    flag_margin: float | None = None

    @property
    def margins(self) -> Margins:
        """Every margin, relkit's own where none is set."""
        own = Margins()
        return Margins(
            errors=self.margin,
            differences=own.differences if self.difference_margin is None else self.difference_margin,
            latency=own.latency if self.latency_margin is None else self.latency_margin,
            cost=own.cost if self.cost_margin is None else self.cost_margin,
            flags=own.flags if self.flag_margin is None else self.flag_margin,
        )


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """How the report is made.

    Parameters
    ----------
    zone : str
        IANA time zone in which a reader's days and weeks begin.
    guardrails : tuple of str
        Objectives, shadow experiments or verdict areas; a MISSED or ROLL_BACK of one of them makes the exit code 3.

    >>> ReportSettings().zone
    'UTC'
    """

    zone: str = "UTC"
    guardrails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a relkit.toml says, checked.

    Parameters
    ----------
    objectives : tuple of Objective
        In the order of the file.
    shadow : mapping of str to ShadowPlan
        Experiment to what it is held to.
    prices : mapping of str to Price
        Model to its price.
    report : ReportSettings
        How the report is made.
    rules : RuleSet
        relkit's own table of rules with the file's `[[rule]]` laid over it.
    services : mapping of str to Policy
        Service to its settings; `default` holds for every other.

    >>> [objective.name for objective in load_config(None).objectives]
    ['availability', 'latency']
    """

    objectives: tuple[Objective, ...]
    shadow: Mapping[str, ShadowPlan] = field(default_factory=lambda: MappingProxyType({}))
    prices: Mapping[str, Price] = field(default_factory=lambda: MappingProxyType({}))
    report: ReportSettings = ReportSettings()
    rules: RuleSet = field(default_factory=load_rules)
    services: Mapping[str, Policy] = field(default_factory=lambda: MappingProxyType({}))

    def service(self, name: str = DEFAULT) -> Policy:
        """Return the settings of a service: its own, or those of `[service.default]`.

        Raises
        ------
        ParameterError
            When the file has neither.
        """
        found = self.services.get(name) or self.services.get(DEFAULT)
        if found is None:
            known = ", ".join(self.services) or "none is there"
            raise ParameterError.of("service", name, known, f'write [service.{DEFAULT}] or [service."{name}"]')
        return found


class _Table(BaseModel):
    # strict: "7" is no number and 7.0 no count; a border that guesses cannot say what it read.
    model_config = ConfigDict(extra="forbid", strict=True)


class _ObjectiveTable(_Table):
    target: str
    window_days: int = 30
    threshold_ms: Annotated[int, Field(ge=1, le=10**9)] | None = None
    exclude: list[str] | None = None
    service: str | None = None
    calendar: Literal["week", "month", "quarter"] | None = None
    method: Literal["occurrences", "time_slices", "ratio_time_slices"] = "occurrences"
    slice_s: Annotated[int, Field(ge=60, le=86_400, multiple_of=60)] = 60
    slice_target: str | None = None
    degraded: Literal["good", "bad"] = "good"

    @field_validator("target", "slice_target", mode="before")
    @classmethod
    def _as_text(cls, given: object, told: ValidationInfo) -> object:
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        if is_number:
            raise ValueError(f'write it as text, {told.field_name} = "{given}": a binary float is not the exact share')
        return given


_Margin = Annotated[float, Field(gt=0, lt=1)]


class _StepTable(_Table):
    at: datetime
    share: Annotated[float, Field(gt=0, le=1)]

    @field_validator("at")
    @classmethod
    def _with_zone(cls, given: datetime) -> datetime:
        if given.tzinfo is None:
            raise ValueError("say which zone, e.g. 2026-11-16T10:00:00Z")
        return given


class _ShadowTable(_Table):
    margin: _Margin
    schedule: Annotated[list[_StepTable], Field(min_length=1)] | None = None
    difference_margin: _Margin | None = None
    latency_margin: _Margin | None = None
    cost_margin: _Margin | None = None
    flag_margin: _Margin | None = None


class _PriceTable(_Table):
    input_usd_per_million: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    output_usd_per_million: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _ReportTable(_Table):
    zone: str = "UTC"
    guardrails: list[str] = []

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (KeyError, ValueError, OSError):  # unknown names, paths that lead elsewhere, folders
            raise ValueError("name an IANA time zone, e.g. Europe/Berlin or UTC") from None
        return given


class _File(_Table):
    objective: dict[str, _ObjectiveTable] = {}
    shadow: dict[str, _ShadowTable] = {}
    prices: dict[str, _PriceTable] = {}
    report: _ReportTable = _ReportTable()
    service: dict[str, dict[str, Any]] = {}  # read, and checked, in services.py
    rule: list[dict[str, Any]] = []  # read, and checked, where the rules are at home


_TABLES: Final[dict[str, type[_Table]]] = {
    "objective": _ObjectiveTable,
    "shadow": _ShadowTable,
    "prices": _PriceTable,
    "report": _ReportTable,
}


def load_config(path: Path | None) -> Config:
    """Read a relkit.toml, or the packaged defaults.

    Parameters
    ----------
    path : Path or None
        The file. None: availability 99.9 % and 95 % of requests within 2,000 ms, both over 30 days. A file without any
        objective keeps these two; a file with one has just its own.

    Returns
    -------
    Config
        Checked records; nothing of the file's own types gets further than this module.

    Raises
    ------
    ParameterError
        Naming the file and the line of broken TOML, or the file, the key and what to do instead.

    Examples
    --------
    >>> availability = load_config(None).objectives[0]
    >>> availability.target_text, availability.window_days
    ('99.9 %', 30)
    """
    defaults = _objectives(_DEFAULTS, _checked(_DEFAULTS, files("relkit.config").joinpath(_DEFAULTS).read_bytes()))
    if path is None:
        return Config(defaults)
    try:
        written = path.read_bytes()
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror}); name a relkit.toml, or none") from error
    tables = _checked(str(path), written)
    objectives = _objectives(str(path), tables) or defaults
    _check_guardrails(str(path), tables, objectives)
    return Config(
        objectives,
        MappingProxyType({name: _shadow(str(path), name, table) for name, table in tables.shadow.items()}),
        MappingProxyType({name: Price(**table.model_dump()) for name, table in tables.prices.items()}),
        ReportSettings(tables.report.zone, tuple(tables.report.guardrails)),
        load_rules().with_rules(*tables.rule, layer=str(path), text=written.decode("utf-8-sig")),
        MappingProxyType(read_services(tables.service, str(path))),
    )


def _checked(source: str, written: bytes) -> _File:
    """Parse and validate, and say every fault in the file's own words."""
    parsed = parsed_toml(source, written)
    try:
        return _File.model_validate(parsed)
    except ValidationError as error:
        faults = [_fault(dict(fault)) for fault in error.errors(include_url=False)]
        raise ParameterError(f"{source}: " + "; ".join(faults)) from error


def _fault(fault: dict[str, Any]) -> str:
    """Write one of pydantic's findings with the key as it stands in the file."""
    loc = [str(part) for part in fault["loc"]]
    key = ".".join(loc)
    if fault["type"] == "extra_forbidden":
        return f"unknown key {key}{_did_you_mean(loc[-1], _known_keys(loc[:-1]))}"
    if fault["type"] == "missing":
        return f"{key} is missing"
    if fault["type"] in {"model_type", "dict_type"}:
        named = loc[0] in _TABLES and loc[0] != "report"
        return f"{key} = {fault['input']!r} is no section; write [{loc[0]}{'.NAME' if named else ''}] and its keys below it"
    text = fault["msg"].removeprefix("Value error, ")
    return f"{key} = {fault['input']!r} is not acceptable: {text[:1].lower()}{text[1:]}"


def _known_keys(parents: list[str]) -> list[str]:
    if "schedule" in parents[2:]:
        return list(_StepTable.model_fields)
    return list((_TABLES[parents[0]] if parents else _File).model_fields)


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.65)  # below it "service" would suggest "prices"
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(known)})"


def _objectives(source: str, tables: _File) -> tuple[Objective, ...]:
    return tuple(_objective(source, name, table) for name, table in tables.objective.items())


def _objective(source: str, name: str, table: _ObjectiveTable) -> Objective:
    if table.threshold_ms is None and "latency" in name.lower():
        raise ParameterError(
            f"{source}: objective.{name}: a latency objective needs threshold_ms, e.g. threshold_ms = 2000"
        )
    if table.calendar is not None and "window_days" in table.model_fields_set:
        raise ParameterError(
            f"{source}: objective.{name}: a window rolls (window_days) or follows the calendar; take one of the two out"
        )
    threshold_us = None if table.threshold_ms is None else table.threshold_ms * 1000
    excluded = DEFAULT_EXCLUDED if table.exclude is None else frozenset(table.exclude)
    kinds = [str(kind) for kind in ErrorKind]
    for kind in sorted(excluded.difference(kinds)):
        # A misspelt kind would exclude nothing and say nothing.
        raise ParameterError(
            f"{source}: objective.{name}.exclude: no error kind is called {kind!r}{_did_you_mean(kind, kinds)}"
        )
    try:
        return Objective(
            name,
            table.target,
            table.window_days,
            threshold_us,
            excluded,
            table.service,
            calendar=table.calendar,
            method=table.method,
            slice_minutes=table.slice_s // SECONDS_PER_MINUTE,
            slice_target=table.slice_target,
            degraded=table.degraded,
        )
    except ParameterError as error:
        raise ParameterError(f"{source}: objective.{name}: {error}") from error


def _shadow(source: str, name: str, table: _ShadowTable) -> ShadowPlan:
    steps = table.schedule
    try:
        schedule = (
            RolloutSchedule(tuple(step.at.timestamp() for step in steps), tuple(step.share for step in steps))
            if steps
            else None
        )
    except ParameterError as error:
        raise ParameterError(f"{source}: shadow.{name}.schedule: {error}") from error
    return ShadowPlan(
        table.margin, schedule, table.difference_margin, table.latency_margin, table.cost_margin, table.flag_margin
    )


def _check_guardrails(source: str, tables: _File, objectives: tuple[Objective, ...]) -> None:
    """Refuse a guardrail that guards nothing: it would never be broken."""
    known = [objective.name for objective in objectives] + list(tables.shadow) + list(CODES)
    for name in tables.report.guardrails:
        if name not in known:
            raise ParameterError(f"{source}: report.guardrails: nothing is called {name!r}{_did_you_mean(name, known)}")
