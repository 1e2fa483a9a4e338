"""How Spring Boot writes settings: YAML or .properties, camelCase or kebab-case keys, durations with a unit, shared configs."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from relkit.config.foreign import read_yaml, unscaled
from relkit.exceptions import ParameterError

_NAME: Final = "resilience4j"
_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION: Final = re.compile(r"(\d+)\s*(ms|s|m|h|d)?")
_ISO: Final = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?", re.IGNORECASE)


def duration(ms: int) -> str:
    """Write milliseconds with the largest unit that says them whole.

    >>> duration(60_000), duration(1500)
    ('60s', '1500ms')
    """
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms}ms"


def seconds(given: object, key: str) -> float:
    """Read a duration: a number is milliseconds, a text has a unit or is ISO 8601.

    >>> seconds(500, "wait"), seconds("2m", "wait"), seconds("PT1.5S", "wait")
    (0.5, 120.0, 1.5)
    """
    if isinstance(given, int) and not isinstance(given, bool):
        return unscaled(given, 1000)
    text = str(given).strip()
    if (plain := _DURATION.fullmatch(text)) is not None:
        return unscaled(int(plain[1]) * _UNITS_MS[plain[2] or "ms"], 1000)
    if (iso := _ISO.fullmatch(text)) is not None and any(iso.groups()):
        return float(int(iso[1] or 0) * 3600 + int(iso[2] or 0) * 60 + Decimal(iso[3] or 0))
    raise ParameterError.of(key, given, "a number of milliseconds, or a number and ms, s, m, h or d", "write e.g. 60s")


def tree(text: str) -> dict[str, Any]:
    """Return what is below the key resilience4j of a YAML or .properties text.

    >>> tree("resilience4j.retry.instances.a.maxAttempts=2")
    {'retry': {'instances': {'a': {'maxAttempts': 2}}}}
    """
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "!"))), "")
    is_properties = re.match(r"\s*resilience4j\.[^:=\s]+\s*[=:]", first) is not None
    keys = _properties(text) if is_properties else read_yaml(text, _NAME)
    found = keys.get("resilience4j")
    if not isinstance(found, dict):
        raise ParameterError(f"{_NAME}: no section resilience4j; is this an application.yml of a service that uses it?")
    return found


def _properties(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#!":
            continue
        key, equals, value = stripped.partition("=")
        parts = key.strip().split(".")
        if not equals or len(parts) < 2:
            raise ParameterError(f"{_NAME}, line {place}: {stripped!r} is no key=value")
        below = found
        for part in parts[:-1]:
            below = below.setdefault(part, {})
            if not isinstance(below, dict):
                raise ParameterError(f"{_NAME}, line {place}: {key.strip()} has a value and keys below it")
        if parts[-1] in below:
            raise ParameterError(f"{_NAME}, line {place}: {key.strip()} is there twice; take one out")
        below[parts[-1]] = _scalar(value.strip())
    return found


def _scalar(text: str) -> object:
    if text in {"true", "false"}:
        return text == "true"
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text) else text


def instances(part: str, given: object, former: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the keys of each instance, in camelCase, with those of the config it is based on below them.

    >>> instances("retry", {"instances": {"a": {"max-attempts": 2}}}, {})
    {'a': {'maxAttempts': 2}}
    """
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ParameterError(f"{_NAME}: resilience4j.{part} has no keys; write instances below it")
    shared = given.get("configs") or {}
    for key in given:
        if key in former:
            raise ParameterError(f"{_NAME}: {part}.{key} belongs to another version of the library: {former[key]}")
        if key not in {"instances", "configs"}:
            raise ParameterError(f"{_NAME}: unknown key {part}.{key}; relkit reads instances and configs")
    found = {}
    for name, table in (given.get("instances") or {}).items():
        keys = {_camel(key): value for key, value in (table or {}).items()}
        based = keys.pop("baseConfig", "default" if "default" in shared else None)
        if based is not None:
            if based not in shared:
                raise ParameterError(
                    f"{_NAME}: {part}.instances.{name}: no config is called {based!r}; write it below configs"
                )
            keys = {_camel(key): value for key, value in (shared[based] or {}).items()} | keys
        found[str(name)] = keys
    return found


def _camel(key: object) -> str:
    head, *rest = str(key).split("-")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)
