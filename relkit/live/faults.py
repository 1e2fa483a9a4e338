"""What goes wrong on purpose: the replies of a pretended service, and scripts that say when each is given."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from math import ceil, inf
from random import Random
from typing import Any, Final

from relkit.exceptions import ParameterError

_REASONS: Final = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 408: "Request Timeout",
    409: "Conflict", 413: "Content Too Large", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout", 529: "Overloaded",
}  # fmt: skip
_MOST_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the pretended service received it.

    Parameters
    ----------
    number : int
        Its place among all requests received, from 1 on.
    at_s : float
        When it was received whole, seconds since the service began.
    method, path : str
        From its first line.
    body : bytes
        Its body.

    Examples
    --------
    >>> Asked(1, 0.2, "POST", "/chat", b'{"model": "small"}').model
    'small'
    """

    number: int
    at_s: float
    method: str
    path: str
    body: bytes = b""

    @property
    def content(self) -> dict[str, Any]:
        """Its body as JSON; empty when it is no JSON object."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def model(self) -> str:
        """The model it asks for, the key `model` of its body; empty when there is none."""
        return str(self.content.get("model", ""))


@dataclass(frozen=True, slots=True)
class Reply:
    """How one request is answered; `answer`, `failed`, `limited`, `reset`, `slow` and `cut` make the usual ones.

    Parameters
    ----------
    name : str
        What it is called in `relkit.live.upstream.Served`.
    status : int
        HTTP status, 100 to 599.
    body : bytes
        The body, JSON.
    delay_s : float
        Wait before the first byte, seconds in [0, 86400].
    spread_s : float
        Time over which the body trickles in after its head, seconds in [0, 86400].
    sent_share : float
        Share of the body that is sent before the connection is closed, in [0, 1]; 1 = all of it.
    resets : bool
        Whether the connection is reset instead of any answer.
    retry_after_s : float or None
        Wait that the header Retry-After states, seconds; None for no header.
    as_date : bool
        Whether that header is a date (RFC 9110, 10.2.3) instead of seconds; a date is rounded up to a whole second.

    Raises
    ------
    ParameterError
        For a status, time or share out of range.

    Examples
    --------
    >>> limited(7).head(0.0).splitlines()[1]
    b'Retry-After: 7'
    >>> limited(7, as_date=True).head(0.0).splitlines()[1]
    b'Retry-After: Thu, 01 Jan 1970 00:00:07 GMT'
    """

    name: str
    status: int = 200
    body: bytes = b"{}"
    delay_s: float = 0.0
    spread_s: float = 0.0
    sent_share: float = 1.0
    resets: bool = False
    retry_after_s: float | None = None
    as_date: bool = False

    def __post_init__(self) -> None:
        if not 100 <= self.status <= 599:
            raise ParameterError.of("status", self.status, "a whole number from 100 to 599", "give an HTTP status")
        for name in ("delay_s", "spread_s"):
            if not 0.0 <= getattr(self, name) <= _MOST_S:
                raise ParameterError.of(name, getattr(self, name), "seconds from 0 to a day", "give e.g. 0.2")
        if not 0.0 <= self.sent_share <= 1.0:
            raise ParameterError.of("sent_share", self.sent_share, "a share from 0 to 1", "1 sends the whole body")
        if self.retry_after_s is not None and not 0.0 <= self.retry_after_s < inf:
            raise ParameterError.of("retry_after_s", self.retry_after_s, "seconds from 0 on", "or None for no header")

    def after(self, delay_s: float) -> "Reply":
        """Return the same reply, `delay_s` seconds after the request."""
        return replace(self, delay_s=delay_s)

    def head(self, now_s: float, *, closes: bool = False) -> bytes:
        """Return its status line and headers.

        Parameters
        ----------
        now_s : float
            Seconds since 1970, for a Retry-After that is a date.
        closes : bool
            Whether the connection is closed behind it.
        """
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Other')}"]
        if self.retry_after_s is not None:
            lines.append(f"Retry-After: {self._retry_after(now_s)}")
        lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        if closes:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    def _retry_after(self, now_s: float) -> str:
        wait_s = self.retry_after_s or 0.0
        if self.as_date:
            return format_datetime(datetime.fromtimestamp(ceil(now_s + wait_s), UTC), usegmt=True)
        return f"{wait_s:g}"


def answer(text: str = "ok", *, delay_s: float = 0.0) -> Reply:
    """Return a good answer, in the shape of a chat completion.

    >>> answer("Tuesday at nine is free.").body[:50]
    b'{"choices": [{"message": {"role": "assistant", "co'
    """
    said = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
    return Reply("answer", body=json.dumps(said).encode(), delay_s=delay_s)


def failed(status: int = 500) -> Reply:
    """Return an error of the server, with the body that such services send.

    >>> failed(503).status
    503
    """
    return Reply(f"failed_{status}", status, _error(_REASONS.get(status, "Other"), "server_error"))


def limited(retry_after_s: float | None = None, *, as_date: bool = False) -> Reply:
    """Return status 429, with a Retry-After in seconds, as a date, or without one.

    >>> limited().retry_after_s is None
    True
    """
    body = _error("Rate limit reached for requests per minute", "rate_limit_exceeded")
    return Reply("limited", 429, body, retry_after_s=retry_after_s, as_date=as_date)


def reset() -> Reply:
    """Return a connection reset: the request was read, and nothing comes back."""
    return Reply("reset", resets=True)


def slow(seconds: float, reply: Reply | None = None) -> Reply:
    """Return an answer whose head comes at once and whose body trickles in over `seconds`."""
    return replace(reply or answer(), name="slow", spread_s=seconds)


def cut(share: float = 0.5, reply: Reply | None = None) -> Reply:
    """Return an answer whose connection is closed after a `share` of the body that its head promised."""
    return replace(reply or answer(), name="cut", sent_share=share)


def _error(message: str, code: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": code, "code": code}}).encode()


Script = Callable[[Asked], Reply]
"""Says how a request is answered; called in the order of the requests, in one thread."""


def in_turn(replies: Iterable[Reply], then: Reply) -> Script:
    """Return a script that gives each reply once, in this order, and from then on always the last.

    Parameters
    ----------
    replies : iterable of Reply
        The first replies.
    then : Reply
        Every reply after them.

    Examples
    --------
    >>> script = in_turn([failed(500)], then=answer())
    >>> [script(Asked(number, 0.0, "GET", "/")).status for number in (1, 2, 3)]
    [500, 200, 200]
    """
    coming = iter(tuple(replies))
    return lambda _: next(coming, then)


@dataclass(frozen=True, slots=True)
class Spell:
    """A bad time in a script.

    Parameters
    ----------
    start_s, end_s : float
        From when to before when, seconds since the service began.
    reply : Reply
        What those get that it meets.
    share : float
        Share of the requests it meets, in [0, 1].
    model : str
        The model whose requests it meets; empty for all.

    Raises
    ------
    ParameterError
        For times out of order, or a share beyond 1.

    Examples
    --------
    >>> Spell(5.0, 9.0, failed()).meets(Asked(1, 5.0, "GET", "/"), 0.99)
    True
    """

    start_s: float
    end_s: float
    reply: Reply
    share: float = 1.0
    model: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.start_s < self.end_s:
            allowed = "0 <= start_s < end_s"
            raise ParameterError.of("spell", (self.start_s, self.end_s), allowed, "give seconds since the beginning")
        if not 0.0 <= self.share <= 1.0:
            raise ParameterError.of("share", self.share, "a share from 0 to 1", "give e.g. 0.3")

    def meets(self, asked: Asked, draw: float) -> bool:
        """Say whether it meets a request, by its time, its model and a draw in [0, 1)."""
        here = self.start_s <= asked.at_s < self.end_s and draw < self.share
        return here and (not self.model or asked.model == self.model)


@dataclass(frozen=True, slots=True)
class OverTime:
    """A script by the clock: the first spell that meets a request decides, else the usual reply.

    Parameters
    ----------
    spells : tuple of Spell
        The bad times.
    usual : Script
        What a request gets that no spell meets.
    draw : callable
        Gives uniform draws in [0, 1), one a request; spells in force at once share it.

    Examples
    --------
    >>> script = OverTime((Spell(1.0, 2.0, failed()),))
    >>> [script(Asked(1, at_s, "GET", "/")).status for at_s in (0.5, 1.5, 2.5)]
    [200, 500, 200]
    """

    spells: tuple[Spell, ...]
    usual: Script = lambda _: answer()
    draw: Callable[[], float] = field(default_factory=lambda: Random(1).random)  # noqa: S311  a script, no secret

    def __call__(self, asked: Asked) -> Reply:
        """Say how a request is answered."""
        drawn = self.draw()
        met = (spell.reply for spell in self.spells if spell.meets(asked, drawn))
        return next(met, None) or self.usual(asked)
