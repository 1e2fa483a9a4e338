"""The known truth of the demo week, read from demo.toml into records."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from relkit.units import US_PER_SECOND


@dataclass(frozen=True, slots=True)
class Model:
    """A language model: how slow (lognormal) and how dear (cents per million tokens)."""

    name: str
    median_s: float
    sigma: float
    cents_in: int
    cents_out: int


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """One way to fail: the signals a log shows, how often, where and how long it takes.

    `at_us` set means that all of them come in a row from there; `again` is the share of retries that fail alike;
    `retries` is how often the caller tries again.
    """

    name: str
    kind: str
    retries: int
    fast_ms: float
    slow_ms: float
    exception_type: str
    status: int | None = None
    code: str | None = None
    message: str | None = None
    service: str = "groq"
    operation: str | None = None
    count: int = 0
    again: float = 0.0
    at_us: int | None = None
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of known trouble: tries of `service` in [start_us, end_us) fail with `share`, as `errors` says."""

    label: str
    service: str
    start_us: int
    end_us: int
    share: float
    slowdown: float
    errors: Mapping[str, float]

    def expected_share(self, model: Model, timeout_s: float) -> float:
        """Share of tries on `model` that fail: outright, or because the slowed-down answer takes too long.

        >>> outage = Episode("outage", "groq", 0, 1, 1.0, 1.0, {})
        >>> outage.expected_share(Model("m", 0.45, 0.6, 5, 8), 10)
        1.0
        """
        distance = math.log(timeout_s / (model.median_s * self.slowdown)) / model.sigma
        return self.share + (1 - self.share) * math.erfc(distance / math.sqrt(2)) / 2


@dataclass(frozen=True, slots=True)
class Truth:
    """All of demo.toml. `traffic`, `calls`, `probes`, `database` and `pairs` are its tables as they stand there."""

    week: str
    start_us: int
    end_us: int
    models: tuple[Model, ...]
    episodes: tuple[Episode, ...]
    errors: tuple[ErrorShape, ...]
    traffic: Mapping[str, Any]
    calls: Mapping[str, Any]
    probes: Mapping[str, Any]
    database: Mapping[str, Any]
    pairs: Mapping[str, Any]

    def error_index(self, name: str) -> int:
        """Place of an error shape in `errors`.

        >>> truth = read_truth()
        >>> truth.errors[truth.error_index("locked")].kind
        'DATABASE_ERROR'
        """
        return [shape.name for shape in self.errors].index(name)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of a moment with a zone, exactly.

    >>> to_us(datetime.fromisoformat("1970-01-01T00:00:01.5+00:00"))
    1500000
    """
    since = moment - datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return (since.days * 86400 + since.seconds) * US_PER_SECOND + since.microseconds


@cache
def read_truth() -> Truth:
    """Read demo.toml, which lies beside this module.

    >>> read_truth().week
    '2026-W47'
    """
    table = tomllib.loads(resources.files(__package__).joinpath("demo.toml").read_text(encoding="utf-8"))
    retries = table["retries"]
    errors = []
    for name, fields in table["error"].items():
        at = fields.pop("at", None)
        at_us = None if at is None else to_us(at)
        errors.append(ErrorShape(name=name, retries=retries.get(fields["kind"], 0), at_us=at_us, **fields))
    episodes = [
        Episode(start_us=to_us(fields.pop("start")), end_us=to_us(fields.pop("end")), **fields)
        for fields in table["episode"]
    ]
    return Truth(
        week=table["week"]["name"],
        start_us=to_us(table["week"]["start"]),
        end_us=to_us(table["week"]["end"]),
        models=tuple(Model(**fields) for fields in table["model"]),
        episodes=tuple(episodes),
        errors=tuple(errors),
        traffic=table["traffic"],
        calls=table["calls"],
        probes=table["probes"],
        database=table["database"],
        pairs=table["pairs"],
    )
