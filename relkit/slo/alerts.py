"""AlertRule: when a burn of the error budget pages someone, as records that hold no data.

A tier compares a long and a short window with one threshold; a rule fires while any of its tiers holds; a rule set is
what a team would deploy. `relkit.slo.firing` runs them over minutes, `relkit.config` writes them for Prometheus.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import Final

from relkit.exceptions import ParameterError
from relkit.slo.objective import Objective

MEASURES: Final = ("burn", "burn_lower", "budget_share", "hours_left")
SEVERITIES: Final = ("page", "ticket")
_LONGEST: Final = 60 * 24 * 366


@dataclass(frozen=True, slots=True, init=False)
class AlertTier:
    """Two windows that must both be over one threshold, strictly.

    Parameters
    ----------
    measure : str
        What is compared. B is the budget share 1 - target, N the requests expected in one objective window, w a window:

        - burn: bad / valid > threshold x B in both windows.
        - burn_lower: as burn, and in the long window the lower confidence bound of the bad requests (Byar's
          approximation to the exact Poisson bound) is over it too. Three failures of nine requests prove little.
        - budget_share: bad > threshold x B x N in the long window, and > that x short / long in the short one.
        - hours_left: at the pace of the window the budget left of the last objective window is gone in fewer hours.
    threshold : str, int or Fraction
        Burn rate, share of the budget or hours, above 0; exact, so "14.4" and not 14.4.
    long_minutes : int
        The window that decides.
    short_minutes : int or None
        The window that ends the alert soon after the trouble; None for a single window.
    minimum_bad : int
        Bad requests that the long window must hold at least, 0 for no such demand.
    level : float
        One-sided confidence level of burn_lower, in [0.5, 1).

    Examples
    --------
    >>> fast = AlertTier("burn", "14.4", 60, 5)
    >>> float(fast.spent_share(30)), fast.is_reachable(Objective("a", "0.9")), fast.is_reachable(Objective("a", "0.99"))
    (0.02, False, True)
    """

    measure: str
    threshold: Fraction
    long_minutes: int
    short_minutes: int | None
    minimum_bad: int
    level: float

    def __init__(
        self,
        measure: str,
        threshold: str | int | Fraction,
        long_minutes: int,
        short_minutes: int | None = None,
        minimum_bad: int = 0,
        level: float = 0.95,
    ) -> None:
        if measure not in MEASURES:
            raise ParameterError.of("measure", measure, ", ".join(MEASURES), "name one of these")
        put = object.__setattr__
        put(self, "measure", measure)
        put(self, "threshold", _exact(threshold))
        put(self, "long_minutes", _whole("long_minutes", long_minutes, 1, _LONGEST))
        if short_minutes is not None:
            _whole("short_minutes", short_minutes, 1, self.long_minutes)
        put(self, "short_minutes", short_minutes)
        put(self, "minimum_bad", _whole("minimum_bad", minimum_bad, 0, 10**9))
        if not 0.5 <= level < 1:
            raise ParameterError.of("level", level, "0.5 <= level < 1", "pass a share such as 0.95")
        put(self, "level", level)

    @property
    def windows(self) -> tuple[int, ...]:
        """Return the windows in minutes, the long one first."""
        return (self.long_minutes,) if self.short_minutes is None else (self.long_minutes, self.short_minutes)

    def spent_share(self, window_days: int) -> Fraction | None:
        """Return the share of the budget that an outage has spent when the tier fires, at flat traffic.

        Burn b over w minutes spends b x w / window; a budget share is itself; for hours left it depends on what was
        spent before, so it is None.
        """
        if self.measure == "budget_share":
            return self.threshold
        if self.measure == "hours_left":
            return None
        return self.threshold * self.long_minutes / (window_days * 1440)

    def flat_factor(self, window_days: int) -> Fraction | None:
        """Return the burn rate over the long window at which the tier fires under flat traffic; None for hours left.

        A budget share q over w minutes is a burn of q x window / w.
        """
        if self.measure == "hours_left":
            return None
        if self.measure == "budget_share":
            return self.threshold * window_days * 1440 / self.long_minutes
        return self.threshold

    def is_reachable(self, objective: Objective) -> bool:
        """Say whether a total outage under flat traffic would fire it: its burn is 1 / B, and the comparison is strict."""
        factor = self.flat_factor(objective.window_days)
        return factor is None or factor * objective.budget_share < 1


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert: it is active while any of its tiers holds, and fires when that has lasted.

    Parameters
    ----------
    name : str
        Its name, in alerts and files.
    severity : str
        page or ticket.
    tiers : tuple of AlertTier
        At least one; joined by or.
    for_minutes : int
        Prometheus' `for`: how long it must be active before it fires.
    keep_firing_minutes : int
        Prometheus' `keep_firing_for`: how long it fires on after no tier holds any more.

    Examples
    --------
    >>> AlertRule("BudgetBurn", "page", (AlertTier("burn", "14.4", 60, 5), AlertTier("burn", 6, 360, 30))).windows
    (360, 60, 30, 5)
    """

    name: str
    severity: str
    tiers: tuple[AlertTier, ...]
    for_minutes: int = 0
    keep_firing_minutes: int = 0

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ParameterError.of("name", self.name, "a text that is not empty", "name the alert")
        if self.severity not in SEVERITIES:
            raise ParameterError.of("severity", self.severity, " or ".join(SEVERITIES), "say who is told")
        object.__setattr__(self, "tiers", tuple(self.tiers))
        if not self.tiers:
            raise ParameterError.of("tiers", self.tiers, "at least one tier", "give an AlertTier")
        _whole("for_minutes", self.for_minutes, 0, _LONGEST)
        _whole("keep_firing_minutes", self.keep_firing_minutes, 0, _LONGEST)

    @property
    def windows(self) -> tuple[int, ...]:
        """Return every window its tiers look at, in minutes, the longest first."""
        return tuple(sorted({window for tier in self.tiers for window in tier.windows}, reverse=True))


