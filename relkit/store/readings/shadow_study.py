"""Everything a page says of one experiment, in whole numbers: its sessions tallied once, and a few grouped queries."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from relkit.period import Period
from relkit.shadow import PairCounts, SessionSums
from relkit.shadow.ratio import RatioSums
from relkit.shadow.sessions import SessionTable
from relkit.shadow.study import (
    BUCKETS,
    Buckets,
    Hours,
    Influence,
    Ints,
    Segment,
    SessionSample,
    Study,
    Timeouts,
)
from relkit.store.open import Store
from relkit.store.readings.columns import int_columns
from relkit.store.readings.log import within
from relkit.store.readings.shadow import session_sums, whole_experiment
from relkit.store.readings.shadow_latency import (
    BUCKET,
    KEY,
    RATIO_BIN,
    TIMED,
    latency_bins,
    listed,
    unmirrored_bins,
)
from relkit.units import US_PER_DAY, US_PER_HOUR

_CAME: Final = {"primary": "(primary_ok IS NOT NULL)", "shadow": "(shadow_ok IS NOT NULL AND state <> 'mirrored')"}
_PRICED: Final = "(primary_cost_microusd IS NOT NULL AND shadow_cost_microusd IS NOT NULL)"
_CELLS: Final = {
    "pairs": "count(*)",
    "both_ok": "count(*) FILTER (p AND s)",
    "only_primary": "count(*) FILTER (p AND NOT s)",
    "only_shadow": "count(*) FILTER (s AND NOT p)",
}
_TALLY: Final = _CELLS | {
    "triples": "count(*) FILTER (differs IS NOT NULL AND differs_baseline IS NOT NULL)",
    "more": "count(*) FILTER (differs AND NOT differs_baseline)",
    "less": "count(*) FILTER (differs_baseline AND NOT differs)",
    "x11": "count(*) FILTER (differs AND differs_baseline)",
    "timed": f"count(*) FILTER {TIMED.replace('(', '(WHERE ', 1)}",
    "bins": f"coalesce(sum({RATIO_BIN}) FILTER (WHERE {TIMED}), 0)",
    "only_primary_flag": "count(*) FILTER (pf AND NOT sf)",
    "only_shadow_flag": "count(*) FILTER (sf AND NOT pf)",
}
_AMOUNTS: Final = {
    "excess_us": f"coalesce(sum(shadow_latency_us - primary_latency_us) FILTER (WHERE {TIMED}), 0)",
    "primary_cost": f"coalesce(sum(primary_cost_microusd) FILTER (WHERE {_PRICED}), 0)",
    "shadow_cost": f"coalesce(sum(shadow_cost_microusd) FILTER (WHERE {_PRICED}), 0)",
}
_SAMPLED: Final = (
    "pairs",
    "both_ok",
    "only_primary",
    "only_shadow",
    "triples",
    "more",
    "less",
    "x11",
    "timed",
    "bins",
    "excess_us",
)
_BUCKETED: Final = (*_SAMPLED, "primary_cost", "shadow_cost")
_D: Final = "(only_shadow - only_primary)"
_MOST_INFLUENTIAL: Final = 10
_LAST_TURN: Final = 6  # and all later ones


def study(
    store: Store, period: Period, name: str, *, quiet_flags: tuple[str, ...] = (), sample_size: int = 2_048
) -> Study:
    """Read one experiment.

    Parameters
    ----------
    store : Store
        Open database.
    period : Period
        Which pairs.
    name : str
        The experiment.
    quiet_flags : tuple of str
        Flags that are no alarm by themselves.
    sample_size : int
        Most sessions of the sample.
    """
    return _Pairs(store, period, name, quiet_flags).study(sample_size)


class _Pairs:
    """The pairs of one experiment as a subquery, and the queries over it."""

    def __init__(self, store: Store, period: Period, name: str, quiet_flags: tuple[str, ...]) -> None:
        self.store, self.period, self.name = store, period, name
        where, values = within(period, "ts")
        quiet = ", ".join("?" for _ in quiet_flags)
        flagged = "coalesce({0}_flags, '') <> ''" + (f" AND {{0}}_flags NOT IN ({quiet})" if quiet_flags else "")
        self.rows = (
            "(SELECT *, coalesce(primary_ok, FALSE) AS p, coalesce(shadow_ok, FALSE) AS s, "
            "state IN ('answered', 'compared') AND primary_ok IS NOT NULL AND shadow_ok IS NOT NULL AS answered, "
            f"{flagged.format('primary')} AS pf, {flagged.format('shadow')} AS sf "
            f"FROM pairs WHERE experiment = ? AND {where})"
        )
        self.bound: list[Any] = [*quiet_flags, *quiet_flags, name, *values]
        self.pairs = f"(SELECT * FROM {self.rows} WHERE state <> 'eligible')"
        # One pass over the pairs; a table of sessions is a sixth of them and holds all that sessions are asked for.
        columns = [f"({sql})::INTEGER AS {name}" for name, sql in _TALLY.items()]
        columns += [f"({sql})::BIGINT AS {name}" for name, sql in _AMOUNTS.items()]
        # A pair without a session is a session of its own; two plain keys cost less than one key of both.
        sessions, lone = (
            f"SELECT {key} AS session_id, any_value({KEY}) AS place, max(ts) AS last_us, {', '.join(columns)} "
            f"FROM {self.pairs} WHERE session_id IS {among} NULL GROUP BY {by}"
            for key, among, by in (("session_id", "NOT", "session_id"), ("NULL", "", "pair_id"))
        )
        store.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE tally AS {sessions} UNION ALL {lone}", [*self.bound, *self.bound]
        )

    def study(self, sample_size: int) -> Study:
        found = whole_experiment(self.store, self.period, self.name, lambda: self.sums(_D, "pairs"))
        has_sessions = found.sums is not None
        (flags, answered, compared), (first, told, different, tell) = self.cells()
        table = self.tallied(f"SELECT {_D} AS d, pairs AS m, count(*) AS k FROM tally GROUP BY d, m ORDER BY d, m")
        ratios, primary_us, shadow_us = latency_bins(self.store, self.pairs, self.bound)
        return Study(
            experiment=found,
            endpoints=self.endpoints(),
            table=SessionTable(*(tuple(table[name].tolist()) for name in "dmk")),
            flags=flags,
            flag_sums=self.sums("(only_shadow_flag - only_primary_flag)", "pairs") if has_sessions else None,
            differs=self.sums("(more - less)", "triples") if has_sessions else None,
            segments=tuple(self.segments(has_sessions=has_sessions)),
            hours=self.hours(),
            log_ratios=ratios,
            primary_us=primary_us,
            shadow_us=shadow_us,
            unmirrored_us=unmirrored_bins(self.store, self.rows, self.bound),
            buckets=self.buckets(),
            sample=self.sample(sample_size),
            influential=self.influential() if has_sessions else (),
            actions=self.actions(),
            timeouts=Timeouts(answered, self.causes()),
            compared=compared,
            differing=(different, tell),
            primary_first=(first, told),
            mirrored_by_step=self.steps(),
        )

    def columns(self, sql: str) -> dict[str, Ints]:
        return int_columns(self.store, sql, self.bound)

    def tallied(self, sql: str) -> dict[str, Ints]:
        return int_columns(self.store, sql, [])

    def sums(self, d: str, m: str) -> SessionSums:
        return session_sums(self.store, "tally", d, m, [])

    def endpoints(self) -> dict[str, RatioSums]:
        """Sums over sessions of every endpoint: numerator and weight."""
        parts = {
            "errors": ("only_primary - only_shadow", "pairs"),
            "differences": ("more - less", "triples"),
            "latency": ("bins", "timed"),
            "cost": ("shadow_cost - primary_cost", "primary_cost"),
            "flags": ("only_shadow_flag - only_primary_flag", "pairs"),
        }
        asked = []
        for name, (numerator, weight) in parts.items():
            # costs are millionths of a dollar: their squares may leave 64 bits
            wide = "HUGEINT" if name == "cost" else "BIGINT"
            d, m = f"({numerator})::{wide}", f"{weight}::{wide}"
            asked.append(
                f"count(*) FILTER ({m} > 0), sum({m}), sum({d}), sum({d} * {d}), sum({d} * {m}), sum({m} * {m})"
            )
        row = self.store.connection.execute(f"SELECT {', '.join(asked)} FROM tally").fetchone()
        assert row is not None
        return {
            name: RatioSums(*(int(value or 0) for value in row[6 * place : 6 * place + 6]))
            for place, name in enumerate(parts)
        }

    def segments(self, *, has_sessions: bool) -> list[Segment]:
        """The table of every value of every dimension, with buckets of sessions as units, in one pass.

        The primary's action is no dimension: it is part of the outcome, and where the primary went wrong any shadow wins.
        """
        dimensions = {
            "segment": "segment",
            "turn": f"least(turn, {_LAST_TURN})",
            "day": f"(ts // {US_PER_DAY})::INTEGER",
        }
        # written for people once they are few
        shown = {
            "segment": "by_segment",
            "turn": f"by_turn || CASE WHEN by_turn = {_LAST_TURN} THEN ' or later' ELSE '' END",
            "day": f"strftime(make_timestamp(by_day * {US_PER_DAY}), '%Y-%m-%d')",
        }
        dealt = (
            f"SELECT {listed({f'by_{by}': value for by, value in dimensions.items()})}, "
            f"{', '.join(f'grouping(by_{by}) AS no_{by}' for by in dimensions)}, {listed(_CELLS)} "
            f"FROM (SELECT *, {BUCKET} AS bucket FROM {self.pairs}) "
            f"GROUP BY GROUPING SETS ({', '.join(f'(bucket, by_{by})' for by in dimensions)})"
        )
        names = ", ".join(f"WHEN no_{by} = 0 THEN '{by}'" for by in dimensions)
        by = f"CASE {names.replace(',', '')} END"
        rows = self.store.connection.execute(
            f"SELECT {by} AS part, coalesce({', '.join(shown.values())}) AS name, sum(both_ok), sum(only_primary), "
            f"sum(only_shadow), sum(pairs - both_ok - only_primary - only_shadow), count(*), sum(pairs), sum({_D}), "
            f"sum({_D} * {_D}), sum({_D} * pairs), sum(pairs * pairs), count(*) FILTER ({_D} > 0), count(*) FILTER ({_D} < 0), "
            f"count(*) FILTER ({_D} = 0), max(pairs) FROM ({dealt}) WHERE name IS NOT NULL GROUP BY part, name ORDER BY part, name",
            self.bound,
        ).fetchall()
        found = []
        for part, name, *numbers in rows:
            cells, sums = [int(n) for n in numbers[:4]], [int(n) for n in numbers[4:]]
            found.append(Segment(part, name, PairCounts(*cells), SessionSums(*sums) if has_sessions else None))
        return found

    def hours(self) -> Hours:
        """Rows by their own hour, sessions by the hour of their last pair; pairs without a clock are in no hour."""
        hour = f"ts // {US_PER_HOUR}"
        states = self.columns(
            f"SELECT {hour} AS hour, count(*) AS eligible, count(*) FILTER (state <> 'eligible') AS mirrored, "
            "count(*) FILTER (state IN ('answered', 'compared')) AS answered, "
            f"count(*) FILTER (state = 'compared') AS compared FROM {self.rows} WHERE ts IS NOT NULL GROUP BY hour ORDER BY hour"
        )
        ended = self.tallied(
            f"SELECT last_us // {US_PER_HOUR} AS hour, count(*) AS sessions, sum(pairs) AS pairs, sum(only_primary) AS only_primary, "
            f"sum(only_shadow) AS only_shadow, sum(both_ok) AS both_ok, sum({_D}) AS s, sum({_D} * {_D}) AS v, sum({_D} * pairs) AS dm, "
            f"sum(pairs * pairs) AS mm, count(*) FILTER ({_D} > 0) AS positive, count(*) FILTER ({_D} < 0) AS negative, "
            "max(pairs) AS largest FROM tally WHERE last_us IS NOT NULL GROUP BY hour ORDER BY hour"
        )
        start = np.union1d(states["hour"], ended["hour"]).astype(np.int64)
        columns = {}
        for part in (states, ended):
            place = np.searchsorted(start, part["hour"])
            for name, values in part.items():
                if name != "hour":
                    columns[name] = np.zeros(start.size, dtype=np.int64)
                    columns[name][place] = values
        return Hours(start * US_PER_HOUR, columns)

    def buckets(self) -> Buckets:
        found = self.tallied(
            f"SELECT place % {BUCKETS} AS bucket, {', '.join(f'sum({name}) AS {name}' for name in _BUCKETED)} FROM tally GROUP BY bucket"
        )
        columns = {}
        for name in _BUCKETED:
            columns[name] = np.zeros(BUCKETS, dtype=np.int64)
            columns[name][found["bucket"]] = found[name]
        return Buckets(columns)

    def sample(self, most: int) -> SessionSample:
        listed = ", ".join(_SAMPLED)
        found = self.tallied(f"SELECT {listed} FROM tally ORDER BY place, {listed} LIMIT {most}")
        total = self.store.connection.execute("SELECT count(*) FROM tally").fetchone()
        return SessionSample(found, int(total[0]) if total else 0)

    def influential(self) -> tuple[Influence, ...]:
        rows = self.store.connection.execute(
            f"SELECT session_id, pairs, only_primary, only_shadow FROM tally WHERE session_id IS NOT NULL "
            f"ORDER BY abs{_D} DESC, pairs DESC, session_id LIMIT {_MOST_INFLUENTIAL}"
        ).fetchall()
        return tuple(Influence(*row) for row in rows)

    def actions(self) -> Mapping[tuple[str, str], int]:
        rows = self.store.connection.execute(
            f"SELECT primary_action, shadow_action, count(*) FROM {self.pairs} WHERE primary_action IS NOT NULL "
            "AND shadow_action IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
            self.bound,
        ).fetchall()
        return {(before, after): times for before, after, times in rows}

    def cells(self) -> tuple[list[PairCounts], list[int]]:
        """Two-by-two tables of "flagged", "answered at all" and "right, where compared"; order of the arms, and differences."""
        tables = [
            f"count(*) FILTER ({among} AND {a} AND {b}), count(*) FILTER ({among} AND {a} AND NOT {b}), "
            f"count(*) FILTER ({among} AND {b} AND NOT {a}), count(*) FILTER ({among} AND NOT {a} AND NOT {b})"
            for a, b, among in (
                ("pf", "sf", "TRUE"),
                (_CAME["primary"], _CAME["shadow"], "TRUE"),
                ("p", "s", "state = 'compared'"),
            )
        ]
        row = self.store.connection.execute(
            f"SELECT {', '.join(tables)}, count(*) FILTER (primary_first), count(primary_first), count(*) FILTER (differs), "
            f"count(differs) FROM {self.pairs}",
            self.bound,
        ).fetchone()
        assert row is not None
        return [PairCounts(*row[place : place + 4]) for place in (0, 4, 8)], list(row[12:])

    def causes(self) -> tuple[tuple[str, str, int], ...]:
        """What was told of the answers that never came, by arm."""
        causes: list[tuple[str, str, int]] = []
        for arm, came in _CAME.items():
            rows = self.store.connection.execute(
                f"SELECT coalesce(nullif({arm}_flags, ''), 'not told') AS cause, count(*) FROM {self.pairs} "
                f"WHERE NOT {came} GROUP BY cause ORDER BY count(*) DESC, cause LIMIT 6",
                self.bound,
            ).fetchall()
            causes += [(arm, cause, times) for cause, times in rows]
        return tuple(causes)

    def steps(self) -> Mapping[int, tuple[int, int]]:
        found = self.columns(
            "SELECT step, count(*) FILTER (state <> 'eligible') AS mirrored, count(*) AS eligible "
            f"FROM {self.rows} WHERE step IS NOT NULL GROUP BY step ORDER BY step"
        )
        return {
            int(step): (int(mirrored), int(eligible))
            for step, mirrored, eligible in zip(found["step"], found["mirrored"], found["eligible"], strict=True)
        }
