"""Points of the spine on real logs that nobody here wrote; each fact was known before the project read the log."""

import csv
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from .point import TRACES, Found, point, trace_report


def ask(folder: Path, sql: str) -> tuple[Any, ...]:
    """Ask the database of a proof one question with one answer."""
    from relkit.store import open_store  # noqa: PLC0415  pytest collects this module and must not pay for it

    with open_store(folder / "relkit.duckdb") as store:
        row = store.connection.execute(sql).fetchone()
    assert row is not None
    return tuple(row)


def judged(facts: Iterable[tuple[str, object, object]]) -> Found:
    """Compare (name, known, found) and name what differs."""
    listed = list(facts)
    wrong = [f"{name} {found}, known {known}" for name, known, found in listed if known != found]
    goal = ", ".join(f"{name} {known}" for name, known, _ in listed)
    return Found(goal, "; ".join(wrong) or f"all {len(listed)} as known", not wrong)


@point("spine", "trace nezha-2022-08-22")
def nezha(folder: Path) -> Found:
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.slo import Objective, burn_of_shares  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    pages = trace_report(
        folder,
        ("nezha-2022-08-22-requests.csv", "attempts", "nezha-requests"),
        ("nezha-2022-08-22-frontend-minutes.csv", "minutes", "nezha-minutes"),
        ("nezha-2022-08-22-faults.csv", "faults", "nezha-faults"),
    )
    everything, goal = period_of("all", "UTC"), Objective("availability", "0.999")
    with open_store(folder / "relkit.duckdb") as store:
        (shares,), latency = readings.minute_shares(store, everything), readings.latencies(store, everything)
    full = int((burn_of_shares(shares, goal, 60) > 10).sum())
    partial = int((burn_of_shares(shares, goal, 60, full_only=False) > 10).sum())
    series = pages.shown("4_slo", "series")
    caption = series["caption"]
    in_ms = [None if us is None else round(us / 1000, -1 if us > 1e6 else 0) for us in (latency.p50_us, latency.p95_us)]
    return judged(
        (
            ("minute mean %", 99.41, round(100 * series["values"]["mean_share"], 2)),
            ("minutes under 99 %", 22, series["values"]["minutes_below_99"]),
            (
                "unweighted burn 5.9x and full windows named on the page",
                True,
                "burn 5.9x" in caption and "unweighted mean" in caption and "full one-hour windows" in caption,
            ),
            ("over 10x with partial windows", 141, partial),
            ("with full ones", 94, full),
            ("on the page", 94, series["values"]["over_10x_full_windows"]),
            ("p50, p95 ms", [200, 1980], in_ms),
            ("p99 ms", 6008, round((latency.p99_us or 0) / 1000)),
            ("faults", 24, ask(folder, "SELECT count(*) FROM faults")[0]),
        )
    )


@point("spine", "trace aider-llm-events-a")
def aider(folder: Path) -> Found:
    pages = trace_report(folder, ("aider-llm-events-a.csv", "events", "aider-events"))
    starts, good, failed, open_ends, longest_us = ask(
        folder,
        "SELECT count(*), count(*) FILTER (ok), count(*) FILTER (NOT ok), count(*) FILTER (NOT ended), max(latency_us) FROM attempts",
    )
    latency = pages.shown("4_slo", "latency")["values"]
    return judged(
        (
            ("starts", 2091, starts),
            ("paired with a finish", 1760, good),
            ("exceptions", 42, failed),
            ("censored", 289, open_ends),
            ("median s", 9, round(latency["p50_us"] / 1e6)),
            ("p99 s", 71, int(latency["p99_us"] / 1e6)),
            ("longest s", 32_322, round(longest_us / 1e6)),
            (
                "the outlier is named on the page",
                True,
                "one attempt of 8.98 h carries" in str(pages.shown("6_weekly", "caveats")["rows"]),
            ),
        )
    )


@point("spine", "trace upptime-checks-a")
def upptime(folder: Path) -> Found:
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    pages = trace_report(folder, ("upptime-checks-a.csv", "probes", "upptime-checks"))
    with open_store(folder / "relkit.duckdb") as store:
        uptimes = readings.uptimes(store, period_of("all", "UTC"))
    rows, down, end_us = ask(folder, "SELECT count(*), count(*) FILTER (NOT up), max(ts) FROM probes")
    ended = sum(end < end_us for uptime in uptimes.values() for _, end in uptime.outages)
    with (TRACES / "upptime-checks-a-summary.csv").open(encoding="utf-8", newline="") as file:
        published = {row["service"]: float(row["uptime"].rstrip("%")) for row in csv.DictReader(file)}
    off = [abs(100 * (uptimes[name].share or 0) - known) for name, known in published.items()]
    by_rows = [
        abs(100 * ask(folder, f"SELECT avg(up::INT) FROM probes WHERE service = '{name}'")[0] - known)
        for name, known in published.items()
    ]
    return judged(
        (
            ("rows", 6274, rows),
            ("down", 512, down),
            ("ended outages", 361, ended),
            ("median distance to the published uptime, points, time-weighted", 0.003, round(median(off), 3)),
            ("by rows", 6.1, round(median(by_rows), 1)),
            ("time-weighted named on the page", True, "time-weighted" in pages.verdict("slo")["sentence"]),
        )
    )


@point("spine", "trace apache-access-2015")
def apache(folder: Path) -> Found:
    pages = trace_report(folder, ("apache-access-2015.csv", "attempts", "apache-access"))
    n, client, server, bots, hours = ask(
        folder,
        "SELECT count(*), 100 * avg((status // 100 = 4)::INT), 100 * avg((status // 100 = 5)::INT), "
        "100 * avg((operation LIKE '% bot')::INT), count(DISTINCT ts // 3600000000) FROM attempts",
    )
    kinds = pages.shown("1_errors", "kind_table")["values"]
    return judged(
        (
            ("hours", 84, hours),
            ("requests an hour", 119, round(n / hours)),
            ("4xx %", 2.17, round(client, 2)),
            ("5xx %", 0.03, round(server, 2)),
            ("bots %", 20.5, round(bots, 1)),
            ("errors on the page", 220, sum(kinds.values())),
        )
    )


@point("spine", "trace routellm-mmlu-pairs")
def routellm(folder: Path) -> Found:
    pages = trace_report(folder, ("routellm-mmlu-pairs.csv", "pairs", "routellm-pairs"))
    cells = pages.shown("5_shadow_ab", "pairs_2x2")["values"]
    return judged(
        (
            (
                "both, only Mixtral, only GPT-4, neither",
                [8818, 742, 2497, 1985],
                [cells[name] for name in ("both", "only_primary", "only_shadow", "neither")],
            ),
            ("McNemar z", 30.8, round(pages.shown("5_shadow_ab", "methods")["values"]["z"], 1)),
            ("unpaired z", 24.0, round(pages.shown("5_shadow_ab", "plan_test")["values"]["z_score"], 1)),
            ("verdict", "PROMOTE", pages.verdict("shadow")["code"]),
        )
    )
