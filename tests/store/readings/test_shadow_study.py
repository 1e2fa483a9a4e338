"""The reading of one experiment equals a plain count in memory, whatever the order of rows, and days add up to the week."""

import random
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from workshop import Workshop

from relkit.batch import Batch
from relkit.period import Period, period_of
from relkit.shadow import PairCounts, session_sums, session_t
from relkit.shadow.ratio import RatioSums, ratio_interval
from relkit.shadow.study import PER_DOUBLING, Study
from relkit.store import readings
from relkit.store.pair_bodies import LONGEST, add_pair_bodies
from relkit.store.sinks import sink_into
from relkit.units import US_PER_DAY, US_PER_HOUR

WEEK = period_of("2026-W47")
START = WEEK.start_us or 0
SEEDS = range(3)
QUIET = ("timeout",)


def random_pairs(seed: int, number: int = 900) -> pd.DataFrame:
    """Chats of one day each, so that days can be added up; some answers never come, some pairs have no session."""
    draw = random.Random(seed)
    rows = []
    for place in range(number):
        session = draw.randrange(120)
        state = draw.choice(["compared"] * 6 + ["answered", "mirrored", "eligible"])
        rows.append(
            {
                "pair_id": f"p{place}", "experiment": draw.choice("xxxy"), "session_id": None if draw.random() < 0.05 else f"s{session}",
                "ts": START + session % 7 * US_PER_DAY + draw.randrange(US_PER_DAY), "turn": draw.randrange(1, 9),
                "segment": draw.choice(["en", "de", None]), "primary_action": draw.choice(["book", "ask", None]),
                "shadow_action": draw.choice(["book", "ask"]), "primary_ok": draw.choice([True, True, False, None]),
                "shadow_ok": draw.choice([True, True, False, None]), "primary_latency_us": draw.choice([None, draw.randrange(1, 10**7)]),
                "shadow_latency_us": draw.randrange(1, 10**7), "primary_cost_microusd": draw.choice([None, draw.randrange(10**6)]),
                "shadow_cost_microusd": draw.randrange(10**6), "primary_flags": draw.choice([None, "pii"]),
                "shadow_flags": draw.choice([None, "timeout", "pii"]), "state": state,
                "differs": draw.choice([True, False, None]), "differs_baseline": draw.choice([True, False, None]),
                "primary_first": draw.choice([True, False, None]), "step": draw.choice([1, 2, None]),
                "primary_variant": "old", "shadow_variant": "new",
            }
        )  # fmt: skip
    return pd.DataFrame(rows, dtype=object)


def store(workshop: Workshop, rows: pd.DataFrame, source: str = "log") -> None:
    plain = rows.astype(object).where(rows.notna(), None)
    with sink_into(workshop.store, source, source) as sink:
        sink(Batch("pairs", {name: plain[name].tolist() for name in plain}))


def read(workshop: Workshop, period: Period = WEEK) -> Study:
    return readings.study(workshop.store, period, "x", quiet_flags=QUIET)


def reference(rows: pd.DataFrame) -> pd.DataFrame:
    """The pairs of x with what is counted of each, as plain columns."""
    pairs = rows[(rows.experiment == "x") & (rows.state != "eligible")].copy()
    pairs["p"], pairs["s"] = pairs.primary_ok.eq(True), pairs.shadow_ok.eq(True)
    answered = pairs.state.isin(["answered", "compared"]) & pairs.primary_ok.notna() & pairs.shadow_ok.notna()
    pairs["timed"] = answered & pairs.primary_latency_us.notna()
    ratio = pairs.shadow_latency_us.astype(float) / pairs.primary_latency_us.astype(float)
    pairs["bin"] = (np.log2(ratio) * PER_DOUBLING).round()
    pairs["unit"] = pairs.session_id.where(pairs.session_id.notna(), pairs.pair_id)
    return pairs


