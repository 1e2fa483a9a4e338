"""The retries page: captions say what was found, at any load, on logs of any kind, and after Ctrl-C."""

import re
from dataclasses import replace

import pytest

from relkit.errors.tries import Tries, TryHour, TryNumber
from relkit.plates.retries import amplification_plate, money_plate, price_usd, strategies_table, tries_table
from relkit.plates.storms import courses_plate, phase_plate
from relkit.simulation.storm_runs import cell, storms
from relkit.simulation.storms import NEVER, AcrossSeeds, Amplification, Cell, Course, Storms, Strategy, across_seeds

LOG = Tries(
    (TryNumber(1, 1000, 900, 20, 5_000_000, 500), TryNumber(2, 80, 40, 0, 250_000, 50), TryNumber(3, 30, 10)),
    (TryHour(100, 900, 910, 10), TryHour(101, 100, 190, 100), TryHour(102, 3, 12, 11)),
)
EMPTY = Tries((), ())


@pytest.fixture(scope="module")
def small() -> Storms:
    """One seed: no figure has an interval."""
    return storms(0.3, seeds=(1,))


def exactly(value: float) -> AcrossSeeds:
    return AcrossSeeds(value, value, value, 6)


def strategy(name: str, paid: float, recovery: float, *, budget: bool = False) -> Strategy:
    return Strategy(name, budget, False, exactly(0.99), exactly(1.1), exactly(1.0), exactly(paid), exactly(recovery))


def test_the_table_of_tries_says_what_retries_brought() -> None:
    found = tries_table(LOG, 0.95)
    assert "110 retries turned 50 requests into a success" in found.caption
    assert "first tries that failed: 80" in found.caption
    assert "added 11.0 % to the load" in found.caption
    assert found.rows[1][:4] == ("second", "80", "40", "50.0 %")
    assert found.rows[2][5] == "unknown", "a cost that the log does not know is not zero"
    assert found.rows[0][5] == "$5.00, of 500 tries"
    assert found.values["retry_cost_microusd"] == 250_000


def test_the_price_of_a_call_is_the_mean_of_those_the_log_prices() -> None:
    assert price_usd(LOG) == pytest.approx(5.25 / 550)
    assert price_usd(Tries((TryNumber(1, 10, 9),), ())) is None
    assert price_usd(EMPTY) is None


def test_a_log_without_tries_says_so(small: Storms) -> None:
    assert "0 tries" in tries_table(EMPTY, 0.95).caption
    once = Tries((TryNumber(1, 10, 9),), (TryHour(1, 10, 10, 1),))
    assert "Nothing was tried again" in tries_table(once, 0.95).caption
    drawn = amplification_plate(small.amplification, once)
    assert "your log" not in drawn.svg
    assert "Diamonds" not in drawn.caption


def test_the_worst_hour_of_the_log_is_one_with_enough_requests(small: Storms) -> None:
    """The third hour sent four tries a request, for three requests: that is no hour to judge by."""
    found = amplification_plate(small.amplification, LOG)
    assert found.values["worst_hour"] == 101
    assert "the worst sent 1.90 tries a request while 53 % of them failed" in found.caption
    assert "your log: 2 retries" in found.svg


def test_the_storm_says_which_stay_down_or_that_all_recover(small: Storms) -> None:
    stuck = courses_plate(small.courses)
    assert stuck.values["3 retries"] is None
    assert "the service stays down" in stuck.caption
    calm = courses_plate([one for one in small.courses if one.recovery.median < NEVER])
    assert "stays down" not in calm.caption


