"""Checks of what a service depends on: run in the background by the clock, whoever asks and however often."""

import atexit
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final
from urllib.parse import urlsplit

from relkit.exceptions import ParameterError, StoreError, StoreLockedError
from relkit.units import printable

PASS: Final = "pass"  # noqa: S105  a status
WARN: Final = "warn"
FAIL: Final = "fail"
OVERDUE: Final = 3
"""A result is too old to be believed after so many intervals."""
_MOST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Parameters
    ----------
    name : str
        What it is: database, upstream, cache; each name once.
    look : callable
        Returns nothing, or a text that is a warning; raises when the thing does not work.
    required : bool
        Whether the service cannot do its work without it.
    every_s : float
        Seconds from the end of one look to the next.
    timeout_s : float
        Seconds after which a look has failed; the next is not begun before it has come back.
    kind : str
        component, datastore or system, as the format of health answers names them.
    """

    name: str
    look: Callable[[], str | None]
    required: bool = True
    every_s: float = 10.0
    timeout_s: float = 2.0
    kind: str = "component"

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable() or ":" in self.name:
            raise ParameterError.of(
                "name", self.name, "a printable word without a colon", "name what is checked, such as cache"
            )
        for name, value in (("every_s", self.every_s), ("timeout_s", self.timeout_s)):
            if not 0 < value < 86_400:
                raise ParameterError.of(name, value, "more than 0 and less than a day of seconds", "give seconds")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found.

    Parameters
    ----------
    status : str
        pass, warn or fail.
    at_us : int or None
        When it ended, microseconds since 1970 UTC; None before the first.
    latency_us : int or None
        How long it took.
    output : str
        Why it does not pass.
    """

    status: str
    at_us: int | None
    latency_us: int | None
    output: str = ""


_NOT_YET: Final = Seen(FAIL, None, None, "has not been looked at yet")