def ratio_sums(pairs: pd.DataFrame, d: Any, m: Any) -> RatioSums:
    table = pd.DataFrame({"unit": pairs.unit, "d": d, "m": m}).groupby("unit")[["d", "m"]].sum().astype("int64")
    table = table.astype(object)  # Python's own integers: squares of costs are long
    return RatioSums(
        int((table.m > 0).sum()), sum(table.m), sum(table.d), sum(table.d**2), sum(table.d * table.m), sum(table.m**2)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_every_sum_is_the_plain_count(workshop: Workshop, seed: int) -> None:
    rows = random_pairs(seed)
    store(workshop, rows)
    found, pairs = read(workshop), reference(rows)
    told = pairs.differs.notna() & pairs.differs_baseline.notna()
    more, less = (
        told & pairs[a].eq(True) & pairs[b].eq(False)
        for a, b in (("differs", "differs_baseline"), ("differs_baseline", "differs"))
    )
    priced = pairs.primary_cost_microusd.notna()
    flag_p, flag_s = pairs.primary_flags.notna(), pairs.shadow_flags.eq("pii")
    assert found.endpoints == {
        "errors": ratio_sums(pairs, pairs.p.astype(int) - pairs.s.astype(int), 1),
        "differences": ratio_sums(pairs, more.astype(int) - less.astype(int), told.astype(int)),
        "latency": ratio_sums(pairs, pairs.bin.where(pairs.timed, 0).astype("int64"), pairs.timed.astype(int)),
        "cost": ratio_sums(
            pairs,
            (pairs.shadow_cost_microusd - pairs.primary_cost_microusd).where(priced, 0).astype("int64"),
            pairs.primary_cost_microusd.where(priced, 0).astype("int64"),
        ),
        "flags": ratio_sums(pairs, flag_s.astype(int) - flag_p.astype(int), 1),
    }
    assert found.flags == PairCounts(
        *(int(mask.sum()) for mask in (flag_p & flag_s, flag_p & ~flag_s, ~flag_p & flag_s, ~flag_p & ~flag_s))
    )
    assert found.experiment.sums == found.table.sums() == session_sums(pairs.unit, pairs.p, pairs.s)
    kept = pairs[pairs.state == "compared"]
    assert found.compared == PairCounts(
        *(int(mask.sum()) for mask in (kept.p & kept.s, kept.p & ~kept.s, ~kept.p & kept.s, ~kept.p & ~kept.s))
    )
    actions = pairs[pairs.primary_action.notna()]
    assert found.actions == Counter(zip(actions.primary_action, actions.shadow_action, strict=True))
    assert found.differing == (pairs.differs.eq(True).sum(), pairs.differs.notna().sum())
    bins = Counter(pairs.bin[pairs.timed].astype(int))
    assert {int(k): int(n) for k, n in zip(found.log_ratios.places, found.log_ratios.bins, strict=True) if n} == bins
    assert found.primary_us.n == found.shadow_us.n == int(pairs.timed.sum())
    by_segment = {one.name: one.counts.n for one in found.segments if one.by == "segment"}
    assert by_segment == Counter(pairs.segment.dropna())
    mine = rows[rows.experiment == "x"]
    assert {step: both[1] for step, both in found.mirrored_by_step.items()} == Counter(mine.step.dropna())


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_computed_from_the_sums_equals_memory_to_nine_digits(workshop: Workshop, seed: int) -> None:
    rows = random_pairs(seed)
    store(workshop, rows)
    found, pairs = read(workshop), reference(rows)
    sums = session_sums(pairs.unit, pairs.p, pairs.s)
    mine, plain = session_t(found.table.sums(), found.experiment.counts), session_t(sums, found.experiment.counts)
    assert (mine.low, mine.high, mine.p) == pytest.approx((plain.low, plain.high, plain.p), abs=1e-9)
    interval = ratio_interval(found.endpoints["latency"])
    per_unit = pairs[pairs.timed].groupby("unit").bin.agg(["sum", "count"]).astype(float)
    mean = per_unit["sum"].sum() / per_unit["count"].sum()
    rest = per_unit["sum"] - mean * per_unit["count"]
    k = len(per_unit)
    error = np.sqrt(k / (k - 1) * (rest**2).sum()) / per_unit["count"].sum()
    assert interval is not None
    assert interval.value == pytest.approx(mean, abs=1e-9)
    assert (interval.high - interval.low) / 2 / error == pytest.approx(1.98, abs=0.02)  # Student's quantile


@pytest.mark.parametrize("seed", SEEDS)
def test_days_add_up_to_the_week_exactly(workshop: Workshop, seed: int) -> None:
    store(workshop, random_pairs(seed))
    week = read(workshop)
    days = [
        read(workshop, Period(f"day {day}", START + day * US_PER_DAY, START + (day + 1) * US_PER_DAY, "UTC"))
        for day in range(7)
    ]
    first, *others = days
    buckets, ratios, arm = first.buckets, first.log_ratios, first.shadow_us
    for day in others:
        buckets, ratios, arm = buckets + day.buckets, ratios + day.log_ratios, arm + day.shadow_us
    for name, values in week.buckets.columns.items():
        assert np.array_equal(values, buckets[name]), name
    for whole, added in ((week.log_ratios, ratios), (week.shadow_us, arm)):
        assert whole.first == added.first
        assert np.array_equal(whole.times, added.times)
    assert week.buckets["pairs"].sum() == week.experiment.counts.n


@pytest.mark.parametrize("seed", SEEDS)
def test_neither_order_nor_files_matter(workshop: Workshop, seed: int) -> None:
    """Rows come shuffled, and sessions are split over two files."""
    rows = random_pairs(seed)
    store(workshop, rows)
    first = read(workshop)
    workshop.store.connection.execute("DELETE FROM pairs")
    shuffled = rows.sample(frac=1.0, random_state=seed)
    store(workshop, shuffled.iloc[::2], "one")
    store(workshop, shuffled.iloc[1::2], "two")
    again = read(workshop)
    assert (again.experiment, again.table, again.endpoints) == (first.experiment, first.table, first.endpoints)
    assert (again.segments, again.actions, again.influential) == (first.segments, first.actions, first.influential)
    assert np.array_equal(again.hours.start_us, first.hours.start_us)
    for one, other in ((first.hours.columns, again.hours.columns), (first.sample.columns, again.sample.columns)):
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_hours_count_rows_when_they_came_and_sessions_when_they_ended(workshop: Workshop) -> None:
    rows = random_pairs(0)
    store(workshop, rows)
    found, pairs = read(workshop), reference(rows)
    mine = rows[rows.experiment == "x"]
    assert dict(zip(found.hours.start_us // US_PER_HOUR, found.hours["eligible"], strict=True)) == Counter(
        mine.ts // US_PER_HOUR
    ) | {int(hour): 0 for hour in set(found.hours.start_us // US_PER_HOUR) - set(mine.ts // US_PER_HOUR)}
    ended = pairs.groupby("unit").ts.max() // US_PER_HOUR
    assert {
        h: n for h, n in zip(found.hours.start_us // US_PER_HOUR, found.hours["sessions"], strict=True) if n
    } == Counter(ended)
    assert found.hours.so_far("s")[-1] == found.table.sums().s


def test_without_sessions_each_pair_is_one(workshop: Workshop) -> None:
    rows = random_pairs(0).assign(session_id=None)
    store(workshop, rows)
    found = read(workshop)
    assert found.experiment.sums is None
    assert found.table.sums().sessions == found.experiment.counts.n == found.sample.sessions
    assert all(segment.sums is None for segment in found.segments)
    assert found.influential == ()


def test_pairs_to_read_are_drawn_by_seed_and_their_texts_are_redacted(workshop: Workshop) -> None:
    store(workshop, random_pairs(0))
    secret = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 3
    ids = workshop.column("SELECT pair_id FROM pairs WHERE experiment = 'x'")
    bodies = [(pair, f"my key is {secret}", "x" * 5_000) for pair in ids]
    assert add_pair_bodies(workshop.store, "log", bodies) == len(ids)
    assert add_pair_bodies(workshop.store, "log", bodies) == 0
    drawn = readings.disagreements(workshop.store, WEEK, "x", seed=1, each=4)
    assert drawn == readings.disagreements(workshop.store, WEEK, "x", seed=1, each=4)
    assert drawn != readings.disagreements(workshop.store, WEEK, "x", seed=2, each=4)
    assert max(Counter(one.stratum for one in drawn).values()) == 4
    assert all(secret not in (one.primary_body or secret) for one in drawn)
    assert {len(one.shadow_body or "") for one in drawn} == {LONGEST}
    found = read(workshop).experiment
    assert {one.stratum: one.of for one in drawn}["only the primary right"] == found.counts.only_primary
