"""Values: how the text of a cell becomes a value of ours, and every reason for which it does not."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from workshop import PLAIN, Workshop

STAMP = "2026-11-16T08:00:00Z"
TYPES = """
kind = "attempts"
source = "types"
[columns]
latency_us = { column = "span", unit = "ms" }
retry_after_us = { column = "wait", unit = "min" }
cost_microusd = { column = "cost", unit = "usd" }
status = "status"
tokens_in = "tokens"
errno = "errno"
ok = "ok"
model = "model"
role = "role"
"""
HEADER = "span,wait,cost,status,tokens,errno,ok,model,role"
GOOD = dict(zip(HEADER.split(","), ["1.5", "2", "0.25", "200", "10", "-5", "yes", "m", "user"], strict=True))


def line(**cells: str) -> str:
    return ",".join((GOOD | cells).values())


def test_units_become_microseconds_and_millionths(workshop: Workshop) -> None:
    workshop.ingest(f"{HEADER}\n{line()}\n", TYPES)
    row = workshop.rows(
        "SELECT latency_us, retry_after_us, cost_microusd, status, tokens_in, ok, model, role FROM attempts"
    )
    assert row == [(1500, 120_000_000, 250_000, 200, 10, True, "m", "user")]


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s", "min"])
def test_every_unit_of_time_and_its_limit_of_30_days(workshop: Workshop, unit: str) -> None:
    us = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6, "min": 60e6}[unit]
    limit = 30 * 86_400_000_000 / us
    toml = PLAIN.replace('"ms" }', f'"{unit}" }}')
    workshop.ingest(f"ts,status,ms\n{STAMP},200,{limit}\n{STAMP},200,{limit * 1.001}\n", toml)
    assert workshop.column("SELECT latency_us FROM attempts") == [30 * 86_400_000_000]
    assert len(workshop.rejects()) == 1


@pytest.mark.parametrize("blank", ["", "-", "NULL", "null", "None", "none", "NaN", "nan", "NA", "N/A", "\\N", " NaN "])
def test_what_exporters_write_for_nothing_is_nothing(workshop: Workshop, blank: str) -> None:
    """NaN too: it is how pandas writes a value that was not measured."""
    workshop.ingest(f"{HEADER}\n{','.join([blank] * 8)},user\n", TYPES)
    assert workshop.rows(
        "SELECT latency_us, retry_after_us, cost_microusd, status, tokens_in, ok, model FROM attempts"
    ) == [(None,) * 7]
    assert workshop.rejects() == []


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("span", "-1", "latency_us: '-1' is no duration between 0 and 30 days in the unit given"),
        ("span", "2592000001", "latency_us: '2592000001' is no duration between 0 and 30 days in the unit given"),
        ("span", "1e999", "latency_us: '1e999' is no duration"),
        ("span", "inf", "latency_us: 'inf' is no duration"),
        ("span", "-inf", "latency_us: '-inf' is no duration"),
        ("span", "fast", "latency_us: 'fast' is no duration"),
        ("span", "12 ms", "latency_us: '12 ms' is no duration"),
        ("wait", "-0.5", "retry_after_us: '-0.5' is no duration"),
        ("cost", "-0.01", "cost_microusd: '-0.01' is no amount of money at or above 0"),
        ("cost", "$3", "cost_microusd: '$3' is no amount of money"),
        ("status", "0", "status: '0' is no HTTP status between 100 and 599"),
        ("status", "600", "status: '600' is no HTTP status"),
        ("status", "200.5", "status: '200.5' is no HTTP status"),
        ("status", "OK", "status: 'OK' is no HTTP status"),
        ("tokens", "-1", "tokens_in: '-1' is no whole number at or above 0"),
        ("tokens", "3.7", "tokens_in: '3.7' is no whole number at or above 0"),
        ("tokens", "1e17", "tokens_in: '1e17' is no whole number at or above 0"),
        ("errno", "99999999999", "errno: '99999999999' is no whole number"),
        ("ok", "maybe", "ok: 'maybe' is no yes or no"),
        ("ok", "2", "ok: '2' is no yes or no"),
        ("role", "admin", "role: 'admin' is none of user, shadow, probe, canary"),
    ],
)
def test_every_value_that_is_none_is_a_reject_with_its_reason(
    workshop: Workshop, column: str, text: str, reason: str
) -> None:
    outcome = workshop.ingest(f"{HEADER}\n{line()}\n{line(**{column: text})}\n{line()}\n", TYPES)
    assert (outcome.kept, outcome.rejected) == (2, 1)
    assert workshop.rejects() == [(3, workshop.rejects()[0][1], line(**{column: text}))]
    assert workshop.rejects()[0][1].startswith(reason)


@pytest.mark.parametrize("text", ["true", "T", "YES", "y", "1", "1.0", "ok", "Success", "succeeded", "up", " True "])
def test_words_for_yes(workshop: Workshop, text: str) -> None:
    workshop.ingest(f"{HEADER}\n{line(ok=text)}\n", TYPES)
    assert workshop.column("SELECT ok FROM attempts") == [True]


@pytest.mark.parametrize("text", ["false", "F", "no", "n", "0", "0.0", "Error", "failure", "failed", "fail", "down"])
def test_words_for_no(workshop: Workshop, text: str) -> None:
    workshop.ingest(f"{HEADER}\n{line(ok=text)}\n", TYPES)
    assert workshop.column("SELECT ok FROM attempts") == [False]


def test_a_mapping_that_says_nothing_means_a_users_request_good_below_400(workshop: Workshop) -> None:
    rows = "".join(f"{STAMP},{status},1\n" for status in (100, 399, 400, 599, ""))
    workshop.ingest("ts,status,ms\n" + rows)
    assert workshop.column("SELECT ok FROM attempts") == [True, True, False, False, None]
    assert workshop.rows("SELECT DISTINCT role, granularity, ended, attempt FROM attempts") == [
        ("user", "request", True, 1)
    ]


def us(*parts: int, zone: str = "UTC", micros: int = 0) -> int:
    moment = datetime(*parts, tzinfo=ZoneInfo(zone))  # type: ignore[misc,arg-type]
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000 + micros


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-16T08:00:00Z", us(2026, 11, 16, 8)),
        ("2026-11-16 08:00:00.123456Z", us(2026, 11, 16, 8, micros=123_456)),
        ("2026-11-16T08:00:00.123456789Z", us(2026, 11, 16, 8, micros=123_456)),
        ("2026-11-16T08:00:00+02:00", us(2026, 11, 16, 6)),
        ("2026-11-16T08:00:00-0530", us(2026, 11, 16, 13, 30)),
        ("2026-11-16 08:00:00+02", us(2026, 11, 16, 6)),
        ("2026-11-16 08:00:00 UTC", us(2026, 11, 16, 8)),
        (" 2026-11-16T08:00:00Z", us(2026, 11, 16, 8)),
        # without a zone of their own, in the mapping's: winter, summer, and milliseconds after a comma
        ("2026-11-16 08:00:00", us(2026, 11, 16, 8, zone="Europe/Berlin")),
        ("2026-07-16T08:00:00", us(2026, 7, 16, 8, zone="Europe/Berlin")),
        ("2026-11-16 08:00:00,250", us(2026, 11, 16, 8, zone="Europe/Berlin", micros=250_000)),
        ("2026-11-16", us(2026, 11, 16, zone="Europe/Berlin")),
    ],
)  # fmt: skip
def test_iso_stamps_with_and_without_a_zone(workshop: Workshop, text: str, expected: int) -> None:
    """An offset in the stamp wins over the zone of the mapping."""
    toml = PLAIN.replace('"ts"', '"ts"\nzone = "Europe/Berlin"')
    workshop.ingest(f'ts,status,ms\n"{text}",200,1\n', toml)
    assert workshop.column("SELECT ts FROM attempts") == [expected]


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2026-13-01T00:00:00Z", "2026-11-16 08:00:00 CET", "16/11/2026", "2026-11-16T08:00:00 Europe/Paris"],
)
def test_what_is_no_iso_stamp_is_a_reject(workshop: Workshop, text: str) -> None:
    workshop.ingest(f"ts,status,ms\n{text},200,1\n{STAMP},200,1\n", PLAIN.replace('"ts"', '"ts"\nzone = "UTC"'))
    assert workshop.rejects() == [
        (2, f"ts: '{text}' is not an ISO 8601 time such as 2026-11-16T08:00:00Z", f"{text},200,1")
    ]


def test_zones_may_be_mixed_where_every_stamp_names_its_own(workshop: Workshop) -> None:
    """Stamps with a zone are read, those without are rejects, in one file."""
    stamps = ["2026-11-16T08:00:00Z", "2026-11-16T10:00:00+02:00", "2026-11-16T08:00:00", "2026-11-16 03:00:00-05"]
    workshop.ingest("ts,status,ms\n" + "".join(f"{stamp},200,{i}\n" for i, stamp in enumerate(stamps)))
    assert set(workshop.column("SELECT ts FROM attempts")) == {us(2026, 11, 16, 8)}
    assert [line for line, reason, _ in workshop.rejects() if "without a zone" in reason] == [4]


@pytest.mark.parametrize(("unit", "per_second"), [("unix_s", 1), ("unix_ms", 1e3), ("unix_us", 1e6), ("unix_ns", 1e9)])
def test_epochs_in_every_unit_and_the_wrong_one_is_told(workshop: Workshop, unit: str, per_second: float) -> None:
    """A unit wrong by a thousand lies outside 1990 to 2100 and is a reject, not a row in another century."""
    moment = us(2026, 11, 16, 8) // 1_000_000
    right, wrong = f"{moment * per_second:.0f}", f"{moment * per_second * 1000:.0f}"
    toml = PLAIN.replace('"ts"', f'"ts"\nformat = "{unit}"')
    workshop.ingest(f"ts,status,ms\n{right},200,1\n{wrong},200,1\n{moment * per_second / 1000},200,1\n", toml)
    assert workshop.column("SELECT ts FROM attempts") == [us(2026, 11, 16, 8)]
    assert [line for line, _, _ in workshop.rejects()] == [3, 4]
    assert all("outside the years 1990 to 2100; is the unit right" in reason for _, reason, _ in workshop.rejects())


def test_an_epoch_keeps_its_parts_of_a_second(workshop: Workshop) -> None:
    workshop.ingest("ts,status,ms\n1795000000.25,200,1\n", PLAIN.replace('"ts"', '"ts"\nformat = "unix_s"'))
    assert workshop.column("SELECT ts FROM attempts") == [1_795_000_000_250_000]


def test_a_pattern_reads_what_an_access_log_writes(workshop: Workshop) -> None:
    toml = PLAIN.replace('"ts"', '"ts"\nformat = "%d/%b/%Y:%H:%M:%S %z"')
    workshop.ingest(f"ts,status,ms\n16/Nov/2026:08:00:00 +0200,200,1\n{STAMP},200,1\n", toml)
    assert workshop.column("SELECT ts FROM attempts") == [us(2026, 11, 16, 6)]
    assert workshop.rejects()[0][1] == f"ts: '{STAMP}' is not %d/%b/%Y:%H:%M:%S %z"
    bare = PLAIN.replace('"ts"', '"ts"\nformat = "%d.%m.%Y %H:%M"\nzone = "Europe/Berlin"').replace('"web"', '"bare"')
    workshop.ingest("ts,status,ms\n16.11.2026 08:00,200,1\n", bare, "bare.csv")
    assert workshop.column("SELECT ts FROM attempts WHERE source = 'bare'") == [
        us(2026, 11, 16, 8, zone="Europe/Berlin")
    ]


def test_a_row_without_a_time_is_a_reject_where_the_log_has_a_clock(workshop: Workshop) -> None:
    workshop.ingest(f"ts,status,ms\n,200,1\n-,200,1\n{STAMP},200,1\n")
    assert [(line, reason) for line, reason, _ in workshop.rejects()] == [(2, "ts: no time"), (3, "ts: no time")]
    workshop.ingest(f"{HEADER}\n{line()}\n", TYPES, "clockless.csv")
    assert workshop.column("SELECT ts FROM attempts WHERE source = 'types'") == [None]


def test_shares_lie_between_0_and_1(workshop: Workshop) -> None:
    """A percentage read as a share would make a success rate of 9,900 %."""
    minutes = 'kind = "minutes"\nsource = "m"\n[time]\ncolumn = "ts"\n[columns]\nn = "n"\nservice = "s"\n[samples]\nx = { column = "x", unit = "UNIT" }\n'
    workshop.ingest(
        f"ts,x,n,s\n{STAMP},100,3,a\n{STAMP},0,,\n{STAMP},100.5,3,a\n{STAMP},-1,3,a\n",
        minutes.replace("UNIT", "percent"),
    )
    assert workshop.rows("SELECT value, n, service, width_us FROM samples ORDER BY value") == [
        (0.0, None, None, 60_000_000),
        (1.0, 3, "a", 60_000_000),
    ]
    assert [(line, reason) for line, reason, _ in workshop.rejects()] == [
        (4, "x: '100.5' is no share between 0 and 1 in the unit given"),
        (5, "x: '-1' is no share between 0 and 1 in the unit given"),
    ]


@pytest.mark.parametrize("form", ["iso", "%Y-%m-%d %H:%M:%S"])
def test_a_time_that_the_clock_skips_in_spring_is_a_reject(workshop: Workshop, form: str) -> None:
    """There was no half past two in Berlin that night; a minute before and an hour after there was."""
    toml = PLAIN.replace('"ts"', f'"ts"\nzone = "Europe/Berlin"\nformat = "{form}"')
    stamps = ["2026-03-29 01:59:00", "2026-03-29 02:30:00", "2026-03-29 03:00:00"]
    workshop.ingest("ts,status,ms\n" + "".join(f"{stamp},200,1\n" for stamp in stamps), toml)
    assert workshop.column("SELECT ts FROM attempts ORDER BY ts") == [us(2026, 3, 29, 0, 59), us(2026, 3, 29, 1, 0)]
    assert [row[1] for row in workshop.rejects()] == [
        "ts: '2026-03-29 02:30:00' is a time that the clock of Europe/Berlin skips in spring; is zone in [time] right?"
    ]


def test_a_decimal_comma_is_read_where_the_mapping_says_so(workshop: Workshop) -> None:
    """A point beside it may part thousands, so such a number is no number."""
    toml = 'delimiter = ";"\ndecimal = ","\n' + PLAIN.lstrip()
    workshop.ingest(f"ts;status;ms\n{STAMP};200;12,5\n{STAMP};200;7\n{STAMP};200;1.234\n{STAMP};200;1.234,5\n", toml)
    assert workshop.column("SELECT latency_us FROM attempts ORDER BY latency_us") == [7_000, 12_500]
    assert len(workshop.rejects()) == 2
