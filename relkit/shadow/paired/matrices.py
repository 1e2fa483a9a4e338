"""Actions of two arms as a square matrix: whether it is symmetric, and whether its margins are alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from relkit.exceptions import DataError
from relkit.shadow._checks import whole
from relkit.units import several


@dataclass(frozen=True, slots=True)
class SquareTest:
    """A chi-square test of a square matrix of paired categories.

    Parameters
    ----------
    statistic : float or None
        Chi-square; None when no pair changed its category.
    df : int
        Degrees of freedom.
    p : float or None
        p-value.
    categories, pairs, changed : int
        Size of the matrix, all its pairs, and those off the diagonal.
    why_not : str
        Why there is no statistic; empty when there is.
    """

    statistic: float | None
    df: int
    p: float | None
    categories: int
    pairs: int
    changed: int
    why_not: str = ""


def bowker(table: Sequence[Sequence[int]]) -> SquareTest:
    """Test whether going from one action to another is as frequent as going back, for every pair of actions.

    Sum over i < j of (n_ij - n_ji)^2/(n_ij + n_ji), chi-square with k(k - 1)/2 degrees of freedom. A pair of actions
    between which nothing moved adds 0 and keeps its degree of freedom, as published.

    Parameters
    ----------
    table : sequence of sequences of int
        `table[i][j]`: pairs in which the primary took action i and the shadow action j.

    Returns
    -------
    SquareTest
        For two actions this is McNemar's z squared.

    Raises
    ------
    DataError
        When the table is not square.

    Notes
    -----
    Bowker, Journal of the American Statistical Association 43, 572-574 (1948).

    Examples
    --------
    >>> test = bowker([[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]])
    >>> round(test.statistic, 4), test.df, round(test.p, 4)
    (19.1066, 6, 0.004)
    """
    n = _square(table)
    k = len(n)
    moved, back = n[np.triu_indices(k, 1)], n.T[np.triu_indices(k, 1)]
    total = moved + back
    seen = total > 0
    if not seen.any():
        return _unmoved(n)
    statistic = float(((moved - back)[seen] ** 2 / total[seen]).sum())
    return _judged(n, statistic, k * (k - 1) // 2)


def stuart_maxwell(table: Sequence[Sequence[int]]) -> SquareTest:
    """Test whether both arms take each action equally often, whatever the path from one to the other.

    d' S^-1 d, with d the differences of the margins and S their covariance when they are equal: n_i. + n_.i - 2 n_ii on
    the diagonal, -(n_ij + n_ji) off it. k - 1 degrees of freedom. Actions that nothing enters or leaves carry no
    information: they leave both d and the degrees of freedom.

    Parameters
    ----------
    table : sequence of sequences of int
        `table[i][j]`: pairs in which the primary took action i and the shadow action j.

    Returns
    -------
    SquareTest
        For two actions this is McNemar's z squared.

    Raises
    ------
    DataError
        When the table is not square.

    Notes
    -----
    Stuart, Biometrika 42, 412-416 (1955); Maxwell, British Journal of Psychiatry 116, 651-655 (1970).

    Examples
    --------
    >>> test = stuart_maxwell([[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]])
    >>> round(test.statistic, 4), test.df, round(test.p, 4)
    (11.9566, 3, 0.0075)
    """
    n = _square(table)
    exchanged = n + n.T
    np.fill_diagonal(exchanged, 0)
    if not exchanged.any():
        return _unmoved(n)
    difference = (n.sum(axis=1) - n.sum(axis=0)).astype(float)
    covariance = np.diag(exchanged.sum(axis=1)).astype(float) - exchanged
    # Actions may fall into groups with no way between them; each group then gives up one degree of freedom.
    df = int(np.linalg.matrix_rank(covariance, hermitian=True))
    return _judged(n, float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference), df)


def _square(table: Sequence[Sequence[int]]) -> np.ndarray:
    k = len(table)
    if k < 2 or any(len(row) != k for row in table):
        shape = f"{k} rows of {sorted({len(row) for row in table})} columns"
        raise DataError(f"a matrix of actions has a row and a column for each of at least two actions, not {shape}")
    return np.array([[whole(f"table[{i}][{j}]", cell) for j, cell in enumerate(row)] for i, row in enumerate(table)])


def _judged(n: np.ndarray, statistic: float, df: int) -> SquareTest:
    return SquareTest(
        statistic, df, float(chdtrc(df, statistic)), categories=len(n), pairs=int(n.sum()),
        changed=int(n.sum() - np.trace(n)),
    )  # fmt: skip


def _unmoved(n: np.ndarray) -> SquareTest:
    pairs = int(n.sum())
    why_not = f"both arms took the same action in each of {several(pairs, 'pair')}" if pairs else "no pair"
    return SquareTest(None, 0, None, categories=len(n), pairs=pairs, changed=0, why_not=why_not)
