"""A pretended HTTP service on the loopback, which fails on purpose and counts every call: real sockets for tests and demos."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Self

from relkit.exceptions import ParameterError
from relkit.live.faults import Asked, Reply, Script, answer

HOST: Final = "127.0.0.1"
_HEAD_MOST: Final = 65_536
_BODY_MOST: Final = 16 * 1024 * 1024
_PARTS: Final = 10  # pieces in which a slow body comes
_PATIENCE_S: Final = 10.0
_SAY_RESET: Final = struct.pack("ii", 1, 0)  # linger for 0 s: closing sends a reset instead of a farewell


@dataclass(frozen=True, slots=True)
class Served:
    """One request that was received, and how it was answered.

    Parameters
    ----------
    number : int
        Its place among all, from 1 on.
    at_s : float
        When it was received whole, seconds since the service began.
    model : str
        The model it asked for; empty when it named none.
    name : str
        Name of the reply, as in `relkit.live.faults.Reply`.
    status : int
        Its HTTP status; 0 for a reset.
    """

    number: int
    at_s: float
    model: str
    name: str
    status: int


class Upstream:
    """A small HTTP/1.1 service in a thread of its own, on a free port of the loopback; use it in a `with` block.

    It keeps connections alive, answers on each in order, and reads bodies with a Content-Length alone.

    Parameters
    ----------
    script : Script
        How each request is answered.
    refused : iterable of (start_s, end_s)
        Times in which nobody listens on the port, seconds since it began. What is being answered at the start still is.

    Raises
    ------
    ParameterError
        For times out of order.
    Exception
        Leaving the block raises what the script raised.

    Examples
    --------
    >>> from urllib.request import urlopen
    >>> with Upstream() as upstream, urlopen(upstream.url) as found:
    ...     found.status, upstream.calls
    (200, 1)
    """

    def __init__(self, script: Script = lambda _: answer(), *, refused: Iterable[tuple[float, float]] = ()) -> None:
        self.script = script
        self.served: list[Served] = []
        self.connections = 0
        self.port = 0
        self._refused = tuple(refused)
        for start_s, end_s in self._refused:
            if not 0.0 <= start_s < end_s:
                allowed = "0 <= start_s < end_s"
                raise ParameterError.of("refused", (start_s, end_s), allowed, "give seconds since the beginning")
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._began_s = 0.0
        self._ready: Future[None] = Future()
        self._broken: Exception | None = None
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}/"

    @property
    def calls(self) -> int:
        """Requests received so far."""
        return len(self.served)

    @property
    def now_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began_s

    def calls_of(self, model: str) -> int:
        """Return how many requests asked for a model."""
        return sum(one.model == model for one in self.served)

    def refuse(self) -> None:
        """Stop listening and close what is connected, after the answer where one is due; returns when that is done."""
        asyncio.run_coroutine_threadsafe(self._refuse(), self._loop).result(_PATIENCE_S)

    def accept(self) -> None:
        """Listen again on the same port; returns when that is done."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_PATIENCE_S)

    def __enter__(self) -> Self:
        # A bound socket that never listens keeps the port ours while it is refused: else a client's own
        # connection could be given that very port and answer itself.
        self._guard = _bound(0)
        self.port = self._guard.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._guard.close()
        if self._broken is not None and kind is None:
            raise self._broken

    # In the thread of the service

    def _run(self) -> None:
        try:
            if not any(start_s == 0.0 for start_s, _ in self._refused):
                self._loop.run_until_complete(self._listen())
        except OSError as error:
            self._ready.set_exception(error)
            return
        self._began_s = time.monotonic()
        for start_s, end_s in self._refused:
            self._loop.call_later(start_s, self._start, self._refuse)
            self._loop.call_later(end_s, self._start, self._listen)
        self._ready.set_result(None)
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    def _start(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        task = self._loop.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(
                lambda: _Connection(self), sock=_bound(self.port), backlog=1024
            )

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._open):
            connection.leave()
        await asyncio.sleep(0)  # transports close their sockets one turn after they are told to

    async def _end(self) -> None:
        for connection in tuple(self._open):
            connection.abort()
        await self._refuse()


