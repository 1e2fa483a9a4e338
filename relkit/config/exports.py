"""All targets by name: a policy written for one, and read from one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from relkit.config import litellm, opossum, pybreaker, resilience4j, stamina, tenacity
from relkit.config.foreign import Refusal, RefusedExportError, Written
from relkit.config.services import DEFAULT, read_services, service_text
from relkit.config.toml_text import parsed_toml
from relkit.exceptions import ParameterError
from relkit.policies._checks import meant
from relkit.policies.policy import Policy


def _write_relkit(policy: Policy) -> Written:
    return Written(service_text(policy))


def _read_relkit(text: str, name: str) -> Policy:
    services = read_services(parsed_toml("relkit.toml", text.encode()).get("service", {}), "relkit.toml")
    chosen = name or (next(iter(services)) if len(services) == 1 else DEFAULT)
    if chosen not in services:
        raise ParameterError.of("name", name, ", ".join(services) or "no service is there", "say which service to read")
    return services[chosen]


_WRITERS: Final[dict[str, Callable[[Policy], Written]]] = {
    "resilience4j": resilience4j.write,
    "opossum": opossum.write,
    "pybreaker": pybreaker.write,
    "litellm": litellm.write,
    "tenacity": tenacity.write,
    "stamina": stamina.write,
    "relkit": _write_relkit,
}
_READERS: Final[dict[str, Callable[[str, str], Policy]]] = {
    "resilience4j": resilience4j.read,
    "opossum": opossum.read,
    "pybreaker": pybreaker.read,
    "litellm": litellm.read,
    "relkit": _read_relkit,
}
_Found = TypeVar("_Found")
TARGETS: Final = tuple(_WRITERS)
"""What can be written."""
SOURCES: Final = tuple(_READERS)
"""What can be read."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A policy as a file of a target.

    Parameters
    ----------
    target : str
        One of `TARGETS`.
    text : str
        The file.
    notes : tuple of str
        What is not in the file, because it is no matter of that library: its other parts, and what the code around it
        must do.
    """

    target: str
    text: str
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def exported(policy: Policy, target: str) -> Exported:
    """Write a policy as a file of a target.

    Parameters
    ----------
    policy : Policy
        What to write.
    target : str
        One of `TARGETS`.

    Returns
    -------
    Exported

    Raises
    ------
    RefusedExportError
        When the target cannot say a setting; it holds every reason, and nothing is written.
    ParameterError
        For an unknown target.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> imported(str(exported(presets["opossum-10"], "opossum")), "opossum").breaker.window_s
    10.0
    """
    written = _of(_WRITERS, target)(policy)
    if written.refusals:
        raise RefusedExportError(target, written.refusals)
    return Exported(target, written.text, written.notes)


def refused(policy: Policy, target: str) -> tuple[Refusal, ...]:
    """Return what a target cannot say of a policy; empty when it can say it all.

    >>> from relkit.policies.presets import presets
    >>> [str(each) for each in refused(presets["sre-k2"], "pybreaker")]
    ['breaker.family = throttle: it counts failures in a row alone: it has no rate and no window']
    """
    return _of(_WRITERS, target)(policy).refusals


def imported(text: str, target: str, name: str = "") -> Policy:
    """Read a policy from a file of a target.

    Parameters
    ----------
    text : str
        The file.
    target : str
        One of `SOURCES`.
    name : str
        Which service or instance, or what to call it; empty where the file says so.

    Raises
    ------
    ParameterError
        For an unknown target, or a file that is not understood wholly.

    Examples
    --------
    >>> imported("CircuitBreaker(fail_max=3)", "pybreaker").breaker.failure_threshold
    3
    """
    return _of(_READERS, target)(text, name)


def _of(table: dict[str, _Found], target: str) -> _Found:
    if target not in table:
        raise ParameterError.of("target", target, ", ".join(table), meant(target, table, "use one of these names"))
    return table[target]
