"""Every trap of a real log, planted in a small one, is named by what the pages show."""

import csv
import json

import pytest

from relkit.config import load_config
from relkit.period import period_of
from relkit.report.gather import read_log, read_service
from relkit.report.scope import Scope
from relkit.slo import data_verdict, headline, trap_lines
from relkit.store import ingest_file, open_store
from relkit.store.ingest.mapping import parse_mapping

MONDAY_S = 1_794_787_200  # 2026-11-16 00:00 UTC
WEEK = "2026-W47"

ATTEMPTS = """
kind = "attempts"
source = "log"
[time]
column = "at"
format = "unix_s"
[columns]
ok = "ok"
code = "code"
latency_us = { column = "ms", unit = "ms" }
"""
MINUTES = """
kind = "minutes"
source = "minutes"
[time]
column = "at"
format = "unix_s"
[samples]
{name} = "value"
"""
PROBES = """
kind = "probes"
source = "probes"
[time]
column = "at"
format = "unix_s"
[columns]
service = "service"
up = "up"
"""
PAIRS = """
kind = "pairs"
source = "pairs"
[columns]
pair_id = "id"
primary_ok = "p"
shadow_ok = "s"
state = "state"
[constants]
experiment = "x"
"""
EVENTS = """
kind = "events"
source = "events"
[time]
column = "at"
format = "unix_s"
[pair]
start = "event == 'start'"
end = "event == 'end'"
by = ["user"]
[columns]
ok = { expr = "end.event == 'end'" }
"""


def request(second, ok="1", code="", ms=200.5):
    return {"at": MONDAY_S + second, "ok": ok, "code": code, "ms": ms}


@pytest.fixture
def planted(tmp_path):
    """Take logs as (mapping, rows), store them, and say what the pages name."""

    def plant(*logs, week=WEEK):
        database = tmp_path / "log.duckdb"
        with open_store(database, write=True) as store:
            for place, (mapping, rows) in enumerate(logs):
                path = tmp_path / f"log{place}.csv"
                with path.open("w", newline="") as stream:
                    writer = csv.DictWriter(stream, rows[0].keys())
                    writer.writeheader()
                    writer.writerows(rows)
                ingest_file(store, path, parse_mapping(mapping))
        scope = Scope("6_weekly", database, period_of(week), load_config(None), 0.95)
        log = read_log(scope)
        verdict = headline(read_service(scope))
        return {name for name, _ in trap_lines(log.traps)}, data_verdict(log.span, scope.period), verdict

    return plant


def steady(minutes=10_080, **more):
    return [request(60 * minute + 0.25, **more) for minute in range(minutes)]


def test_a_plain_log_has_no_trap_and_is_fine(planted):
    names, data, verdict = planted((ATTEMPTS, steady()))
    assert names == set()
    assert data.code == "FINE"
    assert verdict.code == "MET"


def test_uneven_sampling(planted):
    rows = [{"at": MONDAY_S + 3600 * hour, "service": "a", "up": "up"} for hour in range(100)]
    rows += [{"at": MONDAY_S + 3600 * 50 + 60 * minute, "service": "a", "up": "down"} for minute in range(1, 59)]
    names, _, _ = planted((PROBES, sorted(rows, key=lambda row: row["at"])))
    assert "uneven sampling" in names


def test_a_dead_metric_reads_no_signal_and_no_outage(planted):
    dead = [{"at": MONDAY_S + 60 * minute, "value": 0} for minute in range(10_080)]
    flowing = [request(60 * minute + 0.25, ok="") for minute in range(10_080)]
    _, _, verdict = planted((MINUTES.replace("{name}", "success_share"), dead), (ATTEMPTS, flowing))
    assert verdict.code == "UNDECIDED"
    assert verdict.sentence.startswith("No signal")


def test_one_outlier_with_99_percent_of_the_sum(planted):
    names, _, _ = planted((ATTEMPTS, [*steady(2000, ms=2.5), request(120_000, ms=500_000.0)]))
    assert "one outlier" in names


def test_censored_starts(planted):
    rows = [{"at": MONDAY_S + 600 * place, "event": "start", "user": f"u{place}"} for place in range(30)]
    rows += [{"at": MONDAY_S + 600 * place + 9, "event": "end", "user": f"u{place}"} for place in range(20)]
    names, data, _ = planted((EVENTS, sorted(rows, key=lambda row: row["at"])))
    assert "censored starts" in names
    assert "10 started and never ended" in data.why_not


def test_harness_error_codes(planted):
    names, _, _ = planted(
        (ATTEMPTS, [*steady(100), *(request(7000 + place, ok="0", code="-100") for place in range(9))])
    )
    assert "harness codes" in names


def test_dropped_pairs(planted):
    rows = [{"id": place, "p": "1", "s": "1" if place % 10 else "", "state": "compared"} for place in range(100)]
    names, _, _ = planted((PAIRS, rows), week="all")
    assert "dropped pairs" in names


def test_cumulative_counters(planted):
    rows = [{"at": MONDAY_S + 60 * minute, "value": 17 * minute} for minute in range(200)]
    names, _, _ = planted((MINUTES.replace("{name}", "requests_total"), rows))
    assert "cumulative counter" in names


def test_a_coarse_clock(planted):
    names, _, _ = planted((ATTEMPTS, [request(60 * (place // 3)) for place in range(300)]))
    assert "coarse clock" in names


def test_missing_minutes_are_missing_and_not_silence(planted):
    rows = [row for row in steady() if not 3000 <= (row["at"] - MONDAY_S) / 60 < 4000]
    _, data, verdict = planted((ATTEMPTS, rows))
    assert data.code == "WARN"
    assert "missing, not silent" in data.why_not
    assert "2026-11-18 02:00" in data.why_not
    assert verdict.code == "UNDECIDED"
    assert json.dumps(verdict.record())