class Watch:
    """Looks at one thing again and again, on threads that end with the process.

    Parameters
    ----------
    check : Check
        What to look at.
    """

    def __init__(self, check: Check) -> None:
        self.check = check
        self._seen, self._ended_s = _NOT_YET, time.monotonic()
        self._lock, self._stop, self._first = Lock(), Event(), Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin, unless it has begun."""
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._run, name=f"relkit-check-{self.check.name}", daemon=True)
                self._thread.start()
                atexit.register(
                    self.stop
                )  # a thread that is cut off within DuckDB would take the process down with noise

    def stop(self) -> None:
        """End, when the look that is under way has come back or may wait no longer."""
        self._stop.set()
        atexit.unregister(self.stop)
        if self._thread is not None:
            self._thread.join(self.check.timeout_s + 1.0)

    def first(self) -> bool:
        """Wait for the first result, not longer than a look may take."""
        return self._first.wait(self.check.timeout_s + 1.0)

    def seen(self) -> Seen:
        """Return the last result; one that is overdue is a failure, for nobody knows any more."""
        with self._lock:
            seen, age_s = self._seen, time.monotonic() - self._ended_s
        limit_s = OVERDUE * (self.check.every_s + self.check.timeout_s)
        if seen.at_us is not None and age_s > limit_s:
            return Seen(FAIL, seen.at_us, None, f"no result for {age_s:.0f} s")
        return seen

    def _run(self) -> None:
        while not self._stop.is_set():
            self._once()
            self._stop.wait(self.check.every_s)

    def _once(self) -> None:
        found: list[Seen] = []
        begun_s = time.monotonic()
        look = Thread(
            target=lambda: found.append(_looked(self.check)), name=f"relkit-look-{self.check.name}", daemon=True
        )
        look.start()
        look.join(self.check.timeout_s)
        if not found:
            self._put(Seen(FAIL, _now_us(), None, f"no answer within {self.check.timeout_s:g} s"))
            while look.is_alive() and not self._stop.is_set():  # two looks at once would only load what does not answer
                look.join(self.check.every_s)
                if look.is_alive():
                    waited_s = time.monotonic() - begun_s
                    self._put(Seen(FAIL, _now_us(), None, f"no answer for {waited_s:.0f} s"))
        if found:
            self._put(found[0])

    def _put(self, seen: Seen) -> None:
        with self._lock:
            self._seen, self._ended_s = seen, time.monotonic()
        self._first.set()


def _looked(check: Check) -> Seen:
    begun_s = time.perf_counter()
    status, output = PASS, ""
    try:
        said = check.look()
        if said:
            status, output = WARN, said
    except Exception as error:  # noqa: BLE001  whatever a check raises is its result
        status, output = FAIL, str(error) or type(error).__name__
    latency_us = round((time.perf_counter() - begun_s) * 1e6)
    return Seen(status, _now_us(), latency_us, printable(" ".join(output.split()))[:_MOST_WORDS])


def database_check(database: Path) -> Check:
    """Check that the database can be read; one that is being written passes with a warning."""

    def look() -> str | None:
        from relkit.store import open_store  # noqa: PLC0415  loads DuckDB, which only this check needs

        try:
            with open_store(database, wait_s=1.0):
                return None
        except StoreLockedError:
            return "is being written"
        except StoreError:
            raise StoreError("cannot be opened") from None  # its own text names the file

    return Check("database", look, timeout_s=5.0, kind="datastore")


def address_check(name: str, address: str, *, required: bool) -> Check:
    """Check an address: http and https ask for it and want an answer below 500, tcp only connects.

    Parameters
    ----------
    name : str
        What is checked.
    address : str
        http://HOST[:PORT]/PATH, https://... or tcp://HOST:PORT.
    required : bool
        Whether the service cannot do its work without it.

    Raises
    ------
    ParameterError
        It is no such address.

    Examples
    --------
    >>> address_check("cache", "tcp://127.0.0.1:6379", required=False).name
    'cache'
    """
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = -1
    is_tcp = parts.scheme == "tcp" and port is not None and parts.path in ("", "/")
    if (
        not parts.hostname
        or port == -1
        or not (is_tcp or parts.scheme in ("http", "https"))
        or parts.username is not None
    ):
        raise ParameterError(
            f"check {name}: not an address that can be checked; write http://HOST:PORT/PATH or tcp://HOST:PORT, without a password"
        )
    host, timeout_s = parts.hostname, 2.0

    def connect() -> None:
        try:
            socket.create_connection((host, port or 0), timeout=timeout_s).close()
        except OSError as error:
            raise ConnectionError(f"cannot be reached ({_plain(error)})") from None

    def ask() -> str | None:
        request = urllib.request.Request(address, headers={"User-Agent": "relkit"})  # noqa: S310  http and https alone, see above
        try:
            with _OPENER.open(request, timeout=timeout_s) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except (OSError, ValueError) as error:
            raise ConnectionError(f"cannot be reached ({_plain(error)})") from None
        if status >= 500:
            raise ConnectionError(f"answers with status {status}")
        return f"answers with status {status}" if status >= 400 else None

    def look() -> str | None:
        return connect() if is_tcp else ask()  # type: ignore[func-returns-value]

    return Check(name, look, required=required, timeout_s=timeout_s + 1.0)


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer; it is not followed, for it may lead anywhere."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def _plain(error: OSError | ValueError) -> str:
    """Name an error of the network without its address."""
    inner = getattr(error, "reason", error)
    return getattr(inner, "strerror", None) or type(inner).__name__


def watches(checks: Sequence[Check]) -> tuple[Watch, ...]:
    """Return a watch for each check.

    Raises
    ------
    ParameterError
        Two have one name.
    """
    names = [check.name for check in checks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ParameterError.of("checks", twice, "each name once", "give the second another name")
    return tuple(Watch(check) for check in checks)


def _now_us() -> int:
    return time.time_ns() // 1000
