"""What every foreign format shares: refusals, units, and files read with every key known or refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, TypeVar

import yaml  # type: ignore[import-untyped]  # it brings no types
from pydantic import BaseModel, ConfigDict, ValidationError

from relkit.exceptions import ParameterError
from relkit.policies.codes import CHOICES
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_settings import RETRY_CHOICES, Retry, RetrySettings

WIRING: Final = frozenset({"votes", "counts", "probe_success", "guard_repeats", "retry_results"})
"""Settings that no file of a library holds: the code around it decides what it tells the library, and when."""

_WIRED: Final = {
    "votes": "tell the breaker only of errors that are failures by this rule",
    "counts": "wrap this, the attempt or the whole call, in the breaker",
    "probe_success": "let your health check do this to the breaker",
    "guard_repeats": "retry only calls that may safely be repeated",
    "retry_results": "retry answers that will not do, too",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One setting that a target cannot say.

    Parameters
    ----------
    setting : str
        Which, as part and field: breaker.family.
    value : str
        What it is.
    why : str
        Why the target cannot say it, and what to do.

    >>> str(Refusal("breaker.family", "count", "it counts failures in a row alone"))
    'breaker.family = count: it counts failures in a row alone'
    """

    setting: str
    value: str
    why: str

    def __str__(self) -> str:
        return f"{self.setting} = {self.value}: {self.why}"


class RefusedExportError(ParameterError):
    """A policy that a target cannot say; `refusals` has every reason.

    >>> str(RefusedExportError("pybreaker", [Refusal("breaker.family", "count", "no window")]))
    'pybreaker cannot say this policy, so nothing was written. breaker.family = count: no window'
    """

    def __init__(self, target: str, refusals: Iterable[Refusal]) -> None:
        self.target = target
        self.refusals = tuple(refusals)
        reasons = "; ".join(map(str, self.refusals))
        super().__init__(f"{target} cannot say this policy, so nothing was written. {reasons}")


@dataclass(frozen=True, slots=True)
class Written:
    """What a target can say of a policy.

    Parameters
    ----------
    text : str
        The file; empty when something is refused.
    refusals : tuple of Refusal
        What the target cannot say.
    notes : tuple of str
        What the file does not hold because it is no matter of that library: the code around it, other parts.
    """

    text: str
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()


def worded(name: str, value: object) -> str:
    """Return a setting's value as a person writes it.

    >>> worded("family", 4), worded("open_s", 60.0), worded("keeps_window", True)
    ('count', '60', 'true')
    """
    words = CHOICES.get(name) or RETRY_CHOICES.get(name)
    if words and isinstance(value, int):
        return words[value]
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def differences(
    target: str,
    part: str,
    record: BreakerSettings | RetrySettings,
    base: BreakerSettings | RetrySettings,
    said: frozenset[str],
    reasons: Mapping[str, str],
) -> list[Refusal]:
    """Return one refusal for each setting that is neither said in the target's file nor what the target always does."""
    found = []
    for field in fields(record):
        value, always = getattr(record, field.name), getattr(base, field.name)
        if field.name in said or field.name in WIRING or value == always:
            continue
        why = reasons.get(field.name) or f"{target} has no word for it; it always is {worded(field.name, always)}"
        found.append(Refusal(f"{part}.{field.name}", worded(field.name, value), why))
    return found


def wiring(record: BreakerSettings | RetrySettings, base: BreakerSettings | RetrySettings) -> list[str]:
    """Return what the code around the library must do, where that is not what the library does when left alone."""
    return [
        f"{name} = {worded(name, getattr(record, name))}: {_WIRED[name]}"
        for name in _WIRED
        if hasattr(record, name) and getattr(record, name) != getattr(base, name)
    ]


def one_loop(target: str, retry: Retry) -> list[Refusal]:
    """Refuse a retry loop with several settings, where the target has one for all failures."""
    found = []
    for name in ("rate_limited", "critical"):
        if getattr(retry, name) != retry.transient:
            why = f"{target} has one loop for all failures; give all three the same settings"
            found.append(Refusal(f"retry.{name}", "other settings than transient", why))
    if retry.order:
        found.append(Refusal("retry.order", "plan_order", "the plan's order of questions is relkit's alone"))
    return found


