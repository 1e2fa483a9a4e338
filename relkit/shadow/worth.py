"""What "significant" is worth at a given truth: power, exaggeration, wrong signs, and the chance to see it again."""

from dataclasses import dataclass
from math import exp, pi, sqrt

from scipy.special import ndtr, ndtri

from relkit.exceptions import ParameterError
from relkit.shadow._checks import checked_level


@dataclass(frozen=True, slots=True)
class Worth:
    """What a test finds when the truth is known.

    Parameters
    ----------
    power : float
        Share of experiments that come out significant.
    factor : float
        Mean size of the significant estimates over the true one: above 1, because only large estimates are significant.
    wrong_sign : float
        Share of the significant ones that point the other way.
    """

    power: float
    factor: float
    wrong_sign: float


def worth_of_significance(truth: float, se: float, level: float = 0.95) -> Worth:
    """Compute power, exaggeration factor and share of wrong signs of a two-sided test on a normal estimate.

    With z the quantile, t = |truth|/se: power = Phi(t - z) + Phi(-t - z); E|estimate| over the significant ones from the
    two truncated normal means.

    Parameters
    ----------
    truth : float
        True difference, not 0.
    se : float
        Standard error of the estimate, above 0.
    level : float
        Two-sided confidence level.

    Notes
    -----
    Gelman and Carlin, Perspectives on Psychological Science 9, 641-651 (2014).

    Examples
    --------
    >>> worth = worth_of_significance(2.0, 8.1)
    >>> round(worth.power, 3), round(worth.factor, 1), round(worth.wrong_sign, 2)
    (0.057, 9.5, 0.24)
    """
    if truth == 0 or se <= 0:
        raise ParameterError.of(
            "truth, se", (truth, se), "truth other than 0 and se above 0", "give the margin and its se"
        )
    z, t = float(-ndtri((1 - checked_level(level)) / 2)), abs(truth) / se
    right, wrong = float(ndtr(t - z)), float(ndtr(-t - z))
    size = t * right + _density(z - t) - t * wrong + _density(z + t)
    return Worth(right + wrong, size / (right + wrong) / t, wrong / (right + wrong))


def replication_share(z: float, level: float = 0.95) -> float:
    """Give the chance that an equal experiment is significant again and points the same way, if the estimate is the truth.

    Notes
    -----
    Goodman, Statistics in Medicine 11, 875-879 (1992).

    Examples
    --------
    >>> round(replication_share(1.959964), 3)
    0.5
    """
    return float(ndtr(abs(z) + ndtri((1 - checked_level(level)) / 2)))


def _density(x: float) -> float:
    return exp(-x * x / 2) / sqrt(2 * pi)
