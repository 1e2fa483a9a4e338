"""Calling a shadow beside the primary, without ever slowing or failing it, and writing down what came of each pair.

A call that takes part is copied when it begins and is done over in the mirror's own threads. What takes part is decided
by the session, so that a session stays where it is and a larger share only adds. A coin decides for each pair whether
the shadow is sent when the call begins or when the primary has ended, so that neither always finds a warm cache. Of
some pairs the primary is asked twice: what differs there too is noise, not the shadow.
"""

import asyncio
import copy
import os
import threading
import uuid
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from inspect import iscoroutine
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.live.answers import Offered, Primary
from relkit.live.callee import is_async
from relkit.live.clocks import now_s
from relkit.live.crew import Crew, Loop, Threads
from relkit.live.events import Record
from relkit.live.pairing import Comparer, Pair, Reading, Tried, read_answer
from relkit.live.rollout import Share, ShareWatch
from relkit.live.telling import tell
from relkit.shadow.assign import is_assigned, place_of
from relkit.shadow.compare import Comparison
from relkit.units import US_PER_SECOND

CAPACITY: Final = 1_000
WORKERS: Final = 8
TIMEOUT_S: Final = 60.0
ASKED_EVERY_S: Final = 30.0
CLOSE_WITHIN_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """How a mirror does.

    Parameters
    ----------
    offered : int
        Calls that were offered.
    mirrored : int
        Calls that were copied for the shadow.
    dropped : int
        Calls that should have been, and found the queue full or could not be copied.
    given_up : int
        Pairs that came to nothing because the caller of the primary gave up.
    in_flight : int
        Pairs on their way.
    share, step
        As in `relkit.live.rollout.Standing`.
    share_failures : int
        Times that asking for the share failed.
    """

    offered: int
    mirrored: int
    dropped: int
    given_up: int
    in_flight: int
    share: float
    step: int | None
    share_failures: int


