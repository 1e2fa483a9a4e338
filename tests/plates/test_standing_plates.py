"""Tables of where a service stands: each leads with its finding, and what is unknown is never shown as good."""

from dataclasses import dataclass

import numpy as np

from relkit.plates.standing import breakers_table, rates_table, rollouts_table, strategies_table
from relkit.slo import Latency, Totals, latency_of

NOW_US = 1_795_392_000_000_000
HOUR_US = 3_600_000_000


@dataclass
class Breaker:
    service: str
    model: str
    state: str
    since_us: int
    opened: int | None


@dataclass
class Window:
    name: str
    service: str | None
    totals: Totals
    latency: Latency
    error_rate: float | None


@dataclass
class Strategy:
    name: str
    requests: int
    attempts: int | None
    retries: int | None
    recovered: int
    given_up: int
    budget_left: int | None


@dataclass
class Shadow:
    experiment: str
    mirrored: int
    answered: int
    compared: int
    shadow_ok: int
    shadow_failed: int
    differs: int
    alike: int
    state: str
    share: float | None
    since_us: int | None


def test_breakers_that_hold_calls_back_come_first_and_are_named() -> None:
    calm = Breaker("a", "", "closed", NOW_US - 50 * HOUR_US, 0)
    tripped = Breaker("z", "large", "half_open", NOW_US - HOUR_US, None)
    shown = breakers_table([calm, tripped], NOW_US)
    assert shown.caption == "1 of 2 breakers holds calls back: z/large is half open for 60 min."
    assert [row[0] for row in shown.rows] == ["z/large", "a"]
    assert shown.rows[0][-1] == "unknown"
    assert breakers_table([calm], NOW_US).caption == "1 breaker; none holds calls back."
    assert "unknown" in breakers_table([], NOW_US).caption


def test_error_rates_stand_beside_their_counts() -> None:
    some = latency_of(np.arange(1, 101) * 10_000)
    none = Latency(0, None, None, None)
    shown = rates_table(
        [
            Window("5m", None, Totals(0, 0, 3, 0), none, None),
            Window("24h", None, Totals(95, 5, 0, 0), some, 0.05),
            Window("5m", "chat", Totals(0, 0, 3, 0), none, None),
            Window("24h", "chat", Totals(95, 5, 0, 0), some, 0.05),
            Window("24h", "", Totals(1, 0, 0, 0), none, 0.0),
        ]
    )
    assert shown.caption == "Requests that failed: unknown in 5m; 5.00 % of 100 in 24h."
    assert [row[:2] for row in shown.rows] == [
        ("all", "5m"),
        ("all", "24h"),
        ("chat", "24h"),
        ("no service named", "24h"),
    ]
    assert shown.rows[0][4:] == ("unknown",) * 4
    assert rates_table([]).caption == "Nothing is known of any request."


def test_strategies_add_up() -> None:
    shown = strategies_table([Strategy("transient", 10, 14, 4, 3, 1, 7), Strategy("", 90, None, None, 0, 2, None)])
    assert shown.caption == "4 retries in 24 hours brought 3 requests through; 3 requests failed in the end."
    assert shown.rows[1] == ("none named", "90", "unknown", "unknown", "0", "2", "unknown")
    assert strategies_table([]).caption == "No request ended in these 24 hours."


def test_rollouts_come_before_experiments_without_one() -> None:
    plain = Shadow("a", 5, 0, 95, 0, 0, 0, 0, "", None, None)
    running = Shadow("new", 0, 0, 60, 54, 6, 12, 48, "rolled_back", 0.0, NOW_US)
    shown = rollouts_table([plain, running])
    assert shown.caption == "1 rollout: new is rolled back at 0 % of the traffic."
    assert shown.rows[0] == ("new", "rolled back", "0 %", "Mon 2026-11-23 00:00", "60", "10.00 %", "20.00 %")
    assert shown.rows[1] == ("a", "none", "none", "none", "100", "unknown", "unknown")
    assert rollouts_table([plain]).caption == "1 shadow experiment, none with a rollout."
    assert rollouts_table([]).caption == "No shadow experiment has pairs."
