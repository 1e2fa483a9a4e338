"""Who gets the shadow: sticky, monotone in the share, independent between experiments, and as many as asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import ParameterError
from relkit.shadow.assign import is_assigned, place_of

SESSIONS = [f"s{number}" for number in range(20_000)]


@given(st.text(max_size=40), st.text(min_size=1, max_size=16), st.floats(0, 1), st.floats(0, 1))
def test_who_is_in_stays_in_when_the_share_grows(session: str, key: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert is_assigned(session, key, large) or not is_assigned(session, key, small)
    assert 0 <= place_of(session, key) < 1
    assert is_assigned(session, key, 1.0)
    assert not is_assigned(session, key, 0.0)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5])
def test_the_share_is_what_was_asked(share: float) -> None:
    """Binomial, within 4 standard errors."""
    found = sum(is_assigned(session, "key", share) for session in SESSIONS) / len(SESSIONS)
    assert abs(found - share) < 4 * (share * (1 - share) / len(SESSIONS)) ** 0.5


def test_two_experiments_choose_independently() -> None:
    both = sum(is_assigned(session, "one", 0.5) and is_assigned(session, "two", 0.5) for session in SESSIONS)
    assert abs(both / len(SESSIONS) - 0.25) < 4 * (0.25 * 0.75 / len(SESSIONS)) ** 0.5


def test_the_place_does_not_change_between_machines_and_versions() -> None:
    """BLAKE2b is a standard: this number is the same everywhere, or sessions would move at every deployment."""
    assert place_of("s00001", "professional") == pytest.approx(place_of("s00001", "professional"), abs=0)
    import hashlib  # noqa: PLC0415

    digest = hashlib.blake2b(b"s00001", digest_size=8, key=b"professional").digest()
    assert place_of("s00001", "professional") == (int.from_bytes(digest, "big") >> 11) / 2**53


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_a_key_is_needed_and_has_a_length(key: str) -> None:
    with pytest.raises(ParameterError, match="key"):
        place_of("s", key)


def test_a_share_is_a_share() -> None:
    with pytest.raises(ParameterError, match="share"):
        is_assigned("s", "k", 10)
