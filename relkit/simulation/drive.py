"""Run a script of calls through a preset on a virtual clock: a resilience config as a unit test.

Nothing waits and nothing is random: time moves as the script says, and every draw is 0.5 unless told otherwise.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from random import Random
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.policies._checks import checked_number, checked_whole
from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.policies.records import BreakerSettings, Peers
from relkit.simulation.driver import Driver, Step

__all__ = ["Step", "drive"]

_FARTHEST_S: Final = 1e12  # beyond it a clock no longer tells milliseconds apart
_LARGEST_SEED: Final = 2**63 - 1
_PEER_FIELDS: Final = tuple(field.name for field in fields(Peers))


def drive(
    preset: str | Policy | BreakerSettings,
    script: Iterable[Sequence[Any]],
    *,
    draw: float | Sequence[float] = 0.5,
    seed: int | None = None,
    peers: Peers | Sequence[float] | None = None,
    start_s: float = 0.0,
    has_key: bool = True,
    **overrides: Any,
) -> list[Step]:
    """Run a script through a preset on a virtual clock.

    Parameters
    ----------
    preset : str, Policy or BreakerSettings
        Name of a preset, or settings of your own.
    script : iterable of tuples
        One line an operation. An outcome is success, failure, slow, slow_failure, ignored, abandoned, or the name of an
        error kind. Latencies and waits are seconds, 0 where left out.

        ("call", outcome, latency_s, retry_after)  ask, run and settle; the last two may be left out, and the last may be
        seconds or the text of a Retry-After header, in which a date is read against the clock as Unix time
        ("request", outcome, latency_s, retry_after)  the same with all retries, each attempt ending alike
        ("start", name) and ("finish", name, outcome)  calls that overlap
        ("wait", seconds)  let time pass
        ("probe", "success" or "failure")  a health check
        ("force", "open", "closed", "disabled" or "metrics_only")  by hand; open is for ever (forced_open)
        ("trip",)  open by hand for the usual time
        ("throttle", seconds)  the server asks to be left alone for so long
        ("peers", Peers or shares)  what is known of the fleet from here on
    draw : float or sequence of float
        Uniform draws in [0, 1), used in turn and then from the beginning.
    seed : int or None
        Draw at random from this seed instead.
    peers : Peers, sequence of float or None
        The fleet, or the success shares of its other members; a sequence counts this member in.
    start_s : float
        The clock at the beginning, which is when the breaker is made.
    has_key : bool
        Whether calls may be repeated safely.
    **overrides
        Field names of the settings records, and of `Peers`.

    Returns
    -------
    list of Step
        One for each line.

    Raises
    ------
    ParameterError
        For an unknown preset, setting, operation or outcome, with the line it stands in.

    Examples
    --------
    >>> steps = drive("pybreaker", [("call", "failure")] * 5 + [("call", "success"), ("wait", 60.0), ("call", "success")])
    >>> [step.state for step in steps[3:]]
    ['closed', 'open', 'open', 'open', 'closed']
    >>> steps[4].sentence
    'Open because 5 failures in a row reached the threshold; 60 s of 60 s are left.'
    """
    if isinstance(script, str) or not isinstance(script, Iterable):
        raise ParameterError.of("script", script, "a list of operations", 'give tuples, e.g. [("call", "failure")]')
    of_peers = {name: overrides.pop(name) for name in _PEER_FIELDS if name in overrides}
    known = Peers(**of_peers) if of_peers else peers
    start_s = checked_number("start_s", start_s, -_FARTHEST_S, _FARTHEST_S, "give seconds, e.g. 0.0")
    driver = Driver(_policy(preset, overrides), _draws(draw, seed), known, start_s, has_key)
    return [driver.step(number, line) for number, line in enumerate(script)]


def _policy(preset: str | Policy | BreakerSettings, overrides: dict[str, Any]) -> Policy:
    if isinstance(preset, BreakerSettings):
        preset = Policy("settings", "", "", preset)
    return changed(presets[preset] if isinstance(preset, str) else preset, **overrides)


def _draws(draw: float | Sequence[float], seed: int | None) -> Callable[[], float]:
    if seed is not None:
        checked_whole("seed", seed, 0, _LARGEST_SEED, "give a whole number, e.g. 1")
        return Random(seed).random  # noqa: S311  a simulation, not a secret
    turn = [draw] if isinstance(draw, int | float) else list(draw)
    if not turn or not all(0 <= each < 1 for each in turn):
        raise ParameterError.of("draw", draw, "numbers in [0, 1), at least one", "give uniform draws, e.g. 0.5")
    count = 0

    def take() -> float:
        nonlocal count
        count += 1
        return float(turn[(count - 1) % len(turn)])

    return take