def test_the_diagram_counts_agreement_and_marks_the_log() -> None:
    cells = [cell(load, retries, seeds=(1, 2, 3, 4, 5, 6)) for load in (0.2, 0.6) for retries in (0, 1)]
    found = phase_plate(cells, 0.6, most_tries=2)
    assert "4 of 4 cells" in found.caption
    assert "recovers only without retries" in found.caption
    assert "up to 2 tries a request: without a budget, that is safe up to a load of 50 %" in found.caption
    assert (found.values["1 retries, load 0.6"], found.values["judged"]) == (None, 4)
    assert found.svg.count(">never<") == 1
    assert ">your log<" in found.svg
    half = replace(cells[-1], stuck=4, recovery=AcrossSeeds(NEVER, 20.0, NEVER, 6))
    assert ">4 of 6<" in phase_plate([*cells[:-1], half], 0.6).svg
    wrong = Cell(0.6, 1, exactly(10.0), 0)
    assert "3 of 4 cells" in phase_plate([*cells[:-1], wrong], 0.6).caption
    assert "recovers with at most 2 retries" in phase_plate(cells, 0.3).caption


def test_the_strategies_tell_what_limits_them_and_never_from_always() -> None:
    rows = [strategy("plain", 8.0, NEVER), strategy("ours", 1.05, 25.0, budget=True), strategy("dead", NEVER, NEVER)]
    table = strategies_table(rows, 0.7)
    assert "2 of 3 strategies" in table.caption
    assert [row[1] for row in table.rows] == ["nothing", "budget", "nothing"]
    assert [row[5] for row in table.rows] == ["never", "25 s", "never"]
    assert table.rows[2][6] == "no answer"
    assert table.values == {"plain_recovery_s": None, "ours_recovery_s": 25.0, "dead_recovery_s": None, "stay_down": 2}


def test_money_is_told_where_the_log_prices_calls_and_else_said_to_be_unknown() -> None:
    rows = [strategy("plain", 8.0, NEVER), strategy("ours", 1.0, 25.0, budget=True), strategy("dead", NEVER, NEVER)]
    priced = money_plate(rows, 0.002)
    assert "1000 answers cost $16.00 instead of $2.00" in priced.caption
    assert set(priced.values) == {"plain", "ours"}
    assert "this log does not say" in money_plate(rows, None).caption


def test_what_ctrl_c_left_out_is_said_in_its_place(small: Storms) -> None:
    assert "stopped" in amplification_plate((), LOG).caption
    assert "stopped" in courses_plate(()).caption
    assert "stopped" in phase_plate((), 0.7).caption
    assert "stopped" in strategies_table((), 0.7).caption
    assert "stopped" in money_plate((), None).caption
    some = phase_plate(small.cells[:3], 0.3)
    assert "3 of 3 cells" in some.caption


def test_rounding_errors_of_another_machine_change_no_byte(small: Storms) -> None:
    """Figures are rounded where they are gathered: times (1 + 1e-12) gives the same picture."""

    def shaken(span: AcrossSeeds) -> AcrossSeeds:
        return across_seeds([span.median * (1 + 1e-12)])

    tries: list[Amplification] = [replace(one, attempts=shaken(one.attempts)) for one in small.amplification]
    ways: list[Course] = [replace(one, answered=tuple(map(shaken, one.answered))) for one in small.courses]
    fields = ("answered", "attempts", "p95_s", "paid")
    kinds = [replace(one, **{name: shaken(getattr(one, name)) for name in fields}) for one in small.strategies]
    for ours, theirs in (
        (amplification_plate(small.amplification, LOG), amplification_plate(tries, LOG)),
        (courses_plate(small.courses), courses_plate(ways)),
        (money_plate(small.strategies, 0.002), money_plate(kinds, 0.002)),
    ):
        assert ours.svg == theirs.svg
        assert ours.record() == theirs.record()
    assert strategies_table(small.strategies, 0.3).record() == strategies_table(kinds, 0.3).record()


def test_texts_of_captions_are_sentences_with_numbers(small: Storms) -> None:
    plates = (
        amplification_plate(small.amplification, LOG), courses_plate(small.courses), phase_plate(small.cells, 0.3),
        money_plate(small.strategies, None),
    )  # fmt: skip
    for one in plates:
        assert re.search(r"\d", one.caption)
        assert one.caption.endswith(".")
        assert "inf" not in one.caption.split()
        assert "nan" not in one.svg
