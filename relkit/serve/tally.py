"""What is counted of the log, kept between questions: only what is new is read again."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from threading import Lock
from typing import Final

from relkit.config import Config
from relkit.errors import GOOD_KINDS
from relkit.period import Period
from relkit.serve.figures import LONGEST_US, strategies_of, windows_of
from relkit.serve.grid import Grid, counted, minutes_of
from relkit.serve.snapshot import Snapshot
from relkit.slo import ErrorBudget, Goal, Objective, goal_of, window_of
from relkit.store import Store, open_store, readings
from relkit.store.readings.ended import NOBODY, Ended, Mark, ended_requests, first_changed_us, mark_of
from relkit.store.readings.folded import SPREAD_US, requests_between
from relkit.store.readings.standing import (
    breaker_standings,
    budgets_left,
    first_row_us,
    last_row_us,
    probe_standings,
    shadow_standings,
)
from relkit.units import US_PER_DAY, US_PER_MINUTE

ALL_REQUESTS: Final = Objective("all requests", "0.999")
"""Error rates count as an objective on availability does: faults of the caller leave the denominator. Its target is not used."""
STRETCH_US: Final = 2 * US_PER_DAY
"""Most that is read of a long log in one visit to the database, so that a writer never waits long."""
LONG_ROWS: Final = 1_000_000
LOCK_WAIT_S: Final = 0.5
WEEK_US: Final = 7 * US_PER_DAY
"""What a page reports of."""

_Left = dict[tuple[str, str], tuple[int, int]]


@dataclass(slots=True)
class _Kept:
    """What was counted up to a moment."""

    mark: Mark
    first_us: int | None
    until_us: int
    grid: Grid
    ended: Ended
    left: _Left


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What one visit counted."""

    grid: Grid
    ended: Ended
    left: _Left


