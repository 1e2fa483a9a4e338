"""The difference of two arms with the session as the unit: CR1 and Student's t, from ten sums."""

from dataclasses import dataclass
from math import sqrt

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from relkit.exceptions import DataError
from relkit.shadow._checks import checked_level, checked_margin
from relkit.shadow.paired.counts import PairCounts
from relkit.shadow.paired.score import score_limits, score_z, squared_ratio
from relkit.shadow.sessions.sums import SessionSums
from relkit.units import several

# Below this many sessions with a net difference the variance is estimated from almost nothing, from nothing at all when
# none differs: simulated coverage of the t interval alone is .55 at 1, .79 at 3, .88 at 7, .93 at 14 of 200 sessions.
SPARSE_SESSIONS = 10


@dataclass(frozen=True, slots=True)
class SessionT:
    """The difference shadow - primary with sessions as units.

    Parameters
    ----------
    sessions, pairs : int
        K and N.
    delta : float or None
        Estimate, a share in [-1, 1]; None without pairs.
    se : float or None
        Its standard error; None with fewer than two sessions, 0 when the sessions do not vary.
    t : float or None
        delta / se; None where se is None or 0.
    df : int or None
        Degrees of freedom, K - 1.
    low, high, level : float
        Two-sided interval and its level.
    p, p_harm, p_benefit : float
        Two-sided p-value of delta = 0, and one-sided ones for "the shadow is worse" and "the shadow is better".
    design_effect : float or None
        Variance with sessions over variance without, both of this delta; None where the latter is 0.
    deff_null : float or None
        The same when delta = 0: v over discordant pairs; None without discordant pairs.
    effective_n : float or None
        Independent pairs that would carry as much: pairs / design_effect; None where there is no ratio.
    sparse : bool
        Fewer than `SPARSE_SESSIONS` sessions differ, so interval and p-values are the wider of two, see `session_t`.
    why_not : str
        Why there is no estimate or interval; empty when there is.
    """

    sessions: int
    pairs: int
    delta: float | None
    se: float | None
    t: float | None
    df: int | None
    low: float
    high: float
    level: float
    p: float
    p_harm: float
    p_benefit: float
    design_effect: float | None
    deff_null: float | None
    effective_n: float | None
    sparse: bool
    why_not: str = ""


def session_t(sums: SessionSums, counts: PairCounts, level: float = 0.95) -> SessionT:
    """Estimate shadow - primary with a standard error that lets pairs of one session resemble each other.

    delta = S/N; var = K/(K-1) (V - 2 delta Sum D m + delta^2 Sum m^2) / N^2 (the CR1 sandwich of a ratio); Student's t
    with K - 1 degrees of freedom. Level on simulated chats .048 to .055, where McNemar on their turns has .16 to .35.

    With fewer than `SPARSE_SESSIONS` sessions that differ at all, interval and p-values are the wider of this and
    Tango's on the same table shrunk to N / Sum m^2 of its size, which is what N pairs are worth when pairs of one
    session always agree: without it, "no session differs" would read as an interval of width 0.

    Parameters
    ----------
    sums : SessionSums
        The sums over whole sessions.
    counts : PairCounts
        The table of the same pairs; gives the variance that ignores sessions.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    SessionT
        With fewer than two sessions: interval (-1, 1), p = 1, and `why_not` says so.

    Raises
    ------
    DataError
        When sums and counts do not come from the same pairs.

    Notes
    -----
    Cameron and Miller, J. Human Resources 50, 317-372 (2015), for CR1; Rao and Scott, Biometrics 48, 577-585 (1992),
    for ratios over clusters; Kish, Survey Sampling (1965), for the design effect.

    Examples
    --------
    >>> from relkit.shadow import session_sums
    >>> sums = session_sums([1, 1, 2, 2, 3, 4], [1, 1, 1, 1, 0, 1], [0, 0, 1, 0, 1, 1])
    >>> test = session_t(sums, PairCounts(both=2, only_primary=3, only_shadow=1, neither=0))
    >>> round(test.delta, 4), round(test.se, 4), test.df, test.sparse
    (-0.3333, 0.3741, 3, True)
    """
    level = checked_level(level)
    _check_same_pairs(sums, counts)
    k, n, m = sums.sessions, sums.pairs, counts.discordant
    deff_null = sums.v / m if m else None
    if k < 2:
        return SessionT(
            sessions=k, pairs=n, delta=counts.delta, se=None, t=None, df=None, low=-1.0, high=1.0, level=level,
            p=1.0, p_harm=1.0, p_benefit=1.0, design_effect=None, deff_null=deff_null, effective_n=None, sparse=True,
            why_not=f"{several(k, 'session')}: how sessions differ cannot be seen with fewer than 2",
        )  # fmt: skip
    delta, se, df = sums.s / n, _standard_error(sums), k - 1
    half = float(-stdtrit(df, (1 - level) / 2)) * se
    low, high = max(-1.0, delta - half), min(1.0, delta + half)
    sparse = _is_sparse(sums)
    if sparse:
        z = float(-ndtri((1 - level) / 2))
        score_low, score_high = score_limits(*_shrunk(sums, counts), z)
        low, high = min(low, score_low), max(high, score_high)
    p_harm, p_benefit = _p_below(sums, counts, 0.0), _p_below(sums.swapped(), counts.swapped(), 0.0)
    pair_variance = (m - sums.s * sums.s / n) / (n * n)
    design_effect = se * se / pair_variance if pair_variance > 0 else None
    return SessionT(
        sessions=k, pairs=n, delta=delta, se=se, t=delta / se if se else None, df=df, low=low, high=high, level=level,
        p=min(1.0, 2 * min(p_harm, p_benefit)), p_harm=p_harm, p_benefit=p_benefit,
        design_effect=design_effect, deff_null=deff_null, effective_n=n / design_effect if design_effect else None,
        sparse=sparse,
    )  # fmt: skip


