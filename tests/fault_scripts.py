"""Three fault scripts twice: as scenarios of the simulator, and as scripts of a pretended service on real sockets."""

import asyncio
import random
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from typing import Any, Final
from urllib.error import HTTPError

from relkit.errors import ErrorKind
from relkit.live.answers import CallFailedError, Request
from relkit.live.events import AttemptEvent, Event, TransitionEvent
from relkit.live.faults import Asked, OverTime, Reply, Spell, answer, failed, limited
from relkit.live.pipeline import Pipeline
from relkit.live.upstream import HOST, Upstream
from relkit.plates.live_band import Band
from relkit.policies.codes import COUNT, EVIDENCE, OPEN, PER_CALL, VOTES_ACCEPTED
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings
from relkit.policies.retry_settings import Retry, RetrySettings
from relkit.simulation.arrivals import poisson
from relkit.simulation.episodes import Episode, brownout, outage, rate_limited
from relkit.simulation.latency import lognormal
from relkit.simulation.run import simulate
from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel
from relkit.units import US_PER_SECOND

RATE: Final = 200.0
START_S, END_S, LENGTH_S = 8.0, 18.0, 25.0
TIMEOUT_S: Final = 1.0
MEDIANS_S: Final = {"small": 0.05, "large": 0.09}
SIGMA: Final = 0.5
USUAL_ERRORS: Final = 0.005
ERROR_S: Final = 0.02  # an error's answer takes as long; a refused port answers as fast as the machine can
REFUSED_S: Final = 0.003
SHARE_DOWN, SLOWER = 0.33, 2.0
SHARE_LIMITED, RETRY_AFTER_S = 0.6, 1.0
SCRIPTS: Final = ("outage", "brownout", "rate_limited")
MEASURES: Final = ("milliseconds until the breaker opened", "tries lost to the fault")
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run is compared by: seconds until the breaker opened (infinite: it never did), and tries lost to the fault."""

    opened_s: float
    wasted: int


def scenario(name: str, *, start_s: float = START_S, end_s: float = END_S, length_s: float = LENGTH_S) -> Scenario:
    """Return a script as the simulator knows it."""
    episodes: dict[str, Episode] = {
        "outage": outage("small", start_s, end_s),
        "brownout": brownout("small", start_s, end_s, SHARE_DOWN, SLOWER),
        "rate_limited": rate_limited("small", start_s, end_s, SHARE_LIMITED, RETRY_AFTER_S),
    }
    error_s = REFUSED_S if name == "outage" else ERROR_S
    models = tuple(
        ServedModel(
            model, model, lognormal(median_s, SIGMA), error_s=error_s,
            errors=(ErrorShare(ErrorKind.API_SERVER_ERROR, USUAL_ERRORS),),
        )
        for model, median_s in MEDIANS_S.items()
    )  # fmt: skip
    return Scenario(name, round(RATE * length_s), poisson(RATE), models, (episodes[name],), timeout_s=TIMEOUT_S)


def candidates() -> list[Policy]:
    """Return the settings to choose from: three rules of opening, at several thresholds and open times."""
    rules: dict[str, dict[str, Any]] = {
        **{f"{most} in a row": {"failure_threshold": most} for most in (5, 10)},
        **{
            f"{share:.0%} of 50": {
                "family": COUNT, "failure_threshold": 0, "window_calls": 50, "min_calls": 20, "failure_share": share,
                "half_open_permits": 3, "half_open_successes": 3,
            }
            for share in (0.1, 0.2, 0.5)
        },
        "evidence": {
            "family": EVIDENCE, "failure_threshold": 0, "evidence_gap": 0.2, "evidence_limit": 12.0, "baseline_calls": 1000,
            "baseline_doubt": 2.0, "half_open_permits": 3, "permits_in_all": True, "half_open_successes": 0, "min_calls": 3,
            "failure_share": 0.5,
        },
    }  # fmt: skip
    return [
        policy(f"{rule}, {open_s:g} s", open_s=open_s, **words)
        for rule, words in rules.items()
        for open_s in (1.0, 3.0)
    ]


def policy(name: str, **breaker: Any) -> Policy:
    """Return a policy with two models; only its breaker differs."""
    return Policy(
        name, "2026-11", "relkit: the fault scripts in real time",
        BreakerSettings(votes=VOTES_ACCEPTED, counts=PER_CALL, **breaker),
        Retry.of(RetrySettings(max_attempts=2, first_delay_s=0.05, cap_s=0.2, deadline_s=10.0)),
        RetryBudgetSettings(PER_REQUEST, capacity=50.0, earn=0.1),
        FallbackSettings(tuple(FallbackModel(model, model, 8192) for model in MEDIANS_S), uses_budget=False),
    )  # fmt: skip


def chosen(seeds: int = 6) -> Policy:
    """Return what tuning chooses for the three scripts; the same each time."""
    from relkit.tune.choose import choose  # noqa: PLC0415  only a proof pays for it
    from relkit.tune.sweep import sweep  # noqa: PLC0415

    offered = candidates()
    found = sweep(offered, [scenario(name) for name in SCRIPTS], seeds=seeds, workers=1, progress=False)
    goal = "lowest amplification with success >= 99.5 % and recovery <= 5 s in every scenario"
    return choose(found, goal, offered[0], workers=1, progress=False).policy


def simulated(name: str, settings: Policy, seeds: Iterable[int], **times: float) -> list[Seen]:
    """Play a script in the simulator, once a seed."""
    played = scenario(name, **times)
    start_s, end_s = played.episodes[0].start_s, played.episodes[0].end_s
    found = []
    for seed in seeds:
        run = simulate(played, settings, seed, keep_attempts=True)
        changes, tries = run.transitions, run.attempts
        assert tries is not None
        openings = changes["at_s"][(changes["model"] == 0) & (changes["state"] == OPEN) & (changes["at_s"] >= start_s)]
        lost = (tries["model"] == 0) & (tries["kind"] != 0) & (tries["start_s"] >= start_s) & (tries["start_s"] < end_s)
        found.append(Seen(float(openings[0]) - start_s if len(openings) else float("inf"), int(lost.sum())))
    return found


def upstreams(name: str, seed: int, *, start_s: float = START_S, end_s: float = END_S) -> dict[str, Upstream]:
    """Return the pretended services of a script, one a model, not yet begun."""
    luck = random.Random(seed)
    spells = {
        "outage": (),
        "brownout": (Spell(start_s, end_s, failed(503).after(ERROR_S), SHARE_DOWN),),
        "rate_limited": (Spell(start_s, end_s, limited(RETRY_AFTER_S).after(ERROR_S), SHARE_LIMITED),),
    }[name]

    def usual(model: str, asked: Asked) -> Reply:
        if luck.random() < USUAL_ERRORS:
            return failed(500).after(ERROR_S)
        is_slower = name == "brownout" and model == "small" and start_s <= asked.at_s < end_s
        time_s = luck.lognormvariate(0.0, SIGMA) * MEDIANS_S[model] * (SLOWER if is_slower else 1.0)
        return answer(delay_s=time_s)

    refused = ((start_s, end_s),) if name == "outage" else ()
    return {
        "small": Upstream(OverTime(spells, lambda asked: usual("small", asked), luck.random), refused=refused),
        "large": Upstream(lambda asked: usual("large", asked)),
    }


class Client:
    """A small HTTP client for one port that keeps connections: at 200 calls a second a full one costs what is measured."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, body: bytes) -> bytes:
        """Post a body and return the answer's; a status of 400 or above is raised as urllib would."""
        while self.idle and (self.idle[-1][0].at_eof() or self.idle[-1][1].is_closing()):
            self.idle.pop()[1].close()
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(HOST, self.port)
        kept = False
        try:
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").splitlines()
            headers = Message()
            for name, _, value in (line.partition(": ") for line in lines if line):
                headers[name] = value
            found = await reader.readexactly(int(headers["Content-Length"]))
            kept = headers["Connection"] != "close"
        finally:
            if kept:
                self.idle.append((reader, writer))
            else:
                writer.close()
        status = int(first.split()[1])
        if status >= 400:
            raise HTTPError(f"http://{HOST}:{self.port}/", status, first, headers, BytesIO(found))
        return found


