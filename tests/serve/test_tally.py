"""The tally: what is kept between questions tells the same as counting the whole log anew, as the report does."""

from served import NOW_US, Log, many_calls

from relkit.config import load_config
from relkit.errors import GOOD_KINDS
from relkit.period import Period
from relkit.serve.figures import WINDOWS_US
from relkit.serve.snapshot import Snapshot
from relkit.serve.tally import ALL_REQUESTS, Tally
from relkit.slo import error_budget, leave_out, window_of
from relkit.store import open_store, readings
from relkit.store.forget import forget_source
from relkit.units import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND

CONFIG = load_config(None)


def check(log: Log, snapshot: Snapshot) -> None:
    """Compare a snapshot with the report's own readings, which know nothing of it."""
    at_us = snapshot.at_us
    whole = at_us // US_PER_MINUTE * US_PER_MINUTE  # budgets are counted in whole minutes
    with open_store(log.path) as store:
        for goal in snapshot.goals:
            period = window_of(Period("", at_us, at_us), goal.objective)
            assert period.start_us is not None
            asked = Period("", period.start_us // US_PER_MINUTE * US_PER_MINUTE, whole)
            told = readings.minutes(store, asked, goal.objective, GOOD_KINDS)
            budget = error_budget(goal.objective, leave_out(told, readings.exclusions(store, asked)))
            assert (goal.budget.valid, goal.budget.bad, goal.budget.excluded) == (
                budget.valid,
                budget.bad,
                budget.excluded,
            )
        for name, width_us in WINDOWS_US.items():
            period = Period("", at_us - width_us, at_us)
            groups = readings.groups(store, period, ALL_REQUESTS, "service", GOOD_KINDS)
            mine = [one for one in snapshot.windows if one.name == name]
            assert {one.service: one.totals for one in mine[1:]} == {group.name: group.totals for group in groups}
            assert mine[0].latency == readings.latencies(store, period).identified()
            for one in mine[1:]:
                assert one.latency == readings.latencies(store, period, one.service).identified()


def test_a_log_that_grows_is_counted_as_if_it_were_read_whole(log: Log) -> None:
    rows = many_calls(1, 500, NOW_US - 5 * US_PER_DAY, NOW_US)
    tally = Tally(log.path, CONFIG)
    check(log, tally.snapshot(NOW_US - 5 * US_PER_DAY, NOW_US - 5 * US_PER_DAY))  # of nothing yet
    for place, upto in enumerate((0.2, 0.5, 0.9, 0.97, 1.0)):
        first = 0 if not place else int(len(rows) * (0.2, 0.5, 0.9, 0.97)[place - 1])
        part = rows[first : int(len(rows) * upto)]
        log.calls(part)
        now_us = part[-1][2] + 5 * US_PER_SECOND
        check(log, tally.snapshot(now_us, now_us))


def test_a_retry_that_comes_later_takes_the_failure_back(log: Log) -> None:
    tally, start = Tally(log.path, CONFIG), NOW_US - 90 * US_PER_MINUTE
    log.calls(
        [("r", 1, start, 1_000, False, "chat", "transient", 9), ("other", 1, start, 1_000, True, "chat", None, 9)]
    )
    before = tally.snapshot(start + US_PER_MINUTE, start + US_PER_MINUTE)
    assert before.windows[0].totals.bad == 1
    log.calls([("r", 2, NOW_US - US_PER_MINUTE, 1_000, True, "chat", None, 8)])
    after = tally.snapshot(NOW_US, NOW_US)
    day = next(one for one in after.windows if one.name == "24h")
    assert (day.totals.bad, day.totals.good) == (0, 2)
    assert after.goals[0].budget.bad == 0
    assert [(one.name, one.recovered, one.given_up) for one in after.strategies if one.name] == [("transient", 1, 0)]
    check(log, after)


def test_old_rows_that_come_late_and_rows_taken_away_are_seen(log: Log) -> None:
    tally = Tally(log.path, CONFIG)
    log.calls(many_calls(3, 100, NOW_US - US_PER_DAY, NOW_US))
    check(log, tally.snapshot(NOW_US, NOW_US))
    log.calls(many_calls(4, 100, NOW_US - 20 * US_PER_DAY, NOW_US - 10 * US_PER_DAY))
    now_us = NOW_US + US_PER_SECOND
    check(log, tally.snapshot(now_us, now_us))
    with open_store(log.path, write=True) as store:
        forget_source(store, "web")
    log.calls(many_calls(5, 150, NOW_US - 3 * US_PER_DAY, NOW_US))
    now_us += US_PER_SECOND
    check(log, tally.snapshot(now_us, now_us))


def test_any_moment_is_answered_whatever_was_asked_before(known: Log) -> None:
    tally = Tally(known.path, CONFIG)
    moments = [
        NOW_US,
        NOW_US - 3 * US_PER_DAY - 12_345_678,
        NOW_US + US_PER_HOUR,
        NOW_US - 7 * US_PER_DAY,
        0,
        NOW_US * 2,
    ]
    asked = [tally.snapshot(at_us, NOW_US) for at_us in moments]
    for snapshot in asked:
        check(known, snapshot)
    for at_us, snapshot in zip(moments, asked, strict=True):
        assert Tally(known.path, CONFIG).snapshot(at_us, NOW_US).record() == snapshot.record()


def test_a_moment_is_told_from_what_came_before_it(known: Log) -> None:
    snapshot = Tally(known.path, CONFIG).snapshot(NOW_US - 29 * US_PER_HOUR + 1, NOW_US)
    assert [(one.model, one.state) for one in snapshot.breakers] == [("large", "half_open"), ("small", "closed")]
    assert snapshot.breakers[0].opened == 1
    assert snapshot.last_row_us is not None
    assert snapshot.last_row_us < snapshot.at_us
    assert (snapshot.shadow[0].state, snapshot.shadow[0].compared) == ("", 32)
    assert not snapshot.probes
