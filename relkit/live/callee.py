"""What a function is called with beside its own arguments, `model` and `timeout_s`, and which functions can be called at all."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from inspect import (
    CO_ASYNC_GENERATOR,
    CO_COROUTINE,
    CO_GENERATOR,
    CO_VARKEYWORDS,
    Parameter,
    iscoroutinefunction,
    signature,
)
from types import CodeType, MethodType
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.live.setting import Send

_BY_KEYWORD: Final = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_GENERATES: Final = CO_GENERATOR | CO_ASYNC_GENERATOR
_NOTHING: Final[Mapping[str, Any]] = {}


def is_async(function: object) -> bool:
    """Say whether calling a function, or an object that can be called, gives a coroutine.

    >>> async def ask(): ...
    >>> is_async(ask), is_async(partial(ask)), is_async(len)
    (True, True, False)
    """
    return bool(_flags(function) & CO_COROUTINE) or iscoroutinefunction(function)


def not_async(function: object) -> ParameterError:
    """Return the error for a function that gives nothing to await where it is awaited."""
    return ParameterError.of("function", _name(function), "an async function", "use `call(...)`")


def refuse_async(function: object) -> None:
    """Refuse an async function where nobody awaits it: its coroutine would pass for an answer.

    Raises
    ------
    ParameterError
        For a coroutine function.
    """
    if is_async(function):
        raise unawaited(function)


def unawaited(function: object) -> ParameterError:
    """Return the error for a function whose coroutine nobody would await."""
    return ParameterError.of("function", _name(function), "a function that is not async", "use `await acall(...)`")


def refuse_generator(function: object) -> None:
    """Refuse a function that yields: calling it does nothing yet, so the call would be judged before it was made.

    Raises
    ------
    ParameterError
        For a generator function, async or not.

    Examples
    --------
    >>> def tokens():
    ...     yield "Rome"
    >>> refuse_generator(tokens)
    Traceback (most recent call last):
    ...
    relkit.exceptions.ParameterError: function = 'tokens' is not acceptable: ...
    """
    if _flags(function) & _GENERATES:
        remedy = "it runs only when somebody reads it: guard the reading, with `attempt(...)`"
        raise ParameterError.of("function", _name(function), "a function that returns its answer", remedy)


def keywords_of(
    function: Callable[..., Any],
    args: tuple[Any, ...] = (),
    keywords: Mapping[str, Any] = _NOTHING,
    *,
    has_chain: bool,
) -> Callable[[Send], dict[str, Any]]:
    """Return what a function is called with in addition, as a function of the step that sends it.

    A limit that its caller gives stays, and so does its own default where nothing else limits the try.

    Parameters
    ----------
    function : callable
        What is called.
    args, keywords
        What its caller gives it.
    has_chain : bool
        Whether the policy has a chain of models, so that the function must be told which to ask.

    Raises
    ------
    ParameterError
        When it must be told, and cannot take `model`, or was given one by its caller.

    Examples
    --------
    >>> def ask(prompt, *, model, timeout_s=10.0): ...
    >>> keywords_of(ask, ("hello",), has_chain=True)(Send("small", 2.5))
    {'model': 'small', 'timeout_s': 2.5}
    >>> keywords_of(ask, ("hello",), {"timeout_s": 1.0}, has_chain=True)(Send("small", 2.5))
    {'model': 'small'}
    >>> keywords_of(len, has_chain=False)(Send(None, 2.5))
    {}
    """
    names, takes_any = _parameters(function)
    given = set(names[: len(args) + isinstance(function, MethodType)]).union(keywords) if args or keywords else keywords
    if has_chain and (("model" not in names and not takes_any) or "model" in given):
        remedy = "the policy has a chain of models: let the function take model=, ask that one, and do not give it"
        raise ParameterError.of("function", _name(function), "a function with a parameter model", remedy)
    takes_limit = "timeout_s" in names and "timeout_s" not in given
    if not takes_limit:
        return (lambda step: {"model": step.model}) if has_chain else (lambda _: {})
    has_own = _has_default(function, "timeout_s")

    def told(step: Send) -> dict[str, Any]:
        found: dict[str, Any] = {"model": step.model} if has_chain else {}
        if not (has_own and math.isinf(step.left_s)):
            found["timeout_s"] = step.left_s
        return found

    return told


def _flags(function: object) -> int:
    while isinstance(function, partial):
        function = function.func
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        code = getattr(getattr(type(function), "__call__", None), "__code__", None)  # noqa: B004  its kind is asked for
    return code.co_flags if isinstance(code, CodeType) else 0


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], bool]:
    """Names a function can take as keywords, in order, and whether it takes any other."""
    code = getattr(function, "__code__", None)
    if isinstance(code, CodeType) and not code.co_posonlyargcount:
        # The plain case, forty times cheaper than `signature`.
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        return names, bool(code.co_flags & CO_VARKEYWORDS)
    try:
        found = signature(function).parameters.values()
    except (TypeError, ValueError):
        # Some functions written in C do not tell; they are called as they are.
        return (), True
    return tuple(one.name for one in found if one.kind in _BY_KEYWORD), any(
        one.kind is Parameter.VAR_KEYWORD for one in found
    )


def _has_default(function: Callable[..., Any], name: str) -> bool:
    code = getattr(function, "__code__", None)
    if isinstance(code, CodeType):
        first = code.co_argcount - len(getattr(function, "__defaults__", None) or ())
        own = getattr(function, "__kwdefaults__", None) or {}
        return name in own or name in code.co_varnames[first : code.co_argcount]
    return signature(function).parameters[name].default is not Parameter.empty


def _name(function: object) -> str:
    return getattr(function, "__qualname__", None) or repr(function)
