"""E-values: how strongly the data so far speak against no difference, at whichever look this is."""

from dataclasses import dataclass
from math import exp, inf, log, log1p, sqrt
from typing import Final

from scipy.special import betainc, betaln, log_ndtr

from relkit.exceptions import ParameterError
from relkit.shadow._checks import checked_alpha, whole
from relkit.shadow.paired.counts import PairCounts

DEFAULT_PRIOR: Final = 10.0
"""Beta(10, 10) on the share of discordant pairs that favour the shadow: most alert to shares of .3 to .7."""

_LOG_2 = log(2.0)
# Below this an incomplete beta integral has lost its digits, or all of them.
_UNDERFLOW = 1e-290


@dataclass(frozen=True, slots=True)
class Evidence:
    """How strongly the data so far speak against "no difference".

    Parameters
    ----------
    log_e, log_e_harm, log_e_benefit : float
        Natural logarithm of the e-value: either way, shadow worse, shadow better. At ln(1/alpha) = 3.0 (alpha = .05)
        the hypothesis falls.
    p, p_harm, p_benefit : float
        min(1, 1/E) at this look; for the running p-value over looks see `watch_pairs`.
    """

    log_e: float
    log_e_harm: float
    log_e_benefit: float
    p: float
    p_harm: float
    p_benefit: float


def e_pairs(counts: PairCounts, prior: float = DEFAULT_PRIOR) -> Evidence:
    """Weigh the discordant pairs with a Beta-binomial mixture.

    E = B(b + a, c + a)/B(a, a) 2^(b + c), a the prior; for harm alone twice E times the posterior probability that more
    than half of the discordant pairs favour the primary. Each discordant pair must be a fair coin given the past, which
    turns of one session are not: use `e_sessions` there (pair-level E on such data: any-look false alarms .28).

    Parameters
    ----------
    counts : PairCounts
        All pairs so far.
    prior : float
        Declared beforehand, above 0: larger is more alert to small differences, later.

    Returns
    -------
    Evidence
        E = 1 without discordant pairs.

    Notes
    -----
    Robbins, Annals of Mathematical Statistics 41 (1970); Ramdas, Grunwald, Vovk and Shafer, Statistical Science 38
    (2023).

    Examples
    --------
    >>> evidence = e_pairs(PairCounts(0, 6, 16, 0), prior=1.0)
    >>> round(exp(evidence.log_e), 6), round(evidence.p, 6)
    (2.444092, 0.40915)
    """
    checked_prior(prior)
    b, c = counts.only_primary, counts.only_shadow
    base = (b + c) * _LOG_2 - float(betaln(prior, prior))
    harm, benefit = base + _log_below_half(c + prior, b + prior), base + _log_below_half(b + prior, c + prior)
    return _evidence(base + float(betaln(b + prior, c + prior)), harm + _LOG_2, benefit + _LOG_2)


def e_sessions(s: float, v: float, rho: float) -> Evidence:
    """Weigh session sums with the self-normalised normal mixture.

    log E = ln(rho/(V + rho))/2 + S^2/(2 (V + rho)); for harm alone ln(2 Phi(-S/sqrt(V + rho))) on top. Exact when D_k and
    -D_k are equally likely given the past (exchangeable arms), whatever their sizes.

    Parameters
    ----------
    s, v : float
        Sum of D_k and of D_k squared, over whole sessions.
    rho : float
        Tuning, above 0: `mixture_rho`.

    Returns
    -------
    Evidence
        E = 1 without a session that differs.

    Notes
    -----
    Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49, 1055-1080 (2021); de la Pena, Annals of Probability 27
    (1999), for the self-normalised form.

    Examples
    --------
    >>> round(e_sessions(10, 100, mixture_rho(100)).log_e, 7)
    -0.6510052
    """
    _check_rho(rho)
    width = v + rho
    log_e = -log1p(v / rho) / 2 + s * s / (2 * width)
    at = s / sqrt(width)
    return _evidence(log_e, log_e + _LOG_2 + float(log_ndtr(-at)), log_e + _LOG_2 + float(log_ndtr(at)))


