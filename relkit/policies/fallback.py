"""Which model answers when the first will not: the chain and what a step costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from relkit.exceptions import ParameterError
from relkit.policies._checks import checked_flag, checked_number, checked_whole
from relkit.policies.failure import (
    FALLBACK_CACHE,
    FALLBACK_LARGER_WINDOW,
    FALLBACK_NEXT_MODEL,
    FALLBACK_TRUNCATE,
)

AGAIN: Final = 0
OTHER_MODEL: Final = 1
TRUNCATED: Final = 2
CACHED: Final = 3
GIVE_UP: Final = 4
MOVES: Final = ("again", "other_model", "truncated", "cached", "give_up")

NO_MODEL: Final = -1
_MOST_TOKENS: Final = 10**9


@dataclass(frozen=True, slots=True)
class FallbackModel:
    """One model of a chain.

    Parameters
    ----------
    name : str
        Id of the model, as the service knows it.
    provider : str
        Who runs it, and under which key; models of one provider fail together.
    window_tokens : int
        Longest prompt it takes, in tokens.
    usd_per_million_in, usd_per_million_out : float
        Price of a million tokens read and written, US dollars.

    Examples
    --------
    >>> FallbackModel("small", "a", 8192, 0.05, 0.08).cost_microusd(1000, 500)
    90
    """

    name: str
    provider: str
    window_tokens: int
    usd_per_million_in: float = 0.0
    usd_per_million_out: float = 0.0

    def __post_init__(self) -> None:
        for field in ("name", "provider"):
            text = getattr(self, field)
            if not isinstance(text, str) or not text.strip():
                raise ParameterError.of(field, text, "a text that is not empty", "name the model and who runs it")
        checked_whole("window_tokens", self.window_tokens, 1, _MOST_TOKENS, "give the length of its window in tokens")
        for field in ("usd_per_million_in", "usd_per_million_out"):
            checked_number(field, getattr(self, field), 0.0, 1e9, "give US dollars for a million tokens")

    def cost_microusd(self, tokens_in: int, tokens_out: int) -> int:
        """Return what an answer of so many tokens costs, in millionths of a dollar."""
        return round(tokens_in * self.usd_per_million_in + tokens_out * self.usd_per_million_out)


@dataclass(frozen=True, slots=True)
class FallbackSettings:
    """The chain of models of a service.

    Parameters
    ----------
    models : tuple of FallbackModel
        In the order in which they are tried; the first is the one to be used when all is well.
    truncates : bool
        Whether a prompt that no window takes may be shortened.
    uses_budget : bool
        Whether going on to another model after a failure costs a retry of the RetryBudget, like a retry does.

    Raises
    ------
    ParameterError
        For an empty chain, or one that names a model twice.

    Examples
    --------
    >>> FallbackSettings((FallbackModel("a", "x", 8192), FallbackModel("b", "y", 32768))).windows
    (8192, 32768)
    """

    models: tuple[FallbackModel, ...]
    truncates: bool = False
    uses_budget: bool = True

    def __post_init__(self) -> None:
        names = [model.name for model in self.models]
        if not names:
            raise ParameterError.of("models", names, "at least one model", "name the model that answers")
        for name in names:
            if names.count(name) > 1:
                remedy = "a model that failed is not a fallback for itself: take it out"
                raise ParameterError.of("models", name, "every model once", remedy)
        checked_flag("truncates", self.truncates)
        checked_flag("uses_budget", self.uses_budget)

    @property
    def windows(self) -> tuple[int, ...]:
        """Return the windows of the chain in tokens, as `next_model` takes them."""
        return tuple(model.window_tokens for model in self.models)

    @property
    def providers(self) -> tuple[str, ...]:
        """Return who stands behind the chain, each once: with one provider an outage takes all models together."""
        return tuple(dict.fromkeys(model.provider for model in self.models))


def next_model(windows: Sequence[int], usable: Sequence[bool], index: int, turn: int, prompt_tokens: int) -> int:
    """Return the place of the model to try next.

    Parameters
    ----------
    windows : sequence of int
        Windows of the chain, tokens.
    usable : sequence of bool
        Which models may be asked now: those whose breaker admits a call.
    index : int
        Place of the model that failed; -1 at the start of a call, so that an open breaker decides where it starts.
    turn : int
        What the failure advises, one of `relkit.policies.failure.FALLBACKS`.
    prompt_tokens : int
        Length of the prompt, 0 when it is not known.

    Returns
    -------
    int
        Place of the first later model that is usable and takes the prompt; after a context overflow its window must
        also be larger than that of the model that failed. -1 for none.

    Examples
    --------
    >>> next_model((8192, 8192, 32768), (True, True, True), 0, FALLBACK_LARGER_WINDOW, 0)
    2
    >>> next_model((8192, 8192, 32768), (False, True, True), -1, FALLBACK_NEXT_MODEL, 0)
    1
    """
    if turn not in (FALLBACK_NEXT_MODEL, FALLBACK_LARGER_WINDOW):
        return NO_MODEL
    outgrown = windows[index] if turn == FALLBACK_LARGER_WINDOW and index >= 0 else 0
    for place in range(index + 1, len(windows)):
        if usable[place] and windows[place] > outgrown and windows[place] >= prompt_tokens:
            return place
    return NO_MODEL


def last_resort(turn: int, truncates: bool, truncated: bool, stale_answer: bool) -> int:
    """Say what is left when no model can be asked.

    Parameters
    ----------
    turn : int
        What the last failure advises, one of `relkit.policies.failure.FALLBACKS`.
    truncates, truncated : bool
        Whether prompts may be shortened, and whether this one was already.
    stale_answer : bool
        Whether there is a cached answer that `relkit.policies.freshness` allows now.

    Returns
    -------
    int
        TRUNCATED, CACHED or GIVE_UP.

    Examples
    --------
    >>> MOVES[last_resort(FALLBACK_NEXT_MODEL, False, False, True)]
    'cached'
    """
    if turn in (FALLBACK_LARGER_WINDOW, FALLBACK_TRUNCATE) and truncates and not truncated:
        return TRUNCATED
    if stale_answer and turn in (FALLBACK_NEXT_MODEL, FALLBACK_LARGER_WINDOW, FALLBACK_CACHE):
        return CACHED
    return GIVE_UP
