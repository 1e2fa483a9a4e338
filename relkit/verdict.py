"""The Verdict, what a reader decides on, and the Finding, what a lint has against a setting: each with the number behind it."""

from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Final

from relkit.exceptions import ParameterError

CODES: Final[dict[str, tuple[str, ...]]] = {
    "slo": ("MET", "MISSED", "UNDECIDED"),
    "shadow": ("PROMOTE", "HOLD", "ROLL_BACK", "INCONCLUSIVE", "INVALID"),
    "tuning": ("RECOMMENDED", "REFUSED"),
    "data": ("FINE", "WARN", "INVALID"),
    "errors": ("FINE", "WARN", "INVALID"),
}
FINDING_SEVERITIES: Final = ("error", "warning", "note")
MIME: Final = "application/vnd.relkit+json"


def shown(number: float | None) -> float | None:
    """Round to the 9 significant digits that manifests and comparisons use; None stays None."""
    return None if number is None else float(f"{number:.9g}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision, in one sentence, with its value and interval.

    Parameters
    ----------
    area : str
        slo, shadow, tuning, data or errors.
    code : str
        One of the codes of that area, see `CODES`.
    sentence : str
        The finding in one sentence, with its number and unit.
    value, low, high : float or None
        Estimate and interval, in `unit`; None where there is none.
    unit : str
        Unit of the three numbers (share, ms, usd, ...).
    level : float or None
        Confidence level of the interval, in (0, 1).
    n : int
        Number of observations behind the estimate.
    why_not : str
        Why there is no stronger verdict; empty when there is nothing to say.
    would_change : str
        What would change this verdict; empty when nothing in sight would.

    Examples
    --------
    >>> Verdict("slo", "MET", "99.95 % of requests were good.", 0.9995, 0.999, 0.9998, "share", 0.95, 10_000).code
    'MET'
    """

    area: str
    code: str
    sentence: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = "share"
    level: float | None = None
    n: int = 0
    why_not: str = ""
    would_change: str = ""

    def __post_init__(self) -> None:
        if self.area not in CODES:
            raise ParameterError.of("area", self.area, ", ".join(CODES), "name one of these areas")
        if self.code not in CODES[self.area]:
            raise ParameterError.of("code", self.code, ", ".join(CODES[self.area]), f"use a code of area {self.area}")

    def record(self) -> dict[str, Any]:
        """Return the fields as plain values, numbers at 9 significant digits."""
        plain = asdict(self)
        for name in ("value", "low", "high", "level"):
            plain[name] = shown(plain[name])
        return {"kind": "verdict", "name": self.area, **plain}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002  IPython's signature
        label = self.code.replace("_", " ")
        more = f"<p class='more'>{escape(self.why_not)}</p>" if self.why_not else ""
        if self.would_change:
            more += f"<p class='more'><b>Would change it:</b> {escape(self.would_change)}</p>"
        html = (
            f"<div class='verdict {self.code.lower()}'><p><span class='area'>{escape(self.area)}</span> "
            f"<strong class='code'>{escape(label)}</strong> "
            f"{escape(self.sentence)}</p>{more}</div>"
        )
        return {"text/html": html, "text/plain": f"{label}: {self.sentence}", MIME: self.record()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a lint has against a setting, with the number that says so and the number it is held to.

    Parameters
    ----------
    code : str
        What kind of finding, in capitals; the lint that makes it says which there are.
    severity : str
        error = it cannot work, warning = it works badly, note = worth knowing.
    sentence : str
        The finding in one sentence, with its numbers, and what to do about it.
    value, threshold : float or None
        What was found and what it was compared with; None where no number decides.
    where : str
        Which setting: an alert and its tier, an objective, a key.

    Examples
    --------
    >>> Finding("UNREACHABLE", "error", "A burn above 10 cannot be.", 14.4, 10.0, "Page, tier 1").record()["value"]
    14.4
    """

    code: str
    severity: str
    sentence: str
    value: float | None = None
    threshold: float | None = None
    where: str = ""

    def __post_init__(self) -> None:
        if self.severity not in FINDING_SEVERITIES:
            raise ParameterError.of("severity", self.severity, ", ".join(FINDING_SEVERITIES), "say how bad it is")

    def record(self) -> dict[str, Any]:
        """Return the fields as plain values, numbers at 9 significant digits."""
        plain = asdict(self)
        return plain | {"value": shown(self.value), "threshold": shown(self.threshold)}
