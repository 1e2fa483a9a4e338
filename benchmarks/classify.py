"""Classify: live exceptions a second, one core; errors never seen before, and the same errors again and again.

Beside it what a logger does with the same exception anyway: its traceback as text. ratio = CPU seconds over those of that.
"""

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, Row, alone, in_turn, row_of

GOAL_PER_S: Final = 10_000
_ERRORS: Final = 30_000
WORKS: Final = ("tracebacks", "new", "storm")


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:
    """Compare on one number of errors, whatever the sizes of the logs."""
    del sizes, folder
    costs = in_turn(repeats, tuple(partial(alone, f"benchmarks.classify:{work}", _ERRORS) for work in WORKS))
    traced, new, storm = ([Cost(*cost.returned, cost.peak_mb, None) for cost in each] for each in costs)
    yield row_of("classify", "mixed errors", _ERRORS, "traceback as text", traced, ratio=1.0)
    base = min(cost.cpu_s for cost in traced)
    for name, each in (("relkit, all new", new), ("relkit, a storm", storm)):
        best = min(cost.cpu_s for cost in each)
        speed = _ERRORS / best
        note = f"{speed:,.0f} exceptions/s by CPU; goal {GOAL_PER_S:,} {'kept' if speed >= GOAL_PER_S else 'MISSED'}"
        yield row_of("classify", "mixed errors", _ERRORS, name, each, ratio=best / base, note=note)


class AnsweredError(Exception):
    """As SDKs raise them: status, parsed body and headers on the exception."""

    def __init__(self, text: str, status: int, body: object, headers: dict[str, str]) -> None:
        super().__init__(text)
        self.status_code, self.body, self.headers = status, body, headers


def errors(count: int, distinct: int) -> list[BaseException]:
    """Return exceptions of six shapes; texts differ in letters, because digits are masked."""
    found: list[BaseException] = []
    for number in range(count):
        word = "".join(chr(97 + number % distinct // 26**place % 26) for place in range(4))
        found.append(_SHAPES[number % len(_SHAPES)](word))
    return found


def _limited(word: str) -> BaseException:
    body = {"error": {"message": f"Rate limit reached in {word}", "code": "rate_limit_exceeded"}}
    return AnsweredError(
        f"Error code: 429 - {body}", 429, body, {"retry-after": "3", "content-type": "application/json"}
    )


def _invalid(word: str) -> BaseException:
    return AnsweredError("Error code: 400", 400, {"error": {"message": f"Invalid value for {word}"}}, {})


def _chained(word: str) -> BaseException:
    try:
        try:
            raise ConnectionResetError(104, "Connection reset by peer")
        except OSError as error:
            raise RuntimeError(f"the call of {word} failed") from error
    except RuntimeError as error:
        return error


_SHAPES: Final = (
    _limited,
    _invalid,
    _chained,
    lambda word: ConnectionRefusedError(111, "Connection refused"),
    lambda word: TimeoutError(),
    lambda word: ValueError(f"no such segment: {word}"),
)


def traceback_of(error: BaseException) -> str:
    """Return the text a logger writes."""
    return "".join(traceback.format_exception(error))


def tracebacks(count: int) -> tuple[float, float]:
    """Time the tracebacks."""
    return _timed(traceback_of, errors(count, count))


def new(count: int) -> tuple[float, float]:
    """Time errors of which none came before."""
    from relkit.errors import classify  # noqa: PLC0415

    classify(ValueError("the table is read once"))
    return _timed(classify, errors(count, count))


def storm(count: int) -> tuple[float, float]:
    """Time 50 errors that come again and again."""
    from relkit.errors import classify  # noqa: PLC0415

    classify(ValueError("the table is read once"))
    return _timed(classify, errors(count, 50))


def _timed(work: Callable[[BaseException], object], found: list[BaseException]) -> tuple[float, float]:
    worked, began = time.process_time(), time.perf_counter()
    for error in found:
        work(error)
    return time.process_time() - worked, time.perf_counter() - began
