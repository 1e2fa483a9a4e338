"""Points of budgets: the coverage of the band, and real logs of requests, probes and outages."""

import csv
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from scipy.stats import binom

from .point import ROOT, TRACES, Found, Skipped, point

MONTHS = 1_000
DAY = 1_440


def beside(name: str) -> ModuleType:
    """Load a module that lies beside the tests of the room, which are no package."""
    folder = str(ROOT / "tests/slo")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def rows_of(name: str) -> list[dict[str, str]]:
    """Read a real log; skip where the traces are absent."""
    if not (TRACES / name).is_file():
        raise Skipped(f"the trace {name} does not lie beside the project")
    with (TRACES / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def covered(requests: int, clustered: bool, history_days: int = 0) -> tuple[float, str]:
    """Return the share of months inside the band made at half time, and how they miss."""
    found = list(beside("simulated_months").misses(MONTHS, requests, clustered, 20_260, history_days))
    share = found.count(0) / MONTHS
    return (
        share,
        f"{requests:,} a month {share:.1%} ({found.count(-1) / MONTHS:.1%} with less left, {found.count(1) / MONTHS:.1%} with more)",
    )


@point("slo", "95 % budget band at half time, 1,000 independent months", slow=True)
def independent_months(folder: Path) -> Found:
    told = [covered(requests, clustered=False) for requests in (100_000, 250_000, 1_000_000)]
    return Found(
        "93 to 97 % inside, each", "; ".join(text for _, text in told), all(0.93 <= share <= 0.97 for share, _ in told)
    )


@point("slo", "95 % budget band at half time, 1,000 months with outages", slow=True)
def clustered_months(folder: Path) -> Found:
    told = [covered(requests, clustered=True) for requests in (100_000, 250_000, 1_000_000)]
    return Found(
        "at least 90 % inside, each", "; ".join(text for _, text in told), all(share >= 0.90 for share, _ in told)
    )


@point("slo", "a plain block bootstrap of days and a binomial band, 1,000 months with outages", slow=True)
def plain_bands(folder: Path) -> Found:
    """The usual two, for comparison: each is made from the same half months."""
    month = beside("simulated_months").month
    rng = np.random.default_rng(20_260)
    inside = {"blocks": 0, "binomial": 0}
    for _ in range(MONTHS):
        whole = month(1_000_000, True, rng)
        bad, valid = (row.reshape(30, DAY).sum(axis=1) for row in (whole.bad, whole.valid))
        came = int(bad[15:].sum())
        drawn = rng.choice(bad[:15], (500, 15)).sum(axis=1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        inside["blocks"] += low <= came <= high
        rate = rng.beta(bad[:15].sum() + 0.5, (valid - bad)[:15].sum() + 0.5, 500)
        low, high = np.quantile(rng.binomial(int(valid[:15].sum()), rate), (0.025, 0.975))
        inside["binomial"] += low <= came <= high
    figure = ", ".join(f"{name} {number / MONTHS:.1%}" for name, number in inside.items())
    return Found("shown to fail: under 90 %", figure, all(number < 0.9 * MONTHS for number in inside.values()))


@point("slo", "budget band on recorded outages: GitHub, 30-day windows")
def recorded_outages(folder: Path) -> Found:
    """Minutes as units, bad while an outage is recorded; each band from all of the log before half time."""
    from relkit.slo import Minutes, Objective  # noqa: PLC0415
    from relkit.slo.forecast import forecast  # noqa: PLC0415

    goal = Objective("minutes", "0.99")
    inside = asked = 0
    for trace in ("github-status_global-status_operator_reported", "Github_user_reported"):
        rows = [row for row in rows_of("cloud-uptime-github-etc.csv") if row["trace"] == trace]
        length = int(max(float(row["end_s"]) for row in rows)) // 60 + 1
        down = np.zeros(length, dtype=np.int64)
        for row in rows:
            down[int(float(row["start_s"])) // 60 : -(-int(float(row["end_s"])) // 60)] = 1
        none = np.zeros(length, dtype=np.int64)
        log = Minutes(0, 1 - down, down, none, none, np.ones(length, dtype=bool))
        for first in range(0, length - 30 * DAY + 1, 30 * DAY):
            end, half = first + 30 * DAY, first + 15 * DAY
            told = forecast(log.slice(max(0, half - 91 * DAY), half), goal, end, draws=300)
            part = log.slice(first, end).totals
            left = float(1 - part.bad / (goal.budget_share * part.valid))
            assert told.low is not None
            assert told.high is not None
            asked += 1
            inside += told.low <= left <= told.high
    chance = float(binom.cdf(inside, asked, 0.9))
    figure = f"{inside} of {asked} ({inside / asked:.1%}); so few or fewer at 90 %: p {chance:.2f}"
    return Found("no evidence against 90 % of the months (exact, 5 %)", figure, chance > 0.05)


@point("slo", "recorded outages: counts and medians as published")
def outage_lengths(folder: Path) -> Found:
    rows = rows_of("cloud-uptime-github-etc.csv")
    found = {}
    for name, trace in (
        ("operator", "github-status_global-status_operator_reported"),
        ("users", "Github_user_reported"),
    ):
        lasts = [float(row["end_s"]) - float(row["start_s"]) for row in rows if row["trace"] == trace]
        found[name] = (len(lasts), round(float(np.median(lasts)) / 60))
    goal = "230 of median 179 min by the operator, 68 of median 20 min by users"
    figure = "; ".join(f"{name}: {number} of median {minutes} min" for name, (number, minutes) in found.items())
    return Found(goal, figure, found == {"operator": (230, 179), "users": (68, 20)})


def uptime_points(log: str) -> float:
    """Return the median distance between time-weighted uptime and the published one, in points."""
    from relkit.slo import time_weighted  # noqa: PLC0415

    rows = sorted(rows_of(f"upptime-checks-{log}.csv"), key=lambda row: row["timestamp"])
    published = {
        row["service"]: float(row["uptime"].rstrip("%")) for row in rows_of(f"upptime-checks-{log}-summary.csv")
    }
    at = np.array([row["timestamp"].removesuffix("Z") for row in rows], dtype="datetime64[us]").astype(np.int64)
    services, up = np.array([row["service"] for row in rows]), np.array([row["state"] == "up" for row in rows])
    off = []
    for service, told in published.items():
        mine = services == service
        share = time_weighted(at[mine], up[mine], int(at.max())).share if mine.any() else None
        if share is not None:
            off.append(abs(100 * share - told))
    return float(np.median(off))


@point("slo", "upptime-checks-a and -b: time-weighted against published")
def uptimes(folder: Path) -> Found:
    found = {log: uptime_points(log) for log in ("a", "b")}
    figure = ", ".join(f"{log} {points:.3f}" for log, points in found.items())
    return Found(
        "median .003 and .036 points", figure, [round(points, 3) for points in found.values()] == [0.003, 0.036]
    )


@point("slo", "apache-access-2015: 84 h against 99 and 99.9 %")
def apache(folder: Path) -> Found:
    from relkit.slo import ErrorBudget, Objective, verdict  # noqa: PLC0415

    statuses = np.array([int(row["status"]) for row in rows_of("apache-access-2015.csv")])
    bad, faults = int((statuses >= 500).sum()), int(((statuses >= 400) & (statuses < 500)).sum())
    valid = len(statuses) - faults
    codes, needed = [], None
    for target in ("0.99", "0.999"):
        budget = ErrorBudget(Objective("availability", target), valid, bad, excluded=faults)
        codes.append(verdict(budget).code)
        needed = budget.requests_to_decide
    figure = f"4xx {faults / len(statuses):.2%}, 5xx {bad / len(statuses):.2%}; {codes[0]} and {codes[1]}, {needed:,} requests would do for the second"
    return Found(
        "4xx 2.17 %, 5xx .03 %; both decided, 4xx left out",
        figure,
        codes[0] == "MET" and round(faults / len(statuses), 4) == 0.0217,
    )


@point("slo", "nezha-2022-08-22: the plan's P95 < 2 s as time slices finds CPU and network faults")
def nezha_latency(folder: Path) -> Found:
    """A minute is good when its p95 is at most 2 s; a fault is found by a bad minute within 8 minutes of its injection."""
    minutes: list[dict[str, Any]] = [dict(row) for row in rows_of("nezha-2022-08-22-frontend-minutes.csv")]
    faults = rows_of("nezha-2022-08-22-faults.csv")
    at = np.array([int(row["unix_s"]) // 60 for row in minutes])
    slow = np.array([float(row["p95_s"] or "nan") > 2.0 for row in minutes])
    failing = np.array([float(row["success_rate_pct"] or "nan") < 99.0 for row in minutes])
    near = np.zeros(len(at), dtype=bool)
    found = {(kind, by): 0 for kind in ("code", "load") for by in ("slow", "failing")}
    number = {"code": 0, "load": 0}
    for fault in faults:
        begun = int(fault["inject_timestamp"]) // 60
        inside = (at >= begun) & (at <= begun + 8)
        near |= inside
        kind = "code" if fault["inject_type"] in ("exception", "return") else "load"
        number[kind] += 1
        found[kind, "slow"] += bool(slow[inside].any())
        found[kind, "failing"] += bool(failing[inside].any())
    calm = ~near
    false = int(slow[calm].sum())
    chance = 1 - (1 - false / int(calm.sum())) ** 9
    figure = (
        f"success {found['code', 'failing']} of {number['code']} code and {found['load', 'failing']} of {number['load']} CPU/network faults; "
        f"latency {found['load', 'slow']} of {number['load']} CPU/network faults ({chance * number['load']:.1f} by chance) and "
        f"{found['code', 'slow']} of {number['code']} code, at {false} of {int(calm.sum())} calm minutes bad"
    )
    holds = (found["code", "failing"], found["load", "failing"]) == (5, 0) and found[
        "load", "slow"
    ] > 2 * chance * number["load"]
    return Found("success 5 of 6 and 0 of 18; latency finds some, beyond chance", figure, holds)
