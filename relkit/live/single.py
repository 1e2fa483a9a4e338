"""One try of your own under breaker and journal: what `Pipeline.attempt` gives."""

from types import TracebackType
from typing import Self

from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.exceptions import ParameterError
from relkit.live.answers import CircuitOpenError, Request, Usage, advised
from relkit.live.gate import Gate
from relkit.live.notes import Try
from relkit.live.setting import Setting
from relkit.policies.retry import NO_HINT, STRATEGIES


class SingleAttempt:
    """A block of code as one try, for `with` and `async with`; see `relkit.live.pipeline.Pipeline.attempt`.

    Parameters
    ----------
    its : Setting
        Of the pipeline.
    request : Request
        What is asked.
    request_id : str
        Its name.
    model : str or None
        Which breaker to ask; None for the first of the chain.

    Raises
    ------
    ParameterError
        For a model that the chain does not have.
    """

    __slots__ = ("_gate", "_its", "_request", "_try", "request_id")

    def __init__(self, its: Setting, request: Request, request_id: str, model: str | None) -> None:
        models = its.models
        if model is not None and model not in models:
            known = ", ".join(name for name in models if name) or "none: the policy has no chain"
            raise ParameterError.of("model", model, known, "name a model of the chain")
        self._its, self._request, self.request_id = its, request, request_id
        self._gate = Gate(its.registry.service(its.service), models)
        self._gate.place = 0 if model is None else models.index(model)
        self._try: Try | None = None

    @property
    def model(self) -> str | None:
        """The model to ask; None where the policy has no chain."""
        return self._gate.model

    def __enter__(self) -> Self:
        if self._try is not None:
            raise ParameterError.of("attempt", "one that runs", "one that has ended", "ask for a new one: attempt(...)")
        its, gate = self._its, self._gate
        admitted = gate.ask(its.draw("permit", self.request_id, 0, gate.place))
        tried = Try(self._request, self.request_id, 1, gate.model, its.clock(), its.notes.now_us(), 0.0, gate.place > 0)
        if not admitted:
            its.notes.rejected(tried, gate.word, None)
            raise CircuitOpenError(
                f"{its.service}: the circuit breaker is {(gate.word or 'open').replace('_', ' ')}; nothing was sent",
                request_id=self.request_id,
                classification=advised(ErrorKind.CIRCUIT_OPEN, "our own circuit breaker"),
                retry_after_s=gate.left_s[-1],
            )
        self._try = tried
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        its, gate, tried = self._its, self._gate, self._try
        if tried is None:
            return
        self._try = None
        latency_s, state = its.clock() - tried.at_s, gate.word
        if error is None:
            gate.settle(0, NO_HINT)
            its.notes.answered(tried, latency_s, state, None, Usage())
        elif isinstance(error, Exception):
            found = its.classified(error)
            hint_s = NO_HINT if found.retry_after_s is None else found.retry_after_s
            gate.settle(ADVICE[found.kind].int_code, hint_s)
            its.notes.failed(tried, latency_s, state, None, error, found, STRATEGIES[0])
        else:
            # A cancelled task or Ctrl-C says nothing about the service.
            gate.abandon()
            its.notes.abandoned(tried, latency_s, state, None)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
