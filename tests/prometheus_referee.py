"""A real Prometheus as referee: the counters of a log as blocks on disk, a server on them, and what its engine says.

Debian's package prometheus, extracted and on the PATH, is enough: promtool writes the blocks, and the server runs for
the length of a `with` on a free port of this machine.
"""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Self

import numpy as np
import yaml

from relkit.config.prometheus import prometheus_rules
from relkit.slo import Minutes, Objective
from relkit.slo.alert_sets import ALERT_SETS, alert_set, budget_share, burn_rules, exhaustion
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier
from relkit.slo.firing import fire
from relkit.slo.incidents import Incident, lay_on
from relkit.slo.increases import counter_samples

ABSENT = "promtool and prometheus are not on the PATH: apt-get download prometheus; dpkg-deb -x it; add its usr/bin"
POINTS = 11_000  # most that one answer of the server holds


def is_there() -> bool:
    return all(shutil.which(name) for name in ("promtool", "prometheus"))


def alert_sets() -> list[AlertSet]:
    """Return every set by name and one of each family, minimum counts and confidence bounds included."""
    families = (
        budget_share(),
        budget_share(360, 30, "0.05", minimum_bad=3),
        burn_rules("at least 5", [("page", 60, 5, "14.4"), ("page", 360, 30, 6)], minimum_bad=5),
        burn_rules("sure", [("page", 60, 5, 6), ("ticket", 1440, 120, 3)], level=0.95),
        exhaustion(48),
    )
    return [*(alert_set(name) for name in ALERT_SETS), *families]


def patient() -> AlertSet:
    """Return alerts with `for` and keep_firing_for, whose windows are short enough for promtool."""
    fast, slow = AlertTier("burn", "14.4", 60, 5), AlertTier("burn", 6, 180, 15, 3)
    return AlertSet(
        "patient", (AlertRule("Page", "page", (fast, slow), 2), AlertRule("Kept", "ticket", (slow,), 5, 20))
    )


def at_once(alerts: AlertSet) -> AlertSet:
    """Return the alerts without their waits: what a query alone can tell."""
    return AlertSet(alerts.name, tuple(AlertRule(rule.name, rule.severity, rule.tiers) for rule in alerts))


def log(seed: int, month: int, days: int = 14) -> tuple[Minutes, list[Incident], list[int]]:
    """Return a log with day and night, incidents, gaps and a restart of its counters: counts, incidents, restarts."""
    rng = np.random.default_rng(seed)
    size = days * 1440
    valid = rng.poisson(month / 43_200 * (1 + 0.8 * np.sin(2 * np.pi * np.arange(size) / 1440)))
    bad, none = rng.binomial(valid, 0.0002), np.zeros(size, dtype=np.int64)
    start = 20_000 * 1440
    hurt, incidents = lay_on(Minutes(start, valid - bad, bad, none, none, none == 0), seed=seed, every_days=1.5)
    there = np.ones(size, dtype=bool)
    for at in rng.integers(0, size - 200, 8):
        there[at : at + int(rng.integers(1, 90))] = False
    counts = Minutes(start, np.where(there, hurt.good, 0), np.where(there, hurt.bad, 0), none, none, there)
    return counts, incidents, [start + size // 3]


def promtool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, check=False)


def rule_tests(folder: Path, rules: str, tests: str) -> subprocess.CompletedProcess[str]:
    """Let promtool run a test file against a rule file."""
    (folder / "slo.rules.yml").write_text(rules, encoding="utf-8")
    (folder / "slo.test.yml").write_text(tests, encoding="utf-8")
    return promtool(folder, "test", "rules", "slo.test.yml")


def expressions(rules: str) -> dict[str, str]:
    """Return each alert of a rule file as one query on the counters: what it reads is written out."""
    written: dict[str, str] = {}
    for group in yaml.safe_load(rules)["groups"]:
        for rule in group["rules"]:
            expr = rule["expr"]
            for series, query in written.items():
                expr = expr.replace(series, query)
            if "record" in rule:
                labels = ",".join(f'{name}="{value}"' for name, value in rule["labels"].items())
                written[f"{rule['record']}{{{labels}}}"] = f"({expr})"
            else:
                written[rule["alert"]] = expr
    return {name: query for name, query in written.items() if "{" not in name}


class Server:
    """Prometheus on the counters of a log."""

    def __init__(self, folder: Path, minutes: Minutes, restarts: list[int]) -> None:
        self._folder, self._minutes = folder, minutes
        bad, valid = counter_samples(minutes, restarts)
        lines = []
        for name, readings in (("requests_bad", bad), ("requests_valid", valid)):
            lines.append(f"# TYPE {name} counter")
            lines += [
                f"{name}_total {value} {60 * (minutes.start_minute + place)}"
                for place, value in enumerate(readings)
                if value is not None
            ]
        (folder / "log.om").write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
        done = promtool(
            folder, "tsdb", "create-blocks-from", "--max-block-duration=2000h", "openmetrics", "log.om", "data"
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-300:])
        (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")

    def __enter__(self) -> Self:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        words = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=50y",
                 f"--web.listen-address={self._address}", "--log.level=error"]  # fmt: skip
        self._process = subprocess.Popen(words, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://{self._address}/-/ready") as answer:
                    if answer.status == 200:
                        return self
            except urllib.error.URLError:
                time.sleep(0.1)
        self.__exit__()
        raise RuntimeError("prometheus did not start within 30 s")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def minutes(self, query: str, step: int = 1) -> set[int]:
        """Return the unix minutes at whose end a query has a result; it is evaluated where that is a multiple of the step."""
        first = -(-(self._minutes.start_minute + 1) // step) * step
        found: set[int] = set()
        for at in range(first, self._minutes.end_minute + 1, POINTS * step):
            last = min(at + (POINTS - 1) * step, self._minutes.end_minute)
            asked = urllib.parse.urlencode({"query": query, "start": 60 * at, "end": 60 * last, "step": 60 * step})
            with urllib.request.urlopen(f"http://{self._address}/api/v1/query_range?{asked}") as answer:
                result = json.load(answer)["data"]["result"]
            found |= {int(instant) // 60 - 1 for series in result for instant, _ in series["values"]}
        return found


def differing(
    server: Server, alerts: AlertSet, goal: Objective, minutes: Minutes, restarts: list[int], month: int, step: int = 1
) -> tuple[int, int]:
    """Count the minutes in which Prometheus and the engine differ, and those in which anything fires."""
    plain = at_once(alerts)
    queries = expressions(prometheus_rules(plain, goal, period_valid=month, step_minutes=step))
    ours = fire(plain, minutes, goal, period_valid=month, restarts=restarts, step_minutes=step)
    wrong = firing = 0
    for rule, spans in zip(plain, ours.by_rule, strict=True):
        told = {minute for first, last in spans for minute in range(first, last) if (minute + 1) % step == 0}
        wrong += len(told ^ server.minutes(queries[rule.name], step))
        firing += len(told)
    return wrong, firing
