"""Paired differences, equal ones counted together: raw values, or a histogram of log ratios by bucket of sessions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relkit.exceptions import DataError
from relkit.shadow.study import Binned

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Paired differences, equal ones counted together: log2(shadow/primary) for latencies.

    Parameters
    ----------
    values : array of float, shape (B,)
        Distinct differences, ascending.
    times : array of int, shape (B,)
        How often each came.
    group, value, count : array of int, shape (E,), or None
        Which group of whole sessions has which value how often; None where pairs count as independent.

    Examples
    --------
    >>> Differences.of([0.5, -0.25, 0.5]).times.tolist()
    [1, 2]
    """

    values: Floats
    times: Ints
    group: Ints | None = None
    value: Ints | None = None
    count: Ints | None = None

    @classmethod
    def of(cls, differences: npt.ArrayLike, session_ids: npt.ArrayLike | None = None) -> "Differences":
        """Count differences in memory; with sessions, each is a group."""
        raw = np.asarray(differences, dtype=float)
        if raw.ndim != 1 or not np.isfinite(raw).all():
            raise DataError("differences are one flat array of finite numbers: leave out pairs without both answers")
        values, place, times = np.unique(raw, return_inverse=True, return_counts=True)
        if session_ids is None:
            return cls(values, times)
        _, group = np.unique(np.asarray(session_ids), return_inverse=True)
        if group.size != raw.size:
            raise DataError(f"{group.size} sessions for {raw.size} differences: give one for each")
        return cls(values, times, group, place, np.ones(raw.size, dtype=np.int64))

    @classmethod
    def binned(cls, log_ratios: Binned) -> "Differences":
        """Take a histogram of log2 ratios by bucket of sessions; each bucket is a group."""
        group, value = np.nonzero(log_ratios.times)
        used, place = np.unique(value, return_inverse=True)
        values = log_ratios.places[used] / log_ratios.per_doubling
        return cls(values, log_ratios.bins[used], group, place, log_ratios.times[group, value])

    @property
    def n(self) -> int:
        """Number of pairs."""
        return int(self.times.sum())

    def moved(self, by: float) -> "Differences":
        """Return the same differences less a shift."""
        return Differences(self.values - by, self.times, self.group, self.value, self.count)
