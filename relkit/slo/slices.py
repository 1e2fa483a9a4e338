"""Slices of time as events: an objective on time counts slices as one on requests counts requests.

A slice that holds no valid request is no event: nobody asked, or nobody counted, and neither is good. So every number
of this room (budget, burn, forecast) works on slices as it does on requests.
"""

from typing import Final

import numpy as np

from relkit.slo.minutes import Ints, Minutes
from relkit.slo.objective import Objective

PARTS: Final = 1_000_000
"""Parts into which a slice is divided where its good share is what counts."""


def in_slices(minutes: Minutes, objective: Objective) -> Minutes:
    """Return what an objective counts, as events on the grid of minutes.

    Parameters
    ----------
    minutes : Minutes
        Requests by minute.
    objective : Objective
        Its method decides. occurrences: the requests themselves. time_slices: one event a slice, good when at least
        `slice_target` of the slice's valid requests are good, by integers. ratio_time_slices: `PARTS` events a slice,
        good in the proportion of its requests.

    Returns
    -------
    Minutes
        The events of a slice stand in its last minute on the grid; excluded and unknown stay requests.

    Examples
    --------
    >>> grid = Minutes(0, [9, 10, 0, 5], [1, 0, 0, 5], [0] * 4, [0] * 4, [True] * 4)
    >>> by_minute = in_slices(grid, Objective("minutes", "0.9", method="time_slices", slice_target="0.9"))
    >>> by_minute.good.tolist(), by_minute.bad.tolist()
    ([1, 1, 0, 0], [0, 0, 0, 1])
    """
    if objective.method == "occurrences" or not len(minutes):
        return minutes
    slices = (minutes.start_minute + np.arange(len(minutes))) // objective.slice_minutes
    firsts = np.flatnonzero(np.diff(slices, prepend=slices[0] - 1))
    lasts = np.append(firsts[1:], len(minutes)) - 1
    good, valid = np.add.reduceat(minutes.good, firsts), np.add.reduceat(minutes.valid, firsts)
    if objective.slice_target is not None:
        share = objective.slice_target
        # Python's whole numbers: a target of eighteen decimals times a busy slice does not fit into 64 bits.
        kept = [int(g) * share.denominator >= share.numerator * int(v) for g, v in zip(good, valid, strict=True)]
        good_events = np.array(kept, dtype=np.int64) * (valid > 0)
        events = (valid > 0).astype(np.int64)
    else:
        events = PARTS * (valid > 0).astype(np.int64)
        good_events = np.rint(PARTS * good / np.maximum(valid, 1)).astype(np.int64)
    covered = minutes.covered.copy()
    covered[lasts[events > 0]] = True  # a slice that ends in a gap is told by the minutes it has
    return Minutes(
        minutes.start_minute,
        _at(lasts, good_events, len(minutes)),
        _at(lasts, events - good_events, len(minutes)),
        minutes.excluded,
        minutes.unknown,
        covered,
    )


def parts_of(objective: Objective) -> int:
    """Return how many events of `in_slices` one counted unit is: 1, or `PARTS` where shares are averaged."""
    return PARTS if objective.method == "ratio_time_slices" else 1


def _at(places: Ints, values: Ints, length: int) -> Ints:
    row = np.zeros(length, dtype=np.int64)
    row[places] = values
    return row
