"""Readings equal a slow and plain count of the same rows in Python, on random small logs."""

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from workshop import Workshop

from relkit.batch import Batch
from relkit.errors import SIGNAL_FIELDS, classify, fingerprint, read_signals
from relkit.period import Period, period_of, week_label
from relkit.shadow import MissingAnswers, PairCounts, session_sums
from relkit.slo import Objective, covered_minutes, latency_of
from relkit.store import open_store, readings, sink_into

MINUTE, HOUR = 60_000_000, 3_600_000_000
WEEK = period_of("2026-W47")
assert WEEK.start_us is not None
assert WEEK.end_us is not None
START: int = WEEK.start_us
END: int = WEEK.end_us
ALL = period_of("all")
GOAL = Objective("availability", "0.99")
FAST = Objective("fast", "0.95", threshold_us=400_000)
Row = dict[str, Any]
ERRORS: list[Row] = [
    {"status": 500, "message": "boom 12"}, {"status": 503, "message": "overloaded"}, {"status": 429, "message": "rate limit"},
    {"status": 400, "message": "context_length_exceeded"}, {"status": 404}, {"exception_type": "TimeoutError"}, {"code": "CACHE_MISS"},
    {"code": "CANCELLED"}, {"exception_type": "KeyError", "message": "'name'"},
]  # fmt: skip


def random_log(seed: int, rows: int = 260) -> list[Row]:
    """Requests and tries of several services and roles, around both ends of a week: censored, unknown, without a clock."""
    draw = random.Random(seed)
    log: list[Row] = []
    for i in range(rows):
        around = draw.choice([START, START, END, START + 3 * 24 * HOUR])
        ts: int | None = around + draw.randrange(-3 * MINUTE, 40 * MINUTE)
        if draw.random() < 0.04:
            ts = None
        role = draw.choice(["user"] * 6 + ["shadow", "probe", "canary"])
        named = draw.random() < 0.8
        granularity = draw.choice(["attempt", "request"])
        tries = draw.choice([1, 1, 2, 3]) if granularity == "attempt" and named else 1
        for attempt in range(1, tries + 1):
            ended = draw.random() > 0.1
            ok = draw.choice([True, True, False, None]) if ended else None
            error: Row = draw.choice(ERRORS) if ok is not True or draw.random() < 0.1 else {}
            log.append(
                {
                    "request_id": f"r{i % 200}" if named else None, "attempt": attempt, "ts": ts, "role": role, "granularity": granularity,
                    "latency_us": draw.choice([None, draw.randrange(1, 900_000)]) if ended else None, "ended": ended, "ok": ok,
                    "service": draw.choice(["chat", "search", None]), **{name: error.get(name) for name in SIGNAL_FIELDS},
                }
            )  # fmt: skip
            if ts is not None:
                ts += draw.randrange(1, 2_000_000)
    seen: set[tuple[Any, ...]] = set()
    unique = []
    for row in log:  # a request is one thing: not both a whole request and a row of tries, no try twice
        key = (row["request_id"], row["attempt"] if row["granularity"] == "attempt" else 0)
        if row["request_id"] is None or key not in seen:
            unique.append(row)
            seen.add(key)
    return unique


def stored(workshop: Workshop, rows: list[Row]) -> None:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    with sink_into(workshop.store, "log", str(len(rows))) as sink:
        sink(Batch("attempts", columns))


def kind_of(row: Row) -> str | None:
    fp = fp_of(row)
    return None if fp is None else classify(read_signals(row)).kind.value


def fp_of(row: Row) -> int | None:
    marked = any(row[name] is not None for name in ("exception_type", "code")) or (row["status"] or 0) >= 400
    declared = (row["code"] or "").upper() in {"CACHE_MISS", "CANCELLED"}
    failed = row["ok"] is False or (row["ok"] is None and row["ended"] and marked) or declared
    return fingerprint(read_signals(row)) if failed else None


def end_of(row: Row) -> int | None:
    return None if row["ts"] is None else row["ts"] + (row["latency_us"] or 0)


