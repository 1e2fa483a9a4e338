"""A server on this machine that answers as badly as asked: HTTP, TLS, Redis, PostgreSQL and MySQL, on loopback only.

Each behaviour is a function of a connected socket. HTTP behaviours are looked up by the path (`/c/NAME/...`), so that an
SDK may add its own path behind.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PATIENCE_S = 5.0


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Accept connections for ever, each handled in a thread."""

    def __init__(self, handle: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> None:
        self._handle, self._context = handle, context
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(PATIENCE_S)
            served = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            self._handle(served)


class Deaf:
    """A listening socket whose queue is full: a connection to it is never made (Linux drops the SYN)."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(0)
        self.port = self._socket.getsockname()[1]
        self._waiting = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._waiting.append(filler)
        time.sleep(0.05)


# --- HTTP ------------------------------------------------------------------------------------------------------------


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(
    status: int, headers: Mapping[str, str] | None = None, body: object = b"", *, reason: str = "Reason"
) -> bytes:
    """Return an HTTP answer; a mapping or list becomes JSON."""
    content, kind = (body, "text/html") if isinstance(body, bytes) else (json.dumps(body).encode(), "application/json")
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(content)}", "Connection: close"]
    given = dict(headers or {})
    if not any(name.lower() == "content-type" for name in given):
        lines.append(f"Content-Type: {kind}")
    lines += [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def events(*blocks: str) -> bytes:
    """Return a 200 with a stream of server-sent events."""
    content = "".join(block + "\n\n" for block in blocks).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    return head.encode() + content


class Http:
    """HTTP behaviours by name; `address(name)` is where a client is sent."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._behaviours: dict[str, Callable[[socket.socket], None]] = {}
        self._scheme = "https" if context else "http"
        self._server = Server(self._serve, context)
        self.port = self._server.port

    def address(self, name: str, behaviour: bytes | Callable[[socket.socket], None]) -> str:
        """Register a behaviour: bytes to send, or a function of the socket; return its address."""
        key = name.replace("/", "_").replace(" ", "_")
        self._behaviours[key] = (lambda sock: sock.sendall(behaviour)) if isinstance(behaviour, bytes) else behaviour
        return f"{self._scheme}://127.0.0.1:{self.port}/c/{key}"

    def _serve(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65_536)
            if not more:
                return
            head += more
        top, _, body = head.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in top.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        if b"expect: 100-continue" in top.lower():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(body) < length:
            more = connection.recv(65_536)
            if not more:
                return
            body += more
        path = top.split(b" ")[1].decode()
        behaviour = self._behaviours.get(path.split("/c/")[1].split("/")[0].split("?")[0]) if "/c/" in path else None
        (behaviour or (lambda sock: sock.sendall(answer(404))))(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)


def hang(connection: socket.socket) -> None:
    """Say nothing for a while."""
    time.sleep(2.0)


def hang_up(connection: socket.socket) -> None:
    """Close without a word."""
    connection.close()


def cut_short(connection: socket.socket) -> None:
    """Promise 1,000 bytes and send 20."""
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + b'{"a": "0123456789 ..'
    )
    connection.close()


def cut_chunk(connection: socket.socket) -> None:
    """Break off inside a chunk."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nonly this much")
    connection.close()


def half_then_hang(connection: socket.socket) -> None:
    """Send the head and half a body, then say nothing."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    time.sleep(2.0)


def half_then_reset(connection: socket.socket) -> None:
    """Send the head and half a body, then reset."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    time.sleep(0.1)
    reset(connection)


def babble(connection: socket.socket) -> None:
    """Send what is no HTTP."""
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return the context of a server whose certificate nobody trusts."""
    import trustme

    folder.mkdir(parents=True, exist_ok=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


# --- Redis -----------------------------------------------------------------------------------------------------------


def redis_says(reply: bytes) -> Callable[[socket.socket], None]:
    """Answer every command with one reply; the greeting commands of clients succeed."""

    def serve(connection: socket.socket) -> None:
        while data := connection.recv(65_536):
            for command in data.split(b"*")[1:]:
                greeting = any(word in command.upper() for word in (b"HELLO", b"CLIENT", b"SELECT"))
                connection.sendall(b"+OK\r\n" if greeting and b"AUTH" not in command.upper() else reply)

    return serve


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def _message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!I", len(content) + 4) + content


def _pg_error(state: str, text: str, severity: str) -> bytes:
    fields = b"".join(
        key + value.encode() + b"\0" for key, value in ((b"S", severity), (b"V", severity), (b"C", state), (b"M", text))
    )
    return _message(b"E", fields + b"\0")


def postgres_says(
    state: str, text: str, *, at_login: bool = False, then_close: bool = False
) -> Callable[[socket.socket], None]:
    """Speak enough of PostgreSQL's protocol to answer a login or every statement with an error."""

    def serve(connection: socket.socket) -> None:
        length = struct.unpack("!I", connection.recv(4))[0]
        while struct.unpack("!I", connection.recv(4))[0] in {80877103, 80877104}:  # SSL or GSS asked for
            connection.sendall(b"N")
            length = struct.unpack("!I", connection.recv(4))[0]
        connection.recv(length - 8)
        if at_login:
            connection.sendall(_pg_error(state, text, "FATAL"))
            return
        ready = _message(b"Z", b"I")
        version = _message(b"S", b"server_version\x0015.0\0") + _message(b"S", b"client_encoding\0UTF8\0")
        connection.sendall(
            _message(b"R", struct.pack("!I", 0)) + version + _message(b"K", struct.pack("!II", 1, 2)) + ready
        )
        while data := connection.recv(65_536):
            if data[:1] == b"X":
                return
            if b"BEGIN" in data.upper():
                connection.sendall(_message(b"C", b"BEGIN\0") + _message(b"Z", b"T"))
                continue
            if state == "drop":
                reset(connection) if text == "reset" else connection.close()
                return
            connection.sendall(
                _pg_error(state, text, "FATAL" if then_close else "ERROR") + (b"" if then_close else ready)
            )
            if then_close:
                return

    return serve


# --- MySQL -----------------------------------------------------------------------------------------------------------


def _packet(number: int, content: bytes) -> bytes:
    return struct.pack("<I", len(content))[:3] + bytes([number]) + content


def mysql_says(number: int, state: str, text: str, *, at_login: bool = False) -> Callable[[socket.socket], None]:
    """Speak enough of MySQL's protocol to answer a login or every statement with an error."""
    error = b"\xff" + struct.pack("<H", number) + b"#" + state.encode() + text.encode()

    def serve(connection: socket.socket) -> None:
        if at_login and number == 1040:
            connection.sendall(_packet(0, error))
            return
        greeting = (
            b"\x0a8.0.0\0"
            + struct.pack("<I", 1)
            + b"12345678\0"
            + struct.pack("<HBHH", 0xF7FF & ~0x0800, 33, 2, 0x000F | 0x0008)
        )
        greeting += b"\x15" + b"\0" * 10 + b"123456789012\0" + b"mysql_native_password\0"
        connection.sendall(_packet(0, greeting))
        connection.recv(65_536)
        if at_login:
            connection.sendall(_packet(2, error))
            return
        connection.sendall(_packet(2, b"\0\0\0\2\0\0\0"))
        while data := connection.recv(65_536):
            if number == 0:
                connection.close()
                return
            fine = data[4:5] == b"\x01" or b"AUTOCOMMIT" in data.upper() or b"SET NAMES" in data.upper()
            connection.sendall(_packet(1, b"\0\0\0\2\0\0\0" if fine else error))

    return serve
