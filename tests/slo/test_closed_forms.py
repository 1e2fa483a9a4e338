"""The alert engine against the closed forms of burn-rate alerts under flat traffic, and against the Workbook's figures.

Window w, threshold b, budget share B, error ratio e inside the incident and e0 outside, `for` F, evaluation step D:
over after w (bB - e0) / (e - e0); fires at the next evaluation + F; over until w (1 - bB/e) after the end.
"""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from relkit.slo import Minutes, Objective, exhaustion_minutes
from relkit.slo.alert_sets import alert_set
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier
from relkit.slo.burn import burn
from relkit.slo.firing import fire
from relkit.slo.incidents import Incident, budget_shares

GOAL = Objective("availability", "0.999")
FLAT = 100_000
TARGETS = ("0.5", "0.9", "0.95", "0.98", "0.99", "0.995", "0.999", "0.9995", "0.9999")
WINDOWS = ((30, 5), (60, 5), (60, None), (120, 10), (180, 15), (360, 30), (720, 60), (1440, 120))
FACTORS = ("1", "2", "3", "6", "9", "10", "13.44", "14.4", "36")


def outage(healthy, lasts, after, error_ratio, background=Fraction(0), valid=FLAT, start_minute=0):
    """Lay one outage on flat traffic."""
    bad = np.concatenate(
        [np.full(many, int(ratio * valid), dtype=np.int64) for many, ratio in ((healthy, background), (lasts, error_ratio), (after, background))]
    )  # fmt: skip
    none = np.zeros_like(bad)
    return Minutes(start_minute, valid - bad, bad, none, none, np.ones(len(bad), dtype=bool))


def page(*tiers, for_minutes=0):
    return AlertSet("page", (AlertRule("Page", "page", tiers, for_minutes),))


def told(alerts, log, healthy, lasts, step=1, severity="page", objective=GOAL):
    """Return the instant of the first firing after the start, and how long after the end the last evaluation that fires is."""
    spans = fire(alerts, log, objective, step_minutes=step, period_valid=FLAT * 43_200).of(severity)
    after = [span for span in spans if span[1] > healthy]
    if not after:
        return None, None
    # Entry i is the evaluation at the end of minute i
    return after[0][0] + 1 - healthy, after[-1][1] - healthy - lasts


def drawn_case(rng):
    target = str(rng.choice(TARGETS))
    long, short = WINDOWS[rng.integers(len(WINDOWS))]
    tier = AlertTier("burn", str(rng.choice(FACTORS)), long, short)
    ratio = Fraction(max(1, round(FLAT * 10 ** rng.uniform(-3, 0))), FLAT)
    step = int(rng.choice([1, 1, 2, 5]))
    waits = int(rng.choice([0, 0, 2, 15]))
    return Objective("a", target), tier, ratio, int(rng.integers(1, 2 * long)), step, waits


def compared(cases, seed):
    """Return how many random cases fire, and those that leave the closed forms by more than a step."""
    rng = np.random.default_rng(seed)
    fired, wrong = 0, []
    for _ in range(cases):
        goal, tier, ratio, lasts, step, waits = drawn_case(rng)
        healthy = (
            ceil(Fraction(tier.long_minutes + 5, 60)) * 60
        )  # a multiple of every step, so evaluations hit the start
        log = outage(healthy, lasts, tier.long_minutes + waits + 10, ratio)
        first, reset = told(page(tier, for_minutes=waits), log, healthy, lasts, step, objective=goal)
        limit = tier.threshold * goal.budget_share
        holds = first is None
        if ratio > limit:
            over_after = max(window * limit / ratio for window in tier.windows)
            clear = min(window * (1 - limit / ratio) for window in tier.windows)
            fires = ceil(over_after / step) * step + ceil(Fraction(waits, step)) * step
            if over_after + step < lasts and fires + 2 * step < lasts + clear:
                fired += 1
                # The last evaluation that fires is the last one before the windows are clear
                holds = first is not None and abs(first - fires) <= step and clear - 2 * step <= reset <= clear + step
            elif over_after <= lasts and fires <= lasts + clear + step:
                holds = True  # within a step of the border either is right
        if not holds:
            wrong.append((goal.target, tier, ratio, lasts, step, waits, first, reset))
    return fired, wrong


def test_first_firing_and_reset_follow_the_closed_forms_on_500_random_cases():
    fired, wrong = compared(500, seed=88)
    assert wrong == []
    assert 150 < fired < 400  # the draw holds enough of both kinds


@pytest.mark.parametrize("seed", range(10))
def test_background_errors_bring_the_alert_forward_as_the_formula_says(seed):
    rng = np.random.default_rng(seed)
    tier = AlertTier("burn", str(rng.choice(["6", "10", "14.4"])), int(rng.choice([60, 360])))
    base, ratio = Fraction(int(rng.integers(1, 60)), 100_000), Fraction(int(rng.integers(3000, 90_000)), 100_000)
    limit = tier.threshold * GOAL.budget_share
    healthy, lasts = 2 * tier.long_minutes, tier.long_minutes
    first, _ = told(page(tier), outage(healthy, lasts, 60, ratio, base), healthy, lasts)
    assert abs(first - ceil(tier.long_minutes * (limit - base) / (ratio - base))) <= 1


