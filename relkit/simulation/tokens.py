"""How many tokens a request asks and is answered with, and what they cost."""

import math
from dataclasses import dataclass
from typing import Any

from relkit.exceptions import ParameterError
from relkit.simulation.draws import TOKENS, KeyedDraws
from relkit.simulation.latency import normal_quantile

_MOST_TOKENS = 1e9


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts of the requests: lognormal, rounded, at least one, and the same whatever model answers.

    Parameters
    ----------
    in_median, out_median : float
        Median count of the question and of the answer.
    in_sigma, out_sigma : float
        Spread of the logarithm.

    Raises
    ------
    ParameterError
        For a number out of range.

    Examples
    --------
    >>> Tokens(900.0, 0.5, 120.0, 0.6).in_median
    900.0
    """

    in_median: float
    in_sigma: float
    out_median: float
    out_sigma: float

    def __post_init__(self) -> None:
        for name in ("in_median", "out_median"):
            if not 1.0 <= getattr(self, name) <= _MOST_TOKENS:
                raise ParameterError.of(name, getattr(self, name), f"from 1 to {_MOST_TOKENS:g}", "give a count")
        for name in ("in_sigma", "out_sigma"):
            if not 0.0 <= getattr(self, name) <= 5.0:
                raise ParameterError.of(name, getattr(self, name), "a number from 0 to 5", "0 = always the median")


def count_at(median: float, sigma: float, draw: float) -> int:
    """Return the token count at a uniform draw.

    >>> count_at(900.0, 0.5, 0.5), count_at(2.0, 3.0, 0.001)
    (900, 1)
    """
    return max(int(min(median * math.exp(sigma * normal_quantile(draw)), 1e12) + 0.5), 1)


def billed(model: Any, tokens_in: int, tokens_out: int) -> int:
    """Return the price of a service in millionths of a dollar; a price a million tokens is one millionth a token."""
    spent = tokens_in * model.input_usd_per_million + tokens_out * model.output_usd_per_million
    return int(model.cost_microusd + int(spent + 0.5))


def counts_of(tokens: Tokens, seed: int, requests: int) -> tuple[list[int], list[int]]:
    """Return the tokens asked and answered of each request of a run.

    >>> asked, answered = counts_of(Tokens(900.0, 0.0, 120.0, 0.0), seed=1, requests=2)
    >>> asked, answered
    ([900, 900], [120, 120])
    """
    draws = KeyedDraws(seed)
    both = [draws.at(request, 0, TOKENS) for request in range(requests)]
    asked = [count_at(tokens.in_median, tokens.in_sigma, draw) for draw, _ in both]
    return asked, [count_at(tokens.out_median, tokens.out_sigma, draw) for _, draw in both]
