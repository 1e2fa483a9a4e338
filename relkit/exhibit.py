"""The Exhibit: what a defect comes to, in one number, beside the number when it is put right."""

import math
from dataclasses import dataclass

from relkit.exceptions import ParameterError


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One number of a defect, literal beside corrected.

    Parameters
    ----------
    id : str
        Of the defect, such as B01.
    what : str
        What the number counts, in a few words.
    literal, corrected : float or None
        As the defect has it, and put right; None where there is none to tell.
    unit : str
        Of both: calls, s, share, usd, ...
    note : str
        What else the reader needs to know; empty for nothing.

    Raises
    ------
    ParameterError
        For a number that is none.

    Examples
    --------
    >>> Exhibit("E17", "tries of a typo in SQL", 11, 1, "calls").literal
    11
    """

    id: str
    what: str
    literal: float | None
    corrected: float | None
    unit: str
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("literal", "corrected"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ParameterError.of(name, number, "a finite number or None", "say None where there is none")
