"""Testing mode: waits are instant, time has passed all the same, and every decision is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from relkit.live.clocks import skip, unwatch, watch
from relkit.live.events import Event
from relkit.live.telling import leave, listen

E = TypeVar("E")


class Seen:
    """What happened in testing mode, in order.

    Attributes
    ----------
    events : list of Event
        Everything that pipelines, breakers, probes and shadows told.
    waits_s : list of float
        The waits that were skipped, seconds.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.waits_s: list[float] = []

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, such as `relkit.live.events.RetryEvent`."""
        return [event for event in self.events if isinstance(event, kind)]

    def advance(self, seconds: float) -> None:
        """Let time pass at once, e.g. until an open breaker is half open."""
        skip(seconds)


@contextmanager
def rehearsal() -> Iterator[Seen]:
    """Make every wait in this process instant and keep what happens, within a `with` block.

    The clock goes on by each wait that is skipped, so deadlines, open times and ages in caches come out as if it had
    been waited. What was given a clock or a sleep of its own keeps them.

    Returns
    -------
    context manager of Seen

    Examples
    --------
    >>> from relkit.live.clocks import now_s, sleep
    >>> with rehearsal() as seen:
    ...     before_s = now_s()
    ...     sleep(3600.0)
    >>> seen.waits_s, now_s() - before_s >= 3600.0
    ([3600.0], True)
    """
    seen = Seen()
    watch(seen.waits_s.append)
    listen(seen.events.append)
    try:
        yield seen
    finally:
        leave(seen.events.append)
        unwatch(seen.waits_s.append)
