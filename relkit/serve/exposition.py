"""The metrics as text for Prometheus: the same snapshot, in the names and units of its conventions.

Everything is a gauge: a figure is counted from the log at each question, over the window its label names, so it may
fall, and a restart loses nothing. What is unknown has no sample.
"""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from relkit.policies.codes import STATES
from relkit.policies.rollout import ROLLOUT_STATES
from relkit.serve.shelf import Answer
from relkit.serve.snapshot import Snapshot
from relkit.units import US_PER_SECOND

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_DAY: Final = "24h"


def exposition(answer: Answer[Snapshot], *, openmetrics: bool) -> bytes:
    """Write a snapshot as text, ASCII escapes as the format asks.

    Parameters
    ----------
    answer : Answer of Snapshot
        What is told; an unknown one tells only that.
    openmetrics : bool
        OpenMetrics 1.0; otherwise the text format of Prometheus.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(answer))
    return generate_openmetrics(registry) if openmetrics else generate_latest(registry)


class _Told:
    def __init__(self, answer: Answer[Snapshot]) -> None:
        self._answer = answer

    def collect(self) -> Iterator[Metric]:
        answer, snapshot = self._answer, self._answer.value
        yield _gauge("up", "Whether the log could be read for this answer.", [({}, float(answer.state == "fresh"))])
        yield _gauge(
            "snapshot_age_seconds", "Age of the answer.", [({}, 0.0 if answer.state == "fresh" else answer.age_s)]
        )
        if snapshot is None:
            return
        last = snapshot.last_row_us
        yield _gauge(
            "log_last_row_timestamp_seconds",
            "When the newest row of the log began.",
            [({}, None if last is None else last / US_PER_SECOND)],
        )
        yield from _of_breakers(snapshot)
        yield from _of_requests(snapshot)
        yield from _of_retries(snapshot)
        yield from _of_shadow(snapshot)
        yield from _of_objectives(snapshot)


_Samples = list[tuple[dict[str, str], float | int | None]]


def _gauge(name: str, text: str, samples: _Samples) -> Metric:
    labels = list(samples[0][0]) if samples else []
    family = GaugeMetricFamily(f"relkit_{name}", text, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(list(values.values()), float(value))
    return family


def _of_breakers(snapshot: Snapshot) -> Iterator[Metric]:
    names = [({"service": one.service, "model": one.model}, one) for one in snapshot.breakers]
    yield _gauge(
        "circuitbreaker_state",
        "1 for the state a breaker is in, 0 for every other.",
        [
            ({**name, "state": state}, one.state == state)
            for name, one in names
            for state in dict.fromkeys((*STATES, one.state))
        ],
    )
    yield _gauge(
        "circuitbreaker_state_timestamp_seconds",
        "When a breaker came to its state.",
        [(name, one.since_us / US_PER_SECOND) for name, one in names],
    )
    yield _gauge(
        "circuitbreaker_opened", "How often a breaker opened in 24 hours.", [(name, one.opened) for name, one in names]
    )


def _of_requests(snapshot: Snapshot) -> Iterator[Metric]:
    of_all = [({"window": one.name}, one) for one in snapshot.windows if one.service is None]
    by_name = [
        ({"service": one.service, "window": one.name}, one) for one in snapshot.windows if one.service is not None
    ]
    for prefix, whose, told in (("", "all requests", of_all), ("service_", "the requests of a service", by_name)):
        yield _gauge(
            f"{prefix}requests",
            f"Of {whose}, those that ended in the window, by outcome.",
            [
                ({**name, "outcome": outcome}, getattr(one.totals, outcome))
                for name, one in told
                for outcome in ("good", "bad", "excluded", "unknown")
            ],
        )
        yield _gauge(
            f"{prefix}error_ratio",
            f"Of {whose}, the bad share of the good and bad ones.",
            [(name, one.error_rate) for name, one in told],
        )
        yield _gauge(
            f"{prefix}request_latency_seconds",
            f"Of {whose} that are not known to have failed, exact percentiles from first start to last end.",
            [
                ({**name, "percentile": label}, None if value is None else value / US_PER_SECOND)
                for name, one in told
                for label, value in (("50", one.latency.p50_us), ("95", one.latency.p95_us), ("99", one.latency.p99_us))
            ],
        )
        yield _gauge(
            f"{prefix}request_latencies",
            f"Of {whose}, how many the percentiles rest on.",
            [(name, one.latency.n) for name, one in told],
        )


def _of_retries(snapshot: Snapshot) -> Iterator[Metric]:
    named = [({"strategy": one.name, "window": _DAY}, one) for one in snapshot.strategies]
    for field, text in (
        ("requests", "Requests by the retry strategy that their tries name."),
        ("attempts", "Tries of these requests."),
        ("retries", "Tries after the first."),
        ("recovered", "Requests that succeeded after more than one try."),
        ("given_up", "Requests whose last try failed."),
        ("budget_left", "Retries left in the budget, in the tightest of the services."),
    ):
        yield _gauge(f"retry_{field}", text, [(name, getattr(one, field)) for name, one in named])


def _of_shadow(snapshot: Snapshot) -> Iterator[Metric]:
    named = [({"experiment": one.experiment}, one) for one in snapshot.shadow]
    yield _gauge(
        "shadow_pairs",
        "Pairs of an experiment by how far they came.",
        [
            ({**name, "state": state}, getattr(one, state))
            for name, one in named
            for state in ("eligible", "mirrored", "answered", "compared")
        ],
    )
    yield _gauge(
        "shadow_answers",
        "Answers of the shadow by outcome.",
        [
            ({**name, "outcome": word}, value)
            for name, one in named
            for word, value in (("ok", one.shadow_ok), ("failed", one.shadow_failed))
        ],
    )
    yield _gauge(
        "shadow_comparisons",
        "Compared pairs by whether their answers differ.",
        [
            ({**name, "differs": word}, value)
            for name, one in named
            for word, value in (("yes", one.differs), ("no", one.alike))
        ],
    )
    yield _gauge(
        "shadow_rollout_state",
        "1 for the state a rollout is in, 0 for every other.",
        [
            ({**name, "state": state}, one.state == state)
            for name, one in named
            if one.state
            for state in ROLLOUT_STATES
        ],
    )
    yield _gauge(
        "shadow_traffic_ratio", "Share of the traffic that a rollout has.", [(name, one.share) for name, one in named]
    )


def _of_objectives(snapshot: Snapshot) -> Iterator[Metric]:
    named = [
        ({"objective": one.budget.objective.name, "window": one.budget.objective.window_text}, one)
        for one in snapshot.goals
    ]
    yield _gauge(
        "objective_target_ratio",
        "Share that must be good.",
        [(name, float(one.budget.objective.target)) for name, one in named],
    )
    yield _gauge(
        "objective_good_ratio",
        "Share that was good over the objective's own window.",
        [(name, one.budget.sli) for name, one in named],
    )
    yield _gauge("objective_valid", "What the share is of.", [(name, one.budget.valid) for name, one in named])
    yield _gauge("objective_bad", "Bad ones among them.", [(name, float(one.budget.bad)) for name, one in named])
    yield _gauge(
        "objective_budget_left_ratio",
        "Share of the error budget that is left; below 0 when it is overdrawn.",
        [(name, one.budget.left_share) for name, one in named],
    )
    yield _gauge(
        "objective_coverage_ratio",
        "Share of the window's minutes for which there is data.",
        [(name, one.budget.coverage) for name, one in named],
    )
