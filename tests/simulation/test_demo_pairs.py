"""The shadow comparison: its funnel, its exact harm, and that the plan's test does not see it."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy import integrate, stats

from relkit.simulation.demo_pairs import arm_of
from relkit.simulation.demo_truth import read_truth
from relkit.units import US_PER_SECOND


def judged(pairs):
    """Primary ok, shadow ok and session number of the pairs that were mirrored, timeouts as not ok."""
    rows = [place for place, state in enumerate(pairs["state"]) if state != "eligible"]
    primary, shadow = (
        np.array([pairs[name][place] for place in rows], dtype=int) for name in ("primary_ok", "shadow_ok")
    )
    sessions = np.unique([pairs["session_id"][place] for place in rows], return_inverse=True)[1]
    return primary, shadow, sessions


def clustered(pairs):
    """Difference, its CR1 standard error by session, and the number of sessions."""
    primary, shadow, sessions = judged(pairs)
    difference = shadow - primary
    delta, count = difference.mean(), sessions.max() + 1
    sums = np.bincount(sessions, difference - delta)
    return delta, math.sqrt(count / (count - 1) * (sums**2).sum()) / len(difference), count


def test_the_expected_harm_is_exactly_two_points(demo):
    """By another rule of integration than the one that solved it."""
    known, truth = read_truth().pairs, demo.truth["pairs"]
    sd = math.hypot(known["shared_sd"], known["own_sd"])

    def share(centre):
        def integrand(x):
            return stats.norm.pdf(x) / (1 + math.exp(-(centre + sd * x)))

        return integrate.quad(integrand, -12, 12, epsabs=1e-13)[0]

    primary = share(known["intercept"])
    shadow = (1 - known["timeout_share"]) * share(known["intercept"] + arm_of(known).shift)
    assert shadow - primary == pytest.approx(-0.02, abs=1e-9)
    assert truth["expected_delta"] == pytest.approx(-0.02, abs=1e-9)
    assert truth["expected_primary"] == pytest.approx(primary, abs=1e-9)


def test_the_realised_harm_is_near_the_expected_one(demo, pairs):
    primary, shadow, sessions = judged(pairs)
    truth = demo.truth["pairs"]
    assert -0.024 <= truth["realised_delta"] <= -0.016
    assert truth["realised_delta"] == (shadow.sum() - primary.sum()) / len(primary)
    assert truth["n"] == len(primary) == sum(truth["cells"].values())
    assert truth["sessions"] == sessions.max() + 1
    cells = Counter(zip(primary.tolist(), shadow.tolist(), strict=True))
    assert truth["cells"] == {"a": cells[1, 1], "b": cells[1, 0], "c": cells[0, 1], "d": cells[0, 0]}
    assert 8000 <= truth["n"] <= 9000


def test_the_plans_test_calls_the_harm_fine(pairs):
    primary, shadow, _ = judged(pairs)
    primary_actions, shadow_actions = (
        [
            pairs[name][place] in {"book", "continue"}
            for place, state in enumerate(pairs["state"])
            if state != "eligible"
        ]
        for name in ("primary_action", "shadow_action")
    )
    assert primary_actions == primary.astype(bool).tolist()
    assert shadow_actions == shadow.astype(bool).tolist()
    n, p1, p2 = len(primary), primary.mean(), shadow.mean()
    pooled = (p1 + p2) / 2
    z = (p2 - p1) / math.sqrt(2 * pooled * (1 - pooled) / n)
    upper = stats.norm.sf(abs(z))
    p = upper if z > 0 else 1 - upper
    assert p > 0.99  # so "not significant"
    assert z < 0


def test_a_test_that_knows_sessions_sees_the_harm(pairs):
    delta, error, count = clustered(pairs)
    assert delta + stats.t.ppf(0.975, count - 1) * error < -0.01


def test_turns_of_a_session_are_alike(pairs):
    primary, shadow, sessions = judged(pairs)
    _, error, _ = clustered(pairs)
    naive = (shadow - primary).std() / math.sqrt(len(primary))
    assert 1.2 < (error / naive) ** 2 < 1.7
    sums = np.bincount(sessions, shadow - primary)
    assert 1.2 < (sums**2).sum() / (primary != shadow).sum() < 1.7


def test_over_seeds_the_realised_harm_is_centred_on_the_expected_one(weeks):
    """Mean of the standardised error over 12 seeds within 4 / sqrt(12): false alarm about 0.01 %."""
    errors = []
    for _, columns in weeks:
        delta, error, _ = clustered(columns)
        errors.append((delta + 0.02) / error)
    assert abs(np.mean(errors)) < 4 / math.sqrt(len(errors))


def test_the_funnel_adds_up(demo, pairs):
    states = Counter(pairs["state"])
    assert set(states) == {"eligible", "mirrored", "answered", "compared"}
    assert sum(states.values()) == demo.truth["pairs"]["rows"]
    assert sum(states.values()) - states["eligible"] == demo.truth["pairs"]["n"]
    assert states["mirrored"] == demo.truth["pairs"]["timeouts"] == pairs["shadow_flags"].count("timeout")
    n = sum(states.values())
    assert abs(states["eligible"] - 0.1 * n) < 4 * math.sqrt(0.09 * n)


def test_fields_are_known_as_far_as_the_funnel_goes(pairs):
    for row in (dict(zip(pairs, values, strict=True)) for values in zip(*pairs.values(), strict=True)):
        state = row["state"]
        for name in ("shadow_ok", "shadow_latency_us", "primary_first"):
            assert (row[name] is None) == (state == "eligible")
        for name in ("shadow_action", "shadow_cost_microusd"):
            assert (row[name] is None) == (state in {"eligible", "mirrored"})
        assert (row["differs"] is None) == (state != "compared")
        if state == "mirrored":
            assert row["shadow_ok"] is False
            assert row["shadow_latency_us"] == 10 * US_PER_SECOND
        elif state != "eligible":
            assert row["shadow_latency_us"] < 10 * US_PER_SECOND
        if state == "compared":
            assert row["differs"] == (row["primary_action"] != row["shadow_action"])


def test_pairs_mirror_answered_chat_turns_from_tuesday_on(demo, attempts, pairs):
    chat = {
        request: ts
        for request, attempt, ts, operation, service in zip(
            *(attempts[name] for name in ("request_id", "attempt", "ts", "operation", "service")), strict=True
        )
        if attempt == 1 and operation == "chat" and service == "groq"
    }
    good = {request for request, ok in zip(attempts["request_id"], attempts["ok"], strict=True) if ok}
    assert all(chat[request] == ts for request, ts in zip(pairs["request_id"], pairs["ts"], strict=True))
    assert good.issuperset(pairs["request_id"])
    assert min(pairs["ts"]) >= demo.truth["start_us"] + 24 * 3600 * US_PER_SECOND
    assert len(set(pairs["pair_id"])) == len(set(pairs["request_id"])) == len(pairs["ts"])


def test_turns_count_up_within_a_session_and_steps_do_not_fall(pairs):
    last = {}
    for session, turn, segment, step in zip(
        *(pairs[name] for name in ("session_id", "turn", "segment", "step")), strict=True
    ):
        before = last.get(session, (0, segment, step))
        assert turn > before[0]
        assert (segment, step) == before[1:]
        last[session] = (turn, segment, step)
    assert set(pairs["step"]) == {1, 2, 3}
    assert set(pairs["segment"]) == {"en", "de", "es"}


def test_the_primary_differs_from_itself_now_and_then(pairs):
    seen = [value for value in pairs["differs_baseline"] if value is not None]
    compared = pairs["state"].count("compared")
    assert abs(len(seen) - 0.2 * compared) < 4 * math.sqrt(0.16 * compared)
    assert abs(sum(seen) - 0.03 * len(seen)) < 4 * math.sqrt(0.03 * 0.97 * len(seen))


def test_who_answers_first_is_a_fair_coin(pairs):
    first = [value for value in pairs["primary_first"] if value is not None]
    assert abs(sum(first) - len(first) / 2) < 4 * math.sqrt(len(first)) / 2
