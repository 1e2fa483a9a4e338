"""A pair worth reading."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One pair of a stratum, as a reader of the page sees it.

    Parameters
    ----------
    stratum : str
        In which way the two disagree.
    pair_id : str
        Which pair.
    segment : str or None
        Its segment.
    turn : int or None
        Its turn within the session.
    primary_action, shadow_action : str or None
        What each did.
    primary_body, shadow_body : str or None
        What each said, redacted; None where no texts are kept.
    of : int
        Pairs in the stratum.

    Examples
    --------
    >>> Disagreement("neither right", "x1", "en", 1, "clarify", "clarify", None, None, 535).of
    535
    """

    stratum: str
    pair_id: str
    segment: str | None
    turn: int | None
    primary_action: str | None
    shadow_action: str | None
    primary_body: str | None
    shadow_body: str | None
    of: int
