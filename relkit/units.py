"""Seconds, milliseconds, dollars and shares: the conversions and the way people read them.

Tables hold integers (microseconds, counts, millionths of a dollar); people read seconds, dollars and percent.
"""

import math
import unicodedata
from fractions import Fraction

US_PER_SECOND = 1_000_000
US_PER_MINUTE = 60 * US_PER_SECOND
US_PER_HOUR = 60 * US_PER_MINUTE
US_PER_DAY = 24 * US_PER_HOUR
MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 1_440
HOURS_PER_DAY = 24
SECONDS_PER_MINUTE = 60
MICROUSD_PER_USD = 1_000_000
# Below so many seconds, a span is told in this unit of so many seconds.
_SPANS = (
    (0.9995, 1e-3, "ms"),
    (99.5, 1.0, "s"),
    (99.5 * 60, 60.0, "min"),
    (99.5 * 3600, 3600.0, "h"),
    (math.inf, 86400.0, "days"),
)


def percent(share: float, digits: int = 2) -> str:
    """Write a share in [0, 1] as percent.

    >>> percent(0.99904)
    '99.90 %'
    """
    return f"{100 * share:.{digits}f} %"


def points(difference: float, digits: int = 2) -> str:
    """Write a difference of two shares as percentage points with its sign.

    >>> points(-0.008)
    '−0.80 pt'
    """
    return signed(100 * difference, digits) + " pt"


def signed(number: float, digits: int = 2) -> str:
    """Write a number with its sign, using the true minus sign; zero has none.

    >>> signed(-1.5, 1), signed(0.001, 2)
    ('−1.5', '0.00')
    """
    text = f"{number:+.{digits}f}"
    if float(text) == 0:
        return text[1:]
    return text.replace("-", "−")


def count(number: float) -> str:
    """Write a whole number with a thin gap between thousands.

    >>> count(1234567)
    '1\\u202f234\\u202f567'
    """
    return f"{round(number):,}".replace(",", "\u202f")


def several(number: float, noun: str, nouns: str = "") -> str:
    """Write a count with its noun; `nouns` is the plural where an s does not make it.

    >>> several(1, "row"), several(1200, "request"), several(2, "try", "tries")
    ('1 row', '1\\u202f200 requests', '2 tries')
    """
    return f"{count(number)} {noun if round(number) == 1 else nouns or noun + 's'}"


def duration(seconds: float) -> str:
    """Write a span of time to three figures, in a unit people read.

    >>> duration(0.25), duration(90), duration(5400), duration(200000)
    ('250 ms', '90 s', '90 min', '55.6 h')
    """
    _, size, unit = next((span for span in _SPANS if abs(seconds) < span[0]), _SPANS[-1])
    amount = seconds / size
    digits = 0 if abs(amount) >= 99.5 or amount == round(amount) else 1 if abs(amount) >= 9.95 else 2
    return f"{amount:.{digits}f} {unit}"


def dollars(usd: float) -> str:
    """Write an amount of US dollars with cents, or with three figures below ten cents.

    >>> dollars(12.5), dollars(0.00013)
    ('$12.50', '$0.00013')
    """
    return f"${usd:,.2f}" if abs(usd) >= 0.1 or usd == 0 else f"${usd:.3g}"


def exact_share(text: str) -> Fraction:
    """Read a share written as decimal text into an exact rational.

    >>> exact_share("0.999")
    Fraction(999, 1000)
    """
    return Fraction(text.strip())


def printable(line: str) -> str:
    """Show what a terminal would act on as what it is: log text may hold escape sequences and direction marks.

    >>> printable("a\x1b[31mb 1\u202f000")
    'a\\\\x1b[31mb 1\u202f000'
    """
    return "".join(
        mark if mark.isprintable() or unicodedata.category(mark) == "Zs" else f"\\x{ord(mark):02x}" for mark in line
    )
