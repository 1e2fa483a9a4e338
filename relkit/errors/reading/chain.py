"""From one exception to all that caused it: a bounded walk that knows where libraries hide their causes.

Explicit links are followed always: `__cause__`, `inner_exception` (azure-core), `reason` (urllib), `last_attempt`
(tenacity), `orig` (SQLAlchemy), exceptions among the arguments, members of groups. `__context__` is followed only where
Python would print it and the outer exception neither brings facts of its own nor is a bug in our code: an
AttributeError in an except block is the news, and so is the 429 of a fallback tried after the cache failed.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from relkit.errors.reading.evidence import Evidence, evidence_of
from relkit.errors.reading.guarded import attribute, called, is_a, qualified_name

MAX_LINKS: Final = 12
MAX_ARGUMENTS: Final = 6
TRUNK: Final = 0
_CAUSES: Final = ("inner_exception", "reason", "orig", "original_error", "original_exception")
_BUGS: Final = (
    TypeError, AttributeError, NameError, LookupError, AssertionError, ImportError, ArithmeticError, RecursionError,
    NotImplementedError, SyntaxError, UnicodeError, ReferenceError, BufferError,
)  # fmt: skip
_CANCELLED: Final = (asyncio.CancelledError,)
_TIMEOUT: Final = (TimeoutError,)
_CAUSE: Final[Any] = BaseException.__dict__["__cause__"]
_CONTEXT: Final[Any] = BaseException.__dict__["__context__"]
_SUPPRESS: Final[Any] = BaseException.__dict__["__suppress_context__"]
_MEMBERS: Final[Any] = BaseExceptionGroup.__dict__["exceptions"]


@dataclass(frozen=True, slots=True)
class Link:
    """One exception of a chain.

    Parameters
    ----------
    evidence : Evidence
        What it says of itself.
    branch : int
        0 for the trunk; each member of a group opens a branch of its own, which its causes share.
    explicit : bool
        Whether every step to it was explicit; False below a `__context__`.
    """

    evidence: Evidence
    branch: int
    explicit: bool


def links(error: BaseException) -> tuple[Link, ...]:
    """Return the exception and what caused it, the outermost first; never raises.

    Parameters
    ----------
    error : BaseException
        Any exception; cycles end the walk.

    Returns
    -------
    tuple of Link
        At most 12. A group is no link itself: its members are.

    Examples
    --------
    >>> try:
    ...     raise RuntimeError("no answer") from TimeoutError()
    ... except RuntimeError as error:
    ...     [link.evidence.names[0] for link in links(error)]
    ['builtins.RuntimeError', 'builtins.TimeoutError']
    """
    found: list[Link] = []
    seen: set[int] = set()
    branches = TRUNK
    queue: deque[tuple[BaseException, int, bool]] = deque([(error, TRUNK, True)])
    while queue and len(seen) < MAX_LINKS:
        one, branch, explicit = queue.popleft()
        if id(one) in seen:
            continue
        seen.add(id(one))
        members = _members(one)
        if members is not None:
            for member in members:
                branches += 1
                queue.append((member, branches, explicit))
            continue
        evidence = evidence_of(one)
        found.append(Link(evidence, branch, explicit))
        causes = [cause for cause in _causes(one) if id(cause) not in seen]
        queue.extend((cause, branch, explicit) for cause in causes if _is_news(one, cause))
        context = None if causes or evidence.has_facts or is_a(one, *_BUGS) else _context(one)
        if context is not None and _is_news(one, context):
            queue.append((context, branch, False))
    return tuple(found)


def _members(error: BaseException) -> tuple[BaseException, ...] | None:
    """Return the members of a group, of Python's own or of a backport's; None where it is no group."""
    if is_a(error, BaseExceptionGroup):
        found: Any = _MEMBERS.__get__(error)
    else:
        found = attribute(error, "exceptions")
    if type(found) not in {tuple, list} or not found:
        return None
    members = tuple(one for one in found[:MAX_LINKS] if is_a(one, BaseException))
    return members or None


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = _CAUSE.__get__(error)
    if cause is not None:
        yield cause
    for name in _CAUSES:
        found = attribute(error, name)
        if is_a(found, BaseException):
            yield found
    attempt = attribute(error, "last_attempt")
    if attempt is not None and called(attribute(attempt, "done")) is True:
        found = called(attribute(attempt, "exception"))
        if is_a(found, BaseException):
            yield found
    arguments = attribute(error, "args")
    if type(arguments) is tuple:
        for found in arguments[:MAX_ARGUMENTS]:
            if is_a(found, BaseException):
                yield found


def _context(error: BaseException) -> BaseException | None:
    hidden = _SUPPRESS.__get__(error)
    context: BaseException | None = None if hidden else _CONTEXT.__get__(error)
    return context


def _is_news(outer: BaseException, inner: BaseException) -> bool:
    """A timeout is made by cancelling what took too long: that is how, not why."""
    return not (_is_cancellation(inner) and _names_timeout(outer))


def _is_cancellation(error: BaseException) -> bool:
    return is_a(error, *_CANCELLED) or qualified_name(type(error)).endswith(".Cancelled")  # trio


def _names_timeout(error: BaseException) -> bool:
    name = qualified_name(type(error))
    return is_a(error, *_TIMEOUT) or "Timeout" in name or name.endswith(".TooSlowError")  # trio again
