"""The bill: sums by line, what has no price is named, and the interval of the cost of an answer holds."""

import numpy as np
import pytest
from scipy.stats import binom

from relkit.exceptions import ParameterError
from relkit.prices import Price, Use
from relkit.slo import CostCell, cost_of


def cell(day, line, calls, microusd, model="m"):
    return CostCell(day, line, Use("groq", model, calls, calls, microusd))


def test_lines_add_up_to_the_total_and_keep_their_order():
    bill = cost_of(
        [cell(1, "shadow", 5, 500), cell(1, "first tries", 10, 1000), cell(2, "retries", 1, 100)], {1: 9}, {}
    )
    assert [line.name for line in bill.lines] == ["first tries", "retries", "shadow"]
    assert bill.total.usd == pytest.approx(0.0016)
    assert bill.usd_per_answer == pytest.approx(0.0016 / 9)
    assert bill.added_share == pytest.approx(0.6)
    assert bill.at(9_000) == pytest.approx(1.6)


def test_a_call_without_cost_or_price_is_named_and_never_free():
    tokens = CostCell(1, "fallbacks", Use("groq", "big", 2, 0, 0, 2, 1_000_000, 0))
    assert cost_of([tokens], {1: 1}, {}).usd_per_answer is None
    assert "big" in cost_of([tokens], {1: 1}, {}).total.text
    assert cost_of([tokens], {1: 1}, {"big": Price(0.5, 1.0)}).usd_per_answer == 0.5


def test_no_answer_has_no_cost_and_two_days_no_interval():
    assert cost_of([cell(1, "first tries", 1, 9)], {}, {}).usd_per_answer is None
    two = cost_of([cell(1, "first tries", 1, 9), cell(2, "first tries", 1, 9)], {1: 1, 2: 1}, {})
    assert (two.low, two.high) == (None, None)


def test_a_line_nobody_knows_is_refused():
    with pytest.raises(ParameterError, match="line"):
        cell(1, "gifts", 1, 1)


def test_the_interval_holds_its_level():
    """400 fortnights whose days differ in failures; at 95 % the hits lie within the 99.9 % range of 91 to 98 %."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        share = rng.uniform(0.7, 1.0, 14)
        calls = rng.integers(800, 1200, 14)
        answers = {day: int(number) for day, number in enumerate(rng.binomial(calls, share))}
        bill = cost_of([cell(day, "first tries", int(n), 100 * int(n)) for day, n in enumerate(calls)], answers, {})
        hits += bill.low <= 1e-4 / 0.85 <= bill.high
    assert binom.ppf(0.0005, 400, 0.93) <= hits <= binom.ppf(0.9995, 400, 0.97)
