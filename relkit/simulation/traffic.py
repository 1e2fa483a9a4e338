"""Logged traffic as arrays: what calibration and replay read of a log, one entry for each attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from relkit.exceptions import DataError

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

GOOD: Final = 1
FAILED: Final = 0
UNTOLD: Final = -1
NOT_MEASURED: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class LoggedTraffic:
    """Attempts of a log on one model, ordered by start.

    Parameters
    ----------
    model : str
        What was called.
    start_us : array of int, shape (attempts,)
        Start, microseconds since 1970.
    latency_us : array of int
        Time it took in microseconds; -1 where it was not measured.
    outcome : array of int
        1 good, 0 failed, -1 unknown.
    kind : array of int
        Code of the error kind (`relkit.errors.kinds.Advice.int_code`), 0 for none.
    request : array of int
        Number of the request it belongs to.
    number : array of int
        1 for its first attempt, 2 for the next, ...
    rejected : array of bool
        Never sent, because the breaker of the log's own client was open: what would have come of it is missing.
    ended : array of bool
        Whether its end is in the log.
    retry_after_us : array of int
        Wait that the server stated, in microseconds; -1 for none.
    is_user : array of bool
        Whether it is a user's call; others (probes) tell the state of the model and nothing else.
    others : int
        Attempts of the log on other models, which are left out here.

    Examples
    --------
    >>> traffic_of([0.0, 1.0], [0.2, 0.3], [True, False]).attempts
    2
    """

    model: str
    start_us: Ints
    latency_us: Ints
    outcome: Ints
    kind: Ints
    request: Ints
    number: Ints
    rejected: Flags
    ended: Flags
    retry_after_us: Ints
    is_user: Flags
    others: int = 0

    def __post_init__(self) -> None:
        sizes = {name: len(getattr(self, name)) for name in _COLUMNS}
        if len(set(sizes.values())) > 1:
            raise DataError(f"columns of logged traffic must be of one length; got {sizes}")
        if self.start_us.size and np.any(np.diff(self.start_us) < 0):
            raise DataError("logged traffic must be ordered by start; sort its rows by time")

    @property
    def attempts(self) -> int:
        """Attempts of users that were sent."""
        return int(np.count_nonzero(self.is_user & ~self.rejected))

    @property
    def span_s(self) -> float:
        """Seconds from the first start to the last."""
        return float(self.start_us[-1] - self.start_us[0]) / 1e6 if self.start_us.size else 0.0

    def picked(self, mask: Flags) -> "LoggedTraffic":
        """Return the attempts under a mask."""
        columns = {name: getattr(self, name)[mask] for name in _COLUMNS}
        return LoggedTraffic(self.model, **columns, others=self.others)


_COLUMNS: Final = (
    "start_us", "latency_us", "outcome", "kind", "request", "number", "rejected", "ended", "retry_after_us", "is_user"
)  # fmt: skip


def traffic_of(
    start_s: Sequence[float] | npt.NDArray[np.float64],
    latency_s: Sequence[float] | npt.NDArray[np.float64] | None = None,
    good: Sequence[bool] | npt.NDArray[np.bool_] | None = None,
    *,
    kind: Ints | None = None,
    request: Ints | None = None,
    number: Ints | None = None,
    rejected: Flags | None = None,
    ended: Flags | None = None,
    model: str = "model",
) -> LoggedTraffic:
    """Make logged traffic of plain columns, in any order.

    Parameters
    ----------
    start_s : sequence of float
        Starts in seconds.
    latency_s : sequence of float, optional
        Seconds each took; NaN where not measured.
    good : sequence of bool, optional
        Whether each succeeded; unknown where left out.
    kind, request, number, rejected, ended : array, optional
        As in `LoggedTraffic`; by default no kind, every attempt a request of its own, all sent and all ended.
    model : str
        What was called.

    Returns
    -------
    LoggedTraffic

    Examples
    --------
    >>> traffic_of([2.0, 1.0], None, [True, False]).outcome
    array([0, 1])
    """
    starts = np.asarray(start_s, float)
    size = starts.size
    order = np.argsort(starts, kind="stable")
    took = np.full(size, np.nan) if latency_s is None else np.asarray(latency_s, float)
    outcome = np.full(size, UNTOLD) if good is None else np.where(np.asarray(good, bool), GOOD, FAILED)
    zeros, yes = np.zeros(size, np.int64), np.ones(size, bool)
    latency_us = np.where(np.isnan(took), NOT_MEASURED, np.rint(np.nan_to_num(took) * 1e6)).astype(np.int64)
    columns: dict[str, Any] = {
        "start_us": np.rint(starts * 1e6).astype(np.int64),
        "latency_us": latency_us,
        "outcome": outcome.astype(np.int64),
        "kind": zeros if kind is None else np.asarray(kind, np.int64),
        "request": np.arange(size) if request is None else np.asarray(request, np.int64),
        "number": zeros + 1 if number is None else np.asarray(number, np.int64),
        "rejected": ~yes if rejected is None else np.asarray(rejected, bool),
        "ended": yes if ended is None else np.asarray(ended, bool),
        "retry_after_us": zeros + NOT_MEASURED,
        "is_user": yes,
    }
    return LoggedTraffic(model, **{name: column[order] for name, column in columns.items()})