def requests_of(log: list[Row], service: str | None = None) -> list[Row]:
    """Fold tries into their request: its outcome is the last try, its time from first start to last end."""
    tries: dict[str, list[Row]] = defaultdict(list)
    found = []
    for row in log:
        if row["role"] != "user":
            continue
        if row["request_id"] is None or row["granularity"] == "request":
            found.append({**row, "end": end_of(row)})
        else:
            tries[row["request_id"]].append(row)
    for rows in tries.values():
        last = max(rows, key=lambda row: row["attempt"])
        starts = [row["ts"] for row in rows if row["ts"] is not None]
        ends = [end for row in rows if (end := end_of(row)) is not None]
        whole = max(ends) - min(starts) if starts and last["latency_us"] is not None else None
        if not starts and len(rows) == 1:
            whole = last["latency_us"]
        found.append({**last, "ts": min(starts, default=None), "end": max(ends, default=None), "latency_us": whole})
    return [row for row in found if service is None or row["service"] == service]


def verdict(row: Row, goal: Objective, good: frozenset[str]) -> str | None:
    kind = kind_of(row)
    if goal.threshold_us is not None and (row["ok"] is False or not row["ended"] or row["latency_us"] is None):
        return None
    if kind in goal.excluded:
        return "excluded"
    if goal.threshold_us is not None:
        return "good" if row["latency_us"] <= goal.threshold_us else "bad"
    if kind in good:
        return "good"
    return "unknown" if row["ok"] is None else "good" if row["ok"] else "bad"


def inside(moment: int | None, period: Period) -> bool:
    if period.start_us is None or period.end_us is None:
        return True
    return moment is not None and period.start_us <= moment < period.end_us


