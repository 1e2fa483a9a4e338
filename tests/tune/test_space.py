"""A space has the candidates it says, each part of it met alike, and refuses what cannot be with a remedy."""

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.policies.presets import presets
from relkit.tune.space import Candidate, Linear, Log, OneOf, Space, Whole, as_candidates

BASE = presets["pybreaker"]


def test_a_design_meets_every_part_of_a_range_alike() -> None:
    """Scrambled Sobol: each of 16 equal parts of each range has exactly 32 of 512 points."""
    space = Space(BASE, {"failure_threshold": Whole(1, 1000), "open_s": Log(1.0, 1000.0)})
    for seed in (1, 2, 3):
        shares = np.array([point.shares for point in space.design(512, seed).candidates])
        for column in shares.T:
            assert np.bincount((column * 16).astype(int), minlength=16).max() <= 32
        assert len(shares) > 500
    first, again, other = (space.design(64, seed).candidates for seed in (1, 1, 2))
    assert first == again != other


def test_whole_numbers_and_words_have_equal_parts() -> None:
    shares = (np.arange(1200) + 0.5) / 1200
    assert set(np.bincount([Whole(2, 5).at(share) for share in shares])[2:]) == {300}
    assert [OneOf(("a", "b", "c")).at(share) for share in shares].count("b") == 400
    log = [Whole(1, 64, log=True).at(share) for share in shares]
    assert (min(log), max(log)) == (1, 64)
    assert abs(np.median(log) - 8) <= 1


def test_fixed_policies_come_along_and_none_twice() -> None:
    design = Space(BASE, {"failure_threshold": Whole(4, 6)}, [presets["polly-8"], BASE]).design(8)
    assert [each.name for each in design.candidates if each.is_fixed] == ["pybreaker", "polly-8"]
    assert len({each.policy.hash for each in design.candidates}) == len(design.candidates) == 4
    assert design.repeated == 5


def test_points_no_policy_can_have_are_named_and_left_out() -> None:
    """open_s may not exceed the retries' deadline of 30 s."""
    design = Space(presets["plan-fixed"], {"open_s": Linear(10.0, 40.0)}).design(64)
    assert 0 < len(design.refused) < 32
    assert "open_s" in design.refused[0][1]
    with pytest.raises(ParameterError, match=r"of 64 refused.*first: open_s"):
        Space(presets["plan-fixed"], {"open_s": Linear(25.0, 100.0)}).design(64)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Linear(1.0, 1.0), "low < high"),
        (lambda: Log(0.0, 1.0), "use Linear"),
        (lambda: Whole(1.5, 3), "use Linear or Log"),
        (lambda: Linear(float("nan"), 1.0), "finite"),
        (lambda: OneOf(("a", "a")), "different values"),
        (lambda: Space(BASE, {}), "at least one setting"),
        (lambda: Space(BASE, {"open_seconds": Linear(1.0, 2.0)}), "did you mean open_s"),
        (lambda: Space(BASE, {"max_attempts": Whole(1, 3)}), "pybreaker has no retries"),
        (lambda: Space(BASE, {"failure_threshold": Log(2.0, 9.0)}), "it is a whole number"),
        (lambda: Space(BASE, {"judges_success": Whole(0, 1)}), "truth value"),
        (lambda: Space(BASE, {"open_s": OneOf((True, False))}), "no truth values"),
        (lambda: Space(BASE, {"open_s": (1.0, 2.0)}), "Linear, Log, Whole or OneOf"),
        (lambda: Space(BASE, {"open_s": Linear(1.0, 2.0)}).design(500), "take e.g. 512"),
        (lambda: as_candidates([]), "at least one policy"),
        (lambda: as_candidates([BASE, Candidate("copy", BASE)]), "pybreaker and copy"),
        (lambda: presets["hystrix-9"], "polly-8"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(make, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        make()
