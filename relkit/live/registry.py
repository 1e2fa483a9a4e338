"""Who guards what: a breaker for each service and model, and a RetryBudget for each service, by named settings.

A breaker that nobody has used for long is forgotten, so names that come and go do not fill the memory; one that is open,
has a permit out or was set by hand never is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import random
from threading import Lock
from typing import Final

from relkit.exceptions import ParameterError
from relkit.live.clocks import now_s, now_us
from relkit.live.events import Record, TransitionEvent
from relkit.live.fleet import Fleet, is_fleet
from relkit.live.telling import tell
from relkit.policies.codes import ADAPTIVE, CLOSED, CONSECUTIVE, HALF_OPEN, OPEN, STATES
from relkit.policies.explain import counted, explain
from relkit.policies.guard import Breaker, Change
from relkit.policies.policy import Policy
from relkit.policies.purse import RetryBudget
from relkit.policies.records import BreakerSettings, BreakerState, Peers
from relkit.policies.retry_budget import UNLIMITED

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """One breaker at one moment.

    Parameters
    ----------
    service : str
        Whose breaker.
    model : str or None
        The model it guards; None where the policy has no chain.
    state : str
        One of `relkit.policies.codes.STATES`.
    state_age_s : float
        How long it has been in that state, seconds.
    calls, failures : int
        What it counts now.
    failure_share : float
        Share of failures among them, in [0, 1].
    threshold : float
        What they are held against: failures in a row, or a share.
    in_flight : int
        Half-open permits that are out.
    retry_after_s : float
        Seconds until an open one admits a call; 0 for every other.
    sentence : str
        Why it is open or closed, with the numbers.
    """

    service: str
    model: str | None
    state: str
    state_age_s: float
    calls: int
    failures: int
    failure_share: float
    threshold: float
    in_flight: int
    retry_after_s: float
    sentence: str


class Service:
    """What the calls of one service share: its policy, RetryBudget and breakers; made by a `Registry`."""

    __slots__ = (
        "_listen",
        "_lock",
        "_used_s",
        "breakers",
        "clock",
        "draw",
        "fleet",
        "name",
        "policy",
        "purse",
        "used_s",
    )

    def __init__(
        self,
        name: str,
        policy: Policy,
        *,
        clock: Callable[[], float],
        draw: Callable[[], float],
        listen: Callable[[str, str | None, Change], None],
    ) -> None:
        self.name, self.policy, self.clock, self.draw = name, policy, clock, draw
        self.purse = RetryBudget(policy.retry_budget or UNLIMITED, clock=clock)
        self.breakers: dict[str | None, Breaker] = {}
        self.fleet: Fleet | None = None
        self.used_s = clock()
        self._used_s: dict[str | None, float] = {}
        self._listen = listen
        self._lock = Lock()
        cfg = policy.breaker
        if cfg is not None and policy.fallback is not None:
            models = [model.name for model in policy.fallback.models]
            for model in models:
                self.breakers[model] = self._made(cfg, model)
            if is_fleet(cfg, len(models)):
                self.fleet = Fleet([self.breakers[model] for model in models])

    def breaker(self, model: str | None) -> Breaker | None:
        """Return the breaker of a model, made at its first use; None where the policy has no breaker."""
        self.used_s = self._used_s[model] = self.clock()
        found = self.breakers.get(model)
        cfg = self.policy.breaker
        if found is None and cfg is not None:
            made = self._made(cfg, model)
            with self._lock:
                found = self.breakers.setdefault(model, made)
        return found

    def _made(self, cfg: BreakerSettings, model: str | None) -> Breaker:
        return Breaker(
            cfg, clock=self.clock, draw=self.draw, on_change=lambda change: self._listen(self.name, model, change)
        )

    def forget_idle(self, before_s: float) -> bool:
        """Forget breakers that were not used since and may go; say whether the whole service may."""
        idle = [
            model
            for model, breaker in self.breakers.copy().items()
            if self._used_s.get(model, self.used_s) <= before_s and breaker.read(_may_go)
        ]
        with self._lock:
            if self.fleet is None:
                for model in idle:
                    self.breakers.pop(model, None)
                    self._used_s.pop(model, None)
            left = len(self.breakers) - (len(idle) if self.fleet is not None else 0)
        # A fleet is judged as a whole, so it goes as a whole.
        return left == 0 and self.used_s <= before_s


class Registry:
    """The breakers and RetryBudgets of a process.

    Parameters
    ----------
    policies : mapping of str to Policy
        Service to its settings; those of `default` hold for every service that has none.
    record : callable or None
        Is told every `relkit.live.events.TransitionEvent`.
    clock : callable
        Gives seconds that never run backwards.
    now_us : callable
        Gives microseconds since 1970 UTC.
    draw : callable
        Gives uniform draws in [0, 1) to breakers that are asked without one.
    idle_s : float
        Seconds without use after which a breaker is forgotten.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> registry = Registry({"default": presets["pybreaker"]})
    >>> registry.breaker("chat").force("forced_open")
    'opened'
    >>> [(status.service, status.state) for status in registry.status()]
    [('chat', 'forced_open')]
    """

    def __init__(
        self,
        policies: Mapping[str, Policy],
        *,
        record: Record | None = None,
        clock: Callable[[], float] = now_s,
        now_us: Callable[[], int] = now_us,
        draw: Callable[[], float] = random,
        idle_s: float = 3600.0,
    ) -> None:
        self.record = record
        self.clock = clock
        self.now_us = now_us
        self.idle_s = idle_s
        self._policies = dict(policies)
        self._draw = draw
        self._lock = Lock()
        self._services: dict[str, Service] = {}
        self._looked_s = clock()

    def policy(self, service: str = DEFAULT) -> Policy:
        """Return the settings of a service: its own, or the default ones.

        Raises
        ------
        ParameterError
            When there are neither.
        """
        found = self._policies.get(service) or self._policies.get(DEFAULT)
        if found is None:
            known = ", ".join(self._policies) or "none is there"
            raise ParameterError.of("service", service, known, "give it settings of its own, or those of `default`")
        return found

    def add(self, service: str, policy: Policy) -> None:
        """Give a service its settings.

        Raises
        ------
        ParameterError
            When it has others already: two sets of thresholds for one breaker would each undo the other.
        """
        made = self._services.get(service)
        known = self._policies.get(service) if made is None else made.policy
        if known is not None and known.hash != policy.hash:
            remedy = "use the registry's own policy, or another name for the service"
            raise ParameterError.of("policy", policy.name, f"the settings that {service} has ({known.name})", remedy)
        self._policies[service] = policy

    def service(self, name: str = DEFAULT) -> Service:
        """Return what the calls of a service share, made at its first use."""
        found = self._services.get(name)
        if found is None:
            policy = self.policy(name)
            if self.clock() - self._looked_s >= self.idle_s / 4:
                self.forget_idle()
            made = Service(name, policy, clock=self.clock, draw=self._draw, listen=self._changed)
            with self._lock:
                found = self._services.setdefault(name, made)
        return found

    def breaker(self, service: str = DEFAULT, model: str | None = None) -> Breaker | None:
        """Return the breaker of a service and model; None where the settings have no breaker."""
        return self.service(service).breaker(model)

    def purse(self, service: str = DEFAULT) -> RetryBudget:
        """Return the RetryBudget that the calls of a service share; without one in the settings it grants everything."""
        return self.service(service).purse

    def status(self) -> tuple[BreakerStatus, ...]:
        """Return every breaker as it is now, by service and model."""
        with self._lock:
            services = sorted(self._services.items())
        return tuple(
            status_of(name, model, breaker)
            for name, service in services
            for model, breaker in sorted(service.breakers.copy().items(), key=lambda item: item[0] or "")
        )

    def forget_idle(self) -> None:
        """Forget what was not used for `idle_s`; new services see to this from time to time."""
        now_s = self.clock()
        self._looked_s = now_s
        for name, service in list(self._services.items()):
            if service.forget_idle(now_s - self.idle_s):
                with self._lock:
                    self._services.pop(name, None)

    def _changed(self, service: str, model: str | None, change: Change) -> None:
        at_us = self.now_us() - round((self.clock() - change.at_s) * 1e6)
        tell(
            self.record,
            TransitionEvent(
                service,
                model,
                change.from_state,
                change.to_state,
                change.failures,
                change.threshold,
                change.reason,
                at_us,
            ),
        )


def status_of(service: str, model: str | None, breaker: Breaker) -> BreakerStatus:
    """Return one breaker as it is now.

    >>> status_of("chat", None, Breaker(BreakerSettings())).sentence
    'Closed: 0 failures in a row; 5 open it.'
    """
    cfg, peers = breaker.settings, breaker.peers
    return breaker.read(lambda state, at_s: _status(service, model, state, cfg, peers, at_s))


def _status(
    service: str, model: str | None, state: BreakerState, cfg: BreakerSettings, peers: Peers, at_s: float
) -> BreakerStatus:
    calls, failure_share, _ = counted(state, cfg)
    in_a_row = cfg.family in (CONSECUTIVE, ADAPTIVE)
    return BreakerStatus(
        service,
        model,
        STATES[state.state],
        max(at_s - state.since_s, 0.0),
        calls,
        round(calls * failure_share),
        failure_share,
        float(state.threshold) if in_a_row else cfg.failure_share,
        state.in_flight,
        max(state.until_s - at_s, 0.0) if state.state == OPEN else 0.0,
        explain(state, cfg, peers, at_s),
    )


def _may_go(state: BreakerState, _: float) -> bool:
    return state.state in (CLOSED, HALF_OPEN) and state.in_flight == 0
