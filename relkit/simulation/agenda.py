"""What happens when: events in a binary heap, in the order of time and, at one time, of their number.

An event is one whole number, so that the heap is two flat arrays and the order is total: no two events are alike, and
the oracle, which keeps tuples in `heapq`, takes them out in the same order.
"""

from typing import Any, Final

ANSWER: Final = 0
DONE: Final = 1
TIMEOUT: Final = 2
WAKE: Final = 3

MOST_ATTEMPTS: Final = 16_000
MOST_STARTS: Final = 2  # services that start from the queue when one ends: more than one where capacity comes back
_ATTEMPT_BITS: Final = 10
_REQUEST_BITS: Final = 24


def event_of(request: int, attempt: int, model: int, kind: int) -> int:
    """Return the number of an event: 39 bits of request, 14 of attempt, 7 of model and 3 of kind.

    >>> request, attempt, model, kind = 5, 2, 1, WAKE
    >>> event = event_of(request, attempt, model, kind)
    >>> event >> 24, (event >> 10) & 16383, (event >> 3) & 127, event & 7
    (5, 2, 1, 3)
    """
    return (request << _REQUEST_BITS) | (attempt << _ATTEMPT_BITS) | (model << 3) | kind


def push(heap_s: Any, heap_what: Any, count: int, at_s: float, what: int) -> None:
    """Put an event into a heap of `count` events, which has room for it."""
    at = count
    while at > 0:
        above = (at - 1) >> 1
        if heap_s[above] < at_s or (heap_s[above] == at_s and heap_what[above] < what):
            break
        heap_s[at] = heap_s[above]
        heap_what[at] = heap_what[above]
        at = above
    heap_s[at] = at_s
    heap_what[at] = what


def pop(heap_s: Any, heap_what: Any, count: int) -> None:
    """Take the first of `count` events out; read it before.

    >>> times_s, events = [0.0] * 3, [0] * 3
    >>> for number, at_s in enumerate((2.0, 1.0, 1.0)):
    ...     push(times_s, events, number, at_s, number)
    >>> events[0], pop(times_s, events, 3), events[0]
    (1, None, 2)
    """
    last = count - 1
    at_s, what = heap_s[last], heap_what[last]
    at, child = 0, 1
    while child < last:
        right = child + 1
        if right < last and (
            heap_s[right] < heap_s[child] or (heap_s[right] == heap_s[child] and heap_what[right] < heap_what[child])
        ):
            child = right
        if at_s < heap_s[child] or (at_s == heap_s[child] and what < heap_what[child]):
            break
        heap_s[at] = heap_s[child]
        heap_what[at] = heap_what[child]
        at = child
        child = 2 * at + 1
    heap_s[at] = at_s
    heap_what[at] = what
