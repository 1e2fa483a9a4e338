"""Each trap is named when its counts show it, and only then."""

import pytest

from relkit.slo import Traps, trap_lines
from relkit.slo.traps import Series

PLAIN = {"attempts": 100, "timed": 100, "latencies": 100, "longest_us": 2_000_000, "latency_sum_us": 60_000_000}
PLANTED = {
    "coarse clock": {"whole_seconds": 100, "tied": 40},
    "coarse latency": {"whole_second_latencies": 100},
    "one outlier": {"longest_us": 6_000_000_000, "latency_sum_us": 6_060_000_000},
    "censored starts": {"censored": 14},
    "harness codes": {"harness_codes": 3},
    "cumulative counter": {"series": (Series("requests_total", 50, 48, 0),)},
    "uneven sampling": {"probe_rows_up_share": 0.918, "probe_time_up_share": 0.985},
    "dropped pairs": {"dropped_pairs": 7},
}


def test_a_plain_log_has_no_trap():
    series = (Series("success_share", 50, 20, 9), Series("flag", 50, 2, 0))
    assert trap_lines(Traps(**PLAIN, series=series, probe_rows_up_share=0.99, probe_time_up_share=0.991)) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_trap_is_named_alone(name):
    lines = trap_lines(Traps(**{**PLAIN, **PLANTED[name]}))
    assert [line[0] for line in lines] == [name]


def test_all_traps_at_once_are_all_named():
    planted = {key: value for counts in PLANTED.values() for key, value in counts.items()}
    assert {name for name, _ in trap_lines(Traps(**{**PLAIN, **planted}))} == set(PLANTED)


def test_whole_seconds_without_ties_are_no_coarse_clock():
    assert trap_lines(Traps(**{**PLAIN, "whole_seconds": 100, "tied": 2})) == []


def test_the_outlier_is_named_with_its_share():
    (line,) = trap_lines(Traps(**{**PLAIN, "longest_us": 6_000_000_000, "latency_sum_us": 6_060_000_000}))
    assert "1.67 h" in line[1]
    assert "99 %" in line[1]


def test_few_rows_show_no_trap():
    assert (
        trap_lines(Traps(attempts=5, timed=5, whole_seconds=5, tied=4, latencies=5, longest_us=9, latency_sum_us=10))
        == []
    )
