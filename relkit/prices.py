"""What calls cost: the cost a log states wins, else tokens times price; what has neither is unknown and named, never 0."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum

from relkit.exceptions import DataError
from relkit.units import MICROUSD_PER_USD, count, dollars, several

NO_MODEL = "calls without a model"


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars per million tokens.

    >>> Price(0.05, 0.08).output_usd_per_million
    0.08
    """

    input_usd_per_million: float
    output_usd_per_million: float


@dataclass(frozen=True, slots=True)
class Use:
    """What the calls of one model of one service used, added up.

    Parameters
    ----------
    service, model : str or None
        Whom was called; None where the log does not say.
    calls : int
        Calls, whatever became of them.
    costed_calls, cost_microusd : int
        Those whose cost the log states, and that cost in millionths of a US dollar.
    token_calls, tokens_in, tokens_out : int
        Those without a cost but with tokens, and their tokens.

    >>> Use(None, "m", calls=3, costed_calls=1, cost_microusd=250).calls
    3
    """

    service: str | None
    model: str | None
    calls: int
    costed_calls: int = 0
    cost_microusd: int = 0
    token_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def __post_init__(self) -> None:
        if self.calls < self.costed_calls + self.token_calls:
            told = f"{self.costed_calls} with a cost and {self.token_calls} with tokens"
            raise DataError(f"use of {self.model}: {told} are more than its {self.calls} calls; count again")


@dataclass(frozen=True, slots=True)
class Money:
    """What some calls cost, as far as it is known.

    Parameters
    ----------
    usd : float or None
        US dollars of the priced calls; None when no call is priced.
    calls, priced_calls : int
        Calls, and those whose cost is known.
    no_price : tuple of str
        Models whose calls state tokens but that have no price.
    no_tokens : tuple of str
        Models of calls that state neither cost nor tokens.

    >>> Money(None, 4, 0, no_price=("m",)).text
    'no price for m'
    """

    usd: float | None
    calls: int
    priced_calls: int
    no_price: tuple[str, ...] = ()
    no_tokens: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The amount as people read it, with what is missing from it."""
        missing = []
        if self.no_price:
            missing.append(f"no price for {', '.join(self.no_price)}")
        if self.no_tokens:
            missing.append(f"neither cost nor tokens logged for {', '.join(self.no_tokens)}")
        if self.usd is None:
            return "; ".join(missing) or "no calls"
        if not missing:
            return dollars(self.usd)
        return (
            f"{dollars(self.usd)} for {count(self.priced_calls)} of {several(self.calls, 'call')}; {'; '.join(missing)}"
        )

    @property
    def usd_per_call(self) -> float | None:
        """Mean cost of the priced calls in US dollars; None when there is none."""
        return None if self.usd is None or not self.priced_calls else self.usd / self.priced_calls


def money_of(uses: Iterable[Use], prices: Mapping[str, Price]) -> Money:
    """Add up what calls cost.

    Parameters
    ----------
    uses : iterable of Use
        What was called.
    prices : mapping of str to Price
        Model to price.

    Returns
    -------
    Money
        For each call the cost of the log, else tokens x price / 10^6, else the call is not priced and its model is named.

    Examples
    --------
    >>> seen = [Use("groq", "m", 2, 1, 130, 1, 1000, 500), Use("groq", "n", 1, 0, 0, 1, 10, 10)]
    >>> money_of(seen, {"m": Price(0.05, 0.08)}).text
    '$0.00022 for 2 of 3 calls; no price for n'
    """
    amounts: list[float] = []
    calls = priced = 0
    no_price: set[str] = set()
    no_tokens: set[str] = set()
    for use in uses:
        name = use.model or NO_MODEL
        calls += use.calls
        if use.costed_calls:
            amounts.append(use.cost_microusd / MICROUSD_PER_USD)
            priced += use.costed_calls
        if use.token_calls:
            price = prices.get(name)
            if price is None:
                no_price.add(name)
            else:
                amounts += [
                    use.tokens_in * price.input_usd_per_million / 1e6,
                    use.tokens_out * price.output_usd_per_million / 1e6,
                ]
                priced += use.token_calls
        if use.calls > use.costed_calls + use.token_calls:
            no_tokens.add(name)
    return Money(fsum(amounts) if priced else None, calls, priced, tuple(sorted(no_price)), tuple(sorted(no_tokens)))
