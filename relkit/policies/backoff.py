"""How long to wait before a retry: the formulas, one a family, with the draw as an argument.

A draw is uniform in [0, 1). Nothing here keeps time, draws or raises, so that the same functions run live, compiled
in the simulator and in the proofs.
"""

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from relkit.policies.retry_settings import RetrySettings

NO_WAIT: Final = 0
FIXED: Final = 1
LINEAR: Final = 2
EXPONENTIAL: Final = 3
EXPONENTIAL_LESS_ONE: Final = 4
DECORRELATED: Final = 5
DECORRELATED_RISING: Final = 6
POLLY: Final = 7
BACKOFFS: Final = (
    "no_wait",
    "fixed",
    "linear",
    "exponential",
    "exponential_less_one",
    "decorrelated",
    "decorrelated_rising",
    "polly",
)

NO_JITTER: Final = 0
FULL: Final = 1
EQUAL: Final = 2
PROPORTIONAL: Final = 3
ADDITIVE: Final = 4
JITTERS: Final = (
    "no_jitter",
    "full",
    "equal",
    "proportional",
    "additive",
)

# Beyond this no double can grow further without becoming infinite, and no cap is larger.
_LARGEST: Final = 1e300
_MOST_DOUBLINGS: Final = 900.0
_LN_2: Final = 0.6931471805599453


def grown(growth: float, times: int) -> float:
    """Multiply 1 by `growth` so many times.

    Repeated multiplication, not a power: compiled and interpreted integer powers differ in their last digit.

    >>> grown(2.0, 5), grown(1.5, 2), grown(2.0, 10**6) > 1e299
    (32.0, 2.25, True)
    """
    product = 1.0
    if growth <= 1.0:
        return product
    left = times
    while left > 0 and product < _LARGEST:
        product = product * growth
        left -= 1
    return product


def plain_wait_s(cfg: "RetrySettings", granted: int) -> float:
    """Return the wait before jitter, factor and cap, in seconds.

    Parameters
    ----------
    cfg : RetrySettings
        A family without memory: no_wait, fixed, linear, exponential or exponential_less_one.
    granted : int
        Retries granted before this one, from 0.

    Returns
    -------
    float
        With n = granted: first; first + step n; first growth^n; or first (growth^(n+1) - 1), which stops growing once
        it is above the cap (Envoy, backoff_strategy.cc).
    """
    if cfg.backoff == NO_WAIT:
        return 0.0
    if cfg.backoff == FIXED:
        return cfg.first_delay_s
    if cfg.backoff == LINEAR:
        return cfg.first_delay_s + cfg.step_s * granted
    if cfg.backoff == EXPONENTIAL:
        return cfg.first_delay_s * grown(cfg.growth, granted)
    power = cfg.growth
    left = granted
    while left > 0 and cfg.first_delay_s * (power - 1.0) <= cfg.cap_s and power < _LARGEST:
        power = power * cfg.growth
        left -= 1
    return cfg.first_delay_s * (power - 1.0)


def jittered_s(cfg: "RetrySettings", wait_s: float, draw: float) -> float:
    """Spread a wait by the draw, in seconds.

    Parameters
    ----------
    cfg : RetrySettings
        Its `jitter`, `jitter_share`, `jitter_s` and `floor_s`.
    wait_s : float
        The wait to spread, at least `floor_s`.
    draw : float
        Uniform in [0, 1).

    Returns
    -------
    float
        full: U(floor, wait); equal: wait/2 + U(0, wait/2); proportional: wait U(1-share, 1+share); additive:
        wait + U(0, jitter_s). Sources: AWS architecture blog "Exponential backoff and jitter" (2015) for the first
        two, Polly 8 and gRPC A6 for the third, stamina and tenacity for the last.
    """
    if cfg.jitter == FULL:
        return cfg.floor_s + (wait_s - cfg.floor_s) * draw
    if cfg.jitter == EQUAL:
        half_s = wait_s * 0.5
        return half_s + half_s * draw
    if cfg.jitter == PROPORTIONAL:
        return wait_s * (1.0 - cfg.jitter_share + 2.0 * cfg.jitter_share * draw)
    if cfg.jitter == ADDITIVE:
        return wait_s + cfg.jitter_s * draw
    return wait_s


