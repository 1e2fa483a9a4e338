"""The gate: what stops a rollout, what holds it, what lets it go on, and how often it is wrong."""

import json
from typing import Any

import numpy as np
import pytest
from studies import make_study

from relkit.exceptions import ParameterError
from relkit.shadow import MissingAnswers
from relkit.shadow.decide import Rules, decide, units_needed, verdict_of
from relkit.shadow.guardrails import HARM, NOT_MEASURED, SAFE, UNDECIDED, guardrails
from relkit.shadow.margins import Margins
from relkit.shadow.ratio import anytime_z

SEEDS = range(10)


def arms(seed: int, n: int, loss: float = 0.0, right: float = 0.95, turns: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    p = rng.random(n) < right
    s = np.where(rng.random(n) < 0.7, p, rng.random(n) < right) & (rng.random(n) >= loss / right)
    return {"session": np.arange(n) // turns, "p": p, "s": s}


def well(seed: int, n: int = 6_000, **changed: Any) -> Any:
    """A shadow like its primary in everything that is measured."""
    rng = np.random.default_rng([seed, 1])
    given = {
        "ratio": np.exp(0.2 * rng.standard_normal(n)), "cost": np.exp(0.05 * rng.standard_normal(n)),
        "differs": rng.random(n) < 0.3, "baseline": rng.random(n) < 0.3, "flags": (rng.random(n) < 0.002, rng.random(n) < 0.002),
    }  # fmt: skip
    return make_study(**(arms(seed, n) | given | changed))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shadow_like_its_primary_may_go_live_at_the_horizon(seed: int) -> None:
    """Each guardrail is 3 or more standard errors inside its margin: fewer than 1 in 100 seeds would fail."""
    decision = decide(well(seed, 12_000), Rules(margins=Margins(flags=0.01)), anytime=False)
    assert (decision.code, decision.reasons) == ("PROMOTE", ())
    assert {rail.code for rail in decision.guardrails} == {SAFE}


HARMS = {
    "HIGH_ERROR_RATE": lambda rng, n: {"s": arms(3, n)["p"] & (rng.random(n) > 0.10)},
    "HIGH_DIFFERENCE_RATE": lambda rng, n: {"differs": rng.random(n) < 0.5},
    "PERFORMANCE_REGRESSION": lambda rng, n: {"ratio": 1.3 * np.exp(0.2 * rng.standard_normal(n))},
    "HIGH_COST": lambda rng, n: {"cost": 1.5 * np.exp(0.05 * rng.standard_normal(n))},
    "FLAGGED_ANSWERS": lambda rng, n: {"flags": (np.zeros(n, dtype=bool), rng.random(n) < 0.03)},
}


@pytest.mark.parametrize("anytime", [True, False])
@pytest.mark.parametrize("code", HARMS)
def test_each_harm_rolls_back_and_says_which(code: str, anytime: bool) -> None:
    n = 6_000
    study = well(3, n, **HARMS[code](np.random.default_rng(9), n))
    decision = decide(study, Rules(), anytime=anytime)
    assert decision.code == "ROLL_BACK"
    (reason,) = decision.reasons
    assert reason.code == code
    assert reason.severity in {"CRITICAL", "HIGH", "MEDIUM"}
    assert reason.evidence["low"] > reason.evidence["margin"]
    assert verdict_of(study, Rules(), "2026-W47").code == "ROLL_BACK"


def test_one_error_in_the_first_request_changes_nothing() -> None:
    """And neither do 19 lost sessions; the twentieth is a catastrophe, with no interval waited for."""
    for lost in (1, 5, 19):
        decision = decide(make_study(range(lost), [True] * lost, [False] * lost), Rules(), anytime=True)
        assert decision.code == "INCONCLUSIVE"
        assert decision.reasons[0].code == "TOO_FEW_SESSIONS"
    decision = decide(make_study(range(20), [True] * 20, [False] * 20), Rules(), anytime=True)
    assert (decision.code, decision.reasons[0].code) == ("ROLL_BACK", "CATASTROPHE")


def test_one_session_that_fails_throughout_is_no_catastrophe() -> None:
    assert decide(make_study([1] * 500, [True] * 500, [False] * 500), Rules(), anytime=True).code == "INCONCLUSIVE"


def test_a_provider_that_fails_for_both_rolls_nobody_back() -> None:
    """The plan's limit of 5 % errors would end this rollout at once; no pair speaks against the shadow."""
    fails = np.random.default_rng(1).random(6_000) < 0.93
    decision = decide(make_study(np.arange(6_000) // 3, fails, fails), Rules(), anytime=True)
    assert decision.code == "PROMOTE"


def test_many_looks_stop_fewer_than_alpha_of_healthy_shadows() -> None:
    """Arms exchangeable within sessions, 40 looks, 400 rollouts: at most 2.5 % + 4 standard errors for the errors alone."""
    rng, stopped = np.random.default_rng(7), 0
    for _ in range(400):
        n = 1_200
        p = rng.random(n) < 0.9
        flip = rng.random(n) < 0.1
        s = p ^ flip
        swap = (rng.random(n // 3) < 0.5)[np.arange(n) // 3]
        first, second = np.where(swap, s, p), np.where(swap, p, s)
        d = np.add.reduceat(first.astype(int) - second.astype(int), np.arange(0, n, 3))
        looks = np.arange(10, 401, 10)
        total, squares = np.cumsum(d)[looks - 1], np.cumsum(d * d)[looks - 1]
        k = looks
        error = np.sqrt(k / (k - 1) * (squares - total**2 / k))
        z = (total - 0.0) / np.maximum(error, 1e-9)
        limit = np.array([anytime_z(int(one)) for one in k])
        stopped += bool(((z > limit) & (k >= 30)).any())
    assert stopped / 400 <= 0.025 + 4 * np.sqrt(0.025 * 0.975 / 400)


@pytest.mark.parametrize("seed", SEEDS)
def test_evidence_of_many_looks_is_weaker_than_that_of_one(seed: int) -> None:
    study = well(seed, 1_500)
    pairs = zip(guardrails(study, Margins(), anytime=True), guardrails(study, Margins(), anytime=False), strict=True)
    for many, one in pairs:
        assert many.low is not None
        assert many.high is not None
        assert one.low is not None
        assert one.high is not None
        assert many.low < one.low < one.high < many.high
        assert many.p_safe >= one.p_safe or one.p_safe < 1e-9  # far out, Student has the heavier tail


def test_guardrails_are_adjusted_as_one_family_and_errors_stand_alone() -> None:
    rails = guardrails(well(0, 1_200), Margins(), anytime=False)
    assert rails[0].p_harm_adjusted == rails[0].p_harm
    smallest = min(rails[1:], key=lambda rail: rail.p_harm)
    assert smallest.p_harm_adjusted == pytest.approx(min(1.0, 4 * smallest.p_harm))


def test_swapping_the_arms_mirrors_every_interval() -> None:
    rng, n = np.random.default_rng(5), 900
    p, s = rng.random(n) < 0.9, rng.random(n) < 0.85
    differs, baseline = rng.random(n) < 0.3, rng.random(n) < 0.2
    one = guardrails(make_study(np.arange(n) // 3, p, s, differs=differs, baseline=baseline), Margins(), anytime=True)
    two = guardrails(make_study(np.arange(n) // 3, s, p, differs=baseline, baseline=differs), Margins(), anytime=True)
    for first, second in zip(one[:2], two[:2], strict=True):
        assert first.value is not None
        assert first.low is not None
        assert (-first.value, -first.low) == pytest.approx((second.value, second.high))


def test_what_was_not_measured_blocks_nothing_and_is_told() -> None:
    rng, n = np.random.default_rng(2), 9_000
    p = rng.random(n) < 0.95
    decision = decide(make_study(np.arange(n) // 3, p, p ^ (rng.random(n) < 0.002)), Rules(), anytime=False)
    assert decision.code == "PROMOTE"
    assert [rail.code for rail in decision.guardrails] == [SAFE, *[NOT_MEASURED] * 4]
    assert all(rail.why_not for rail in decision.guardrails[1:])


def test_data_that_cannot_be_trusted_is_invalid_before_anything_else() -> None:
    broken = well(0, duplicates=1), well(0, primary_first=(2_000, 6_000))
    codes = [decide(study, Rules(), anytime=False).reasons[0].code for study in broken]
    assert codes == ["DUPLICATED_PAIRS", "UNBALANCED_ORDER"]
    assert {verdict_of(study, Rules(), "w").code for study in broken} == {"INVALID"}


def test_answers_that_never_came_may_forbid_a_promotion() -> None:
    """The intervals count them as failures of both arms and would promote."""
    n = 6_000
    p = np.ones(n, dtype=bool)
    p[:600] = False
    lost = MissingAnswers(both=300)
    study = make_study(np.arange(n) // 3, p, p, missing=lost)
    decision = decide(study, Rules(), anytime=False)
    assert decision.code != "PROMOTE"
    assert decision.reasons[0].code == "MISSING_ANSWERS"


NOTHING = np.zeros(0, dtype=bool)


@pytest.mark.parametrize(
    ("study", "code"),
    [
        (None, "INCONCLUSIVE"),
        (make_study(NOTHING, NOTHING, NOTHING), "INCONCLUSIVE"),
        (make_study([1], [True], [True]), "INCONCLUSIVE"),
        (make_study([1] * 90, [True] * 90, [True] * 90), "INCONCLUSIVE"),
        (make_study(range(40), [True] * 40, [True] * 40), "INCONCLUSIVE"),
        (make_study(range(5_000), [True] * 5_000, [True] * 5_000), "PROMOTE"),
        (make_study(range(400), [True] * 400, [False] * 400), "ROLL_BACK"),
    ],
    ids=[
        "none",
        "n = 0",
        "one pair",
        "one session",
        "no discordant pair",
        "no discordant pair in 5 000",
        "all shadows failed",
    ],
)
def test_the_worst_inputs_get_an_honest_code_and_plain_numbers(study: Any, code: str) -> None:
    for anytime in (True, False):
        decision = decide(study, Rules(), anytime=anytime)
        assert decision.code == code
        json.dumps(decision.record(), allow_nan=False)
    if study is not None and study.experiment.counts.n == 0:
        return
    json.dumps(verdict_of(study, Rules(), "2026-W47").record(), allow_nan=False)


def test_undecided_says_how_much_more_would_decide() -> None:
    rail = guardrails(well(1, 900), Margins(), anytime=False)[0]
    assert rail.code == UNDECIDED
    needed = units_needed(rail)
    assert needed is not None
    assert needed > 0
    assert rail.code != HARM


def test_a_margin_is_a_share() -> None:
    with pytest.raises(ParameterError, match="margin of latency"):
        Margins(latency=10)
