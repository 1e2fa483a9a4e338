"""The policies around real calls: `Pipeline.call`, `acall`, `wrap` and `attempt`."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from inspect import isawaitable, iscoroutine
from os import urandom
from pathlib import Path
from random import random
from typing import Any, Final, Literal, ParamSpec, TypeVar, overload

from relkit.errors import classifier
from relkit.errors.classifier import Classification
from relkit.errors.rules import RuleSet
from relkit.exceptions import ParameterError
from relkit.live import clocks
from relkit.live.answers import Answer, Request, Shadow, Usage
from relkit.live.cache import AnswerCache
from relkit.live.callee import is_async, keywords_of, not_async, refuse_async, refuse_generator, unawaited
from relkit.live.decisions import Call, Steps
from relkit.live.events import Record
from relkit.live.notes import Notes
from relkit.live.registry import DEFAULT, Registry
from relkit.live.setting import Draws, Send, Setting, guarded
from relkit.live.single import SingleAttempt
from relkit.policies.policy import Policy

T = TypeVar("T")
P = ParamSpec("P")
PLAIN: Final = Request()


class Pipeline:
    """The policies of one service around its calls, for threads and asyncio tasks at once.

    The function is called as it is given, with two keywords added where they make sense: `model`, the name of the model
    to ask, always and only where the policy has a chain; and `timeout_s`, how long this try may take in seconds (the
    settings' limit, or what is left of the call's deadline), only where the function names such a parameter and its
    caller does not give it. The one retry loop is this one: switch off the retries of the provider's own client. Whatever
    the settings say, a call that may have been carried out is never sent again unless its Request says that this is safe.

    Parameters
    ----------
    policy : Policy
        The settings; `presets[name]`, or what `from_toml` reads.
    service : str
        Name of the service, in the journal and the registry.
    record : callable or None
        Is told every event, see `relkit.live.events`.
    registry : Registry or None
        Whose breakers and RetryBudget to share; None makes one.
    cache : AnswerCache or None
        Where answers are kept; None makes one where the policy has a freshness.
    shadow : Shadow or None
        Who may send calls to another variant.
    timeout_s : float
        How long one try may take, seconds. An async try is cut there and has failed with NETWORK_TIMEOUT; a function
        that blocks cannot be cut, so it is told by `timeout_s`. The breaker's own `timeout_s` counts too.
    clock, now_us, sleep, async_sleep : callable
        Time: seconds that never run backwards and microseconds since 1970 UTC, by default those of the registry; and the
        two ways to wait.
    draw : Draws or None
        Random numbers; None for Python's.
    classify : callable or None
        Says of an exception what failed; None for `relkit.errors.classify`.
    rules : RuleSet or None
        Table of rules for it; None for relkit's own.
    load : callable or None
        Gives the load of the server as it last told, a share in [0, 1]; below 0 for unknown.
    usage : callable or None
        Reads the `Usage` (tokens, cost) out of an answer.

    Raises
    ------
    ParameterError
        For a time limit that is not above 0, a service that the registry gives other settings, or retries that nothing
        ends.

    Examples
    --------
    >>> from relkit.live.testing import rehearsal
    >>> from relkit.policies.presets import presets
    >>> replies = iter([ConnectionRefusedError(), "hello"])
    >>> def ask(prompt):
    ...     reply = next(replies)
    ...     if isinstance(reply, Exception):
    ...         raise reply
    ...     return reply
    >>> with rehearsal() as seen:
    ...     answer = Pipeline(presets["plan-fixed"]).call(ask, "hi", request=Request(only_reads=True))
    >>> answer.value, [str(attempt.kind) for attempt in answer.attempts], len(seen.waits_s)
    ('hello', ['NETWORK_REFUSED', 'None'], 1)
    """

    def __init__(
        self,
        policy: Policy,
        *,
        service: str = DEFAULT,
        record: Record | None = None,
        registry: Registry | None = None,
        cache: AnswerCache | None = None,
        shadow: Shadow | None = None,
        timeout_s: float = math.inf,
        clock: Callable[[], float] | None = None,
        now_us: Callable[[], int] | None = None,
        sleep: Callable[[float], None] = clocks.sleep,
        async_sleep: Callable[[float], Awaitable[Any]] = clocks.async_sleep,
        draw: Draws | None = None,
        classify: Callable[[BaseException], Classification] | None = None,
        rules: RuleSet | None = None,
        load: Callable[[], float] | None = None,
        usage: Callable[[Any], Usage | None] | None = None,
    ) -> None:
        if not timeout_s > 0:
            raise ParameterError.of("timeout_s", timeout_s, "seconds above 0, or inf", "say how long one try may take")
        if registry is None:
            clock, now_us = clock or clocks.now_s, now_us or clocks.now_us
            registry = Registry({service: policy}, record=record, clock=clock, now_us=now_us)
        else:
            registry.add(service, policy)
            # One clock for breakers, deadlines and ages.
            clock, now_us = clock or registry.clock, now_us or registry.now_us
        if cache is None and policy.freshness is not None:
            cache = AnswerCache(policy.freshness, clock=clock)
        own_s = 0.0 if policy.breaker is None else policy.breaker.timeout_s
        self.policy, self.service, self.registry, self.cache = policy, service, registry, cache
        self._sleep, self._async_sleep = sleep, async_sleep
        self._setting = Setting(
            policy=policy,
            loop=guarded(policy),
            service=service,
            registry=registry,
            cache=cache,
            shadow=shadow,
            notes=Notes(record, service, policy.hash, now_us, rules, usage, policy.fallback),
            clock=clock,
            draw=draw or _own_draw,
            classify=classify or partial(classifier.classify, rules=rules),
            load=load,
            timeout_s=min(timeout_s, own_s) if own_s > 0.0 else timeout_s,
        )

    @classmethod
    def from_toml(cls, path: str | Path | None, service: str = DEFAULT, **options: Any) -> "Pipeline":
        """Make the pipeline of a service as a relkit.toml says, such as `relkit export` writes it.

        Parameters
        ----------
        path : path or None
            The file; None for relkit's own.
        service : str
            Its settings are taken, or those of `[service.default]`; errors are read by the file's rules.
        **options
            As for `Pipeline`.

        Raises
        ------
        ParameterError
            When the file cannot be read, or says nothing of the service.
        """
        from relkit.config.relkit_toml import load_config  # noqa: PLC0415  only who reads a file pays for its checks

        config = load_config(None if path is None else Path(path))
        return cls(config.service(service), service=service, **{"rules": config.rules, **options})

    def call(self, function: Callable[..., T], /, *args: Any, request: Request = PLAIN, **keywords: Any) -> Answer[T]:
        """Call a function under the policies, and wait in this thread.

        Parameters
        ----------
        function : callable
            What to call.
        *args, **keywords
            What to call it with.
        request : Request
            What the pipeline must know of the call. By default it is taken to change something: after an error with which
            it may have been carried out it is not sent again.

        Returns
        -------
        Answer

        Raises
        ------
        CallFailedError
            When neither a model nor the cache had an answer; `__cause__` is the first error.
        CircuitOpenError
            When nothing was sent, because the breaker of every model said no.
        ParameterError
            For an async function, one that yields, or one that cannot take the keyword `model` that the policy's chain
            needs.
        """
        return self._called(function, request, args, keywords)

    def _called(
        self, function: Callable[..., T], request: Request, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Answer[T]:
        refuse_async(function)
        refuse_generator(function)
        passed = keywords_of(function, args, keywords, has_chain=self.policy.fallback is not None)
        steps = self.steps(request, args, keywords)
        try:
            step = next(steps)
            while True:
                if isinstance(step, Send):
                    try:
                        value = function(*args, **keywords, **passed(step))
                    except Exception as error:  # noqa: BLE001  the decisions classify it
                        step = steps.throw(error)
                    else:
                        if iscoroutine(value):
                            value.close()
                            raise unawaited(function)
                        step = steps.send(value)
                else:
                    self._sleep(step.wait_s)
                    step = next(steps)
        except StopIteration as end:
            answer: Answer[T] = end.value
            return answer
        finally:
            # Ctrl-C, within the function or a wait, comes by here: the permit goes back.
            steps.close()

    async def acall(
        self, function: Callable[..., Awaitable[T]], /, *args: Any, request: Request = PLAIN, **keywords: Any
    ) -> Answer[T]:
        """Call an async function under the policies; a cancelled task gives its permit back.

        Parameters, returns and errors are those of `call`; what the function returns must be something to await.
        """
        return await self._acalled(function, request, args, keywords)

    async def _acalled(
        self, function: Callable[..., Awaitable[T]], request: Request, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Answer[T]:
        refuse_generator(function)
        passed = keywords_of(function, args, keywords, has_chain=self.policy.fallback is not None)
        steps = self.steps(request, args, keywords)
        limit_s = self._setting.timeout_s
        try:
            step = next(steps)
            while True:
                if isinstance(step, Send):
                    try:
                        coming = function(*args, **keywords, **passed(step))
                        is_coming = isawaitable(coming)
                        if not is_coming:
                            value = None
                        elif math.isinf(limit_s):
                            value = await coming
                        else:
                            async with asyncio.timeout(limit_s):
                                value = await coming
                    except Exception as error:  # noqa: BLE001  the decisions classify it
                        step = steps.throw(error)
                    else:
                        if not is_coming:
                            raise not_async(function)
                        step = steps.send(value)
                else:
                    await self._async_sleep(step.wait_s)
                    step = next(steps)
        except StopIteration as end:
            answer: Answer[T] = end.value
            return answer
        finally:
            steps.close()

    @overload
    def wrap(self, function: Callable[P, T], /) -> Callable[P, T]: ...

    @overload
    def wrap(
        self, /, *, request: Request | Callable[..., Request] = PLAIN
    ) -> Callable[[Callable[P, T]], Callable[P, T]]: ...

    def wrap(self, function: Any = None, /, *, request: Request | Callable[..., Request] = PLAIN) -> Any:
        """Decorate a function, sync or async: it is called under the policies and returns what it returned before.

        Parameters
        ----------
        function : callable
            What to decorate.
        request : Request or callable
            The same for each call, or made of the call's own arguments, e.g.
            `lambda town: Request(only_reads=True, cache_key=town)`.

        Returns
        -------
        callable
            It raises what `call` raises. Use `call` where you need the Answer rather than its value.

        Examples
        --------
        >>> from relkit.policies.presets import presets
        >>> @Pipeline(presets["plan-fixed"]).wrap(request=Request(only_reads=True))
        ... def double(number):
        ...     return 2 * number
        >>> double(21)
        42
        """
        if function is None:
            return partial(self._wrapped, request=request)
        return self._wrapped(function, request=request)

    def _wrapped(self, function: Any, *, request: Request | Callable[..., Request]) -> Any:
        def asked(args: tuple[Any, ...], keywords: dict[str, Any]) -> Request:
            return request if isinstance(request, Request) else request(*args, **keywords)

        if is_async(function):

            @wraps(function)
            async def later(*args: Any, **keywords: Any) -> Any:
                return (await self._acalled(function, asked(args, keywords), args, keywords)).value

            return later

        @wraps(function)
        def now(*args: Any, **keywords: Any) -> Any:
            return self._called(function, asked(args, keywords), args, keywords).value

        return now

    def attempt(self, request: Request = PLAIN, *, model: str | None = None) -> SingleAttempt:
        """Guard one try of your own, in a `with` or `async with` block: breaker and journal, no retry and no cache.

        Parameters
        ----------
        request : Request
            What the pipeline must know of it.
        model : str or None
            Which breaker to ask; None for the first of the chain.

        Returns
        -------
        SingleAttempt
            On entering it raises CircuitOpenError when the breaker says no. Errors pass through unchanged.

        Examples
        --------
        >>> from relkit.policies.presets import presets
        >>> with Pipeline(presets["plan-fixed"]).attempt() as attempt:
        ...     2 + 2
        4
        """
        return SingleAttempt(self._setting, request, _named(request), model)

    def steps(
        self, request: Request = PLAIN, args: tuple[Any, ...] = (), keywords: Mapping[str, Any] | None = None
    ) -> Steps:
        """Return the decisions of one call, for who carries them out with an event loop of his own.

        Parameters
        ----------
        request : Request
            What the pipeline must know of it.
        args, keywords
            What the function will be called with, for a shadow.

        Returns
        -------
        generator
            See `relkit.live.decisions`. Close it when the call is given up.
        """
        return Call(self._setting, request, _named(request)).steps(args, keywords)


def _named(request: Request) -> str:
    if not isinstance(request, Request):
        raise ParameterError.of("request", request, "a Request", "say what is asked, such as Request(only_reads=True)")
    return request.request_id or urandom(16).hex()


def _own_draw(_purpose: Literal["permit", "wait"], _request_id: str, _attempt: int, _place: int, /) -> float:
    return random()  # noqa: S311  jitter is no secret
