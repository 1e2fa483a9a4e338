"""Who may ask: this machine without a token, anybody else with one; nothing but reading, and nothing longer than a question."""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relkit.exceptions import ParameterError

AUTHORISED: Final = "relkit.authorised"
SHORTEST_TOKEN: Final = 16
_METHODS: Final = ("GET", "HEAD")
_LONGEST_PATH: Final = 256
_LONGEST_QUERY: Final = 1_024
_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Say whether a host names this machine itself.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def checked_token(token: str) -> str:
    """Return a token that may be used.

    Raises
    ------
    ParameterError
        Too short to be no guess, or not of printable ASCII; the text does not repeat it.
    """
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token or ":" in token:
        raise ParameterError(
            f"the token is not acceptable: allowed are at least {SHORTEST_TOKEN} printable ASCII characters without blanks and colons; "
            'make one with `python -c "import secrets; print(secrets.token_urlsafe(32))"`'
        )
    return token


class Guard:
    """Lets a request through to an application, or answers it plainly.

    Parameters
    ----------
    app : ASGI application
        What is guarded; it finds in `scope[AUTHORISED]` whether the request may see everything.
    token : str or None
        Without one only this machine may ask, by its own names, so that no web page can through a name that it points here.
    open_paths : collection of str
        Ends of paths that answer anybody, tersely.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, open_paths: Collection[str] = ()) -> None:
        self._app = app
        self._digest = None if token is None else _digest(checked_token(token).encode())
        self._open = tuple(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI says."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in _METHODS:
            return PlainTextResponse("Method Not Allowed\n", 405, {"Allow": ", ".join(_METHODS)})
        if len(scope["path"]) > _LONGEST_PATH or len(scope.get("query_string", b"")) > _LONGEST_QUERY:
            return PlainTextResponse("URI Too Long\n", 414)
        scope[AUTHORISED] = _is_local(scope, headers) if self._digest is None else self._knows_token(headers)
        if scope[AUTHORISED] or scope["path"].endswith(self._open):
            return None
        if self._digest is None:
            return PlainTextResponse("Forbidden: without a token only this machine may ask, by its own name\n", 403)
        refusal = PlainTextResponse("Unauthorized\n", 401)
        for challenge in ('Bearer realm="relkit"', 'Basic realm="relkit", charset="UTF-8"'):
            refusal.headers.append("WWW-Authenticate", challenge)
        return refusal

    def _knows_token(self, headers: Headers) -> bool:
        """Compare what was given; as Bearer, or as the password of any user, which browsers and Prometheus can send."""
        given = headers.getlist("authorization")
        scheme, _, text = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        secret = b""
        if scheme.lower() == "bearer":
            secret = text.strip().encode("latin-1", "replace")
        elif scheme.lower() == "basic":
            try:
                secret = base64.b64decode(text.strip(), validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                secret = b""
        assert self._digest is not None
        return hmac.compare_digest(_digest(secret), self._digest)


def _digest(secret: bytes) -> bytes:
    """Hash what is compared: then neither its length nor its first difference shows in the time it takes."""
    return hashlib.sha256(secret).digest()


def _is_local(scope: Scope, headers: Headers) -> bool:
    """Say whether a request comes from this machine, was meant for it by name, and by nobody on the way."""
    client = scope.get("client")
    if client is not None and not is_loopback(client[0]):
        return False
    if any(name in headers for name in _FORWARDED):
        return False
    hosts = headers.getlist("host")
    if len(hosts) != 1:
        return False
    found = _HOST.fullmatch(hosts[0])
    return found is not None and is_loopback(found["name"])
