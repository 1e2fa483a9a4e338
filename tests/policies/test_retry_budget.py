"""Budgets: what each family earns, what a retry costs, and what no traffic can make it exceed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import ParameterError
from relkit.policies.failure import KIND_RATE_LIMIT, KIND_TIMEOUT
from relkit.policies.retry_budget import (
    AWS,
    BUDGETS,
    ENVOY,
    FINAGLE,
    GRPC,
    NO_BUDGET,
    PER_REQUEST,
    PER_SUCCESS,
    REFUSED,
    SLOTS,
    UNLIMITED,
    RetryBudgetSettings,
    RetryBudgetState,
    balance,
    charge,
    deposit,
    earn,
    fill,
    refuse_unbudgeted,
    release,
    withdraw,
)
from relkit.policies.retry_settings import Retry, RetrySettings

SERVER = 11


class Purse:
    """A store of retries, with the state it needs."""

    def __init__(self, cfg, now_s=0.0):
        self.cfg, self.state, self.window = cfg, RetryBudgetState(), [0] * SLOTS
        fill(self.state, self.window, cfg, now_s)

    def deposit(self, now_s=0.0):
        deposit(self.state, self.window, self.cfg, now_s)

    def withdraw(self, now_s=0.0, kind=SERVER):
        return withdraw(self.state, self.window, self.cfg, now_s, kind)

    def charge(self):
        charge(self.state, self.cfg)

    def earn(self, paid=0.0, *, succeeded=True):
        earn(self.state, self.cfg, succeeded, paid)

    def release(self):
        release(self.state, self.cfg)

    def left(self):
        return balance(self.state, self.window, self.cfg)


def granted(purse, most=10_000, kind=SERVER, now_s=0.0):
    """How many retries in a row a budget pays for."""
    for number in range(most):
        if purse.withdraw(now_s, kind) == REFUSED:
            return number
    return most


def test_without_a_budget_every_retry_is_granted():
    assert granted(Purse(UNLIMITED)) == 10_000


def test_ten_successes_of_a_tenth_are_one_retry_exactly():
    """Ten times 0.1 is 0.9999999999999999 in doubles, and would be refused."""
    purse = Purse(RetryBudgetSettings(PER_SUCCESS, capacity=5.0, earn=0.1))
    assert granted(purse) == 5
    for _ in range(9):
        purse.earn()
    assert purse.withdraw() == REFUSED
    purse.earn()
    assert purse.withdraw() == 1.0


def test_a_failed_request_earns_nothing_and_a_full_store_takes_no_more():
    purse = Purse(RetryBudgetSettings(PER_SUCCESS, capacity=2.0, earn=1.0))
    purse.earn()
    assert purse.left() == 2.0
    purse.withdraw()
    purse.earn(succeeded=False)
    assert purse.left() == 1.0


def test_a_store_fed_by_requests_is_fed_whatever_becomes_of_them():
    purse = Purse(RetryBudgetSettings(PER_REQUEST, capacity=1.0, earn=0.25))
    assert granted(purse) == 1
    for _ in range(4):
        purse.deposit()
        purse.earn(succeeded=False)
    assert granted(purse) == 1


def test_the_price_depends_on_the_kind_of_error():
    cfg = RetryBudgetSettings(AWS, capacity=100.0, earn=1.0, cost=14.0, timeout_cost=10.0, rate_limit_cost=5.0)
    assert [Purse(cfg).withdraw(kind=kind) for kind in (SERVER, KIND_TIMEOUT, KIND_RATE_LIMIT)] == [14.0, 10.0, 5.0]


def test_a_refused_retry_costs_nothing():
    purse = Purse(RetryBudgetSettings(AWS, capacity=14.0, earn=1.0, cost=14.0, timeout_cost=5.0, rate_limit_cost=5.0))
    purse.withdraw(kind=KIND_TIMEOUT)
    before = purse.left()
    assert purse.withdraw() == REFUSED
    assert purse.left() == before


def test_a_slot_of_the_window_begins_at_an_event_and_lives_its_time():
    """WindowedAdder of twitter/util: the slot of 1 s that began at 0.5 s is turned at 1.5 s, not at 1 s."""
    purse = Purse(RetryBudgetSettings(FINAGLE, retry_share=1.0, reserve_per_s=0, deposit_s=10.0), now_s=0.5)
    purse.deposit(1.4)
    purse.deposit(1.5)
    assert purse.left() == 2.0
    assert purse.withdraw(10.49) == 1.0
    assert purse.withdraw(10.49) == 1.0
    assert purse.withdraw(10.49) == REFUSED


@pytest.mark.parametrize(("looks", "left"), [((9.9,), 0), ((10.0,), 10), ((9.9, 10.0), 0), ((9.9, 10.9), 10)])
def test_withdrawals_expire_with_their_slot(looks, left):
    """A look at 9.9 s begins a slot of its own, so that the first slot is turned out at 10.9 s and not at 10 s."""
    purse = Purse(RetryBudgetSettings(FINAGLE, retry_share=0.2, reserve_per_s=1, deposit_s=10.0))
    assert granted(purse) == 10
    assert [granted(purse, now_s=now_s) for now_s in looks][-1] == left


def test_a_pause_longer_than_the_window_forgets_everything():
    purse = Purse(RetryBudgetSettings(FINAGLE, retry_share=0.2, reserve_per_s=0, deposit_s=10.0))
    for _ in range(50):
        purse.deposit(3.0)
    assert granted(purse, now_s=100.0) == 0


def test_retries_in_flight_are_a_share_of_active_requests_and_at_least_the_minimum():
    purse = Purse(RetryBudgetSettings(ENVOY, retry_share=0.2, least_retries=3))
    for _ in range(10):
        purse.deposit()
    assert granted(purse) == 3
    for _ in range(15):
        purse.deposit()
    assert granted(purse) == 2, "25 active: 5 in all"
    purse.release()
    assert granted(purse) == 1
    for _ in range(25):
        purse.earn()
    assert purse.withdraw() == REFUSED


@pytest.mark.parametrize(
    ("settings", "name", "remedy"),
    [
        ({"budget_family": 9}, "budget_family = 9", "one of these numbers"),
        ({"capacity": -1.0}, "capacity = -1.0", "give tokens"),
        ({"earn": 0.0001}, "earn = 0.0001", "thousandths"),
        ({"cost": 0.0}, "cost = 0.0", "no budget"),
        ({"capacity": 3.0, "cost": 5.0}, "capacity = 3.0", "can never be paid for"),
        ({"capacity": 9.0, "timeout_cost": 10.0}, "capacity = 9.0", "at least the dearest retry, 10"),
        ({"budget_family": FINAGLE, "deposit_s": 0.5}, "deposit_s = 0.5", "the default is 10"),
        ({"budget_family": FINAGLE, "deposit_s": 61.0}, "deposit_s = 61.0", "the default is 10"),
        ({"budget_family": ENVOY, "retry_share": 1.5}, "retry_share = 1.5", "such as 0.2"),
        ({"budget_family": FINAGLE, "retry_share": 0.0}, "retry_share = 0.0", "such as 0.2"),
    ],
)
def test_a_budget_that_cannot_work_is_refused(settings, name, remedy):
    with pytest.raises(ParameterError) as refused:
        RetryBudgetSettings(**settings)
    assert str(refused.value).startswith(name)
    assert remedy in str(refused.value)


def test_retries_that_need_a_budget_are_refused_without_one():
    needy = Retry.of(RetrySettings(needs_budget=True))
    with pytest.raises(ParameterError, match=r"retry_budget = 'no_budget' is not acceptable: .*; name a retry_budget"):
        refuse_unbudgeted(needy, UNLIMITED)
    refuse_unbudgeted(needy, RetryBudgetSettings())
    refuse_unbudgeted(Retry.of(RetrySettings()), UNLIMITED)


def test_words_and_numbers_change_a_budget_alike():
    assert RetryBudgetSettings().changed(budget_family="finagle") == RetryBudgetSettings().changed(
        budget_family=FINAGLE
    )
    with pytest.raises(ParameterError, match="no_budget, per_success"):
        RetryBudgetSettings().changed(budget_family="purse")
    with pytest.raises(ParameterError, match="capacity"):
        RetryBudgetSettings().changed(tokens=3.0)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "withdraw", "charge", "earn", "fail"]), st.sampled_from([0.0, 0.4, 1.0, 25.0])
    ),
    max_size=200,
)


@given(family=st.sampled_from([PER_SUCCESS, PER_REQUEST, GRPC, AWS]), events=EVENTS)
def test_no_order_of_events_takes_a_balance_below_zero_or_beyond_its_capacity(family, events):
    purse, paid = Purse(RetryBudgetSettings(family, capacity=7.0, earn=0.5, cost=1.0, timeout_cost=3.0)), 0.0
    for number, (event, _) in enumerate(events):
        if event == "deposit":
            purse.deposit()
        elif event == "charge":
            purse.charge()
        elif event == "withdraw":
            paid = max(purse.withdraw(kind=1 + number % 5), 0.0)
        else:
            purse.earn(paid, succeeded=event == "earn")
            paid = 0.0
        assert 0 <= purse.state.thousandths <= 7000


@given(events=EVENTS)
def test_finagle_never_spends_more_in_a_window_than_its_deposits_and_reserve(events):
    cfg = RetryBudgetSettings(FINAGLE, retry_share=0.5, reserve_per_s=1, deposit_s=10.0)
    purse, now_s, deposits, spent = Purse(cfg), 0.0, [], []
    for event, gap_s in events:
        now_s += gap_s
        if event == "deposit":
            purse.deposit(now_s)
            deposits.append(now_s)
        elif purse.withdraw(now_s) != REFUSED:
            spent.append(now_s)
            # A slot begins at an event and is turned at the first event 1 s later or more: it lives 9 to 20 s.
            paid_in = sum(at_s > now_s - 20.0 for at_s in deposits)
            recent = sum(at_s > now_s - 9.0 for at_s in spent)
            assert recent <= 10 + 0.5 * paid_in


@pytest.mark.parametrize("family", range(len(BUDGETS)))
@pytest.mark.parametrize("seed", range(10))
def test_in_an_outage_no_budget_pays_beyond_its_rule(family, seed):
    """5,000 requests, all failing, up to 5 retries each: the exact bound of each family."""
    rng = random.Random(seed)
    purse, now_s, sent = (
        Purse(RetryBudgetSettings(family, capacity=10.0, earn=0.1, retry_share=0.2, reserve_per_s=0)),
        0.0,
        0,
    )
    for _ in range(5000):
        now_s += rng.random() * 0.02
        purse.deposit(now_s)
        for _ in range(5):
            purse.charge()
            if purse.withdraw(now_s) == REFUSED:
                break
            sent += 1
            purse.release()
        purse.earn(succeeded=False)
    bound = {NO_BUDGET: 25_000, PER_SUCCESS: 10, PER_REQUEST: 510, FINAGLE: 1000, GRPC: 4, AWS: 10, ENVOY: 25_000}
    assert sent <= bound[family]
    assert sent >= bound[family] * (0.98 if family != FINAGLE else 0.9)
