"""pybreaker (Python): the arguments of a CircuitBreaker, as Python text or as JSON. Times are seconds."""

import ast
import json
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from relkit.config.foreign import Border, Refusal, Written, checked, differences, left_out, wiring, worded
from relkit.config.unread import read_breaker, read_policy
from relkit.exceptions import ParameterError
from relkit.policies.codes import CONSECUTIVE
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings

NAME: Final = "pybreaker"
_PARTS: Final = {
    "retry": "pybreaker has no retries; export them to tenacity or stamina",
    "retry_budget": "pybreaker has no retries",
    "fallback": "pybreaker has no fallbacks",
    "freshness": "pybreaker keeps no answers",
}
_SAID: Final = frozenset(["failure_threshold", "open_s", "half_open_successes"])
_WHY: Final = {
    "half_open_permits": "one trial call is let through half open there: set half_open_permits = 1",
    "waits_for_call": "it half-opens when the next call comes: set waits_for_call = true",
    "open_growth": "every opening lasts equally long there",
    "open_jitter": "every opening lasts equally long there",
    "timeout_s": "it measures no time: let the call raise at its own time-out",
}
_FORMER: Final = {"timeout_duration": "aiobreaker; write reset_timeout in seconds"}


def write(policy: Policy) -> Written:
    """Write the making of a CircuitBreaker as Python text.

    Parameters
    ----------
    policy : Policy
        Its breaker; the other parts are named in the notes.

    Returns
    -------
    Written

    Examples
    --------
    >>> print(write(presets["pybreaker"]).text, end="")
    # Written by relkit from pybreaker.
    import pybreaker
    <BLANKLINE>
    breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=60.0, success_threshold=1, name='pybreaker')
    """
    policy = read_policy(policy)
    refusals, notes = left_out(NAME, policy, _PARTS)
    cfg = policy.breaker
    if cfg is None:
        return Written("", tuple(refusals), tuple(notes))
    base = _base()
    if cfg.family != CONSECUTIVE:
        why = "it counts failures in a row alone: it has no rate and no window"
        refusals.append(Refusal("breaker.family", worded("family", cfg.family), why))
    else:
        refusals += differences(NAME, "breaker", cfg, base, _SAID, _WHY)
    if cfg.half_open_successes == 0 and cfg.half_open_permits:
        why = "half open is closed by successes there: give at least 1"
        refusals.append(Refusal("breaker.half_open_successes", "0", why))
    notes += wiring(cfg, base)
    given = (
        f"fail_max={cfg.failure_threshold}, reset_timeout={cfg.open_s!r}, success_threshold={cfg.half_open_successes}"
    )
    lines = [f"# {line}" for line in (f"Written by relkit from {policy.name}.", *notes)]
    lines += ["import pybreaker", "", f"breaker = pybreaker.CircuitBreaker({given}, name={policy.name!r})"]
    return Written("" if refusals else "\n".join(lines) + "\n", tuple(refusals), tuple(notes))


class _Arguments(Border):
    fail_max: Annotated[int, Field(ge=1)] = 5
    reset_timeout: Annotated[float, Field(gt=0)] = 60.0
    success_threshold: Annotated[int, Field(ge=1)] = 1
    name: str | None = None


def read(text: str, name: str = "") -> Policy:
    """Read the arguments of a CircuitBreaker from Python text or JSON; nothing is run.

    Parameters
    ----------
    text : str
        Python text with one call of CircuitBreaker whose arguments are plain values, or a JSON object.
    name : str
        Of the policy; empty for the argument `name`.

    Returns
    -------
    Policy
        What is not there is at pybreaker's default.

    Raises
    ------
    ParameterError
        For no such call or several, an argument that is no plain value, is unknown or is not modelled.

    Examples
    --------
    >>> read("db = CircuitBreaker(fail_max=3, reset_timeout=30)").breaker.failure_threshold
    3
    """
    given = _json(text) if text.lstrip().startswith("{") else _call(text)
    found = checked(_Arguments, given, NAME, _FORMER)
    breaker = replace(
        _base(),
        failure_threshold=found.fail_max,
        open_s=float(found.reset_timeout),
        half_open_successes=found.success_threshold,
    )
    return Policy(name or found.name or NAME, presets["pybreaker"].dated, "arguments of pybreaker", breaker=breaker)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ParameterError(f"{NAME}, line {error.lineno}: {error.msg}; mend the JSON") from error


def _call(text: str) -> dict[str, Any]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ParameterError(f"{NAME}, line {line}: no Python; give the lines that make the CircuitBreaker") from error
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call) and _called(each) == "CircuitBreaker"]
    if len(calls) != 1:
        raise ParameterError(f"{NAME}: {len(calls)} calls of CircuitBreaker; give the text of one")
    call = calls[0]
    names = ["fail_max", "reset_timeout", "success_threshold"]
    if len(call.args) > len(names):
        raise ParameterError(f"{NAME}, line {call.lineno}: name the arguments after the third")
    pairs: list[tuple[str | None, ast.expr]] = list(zip(names, call.args, strict=False))
    given: dict[str, Any] = {}
    for key, value in [*pairs, *((each.arg, each.value) for each in call.keywords)]:
        try:
            given[str(key)] = ast.literal_eval(value)
        except ValueError:
            raise ParameterError(
                f"{NAME}, line {value.lineno}: {key or '**'} is no plain value; relkit reads, it does not run: write the number"
            ) from None
    return given


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _base() -> BreakerSettings:
    found = presets["pybreaker"].breaker
    assert found is not None
    return read_breaker(found)
