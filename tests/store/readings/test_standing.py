"""Where things stand at a moment: the last word before it counts, and nothing after it; requests of a stretch, and what is new."""

import pytest
from workshop import Workshop

from relkit.batch import Batch
from relkit.errors import GOOD_KINDS
from relkit.slo import Objective
from relkit.store import readings, sink_into
from relkit.store.forget import forget_source
from relkit.store.readings.ended import NOBODY, VERDICTS, ended_requests, first_changed_us, mark_of
from relkit.store.readings.folded import SPREAD_US, requests_between
from relkit.store.readings.standing import (
    breaker_standings,
    budgets_left,
    first_row_us,
    last_row_us,
    probe_standings,
    rows_by_minute,
    shadow_standings,
)
from relkit.store.rollouts import RolloutRow, append_rollout
from relkit.units import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE

T = 1_795_392_000_000_000
GOAL = Objective("all", "0.999")


def add(workshop: Workshop, table: str, source: str = "web", **columns: list[object]) -> None:
    with sink_into(workshop.store, source, source) as sink:
        sink(Batch(table, columns))


def tries(workshop: Workshop, *rows: tuple[str, int, int, bool | None], source: str = "web") -> None:
    """Add tries of 1 s: request, number, start, whether it succeeded."""
    names, numbers, starts, oks = zip(*rows, strict=True)
    add(
        workshop, "attempts", source, request_id=list(names), attempt=list(numbers), ts=list(starts), latency_us=[1_000_000] * len(rows),
        ok=list(oks), granularity=["attempt"] * len(rows), service=["chat"] * len(rows),
        strategy=[None if ok else "transient" for ok in oks], budget_left=list(range(len(rows))),
    )  # fmt: skip


def test_the_last_transition_before_the_moment_tells_a_breakers_state(workshop: Workshop) -> None:
    for at_us, model, after in (
        (T - 30, None, "open"),
        (T - 20, None, "half_open"),
        (T - 20, None, "closed"),
        (T, None, "open"),
        (T - 2 * US_PER_DAY, "m", "open"),
    ):
        workshop.store.connection.execute(
            "INSERT INTO transitions (ts, service, model, from_state, to_state, reason) VALUES (?, 's', ?, 'x', ?, '')",
            [at_us, model, after],
        )
    told = [(one.model, one.state, one.since_us - T, one.opened) for one in breaker_standings(workshop.store, T)]
    assert told == [("", "closed", -20, 1), ("m", "open", -2 * US_PER_DAY, 0)]
    assert breaker_standings(workshop.store, T + 1)[0].opened == 2


def test_pairs_and_ledger_of_an_experiment_meet_in_one_row(workshop: Workshop) -> None:
    add(
        workshop, "pairs", pair_id=["a", "b", "c", "d"], ts=[T - 2, T - 1, T, None], experiment=["x"] * 4,
        state=["compared", "mirrored", "compared", "compared"],
        shadow_ok=[True, None, True, False], differs=[True, None, True, False],
    )  # fmt: skip
    append_rollout(workshop.store, "x", RolloutRow(T - 5, "running", 0, 0.1, ""))
    append_rollout(workshop.store, "x", RolloutRow(T, "rolled_back", 0, 0.0, ""))
    append_rollout(workshop.store, "y", RolloutRow(T - 1, "held", 1, 0.5, ""))
    x, y = shadow_standings(workshop.store, T)
    assert (x.mirrored, x.compared, x.shadow_ok, x.shadow_failed, x.differs, x.alike) == (1, 2, 1, 1, 1, 1)
    assert (x.state, x.step, x.share, x.since_us) == ("running", 0, 0.1, T - 5)
    assert (y.compared, y.state, y.share) == (0, "held", 0.5)


def test_probes_rows_and_budgets_of_the_moment(workshop: Workshop) -> None:
    assert (first_row_us(workshop.store), last_row_us(workshop.store, T)) == (None, None)
    add(workshop, "probes", ts=[T - US_PER_DAY - 1, T - 5, T], service=["old", "chat", "chat"], up=[True, False, True])
    assert [(one.service, one.up) for one in probe_standings(workshop.store, T)] == [("chat", False)]
    tries(workshop, ("a", 1, T - US_PER_HOUR, False), ("a", 2, T - US_PER_HOUR + 5, True), ("b", 1, T, True))
    assert first_row_us(workshop.store) == T - US_PER_HOUR
    assert last_row_us(workshop.store, T) == T - 5
    assert last_row_us(workshop.store, T - 2 * US_PER_HOUR) == T - US_PER_DAY - 1
    assert budgets_left(workshop.store, T - US_PER_DAY, T) == {
        ("", "chat"): (T - US_PER_HOUR + 5, 1), ("transient", "chat"): (T - US_PER_HOUR, 0),
    }  # fmt: skip
    assert rows_by_minute(workshop.store, T - US_PER_MINUTE, T + US_PER_MINUTE) == ([T // US_PER_MINUTE], [1])


def test_requests_of_a_stretch_are_those_that_end_in_it_and_everything_comes_back_after_it(workshop: Workshop) -> None:
    tries(
        workshop, ("before", 1, T - 5_000_000, True), ("over", 1, T - 2_000_000, False), ("over", 2, T, True), ("in", 1, T, None),
        ("late", 1, T + 1_000_000, False), ("late", 2, T + 60_000_000, True),
    )  # fmt: skip
    with requests_between(workshop.store, T, T + 10_000_000):
        found = ended_requests(workshop.store, GOAL, GOOD_KINDS)
    assert found.end_us.tolist() == [T + 1_000_000] * 2
    assert sorted(zip(found.latency_us.tolist(), [VERDICTS[place] for place in found.verdict], found.tries.tolist(), strict=True)) == [
        (1_000_000, "unknown", 1), (3_000_000, "good", 2),
    ]  # fmt: skip
    assert [found.strategies[place] for place in found.strategy[found.tries == 2]] == ["transient"]
    both = NOBODY.then(found).then(found)
    assert (len(both), both.services, len(both.between(T, T + 1_000_000))) == (4, ("chat",), 0)
    assert readings.latencies(workshop.store, readings.log.Period("all", None, None)).n == 4  # the whole log again


@pytest.mark.parametrize("apart_us", [US_PER_MINUTE, SPREAD_US - 1])
def test_what_may_count_otherwise_begins_with_the_first_try_of_a_retried_request(
    workshop: Workshop, apart_us: int
) -> None:
    tries(workshop, ("a", 1, T, False), ("b", 1, T - 99 * US_PER_DAY, True))
    mark = mark_of(workshop.store)
    assert first_changed_us(workshop.store, mark) is None
    tries(workshop, ("c", 1, T + apart_us + 9, True), source="more")
    assert first_changed_us(workshop.store, mark) == T + apart_us + 9
    tries(workshop, ("a", 2, T + apart_us, True))
    assert first_changed_us(workshop.store, mark) == T
    mark = mark_of(workshop.store)
    forget_source(workshop.store, "more")
    assert first_changed_us(workshop.store, mark) == 0