async def live(
    name: str,
    settings: Policy,
    seed: int,
    *,
    start_s: float = START_S,
    end_s: float = END_S,
    length_s: float = LENGTH_S,
) -> Seen:
    """Play a script once in real time, over real sockets, through a Pipeline."""
    services = upstreams(name, seed, start_s=start_s, end_s=end_s)
    small = services["small"]
    opened_s: list[float] = []
    wasted = 0

    def note(event: Event) -> None:
        nonlocal wasted
        if isinstance(event, TransitionEvent) and event.model == "small" and event.to_state == "open":
            opened_s.append(small.now_s - start_s)
        elif isinstance(event, AttemptEvent) and event.model == "small" and event.kind not in {"", "CIRCUIT_OPEN"}:
            wasted += start_s <= small.now_s - event.latency_us / US_PER_SECOND < end_s

    pipeline = Pipeline(settings, record=note, timeout_s=TIMEOUT_S)
    luck = random.Random(seed + 1_000_000)
    with ExitStack() as stack:
        clients = {model: Client(stack.enter_context(service).port) for model, service in services.items()}

        async def ask(*, model: str) -> None:
            await clients[model].post(b'{"model": "%b"}' % model.encode())

        async def request() -> None:
            with suppress(CallFailedError):
                await pipeline.acall(ask, request=Request(only_reads=True))

        async with asyncio.TaskGroup() as tasks:
            due_s = luck.expovariate(RATE)
            while due_s < length_s:
                await asyncio.sleep(max(due_s - small.now_s, 0.0))
                tasks.create_task(request())
                due_s += luck.expovariate(RATE)
    return Seen(next((at_s for at_s in opened_s if at_s >= 0.0), float("inf")), wasted)


def measured(settings: Policy, *, runs: int = 5, seeds: int = 400) -> dict[str, Any]:
    """Play every script live and simulated, and return the figures in the form of `docs/figures/live_band.json`."""
    scripts = {}
    for name in SCRIPTS:
        seen = {
            "simulated": simulated(name, settings, range(seeds)),
            "live": [asyncio.run(live(name, settings, seed)) for seed in range(runs)],
        }
        scripts[name] = {
            part: [[round(1000.0 * one.opened_s, 1), one.wasted] for one in found] for part, found in seen.items()
        }
    return {"policy": settings.name, "policy_hash": settings.hash, "rate": RATE, "scripts": scripts}


def bands(found: dict[str, Any]) -> list[Band]:
    """Return what `measured` found as the bands that are drawn."""
    return [
        Band(
            name,
            measure,
            tuple(float(each[place]) for each in parts["simulated"]),
            tuple(float(each[place]) for each in parts["live"]),
            LEVEL,
        )
        for name, parts in found["scripts"].items()
        for place, measure in enumerate(MEASURES)
    ]
