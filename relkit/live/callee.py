"""What a function is called with beside its own arguments: `model` and `timeout_s`, by what it can take."""

from collections.abc import Callable
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any

from relkit.exceptions import ParameterError
from relkit.live.setting import Send

_BY_KEYWORD = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def refuse_async(function: Callable[..., Any]) -> None:
    """Refuse an async function where nobody awaits it: its coroutine would pass for an answer.

    Raises
    ------
    ParameterError
        For a coroutine function.
    """
    if iscoroutinefunction(function):
        raise ParameterError.of("function", _name(function), "a function that is not async", "use `await acall(...)`")


def keywords_of(function: Callable[..., Any], *, has_chain: bool) -> Callable[[Send], dict[str, Any]]:
    """Return what a function is called with in addition, as a function of the step that sends it.

    Parameters
    ----------
    function : callable
        What is called.
    has_chain : bool
        Whether the policy has a chain of models, so that the function must be told which to ask.

    Raises
    ------
    ParameterError
        When it must be told, and cannot take `model`.

    Examples
    --------
    >>> def ask(prompt, *, model, timeout_s): ...
    >>> keywords_of(ask, has_chain=True)(Send("small", 2.5))
    {'model': 'small', 'timeout_s': 2.5}
    >>> keywords_of(len, has_chain=False)(Send(None, 2.5))
    {}
    """
    names, takes_any = _parameters(function)
    if has_chain and not takes_any and "model" not in names:
        remedy = "the policy has a chain of models: let the function take model= and ask that one"
        raise ParameterError.of("function", _name(function), "a function with a parameter model", remedy)
    takes_limit = "timeout_s" in names
    if not has_chain:
        return (lambda step: {"timeout_s": step.left_s}) if takes_limit else (lambda _: {})
    if takes_limit:
        return lambda step: {"model": step.model, "timeout_s": step.left_s}
    return lambda step: {"model": step.model}


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], bool]:
    """Names a function can take as keywords, and whether it takes any other."""
    code = getattr(function, "__code__", None)
    if code is not None:
        # The plain case, forty times cheaper than `signature`; bit 3 of the flags says **keywords.
        return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], bool(code.co_flags & 8)
    try:
        found = signature(function).parameters.values()
    except (TypeError, ValueError):
        # Some functions written in C do not tell; they are called as they are.
        return (), True
    names = tuple(one.name for one in found if one.kind in _BY_KEYWORD)
    return names, any(one.kind is Parameter.VAR_KEYWORD for one in found)


def _name(function: object) -> str:
    return getattr(function, "__qualname__", None) or repr(function)
