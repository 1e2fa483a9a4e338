"""How often the plan's limits stop a shadow that is healthy, beside evidence: errors so far, a provider that fails, mean latency."""

import numpy as np

from relkit.shadow.naive import PLAN_ERROR_SHARE, PLAN_SLOWER_US
from relkit.shadow.plan_looks import (
    ALPHA,
    LOG_BOUND,
    SEED,
    Flagged,
    Ints,
    cells,
    discordant,
    flagged,
    said_of_each,
)
from relkit.shadow.sequential.evidence import e_pairs, e_rate


def killed(
    error_share: float,
    *,
    per_minute: int = 10,
    minutes: int = 480,
    runs: int = 2_000,
    level: float = 0.95,
    seed: int = SEED,
) -> Flagged:
    """Count the rollouts that an error limit of 5 %, looked at each minute from the first pair on, would stop.

    Parameters
    ----------
    error_share : float
        The shadow's true share of errors.
    per_minute, minutes, runs : int
        Pairs a minute, minutes of a rollout, and rollouts.
    level : float
        Confidence level of the intervals.
    seed : int
        Of the errors.

    Returns
    -------
    Flagged
        `plan` the bare share above 5 %, `ours` evidence that the share exceeds it (`e_rate`).

    Examples
    --------
    >>> found = killed(0.02, runs=200)
    >>> found.plan > 0.15 > found.ours
    True
    """
    rng = np.random.default_rng([seed, round(error_share * 10_000)])
    errors = np.cumsum(rng.binomial(per_minute, error_share, (runs, minutes)), axis=1)
    seen = per_minute * np.arange(1, minutes + 1)
    plan = np.asarray((errors / seen > PLAN_ERROR_SHARE).any(axis=1))
    is_high = errors / seen > PLAN_ERROR_SHARE  # evidence above the limit needs a share above it
    asked = np.unique(np.stack([errors[is_high], np.broadcast_to(seen, errors.shape)[is_high]], axis=1), axis=0)
    proven = {(f, n) for f, n in map(tuple, asked.tolist()) if e_rate(f, n, PLAN_ERROR_SHARE).log_e_harm >= LOG_BOUND}
    ours = np.array(
        [
            any((int(f), int(n)) in proven for f, n in zip(row[high], seen[high], strict=True))
            for row, high in zip(errors, is_high, strict=True)
        ]
    )
    return flagged(error_share, plan, ours, level)


def provider_fails(
    error_share: float = 0.07, *, pairs: int = 1_000, runs: int = 500, level: float = 0.95, seed: int = SEED
) -> Flagged:
    """Count the rollouts that are stopped while the provider fails for both arms alike.

    Parameters
    ----------
    error_share : float
        Share of errors of either arm.
    pairs, runs : int
        Pairs of a rollout, and rollouts.
    level : float
        Confidence level of the intervals.
    seed : int
        Of the pairs.

    Returns
    -------
    Flagged
        `plan` more than 5 % errors at the end, `ours` evidence that the shadow is worse than the primary.

    Examples
    --------
    >>> found = provider_fails(runs=100)
    >>> found.plan > 0.9 > 0.06 > found.ours
    True
    """
    rng = np.random.default_rng([seed, pairs, round(error_share * 10_000)])
    tables: Ints = rng.multinomial(pairs, cells(0.0, 1 - error_share), runs)
    plan = np.asarray((tables[:, 1] + tables[:, 3]) / pairs > PLAN_ERROR_SHARE)
    ours = said_of_each(discordant(tables), lambda counts: e_pairs(counts).log_e_harm >= LOG_BOUND)
    return flagged(error_share, plan, ours, level)


def slower(
    pairs: int = 50,
    *,
    timeouts: float = 0.02,
    timeout_s: float = 30.0,
    runs: int = 2_000,
    level: float = 0.95,
    seed: int = SEED,
) -> Flagged:
    """Count the runs of two equally fast arms in which the shadow counts as slower.

    Parameters
    ----------
    pairs, runs : int
        Pairs of a run, and runs.
    timeouts : float
        Share of the answers of each arm that take the whole time-out.
    timeout_s : float
        The time-out, seconds.
    level : float
        Confidence level of the intervals.
    seed : int
        Of the latencies, log-normal with median 450 ms and sigma 0.6.

    Returns
    -------
    Flagged
        `plan` the mean more than 500 ms above the primary's, `ours` Wilcoxon's signed-rank test of log ratios saying "slower".

    Notes
    -----
    Wilcoxon, Biometrics Bulletin 1 (1945); here by its normal approximation, one-sided at 2.5 %.

    Examples
    --------
    >>> found = slower(runs=300)
    >>> found.plan > 0.2 > 0.06 > found.ours
    True
    """
    from scipy.stats import wilcoxon  # noqa: PLC0415  slow to load, and only this needs it

    rng = np.random.default_rng([seed, pairs])
    arms = 0.45 * np.exp(0.6 * rng.standard_normal((2, runs, pairs)))
    arms[rng.random(arms.shape) < timeouts] = timeout_s
    plan = (arms[1] - arms[0]).mean(axis=1) * 1e6 > PLAN_SLOWER_US
    ratios = np.log(arms[1] / arms[0])
    p = wilcoxon(ratios, axis=1, alternative="greater", method="asymptotic").pvalue
    return flagged(float(pairs), plan, np.asarray(p < ALPHA / 2), level)
