"""Quantile differences that keep the pairing, and what "significant" is worth."""

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.shadow.shifts import quantile_shifts
from relkit.shadow.study import ARM_PER_DOUBLING, BUCKETS, Binned
from relkit.shadow.worth import replication_share, worth_of_significance

SEEDS = range(12)


def binned(latency_us: np.ndarray) -> Binned:
    place = np.floor(np.log2(latency_us) * ARM_PER_DOUBLING).astype(np.int64)
    times = np.zeros((BUCKETS, int(place.max() - place.min()) + 1), dtype=np.int64)
    np.add.at(times, (np.arange(place.size) % BUCKETS, place - place.min()), 1)
    return Binned(ARM_PER_DOUBLING, int(place.min()), times)


def arms(seed: int, slower: float, n: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    primary = 450_000 * np.exp(0.6 * rng.standard_normal(n))
    return primary, primary * slower * np.exp(0.2 * rng.standard_normal(n))


def test_quantiles_are_those_of_the_values_to_the_width_of_a_bin() -> None:
    primary, shadow = arms(1, 1.1)
    for one in quantile_shifts(binned(primary), binned(shadow), (0.1, 0.5, 0.95)):
        assert one.primary_us == pytest.approx(np.quantile(primary, one.quantile), rel=2 ** (1 / ARM_PER_DOUBLING) - 1)
        assert one.shadow_us == pytest.approx(np.quantile(shadow, one.quantile), rel=2 ** (1 / ARM_PER_DOUBLING) - 1)


def test_the_interval_covers_and_is_narrower_than_that_of_two_samples() -> None:
    """Median of both arms alike: 12 seeds, at least 9 cover (fewer happen once in 5,000 at 95 %)."""
    truth, covered, widths, apart = 450_000 * 0.1, 0, [], []
    for seed in SEEDS:
        primary, shadow = arms(seed, 1.1)
        one = quantile_shifts(binned(primary), binned(shadow), (0.5,))[0]
        assert one.low_us is not None
        assert one.high_us is not None
        covered += one.low_us <= truth <= one.high_us
        widths.append(one.high_us - one.low_us)
        apart.append(np.hypot(*(1.253 * arm.std() / np.sqrt(arm.size) for arm in (primary, shadow))) * 3.92)
    assert covered >= 9
    assert np.mean(widths) < 0.8 * np.mean(apart)


def test_few_sessions_have_no_interval() -> None:
    primary, shadow = arms(0, 1.0, 20)
    one = quantile_shifts(binned(primary), binned(shadow), (0.5,))[0]
    assert (one.low_us, one.high_us) == (None, None)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.0, 4.0])
def test_worth_is_what_a_simulation_finds(ratio: float) -> None:
    """400,000 normal estimates: power within 4 standard errors, factor within 2 %."""
    draws = ratio + np.random.default_rng(5).standard_normal(400_000)
    kept = draws[np.abs(draws) > 1.959964]
    worth = worth_of_significance(ratio, 1.0)
    assert worth.power == pytest.approx(kept.size / draws.size, abs=4 * np.sqrt(0.25 / draws.size))
    assert worth.factor == pytest.approx(np.abs(kept).mean() / ratio, rel=0.02)
    assert worth.wrong_sign == pytest.approx((kept < 0).mean(), abs=0.01)


def test_a_result_that_is_just_significant_is_so_again_half_of_the_time() -> None:
    assert replication_share(1.959964) == pytest.approx(0.5, abs=1e-6)
    assert replication_share(-4.0) > 0.97


def test_no_truth_has_no_exaggeration() -> None:
    with pytest.raises(ParameterError, match="truth"):
        worth_of_significance(0.0, 1.0)


def test_a_quantile_with_few_pairs_beyond_it_has_no_interval() -> None:
    """500 pairs: ten lie beyond p98, five beyond p99, where resampling knows nothing that the largest few do not."""
    primary, shadow = arms(0, 1.0, 500)
    found = quantile_shifts(binned(primary), binned(shadow), (0.01, 0.5, 0.97, 0.99))
    assert [one.low_us is not None for one in found] == [False, True, True, False]
