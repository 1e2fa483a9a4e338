"""Pseudonyms: stable under a key, unlike under another, and nothing that a pattern or a mask would touch."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.errors import clean_message, redact_text
from relkit.errors.redact import PSEUDONYM, new_key, process_key, pseudonym

KEY = bytes(range(32))


@given(st.text(max_size=80))
def test_a_pseudonym_is_the_hmac_in_letters(text):
    name = pseudonym(text, KEY)
    assert PSEUDONYM.fullmatch(name)
    digest = hmac.digest(KEY, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
    told = int(name[4:-1].translate(str.maketrans("ghijklmnop", "0123456789")), 16)
    assert told == int.from_bytes(digest[:8], "big")


@given(st.text(max_size=80))
def test_nothing_changes_a_pseudonym(text):
    name = pseudonym(text, KEY)
    assert pseudonym(name, KEY) == pseudonym(name, new_key()) == name
    assert redact_text(name) == name
    assert clean_message(name) == name


def test_ten_thousand_people_have_ten_thousand_names():
    """64 bits: two share a name with probability 3e-12."""
    names = {pseudonym(f"user{n}@example.org", KEY) for n in range(10_000)}
    assert len(names) == 10_000
    assert not names & {pseudonym(f"user{n}@example.org", new_key()) for n in range(10_000)}


def test_the_key_of_a_process_is_one_and_random():
    assert process_key() == process_key()
    assert len({new_key() for _ in range(20)}) == 20
    assert pseudonym("a", process_key()) != pseudonym("a", KEY)


@pytest.mark.parametrize("text", ["", "\0", "[id:abc]", "x" * 10_000, "\ud800"])
def test_any_text_has_one(text):
    assert PSEUDONYM.fullmatch(pseudonym(text, KEY))
