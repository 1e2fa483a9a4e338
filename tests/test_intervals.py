"""Wilson's interval is statsmodels', and nothing counted tells nothing."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from relkit.exceptions import ParameterError
from relkit.intervals import wilson


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 40), (3, 40), (40, 40), (17, 1000), (999_000, 1_000_000)])
def test_the_interval_is_wilsons(hits, n, level):
    np.testing.assert_allclose(wilson(hits, n, level), proportion_confint(hits, n, 1 - level, "wilson"), atol=1e-12)


def test_no_observation_leaves_every_share_possible():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("wrong", [(-1, 3, 0.95), (4, 3, 0.95), (1, 3, 0.0), (1, 3, 1.0)])
def test_impossible_counts_and_levels_are_refused(wrong):
    with pytest.raises(ParameterError):
        wilson(*wrong)
