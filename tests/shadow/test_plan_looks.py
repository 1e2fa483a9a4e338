"""How often the plan's rules are wrong: the cells of docs/plan_defects.toml again, within what chance allows."""

from math import sqrt

import numpy as np
import pytest

from relkit.shadow.paired import PairCounts, mcnemar
from relkit.shadow.plan_looks import (
    _evidence_speaks,
    _mid_p_speaks,
    _two_sided,
    cells,
    named_winner,
    peeking,
    power_of_tests,
    sessions_ignored,
)
from relkit.shadow.plan_z import plan_z


def near(share: float, known: float, runs: int) -> bool:
    """Within 4 standard errors, both being simulated: false alarm below 1 in 10,000 a cell."""
    return abs(share - known) <= 4 * sqrt(max(known * (1 - known), 0.001) / runs) + 0.01


def test_cells_have_their_margins_and_correlation() -> None:
    for delta, share, correlation in ((0.0, 0.9, 0.6), (-0.02, 0.9, 0.3), (0.01, 0.98, 0.9)):
        both, primary, shadow, neither = cells(delta, share, correlation)
        assert both + primary + shadow + neither == pytest.approx(1.0)
        assert both + primary == pytest.approx(share)
        assert both + shadow == pytest.approx(share + delta)
        spread = sqrt(share * (1 - share) * (share + delta) * (1 - share - delta))
        assert (both - share * (share + delta)) / spread == pytest.approx(correlation)


def test_the_edge_of_each_table_is_what_the_rule_says_of_it() -> None:
    """The short cut over sums of discordant pairs against the rule itself, on every table of up to 60 pairs."""
    tables = np.array([(0, b, c, 0) for b in range(61) for c in range(61 - b)])
    for says in (_mid_p_speaks, _evidence_speaks):
        assert _two_sided(tables, says).tolist() == [says(PairCounts(*map(int, row))) for row in tables]


@pytest.mark.parametrize(
    ("delta", "plan", "ours"),
    [(-0.05, 0.0, 1.0), (-0.02, 0.0, 0.896), (-0.01, 0.0, 0.370), (0.01, 0.186, 0.395), (0.02, 0.815, 0.938)],
)
def test_the_plan_cannot_see_harm(delta: float, plan: float, ours: float) -> None:
    found = power_of_tests(delta)
    assert near(found.plan, plan, found.runs)
    assert near(found.ours, ours, found.runs)
    if delta < 0:
        assert found.plan == 0.0


def test_peeking_cries_wolf_and_evidence_does_not() -> None:
    found = peeking(168)
    for looks, known in ((4, 0.118), (24, 0.259), (168, 0.406)):
        assert near(found[looks - 1].plan, known, found[0].runs)
    shares = [one.plan for one in found]
    assert shares == sorted(shares)
    assert found[-1].ours <= 0.05
    assert found[0].plan == pytest.approx(0.05, abs=0.02)


def test_a_winner_is_named_by_a_coin() -> None:
    found = named_winner()
    assert near(found.plan, 0.47, found.runs)
    assert found.ours == pytest.approx(0.025, abs=0.02)


def test_turns_of_a_chat_are_not_independent() -> None:
    found = sessions_ignored(runs=400)
    assert near(found.plan, 0.179, found.runs)
    assert found.ours <= 0.05 + 4 * sqrt(0.05 * 0.95 / found.runs)


def test_the_rules_are_those_of_their_rooms() -> None:
    counts = PairCounts(1_700, 130, 90, 80)
    assert _mid_p_speaks(counts) == (mcnemar(counts).p_mid < 0.05)
    assert plan_z(counts).winner == "primary"