def left_out(target: str, policy: Policy, parts: Mapping[str, str]) -> tuple[list[Refusal], list[str]]:
    """Say which parts of a policy are no matter of the target, and refuse one of which the target can say nothing."""
    absent = [part for part in parts if getattr(policy, part) is not None]
    can = {"breaker", "retry", "retry_budget", "fallback", "freshness"}.difference(parts)
    if not any(getattr(policy, part) is not None for part in can):
        held = ", ".join(absent) or "nothing"
        return [Refusal("policy", policy.name, f"it has {held}, of which {target} knows nothing")], []
    return [], [f"{part} is not in this file: {parts[part]}" for part in absent]


def scaled(value: float, factor: int) -> Decimal:
    """Multiply exactly, as the decimal number that was written.

    >>> scaled(0.29, 100), scaled(0.1, 1000)
    (Decimal('29.00'), Decimal('100.0'))
    """
    return Decimal(repr(value)) * factor


def whole_ms(target: str, setting: str, seconds: float, refusals: list[Refusal]) -> int:
    """Return whole milliseconds, and refuse what lies between two."""
    found = scaled(seconds, 1000)
    if found != found.to_integral_value():
        why = f"{target} takes whole milliseconds; round it to {round(seconds, 3):g}"
        refusals.append(Refusal(setting, f"{seconds!r} s", why))
    return int(found)


def number(value: Decimal) -> int | float:
    """Return a decimal as the plainest number: whole where it is whole."""
    return int(value) if value == value.to_integral_value() else float(value)


def unscaled(value: float, divisor: int) -> float:
    """Divide exactly, as the decimal number that was read; the inverse of `scaled`.

    >>> unscaled(29, 100)
    0.29
    """
    return float(Decimal(repr(value)) / divisor)


class Border(BaseModel):
    """A table of a foreign file: every key is known or an error, and nothing is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


_Model = TypeVar("_Model", bound=BaseModel)


def checked(model: type[_Model], given: object, source: str, former: Mapping[str, str] | None = None) -> _Model:
    """Read a table, and refuse it in words of the file.

    Parameters
    ----------
    model : type of BaseModel
        What may be in it.
    given : object
        What is.
    source : str
        Which file and table, for the error.
    former : mapping of str to str or None
        Keys of other versions of the library, to what to do about them.

    Raises
    ------
    ParameterError
        Naming each key that is unknown, with the nearest that is known, and each value that does not fit.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = [_fault(dict(fault), model, former or {}) for fault in error.errors(include_url=False)]
        raise ParameterError(f"{source}: " + "; ".join(faults)) from error


def _fault(fault: dict[str, Any], model: type[BaseModel], former: Mapping[str, str]) -> str:
    key = ".".join(str(part) for part in fault["loc"]) or "the file"
    if fault["type"] == "extra_forbidden":
        word = str(fault["loc"][-1])
        if word in former:
            return f"{key} belongs to another version of the library: {former[word]}"
        known = [field.alias or name for name, field in model.model_fields.items()]
        close = get_close_matches(word, known, n=1, cutoff=0.6)
        return f"unknown key {key} ({f'did you mean {close[0]}?' if close else 'known: ' + ', '.join(known)})"
    if fault["type"] == "missing":
        return f"{key} is missing"
    text = fault["msg"].removeprefix("Value error, ")
    return f"{key} = {fault['input']!r} is not acceptable: {text[:1].lower()}{text[1:]}"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # untyped
    """PyYAML's safe loader; a key that is there twice is an error and not the last one."""


def _mapping(loader: _Loader, node: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool):
            raise ParameterError(f"line {key_node.start_mark.line + 1}: a key must be a plain word")
        if key in found:
            raise ParameterError(f"line {key_node.start_mark.line + 1}: {key} is there twice; take one out")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(text: str, source: str) -> dict[str, Any]:
    """Read a YAML document that is a mapping.

    Raises
    ------
    ParameterError
        With the line of what is no YAML, of a key that is there twice, or when the document is no mapping.

    Examples
    --------
    >>> read_yaml("a: {b: 1}", "the file")
    {'a': {'b': 1}}
    """
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506  a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ParameterError(f"{source}{where}: {getattr(error, 'problem', error)}; mend the YAML") from error
    except ParameterError as error:
        raise ParameterError(f"{source}, {error}") from error
    if not isinstance(found, dict):
        raise ParameterError(f"{source}: no keys at the top; give a mapping")
    return found
