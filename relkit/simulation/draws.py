"""Keyed random numbers: a draw is a function of (seed, request, attempt, purpose) and of nothing that happened before.

So two policies meet the same luck, request by request, and the difference between them is theirs. The generator is
Philox4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011), which
passes BigCrush and whose known answers the tests hold. Each block of four words gives two draws.

The same source runs on the scalars of the compiled kernel and on the arrays of the oracle.
"""

from typing import Any, Final

import numpy as np

from relkit.simulation.demo_draws import Floats

# What a block is drawn for; the two draws of each are named in that order.
ARRIVAL: Final = 0  # gap before the request, key it asks for
REQUEST: Final = 1  # whether it is invalid, which client sends it
ATTEMPT: Final = 2  # error, service time
EPISODE: Final = 3  # error of the episode, whether and where the stream is cut
WAIT: Final = 4  # jitter of the retry, nothing
TOKENS: Final = 5  # tokens asked, tokens answered
SESSION: Final = 6  # which running session takes the request, whether that was its last turn
LUCK: Final = 7  # luck of a session, nothing; the session's number stands for the request's
BURST: Final = 8  # good and bad time; the burst's number stands for the request's, the episode's for the attempt's
PAIR: Final = 9  # of a mirrored turn; several blocks, numbered as attempts
PAIRED_SESSION: Final = 10  # of a mirrored session, as well; its number stands for the request's
VISIT: Final = 11  # when a visit begins, how many follow; then the gaps: the number of the visit or follower stands for the request's
PERMIT: Final = 16  # the breaker's own draw, nothing; the place of the model in the chain is added
STATES: Final = 1 << 20  # lengths of the states of a modulated process, nothing; the process's number is added

_MULTIPLY_A: Final = np.uint64(0xD2511F53)
_MULTIPLY_B: Final = np.uint64(0xCD9E8D57)
_WEYL_A: Final = np.uint64(0x9E3779B9)
_WEYL_B: Final = np.uint64(0xBB67AE85)
_WORD: Final = np.uint64(0xFFFFFFFF)
_HALF: Final = np.uint64(32)
_CUT_HIGH: Final = np.uint64(6)
_CUT_LOW: Final = np.uint64(5)
_SHIFT: Final = np.uint64(27)
_TO_UNIT: Final = 1.0 / 9007199254740992.0  # 2^-53
_ROUNDS: Final = 10


def philox(a: Any, b: Any, c: Any, d: Any, key_a: Any, key_b: Any) -> tuple[Any, Any, Any, Any]:
    """Mix a counter of four words under a key of two; each word is a uint64 below 2^32, or an array of them.

    >>> zero = np.uint64(0)
    >>> [f"{int(word):08x}" for word in philox(zero, zero, zero, zero, zero, zero)]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    for _ in range(_ROUNDS):
        first, second = _MULTIPLY_A * a, _MULTIPLY_B * c
        a, b, c, d = (second >> _HALF) ^ b ^ key_a, second & _WORD, (first >> _HALF) ^ d ^ key_b, first & _WORD
        key_a = (key_a + _WEYL_A) & _WORD
        key_b = (key_b + _WEYL_B) & _WORD
    return a, b, c, d


def joined(high: Any, low: Any) -> Any:
    """Make 53 bits of two words: the upper 26 of the one and the upper 27 of the other."""
    return ((high >> _CUT_HIGH) << _SHIFT) | (low >> _CUT_LOW)


def drawn(seed: int, request: int, attempt: int, purpose: int) -> tuple[float, float]:
    """Return both draws of a block, uniform in [0, 1); this one is for the compiled kernel.

    Parameters
    ----------
    seed : int
        At least 0 and below 2^63.
    request, attempt : int
        Number of the request from 0, and of its attempt, 0 for what concerns the request as a whole.
    purpose : int
        One of the purposes of this module.

    Returns
    -------
    tuple of float
        The two draws.

    Examples
    --------
    >>> first, second = drawn(1, 2, 3, ATTEMPT)
    >>> bool(first == drawn_many(1, 2, 4, 3, ATTEMPT)[0][0]), bool(0.0 <= second < 1.0)
    (True, True)
    """
    whole, start = np.uint64(request), np.uint64(seed)
    a, b, c, d = philox(
        whole & _WORD, whole >> _HALF, np.uint64(attempt), np.uint64(purpose), start & _WORD, start >> _HALF
    )
    return joined(a, b) * _TO_UNIT, joined(c, d) * _TO_UNIT


def drawn_many(seed: int, first: int, end: int, attempt: int, purpose: int) -> tuple[Floats, Floats]:
    """Return the draws of the requests from `first` to before `end`, as two arrays; see `drawn`."""
    whole = np.arange(first, end, dtype=np.uint64)
    start = np.uint64(seed)
    attempts, purposes = np.full_like(whole, attempt), np.full_like(whole, purpose)
    a, b, c, d = philox(whole & _WORD, whole >> _HALF, attempts, purposes, start & _WORD, start >> _HALF)
    return joined(a, b) * _TO_UNIT, joined(c, d) * _TO_UNIT


class KeyedDraws:
    """The draws of one seed one by one, made in blocks of requests: what the oracle reads.

    Parameters
    ----------
    seed : int
        The seed.

    Examples
    --------
    >>> KeyedDraws(1).at(2, 3, ATTEMPT) == tuple(map(float, drawn(1, 2, 3, ATTEMPT)))
    True
    """

    _LENGTH: Final = 256

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._blocks: dict[tuple[int, int, int], tuple[list[float], list[float]]] = {}

    def at(self, request: int, attempt: int, purpose: int) -> tuple[float, float]:
        """Return both draws of a block."""
        number, place = divmod(request, self._LENGTH)
        key = (number, attempt, purpose)
        block = self._blocks.get(key)
        if block is None:
            start = number * self._LENGTH
            one, two = drawn_many(self.seed, start, start + self._LENGTH, attempt, purpose)
            block = self._blocks[key] = (one.tolist(), two.tolist())
        return block[0][place], block[1][place]
