"""The addresses: what they answer with, in which form, and what when the database cannot be read."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from served import API, NOW, NOW_US, OPENMETRICS, TEXT, Log, ask

from relkit.live.registry import Registry
from relkit.policies.presets import presets
from relkit.serve import Check
from relkit.serve.shelf import FRESH_S
from relkit.units import US_PER_HOUR, US_PER_SECOND

AS_OF = f"as_of={NOW}".encode()
HOLD = """
import sys, time
from relkit.store import open_store
with open_store(sys.argv[1], write=True):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def app(known: Log):
    return known.app()


def test_metrics_tell_everything_that_is_promised(app) -> None:
    got = ask(app, f"{API}/metrics")
    told = got.json()
    assert (got.status, got.headers["content-type"], told["state"], told["age_s"]) == (
        200,
        "application/json",
        "fresh",
        0,
    )
    assert [(one["service"], one["model"], one["state"], one["since"]) for one in told["breakers"]] == [
        ("chat", "large", "open", "2026-11-22T22:00:00.000000Z"),
        ("chat", "small", "closed", "2026-11-20T22:00:00.000000Z"),
    ]
    assert [one["strategy"] for one in told["retries"]["strategies"]] == [None, "rate_limited", "transient"]
    for one in told["retries"]["strategies"][1:]:
        assert one["attempts"] == one["requests"] + one["retries"]
        assert one["requests"] == one["recovered"] + one["given_up"]
        assert 0 <= one["budget_left"] < 10
    assert told["shadow"] == [
        {
            "experiment": "new", "pairs": {"eligible": 0, "mirrored": 0, "answered": 0, "compared": 60}, "shadow_error_rate": 0.1,
            "shadow_judged": 60, "difference_rate": 0.2, "difference_judged": 60, "rollout": "running", "step": 0, "share": 0.1,
            "since": "2026-11-22T04:00:00.000000Z",
        }
    ]  # fmt: skip
    assert [(name, rate["window_s"]) for name, rate in told["error_rates"].items()] == [
        ("5m", 300),
        ("1h", 3_600),
        ("24h", 86_400),
    ]
    for name, rate in told["error_rates"].items():
        assert rate["valid"] == rate["good"] + rate["bad"] == sum(one["valid"] for one in rate["services"])
        assert rate["error_rate"] == (float(f"{rate['bad'] / rate['valid']:.9g}") if rate["valid"] else None)
        latency = told["latency"][name]
        marks = [latency[f"{mark}_s"] for mark in ("p50", "p95", "p99") if latency[f"{mark}_s"] is not None]
        assert marks == sorted(marks)
    assert [(one["objective"], one["verdict"]) for one in told["objectives"]] == [
        ("availability", "UNDECIDED"),
        ("latency", "UNDECIDED"),
    ]
    budget = told["objectives"][0]
    assert budget["left_share"] == pytest.approx(1 - budget["bad"] / budget["allowed"], rel=1e-8)
    assert budget["coverage"] < 0.95


def test_a_percentile_is_told_only_where_its_requests_identify_it(app) -> None:
    latency = ask(app, f"{API}/metrics", b"as_of=2026-11-22T00:00:00Z").json()["latency"]
    few, day = latency["1h"], latency["24h"]
    assert 0 < few["n"] < 60 < day["n"] < 300
    assert [few[f"{mark}_s"] for mark in ("p95", "p99")] == [day["p99_s"], day["p99_interval_s"]] == [None, None]
    assert day["p95_interval_s"][0] < day["p95_s"] < day["p95_interval_s"][1]


def test_the_same_moment_gives_the_same_bytes(known: Log) -> None:
    first, second = known.app(), known.app(now_us=lambda: NOW_US + 90 * US_PER_SECOND)
    ask(second, f"{API}/metrics")
    for headers in ({}, TEXT, OPENMETRICS):
        answers = {ask(one, f"{API}/metrics", AS_OF, headers).body for one in (first, second, first)}
        assert len(answers) == 1


