"""The application: four addresses, each a question about one moment."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from relkit.config import load_config
from relkit.exceptions import ParameterError, StoreLockedError
from relkit.period import moment_us
from relkit.serve.checks import Check, database_check, watches
from relkit.serve.exposition import OPENMETRICS, PROMETHEUS, exposition
from relkit.serve.figures import LONGEST_US
from relkit.serve.guard import AUTHORISED, Guard
from relkit.serve.health import MEDIA_TYPE, health_record, http_status, status_of
from relkit.serve.negotiate import JSON, wanted
from relkit.serve.negotiate import OPENMETRICS as AS_OPENMETRICS
from relkit.serve.shelf import BUSY, Answer, Shelf
from relkit.serve.snapshot import Snapshot
from relkit.serve.tally import LOCK_WAIT_S, Tally
from relkit.store import open_store
from relkit.store.readings.standing import (
    BreakerStanding,
    ProbeStanding,
    breaker_standings,
    probe_standings,
)
from relkit.units import US_PER_MINUTE, US_PER_SECOND

PREFIX: Final = "/api/reliability"
PATIENCE_S: Final = 5.0
PAGE_PATIENCE_S: Final = 30.0
_STATE: Final = "Relkit-State"
_LATEST_US: Final = 253_370_764_800 * US_PER_SECOND  # 9999-01-01: beyond lie times that no calendar here can name


class LiveBreaker(Protocol):
    """One breaker of a running process, as `relkit.live.registry.BreakerStatus` tells it."""

    @property
    def service(self) -> str: ...  # noqa: D102
    @property
    def model(self) -> str | None: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def state_age_s(self) -> float: ...  # noqa: D102


class LiveBreakers(Protocol):
    """What a process knows of its breakers: `relkit.live.registry.Registry`."""

    def status(self) -> Sequence[LiveBreaker]:
        """Return every breaker as it is now."""
        ...


@dataclass(frozen=True, slots=True)
class _Standing:
    breakers: tuple[BreakerStanding, ...]
    probes: tuple[ProbeStanding, ...]


class _Answers:
    """What the addresses answer with."""

    def __init__(
        self,
        database: Path,
        config: Path | None,
        registry: LiveBreakers | None,
        checks: Sequence[Check],
        now_us: Callable[[], int],
    ) -> None:
        self._settings = load_config(config)
        self._database, self._registry, self._now_us = database, registry, now_us
        self._watches = watches([database_check(database), *checks])
        self._tally = Tally(database, self._settings)
        self.snapshots = Shelf(self._snapshot, patience_s=PATIENCE_S)
        self.standings = Shelf(self._standing, patience_s=PATIENCE_S)
        self.pages = Shelf(self._page, patience_s=PAGE_PATIENCE_S)

    def start(self) -> None:
        for watch in self._watches:
            watch.start()

    def close(self) -> None:
        for watch in self._watches:
            watch.stop()
        for shelf in (self.snapshots, self.standings, self.pages):
            shelf.close()

    async def metrics(self, request: Request) -> Response:
        at_us = _asked(request)
        answer = await self.snapshots.get(at_us)
        if answer.value is None and answer.why == BUSY:
            return _busy()
        if at_us is None:
            answer = self._with_live(answer)
        form = wanted(request.headers.get("accept", ""))
        if form != JSON:
            is_open = form == AS_OPENMETRICS
            kind = OPENMETRICS if is_open else PROMETHEUS
            body = await run_in_threadpool(exposition, answer, openmetrics=is_open)
            return Response(body, headers={"Content-Type": kind, "Vary": "Accept"})
        snapshot = answer.value or Snapshot.unknown(self._now_us() if at_us is None else at_us)
        record = {**_told(answer), **snapshot.record()}
        return JSONResponse(record, headers={"Vary": "Accept"})

    async def health(self, request: Request) -> Response:
        at_us = _asked(request)
        self.start()
        for watch in self._watches:
            await run_in_threadpool(watch.first)
        breakers = self._live() if at_us is None else None
        probes: tuple[ProbeStanding, ...] = ()
        known = Answer(breakers, "fresh", 0.0)
        if breakers is None:
            answer = await self.standings.get(at_us)
            if answer.value is None and answer.why == BUSY:
                return _busy()
            known = Answer(None, answer.state, answer.age_s, answer.why)
            if answer.value is not None:
                known = replace(known, value=answer.value.breakers)
                probes = answer.value.probes if at_us is not None else ()
        looked = [(watch.check, watch.seen()) for watch in self._watches]
        status = status_of(looked, known.value)
        record: dict[str, Any] = {"status": status}
        if request.scope.get(AUTHORISED):
            record = health_record(status, looked, known, probes)
        return JSONResponse(record, http_status(status), media_type=MEDIA_TYPE)

    async def live(self, _request: Request) -> Response:
        return JSONResponse({"status": "pass"}, media_type=MEDIA_TYPE)

    async def page(self, request: Request) -> Response:
        at_us = _asked(request)
        known = await self.snapshots.get(at_us)
        answer: Answer[str] = Answer(None, "unknown", None, known.why)
        if known.value is not None:
            answer = await self.pages.get(at_us)
        if answer.value is None:
            if answer.why == BUSY:
                return _busy()
            return PlainTextResponse(f"There is no page yet: {answer.why}.\n", headers={"Refresh": "5"})
        headers = {_STATE: answer.state} | ({} if answer.age_s is None else {"Age": f"{answer.age_s:.0f}"})
        return HTMLResponse(answer.value, headers=headers)

    def _snapshot(self, at_us: int | None) -> Snapshot:
        now_us = self._now_us()
        return self._tally.snapshot(now_us if at_us is None else at_us, now_us)

    def _standing(self, at_us: int | None) -> _Standing:
        asked_us = self._now_us() if at_us is None else at_us
        with open_store(self._database, wait_s=LOCK_WAIT_S) as store:
            return _Standing(breaker_standings(store, asked_us), probe_standings(store, asked_us))

    def _page(self, at_us: int | None) -> str:
        """Draw the page of a moment; of a log that ended long ago, now is the time of its end."""
        from relkit.serve.page import page_html  # noqa: PLC0415  it draws, and what draws takes seconds to load

        now_us = self._now_us()
        answer = self.snapshots.last(at_us)
        if at_us is None:
            answer = self._with_live(answer)
        snapshot = answer.value
        if snapshot is None:
            raise StoreLockedError("nothing has been counted yet")
        last_us = snapshot.last_row_us
        if at_us is None and last_us is not None and last_us < now_us - LONGEST_US:
            snapshot = self._tally.snapshot(min(now_us, last_us + US_PER_MINUTE), now_us)
        return page_html(self._database, self._settings, snapshot, now_us)

    def _with_live(self, answer: Answer[Snapshot]) -> Answer[Snapshot]:
        breakers = self._live()
        if breakers is None:
            return answer
        snapshot = answer.value or Snapshot.unknown(self._now_us())
        return Answer(snapshot.with_breakers(breakers), answer.state, answer.age_s, answer.why)

    def _live(self) -> tuple[BreakerStanding, ...] | None:
        """Return the breakers of this process, which no log can know better; None without a registry."""
        if self._registry is None:
            return None
        now_us = self._now_us()
        return tuple(
            BreakerStanding(
                one.service, one.model or "", one.state, now_us - round(one.state_age_s * US_PER_SECOND), None
            )
            for one in self._registry.status()
        )


def application(
    database: str | Path,
    *,
    config: str | Path | None = None,
    registry: LiveBreakers | None = None,
    checks: Sequence[Check] = (),
    token: str | None = None,
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> Guard:
    """Make the ASGI application: on its own under a server, or mounted into another one.

    Parameters
    ----------
    database : str or Path
        Where the log lies; opened for each question and closed after it.
    config : str or Path, optional
        relkit.toml with objectives and rules; default the packaged ones.
    registry : LiveBreakers, optional
        A `relkit.live` registry: then breakers are those of this process, not the last ones of the log.
    checks : sequence of Check
        What health looks at beside the database, such as upstream and cache.
    token : str, optional
        Without one only this machine is answered.
    now_us : callable
        The clock, microseconds since 1970 UTC.

    Returns
    -------
    Guard
        An ASGI application. It begins nothing before the first question, or the start of the server.

    Raises
    ------
    ParameterError
        The token is too weak, two checks have one name, or relkit.toml is not acceptable.
    """
    answers = _Answers(Path(database), None if config is None else Path(config), registry, checks, now_us)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        answers.start()
        first = asyncio.create_task(
            answers.snapshots.get(None)
        )  # counting a long log takes a while: begin before the first question
        yield
        first.cancel()
        await run_in_threadpool(answers.close)

    routes = [
        Route("/", answers.page),
        Route(f"{PREFIX}/metrics", answers.metrics),
        Route(f"{PREFIX}/health", answers.health),
        Route(f"{PREFIX}/live", answers.live),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={ParameterError: _refused})
    app.router.redirect_slashes = False  # it would send whoever asks to the host that the request names
    return Guard(app, token=token, open_paths=(f"{PREFIX}/health", f"{PREFIX}/live"))


def _asked(request: Request) -> int | None:
    """Return the moment that is asked for, None for now.

    Raises
    ------
    ParameterError
        Another parameter, twice the same, or no moment; the text does not repeat it.
    """
    given = request.query_params.multi_items()
    if not given:
        return None
    if [name for name, _ in given] != ["as_of"]:
        raise ParameterError("the one parameter is as_of, once; write ?as_of=2026-11-18T02:00:00Z")
    text = given[0][1]
    at_us = moment_us(text.replace(" ", "+") if "T" in text else text)  # an unescaped + arrives as a blank
    if at_us is None or not 0 <= at_us < _LATEST_US:
        raise ParameterError("as_of is not a time with its zone from 1970 to 9998; write ?as_of=2026-11-18T02:00:00Z")
    return at_us


def _told(answer: Answer[Any]) -> dict[str, Any]:
    age_s = 0.0 if answer.state == "fresh" else answer.age_s
    return {"state": answer.state, "age_s": None if age_s is None else round(age_s, 3), "why": answer.why or None}


def _busy() -> Response:
    return PlainTextResponse(f"Too Many Requests: {BUSY}\n", 429, {"Retry-After": "2"})


async def _refused(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"Bad Request: {error}\n", 400)
