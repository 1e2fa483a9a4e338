"""Where a service stands at a moment, as one record."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from relkit.serve.figures import LONGEST_US, WINDOWS_US, Strategy, Window
from relkit.slo import Goal, Latency
from relkit.store.readings.standing import BreakerStanding, ProbeStanding, ShadowStanding
from relkit.units import US_PER_SECOND
from relkit.verdict import shown

CALM: Final = "closed"
"""The one state that holds no call back and that nobody has set by hand."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where everything stands at a moment.

    Parameters
    ----------
    at_us : int
        The moment, microseconds since 1970 UTC.
    last_row_us : int or None
        When the newest row of the log before it began; None for an empty log.
    breakers : tuple of BreakerStanding
        By service and model.
    strategies : tuple of Strategy
        Of the requests of the last 24 hours, by name.
    shadow : tuple of ShadowStanding
        By experiment.
    windows : tuple of Window
        Error rates and percentiles.
    goals : tuple of Goal
        Each objective over its own window.
    week : tuple of Goal
        Each over the seven days before the moment, beside the budget of its own window.
    probes : tuple of ProbeStanding
        What the log's probes found last.
    breakers_from : str
        log, or process where a live registry told the breakers.
    """

    at_us: int
    last_row_us: int | None
    breakers: tuple[BreakerStanding, ...]
    strategies: tuple[Strategy, ...]
    shadow: tuple[ShadowStanding, ...]
    windows: tuple[Window, ...]
    goals: tuple[Goal, ...]
    week: tuple[Goal, ...]
    probes: tuple[ProbeStanding, ...]
    breakers_from: str = "log"

    @classmethod
    def unknown(cls, at_us: int) -> "Snapshot":
        """Return what is known when the log cannot be read: nothing."""
        return cls(at_us, None, (), (), (), (), (), (), ())

    def with_breakers(self, breakers: tuple[BreakerStanding, ...]) -> "Snapshot":
        """Return it with the breakers of this process in place of the log's."""
        return replace(self, breakers=breakers, breakers_from="process")

    def record(self) -> dict[str, Any]:
        """Return it as plain values for JSON; what is unknown is None."""
        return {
            "as_of": utc_text(self.at_us),
            "log_last_row": utc_text(self.last_row_us),
            "breakers_from": self.breakers_from,
            "breakers": [breaker_record(one) for one in self.breakers],
            "retries": {
                "window_s": LONGEST_US // US_PER_SECOND,
                "strategies": [_strategy_record(one) for one in self.strategies],
            },
            "shadow": [_shadow_record(one) for one in self.shadow],
            "error_rates": {name: self._rate_record(name) for name in WINDOWS_US},
            "latency": {name: self._latency_record(name) for name in WINDOWS_US},
            "objectives": [_goal_record(one) for one in self.goals],
        }

    def _rate_record(self, name: str) -> dict[str, Any]:
        window_s = WINDOWS_US[name] // US_PER_SECOND
        told = [_rate(one) for one in self.windows if one.name == name and one.service is None]
        all_of_them = told[0] if told else {"error_rate": None, "valid": None, "good": None, "bad": None}
        named = [
            {"service": one.service or None, **_rate(one)}
            for one in self.windows
            if one.name == name and one.service is not None
        ]
        return {"window_s": window_s, **all_of_them, "services": named}

    def _latency_record(self, name: str) -> dict[str, Any]:
        told = [_latency(one.latency) for one in self.windows if one.name == name and one.service is None]
        named = [
            {"service": one.service or None, **_latency(one.latency)}
            for one in self.windows
            if one.name == name and one.service is not None
        ]
        return {**(told[0] if told else {"n": None, "p50_s": None, "p95_s": None, "p99_s": None}), "services": named}


def utc_text(at_us: int | None) -> str | None:
    """Write a moment as RFC 3339 in UTC, to the microsecond.

    >>> utc_text(1_795_391_999_999_999)
    '2026-11-22T23:59:59.999999Z'
    """
    if at_us is None:
        return None
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def breaker_record(one: BreakerStanding) -> dict[str, Any]:
    """Return a breaker as plain values."""
    return {
        "service": one.service,
        "model": one.model or None,
        "state": one.state,
        "since": utc_text(one.since_us),
        "opened_24h": one.opened,
    }


def _strategy_record(one: Strategy) -> dict[str, Any]:
    return {
        "strategy": one.name or None,
        "requests": one.requests,
        "attempts": one.attempts,
        "retries": one.retries,
        "recovered": one.recovered,
        "given_up": one.given_up,
        "budget_left": one.budget_left,
    }


def _shadow_record(one: ShadowStanding) -> dict[str, Any]:
    judged, compared = one.shadow_ok + one.shadow_failed, one.differs + one.alike
    return {
        "experiment": one.experiment,
        "pairs": {
            "eligible": one.eligible,
            "mirrored": one.mirrored,
            "answered": one.answered,
            "compared": one.compared,
        },
        "shadow_error_rate": shown(one.shadow_failed / judged) if judged else None,
        "shadow_judged": judged,
        "difference_rate": shown(one.differs / compared) if compared else None,
        "difference_judged": compared,
        "rollout": one.state or None,
        "step": one.step,
        "share": one.share,
        "since": utc_text(one.since_us),
    }


def _rate(one: Window) -> dict[str, Any]:
    return {
        "error_rate": shown(one.error_rate),
        "valid": one.totals.valid,
        "good": one.totals.good,
        "bad": one.totals.bad,
        "excluded": one.totals.excluded,
        "unknown": one.totals.unknown,
    }


def _latency(one: Latency) -> dict[str, Any]:
    told: dict[str, Any] = {"n": one.n}
    for name, value, interval in (
        ("p50", one.p50_us, one.p50_interval_us),
        ("p95", one.p95_us, one.p95_interval_us),
        ("p99", one.p99_us, one.p99_interval_us),
    ):
        told[f"{name}_s"] = None if value is None else shown(value / US_PER_SECOND)
        told[f"{name}_interval_s"] = None if interval is None else [shown(end / US_PER_SECOND) for end in interval]
    return told


def _goal_record(one: Goal) -> dict[str, Any]:
    budget = one.budget
    objective = budget.objective
    return {
        "objective": objective.name,
        "service": objective.service,
        "kind": objective.kind,
        "target": str(objective.target),
        "window": objective.window_text,
        "unit": objective.unit,
        "valid": budget.valid,
        "bad": budget.bad if isinstance(budget.bad, int) else shown(float(budget.bad)),
        "allowed": shown(float(budget.allowed)),
        "good_share": shown(budget.sli),
        "low": shown(budget.low),
        "high": shown(budget.high),
        "left_share": shown(budget.left_share),
        "coverage": shown(budget.coverage),
        "verdict": one.verdict.code,
        "sentence": one.verdict.sentence,
        "why_not": one.verdict.why_not or None,
    }
