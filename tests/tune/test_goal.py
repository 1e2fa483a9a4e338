"""A goal says in words what is wanted; what cannot be read is refused with what can."""

import pytest

from relkit.exceptions import ParameterError
from relkit.tune.goal import Goal, Limit, said


def test_the_sentence_of_the_page_is_read() -> None:
    goal = Goal.parse("Cheapest with success >= 98 % and p95 <= 2 s in every scenario.")
    assert goal == Goal("usd_per_answer", (Limit("success", 0.98, at_least=True), Limit("p95_s", 2.0, at_least=False)))


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("fastest with success at least 99.9% in healthy, gray", Limit("success", 0.999, True, ("healthy", "gray"))),
        ("cheapest with p99 ≤ 1500 ms", Limit("p99_s", 1.5, False)),
        ("most successful with cost at most $0.0002", Limit("usd_per_answer", 0.0002, False)),
        ("lowest amplification with recovery <= 2 min in every scenario", Limit("recovery_s", 120.0, False)),
        ("highest success with wasted calls <= 3 per 1k", Limit("wasted_per_1k", 3.0, False)),
        ("quickest to detect with budget spent <= 10 %", Limit("budget_spent_share", 0.1, False)),
    ],
)
def test_limits_have_measures_units_and_places(text: str, limit: Limit) -> None:
    goal = Goal.parse(text)
    assert goal.limits == (limit,)
    assert Goal.parse(str(goal)).best_in == goal.best_in


def test_a_place_holds_for_the_limits_before_it() -> None:
    goal = Goal.parse("cheapest with p95 <= 2 s in healthy and success >= 98 % and p50 <= 1 s in outage")
    assert [limit.scenarios for limit in goal.limits] == [("healthy",), ("outage",), ("outage",)]


@pytest.mark.parametrize(
    ("text", "said_there"),
    [
        ("best", "cheapest"),
        ("cheapest with joy >= 3", "success, p50"),
        ("cheapest with p95 <= 2 %", "s or ms or min"),
        ("cheapest with success <= 98 %", "turn the comparison round"),
        ("cheapest with success >= 980 %", "up to 100 %"),
        ("cheapest with success about 98 %", "a number with its unit"),
        ("lowest success", "highest success"),
        ("", "write e.g."),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, said_there: str) -> None:
    with pytest.raises(ParameterError, match=said_there):
        Goal.parse(text)


def test_values_are_said_as_people_read_them() -> None:
    assert [said("success", share) for share in (0.98, 0.9991, 0.5)] == ["98 %", "99.91 %", "50 %"]
