"""Where a running service stands: breakers, error rates, retries and rollouts, each as a table that leads with its finding."""

from collections.abc import Sequence
from typing import Any, Protocol

from relkit.period import moment
from relkit.plates.table import Table
from relkit.slo import Latency, Totals
from relkit.units import US_PER_SECOND, count, duration, percent, several

_HOLDS_BACK = ("open", "half_open", "forced_open")


class Breaker(Protocol):
    """One breaker; see `relkit.store.readings.standing.BreakerStanding`."""

    @property
    def service(self) -> str: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def since_us(self) -> int: ...  # noqa: D102
    @property
    def opened(self) -> int | None: ...  # noqa: D102


class Window(Protocol):
    """Requests of a window; see `relkit.serve.figures.Window`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def service(self) -> str | None: ...  # noqa: D102
    @property
    def totals(self) -> Totals: ...  # noqa: D102
    @property
    def latency(self) -> Latency: ...  # noqa: D102
    @property
    def error_rate(self) -> float | None: ...  # noqa: D102


class Strategy(Protocol):
    """A retry strategy; see `relkit.serve.figures.Strategy`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def requests(self) -> int: ...  # noqa: D102
    @property
    def attempts(self) -> int | None: ...  # noqa: D102
    @property
    def retries(self) -> int | None: ...  # noqa: D102
    @property
    def recovered(self) -> int: ...  # noqa: D102
    @property
    def given_up(self) -> int: ...  # noqa: D102
    @property
    def budget_left(self) -> int | None: ...  # noqa: D102


class Shadow(Protocol):
    """A shadow experiment; see `relkit.store.readings.standing.ShadowStanding`."""

    @property
    def experiment(self) -> str: ...  # noqa: D102
    @property
    def mirrored(self) -> int: ...  # noqa: D102
    @property
    def answered(self) -> int: ...  # noqa: D102
    @property
    def compared(self) -> int: ...  # noqa: D102
    @property
    def shadow_ok(self) -> int: ...  # noqa: D102
    @property
    def shadow_failed(self) -> int: ...  # noqa: D102
    @property
    def differs(self) -> int: ...  # noqa: D102
    @property
    def alike(self) -> int: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def share(self) -> float | None: ...  # noqa: D102
    @property
    def since_us(self) -> int | None: ...  # noqa: D102


def breakers_table(breakers: Sequence[Breaker], at_us: int, zone: str = "UTC", name: str = "breakers") -> Table:
    """List breakers, those that hold calls back first.

    Parameters
    ----------
    breakers : sequence of Breaker
        As they stand.
    at_us : int
        The moment, microseconds since 1970 UTC.
    zone : str
        Zone in which times are shown.
    """
    columns = ("breaker", "state", "since", "for", "opened in 24 h")
    order = sorted(breakers, key=lambda one: (one.state == "closed", one.service, one.model))
    rows = [
        (
            "/".join(filter(None, (one.service, one.model))),
            one.state.replace("_", " "),
            moment(one.since_us, zone),
            duration(max(at_us - one.since_us, 0) / US_PER_SECOND),
            "unknown" if one.opened is None else count(one.opened),
        )
        for one in order
    ]
    back = [row for one, row in zip(order, rows, strict=True) if one.state in _HOLDS_BACK]
    if not breakers:
        caption = "No breaker has told of a change: where they stand is unknown."
    elif back:
        verb = "holds" if len(back) == 1 else "hold"
        caption = f"{len(back)} of {several(len(rows), 'breaker')} {verb} calls back: {back[0][0]} is {back[0][1]} for {back[0][3]}."
    else:
        caption = f"{several(len(rows), 'breaker')}; none holds calls back."
    return Table(
        name,
        caption,
        columns,
        rows or [("unknown",) * len(columns)],
        {"breakers": len(rows), "holding_back": len(back)},
    )


