"""The Scenario: who asks, what answers and when it goes wrong; checked as a whole before anything runs."""

import math
import os
from dataclasses import dataclass, replace
from typing import Any, Final

from relkit.errors import ErrorKind
from relkit.errors.kinds import ADVICE
from relkit.exceptions import ParameterError
from relkit.simulation.arrivals import Arrivals
from relkit.simulation.episodes import Episode, by_model
from relkit.simulation.latency import Latency
from relkit.simulation.sessions import Sessions
from relkit.simulation.tokens import Tokens

UNLIMITED: Final = -1
BYTES_A_REQUEST: Final = 64  # what a run of many requests takes at its peak; tests/simulation/test_run.py measures it
BYTES_A_TURN: Final = 96  # and what it takes to sort them into sessions
_MOST_REQUESTS: Final = 1 << 39
_MOST_MODELS: Final = 100
_MOST_CLIENTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class ErrorShare:
    """One kind of error and the share of attempts that fail by it, in [0, 1].

    Examples
    --------
    >>> ErrorShare(ErrorKind.API_SERVER_ERROR, 0.01).share
    0.01
    """

    kind: ErrorKind
    share: float

    def __post_init__(self) -> None:
        if self.kind not in ADVICE:
            raise ParameterError.of("kind", self.kind, "an error kind", "use a name of relkit.errors.ErrorKind")
        if not 0.0 <= self.share <= 1.0:
            raise ParameterError.of("share", self.share, "a share from 0 to 1", "give e.g. 0.01")


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model as it answers: its capacity, its speed, its usual errors and its price.

    Parameters
    ----------
    name, provider : str
        Its name, and who runs it: episodes may name either.
    latency : Latency
        Time of one service, without waiting.
    servers : int
        Services at once; -1 for no limit.
    queue : int
        Places to wait; -1 for no limit. Beyond it an attempt is told that the model is overloaded.
    errors : tuple of ErrorShare
        What fails in ordinary times, before it takes a server.
    error_s : float
        Time of such a failure, in seconds.
    cancels : bool
        Whether an attempt that its client gave up leaves the queue; else its work is done for nobody.
    requests_per_minute : int
        Attempts of one minute of the clock after which the rest of it is told 429 with a Retry-After; 0 for no limit.
    cost_microusd : int
        Price of one service, millionths of a dollar, billed whether or not somebody still waits for it.
    tokens_per_minute : int
        Tokens of one minute of the clock, asked and answered, beyond which it is the same; 0 for no limit. A request that
        is larger than the limit is let in where it is the first of its minute.
    input_usd_per_million, output_usd_per_million : float
        Price of the tokens on top, in dollars a million.

    Raises
    ------
    ParameterError
        For no name, no capacity, shares beyond 1 or a negative number.

    Examples
    --------
    >>> from relkit.simulation.latency import lognormal
    >>> ServedModel("small", "a", lognormal(0.45, 0.6), servers=28).capacity_per_s
    51.9...
    """

    name: str
    provider: str
    latency: Latency
    servers: int = UNLIMITED
    queue: int = UNLIMITED
    errors: tuple[ErrorShare, ...] = ()
    error_s: float = 0.02
    cancels: bool = False
    requests_per_minute: int = 0
    cost_microusd: int = 0
    tokens_per_minute: int = 0
    input_usd_per_million: float = 0.0
    output_usd_per_million: float = 0.0

    def __post_init__(self) -> None:
        if not self.name or not self.provider:
            raise ParameterError.of("name", self.name, "a text that is not empty", "name the model and its provider")
        if self.servers != UNLIMITED and self.servers < 1:
            remedy = "give servers, or -1 for no limit; a model that is down is an outage episode"
            raise ParameterError.of("servers", self.servers, "at least 1, or -1", remedy)
        if self.queue < UNLIMITED:
            raise ParameterError.of("queue", self.queue, "at least 0, or -1", "give places to wait; -1 for no limit")
        if sum(error.share for error in self.errors) > 1.0 + 1e-12:
            got = sum(error.share for error in self.errors)
            raise ParameterError.of("errors", got, "shares that add up to at most 1", "lower them")
        if not 0.0 <= self.error_s < math.inf:
            raise ParameterError.of("error_s", self.error_s, "seconds from 0 on", "give a finite time")
        for name in ("requests_per_minute", "cost_microusd", "tokens_per_minute"):
            if not 0 <= getattr(self, name) <= 10**12:
                raise ParameterError.of(name, getattr(self, name), "a whole number from 0 on", "0 for none")
        for name in ("input_usd_per_million", "output_usd_per_million"):
            if not 0.0 <= getattr(self, name) <= 1e6:
                raise ParameterError.of(name, getattr(self, name), "dollars from 0 to a million", "0 for none")

    @property
    def capacity_per_s(self) -> float:
        """Services a second at most; infinite without a limit of servers."""
        mean_s = self.latency.mean_s
        return math.inf if self.servers == UNLIMITED or mean_s == 0.0 else self.servers / mean_s


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """The cache in front of the models; how old an answer may be is the policy's freshness.

    Parameters
    ----------
    keys : int
        Different questions there are.
    popularity : float
        Exponent s of Zipf's law: the k-th most popular key is asked for in proportion to k^-s.
    capacity : int
        Answers kept; the least recently used goes.
    hit_s : float
        Time of an answer from the cache, in seconds.

    Examples
    --------
    >>> CachedAnswers(keys=1000, popularity=0.8, capacity=100).hit_s
    0.001
    """

    keys: int
    popularity: float
    capacity: int
    hit_s: float = 0.001

    def __post_init__(self) -> None:
        if not 1 <= self.keys <= 100_000_000:
            raise ParameterError.of(
                "keys", self.keys, "from 1 to 100 million", "give the number of different questions"
            )
        if not 0.0 <= self.popularity <= 10.0:
            raise ParameterError.of("popularity", self.popularity, "from 0 to 10", "0 = all keys alike; 0.8 is usual")
        if self.capacity < 1:
            raise ParameterError.of("capacity", self.capacity, "at least 1", "leave the cache out to have none")
        if not 0.0 <= self.hit_s < math.inf:
            raise ParameterError.of("hit_s", self.hit_s, "seconds from 0 on", "give a finite time")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Traffic and the services it meets; the policy is chosen apart.

    Parameters
    ----------
    name : str
        What it is called in tables and charts.
    requests : int
        How many requests come.
    arrivals : Arrivals
        When they come.
    models : tuple of ServedModel
        What answers; a policy with a fallback chain names them, any other asks the first.
    episodes : tuple of Episode
        Bad times; those of one model must not overlap.
    timeout_s : float
        Time after which the client gives an attempt up, in seconds; may be infinite.
    clients : int
        Clients that share the traffic, each with its own breakers and RetryBudget.
    cache : CachedAnswers or None
        The cache; None for none.
    invalid_share : float
        Share of requests that are wrong in themselves: every model answers 400.
    has_key : bool
        Whether calls may be repeated safely.
    sessions : Sessions or None
        How requests belong together; None for every request alone.
    tokens : Tokens or None
        Tokens of the requests; None where nothing counts them.
    about : str
        What it is, in a sentence for tables and charts.
    policy : str
        The policy that it is made for: a preset, or one of `relkit.simulation.suite.POLICIES`; empty for any.

    Raises
    ------
    ParameterError
        For anything that cannot be, with what to do about it.

    Examples
    --------
    >>> from relkit.simulation.arrivals import poisson
    >>> from relkit.simulation.latency import constant
    >>> Scenario("small", 10, poisson(5.0), (ServedModel("m", "p", constant(0.1)),)).duration_s
    2.0
    """

    name: str
    requests: int
    arrivals: Arrivals
    models: tuple[ServedModel, ...]
    episodes: tuple[Episode, ...] = ()
    timeout_s: float = math.inf
    clients: int = 1
    cache: CachedAnswers | None = None
    invalid_share: float = 0.0
    has_key: bool = True
    sessions: Sessions | None = None
    tokens: Tokens | None = None
    about: str = ""
    policy: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise ParameterError.of("name", self.name, "a text that is not empty", "say what it is called")
        if isinstance(self.requests, bool) or not isinstance(self.requests, int) or self.requests < 1:
            raise ParameterError.of("requests", self.requests, "a whole number from 1 on", "say how many come")
        self._check_memory()
        if self.arrivals.times_s and len(self.arrivals.times_s) < self.requests:
            allowed = f"at most the {len(self.arrivals.times_s)} of the log"
            raise ParameterError.of("requests", self.requests, allowed, "ask for fewer, or replay a longer log")
        names = [model.name for model in self.models]
        if not 1 <= len(names) <= _MOST_MODELS:
            raise ParameterError.of(
                "models", len(names), f"at least one model, {_MOST_MODELS} at most", "say what answers"
            )
        for name in names:
            if names.count(name) > 1:
                raise ParameterError.of("models", name, "every model once", "give it another name")
        if not self.timeout_s > 0.0:
            raise ParameterError.of("timeout_s", self.timeout_s, "seconds above 0", "or math.inf for none")
        if not 1 <= self.clients <= _MOST_CLIENTS:
            allowed = f"from 1 to {_MOST_CLIENTS:,}"
            raise ParameterError.of("clients", self.clients, allowed, "1 for a shared breaker and budget")
        if not 0.0 <= self.invalid_share <= 1.0:
            raise ParameterError.of("invalid_share", self.invalid_share, "a share from 0 to 1", "give e.g. 0.005")
        for model in self.models:
            counts = model.tokens_per_minute or model.input_usd_per_million or model.output_usd_per_million
            if counts and self.tokens is None:
                remedy = "say how many tokens requests have (relkit.simulation.tokens.Tokens)"
                raise ParameterError.of("tokens", None, f"token counts, which {model.name} limits or bills", remedy)
        by_model(self.episodes, names, [model.provider for model in self.models])

    def _check_memory(self) -> None:
        each = BYTES_A_REQUEST + (BYTES_A_TURN if self.sessions is not None else 0)
        need, have = self.requests * each, free_bytes()
        if self.requests > _MOST_REQUESTS or need > have:
            allowed = f"at most {min(have // each, _MOST_REQUESTS):,} in the {have / 1e9:.1f} GB that are free"
            remedy = f"it would need {need / 1e9:.1f} GB: ask for fewer requests and several seeds"
            raise ParameterError.of("requests", self.requests, allowed, remedy)

    @property
    def duration_s(self) -> float:
        """Expected time until the last request comes, in seconds."""
        if self.arrivals.times_s:
            return self.arrivals.times_s[self.requests - 1]
        return self.requests / self.arrivals.mean_rate

    def changed(self, **fields: Any) -> "Scenario":
        """Return a copy with other fields, checked anew.

        >>> from relkit.simulation.suite import w0
        >>> w0().changed(requests=10).requests
        10
        """
        return replace(self, **fields)


def free_bytes() -> int:
    """Memory that a run may take: what the system says is available, else what it has.

    >>> free_bytes() > 0
    True
    """
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123  a file of the kernel
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