@pytest.mark.parametrize("seed", range(20))
def test_ored_tiers_fire_with_the_first_and_stay_with_the_last(seed):
    rng = np.random.default_rng(100 + seed)
    ratio = Fraction(int(rng.integers(2_000, 100_001)), FLAT)
    lasts, healthy = int(rng.integers(3, 200)), 400
    tiers = alert_set("workbook").rules[0].tiers
    times = [[max(w * tier.threshold * GOAL.budget_share / ratio for w in tier.windows), tier] for tier in tiers]
    fired = [(over, tier) for over, tier in times if over < lasts and over < lasts]
    first, reset = told(alert_set("workbook"), outage(healthy, lasts, 400, ratio), healthy, lasts)
    if not fired:
        assert first is None or min(over for over, _ in times) > lasts - 1
        return
    assert abs(first - ceil(min(over for over, _ in fired))) <= 1
    longest = max(tier.short_minutes * (1 - tier.threshold * GOAL.budget_share / ratio) for _, tier in fired)
    assert abs(reset - longest) <= 1


@pytest.mark.parametrize(
    ("percent", "lasts", "page_first", "page_after", "ticket_first", "ticket_after"),
    [
        (100, 10, 1, 30, 5, 360),
        (15, 10, 6, 5, None, None),
        (100, 2, 1, 5, None, None),
        (5, 60, 18, 27, None, None),
        (1, 300, 217, 12, None, None),
    ],
)
def test_what_a_real_prometheus_said_of_the_workbook(
    percent, lasts, page_first, page_after, ticket_first, ticket_after
):
    """Measured with Prometheus 2.42: 99.9 %, 6,000 requests a minute, four healthy days before."""
    healthy = 4 * 1440
    log = outage(healthy, lasts, 500, Fraction(percent, 100), valid=6000)
    alerts = alert_set("workbook")
    first, after = told(alerts, log, healthy, lasts)
    assert (first, after) == (page_first, pytest.approx(page_after, abs=1))
    first, after = told(alerts, log, healthy, lasts, severity="ticket")
    if ticket_first is None:
        assert first is None
    else:
        assert (first, after) == (ticket_first, pytest.approx(ticket_after, abs=1))


@pytest.mark.parametrize(
    ("factor", "long", "short", "percent", "lasts", "over_s", "clear_s"),
    [
        ("1", 600, None, 100, 60, 0.6, None),  # "0.6 seconds"
        ("1", 129_600, None, 100, 300, 129.6, None),  # "2 minutes 10 seconds"
        ("14.4", 3600, 300, 15, 600, 345.6, 271.2),  # "after 5 minutes", and the short window clears in 5
        ("14.4", 3600, None, 15, 600, 345.6, 3254.4),  # the long one alone takes 54 minutes
        ("36", 3600, None, 100, 600, 129.6, 3470.4),  # "58 minutes"
    ],
)
def test_the_workbooks_seconds(factor, long, short, percent, lasts, over_s, clear_s):
    """The engine counts steps; here one is a second. First over and last over lie within one second of the exact value."""
    log = outage(long + 10, lasts, long + 10, Fraction(percent, 100), valid=100)
    first, after = told(page(AlertTier("burn", factor, long, short)), log, long + 10, lasts)
    assert 0 <= first - over_s <= 1
    if clear_s is not None:
        assert abs(after - clear_s) <= 1


@pytest.mark.parametrize(
    ("lasts", "ratio", "percent"),
    [(10, "0.001", 0.02315), (60, "1", 138.89), (5, "1", 11.574), (15, "1", 34.72)],
)
def test_the_workbooks_shares_of_the_budget(lasts, ratio, percent):
    log = outage(10, lasts, 10, Fraction(ratio))
    spent = budget_shares([Incident(10, 10 + lasts)], log, GOAL, period_valid=FLAT * 43_200)
    assert 100 * spent[0] == pytest.approx(percent, rel=5e-4)


def test_the_workbooks_other_figures():
    quiet = outage(30 * 1440, 0, 0, Fraction(0))
    assert exhaustion_minutes(quiet, GOAL, 35.0) / 60 == pytest.approx(20.571, abs=1 / 60)
    five_nines = Objective("a", "0.99999")
    # 25.92 s of total outage, and a canary of 1 % lasts a hundred times as long
    assert float(five_nines.budget_share * five_nines.window_minutes * 60) == pytest.approx(25.92)
    assert exhaustion_minutes(quiet, five_nines, 1000.0) == pytest.approx(43.2, abs=1)
    # One failure of ten in an hour burns at 100, which the Workbook prints as 1,000
    hourly = outage(59, 1, 0, Fraction(1), valid=10)
    assert burn(outage(0, 1, 0, Fraction(1, 10), valid=10), GOAL, 1).tolist() == [100.0]
    assert budget_shares([Incident(59, 60)], hourly, GOAL, period_valid=7200)[0] == pytest.approx(10 / 7.2)
    assert budget_shares([Incident(0, 1)], outage(0, 1, 0, Fraction(1, 10), valid=10), GOAL, 7200)[0] == pytest.approx(0.1389, abs=5e-5)  # fmt: skip
    # 90 %: an hour is 1.389 % of the budget, and a burn of 14.4 cannot be
    ninety = Objective("a", "0.9")
    assert budget_shares([Incident(0, 60)], outage(0, 60, 0, Fraction(1)), ninety, FLAT * 43_200)[0] == pytest.approx(0.01389, abs=5e-6)  # fmt: skip
    assert not AlertTier("burn", "14.4", 60, 5).is_reachable(ninety)
    assert fire(page(AlertTier("burn", "14.4", 60, 5)), outage(60, 120, 0, Fraction(1)), ninety).pages == []


def test_a_burn_below_every_factor_never_pages_however_long():
    """At 6x the error ratio is exactly the threshold, and the comparison is strict."""
    healthy, lasts = 400, 3000
    assert told(alert_set("workbook"), outage(healthy, lasts, 10, Fraction(6, 1000)), healthy, lasts)[0] is None
    assert (
        told(alert_set("workbook"), outage(healthy, lasts, 10, Fraction(601, 100_000)), healthy, lasts)[0] is not None
    )
