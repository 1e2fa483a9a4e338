"""How often each rule is wrong, on sessions of a log: the figures printed beside the gate."""

import time

import numpy as np
import pytest
from studies import make_study

from relkit.shadow.characteristics import RULES, World, operating_characteristics
from relkit.shadow.decide import Rules, decide
from relkit.shadow.margins import Margins
from relkit.shadow.naive import DIFFY_ABSOLUTE, DIFFY_RELATIVE, diffy, naive_rules, plan_verdict
from relkit.shadow.study import Study


def chats(seed: int, sessions: int = 900, right: float = 0.97) -> Study:
    """Sessions with effects of their own: turns of one chat resemble each other."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(rng.geometric(1 / 4, sessions), 30)
    session = np.repeat(np.arange(sessions), sizes)
    centre = np.log(right / (1 - right)) + rng.standard_normal(sizes.size)
    p, s = (
        rng.random(session.size) < 1 / (1 + np.exp(-(centre + 0.7 * rng.standard_normal(sessions))[session]))
        for _ in range(2)
    )
    noise = rng.random((2, session.size)) < 0.004
    return make_study(
        session, p, s, differs=noise[0], baseline=noise[1], ratio=np.exp(0.3 * rng.standard_normal(session.size))
    )


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], float]:
    rows = operating_characteristics(chats(1).sample, Rules(), primary_mean_us=5e5, seed=2, replications=400)
    return {(row.rule, row.world): row.stops for row in rows}


def test_this_gate_stops_few_healthy_shadows(found: dict[tuple[str, str], float]) -> None:
    """Errors at 2.5 % and the other guardrails at 2.5 %: at most 5 % and 4 standard errors of 400 rollouts (4.4 %)."""
    for rule in ("gate", "gate_horizon"):
        assert found[rule, "nothing is wrong"] <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
        assert found[rule, "errors, 1 margin"] <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)


def test_this_gate_finds_what_it_must(found: dict[tuple[str, str], float]) -> None:
    assert found["gate", "errors, 5 margins"] >= 0.95
    assert found["gate", "latency, 2 margins"] >= 0.95
    assert found["gate_horizon", "errors, 5 margins"] >= found["gate", "errors, 2 margins"]


def test_the_plans_rules_stop_the_healthy_or_miss_the_harmful(found: dict[tuple[str, str], float]) -> None:
    assert {found["plan_z", world] for _, world in found} == {0.0}
    assert found["plan_latency", "latency, 2 margins"] == 0.0
    assert found["plan_errors", "nothing is wrong"] > 0.25
    assert found["diffy", "nothing is wrong"] > 0.25


def test_the_array_form_decides_as_the_gate_does() -> None:
    """A sample that is drawn once, whole and unswapped, must stop in the array form exactly when `decide` rolls back."""
    from relkit.shadow.characteristics import _rollouts, _stops  # noqa: PLC0415

    class Whole:
        """A generator that draws every session once and exchanges nothing."""

        def integers(self, most: int, size: tuple[int, int]) -> np.ndarray:
            return np.arange(most)[None, :]

        def random(self, size: tuple[int, int]) -> np.ndarray:
            return np.ones(size)

    rng, codes = np.random.default_rng(3), []
    for _ in range(16):
        n = int(rng.integers(90, 1_500))
        p = rng.random(n) < 0.95
        s = p & (rng.random(n) > rng.choice([0.0, 0.02, 0.05, 0.3]))
        differs, baseline = rng.random(n) < rng.choice([0.05, 0.12]), rng.random(n) < 0.05
        ratio = rng.choice([1.0, 1.1, 1.2]) * np.exp(0.3 * rng.standard_normal(n))
        study = make_study(np.arange(n) // 3, p, s, differs=differs, baseline=baseline, ratio=ratio)
        drawn = _rollouts(study.sample, World("as it is"), Whole(), (1, study.sample.size), 0.0)  # type: ignore[arg-type]
        sums = {name: values.sum(axis=1, keepdims=True) for name, values in drawn.items()}
        stopped = _stops(sums, np.array([float(study.sample.size)]), Rules())
        for rule, anytime in (("gate", True), ("gate_horizon", False)):
            code = decide(study, Rules(), anytime=anytime).code
            assert bool(stopped[rule][0, 0]) == (code == "ROLL_BACK")
            codes.append(code)
    assert codes.count("ROLL_BACK") > 5
    assert len(codes) - codes.count("ROLL_BACK") > 5


def test_equal_seeds_give_equal_figures_in_seconds() -> None:
    sample, started = chats(4, 300).sample, time.process_time()
    once, twice = (operating_characteristics(sample, Rules(), seed=5, replications=100) for _ in range(2))
    assert once == twice
    assert {row.rule for row in once} == set(RULES)
    assert time.process_time() - started < 20


def test_too_few_sessions_give_no_figures() -> None:
    assert operating_characteristics(chats(1, 20).sample, Rules()) == ()


def test_diffys_thresholds_flag_a_quiet_field_a_quarter_of_the_time() -> None:
    """Each answer strays with probability .002, 500 requests, nothing changed: .249 in the reference, +-4 standard errors."""
    rng = np.random.default_rng(606)
    strays = rng.random((4_000, 500, 3)) < 0.002
    shadow, baseline = ((strays[..., 0] ^ strays[..., place]).sum(axis=1).tolist() for place in (2, 1))
    said = [diffy(a, b, 500) for a, b in zip(shadow, baseline, strict=True)]
    flagged = np.mean([r is not None and a is not None and r > DIFFY_RELATIVE and a > DIFFY_ABSOLUTE for r, a in said])
    assert abs(flagged - 0.249) < 4 * np.sqrt(0.25 * 0.75 / 4_000)


def test_naive_rules_say_what_the_plan_would() -> None:
    n = 2_000
    p = np.ones(n, dtype=bool)
    p[:40] = False
    better = make_study(np.arange(n), p, np.ones(n, dtype=bool), ratio=np.ones(n))
    assert plan_verdict(naive_rules(better)) == "shadow wins"
    assert plan_verdict(naive_rules(make_study(np.arange(n), np.ones(n, dtype=bool), p, ratio=np.ones(n)))) == "go on"
    failing = np.arange(n) >= 120
    assert plan_verdict(naive_rules(make_study(np.arange(n), failing, failing, ratio=np.ones(n)))) == "halt"


def test_margins_scale_what_is_planted() -> None:
    from relkit.shadow.characteristics import worlds  # noqa: PLC0415

    planted = worlds(Rules(margins=Margins(errors=0.02, latency=0.2)))
    assert [world.errors for world in planted] == [0.0, 0.02, 0.04, 0.1, 0.0, 0.0]
    assert planted[-1].latency == 0.4
