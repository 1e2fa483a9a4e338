from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import DataError
from relkit.slo import Uptime, time_weighted


def test_a_state_holds_until_the_next_row():
    assert time_weighted([0, 60, 90], [True, False, True], 120) == Uptime(90, 30, ((60, 90),))


def test_many_rows_in_a_short_outage_weigh_no_more_than_its_time():
    rows = [(0, True), *((at, False) for at in range(100, 110)), (110, True)]
    shown = time_weighted([at for at, _ in rows], [up for _, up in rows], 1000)
    assert shown == Uptime(990, 10, ((100, 110),))
    assert shown.share == 0.99  # by rows it would be 2 of 12


def test_time_before_the_first_row_is_nobodys():
    assert time_weighted([500], [True], 1000) == Uptime(500, 0, ())


def test_an_outage_may_run_on():
    assert time_weighted([0, 10], [True, False], 30).outages == ((10, 30),)


def test_of_rows_at_one_instant_the_last_one_holds():
    assert time_weighted([0, 10, 10, 20], [False, True, False, True], 30) == Uptime(10, 20, ((0, 20),))


def test_no_time_has_no_share():
    assert time_weighted([], [], 5).share is None
    assert time_weighted([5], [False], 5) == Uptime(0, 0, ())


@pytest.mark.parametrize(
    ("ts_us", "up", "end_us", "text"),
    [
        ([2, 1], [True, True], 5, "ascend"),
        ([1, 2], [True, True], 1, "before the last row"),
        ([1], [True, False], 5, "length"),
        ([1], [1], 5, "bool"),
    ],
)
def test_broken_rows_are_refused(ts_us, up, end_us, text):
    with pytest.raises(DataError, match=text):
        time_weighted(ts_us, up, end_us)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=30), st.integers(0, 20))
def test_it_equals_looking_every_second(rows, more):
    rows = sorted(rows, key=lambda row: row[0])
    end = rows[-1][0] + more
    state = [next(up for at, up in reversed(rows) if at <= second) for second in range(rows[0][0], end)]
    shown = time_weighted([at for at, _ in rows], [up for _, up in rows], end)
    assert (shown.up_us, shown.down_us) == (state.count(True), state.count(False))
    assert sum(stop - start for start, stop in shown.outages) == shown.down_us


@pytest.mark.traces
@pytest.mark.parametrize(("log", "median_points", "rows_points"), [("a", 0.003, 6.1), ("b", 0.036, 10.4)])
def test_by_time_it_is_the_published_uptime_and_by_rows_it_is_not(trace, log, median_points, rows_points):
    rows, published = trace(f"upptime-checks-{log}.csv"), trace(f"upptime-checks-{log}-summary.csv")
    seen: dict[str, list[tuple[int, bool]]] = {}
    for row in rows:
        at = int(datetime.fromisoformat(row["timestamp"]).timestamp()) * 1_000_000
        seen.setdefault(row["service"], []).append((at, row["state"] == "up"))
    end = max(at for service in seen.values() for at, _ in service)
    ours = {
        name: time_weighted(*(np.array(column) for column in zip(*each, strict=True)), end)
        for name, each in seen.items()
    }

    by_time, by_rows = [], []
    for line in published:
        stated = float(line["uptime"].rstrip("%"))
        by_time.append(abs(100 * ours[line["service"]].share - stated))
        by_rows.append(abs(100 * float(np.mean([up for _, up in seen[line["service"]]])) - stated))
    assert round(float(np.median(by_time)), 3) == median_points
    assert round(float(np.median(by_rows)), 1) == rows_points
    if log == "a":
        outages = [(start, each) for name, up in ours.items() for start, _ in up.outages for each in [seen[name][0][0]]]
        # 361 changes from up to down; 4 services more were already down when first looked at.
        assert (sum(start > first for start, first in outages), len(outages)) == (361, 365)
