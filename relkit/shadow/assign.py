"""Who gets the shadow: a keyed hash of the session, so that a session stays where it is and a larger share only adds."""

import hashlib
from typing import Final

from relkit.exceptions import ParameterError

_BITS: Final = 64


def place_of(session_id: str, key: str) -> float:
    """Give a session its place in [0, 1), the same at every call and on every machine.

    The key makes the places of two experiments independent and keeps a client from choosing its own.

    Parameters
    ----------
    session_id : str
        The session.
    key : str
        A secret of the experiment, at most 64 bytes.

    Raises
    ------
    ParameterError
        The key is empty or too long.

    Notes
    -----
    The first 64 bits of BLAKE2b with the key (RFC 7693), over 2^64.

    Examples
    --------
    >>> round(place_of("s00001", "professional"), 4) == round(place_of("s00001", "professional"), 4)
    True
    """
    secret = key.encode()
    if not 0 < len(secret) <= hashlib.blake2b.MAX_KEY_SIZE:
        raise ParameterError.of("key", f"{len(secret)} bytes", "1 to 64 bytes", "name a key of the experiment")
    digest = hashlib.blake2b(session_id.encode(), digest_size=_BITS // 8, key=secret).digest()
    # Rounding 64 bits to a double may give 1.0 itself; 53 bits cannot.
    return (int.from_bytes(digest, "big") >> 11) / 2.0**53


def is_assigned(session_id: str, key: str, share: float) -> bool:
    """Say whether a session takes part at this share of the traffic; who is in at 10 % stays in at 25 %.

    Parameters
    ----------
    session_id, key : str
        As in `place_of`.
    share : float
        Share of the sessions, in [0, 1].

    Examples
    --------
    >>> [is_assigned("s00001", "professional", share) for share in (0.0, 1.0)]
    [False, True]
    """
    if not 0 <= share <= 1:
        raise ParameterError.of("share", share, "0 <= share <= 1", "give a share such as 0.25")
    return place_of(session_id, key) < share
