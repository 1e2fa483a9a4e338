"""A choice keeps its limits, says how sure it is, and is refused where it has nothing to stand on."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from relkit.batch import Batch
from relkit.exceptions import ParameterError
from relkit.policies.policy import Policy
from relkit.policies.presets import changed
from relkit.simulation.scenario import Scenario
from relkit.tune import Goal, Limit, Space, Sweep
from relkit.tune.choice import Choice
from relkit.tune.choose import choose
from relkit.tune.judge import Judge, regret
from relkit.tune.sweep import sweep

GOAL = "cheapest with success >= 96 % in every scenario"


@pytest.fixture(scope="module")
def choice(found: Sweep, today: Policy) -> Choice:
    return choose(found, GOAL, today, logged_requests=5_000, requests_a_month=1e6, workers=1, evaluations=64)


def test_the_choice_keeps_its_limits_on_seeds_it_was_not_chosen_by(choice: Choice, suite: tuple[Scenario, ...]) -> None:
    assert choice.is_recommended
    again = sweep([choice.policy], suite, range(5000, 5010), workers=1)
    assert again.of("success").mean(axis=2).min() > 0.955
    assert choice.p_keeps is not None
    assert choice.p_keeps >= 0.95
    assert 0.0 <= choice.p_best <= choice.p_good <= 1.0  # type: ignore[operator]


def test_the_gain_is_what_a_direct_comparison_shows(choice: Choice, today: Policy, suite: tuple[Scenario, ...]) -> None:
    """On 20 other seeds, within a tenth; by the median, since one run in twenty has an opening for nothing."""
    assert choice.gain is not None
    again = sweep([choice.policy, today], suite, range(9000, 9020), workers=1)
    price = again.of("usd_per_answer").mean(axis=1)
    assert float(np.median(price[1] - price[0])) == pytest.approx(choice.gain.value, rel=0.1)
    assert choice.gain.usd_a_month is not None
    assert choice.verdict.sentence.startswith("Set ")
    for word in ("cost better by", "the month's bill falls by $", "% sure that none of"):
        assert word in choice.verdict.sentence


def test_contradicting_limits_say_what_to_relax_and_relaxing_it_helps(found: Sweep, today: Policy) -> None:
    """Only who never tries twice wastes fewer than 15 calls, and he loses too many answers."""
    asked = Goal.parse("cheapest with success >= 99.9 % and wasted calls <= 15")
    refused = choose(found, asked, today, workers=1)
    assert refused.verdict.code == "REFUSED"
    assert refused.verdict.would_change.startswith("Relax success >= 99.9 % to 99.")
    assert " or wasted calls <= 15 to " in refused.verdict.would_change
    assert len(refused.relaxations) == 2
    for given_way in refused.relaxations:
        limits = tuple(replace(one, value=given_way.to) if one == given_way.limit else one for one in asked.limits)
        assert choose(found, replace(asked, limits=limits), today, workers=1).is_recommended


def test_where_no_limit_alone_is_enough_all_are_told_together(found: Sweep, today: Policy) -> None:
    refused = choose(found, "cheapest with success >= 99.999 % and p50 <= 100 ms", today, workers=1)
    assert len(refused.relaxations) == 2
    assert " and p50 <= 100 ms to " in refused.verdict.would_change


@dataclass
class Calibrated:
    is_trusted: bool
    stamp: str = "The bursts of the log are longer than those of the model."


def test_nothing_is_recommended_without_ground(found: Sweep, today: Policy) -> None:
    short = choose(found, GOAL, today, logged_requests=400, workers=1)
    assert short.verdict.code == "REFUSED"
    assert "the log has 400 requests, and 1\u202f000 is the least" in short.verdict.sentence
    assert short.policy_hash == today.hash
    wrong = choose(found, GOAL, today, logged_requests=5_000, calibration=Calibrated(is_trusted=False), workers=1)
    assert "does not look like the log" in wrong.verdict.sentence
    assert wrong.verdict.why_not == Calibrated.stamp


def test_a_limit_at_the_edge_is_not_recommended(today: Policy, suite: tuple[Scenario, ...]) -> None:
    """The limit is the true mean (of 60 seeds): half of what may be lies beyond it, wherever the sweep saw it."""
    long = sweep([today], suite[:1], range(1000, 1060), workers=1)
    limit = float(long.of("p95_s").mean())
    few = next(
        its
        for its in (sweep([today], suite[:1], range(start, start + 3), workers=1) for start in range(1, 50, 3))
        if its.of("p95_s").mean() <= limit
    )
    refused = choose(few, Goal("usd_per_answer", (Limit("p95_s", limit, at_least=False),)), today, workers=1)
    assert refused.verdict.code == "REFUSED"
    assert "with a probability of only" in refused.verdict.sentence
    assert "leaves more room" in refused.verdict.would_change


def test_who_surely_keeps_the_limits_goes_before_who_is_at_their_edge(found: Sweep, today: Policy) -> None:
    """The limit is the true mean (of 60 seeds) of the least wasteful but one that tries once: others keep it surely."""
    edge = found.candidates[found.place_of("#15")]
    long = sweep([edge], found.scenarios, range(2000, 2060), workers=1)
    limit = Limit("success", float(long.of("success").mean(axis=2).min()), at_least=True)
    choice = choose(found, Goal("wasted_per_1k", (limit,)), today, workers=1, evaluations=64)
    assert choice.is_recommended
    assert choice.p_keeps is not None
    assert choice.p_keeps >= 0.95
    assert choice.policy_hash != edge.policy.hash


def test_settings_of_today_that_cannot_run_are_named(found: Sweep) -> None:
    with pytest.raises(ParameterError, match=r"today cannot run in the suite of sweep: .*fallback"):
        choose(found, GOAL, changed_chain(), workers=1, evaluations=64)


def changed_chain() -> Policy:
    from relkit.policies.fallback import FallbackModel, FallbackSettings  # noqa: PLC0415

    chain = FallbackSettings((FallbackModel("elsewhere", "x", 8192),), uses_budget=False)
    return Policy("other", "2026-11", "test", fallback=chain)


def test_who_is_best_already_stays(found: Sweep, choice: Choice) -> None:
    again = choose(found, GOAL, choice.policy, logged_requests=5_000, workers=1, evaluations=64)
    assert again.policy_hash == choice.policy_hash
    assert again.verdict.sentence.startswith("Keep today's settings")
    assert again.changes == ()


def test_others_are_recommended_only_where_the_gain_over_today_is_sure(found: Sweep) -> None:
    """Each of some candidates is today's setting once: it is kept, or the interval of the gain lies above 0."""
    said = []
    for each in found.candidates[::6]:
        choice = choose(
            found, GOAL, each.policy, logged_requests=5_000, requests_a_month=1e6, workers=1, evaluations=64
        )
        gain = choice.gain
        assert gain is not None
        if choice.changes:
            sure = choice.verdict.value is not None and choice.verdict.low is not None and choice.verdict.low > 0.0
            assert sure or "do not surely keep the limits" in choice.verdict.sentence
            assert gain.low == choice.verdict.low
        else:
            assert choice.verdict.sentence.startswith("Keep today's settings: ")
            assert choice.policy_hash == each.policy.hash
            assert (gain.value, choice.verdict.value) == (0.0, None)
        said.append(bool(choice.changes))
    assert any(said)


