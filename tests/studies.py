"""A study made in memory, for tests of what is decided from it."""

from typing import Any

import numpy as np

from relkit.shadow import Experiment, MissingAnswers, PairCounts, session_sums
from relkit.shadow.ratio import RatioSums
from relkit.shadow.sessions import SessionSums, SessionTable
from relkit.shadow.study import (
    ARM_PER_DOUBLING,
    BUCKETS,
    PER_DOUBLING,
    Binned,
    Buckets,
    Hours,
    SessionSample,
    Study,
    Timeouts,
)
from relkit.units import US_PER_HOUR


def cells(a: Any, b: Any) -> PairCounts:
    return PairCounts(int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum()), int((~a & ~b).sum()))


def make_study(
    session: Any,
    p: Any,
    s: Any,
    *,
    differs: Any = None,
    baseline: Any = None,
    ratio: Any = None,
    cost: Any = None,
    flags: Any = None,
    hour: Any = None,
    duplicates: int = 0,
    primary_first: tuple[int, int] = (0, 0),
    missing: MissingAnswers | None = None,
    has_sessions: bool = True,
) -> Study:
    """Add pairs up; `ratio` is shadow over primary latency, `cost` the same for cost, `flags` a pair of arrays."""
    p, s = np.asarray(p, dtype=bool), np.asarray(s, dtype=bool)
    n = p.size
    _, unit = np.unique(np.asarray(session), return_inverse=True)
    k = int(unit.max()) + 1 if n else 0

    def by_session(values: Any) -> Any:
        total = np.zeros(k, dtype=np.int64)
        np.add.at(total, unit, np.asarray(values).astype(np.int64))
        return total

    def sums(d: Any, m: Any) -> RatioSums:
        return RatioSums(
            *(int(x) for x in ((m > 0).sum(), m.sum(), d.sum(), (d * d).sum(), (d * m).sum(), (m * m).sum()))
        )

    zero, one = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64)
    bins = zero if ratio is None else np.rint(np.log2(ratio) * PER_DOUBLING).astype(np.int64)
    timed = zero if ratio is None else one
    price = zero if cost is None else np.rint(np.asarray(cost) * 1_000).astype(np.int64)
    priced = zero if cost is None else 1_000 * one
    told = zero.astype(bool) if differs is None else one.astype(bool)
    more = zero.astype(bool) if differs is None else np.asarray(differs) & ~np.asarray(baseline)
    less = zero.astype(bool) if differs is None else np.asarray(baseline) & ~np.asarray(differs)
    x11 = zero.astype(bool) if differs is None else np.asarray(baseline) & np.asarray(differs)
    pf, sf = (zero.astype(bool), zero.astype(bool)) if flags is None else flags
    columns = {
        "pairs": by_session(one), "both_ok": by_session(p & s), "only_primary": by_session(p & ~s), "only_shadow": by_session(s & ~p),
        "triples": by_session(told), "more": by_session(more), "less": by_session(less), "x11": by_session(x11),
        "timed": by_session(timed), "bins": by_session(bins), "excess_us": by_session(bins * 1_000),
    }  # fmt: skip
    d, m = columns["only_shadow"] - columns["only_primary"], columns["pairs"]
    rows, times = (
        np.unique(np.column_stack([d, m]), axis=0, return_counts=True)
        if k
        else (np.zeros((0, 2), int), np.zeros(0, int))
    )
    all_sums = session_sums(unit, p, s)

    def whole(d: Any, m: Any) -> SessionSums:
        r = sums(d, m)
        used = m > 0
        return SessionSums(
            r.sessions,
            r.weight,
            r.s,
            r.v,
            r.dm,
            r.mm,
            int((d > 0).sum()),
            int((d < 0).sum()),
            int((used & (d == 0)).sum()),
            int(m.max(initial=0)),
        )

    counts = cells(p, s)
    return Study(
        experiment=Experiment(
            "x", "old", "new", counts, all_sums if has_sessions and n else None, missing or MissingAnswers(), n, n, n, n, duplicates,
            None if differs is None else cells(np.asarray(differs), np.asarray(baseline)).swapped(), None, 0 if n else None, 10 if n else None,
        ),
        endpoints={
            "errors": sums(-d, m), "differences": sums(columns["more"] - columns["less"], columns["triples"]),
            "latency": sums(columns["bins"], columns["timed"]), "cost": sums(by_session(price) - by_session(priced), by_session(priced)),
            "flags": sums(by_session(sf) - by_session(pf), m),
        },
        table=SessionTable(tuple(rows[:, 0].tolist()), tuple(rows[:, 1].tolist()), tuple(times.tolist())),
        flags=cells(pf, sf), flag_sums=whole(by_session(sf) - by_session(pf), m), differs=whole(columns["more"] - columns["less"], columns["triples"]),
        segments=(), hours=_hours(unit, hour, columns, k), log_ratios=_binned(bins, timed, PER_DOUBLING),
        primary_us=_binned(zero + 2_400, timed, ARM_PER_DOUBLING), shadow_us=_binned(bins * ARM_PER_DOUBLING // PER_DOUBLING + 2_400, timed, ARM_PER_DOUBLING),
        unmirrored_us=_binned(zero, zero, ARM_PER_DOUBLING), buckets=_buckets(columns, by_session(priced), by_session(price)),
        sample=SessionSample(columns, k), influential=(), actions={("a", "a"): n} if n else {},
        timeouts=Timeouts(PairCounts(n, 0, 0, 0), ()), compared=counts,
        differing=(0, 0) if differs is None else (int(np.asarray(differs).sum()), n), primary_first=primary_first, mirrored_by_step={},
    )  # fmt: skip


def _hours(unit: Any, hour: Any, columns: dict[str, Any], k: int) -> Hours:
    names = (
        "eligible",
        "mirrored",
        "answered",
        "compared",
        "sessions",
        "pairs",
        "both_ok",
        "only_primary",
        "only_shadow",
    )
    names += ("s", "v", "dm", "mm", "positive", "negative", "largest")
    if hour is None or not k:
        return Hours(np.zeros(0, dtype=np.int64), {name: np.zeros(0, dtype=np.int64) for name in names})
    last = np.zeros(k, dtype=np.int64)
    np.maximum.at(last, unit, np.asarray(hour))
    start = np.unique(last)
    place = np.searchsorted(start, last)
    d, m = columns["only_shadow"] - columns["only_primary"], columns["pairs"]
    values = {
        "eligible": m, "mirrored": m, "answered": m, "compared": m, "sessions": np.ones(k, dtype=np.int64), "pairs": m,
        "both_ok": columns["both_ok"], "only_primary": columns["only_primary"], "only_shadow": columns["only_shadow"],
        "s": d, "v": d * d, "dm": d * m, "mm": m * m, "positive": d > 0, "negative": d < 0,
    }  # fmt: skip
    found = {}
    for name, column in values.items():
        found[name] = np.zeros(start.size, dtype=np.int64)
        np.add.at(found[name], place, column.astype(np.int64))
    found["largest"] = np.zeros(start.size, dtype=np.int64)
    np.maximum.at(found["largest"], place, m)
    return Hours(start * US_PER_HOUR, found)


def _binned(bins: Any, timed: Any, per_doubling: int) -> Binned:
    used = bins[timed > 0]
    if not used.size:
        return Binned(per_doubling, 0, np.zeros((BUCKETS, 0), dtype=np.int64))
    first = int(used.min())
    times = np.zeros((BUCKETS, int(used.max()) - first + 1), dtype=np.int64)
    np.add.at(times, (np.arange(used.size) % BUCKETS, used - first), 1)
    return Binned(per_doubling, first, times)


def _buckets(columns: dict[str, Any], priced: Any, price: Any) -> Buckets:
    found = {}
    for name, column in {**columns, "primary_cost": priced, "shadow_cost": price}.items():
        found[name] = np.zeros(BUCKETS, dtype=np.int64)
        np.add.at(found[name], np.arange(column.size) % BUCKETS, column)
    return Buckets(found)
