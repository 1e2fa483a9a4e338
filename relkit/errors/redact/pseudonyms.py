"""Names for people and sessions that can be joined on and not be read.

A pseudonym is the HMAC-SHA-256 of the text under a key, cut to 64 bits and written in sixteen letters a to p, so that no
masking of digits and no pattern touches it. Without the key nobody can tell whose it is, nor try out guesses; with
another key the same text has another name, so two data sets cannot be joined.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

KEY_BYTES: Final = 32
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
PSEUDONYM: Final = re.compile(r"\[id:[a-p]{16}\]")
# Joins hold within one process where nobody gives a key; it is made when it is first asked for and kept nowhere.
_of_this_process: list[bytes] = []


def new_key() -> bytes:
    """Draw a key of 32 bytes.

    >>> len(new_key())
    32
    """
    return secrets.token_bytes(KEY_BYTES)


def process_key() -> bytes:
    """Return the key of this process, which ends with it."""
    if not _of_this_process:
        _of_this_process.append(new_key())
    return _of_this_process[0]


def pseudonym(text: str, key: bytes) -> str:
    """Return the name that stands for a text in one data set; the name of a name is itself.

    Parameters
    ----------
    text : str
        Who it is: an id, an address.
    key : bytes
        The data set's key, 32 bytes.

    Returns
    -------
    str
        `[id:` and sixteen letters; among n different texts two share one with probability n²/2⁶⁵.

    Examples
    --------
    >>> pseudonym("jane@example.org", b"k" * 32)
    '[id:...]'
    >>> pseudonym("jane@example.org", b"k" * 32) == pseudonym("jane@example.org", b"l" * 32)
    False
    """
    if PSEUDONYM.fullmatch(text):
        return text
    digest = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return f"[id:{digest[:16].translate(_LETTERS)}]"
