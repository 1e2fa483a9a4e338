"""The tables of a scenario file: what its keys are, and the Scenario that they make and that makes them."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.simulation.arrivals import Arrivals, held, in_visits, modulated, poisson, replayed, varying
from relkit.simulation.episodes import Episode
from relkit.simulation.latency import (
    CONSTANT,
    EMPIRICAL,
    EXPONENTIAL,
    Latency,
    constant,
    exponential,
    mixture,
    quantiles,
)
from relkit.simulation.scenario import CachedAnswers, ErrorShare, Scenario, ServedModel
from relkit.simulation.sessions import Sessions
from relkit.simulation.tokens import Tokens
from relkit.simulation.visits import Visits

_Made = TypeVar("_Made")
_Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
_Part = Annotated[list[float], Field(min_length=3, max_length=3)]

# What each kind of episode says without being told; every other key of the table is a field of Episode.
EPISODES: Final[Mapping[str, dict[str, Any]]] = {
    "outage": {"error": ErrorKind.NETWORK_REFUSED, "share": 1.0},
    "brownout": {"error": ErrorKind.MODEL_OVERLOADED},
    "rate_limited": {"error": ErrorKind.API_RATE_LIMIT},
    "slow": {},
    "flapping": {"error": ErrorKind.NETWORK_REFUSED, "share": 1.0, "bad_share": 0.5},
    "gray": {},
    "cut": {"error": ErrorKind.NETWORK_ERROR},
    "recovering": {},
    "bursts": {},
}
_NEEDED: Final[Mapping[str, str]] = {
    "brownout": "share", "rate_limited": "share", "slow": "slow_factor", "flapping": "period_s", "gray": "share",
    "cut": "cut_share", "recovering": "capacity_share", "bursts": "share",
}  # fmt: skip


class _Table(BaseModel):
    # strict: "7" is no number and 7.0 no count; a border that guesses cannot say what it read.
    model_config = ConfigDict(extra="forbid", strict=True)


class _Arriving(_Table):
    held_s: list[_Pair] = []


class _VisitsTable(_Table):
    again: float
    gap_median_s: float
    gap_sigma: float = 0.0


class _InVisits(_Arriving):
    visits: _VisitsTable | None = None


class _Poisson(_InVisits):
    kind: Literal["poisson"]
    rate: float


class _Varying(_InVisits):
    kind: Literal["varying"]
    pieces: list[_Pair]


class _Modulated(_Arriving):
    kind: Literal["modulated"]
    states: list[_Pair]


class _Replayed(_Arriving):
    kind: Literal["replayed"]
    times_s: list[float]


class _Constant(_Table):
    kind: Literal["constant"]
    time_s: float


class _Exponential(_Table):
    kind: Literal["exponential"]
    mean_s: float


class _Lognormal(_Table):
    kind: Literal["lognormal"]
    median_s: float
    sigma: float


class _Mixture(_Table):
    kind: Literal["mixture"]
    parts: list[_Part]


class _Quantiles(_Table):
    kind: Literal["quantiles"]
    values_s: list[float]


_AnyArrivals = Annotated[_Poisson | _Varying | _Modulated | _Replayed, Field(discriminator="kind")]
_AnyLatency = Annotated[_Constant | _Exponential | _Lognormal | _Mixture | _Quantiles, Field(discriminator="kind")]


class _Model(_Table):
    name: str
    provider: str
    latency: _AnyLatency
    servers: int = -1
    queue: int = -1
    errors: dict[str, float] = {}
    error_s: float = 0.02
    cancels: bool = False
    requests_per_minute: int = 0
    cost_microusd: int = 0
    tokens_per_minute: int = 0
    input_usd_per_million: float = 0.0
    output_usd_per_million: float = 0.0


class _Episode(_Table):
    kind: str
    label: str | None = None
    where: str
    start_s: float
    end_s: float
    error: str | None = None
    share: float | None = None
    retry_after_s: float | None = None
    slow_factor: float | None = None
    period_s: float | None = None
    bad_share: float | None = None
    cut_share: float | None = None
    capacity_share: float | None = None
    good_s: float | None = None
    bad_s: float | None = None


class _Cache(_Table):
    keys: int
    popularity: float
    capacity: int
    hit_s: float = 0.001


class _Sessions(_Table):
    mean_turns: float
    open_at_once: int
    luck_sd: float = 0.0


class _Tokens(_Table):
    in_median: float
    in_sigma: float
    out_median: float
    out_sigma: float


class ScenarioTable(_Table):
    """A scenario file as a whole."""

    name: str
    about: str = ""
    policy: str = ""
    requests: int | None = None
    timeout_s: float | None = None
    clients: int = 1
    invalid_share: float = 0.0
    has_key: bool = True
    arrivals: _AnyArrivals
    cache: _Cache | None = None
    sessions: _Sessions | None = None
    tokens: _Tokens | None = None
    model: list[_Model]
    episode: list[_Episode] = []


_TAGGED: Final = (_Poisson, _Varying, _Modulated, _Replayed, _Constant, _Exponential, _Lognormal, _Mixture, _Quantiles)
_PARTS: Final[Mapping[str, Callable[..., Any]]] = {"cache": CachedAnswers, "sessions": Sessions, "tokens": Tokens}
TAGS: Final[Mapping[str, type[BaseModel]]] = {
    str(one.model_fields["kind"].annotation.__args__[0]): one  # type: ignore[union-attr]  # the word of its Literal
    for one in _TAGGED
}
TABLES: Final[Mapping[str, type[BaseModel]]] = {**TAGS, "model": _Model, "episode": _Episode, "cache": _Cache,
    "sessions": _Sessions, "tokens": _Tokens, "visits": _VisitsTable,
}  # fmt: skip


def scenario_of(table: ScenarioTable) -> Scenario:
    """Build the Scenario that a file says; the records check what they are given.

    Raises
    ------
    ParameterError
        Naming the key, for what cannot be.
    """
    arrivals = _at("arrivals", lambda: _arrivals(table.arrivals))
    models = tuple(_at(f"model {number}", lambda: _model(one)) for number, one in enumerate(table.model, 1))  # noqa: B023  called at once
    episodes = tuple(_at(f"episode {number}", lambda: _episode(one)) for number, one in enumerate(table.episode, 1))  # noqa: B023
    requests = len(arrivals.times_s) if table.requests is None else table.requests
    if requests == 0:
        raise ParameterError("requests is missing; say how many come (only a replayed log need not)")
    more: dict[str, Any] = {} if table.timeout_s is None else {"timeout_s": table.timeout_s}
    for name, record in _PARTS.items():
        part = getattr(table, name)
        if part is not None:
            more[name] = _at(name, lambda: record(**part.model_dump()))  # noqa: B023
    for name in ("about", "policy", "clients", "invalid_share", "has_key"):
        more[name] = getattr(table, name)
    return Scenario(table.name, requests, arrivals, models, episodes, **more)


def plain_of(scenario: Scenario) -> dict[str, Any]:
    """Return what a file says of a scenario, in its order and without what is at its default.

    >>> from relkit.simulation.suite import w0
    >>> list(plain_of(w0()))
    ['name', 'about', 'policy', 'requests', 'arrivals', 'model', 'episode']
    """
    told: dict[str, Any] = {"name": scenario.name}
    for name in ("about", "policy", "requests", "timeout_s", "clients", "invalid_share", "has_key"):
        if getattr(scenario, name) != _default(Scenario, name):
            told[name] = getattr(scenario, name)
    told["arrivals"] = _plain_arrivals(scenario.arrivals)
    for name in _PARTS:
        if getattr(scenario, name) is not None:
            told[name] = _changed(getattr(scenario, name))
    told["model"] = [_plain_model(model) for model in scenario.models]
    if scenario.episodes:
        told["episode"] = [_plain_episode(episode) for episode in scenario.episodes]
    return told


def _at(where: str, made: Callable[[], _Made]) -> _Made:
    try:
        return made()
    except ParameterError as error:
        raise ParameterError(f"{where}: {error}") from error


def _default(record: type, name: str) -> Any:
    return next(field.default for field in fields(record) if field.name == name)


def _changed(record: Any, *but: str) -> dict[str, Any]:
    """Fields of a record that are not at their defaults."""
    return {
        field.name: getattr(record, field.name)
        for field in fields(record)
        if field.name not in but and (field.default is MISSING or getattr(record, field.name) != field.default)
    }


def _arrivals(table: _Arriving) -> Arrivals:
    found = _unheld(table)
    if isinstance(table, _InVisits) and table.visits is not None:
        found = in_visits(found, Visits(**table.visits.model_dump()))
    return held(found, [(start_s, end_s) for start_s, end_s in table.held_s])


def _unheld(table: _Arriving) -> Arrivals:
    match table:
        case _Poisson():
            return poisson(table.rate)
        case _Varying():
            return varying([(length_s, rate) for length_s, rate in table.pieces])
        case _Modulated():
            return modulated([(mean_s, rate) for mean_s, rate in table.states])
        case _:
            return replayed(table.times_s)  # type: ignore[attr-defined]  # what is left


def _plain_arrivals(arrivals: Arrivals) -> dict[str, Any]:
    if arrivals.held_s:
        gaps = [list(gap) for gap in zip(*[iter(arrivals.held_s)] * 2, strict=True)]
        return {**_plain_arrivals(held(arrivals, [])), "held_s": gaps}
    if arrivals.visits is not None:
        return {**_plain_arrivals(replace(arrivals, visits=None)), "visits": _changed(arrivals.visits)}
    if arrivals.times_s:
        return {"kind": "replayed", "times_s": arrivals.times_s}
    pieces = [list(both) for both in zip(arrivals.lengths_s, arrivals.rates, strict=True)]
    if arrivals.modulated:
        return {"kind": "modulated", "states": pieces}
    if arrivals == poisson(arrivals.rates[0]):
        return {"kind": "poisson", "rate": arrivals.rates[0]}
    return {"kind": "varying", "pieces": pieces}


def _latency(table: BaseModel) -> Latency:
    match table:
        case _Constant():
            return constant(table.time_s)
        case _Exponential():
            return exponential(table.mean_s)
        case _Lognormal():
            return mixture([(1.0, table.median_s, table.sigma)])
        case _Mixture():
            return mixture([(share, median_s, sigma) for share, median_s, sigma in table.parts])
        case _:
            return quantiles(table.values_s)  # type: ignore[attr-defined]  # what is left


def _plain_latency(latency: Latency) -> dict[str, Any]:
    values = latency.values
    if latency.family == CONSTANT:
        return {"kind": "constant", "time_s": values[0]}
    if latency.family == EXPONENTIAL:
        return {"kind": "exponential", "mean_s": values[0]}
    if latency.family == EMPIRICAL:
        return {"kind": "quantiles", "values_s": values}
    if len(values) == 3 and values[0] == 1.0:
        return {"kind": "lognormal", "median_s": values[1], "sigma": values[2]}
    return {"kind": "mixture", "parts": [list(part) for part in zip(*[iter(values)] * 3, strict=True)]}


def _kind(name: str) -> ErrorKind:
    if name not in ErrorKind.__members__:
        close = difflib.get_close_matches(name, ErrorKind.__members__, n=1)
        remedy = f"did you mean {close[0]}?" if close else "use a name of relkit.errors.ErrorKind"
        raise ParameterError.of("error", name, "an error kind", remedy)
    return ErrorKind[name]


def _model(table: _Model) -> ServedModel:
    said = {name: getattr(table, name) for name in _Model.model_fields if name not in {"latency", "errors"}}
    errors = tuple(ErrorShare(_kind(name), share) for name, share in table.errors.items())
    return ServedModel(latency=_latency(table.latency), errors=errors, **said)


def _plain_model(model: ServedModel) -> dict[str, Any]:
    told = _changed(model)
    told["latency"] = _plain_latency(model.latency)
    if model.errors:
        told["errors"] = {error.kind.value: error.share for error in model.errors}
    return told


def _episode(table: _Episode) -> Episode:
    if table.kind not in EPISODES:
        close = difflib.get_close_matches(table.kind, EPISODES, n=1)
        remedy = f"did you mean {close[0]}?" if close else "use one of these, with a label of your own"
        raise ParameterError.of("kind", table.kind, ", ".join(EPISODES), remedy)
    needed = _NEEDED.get(table.kind)
    if needed is not None and getattr(table, needed) is None:
        raise ParameterError(f"{needed} is missing; a {table.kind} episode says it")
    said = {
        name: getattr(table, name)
        for name in _Episode.model_fields
        if name not in {"kind", "label", "error"} and getattr(table, name) is not None
    }
    if table.error is not None:
        said["error"] = _kind(table.error)
    return Episode(label=table.label or table.kind, **{**EPISODES[table.kind], **said})


def _plain_episode(episode: Episode) -> dict[str, Any]:
    kind = episode.label if episode.label in EPISODES else _nearest(episode)
    usual = EPISODES[kind]
    told: dict[str, Any] = {"kind": kind}
    if episode.label != kind:
        told["label"] = episode.label
    needed = _NEEDED.get(kind)
    for field in fields(Episode):
        value = getattr(episode, field.name)
        if field.name == "label" or (value == usual.get(field.name, field.default) and field.name != needed):
            continue
        told[field.name] = value.value if isinstance(value, ErrorKind) else value
    return told


def _nearest(episode: Episode) -> str:
    """Return the kind under which an episode with a label of its own is said in the fewest words."""
    fits = {
        name: sum(getattr(episode, key) == value for key, value in usual.items()) - len(usual)
        for name, usual in EPISODES.items()
    }
    return max(fits, key=lambda name: (fits[name], len(EPISODES[name])))