class Tally:
    """The counts of a database, brought up to date at every question; questions of several threads take turns.

    Parameters
    ----------
    database : Path
        Where the log lies; opened for each visit and closed after it.
    config : Config
        Objectives, rules and zone.
    """

    def __init__(self, database: Path, config: Config) -> None:
        self._database, self._config = database, config
        self._objectives = tuple(config.objectives)
        self._kept: _Kept | None = None
        self._turn = Lock()

    def snapshot(self, at_us: int, now_us: int) -> Snapshot:
        """Say where everything stands at a moment.

        Parameters
        ----------
        at_us : int
            The moment, microseconds since 1970 UTC; requests that end before it are counted, budgets in whole minutes.
        now_us : int
            The clock. What is new up to it is counted and kept; any other moment is answered from that as far as it goes.

        Raises
        ------
        StoreError
            The database cannot be opened; `StoreLockedError` when another process holds it.
        """
        with self._turn:
            return self._counted(at_us, now_us)

    def _counted(self, at_us: int, now_us: int) -> Snapshot:
        while True:
            with self._open() as store:
                kept = self._brought_nearer(store, now_us)
                if kept.until_us == now_us == at_us:
                    return self._told(store, _Stretch(kept.grid, kept.ended, kept.left), at_us)
            if kept.until_us == now_us:
                break
        grid = self._filled(kept, at_us)
        start_us = at_us - LONGEST_US
        with self._open() as store, requests_between(store, start_us, at_us):
            ended = ended_requests(store, ALL_REQUESTS, GOOD_KINDS)
            return self._told(store, _Stretch(grid, ended, budgets_left(store, start_us, at_us)), at_us)

    def _told(self, store: Store, stretch: _Stretch, at_us: int) -> Snapshot:
        return Snapshot(
            at_us,
            last_row_us(store, at_us),
            breaker_standings(store, at_us),
            strategies_of(stretch.ended, at_us, stretch.left),
            shadow_standings(store, at_us),
            windows_of(stretch.ended, at_us),
            tuple(self._goal(store, one, stretch.grid, self._window(one, at_us)) for one in self._objectives),
            tuple(self._week(store, one, stretch.grid, at_us) for one in self._objectives),
            probe_standings(store, at_us),
        )

    def _goal(
        self, store: Store, objective: Objective, grid: Grid, period: Period, over_window: ErrorBudget | None = None
    ) -> Goal:
        assert period.start_us is not None
        assert period.end_us is not None
        start, end = period.start_us // US_PER_MINUTE, period.end_us // US_PER_MINUTE
        left_out = tuple(one for one in readings.exclusions(store, period) if one.concerns(objective.service))
        return goal_of(objective, minutes_of(grid, objective, start, end), left_out, window_budget=over_window)

    def _week(self, store: Store, objective: Objective, grid: Grid, at_us: int) -> Goal:
        """Judge the last seven days, beside the budget of the objective's own window."""
        window = self._goal(store, objective, grid, self._window(objective, at_us)).budget
        return self._goal(store, objective, grid, Period("", at_us - WEEK_US, at_us), window)

    def _window(self, objective: Objective, at_us: int) -> Period:
        return window_of(Period("", at_us, at_us, self._config.report.zone), objective)

    def _low_us(self, at_us: int) -> int:
        """Return where counting begins for a moment: a day before the longest window, by which coverage is told."""
        starts = [self._window(one, at_us).start_us or 0 for one in self._objectives]
        return _minute(min(at_us - WEEK_US, *starts) - US_PER_DAY)

    def _brought_nearer(self, store: Store, now_us: int) -> _Kept:
        """Count the next stretch of what is new; all of it when that is not long."""
        kept, mark = self._kept, mark_of(store)
        changed_us = 0 if kept is None or now_us < kept.until_us else first_changed_us(store, kept.mark)
        if kept is None or changed_us == 0:
            first_us = first_row_us(store)
            kept = None
            last_us = last_row_us(store, now_us)
            from_us = max(self._low_us(now_us), _minute(first_us or 0))
            if last_us is None or last_us + SPREAD_US < from_us:
                from_us = now_us
            from_us = min(from_us, _minute(now_us - LONGEST_US))
        else:
            first_us = kept.first_us if changed_us is None else min(kept.first_us or changed_us, changed_us)
            from_us = max(_minute(min(kept.until_us, changed_us or kept.until_us)), self._low_us(now_us))
        until_us = min(now_us, from_us + _stretch_us(mark))
        new = self._stretch(store, from_us, until_us, is_recent=until_us > now_us - LONGEST_US)
        if kept is not None:
            grid = kept.grid.part(self._low_us(now_us) // US_PER_MINUTE, from_us // US_PER_MINUTE).then(new.grid)
            ended = kept.ended.between(until_us - LONGEST_US, from_us).then(new.ended)
            left = {key: said for key, said in kept.left.items() if said[0] >= until_us - LONGEST_US}
            new = _Stretch(grid, ended, left | new.left)
        self._kept = _Kept(mark, first_us, until_us, new.grid, new.ended, new.left)
        return self._kept

    def _filled(self, kept: _Kept, at_us: int) -> Grid:
        """Give the grid of another moment: what is kept of it, and what lies before and after counted for this once."""
        with self._open() as store:
            last_us = last_row_us(store, at_us)
        low = max(self._low_us(at_us), kept.first_us or 0) // US_PER_MINUTE
        high = min(at_us, 0 if last_us is None else last_us + SPREAD_US) // US_PER_MINUTE  # beyond lies nothing
        if low >= high:
            return kept.grid.part(0, 0)
        over = kept.until_us // US_PER_MINUTE  # the minute in which the last look was taken is not over
        middle = kept.grid.part(low, min(high, over))
        before, after = (
            self._pieces(kept, low, min(high, kept.grid.start_minute)),
            self._pieces(kept, max(low, over), high),
        )
        return reduce(Grid.then, [*before, *([middle] if len(middle) else []), *after])

    def _pieces(self, kept: _Kept, start: int, end: int) -> list[Grid]:
        """Count a stretch of minutes, a visit for each piece."""
        found = []
        step = _stretch_us(kept.mark) // US_PER_MINUTE
        for first in range(start, end, step):
            with self._open() as store:
                beyond = min(end, first + step)
                new = self._stretch(store, first * US_PER_MINUTE, beyond * US_PER_MINUTE, is_recent=False)
                found.append(new.grid)
        return found

    def _stretch(self, store: Store, start_us: int, end_us: int, *, is_recent: bool) -> _Stretch:
        """Count a stretch; its single requests are read only where error rates and percentiles still need them."""
        with requests_between(store, start_us, end_us):
            grid = counted(store, self._objectives, start_us, end_us)
            if not is_recent:
                return _Stretch(grid, NOBODY, {})
            return _Stretch(
                grid,
                ended_requests(store, ALL_REQUESTS, GOOD_KINDS),
                budgets_left(store, start_us, end_us),
            )

    def _open(self) -> AbstractContextManager[Store]:
        return open_store(self._database, rules=self._config.rules, wait_s=LOCK_WAIT_S)


def _stretch_us(mark: Mark) -> int:
    return STRETCH_US if mark.rows > LONG_ROWS else 1_000 * US_PER_DAY


def _minute(us: int) -> int:
    return us // US_PER_MINUTE * US_PER_MINUTE