def e_rate(failures: int, n: int, limit: float) -> Evidence:
    """Weigh whether a share of failures exceeds a limit, one-sided: harm is "above", benefit and both ways are not asked.

    E = integral over theta > limit of the Beta(1/2, 1/2) mixture of likelihoods, over the likelihood at the limit. A
    rule "more than 5 % of what came so far" kills 25 % of healthy rollouts at a true 2 %; this kills at most alpha.

    Parameters
    ----------
    failures, n : int
        Events counted, out of how many.
    limit : float
        The share that is still acceptable, in (0, 1).

    Returns
    -------
    Evidence
        log_e and log_e_harm are the same number; log_e_benefit is 0.

    Notes
    -----
    As `e_pairs`; the mixture is cut at the limit, so E is valid for every share below it.

    Examples
    --------
    >>> early, later = e_rate(1, 1, 0.05), e_rate(30, 200, 0.05)
    >>> early.p_harm > 0.05, later.p_harm < 0.001
    (True, True)
    """
    failures, n = whole("failures", failures), whole("n", n)
    if failures > n:
        raise ParameterError.of("failures", failures, f"at most n = {n}", "count the failures among the n")
    if not 0 < limit < 1:
        raise ParameterError.of("limit", limit, "0 < limit < 1", "pass a share: 0.05 is 5 %")
    good = n - failures
    mixed = _log_incomplete(good + 0.5, failures + 0.5, 1 - limit) - _log_incomplete(0.5, 0.5, 1 - limit)
    log_e = mixed - failures * log(limit) - good * log1p(-limit)
    return _evidence(log_e, log_e, 0.0)


def mixture_rho(v_opt: float, alpha: float = 0.05) -> float:
    """Tune the normal mixture so that its boundary is tightest about when V reaches a given value.

    rho = v_opt/(2 ln(1/alpha) + ln(1 + 2 ln(1/alpha))).

    Parameters
    ----------
    v_opt : float
        Sum of D_k squared that is expected at the horizon (without sessions: discordant pairs), above 0.
    alpha : float
        In (0, 1).

    Returns
    -------
    float
        rho.

    Notes
    -----
    Howard et al. (2021), section 3.5.

    Examples
    --------
    >>> round(mixture_rho(100), 5)
    12.60056
    """
    if not 0 < v_opt < inf:
        raise ParameterError.of("v_opt", v_opt, "a number above 0", "the discordant pairs expected at the horizon")
    twice = -2 * log(checked_alpha(alpha))
    return v_opt / (twice + log1p(twice))


def mixture_bound(v: float, rho: float, alpha: float = 0.05) -> float:
    """Give the |S| at which the two-sided normal mixture reaches 1/alpha.

    sqrt((V + rho)(2 ln(1/alpha) + ln((V + rho)/rho))).

    Parameters
    ----------
    v : float
        Sum of D_k squared so far, 0 or more.
    rho : float
        Tuning, above 0.
    alpha : float
        In (0, 1).

    Returns
    -------
    float
        The bound; no S ever leaves it, with probability 1 - alpha, when there is no difference.

    Examples
    --------
    >>> round(mixture_bound(100, mixture_rho(100)), 5)
    30.35209
    """
    _check_rho(rho)
    return sqrt((v + rho) * (log1p(v / rho) - 2 * log(checked_alpha(alpha))))


def checked_prior(prior: float) -> float:
    """Take the prior of a Beta mixture.

    >>> checked_prior(10.0)
    10.0
    """
    if not 0 < prior < inf:
        raise ParameterError.of("prior", prior, "a number above 0", "10 unless the protocol says otherwise")
    return prior


def _evidence(log_e: float, log_harm: float, log_benefit: float) -> Evidence:
    return Evidence(
        log_e, log_harm, log_benefit, *(min(1.0, exp(-max(0.0, x))) for x in (log_e, log_harm, log_benefit))
    )


def _log_below_half(p: float, q: float) -> float:
    return _log_incomplete(p, q, 0.5)


def _log_incomplete(p: float, q: float, x: float) -> float:
    """Natural logarithm of the integral of t^(p - 1) (1 - t)^(q - 1) from 0 to x."""
    regular = float(betainc(p, q, x))
    if regular > _UNDERFLOW:
        return log(regular) + float(betaln(p, q))
    # So far out in the tail the series x^p (1 - x)^q / p * 2F1(p + q, 1; p + 1; x) has falling positive terms.
    term = total = 1.0
    k = 0
    while term > 1e-16 * total:
        term *= (p + q + k) / (p + 1 + k) * x
        total += term
        k += 1
    return p * log(x) + q * log1p(-x) - log(p) + log(total)


def _check_rho(rho: float) -> None:
    if not 0 < rho < inf:
        raise ParameterError.of("rho", rho, "a number above 0", "take mixture_rho(v_opt)")
