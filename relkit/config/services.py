"""The services of a relkit.toml: `[service.default]` and `[service."name"]`, read into policies and written from them.

A part is a table, `breaker = { preset = "pybreaker", open_s = 30.0 }`: the preset's settings with some replaced, or
relkit's defaults where no preset is named. A part that a named service does not have is that of `[service.default]`.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, Final

from relkit.config.foreign import Refusal, RefusedExportError
from relkit.exceptions import ParameterError
from relkit.policies.codes import CHOICES
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import BUDGETS, RetryBudgetSettings
from relkit.policies.retry_settings import ORDERS, RETRY_CHOICES, Retry, RetrySettings

NAME: Final = "relkit"
DEFAULT: Final = "default"
PARTS: Final = ("breaker", "retry", "retry_budget", "fallback", "freshness")
_LOOPS: Final = ("transient", "rate_limited", "critical")
_Plain = BreakerSettings | RetrySettings | RetryBudgetSettings | FreshnessSettings
_PLAIN: Final[dict[str, type[_Plain]]] = {
    "breaker": BreakerSettings,
    "retry": RetrySettings,
    "retry_budget": RetryBudgetSettings,
    "freshness": FreshnessSettings,
}
_WORDS: Final = {**CHOICES, **RETRY_CHOICES, "budget_family": BUDGETS}


def read_services(tables: Mapping[str, Any], source: str) -> dict[str, Policy]:
    """Read the section `service` of a relkit.toml.

    Parameters
    ----------
    tables : mapping of str to table
        Service to its parts, as tomllib reads them.
    source : str
        Name of the file, for errors.

    Returns
    -------
    dict of str to Policy

    Raises
    ------
    ParameterError
        For a key that is unknown, with the nearest that is known, and a value that no setting takes.

    Examples
    --------
    >>> read_services({"default": {"breaker": {"preset": "pybreaker", "open_s": 30.0}}}, "relkit.toml")["default"].breaker.open_s
    30.0
    """
    common = _parts(tables.get(DEFAULT, {}), f"{source}: service.{DEFAULT}")
    found = {}
    for name, table in tables.items():
        where = f"{source}: service.{name}"
        parts = common | _parts(table, where)
        try:
            found[name] = Policy(name, "", source, **parts)
        except ParameterError as error:
            raise ParameterError(f"{where}: {error}") from error
    return found


def _parts(given: object, where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ParameterError(f"{where} = {given!r} is no section; write [service.NAME] and its keys below it")
    found: dict[str, Any] = {}
    for part, table in given.items():
        if part not in PARTS:
            raise ParameterError(f"{where}: unknown key {part}{_nearest(part, PARTS)}")
        if not isinstance(table, dict):
            raise ParameterError(f'{where}.{part} = {table!r} is no table; write {part} = {{ preset = "..." }}')
        try:
            found[part] = _chain(table) if part == "fallback" else _part(part, dict(table))
        except ParameterError as error:
            raise ParameterError(f"{where}.{part}: {error}") from error
    return found


def _part(part: str, table: dict[str, Any]) -> object:
    base: Any = None
    name = table.pop("preset", None)
    if name is not None:
        base = getattr(presets[name], part)
        if base is None:
            having = ", ".join(each for each, policy in presets.items() if getattr(policy, part) is not None)
            raise ParameterError.of("preset", name, having, f"take a preset that has a {part}")
    if part == "retry":
        return _retry(Retry.of(RetrySettings()) if base is None else base, table)
    return _changed(_PLAIN[part]() if base is None else base, table)


def _retry(retry: Retry, table: dict[str, Any]) -> Retry:
    loops = {each: table.pop(each) for each in _LOOPS if each in table}
    order = table.pop("order", None)
    if order is not None:
        if order not in ORDERS:
            raise ParameterError.of("order", order, ", ".join(ORDERS), "use one of these words")
        retry = replace(retry, order=ORDERS.index(order))
    _known(table, [*(field.name for field in fields(RetrySettings)), *_LOOPS, "order", "preset"])
    retry = retry.changed(**_typed(RetrySettings, table))
    return replace(retry, **{name: _changed(getattr(retry, name), given) for name, given in loops.items()})


def _changed(record: _Plain, table: Mapping[str, Any]) -> Any:
    _known(table, [*(field.name for field in fields(record)), "preset"])
    typed = _typed(type(record), table)
    if isinstance(record, FreshnessSettings):
        return replace(record, **typed)
    if isinstance(record, RetrySettings):
        return Retry.of(record).changed(**typed).transient
    return record.changed(**typed)


def _typed(kind: type[_Plain], table: Mapping[str, Any]) -> dict[str, Any]:
    """Let 30 be 30.0 where seconds or shares are meant; TOML, unlike Python, tells them apart."""
    floats = {field.name for field in fields(kind) if field.type is float}
    return {name: float(value) if name in floats and type(value) is int else value for name, value in table.items()}


def _chain(table: Mapping[str, Any]) -> FallbackSettings:
    _known(table, [field.name for field in fields(FallbackSettings)])
    rows = table.get("models")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ParameterError(f"models = {rows!r} is not acceptable: give a list of {{ name, provider, window_tokens }}")
    models = []
    for row in rows:
        _known(row, [field.name for field in fields(FallbackModel)])
        for key in ("name", "provider", "window_tokens"):
            if key not in row:
                raise ParameterError(f"a model has no {key}; write {key} = ...")
        models.append(FallbackModel(**row))
    return FallbackSettings(tuple(models), **{key: value for key, value in table.items() if key != "models"})


def _known(table: Mapping[str, Any], known: list[str]) -> None:
    for key in table:
        if key not in known:
            raise ParameterError(f"unknown key {key}{_nearest(key, known)}")


def _nearest(word: str, known: "list[str] | tuple[str, ...]") -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(known)})"


def service_text(policy: Policy, name: str = DEFAULT) -> str:
    """Write one service of a relkit.toml.

    Parameters
    ----------
    policy : Policy
        Its settings.
    name : str
        Of the service.

    Returns
    -------
    str
        Each part as the preset that is nearest to it and what differs; `read_services` gives the same settings back,
        each to the last digit.

    Examples
    --------
    >>> from relkit.policies.presets import changed
    >>> print(service_text(changed(presets["pybreaker"], open_s=30.0)), end="")
    # Written by relkit from pybreaker.
    [service.default]
    breaker = { preset = "pybreaker", open_s = 30.0 }
    """
    held = [part for part in PARTS if getattr(policy, part) is not None]
    if not held:
        raise RefusedExportError(NAME, [Refusal("policy", policy.name, "it has no settings")])
    key = name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)
    lines = [f"# Written by relkit from {policy.name}.", f"[service.{key}]"]
    lines += [f"{part} = {_inline(_table(part, getattr(policy, part)))}" for part in held]
    return "\n".join(lines) + "\n"


def _table(part: str, record: Any) -> dict[str, Any]:
    if part == "fallback":
        models = [{field.name: getattr(model, field.name) for field in fields(model)} for model in record.models]
        return {"models": models, "truncates": record.truncates, "uses_budget": record.uses_budget}
    plain: Any = Retry.of(RetrySettings()) if part == "retry" else _PLAIN[part]()
    tables = [_difference(record, plain)]
    for name, policy in presets.items():
        base = getattr(policy, part, None)
        if base is not None:
            tables.append({"preset": name} | _difference(record, base))
    # At equal length a preset says more than the defaults do.
    return (
        min(tables[1:], key=_size)
        if len(tables) > 1 and min(map(_size, tables[1:])) <= _size(tables[0]) + 1
        else tables[0]
    )


def _size(table: Mapping[str, Any]) -> int:
    return sum(1 + len(value) if isinstance(value, dict) else 1 for value in table.values())


def _difference(record: Any, base: Any) -> dict[str, Any]:
    if not isinstance(record, Retry):
        pairs = ((field.name, getattr(record, field.name)) for field in fields(record))
        return {name: _word(name, value) for name, value in pairs if value != getattr(base, name)}
    found: dict[str, Any] = {} if record.order == base.order else {"order": ORDERS[record.order]}
    each = [_difference(getattr(record, loop), getattr(base, loop)) for loop in _LOOPS]
    if each[0] == each[1] == each[2]:
        return found | each[0]
    return found | {loop: table for loop, table in zip(_LOOPS, each, strict=True) if table}


def _word(name: str, value: Any) -> Any:
    return _WORDS[name][value] if name in _WORDS else value


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, float):
        return "inf" if value == math.inf else repr(value)
    return json.dumps(value)
