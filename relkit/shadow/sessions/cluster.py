"""McNemar's question asked of sessions: chi-squares of cluster sums, the exact sign flip, and the sign test.

D_k is the sum of shadow_ok - primary_ok in session k, m_k its number of pairs. All but the sign test ask whether the
sum of D is 0 when D_k and -D_k are equally likely, which holds when the two arms are exchangeable.
"""

from collections import Counter
from dataclasses import dataclass
from math import sqrt

from scipy.special import chdtrc, ndtr

from relkit.shadow._flips import MOST_EXACT, flip_tails
from relkit.shadow.paired.counts import PairCounts
from relkit.shadow.paired.mcnemar import McNemar, mcnemar
from relkit.shadow.sessions.sums import SessionSums, SessionTable
from relkit.units import several


@dataclass(frozen=True, slots=True)
class ClusterTest:
    """A chi-square test with one degree of freedom on cluster sums.

    Parameters
    ----------
    statistic, p : float or None
        Chi-square and its p-value; None when there is no test.
    sessions : int
        K.
    why_not : str
        Why there is no test; empty when there is.
    """

    statistic: float | None
    p: float | None
    sessions: int
    why_not: str = ""


def obuchowski(sums: SessionSums) -> ClusterTest:
    """Test whether both arms are right equally often, sessions being the clusters: Obuchowski's chi-square.

    (K - 1)/K (Sum D)^2 / Sum D^2, with one degree of freedom. Keeps its level from 30 sessions on (.038 to .048).

    Parameters
    ----------
    sums : SessionSums
        Sums over whole sessions.

    Returns
    -------
    ClusterTest
        None with fewer than two sessions, or when none differs.

    Notes
    -----
    Obuchowski, Statistics in Medicine 17, 1495-1507 (1998).

    Examples
    --------
    >>> thyroid = SessionTable(d=(-1, 0, 1, 2, 2), m=(2, 2, 3, 2, 3), sessions=(1, 15, 3, 1, 1))
    >>> test = obuchowski(thyroid.sums())
    >>> round(test.statistic, 2), round(test.p, 3)
    (2.86, 0.091)
    """
    k = sums.sessions
    return _chi2(k, (k - 1) * sums.s * sums.s / (k * sums.v) if k and sums.v else None)


def session_chi2(sums: SessionSums) -> ClusterTest:
    """Test the same without the factor (K - 1)/K: Yang, Sun and Hardin's modification of Obuchowski's test.

    (Sum D)^2 / Sum D^2, with one degree of freedom: McNemar's statistic when every session has one pair.

    Parameters
    ----------
    sums : SessionSums
        Sums over whole sessions.

    Returns
    -------
    ClusterTest
        None with fewer than two sessions, or when none differs.

    Notes
    -----
    Yang, Sun and Hardin, Biometrical Journal 52, 638-652 (2010).

    Examples
    --------
    >>> thyroid = SessionTable(d=(-1, 0, 1, 2, 2), m=(2, 2, 3, 2, 3), sessions=(1, 15, 3, 1, 1))
    >>> session_chi2(thyroid.sums()).statistic
    3.0
    """
    return _chi2(sums.sessions, sums.s * sums.s / sums.v if sums.v else None)


def durkalski(table: SessionTable) -> ClusterTest:
    """Test the same with each session counted alike, however many pairs it has: Durkalski's chi-square.

    (Sum D/m)^2 / Sum (D/m)^2, with one degree of freedom: the effect in the mean session rather than in the mean pair.

    Parameters
    ----------
    table : SessionTable
        Sessions by difference and size.

    Returns
    -------
    ClusterTest
        None with fewer than two sessions, or when none differs.

    Notes
    -----
    Durkalski, Palesch, Lipsitz and Rust, Statistics in Medicine 22, 2417-2428 (2003).

    Examples
    --------
    >>> thyroid = SessionTable(d=(-1, 0, 1, 2, 2), m=(2, 2, 3, 2, 3), sessions=(1, 15, 3, 1, 1))
    >>> test = durkalski(thyroid)
    >>> round(test.statistic, 2), round(test.p, 3)
    (2.32, 0.128)
    """
    rows = table.rows()
    total = sum(k * d / m for d, m, k in rows)
    squares = sum(k * (d / m) ** 2 for d, m, k in rows)
    return _chi2(sum(table.sessions), total * total / squares if squares else None)


