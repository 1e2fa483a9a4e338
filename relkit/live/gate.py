"""The breakers in front of one call: ask for a permit, and settle it by what failed."""

from typing import Final

from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.live.registry import Service
from relkit.policies.codes import ABANDONED, FAILURE, IGNORED, PER_ATTEMPT, STATES, SUCCESS
from relkit.policies.guard import Permit
from relkit.policies.votes import opens_at_once, outcome_of

CANCELLED: Final = ADVICE[ErrorKind.CANCELLED].int_code
_VOTES: Final = {"failure": FAILURE, "ignore": IGNORED, "success": SUCCESS}
_ADVISED: Final = {advice.int_code: _VOTES[advice.breaker] for advice in ADVICE.values()}


class Gate:
    """The breakers of a chain in front of one call.

    Parameters
    ----------
    service : Service
        What the calls of the service share.
    models : tuple of str or None
        The chain.
    """

    __slots__ = ("_permit", "_service", "left_s", "models", "place")

    def __init__(self, service: Service, models: tuple[str | None, ...]) -> None:
        self._service, self.models = service, models
        self.place = 0
        self.left_s: list[float] = []
        self._permit: Permit | None = None

    @property
    def model(self) -> str | None:
        """The model in front of which the call stands."""
        return self.models[self.place]

    @property
    def asks_each_attempt(self) -> bool:
        """Whether each attempt takes a permit, rather than the call with its retries."""
        cfg = self._service.policy.breaker
        return cfg is not None and cfg.counts == PER_ATTEMPT

    @property
    def word(self) -> str | None:
        """State of the present model's breaker, as it last was; None without a breaker."""
        breaker = self._service.breakers.get(self.model)
        return None if breaker is None else STATES[breaker.state.state]

    def ask(self, draw: float) -> bool:
        """Ask for a permit; a draw is uniform in [0, 1). A rejection adds to `left_s` when another may be given."""
        breaker = self._service.breaker(self.model)
        if breaker is None:
            return True
        self._look_around()
        self._permit = permit = breaker.ask(draw)
        if not permit.admitted:
            self.left_s.append(permit.retry_after_s)
        return permit.admitted

    def settle(self, kind: int, hint_s: float) -> None:
        """Tell the breaker how the call ended.

        Parameters
        ----------
        kind : int
            Stable number of what failed, 0 for nothing. A cancelled call says nothing about the service.
        hint_s : float
            Wait the server stated, seconds; below 0 for none. It sets the open time where one error opens at once.
        """
        permit, cfg = self._permit, self._service.policy.breaker
        if permit is None or cfg is None or permit.settled:
            return
        self._look_around()
        if kind == CANCELLED:
            permit.settle(ABANDONED)
            return
        permit.settle(outcome_of(cfg.votes, kind, _ADVISED[kind]) if kind else SUCCESS)
        if kind and opens_at_once(cfg.votes, kind, len(self.models)):
            breaker = permit.breaker
            _ = breaker.throttle(hint_s) if hint_s > 0.0 else breaker.trip()

    def abandon(self) -> None:
        """Give a permit back that nobody will settle; nobody is blamed."""
        if self._permit is not None:
            self._permit.settle(ABANDONED)

    def _look_around(self) -> None:
        if self._service.fleet is not None:
            self._service.fleet.look_around(self.place)