SEEDS = range(3)
GOOD = frozenset({"CACHE_MISS"})


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("goal", [GOAL, FAST, Objective("chat", "0.9", service="chat")], ids=lambda goal: goal.name)
def test_minutes_of_a_week(workshop: Workshop, goal: Objective, seed: int) -> None:
    log = random_log(seed)
    stored(workshop, log)
    expected: dict[str, Counter[int]] = defaultdict(Counter)
    for row in requests_of(log, goal.service):
        told = verdict(row, goal, GOOD)
        if told and inside(row["end"], WEEK):
            expected[told][row["end"] // MINUTE] += 1
    found = readings.minutes(workshop.store, WEEK, goal, GOOD)
    assert (found.start_minute, len(found)) == (START // MINUTE, 7 * 1440)
    for name in ("good", "bad", "excluded", "unknown"):
        cells = getattr(found, name)
        assert {found.start_minute + int(at): int(cells[at]) for at in np.flatnonzero(cells)} == dict(expected[name])
    assert sum(map(len, expected.values())) > 10, "a log without requests would prove nothing"


@pytest.mark.parametrize("seed", SEEDS)
def test_coverage_counts_rows_of_every_role_at_both_their_ends(workshop: Workshop, seed: int) -> None:
    draw = random.Random(seed)
    starts = [START + minute * MINUTE + draw.randrange(MINUTE) for minute in range(-300, 3000) if draw.random() < 0.6]
    log = [
        {
            "attempt": 1, "ts": ts, "latency_us": draw.choice([None, 1000, 7 * MINUTE]), "ended": True, "ok": True,
            "role": draw.choice(["user", "shadow", "probe"]), "granularity": "request",
        }
        for ts in starts
    ]  # fmt: skip
    stored(workshop, log)
    at: Counter[int] = Counter()
    for row in log:
        at.update({row["ts"] // MINUTE, (end_of(row) or 0) // MINUTE})
    first, last = START // MINUTE, END // MINUTE
    near = sorted(minute for minute in at if first - 1440 <= minute < last + 1440)
    expected = covered_minutes(near, first, last, [at[minute] for minute in near])
    found = readings.minutes(workshop.store, WEEK, GOAL)
    assert (found.covered == expected).all()
    assert 0.2 < found.coverage < 0.5
    assert readings.log_span(workshop.store, WEEK).coverage == found.coverage


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_spans_the_days_its_rows_lie_in(workshop: Workshop, seed: int) -> None:
    log = [row for row in random_log(seed) if row["ts"] is not None]
    stored(workshop, log)
    found = readings.minutes(workshop.store, ALL, GOAL, GOOD)
    users = [row for row in log if row["role"] == "user" and row["ts"] is not None]
    assert found.start_minute == min(row["ts"] for row in users) // MINUTE
    assert found.end_minute == max(end_of(row) or 0 for row in users) // MINUTE + 1
    with_clock = [row for row in requests_of(log) if row["end"] is not None]
    assert found.totals.good == sum(verdict(row, GOAL, GOOD) == "good" for row in with_clock)


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_counts_requests_without_a_clock_too(workshop: Workshop, seed: int) -> None:
    """Where some requests have no time there is no course of time, but no request is lost from the sum."""
    log = random_log(seed)
    stored(workshop, log)
    assert any(row["ts"] is None for row in log)
    found = readings.minutes(workshop.store, ALL, GOAL, GOOD)
    told = Counter(verdict(row, GOAL, GOOD) for row in requests_of(log))
    assert (found.totals.good, found.totals.bad) == (told["good"], told["bad"])


def test_a_log_without_a_clock_is_one_minute(workshop: Workshop) -> None:
    log = [{**row, "ts": None} for row in random_log(1)]
    stored(workshop, log)
    told = Counter(verdict(row, GOAL, GOOD) for row in requests_of(log))
    found = readings.minutes(workshop.store, ALL, GOAL, GOOD)
    assert (len(found), *(getattr(found.totals, name) for name in ("good", "bad", "excluded", "unknown"))) == (
        1, told["good"], told["bad"], told["excluded"], told["unknown"],
    )  # fmt: skip
    assert readings.minutes(workshop.store, WEEK, GOAL).totals.valid == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("period", [WEEK, ALL], ids=["week", "all"])
@pytest.mark.parametrize("service", [None, "chat"])
def test_latencies(workshop: Workshop, period: Period, service: str | None, seed: int) -> None:
    log = random_log(seed)
    stored(workshop, log)
    values = [
        row["latency_us"]
        for row in requests_of(log, service)
        if row["ok"] is not False and row["ended"] and row["latency_us"] is not None
        and inside(row["end"], period)
    ]  # fmt: skip
    found = readings.latencies(workshop.store, period, service)
    assert found == latency_of(np.array(sorted(values), dtype=np.int64))
    assert found.n > 3


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("period", [WEEK, ALL], ids=["week", "all"])
def test_fingerprint_counts(workshop: Workshop, period: Period, seed: int) -> None:
    log = random_log(seed)
    stored(workshop, log)
    users = [row for row in log if row["role"] == "user"]
    lasts: dict[str, int] = defaultdict(int)
    for row in users:
        lasts[row["request_id"]] = max(lasts[row["request_id"]], row["attempt"])
    attempts: Counter[int] = Counter()
    requests: Counter[int] = Counter()
    times: dict[int, list[int]] = defaultdict(list)
    for row in users:
        fp = fp_of(row)
        if fp is None or row["ok"] is True or not inside(end_of(row), period):
            continue
        attempts[fp] += 1
        whole = row["request_id"] is None or row["granularity"] == "request"
        requests[fp] += whole or row["attempt"] == lasts[row["request_id"]]
        times[fp] += [row["ts"]] if row["ts"] is not None else []
    found = readings.fingerprint_counts(workshop.store, period)
    assert [
        (row.fp, row.failed_attempts, row.failed_requests, row.first_ts_us, row.last_ts_us) for row in found.rows
    ] == [
        (fp, number, requests[fp], min(times[fp], default=None), max(times[fp], default=None))
        for fp, number in sorted(attempts.items(), key=lambda item: (-item[1], item[0]))
    ]
    assert all(fingerprint(row.signals) == row.fp for row in found.rows)
    assert len(found.rows) > 3


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("period", [WEEK, ALL], ids=["week", "all"])
def test_every_failed_attempt_with_a_time_is_in_the_hour_in_which_it_ends(
    workshop: Workshop, period: Period, seed: int
) -> None:
    log = random_log(seed)
    stored(workshop, log)
    expected: Counter[tuple[int, int]] = Counter()
    for row in log:
        fp, end = fp_of(row), end_of(row)
        if (
            row["role"] == "user"
            and fp is not None
            and row["ok"] is not True
            and end is not None
            and inside(end, period)
        ):
            expected[fp, end // HOUR] += 1
    found = readings.fingerprint_counts(workshop.store, period)
    assert {(row.fp, hour): attempts for row in found.rows for hour, attempts in row.hours} == dict(expected)
    assert all(list(row.hours) == sorted(row.hours) for row in found.rows)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("period", [WEEK, ALL], ids=["week", "all"])
def test_log_span(workshop: Workshop, period: Period, seed: int) -> None:
    log = random_log(seed)
    stored(workshop, log)
    rows = [row for row in log if inside(end_of(row), period)]
    users = [row for row in rows if row["role"] == "user"]
    found = readings.log_span(workshop.store, period)
    assert found.first_us == min(row["ts"] for row in users if row["ts"] is not None)
    assert found.last_us == max(end for row in users if (end := end_of(row)) is not None)
    assert found.requests == sum(inside(row["end"], period) for row in requests_of(log))
    assert (found.attempts, found.other_rows) == (len(users), len(rows) - len(users))
    assert found.no_clock == sum(row["ts"] is None for row in users)
    assert (found.unknown, found.censored) == (
        sum(row["ok"] is None for row in users),
        sum(not row["ended"] for row in users),
    )
    assert (found.pairs, found.probes, found.samples, found.rejects) == (0, 0, 0, 0)
    assert (found.coverage is None) == period.is_everything


def random_pairs(seed: int, *, sessions: bool) -> list[Row]:
    draw = random.Random(seed)
    return [
        {
            "pair_id": f"p{draw.randrange(190)}", "experiment": draw.choice(["x", "x", "y"]), "ts": START + draw.randrange(-HOUR, HOUR),
            "session_id": f"s{draw.randrange(30)}" if sessions else None, "primary_ok": draw.choice([True, True, False, None]),
            "shadow_ok": draw.choice([True, False, False, None]), "state": draw.choice(["compared"] * 4 + ["answered", "mirrored", "eligible"]),
            "differs": draw.choice([True, False, None]), "differs_baseline": draw.choice([True, False, None]),
            "primary_first": draw.choice([True, False, None]),
            "primary_variant": "old", "shadow_variant": "new",
        }
        for _ in range(200)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sessions", [True, False], ids=["sessions", "none"])
def test_experiment(workshop: Workshop, sessions: bool, seed: int) -> None:
    rows = random_pairs(seed, sessions=sessions)
    with sink_into(workshop.store, "log", "pairs") as sink:
        sink(Batch("pairs", {name: [row[name] for row in rows] for name in rows[0]}))
    mine = [row for row in rows if row["experiment"] == "x" and inside(row["ts"], WEEK)]
    pairs = [row for row in mine if row["state"] != "eligible"]
    p, s = ([row[side] is True for row in pairs] for side in ("primary_ok", "shadow_ok"))
    told = Counter((row["primary_ok"], row["shadow_ok"]) for row in pairs)
    baseline = Counter((row["differs"], row["differs_baseline"]) for row in pairs)
    found = readings.experiment(workshop.store, WEEK, "x")
    outcomes = Counter(zip(p, s, strict=True))
    assert found.counts == PairCounts(
        outcomes[True, True], outcomes[True, False], outcomes[False, True], outcomes[False, False]
    )
    assert found.missing == MissingAnswers(
        told[True, None], told[False, None], told[None, True], told[None, False], told[None, None]
    )
    assert (found.eligible, found.mirrored) == (len(mine), len(pairs))
    assert found.answered == sum(row["state"] in {"answered", "compared"} for row in pairs)
    assert found.compared == sum(row["state"] == "compared" for row in pairs)
    assert found.duplicates == len(pairs) - len({row["pair_id"] for row in pairs})
    assert found.baseline == PairCounts(
        baseline[True, True], baseline[False, True], baseline[True, False], baseline[False, False]
    )
    first = [row["primary_first"] for row in pairs if row["primary_first"] is not None]
    assert found.primary_first_share == sum(first) / len(first)
    assert (found.first_us, found.last_us) == (min(row["ts"] for row in pairs), max(row["ts"] for row in pairs))
    assert (found.primary_variant, found.shadow_variant) == ("old", "new")
    assert found.sums == (session_sums([row["session_id"] for row in pairs], p, s) if sessions else None)
    names = Counter(row["experiment"] for row in rows if inside(row["ts"], WEEK))
    assert readings.experiments(workshop.store, WEEK) == sorted(names, key=lambda name: (-names[name], name))


@pytest.mark.parametrize("seed", SEEDS)
def test_uptimes_weigh_states_by_time(workshop: Workshop, seed: int) -> None:
    """Microsecond by microsecond: a state holds until the service's next row, the one before the week into it, the last to the log's end."""
    draw = random.Random(seed)
    rows = [
        {"ts": START + draw.randrange(-300, 900), "service": draw.choice("abc"), "up": draw.random() < 0.6}
        for _ in range(60)
    ]
    with sink_into(workshop.store, "log", "probes") as sink:
        sink(Batch("probes", {name: [row[name] for row in rows] for name in rows[0]}))
    end = max(row["ts"] for row in rows)
    found = readings.uptimes(workshop.store, WEEK)
    for service in "abc":
        mine = sorted(((row["ts"], row["up"]) for row in rows if row["service"] == service), key=lambda state: state[0])
        times = [ts for ts, _ in mine]
        states = [mine[bisect_left(times, at + 1) - 1][1] for at in range(max(START, times[0]), end)]
        assert (found[service].up_us, found[service].down_us) == (sum(states), len(states) - sum(states))


def test_minute_shares_are_the_series_of_the_log(workshop: Workshop) -> None:
    toml = 'kind = "minutes"\nsource = "m"\n[time]\ncolumn = "ts"\n[columns]\nservice = "s"\n[samples]\nsuccess_share = { column = "x", unit = "percent" }\n'
    lines = [f"2026-11-16T08:{minute:02d}:30Z,{share},web\n" for minute, share in ((0, 100), (1, 0), (5, 99.5))]
    workshop.ingest("ts,x,s\n" + "".join(lines), toml)
    (found,) = readings.minute_shares(workshop.store, ALL)
    assert found.source == "m/web"
    assert found.share[[0, 1, 5]].tolist() == [1.0, 0.0, 0.995]
    assert np.count_nonzero(found.present) == 3


def test_each_service_is_a_series_of_its_own_and_a_value_stands_for_its_whole_width(workshop: Workshop) -> None:
    toml = 'kind = "minutes"\nsource = "m"\nwidth_s = 300\n[time]\ncolumn = "ts"\n[columns]\nservice = "s"\n[samples]\nsuccess_share = "x"\n'
    lines = [
        f"2026-11-16T08:{minute:02d}:00Z,{share},{name}\n"
        for minute in (0, 5)
        for name, share in (("a", 1.0), ("b", 0.5))
    ]
    workshop.ingest("ts,x,s\n" + "".join(lines), toml)
    found = readings.minute_shares(workshop.store, ALL)
    assert [shares.source for shares in found] == ["m/a", "m/b"]
    assert [set(shares.share.tolist()) for shares in found] == [{1.0}, {0.5}]
    assert [len(shares) for shares in found] == [10, 10]


@pytest.mark.parametrize(
    ("label", "hours"), [("2026-W13", 167), ("2026-W43", 169), ("2026-W47", 168)], ids=["spring", "autumn", "plain"]
)
def test_a_request_counts_in_the_minute_it_ends_in_the_week_of_the_zone(
    workshop: Workshop, label: str, hours: int
) -> None:
    """Weeks of Europe/Berlin begin and end at local midnight, on 23 and 25 hour days too."""
    zone = ZoneInfo("Europe/Berlin")
    year, week = int(label[:4]), int(label[6:])
    midnights = [
        datetime.fromisocalendar(year, week, 1).replace(tzinfo=zone),
        datetime.fromisocalendar(year, week + 1, 1).replace(tzinfo=zone),
    ]
    first, last = (
        (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for moment in midnights
    )
    assert last - first == hours * HOUR
    ends = [first - 1, first, first + 1, last - 1, last, last + 1]
    rows = [
        {
            "attempt": 1,
            "ts": end - 1_000_000,
            "latency_us": 1_000_000,
            "ended": True,
            "ok": True,
            "role": "user",
            "granularity": "request",
        }
        for end in ends
    ]
    with sink_into(workshop.store, "log", "week") as sink:
        sink(Batch("attempts", {name: [row[name] for row in rows] for name in rows[0]}))
    found = readings.minutes(workshop.store, period_of(label, "Europe/Berlin"), GOAL)
    assert len(found) == hours * 60
    assert (found.good[0], found.good[-1], found.totals.good) == (2, 1, 3)
    assert readings.log_span(workshop.store, period_of(label, "Europe/Berlin")).requests == 3
    assert readings.latencies(workshop.store, period_of(label, "Europe/Berlin")).n == 3
    weeks = {week_label(end, "Europe/Berlin") for end in ends}
    assert set(readings.weeks_with_requests(workshop.store, "Europe/Berlin")) == weeks


def everything(workshop: Workshop, period: Period) -> list[Any]:
    store = workshop.store
    found: list[Any] = [
        readings.latencies(store, period),
        readings.latencies(store, period, "chat"),
        readings.fingerprint_counts(store, period),
    ]
    for goal in (GOAL, FAST):
        minutes = readings.minutes(store, period, goal, GOOD)
        found.append(
            [
                (minutes.start_minute, getattr(minutes, name).tobytes())
                for name in ("good", "bad", "excluded", "unknown")
            ]
        )
    return found


@pytest.mark.parametrize("period", [WEEK, ALL], ids=["week", "all"])
def test_ten_thousand_failing_shadow_and_probe_rows_change_no_number_of_users(
    workshop: Workshop, period: Period
) -> None:
    stored(workshop, random_log(3))
    before = everything(workshop, period)
    number = 10_000
    rows = {
        "attempt": [1] * number, "ts": [START + i * 1_000_003 for i in range(number)], "latency_us": [30_000_000] * number, "ended": [True] * number,
        "ok": [False] * number, "role": [("shadow", "probe", "canary")[i % 3] for i in range(number)], "granularity": ["request"] * number,
        "request_id": [f"r{i % 200}" for i in range(number)], "service": ["chat"] * number, "status": [500] * number, "message": ["boom 12"] * number,
    }  # fmt: skip
    with sink_into(workshop.store, "others", "others") as sink:
        sink(Batch("attempts", rows))
        sink(
            Batch(
                "probes",
                {
                    "ts": [START + i * 1_000_003 for i in range(number)],
                    "service": ["chat"] * number,
                    "up": [False] * number,
                },
            )
        )
    if period.is_everything:  # probes have a clock, so they may widen the grid; the requests on it stay
        users = readings.minutes(workshop.store, period, GOAL, GOOD)
        assert users.totals.bad == sum(verdict(row, GOAL, GOOD) == "bad" for row in requests_of(random_log(3)))
        assert everything(workshop, period)[:3] == before[:3]
    else:
        assert everything(workshop, period) == before


def test_results_are_the_same_at_1_and_4_threads(workshop: Workshop) -> None:
    for seed in range(4):
        log = random_log(seed, 900)
        with sink_into(workshop.store, f"log {seed}", "x") as sink:
            sink(Batch("attempts", {name: [row[name] for row in log] for name in log[0]}))
        pairs = random_pairs(seed, sessions=True)
        with sink_into(workshop.store, f"pairs {seed}", "x") as sink:
            sink(Batch("pairs", {name: [row[name] for row in pairs] for name in pairs[0]}))
    workshop.store.connection.close()
    found = []
    for threads in (1, 4):
        with open_store(workshop.store.path, threads=threads) as store:
            again = Workshop(workshop.folder, store)
            span, shadow = readings.log_span(store, WEEK), readings.experiment(store, WEEK, "x")
            found.append(
                [everything(again, period) for period in (WEEK, ALL)] + [span, shadow, readings.data_hash(store)]
            )
    assert found[0] == found[1]


def test_the_data_hash_follows_the_ledger(workshop: Workshop, another: Callable[[], Workshop]) -> None:
    """Equal ledgers, equal data: another file, another mapping or another order give another hash, the day of reading does not."""
    log = "ts,status,ms\n2026-11-16T08:00:00Z,200,5\n"
    twin = another()
    workshop.ingest(log)
    twin.ingest(log)
    assert readings.data_hash(workshop.store) == readings.data_hash(twin.store)
    before = readings.data_hash(workshop.store)
    workshop.ingest(None)
    assert readings.data_hash(workshop.store) == before, "reading the same file again changes nothing"
    workshop.ingest(log + "2026-11-16T08:00:01Z,200,5\n")
    assert readings.data_hash(workshop.store) != before
