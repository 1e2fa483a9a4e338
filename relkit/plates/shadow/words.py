"""Words and figures that every shadow plate writes alike."""

from typing import Final

from relkit.shadow.decide import spoken

NO_PAIRS: Final = "No pairs were compared."


def p_text(value: float | None) -> str:
    """Write a p-value: three figures, and a bound where more would be noise.

    >>> p_text(0.0114), p_text(1e-9), p_text(None)
    ('0.0114', '< 0.0001', 'unknown')
    """
    if value is None:
        return "unknown"
    return "< 0.0001" if value < 0.0001 else "> 0.9999" if value > 0.9999 else f"{value:.3g}"


def span(name: str, low: float, high: float) -> str:
    """Write an interval in the unit of its endpoint.

    >>> span("latency", 0.05, 0.1)
    '+5.0 % to +10.0 %'
    """
    return f"{spoken(name, low)} to {spoken(name, high)}"