class Mirror:
    """Sends calls to a shadow: give it to a pipeline as `shadow=`.

    Parameters
    ----------
    call : callable
        The shadow, called with a copy of what the primary was called with. It must change nothing: a shadow that books
        has booked twice. Plain, or async: then it runs on an event loop of the mirror's, with clients of its own.
    experiment : str
        Name of the rows.
    share : float or callable
        Of the sessions that are mirrored, in [0, 1], or who tells it: see `relkit.live.rollout`.
    key : str, optional
        Secret that places the sessions, 1 to 64 bytes; default: the experiment's name.
    primary : callable, optional
        The primary once more, of the same make as `call`, for pairs that ask it twice.
    baseline_share : float
        Of the pairs, in [0, 1], that ask the primary twice (A/A); only requests that only read are asked twice.
    rules : Comparison
        What may differ without meaning anything.
    read : callable
        Gives the `Reading` of an answer, of either.
    capacity : int
        Pairs on their way at once, at least 1; a call that finds so many is not mirrored, and counted.
    workers : int
        Shadows called at once, at least 1.
    timeout_s : float
        Seconds after which an async shadow is cut off; a plain one cannot be, and holds its worker.
    record : Record, optional
        Is told each pair.
    shadow_variant : str
        Who the shadow is; the primary is named by its model.
    asked_every_s : float
        Seconds from one question for the share to the next.

    Raises
    ------
    ParameterError
        A number is out of range, or `primary` is missing or of another make than `call`.

    Examples
    --------
    >>> from relkit.live.answers import Offered, Primary, Request
    >>> pairs = []
    >>> mirror = Mirror(lambda room: {"action": "book", "room": room}, experiment="llama-4", share=1.0, record=pairs.append)
    >>> finish = mirror.offer(Offered("r1", 0, Request(session_id="s1"), (7,), {}))
    >>> finish(Primary(True, {"action": "book", "room": 7}, "", "llama-3", 120_000))
    >>> mirror.close()
    True
    >>> pairs[0].state, pairs[0].differs, pairs[0].primary_action
    ('compared', False, 'book')
    """

    def __init__(
        self,
        call: Callable[..., Any],
        *,
        experiment: str,
        share: Share,
        key: str | None = None,
        primary: Callable[..., Any] | None = None,
        baseline_share: float = 0.0,
        rules: Comparison | None = None,
        read: Callable[[Any], Reading] = read_answer,
        capacity: int = CAPACITY,
        workers: int = WORKERS,
        timeout_s: float = TIMEOUT_S,
        record: Record | None = None,
        shadow_variant: str = "shadow",
        asked_every_s: float = ASKED_EVERY_S,
    ) -> None:
        for name, number in (("capacity", capacity), ("workers", workers)):
            if number < 1:
                raise ParameterError.of(name, number, "at least 1", "give a whole number such as 8")
        if not 0 <= baseline_share <= 1:
            raise ParameterError.of("baseline_share", baseline_share, "0 <= share <= 1", "give a share such as 0.1")
        if (baseline_share > 0) != (primary is not None) or (primary and is_async(primary) != is_async(call)):
            text = "a callable of the same make as `call`, where baseline_share is above 0"
            raise ParameterError.of("primary", primary, text, "give both, or neither")
        self._call, self._primary = call, primary
        self._key = key or experiment
        place_of("", self._key)  # a key that is too long is said now
        self._baseline_share = baseline_share
        self._comparer = Comparer(experiment, shadow_variant, rules or Comparison(), read)
        self._capacity, self._workers, self._timeout_s = capacity, workers, timeout_s
        self._record = record
        self._share = ShareWatch(share, asked_every_s)
        self._begin()
        _MIRRORS.add(self)

    def _begin(self) -> None:
        # Reentrant: see `relkit.policies.guard.Breaker`.
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._crew: Crew = Loop(self._workers) if is_async(self._call) else Threads(self._workers)
        self._offered = self._mirrored = self._dropped = self._given_up = self._in_flight = 0
        self._is_closed = False

    def offer(self, offered: Offered) -> Callable[[Primary], None] | None:
        """Take a call at its beginning; return who is told its end. Never waits, never raises."""
        if self._is_closed:
            return None
        with suppress(Exception):
            return self._offer(offered)
        return None

    def _offer(self, offered: Offered) -> Callable[[Primary], None]:
        standing = self._share.standing
        pair = Pair(offered, uuid.uuid4().hex, standing.step)
        takes_part = is_assigned(offered.request.session_id or offered.request_id, self._key, standing.share)
        with self._lock:
            self._offered += 1
            if takes_part and self._in_flight >= self._capacity:
                self._dropped += 1
                takes_part = False
            self._in_flight += takes_part
        if takes_part:
            self._copy(pair)
        return lambda primary: self._finish(pair, primary)

    def _copy(self, pair: Pair) -> None:
        try:
            pair.inputs = copy.deepcopy((pair.offered.args, dict(pair.offered.keywords)))
        except Exception:  # noqa: BLE001 - a client or a lock among the arguments; the call goes on unmirrored
            with self._lock:
                self._dropped += 1
                self._in_flight -= 1
            return
        pair.primary_first = place_of(pair.pair_id, self._key) < 0.5
        pair.is_mirrored = True
        with self._lock:
            self._mirrored += 1
        if not pair.primary_first:
            self._send(pair)

    def _finish(self, pair: Pair, primary: Primary) -> None:
        with suppress(Exception):
            if not pair.is_mirrored:
                if primary.ok is not None:
                    tell(self._record, self._comparer.event(pair, primary))
                return
            kept = _copied(primary)
            with self._lock:
                pair.primary = kept
                waits_for_us = pair.is_shadow_done
            if pair.primary_first and primary.ok is not None:
                self._send(pair)
            elif pair.primary_first or waits_for_us:
                self._crew.do(lambda: self._settle(pair))  # comparing takes time, and this is the path of the call

    def _send(self, pair: Pair) -> None:
        asks_twice = (
            pair.offered.request.only_reads and place_of(f"{pair.pair_id} A/A", self._key) < self._baseline_share
        )
        ask = self._ask_async if is_async(self._call) else self._ask
        self._crew.do(lambda: ask(pair, asks_twice=asks_twice))

    def _ask(self, pair: Pair, *, asks_twice: bool) -> None:
        pair.shadow = self._tried(self._call, pair)
        if asks_twice and self._primary is not None:
            pair.second = self._tried(self._primary, pair)
        self._shadow_done(pair)

    async def _ask_async(self, pair: Pair, *, asks_twice: bool) -> None:
        pair.shadow = await self._tried_async(self._call, pair)
        if asks_twice and self._primary is not None:
            pair.second = await self._tried_async(self._primary, pair)
        self._shadow_done(pair)

    def _tried(self, call: Callable[..., Any], pair: Pair) -> Tried:
        began_s = now_s()
        try:
            args, keywords = copy.deepcopy(pair.inputs) if self._primary else pair.inputs
            value, ok = call(*args, **keywords), True
            if iscoroutine(value):
                value.close()
                value, ok = TypeError("a coroutine that nobody awaits: give an async function"), False
        except BaseException as error:  # noqa: BLE001 - a shadow may fail in any way, and that is its answer
            value, ok = error, False
        return Tried(ok, value, _us(now_s() - began_s))

    async def _tried_async(self, call: Callable[..., Any], pair: Pair) -> Tried:
        began_s = now_s()
        ok: bool | None
        limit = asyncio.timeout(self._timeout_s)
        try:
            args, keywords = copy.deepcopy(pair.inputs) if self._primary else pair.inputs
            async with limit:
                value, ok = await call(*args, **keywords), True
        except BaseException as error:  # noqa: BLE001 - see _tried
            value, ok = error, None if limit.expired() else False
        return Tried(ok, value, _us(now_s() - began_s))

    def _shadow_done(self, pair: Pair) -> None:
        with self._lock:
            pair.is_shadow_done = True
            primary = pair.primary
        if primary is not None:
            self._settle(pair)

    def _settle(self, pair: Pair) -> None:
        """Tell a pair whose both sides are known, and make room for another."""
        primary = pair.primary
        try:
            if primary is not None and primary.ok is not None:
                tell(self._record, self._comparer.event(pair, primary))
        finally:
            with self._idle:
                self._given_up += primary is None or primary.ok is None
                self._in_flight -= 1
                if not self._in_flight:
                    self._idle.notify_all()

    def close(self, timeout_s: float = CLOSE_WITHIN_S) -> bool:
        """Take no more calls and wait for pairs on their way; False when the time is up before, and those are lost."""
        self._is_closed = True
        self._share.close()
        with self._idle:
            done = self._idle.wait_for(lambda: not self._in_flight, timeout_s)
        self._crew.end()
        return done

    @property
    def status(self) -> MirrorStatus:
        """Return how it does."""
        standing = self._share.standing
        with self._lock:
            return MirrorStatus(
                self._offered,
                self._mirrored,
                self._dropped,
                self._given_up,
                self._in_flight,
                standing.share,
                standing.step,
                self._share.failures,
            )

    @property
    def dropped(self) -> int:
        """Calls that should have been mirrored and were not."""
        return self._dropped

    def begin_in_child(self) -> None:
        """Begin anew in a forked process: pairs on their way are the parent's."""
        self._begin()
        self._share.begin()


def _us(seconds: float) -> int:
    return round(seconds * US_PER_SECOND)


def _copied(primary: Primary) -> Primary:
    """Keep the answer as it is now: its caller may change it before it is compared."""
    try:
        return replace(primary, value=copy.deepcopy(primary.value))
    except Exception:  # noqa: BLE001 - what cannot be copied is compared as it is then
        return primary


_MIRRORS: Final[weakref.WeakSet[Mirror]] = weakref.WeakSet()


def _begin_in_child() -> None:
    for mirror in list(_MIRRORS):
        mirror.begin_in_child()


os.register_at_fork(after_in_child=_begin_in_child)
