"""Keyed draws: the generator's published answers, one source for scalars and arrays, uniform and unrelated."""

import numpy as np
import pytest
from scipy import stats

from relkit.simulation.compiled import compiled
from relkit.simulation.draws import ARRIVAL, ATTEMPT, EPISODE, PERMIT, WAIT, KeyedDraws, drawn, drawn_many, philox

PURPOSES = (ARRIVAL, ATTEMPT, EPISODE, WAIT, PERMIT)

# Random123, kat_vectors: philox4x32 10
KNOWN = [
    ((0,) * 4, (0,) * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_its_known_answers(counter: tuple[int, ...], key: tuple[int, ...], answer: str) -> None:
    words = philox(*map(np.uint64, (*counter, *key)))
    assert " ".join(f"{int(word):08x}" for word in words) == answer


@compiled
def _both(seed: int, request: int, attempt: int, purpose: int) -> tuple[float, float]:
    return drawn(seed, request, attempt, purpose)


def test_the_kernel_draws_what_the_oracle_draws() -> None:
    import relkit.simulation.kernel  # noqa: F401, PLC0415  it makes `drawn` callable from compiled code

    keyed = KeyedDraws((1 << 61) + 5)
    for request in (0, 1, 255, 256, 70_000, (1 << 33) + 7):
        for attempt in (0, 1, 9):
            for purpose in PURPOSES:
                seen = _both((1 << 61) + 5, request, attempt, purpose)
                assert seen == keyed.at(request, attempt, purpose)


def test_draws_are_uniform_and_those_of_a_block_unrelated() -> None:
    """60 tests at 1e-4 each: a false alarm in one run of 170."""
    for seed in range(10):
        for purpose in (ARRIVAL, ATTEMPT, WAIT):
            one, two = drawn_many(seed, 0, 20_000, 1, purpose)
            assert stats.kstest(one, "uniform").pvalue > 1e-4
            assert abs(np.corrcoef(one, two)[0, 1]) * np.sqrt(len(one)) < stats.norm.isf(0.5e-4)


def test_neighbours_in_every_part_of_the_key_are_unrelated() -> None:
    """5 correlations at 1e-5 each."""
    base = drawn_many(7, 0, 50_000, 1, ATTEMPT)[0]
    others = [
        drawn_many(8, 0, 50_000, 1, ATTEMPT)[0],
        drawn_many(7, 1, 50_001, 1, ATTEMPT)[0],
        drawn_many(7, 0, 50_000, 2, ATTEMPT)[0],
        drawn_many(7, 0, 50_000, 1, EPISODE)[0],
        drawn_many(7 + (1 << 32), 0, 50_000, 1, ATTEMPT)[0],
    ]
    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) * np.sqrt(len(base)) < stats.norm.isf(0.5e-5)
    assert len({tuple(other[:3]) for other in (base, *others)}) == 6