@pytest.mark.parametrize(("headers", "read"), [(TEXT, read_text), (OPENMETRICS, read_openmetrics)])
def test_text_for_prometheus_tells_the_same_numbers(app, headers, read) -> None:
    told = ask(app, f"{API}/metrics", AS_OF).json()
    text = ask(app, f"{API}/metrics", AS_OF, headers)
    assert text.headers["content-type"].startswith(headers["Accept"])
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in read(text.text)
        for sample in family.samples
    }
    assert samples["relkit_up",] == 1
    large = ("model", "large"), ("service", "chat")
    states = {
        state: samples["relkit_circuitbreaker_state", *large, ("state", state)]
        for state in ("open", "closed", "half_open")
    }
    assert states == {"open": 1, "closed": 0, "half_open": 0}
    for window, rate in told["error_rates"].items():
        key = ("window", window)
        assert samples["relkit_requests", ("outcome", "bad"), key] == rate["bad"]
        assert samples.get(("relkit_error_ratio", key)) == pytest.approx(rate["error_rate"])
        assert samples.get(("relkit_request_latency_seconds", ("percentile", "99"), key)) == pytest.approx(
            told["latency"][window]["p99_s"]
        )
    for one in told["retries"]["strategies"]:
        key = ("strategy", one["strategy"] or ""), ("window", "24h")
        assert samples["relkit_retry_given_up", *key] == one["given_up"]
    for one in told["objectives"]:
        key = ("objective", one["objective"]), ("window", one["window"])
        assert samples["relkit_objective_budget_left_ratio", *key] == pytest.approx(one["left_share"])


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not on the PATH")
def test_promtool_finds_nothing_to_say_against_the_metrics(known: Log, log: Log) -> None:
    for app in (known.app(), log.app()):
        text = ask(app, f"{API}/metrics", headers=TEXT).body
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_health_tells_checks_and_breakers_in_both_languages(app, known: Log) -> None:
    got = ask(app, f"{API}/health")
    told = got.json()
    assert (got.status, got.headers["content-type"]) == (200, "application/health+json")
    assert (told["status"], told["health"], told["breakers_known"]) == ("warn", "degraded", "fresh")
    database = told["checks"]["database:responseTime"][0]
    assert (database["status"], database["componentType"], database["required"]) == ("pass", "datastore", True)
    assert [(one["componentId"], one["observedValue"], one["status"]) for one in told["checks"]["circuitBreaker:state"]] == [
        ("chat/large", "open", "warn"), ("chat/small", "closed", "pass"),
    ]  # fmt: skip
    before = ask(app, f"{API}/health", f"as_of={'2026-11-22T21:00:00Z'}".encode()).json()
    assert (before["status"], before["health"]) == ("pass", "healthy")


def test_health_is_503_when_a_required_check_fails_and_no_get_ever_runs_one(known: Log) -> None:
    looks: list[str] = []

    def upstream() -> None:
        looks.append("upstream")
        raise ConnectionError("no route")

    def cache() -> None:
        looks.append("cache")

    for required, status, word in ((True, 503, "fail"), (False, 200, "warn")):
        looks.clear()
        app = known.app(
            checks=[
                Check("upstream", upstream, required=required, every_s=3_000),
                Check("cache", cache, required=False, every_s=3_000),
            ]
        )
        for _ in range(5):
            got = ask(app, f"{API}/health")
            assert (got.status, got.json()["status"], got.json()["health"]) == (status, word, "degraded")
        assert sorted(looks) == ["cache", "upstream"]
        assert got.json()["checks"]["upstream:responseTime"][0]["output"] == "no route"


@pytest.mark.parametrize("state", ["forced_open", "disabled", "half_open"])
def test_a_live_registry_tells_the_breakers_of_the_process(log: Log, state: str) -> None:
    registry = Registry({"default": presets["pybreaker"]})
    breaker = registry.breaker("chat")
    assert breaker is not None
    app = log.app(registry=registry)
    assert ask(app, f"{API}/health").json()["status"] == "pass"
    if state == "half_open":
        for _ in range(5):
            breaker.state.state = 2
    else:
        breaker.force(state)
    told = ask(app, f"{API}/health").json()
    assert (told["status"], told["breakers"][0]["state"]) == ("warn", state)
    metrics = ask(app, f"{API}/metrics").json()
    assert (metrics["breakers_from"], metrics["breakers"][0]["state"]) == ("process", state)
    assert ask(app, f"{API}/metrics", AS_OF).json()["breakers"] == []