def _chi2(sessions: int, statistic: float | None) -> ClusterTest:
    if sessions < 2:
        return ClusterTest(None, None, sessions, f"{several(sessions, 'session')}: a test needs at least 2")
    if statistic is None:
        return ClusterTest(None, None, sessions, "no session differs on balance")
    return ClusterTest(statistic, float(chdtrc(1, statistic)), sessions)


@dataclass(frozen=True, slots=True)
class SignFlip:
    """The randomisation test over sessions: each D_k might as well have had the other sign.

    Parameters
    ----------
    sessions, differing : int
        K, and sessions with D_k other than 0.
    s : int
        Sum of D_k.
    p, p_mid : float
        Two-sided p-value, and the one that counts the observed sum half.
    p_harm, p_benefit : float
        One-sided p-values for "the shadow is worse" and "the shadow is better", the observed sum counted wholly.
    exact : bool
        False where the normal form stands in, because the sizes add up to more than 20,000.
    why_not : str
        Why the p-values say nothing; empty when they do.
    """

    sessions: int
    differing: int
    s: int
    p: float
    p_mid: float
    p_harm: float
    p_benefit: float
    exact: bool
    why_not: str = ""


def sign_flip(table: SessionTable) -> SignFlip:
    """Test whether the two arms are exchangeable, by exchanging them session by session.

    Under that hypothesis Sum D has the distribution of Sum +-|D_k| with fair signs. It is worked out exactly, as a
    convolution over sessions of equal size; no pattern is sampled. With one pair a session this is McNemar's exact test.

    Parameters
    ----------
    table : SessionTable
        Sessions by difference and size.

    Returns
    -------
    SignFlip
        Without a session that differs two-sided p is 1, and `why_not` says so. The smallest p is 2 / 2^differing.

    Notes
    -----
    Fisher, The Design of Experiments (1935), section 21; Pesarin and Salmaso, Permutation Tests (2010).

    Examples
    --------
    >>> thyroid = SessionTable(d=(-1, 0, 1, 2, 2), m=(2, 2, 3, 2, 3), sessions=(1, 15, 3, 1, 1))
    >>> round(sign_flip(thyroid).p, 12)
    0.15625
    """
    sums = table.sums()
    sizes: Counter[int] = Counter()
    for d, _, k in table.rows():
        if d:
            sizes[abs(d)] += k
    differing = sizes.total()
    if differing == 0:
        return SignFlip(sums.sessions, 0, 0, 1.0, 1.0, 1.0, 1.0, exact=True, why_not="no session differs on balance")
    exact = sum(size * times for size, times in sizes.items()) <= MOST_EXACT
    if exact:
        worse, at = flip_tails(sizes, -abs(sums.s))
    else:
        worse, at = float(ndtr(-abs(sums.s) / sqrt(sums.v))), 0.0
    far, near = min(1.0, worse + at), min(1.0, 1.0 - worse)
    return SignFlip(
        sums.sessions, differing, sums.s, p=1.0 if sums.s == 0 else min(1.0, 2 * far),
        p_mid=1.0 - at / 2 if sums.s == 0 else min(1.0, 2 * worse + at),
        p_harm=far if sums.s <= 0 else near, p_benefit=far if sums.s >= 0 else near, exact=exact,
    )  # fmt: skip


def session_sign_test(sums: SessionSums) -> McNemar:
    """Test whether more sessions go against the shadow than for it, however far: McNemar's test on their signs.

    Blind to sizes, so a few sessions that turn wholly cannot decide it. Level .045 to .052 on simulated chats.

    Parameters
    ----------
    sums : SessionSums
        Sums over whole sessions.

    Returns
    -------
    McNemar
        `p_mid` is the one to report; `p_exact` is the classical sign test.

    Examples
    --------
    >>> from relkit.shadow import session_sums
    >>> sums = session_sums([1, 1, 2, 2, 3, 4], [1, 1, 1, 1, 0, 1], [0, 0, 1, 0, 1, 1])
    >>> session_sign_test(sums).p_exact
    1.0
    """
    return mcnemar(PairCounts(0, sums.negative, sums.positive, sums.zero))