@dataclass(frozen=True, slots=True)
class AlertSet:
    """The alerts a team would deploy for one objective.

    Parameters
    ----------
    name : str
        How tables and captions call it.
    rules : tuple of AlertRule
        At least one.
    source : str
        Where the numbers come from.

    Examples
    --------
    >>> loud = AlertSet("loud", (AlertRule("Burn", "page", (AlertTier("burn", 10, 60),)),))
    >>> [rule.name for rule in loud.of("page")], loud.of("ticket")
    (['Burn'], ())
    """

    name: str
    rules: tuple[AlertRule, ...]
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(self.rules))
        if not self.rules:
            raise ParameterError.of("rules", self.rules, "at least one rule", "give an AlertRule")
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise ParameterError.of("rules", names, "names that differ", "give each alert its own name")

    def __iter__(self) -> Iterator[AlertRule]:
        return iter(self.rules)

    def of(self, severity: str) -> tuple[AlertRule, ...]:
        """Return the rules of one severity."""
        return tuple(rule for rule in self.rules if rule.severity == severity)

    @property
    def windows(self) -> tuple[int, ...]:
        """Return every window its rules look at, in minutes, the longest first."""
        return tuple(sorted({window for rule in self.rules for window in rule.windows}, reverse=True))

    @property
    def conditions(self) -> int:
        """Count what a reader must understand: windows, minimum counts, confidence bounds, `for` and keep-firing."""
        tiers = [tier for rule in self.rules for tier in rule.tiers]
        extra = sum((tier.minimum_bad > 0) + (tier.measure == "burn_lower") for tier in tiers)
        waits = sum((rule.for_minutes > 0) + (rule.keep_firing_minutes > 0) for rule in self.rules)
        return sum(len(tier.windows) for tier in tiers) + extra + waits


def span_text(minutes: int) -> str:
    """Write a window as Prometheus does, in the largest unit that divides it.

    >>> span_text(90), span_text(360), span_text(4320)
    ('90m', '6h', '3d')
    """
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def tier_text(tier: AlertTier) -> str:
    """Write a tier in a few words.

    >>> tier_text(AlertTier("burn", "14.4", 60, 5)), tier_text(AlertTier("budget_share", "0.02", 60, 5, 3))
    ('burn > 14.4 over 1h and 5m', '2 % of the budget in 1h and 5m, at least 3 bad')
    """
    spans = " and ".join(span_text(window) for window in tier.windows)
    amount = float(tier.threshold)
    text = {
        "burn": f"burn > {amount:g} over {spans}",
        "burn_lower": f"burn > {amount:g} over {spans}, {100 * tier.level:g} % sure",
        "budget_share": f"{100 * amount:.4g} % of the budget in {spans}",
        "hours_left": f"budget gone within {amount:g} h at the pace of {spans}",
    }[tier.measure]
    return text + (f", at least {tier.minimum_bad} bad" if tier.minimum_bad else "")


def _exact(given: object) -> Fraction:
    allowed, remedy = "an exact number above 0", 'write it as text, e.g. "14.4"'
    if isinstance(given, bool) or not isinstance(given, str | int | Fraction):
        if isinstance(given, float) and isfinite(given):
            remedy += "; a binary float is not exact"
        raise ParameterError.of("threshold", given, allowed, remedy)
    try:
        exact = Fraction(given)
    except (ValueError, ZeroDivisionError):
        raise ParameterError.of("threshold", given, allowed, remedy) from None
    if not 0 < exact < 10**9:
        raise ParameterError.of("threshold", str(given), allowed, remedy)
    return exact


def _whole(name: str, given: object, least: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise ParameterError.of(name, given, f"a whole number from {least} to {most}", "give whole minutes or counts")
    return given