def test_while_it_is_locked_the_last_answer_is_given_with_its_age(full: Log) -> None:
    app = full.app()
    fresh = ask(app, f"{API}/metrics").json()
    ask(app, f"{API}/health")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(full.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"held\n"
            time.sleep(FRESH_S + 0.1)
            stale, health = ask(app, f"{API}/metrics").json(), ask(app, f"{API}/health")
            text = dict(
                line.split()
                for line in ask(app, f"{API}/metrics", headers=TEXT).text.splitlines()
                if line.startswith(("relkit_up ", "relkit_snapshot_age_seconds "))
            )
            never = ask(full.app(), f"{API}/metrics", AS_OF)
        finally:
            writer.kill()
    assert stale["state"] == "stale"
    assert stale["age_s"] > FRESH_S
    assert "being written" in stale["why"]
    assert {**stale, "state": 0, "age_s": 0, "why": 0} == {**fresh, "state": 0, "age_s": 0, "why": 0}
    assert (health.status, health.json()["breakers_known"]) == (200, "stale")
    assert (text["relkit_up"], float(text["relkit_snapshot_age_seconds"]) > FRESH_S) == ("0.0", True)
    assert (never.status, never.json()["state"], never.json()["error_rates"]["5m"]["error_rate"]) == (
        200,
        "unknown",
        None,
    )
    assert str(full.path) not in never.text + json.dumps(stale)


@pytest.mark.parametrize("content", [None, b"", b"no database at all", b"12345678DUCK" + bytes(8_000)])
def test_a_database_that_is_none_gives_answers_that_say_so(tmp_path: Path, content: bytes | None, caplog) -> None:
    place = tmp_path / "log.duckdb"
    if content is not None:
        place.write_bytes(content)
    app = Log(place).app()
    for path, status in ((f"{API}/metrics", 200), (f"{API}/health", 503), (f"{API}/live", 200), ("/", 200)):
        got = ask(app, path)
        assert got.status == status
        assert str(tmp_path) not in got.text
    told = ask(app, f"{API}/metrics").json()
    assert (told["state"], told["objectives"], told["log_last_row"]) == ("unknown", [], None)
    assert "relkit_up 0.0" in ask(app, f"{API}/metrics", headers=TEXT).text


def test_an_empty_log_is_unknown_and_not_good(log: Log) -> None:
    told = ask(log.app(), f"{API}/metrics").json()
    assert told["state"] == "fresh"
    assert [rate["error_rate"] for rate in told["error_rates"].values()] == [None] * 3
    assert [one["left_share"] for one in told["objectives"]] == [None, None]
    assert {one["verdict"] for one in told["objectives"]} == {"UNDECIDED"}
    assert told["breakers"] == told["shadow"] == told["retries"]["strategies"] == []


def test_what_is_wrong_with_a_question_is_said_without_repeating_it(app) -> None:
    for query in (b"as_of=yesterday-SECRET", b"as_of=2026-11-18T02:00:00", b"as_of=0001-01-01T00:00:00Z", b"as_of=9999-12-31T23:59:59-14:00",
                  b"as_of=", b"asof=SECRET", b"as_of=2026-11-18T02:00:00Z&as_of=2026-11-18T02:00:00Z", b"%ff=%00"):  # fmt: skip
        for path in (f"{API}/metrics", f"{API}/health", "/"):
            got = ask(app, path, query)
            assert got.status == 400
            assert "as_of=2026-11-18T02:00:00Z" in got.text
            assert "SECRET" not in got.text
        assert ask(app, f"{API}/live", query).status == 200
    shifted = ask(app, f"{API}/metrics", b"as_of=2026-11-23T01:00:00+01:00").json()
    assert shifted["as_of"] == "2026-11-23T00:00:00.000000Z"


def test_the_past_does_not_change_when_the_log_grows(full: Log) -> None:
    app = full.app()
    asked = f"as_of={'2026-11-22T12:00:00Z'}".encode()
    before = ask(app, f"{API}/metrics", asked).json()
    full.calls([("late", 1, NOW_US - US_PER_HOUR, 1_000, False, "chat", "transient", 3)])
    time.sleep(FRESH_S + 0.1)
    assert ask(app, f"{API}/metrics", asked).json() == before