def test_where_all_are_alike_todays_settings_stay_though_they_come_last(today: Policy, chat: Scenario) -> None:
    """Nothing fails: whatever the open time is, nothing ever opens, and no setting is better than another."""
    calm = replace(chat, models=tuple(replace(each, errors=()) for each in chat.models), requests=400)
    alike = [changed(today, open_s=float(number)) for number in range(5, 12)]
    named = [replace(each, name=f"open {number}") for number, each in enumerate(alike)]
    few = sweep(named, [calm], 2, workers=1)
    choice = choose(few, "fastest", named[-1], workers=1, evaluations=40)
    assert choice.policy_hash == named[-1].hash
    assert choice.changes == ()
    assert choice.verdict.sentence.startswith("Keep today's settings")


def test_settings_that_were_not_swept_are_among_the_last_and_may_stay(found: Sweep, choice: Choice) -> None:
    """Hardly other than the best: they stay. Where something else speaks against them, they may not."""
    near = changed(choice.policy, open_s=choice.policy.breaker.open_s * 1.001)  # type: ignore[union-attr]
    stays = choose(found, GOAL, near, logged_requests=5_000, workers=1, evaluations=64)
    assert (stays.policy_hash, stays.name, stays.regret) == (near.hash, "today", ())
    leaves = choose(found, GOAL, near, logged_requests=5_000, workers=1, evaluations=64, may_stay=False)
    assert leaves.policy_hash != near.hash
    assert "The gain itself cannot be told from none." in leaves.verdict.why_not


def test_regret_is_the_distance_to_the_best_of_each_scenario(found: Sweep, choice: Choice) -> None:
    its = regret(found, "success")
    assert (its.min(axis=0) == 0.0).all()
    means = found.of("success").mean(axis=2)
    assert its == pytest.approx(means.max(axis=0) - means)
    assert choice.worst_regret is not None
    assert choice.worst_regret[1] == max(loss for _, loss in choice.regret)


def test_weights_decide_what_the_average_is(found: Sweep) -> None:
    goal = Goal("success")
    means = Judge.of(found, goal).values(found).mean(axis=1)
    alike, outage = (Judge.of(found, goal, weights).best_in(means) for weights in (None, {"outage": 2.0}))
    assert alike == pytest.approx(found.of("success").mean(axis=(1, 2)))
    assert outage == pytest.approx(found.of("success")[:, 1].mean(axis=1))


def test_the_row_of_a_choice_has_the_time_in_utc(choice: Choice) -> None:
    batch = choice.batch(datetime(2026, 11, 25, 1, tzinfo=UTC))
    assert isinstance(batch, Batch)
    assert batch.columns["ts"] == [int(datetime(2026, 11, 25, 1, tzinfo=UTC).timestamp()) * 1_000_000]
    with pytest.raises(ParameterError, match="zone"):
        choice.batch(datetime(2026, 11, 25, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("goal", "named", "said"),
    [
        ("cheapest with success >= 98 % in storm", {}, "healthy, outage, gray"),
        ("cheapest with detection <= 5 s in gray", {}, "dead dependency"),
        ("cheapest", {"weights": {"storm": 1.0}}, "names of the scenarios"),
        ("cheapest", {"weights": {"outage": 0.0}}, "one above 0"),
        ("cheapest", {"indifference": 1.5}, "a share from 0"),
    ],
)
def test_what_does_not_fit_the_suite_is_refused(found: Sweep, today: Policy, goal: str, named: dict, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        choose(found, goal, today, **named)


def test_a_sweep_of_one_seed_says_nothing_of_luck(space: Space, suite: tuple[Scenario, ...], today: Policy) -> None:
    one = sweep([today], suite, 1, workers=1)
    with pytest.raises(ParameterError, match="sweep with seeds=4"):
        choose(one, GOAL, today)
