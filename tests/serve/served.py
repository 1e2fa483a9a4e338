"""A small log for the tests of serve, written as its producers write it, and a way to ask that hides nothing of ASGI."""

import asyncio
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relkit.batch import Batch
from relkit.serve import application
from relkit.store import open_store, sink_into
from relkit.store.rollouts import RolloutRow, append_rollout
from relkit.units import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND

NOW_US = 1_795_392_000_000_000
NOW = "2026-11-23T00:00:00Z"
API = "/api/reliability"
TOKEN = "a-token-that-is-long-enough-0123"
OPENMETRICS = {"Accept": "application/openmetrics-text"}
TEXT = {"Accept": "text/plain"}


class Log:
    """One database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sinks = 0

    def add(self, table: str, **columns: list[Any]) -> None:
        self.sinks += 1
        with open_store(self.path, write=True) as store, sink_into(store, "web", f"{self.sinks}") as sink:
            sink(Batch(table, columns))

    def calls(self, rows: list[tuple[Any, ...]]) -> None:
        """Add tries: request, number, start in us, latency in us, ok, service, strategy, budget left."""
        names = ("request_id", "attempt", "ts", "latency_us", "ok", "service", "strategy", "budget_left")
        columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
        columns["granularity"] = ["attempt"] * len(rows)
        columns["status"] = [None if row[4] is None else 200 if row[4] else 503 for row in rows]
        self.add("attempts", **columns)

    def transition(self, at_us: int, service: str, model: str | None, before: str, after: str) -> None:
        with open_store(self.path, write=True) as store:
            store.connection.execute(
                "INSERT INTO transitions (ts, service, model, from_state, to_state, reason) VALUES (?, ?, ?, ?, ?, 'why')",
                [at_us, service, model, before, after],
            )

    def fill(self) -> None:
        """Add eight days of calls, breakers, pairs, a rollout and probes."""
        self.calls(many_calls(1, 1_200, NOW_US - 8 * US_PER_DAY, NOW_US))
        for hours, before, after in (
            (30, "closed", "open"),
            (29, "open", "half_open"),
            (28, "half_open", "closed"),
            (2, "closed", "open"),
        ):
            self.transition(NOW_US - hours * US_PER_HOUR, "chat", "large", before, after)
        self.transition(NOW_US - 50 * US_PER_HOUR, "chat", "small", "open", "closed")
        size, step = 60, US_PER_HOUR
        self.add(
            "pairs", pair_id=[f"p{n}" for n in range(size)], ts=[NOW_US - (size - n) * step for n in range(size)],
            experiment=["new"] * size, session_id=[f"s{n // 2}" for n in range(size)], primary_ok=[True] * size,
            shadow_ok=[n % 10 > 0 for n in range(size)], primary_latency_us=[400_000] * size, shadow_latency_us=[410_000] * size,
            state=["compared"] * size, differs=[n % 5 == 0 for n in range(size)],
        )  # fmt: skip
        with open_store(self.path, write=True) as store:
            append_rollout(store, "new", RolloutRow(NOW_US - 20 * US_PER_HOUR, "running", 0, 0.1, "begun"))
        self.add("probes", ts=[NOW_US - US_PER_MINUTE], service=["chat"], up=[True], latency_us=[5_000])

    def app(self, **more: Any) -> Any:
        """Return the application at the time NOW_US."""
        return application(self.path, **{"now_us": lambda: NOW_US, **more})


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body, parse_constant=_no_constant)

    @property
    def text(self) -> str:
        return self.body.decode()


def _no_constant(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def ask(
    app: Any,
    path: str,
    query: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    host: str | None = "127.0.0.1:8571",
    client: str = "127.0.0.1",
) -> Got:
    """Ask an ASGI application; whatever it raises is raised here."""
    lines = [] if host is None else [(b"host", host.encode("latin-1"))]
    lines += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"), "query_string": query, "root_path": "", "headers": lines,
        "client": (client, 50_000), "server": ("127.0.0.1", 8571),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    told = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Got(start["status"], told, b"".join(message.get("body", b"") for message in rest))


def many_calls(seed: int, requests: int, start_us: int, end_us: int) -> list[tuple[Any, ...]]:
    """Draw requests of one to three tries at random times, some of them retried across midnight and minutes."""
    draw = random.Random(seed)
    rows = []
    for number in range(requests):
        at = draw.randrange(start_us, end_us - 30 * US_PER_SECOND)
        service, strategy = draw.choice(("chat", "search")), draw.choice(("transient", "rate_limited"))
        for attempt in range(1, 4):
            latency = draw.randrange(1_000, 3 * US_PER_SECOND)
            ok = draw.random() < 0.9
            told = None if ok else strategy
            rows.append((f"{seed}-{number}", attempt, at, latency, ok, service, told, draw.randrange(10)))
            if ok:
                break
            at += latency + draw.randrange(US_PER_SECOND, 8 * US_PER_SECOND)
    rows.sort(key=lambda row: row[2])
    return rows