def remembering_wait_s(cfg: "RetrySettings", granted: int, carried: float, draw: float) -> tuple[float, float]:
    """Return the wait of a family that remembers, and what it remembers next.

    Parameters
    ----------
    cfg : RetrySettings
        A family with its own jitter: decorrelated, decorrelated_rising or polly.
    granted : int
        Retries granted before this one, from 0.
    carried : float
        What the last call of this function returned as its second value; 0 at the start.
    draw : float
        Uniform in [0, 1).

    Returns
    -------
    tuple of float
        decorrelated: min(cap, U(first, 3 last)) with last = first at the start (AWS blog, 2015). decorrelated_rising:
        first, then U(last, min(3 last, cap)) (Finagle, Backoff.scala). polly: with t = n + u,
        p = 2^t tanh(sqrt(4t)): (p - p of the retry before) / 1.4 first (Polly 8, RetryHelper.cs).
    """
    if cfg.backoff == POLLY:
        point = granted + draw
        if point >= _MOST_DOUBLINGS:
            return cfg.cap_s, carried
        # 2^u and tanh by way of exp: a compiler turns pow(2, u) into another function, with another last digit.
        rise = math.expm1(2.0 * math.sqrt(4.0 * point))
        reached = grown(2.0, granted) * math.exp(draw * _LN_2) * (rise / (rise + 2.0))
        return (reached - carried) * (1 / 1.4) * cfg.first_delay_s, reached
    last_s = cfg.first_delay_s if granted == 0 else carried
    if cfg.backoff == DECORRELATED:
        wait_s = cfg.first_delay_s + (3.0 * last_s - cfg.first_delay_s) * draw
        wait_s = min(wait_s, cfg.cap_s)
        return wait_s, wait_s
    if granted == 0:
        return last_s, last_s
    wait_s = last_s + (min(3.0 * last_s, cfg.cap_s) - last_s) * draw
    return wait_s, wait_s


def backoff_s(cfg: "RetrySettings", granted: int, carried: float, factor: float, draw: float) -> tuple[float, float]:
    """Return the wait before the next retry and what the family remembers.

    The order is: formula, factor, cap, floor, jitter; with `cap_after_jitter` the cap comes after the jitter, and
    with `plan_factors` the factor comes after everything, as the plan has it.

    Parameters
    ----------
    cfg : RetrySettings
        The settings.
    granted : int
        Retries granted before this one, from 0.
    carried : float
        Memory of the families that have one; 0 at the start.
    factor : float
        Multiplier for the kind of error and the server's load, > 0.
    draw : float
        Uniform in [0, 1).

    Returns
    -------
    tuple of float
        Seconds to wait, at least 0, and the memory to hand in next time.

    Examples
    --------
    >>> from relkit.policies.retry_settings import RetrySettings
    >>> cfg = RetrySettings(backoff=EXPONENTIAL, first_delay_s=0.1, growth=2.0, cap_s=0.5, jitter=NO_JITTER)
    >>> [backoff_s(cfg, n, 0.0, 1.0, 0.5)[0] for n in range(4)]
    [0.1, 0.2, 0.4, 0.5]
    """
    early = 1.0 if cfg.plan_factors else factor
    if cfg.backoff >= DECORRELATED:
        wait_s, carried = remembering_wait_s(cfg, granted, carried, draw)
        wait_s = max(min(wait_s * early, cfg.cap_s), cfg.floor_s)
    else:
        wait_s = plain_wait_s(cfg, granted) * early
        if not cfg.cap_after_jitter:
            wait_s = min(wait_s, cfg.cap_s)
        wait_s = jittered_s(cfg, max(wait_s, cfg.floor_s), draw)
        if cfg.cap_after_jitter:
            wait_s = max(min(wait_s, cfg.cap_s), cfg.floor_s)
    if cfg.plan_factors:
        wait_s = wait_s * factor
    return wait_s, carried
