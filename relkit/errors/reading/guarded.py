"""Looking at a stranger's object without being hurt by it.

An exception may define properties that raise, texts that cannot be made, or a `__class__` that lies. These readers answer
None, or nothing, in all such cases; only Ctrl-C passes through.
"""

from typing import Any, Final, cast

_MRO: Final = type.__dict__["__mro__"]
_NAME: Final = type.__dict__["__name__"]
_MODULE: Final = type.__dict__["__module__"]


def attribute(value: object, name: str) -> Any:
    """Return an attribute, or None where there is none or reading it raises.

    >>> attribute(ValueError("x"), "args"), attribute(None, "args")
    (('x',), None)
    """
    try:
        return getattr(value, name, None)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - whatever a stranger's property raises, the error path must go on
        return None


def item(value: object, key: object) -> Any:
    """Return what a mapping holds under a key, or None.

    >>> item({"a": 1}, "a"), item(["a"], "a")
    (1, None)
    """
    try:
        return value[key]  # type: ignore[index]
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - see attribute
        return None


def called(value: object) -> Any:
    """Return the value, or what it returns when it is a function without arguments; None where that raises.

    >>> called(lambda: 5), called(5), called(len)
    (5, 5, None)
    """
    try:
        return value() if callable(value) and not isinstance(value, type) else value
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - see attribute
        return None


def text_of(value: object, characters: int) -> str:
    """Return the text of a value, cut; empty where it cannot be made.

    >>> text_of(ValueError("a long text"), 6)
    'a long'
    """
    try:
        text = str(value)
        # A subclass of str could bring methods of its own.
        return str.__getitem__(text, slice(characters))
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - see attribute
        return ""


def whole(value: object) -> int | None:
    """Return the whole number a value is or spells, or None; an HTTPStatus is one, True is not.

    >>> whole("429"), whole(429.0), whole("LOADING"), whole(True), whole(1e400)
    (429, 429, None, None, None)
    """
    kind = type(value)
    if kind is int:
        return cast("int", value)
    if value is None or kind is bool:
        return None
    try:
        if issubclass(kind, str):
            text = str.strip(value)  # type: ignore[arg-type]
            return int(text) if len(text) <= 15 and text.isascii() and text.lstrip("+-").isdigit() else None
        if issubclass(kind, (int, float)):
            number = int(value)  # type: ignore[call-overload]
            return number if number == value else None
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - see attribute
        return None
    return None


def is_a(value: object, *classes: type) -> bool:
    """Say whether the value's true class is, or derives from, one of some plain classes; `__class__` is not asked.

    >>> is_a(KeyError(), LookupError), is_a(KeyError(), OSError)
    (True, False)
    """
    # Of plain classes on the right, issubclass looks at the true ancestry alone and calls nothing of the stranger's.
    return issubclass(type(value), classes)


def ancestors(cls: type) -> tuple[type, ...]:
    """Return the true method resolution order of a class.

    >>> ancestors(KeyError)[:2]
    (<class 'KeyError'>, <class 'LookupError'>)
    """
    return cast("tuple[type, ...]", _MRO.__get__(cls))


def qualified_name(cls: type) -> str:
    """Return module and name of a class, as a log would write them.

    >>> qualified_name(KeyError)
    'builtins.KeyError'
    """
    module = _MODULE.__get__(cls)
    return f"{module}.{_NAME.__get__(cls)}" if type(module) is str else cast("str", _NAME.__get__(cls))