def rates_table(windows: Sequence[Window], name: str = "error_rates") -> Table:
    """Lay error rates and percentiles of each window side by side: all requests, then each service over the longest."""
    columns = ("requests", "window", "good and bad", "bad", "error rate", "p50", "p95", "p99")
    told = [one for one in windows if one.service is None]
    longest = told[-1].name if told else ""
    listed = told + [one for one in windows if one.service is not None and one.name == longest]
    rows = []
    values: dict[str, Any] = {}
    for one in listed:
        whose = "all" if one.service is None else one.service or "no service named"
        marks = (one.latency.p50_us, one.latency.p95_us, one.latency.p99_us)
        rows.append(
            (
                whose,
                one.name,
                count(one.totals.valid),
                count(one.totals.bad),
                "unknown" if one.error_rate is None else percent(one.error_rate),
                *("unknown" if mark is None else duration(mark / US_PER_SECOND) for mark in marks),
            )
        )
        values[f"{whose}_{one.name}"] = one.error_rate
    rates = "; ".join(
        f"{'unknown' if one.error_rate is None else f'{percent(one.error_rate)} of {count(one.totals.valid)}'} in {one.name}"
        for one in told
    )
    caption = f"Requests that failed: {rates}." if told else "Nothing is known of any request."
    return Table(name, caption, columns, rows or [("none",) * len(columns)], values)


def strategies_table(strategies: Sequence[Strategy], name: str = "retry_strategies") -> Table:
    """List what each retry strategy did in 24 hours."""
    columns = ("strategy", "requests", "tries", "retries", "recovered", "given up", "budget left")
    rows = [
        (
            one.name or "none named",
            count(one.requests),
            *("unknown" if number is None else count(number) for number in (one.attempts, one.retries)),
            count(one.recovered),
            count(one.given_up),
            "unknown" if one.budget_left is None else count(one.budget_left),
        )
        for one in strategies
    ]
    retries = sum(one.retries or 0 for one in strategies)
    recovered, given_up = (sum(getattr(one, word) for one in strategies) for word in ("recovered", "given_up"))
    caption = (
        f"{several(retries, 'retry', 'retries')} in 24 hours brought {several(recovered, 'request')} through; "
        f"{several(given_up, 'request')} failed in the end."
        if strategies
        else "No request ended in these 24 hours."
    )
    return Table(
        name,
        caption,
        columns,
        rows or [("none",) * len(columns)],
        {"retries": retries, "recovered": recovered, "given_up": given_up},
    )


def rollouts_table(shadows: Sequence[Shadow], zone: str = "UTC", name: str = "rollouts") -> Table:
    """List where rollouts and shadow experiments stand, those with a rollout first."""
    columns = ("experiment", "rollout", "traffic", "since", "pairs", "shadow failed", "answers differ")
    order = sorted(shadows, key=lambda one: (not one.state, one.experiment))
    rows = []
    for one in order:
        judged, compared = one.shadow_ok + one.shadow_failed, one.differs + one.alike
        rows.append(
            (
                one.experiment,
                one.state.replace("_", " ") or "none",
                "none" if one.share is None else percent(one.share, 0),
                "none" if one.since_us is None else moment(one.since_us, zone),
                count(one.mirrored + one.answered + one.compared),
                percent(one.shadow_failed / judged) if judged else "unknown",
                percent(one.differs / compared) if compared else "unknown",
            )
        )
    running = [one for one in order if one.state]
    if running:
        first = running[0]
        share = "an unknown share" if first.share is None else percent(first.share, 0)
        caption = f"{several(len(running), 'rollout')}: {first.experiment} is {first.state.replace('_', ' ')} at {share} of the traffic."
    elif rows:
        caption = f"{several(len(rows), 'shadow experiment')}, none with a rollout."
    else:
        caption = "No shadow experiment has pairs."
    return Table(
        name, caption, columns, rows or [("none",) * len(columns)], {"experiments": len(rows), "rollouts": len(running)}
    )