class _Connection(asyncio.Protocol):
    """One connection of a client: requests are read and answered one after the other."""

    def __init__(self, upstream: Upstream) -> None:
        self._home = upstream
        self._loop = upstream._loop  # noqa: SLF001  the two are one machine
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._busy = False
        self._leaves = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._home.connections += 1
        self._home._open.add(self)  # noqa: SLF001

    def connection_lost(self, _: Exception | None) -> None:
        self._home._open.discard(self)  # noqa: SLF001

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._next()

    def leave(self) -> None:
        """Close the connection, behind the answer where one is due."""
        if self._busy:
            self._leaves = True
        else:
            self._transport.close()

    def abort(self) -> None:
        """Break the connection without a farewell."""
        found = self._transport.get_extra_info("socket")
        if found is not None and not self._transport.is_closing():
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _SAY_RESET)
        self._transport.abort()

    def _next(self) -> None:
        """Answer the next request, when it is there whole and the one before has its answer."""
        if self._busy:
            return
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > _HEAD_MOST:
                self._refuse_request(400)
            return
        try:
            method, path, length, closes = _head(bytes(self._received[:end]))
        except ValueError:
            self._refuse_request(400)
            return
        if length > _BODY_MOST:
            self._refuse_request(413)
            return
        after = end + 4 + length
        if len(self._received) < after:
            return
        body = bytes(self._received[end + 4 : after])
        del self._received[:after]
        home = self._home
        asked = Asked(len(home.served) + 1, home.now_s, method, path, body)
        try:
            reply = home.script(asked)
        except Exception as error:  # noqa: BLE001  the block that began the service raises it at its end
            home._broken = error  # noqa: SLF001
            self.abort()
            return
        home.served.append(
            Served(asked.number, asked.at_s, asked.model, reply.name, 0 if reply.resets else reply.status)
        )
        self._busy = True
        if reply.delay_s > 0.0:
            self._loop.call_later(reply.delay_s, self._give, reply, closes)
        else:
            self._give(reply, closes)

    def _refuse_request(self, status: int) -> None:
        """Answer what is no request that we read; the script is not asked, and nothing is counted."""
        reply = Reply("no_request", status)
        self._transport.write(reply.head(time.time(), closes=True) + reply.body)
        self._transport.close()

    def _give(self, reply: Reply, closes: bool) -> None:
        if self._transport.is_closing():
            return
        if reply.resets:
            self.abort()
            return
        closes = closes or self._leaves
        head = reply.head(time.time(), closes=closes)
        sent = reply.body[: int(len(reply.body) * reply.sent_share)]
        closes = closes or len(sent) < len(reply.body)
        if reply.spread_s > 0.0 and sent:
            self._transport.write(head)
            step = max(len(sent) // _PARTS, 1)
            parts = [sent[start : start + step] for start in range(0, len(sent), step)]
            self._trickle(parts, reply.spread_s / len(parts), closes)
            return
        self._transport.write(head + sent)
        self._done(closes)

    def _trickle(self, parts: list[bytes], gap_s: float, closes: bool) -> None:
        if self._transport.is_closing():
            return
        if not parts:
            self._done(closes)
            return
        self._loop.call_later(gap_s, self._piece, parts, gap_s, closes)

    def _piece(self, parts: list[bytes], gap_s: float, closes: bool) -> None:
        self._transport.write(parts[0])
        self._trickle(parts[1:], gap_s, closes)

    def _done(self, closes: bool) -> None:
        self._busy = False
        if closes or self._leaves:
            self._transport.close()
        elif self._received:
            self._loop.call_soon(self._next)


def _head(head: bytes) -> tuple[str, str, int, bool]:
    """Return method, path, length of the body and whether the client wants the connection closed.

    Raises ValueError for what is no HTTP/1 request with a plain body.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, version = first.split(" ")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if not version.startswith("HTTP/1.") or "transfer-encoding" in fields:
        raise ValueError
    length = int(fields.get("content-length", "0"))
    if length < 0:
        raise ValueError
    kept = fields.get("connection", "keep-alive" if version == "HTTP/1.1" else "close").lower()
    return method, path, length, "close" in kept


def _bound(port: int) -> socket.socket:
    """Return a socket bound to the loopback, beside others of ours on the same port where the system allows that."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_REUSEPORT", socket.SO_REUSEADDR), 1)
    made.bind((HOST, port))
    return made