def session_non_inferiority_p(sums: SessionSums, counts: PairCounts, margin: float) -> float:
    """Give the one-sided p-value of "the shadow is worse by the margin or more", with sessions as units.

    t = (delta + margin) / se with K - 1 degrees of freedom; p < (1 - level)/2 exactly when the low end of `session_t`
    lies above -margin.

    Parameters
    ----------
    sums, counts : SessionSums, PairCounts
        The same pairs, by session and as a table.
    margin : float
        Acceptable loss, a share in [0, 1).

    Returns
    -------
    float
        p-value; 1 with fewer than two sessions.

    Examples
    --------
    >>> from relkit.shadow import session_sums
    >>> sums = session_sums([1, 1, 2, 2, 3, 4], [1, 1, 1, 1, 0, 1], [0, 0, 1, 0, 1, 1])
    >>> session_non_inferiority_p(sums, PairCounts(2, 3, 1, 0), 0.05) > 0.5
    True
    """
    margin = checked_margin(margin)
    _check_same_pairs(sums, counts)
    if sums.sessions < 2:
        return 1.0
    return _p_below(sums.swapped(), counts.swapped(), margin)


def session_sample_growth(sums: SessionSums, counts: PairCounts, margin: float, level: float = 0.95) -> float | None:
    """Give the factor on the number of sessions at which the interval would end at -margin, sessions staying alike.

    (t_level se / (delta + margin))^2; where few sessions differ, the larger of this and the same for the score test.

    Parameters
    ----------
    sums, counts : SessionSums, PairCounts
        The same pairs, by session and as a table.
    margin : float
        A share in [0, 1).
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    float or None
        At least 1 while -margin is inside the interval; None when the difference lies on it, or with fewer than two
        sessions.

    Examples
    --------
    >>> from relkit.shadow import session_sums
    >>> sums = session_sums([1, 1, 2, 2, 3, 4], [1, 1, 1, 1, 0, 1], [0, 0, 1, 0, 1, 1])
    >>> round(session_sample_growth(sums, PairCounts(2, 3, 1, 0), 0.05), 1)
    17.7
    """
    margin, level = checked_margin(margin), checked_level(level)
    _check_same_pairs(sums, counts)
    if sums.sessions < 2:
        return None
    tail, se, gap = (1 - level) / 2, _standard_error(sums), sums.s / sums.pairs + margin
    growths = [squared_ratio(float(stdtrit(sums.sessions - 1, tail)), gap / se)] if se else []
    if _is_sparse(sums) or not se:
        growths.append(squared_ratio(float(ndtri(tail)), score_z(*_shrunk(sums, counts), -margin)))
    known = [growth for growth in growths if growth is not None]
    return max(known) if len(known) == len(growths) else None


def _check_same_pairs(sums: SessionSums, counts: PairCounts) -> None:
    if sums.pairs != counts.n or sums.s != counts.only_shadow - counts.only_primary:
        raise DataError(
            f"sessions hold {sums.pairs} pairs with difference {sums.s}, the table {counts.n} with "
            f"{counts.only_shadow - counts.only_primary}: both must come from the same pairs; give pairs without a "
            "session one each, or leave them out of both"
        )


def residual_variance(sums: SessionSums) -> float:
    """K/(K - 1) Sum (D_k - delta m_k)^2: the variance of N delta, for two sessions or more.

    >>> residual_variance(SessionSums(2, 4, 2, 4, 4, 8, 1, 0, 1, 2))
    4.0
    """
    k, n = sums.sessions, sums.pairs
    # In integers: the three terms cancel when delta is nearly constant, and floats would leave a negative variance.
    squares = sums.v * n * n - 2 * sums.s * n * sums.dm + sums.s * sums.s * sums.mm
    return k * squares / ((k - 1) * n * n)


def _standard_error(sums: SessionSums) -> float:
    return sqrt(residual_variance(sums)) / sums.pairs


def _is_sparse(sums: SessionSums) -> bool:
    return sums.positive + sums.negative < SPARSE_SESSIONS


def _shrunk(sums: SessionSums, counts: PairCounts) -> tuple[float, float, float]:
    scale = sums.pairs / sums.mm
    return counts.only_primary * scale, counts.only_shadow * scale, counts.n * scale


def _p_below(sums: SessionSums, counts: PairCounts, delta0: float) -> float:
    """P-value of "delta >= delta0" against "delta is smaller": the larger of t and, where sparse, the score test."""
    se = _standard_error(sums)
    p_values = [float(stdtr(sums.sessions - 1, (sums.s / sums.pairs - delta0) / se))] if se else []
    if _is_sparse(sums) or not se:
        p_values.append(float(ndtr(score_z(*_shrunk(sums, counts), delta0))))
    return max(p_values)
