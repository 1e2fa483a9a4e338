"""Single requests that ended in a stretch, as arrays; and which rows of the log are new."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.slo import Objective
from relkit.store.attempts import TABLE
from relkit.store.open import Store
from relkit.store.readings.folded import SPREAD_US
from relkit.store.readings.requests import CELLS, judged

VERDICTS: Final = CELLS
"""What `Ended.verdict` counts in: good, bad, excluded, unknown."""

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """Requests in the order in which they ended, one entry each.

    Parameters
    ----------
    end_us : integer array
        When, microseconds since 1970 UTC, ascending.
    latency_us : integer array
        First start to last end of those that are not known to have failed; -1 where there is none to tell.
    verdict : integer array
        Places in `VERDICTS`.
    outcome : integer array
        Of the last try: 1 good, 0 failed, -1 not told.
    tries : integer array
        Tries it took; 0 where the log does not tell them apart.
    service, strategy : integer array
        Places in the names.
    services, strategies : tuple of str
        The names; empty for none.
    """

    end_us: Ints
    latency_us: Ints
    verdict: Codes
    outcome: Codes
    tries: Codes
    service: Codes
    strategy: Codes
    services: tuple[str, ...]
    strategies: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.end_us)

    def between(self, start_us: int, end_us: int) -> "Ended":
        """Return those that ended from `start_us` up to but without `end_us`."""
        part = slice(*np.searchsorted(self.end_us, (start_us, end_us)).tolist())
        return Ended(
            self.end_us[part], self.latency_us[part], self.verdict[part], self.outcome[part], self.tries[part],
            self.service[part], self.strategy[part], self.services, self.strategies,
        )  # fmt: skip

    def then(self, later: "Ended") -> "Ended":
        """Return these and the later ones."""
        services, own_service = _merged(self.services, later.services)
        strategies, own_strategy = _merged(self.strategies, later.strategies)
        return Ended(
            np.concatenate((self.end_us, later.end_us)),
            np.concatenate((self.latency_us, later.latency_us)),
            np.concatenate((self.verdict, later.verdict)),
            np.concatenate((self.outcome, later.outcome)),
            np.concatenate((self.tries, later.tries)),
            np.concatenate((self.service, own_service[later.service])),
            np.concatenate((self.strategy, own_strategy[later.strategy])),
            services,
            strategies,
        )


_NONE: Final[Codes] = np.zeros(0, dtype=np.int32)
NOBODY: Final = Ended(_NONE.astype(np.int64), _NONE.astype(np.int64), _NONE, _NONE, _NONE, _NONE, _NONE, (), ())
"""No request at all."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the attempts of a database have been read.

    Parameters
    ----------
    rows, last_row : int
        How many rows there are, and the place of the last one.
    last_ingest : int
        Newest entry of the ledger.
    logs : str
        Hash of the ledger so far, by log and mapping.
    """

    rows: int = 0
    last_row: int = -1
    last_ingest: int = 0
    logs: str = ""


def ended_requests(store: Store, objective: Objective, good_kinds: frozenset[str]) -> Ended:
    """Read the requests of `requests_between` as arrays, judged by an objective.

    Parameters
    ----------
    store : Store
        Open database, within `requests_between`.
    objective : Objective
        Decides the verdicts.
    good_kinds : frozenset of str
        Kinds that are no failure.
    """
    ask = store.connection.execute
    more = ", latency_us, ok, ended, strategy, tries"
    ask(f"CREATE OR REPLACE TEMP TABLE ended_now AS SELECT * FROM ({judged(store, objective, good_kinds, more=more)})")
    names = [
        [str(name) for (name,) in ask(f"SELECT DISTINCT coalesce({column}, '') FROM ended_now ORDER BY 1").fetchall()]
        for column in ("service", "strategy")
    ]
    rows = ask(
        "SELECT end_us, CASE WHEN ok IS DISTINCT FROM FALSE AND ended THEN coalesce(latency_us, -1) ELSE -1 END AS latency_us, "
        "list_position(?, verdict) - 1 AS verdict, CASE WHEN ok THEN 1 WHEN NOT ok THEN 0 ELSE -1 END AS outcome, "
        "coalesce(tries, 0) AS tries, list_position(?, coalesce(service, '')) - 1 AS service, "
        "list_position(?, coalesce(strategy, '')) - 1 AS strategy FROM ended_now ORDER BY end_us, latency_us, verdict, service, strategy, tries",
        [list(VERDICTS), *names],
    ).fetchnumpy()
    ask("DROP TABLE ended_now")
    whole = {name: np.ma.filled(rows[name], 0).astype(np.int64) for name in ("end_us", "latency_us")}
    verdict, outcome, tries, service, strategy = (
        np.ma.filled(rows[name], 0).astype(np.int32) for name in ("verdict", "outcome", "tries", "service", "strategy")
    )
    services, strategies = map(tuple, names)
    return Ended(whole["end_us"], whole["latency_us"], verdict, outcome, tries, service, strategy, services, strategies)


def mark_of(store: Store, upto_ingest: int | None = None) -> Mark:
    """Say how far the attempts go; `upto_ingest` leaves later entries of the ledger out of its hash."""
    ask = store.connection.execute
    row = ask(f"SELECT count(*), coalesce(max(rowid), -1) FROM {TABLE}").fetchone()
    last = ask("SELECT coalesce(max(ingest_id), 0) FROM ingests").fetchone()
    assert row is not None
    assert last is not None
    upto = last[0] if upto_ingest is None else upto_ingest
    logs = ask(
        "SELECT ingest_id, source, lineage, mapping_sha256 FROM ingests WHERE ingest_id <= ? ORDER BY ingest_id", [upto]
    ).fetchall()
    return Mark(row[0], row[1], upto, hashlib.sha256(repr(logs).encode()).hexdigest())


def first_changed_us(store: Store, mark: Mark) -> int | None:
    """Find the moment from which requests may count otherwise than when a mark was made.

    Returns
    -------
    int or None
        Microseconds since 1970 UTC: the earliest start among the new attempts and the older tries of their requests.
        None when no attempt with a clock is new. 0 when rows were taken away, so that everything may.
    """
    ask = store.connection.execute
    counted = ask(f"SELECT count(*), count(*) FILTER (rowid > ?) FROM {TABLE}", [mark.last_row]).fetchone()
    assert counted is not None
    if counted[0] - counted[1] != mark.rows or mark_of(store, mark.last_ingest).logs != mark.logs:
        return 0
    if not counted[1]:
        return None
    new = ask(f"SELECT min(ts), min(ingest_id) FROM {TABLE} WHERE rowid > ?", [mark.last_row]).fetchone()
    assert new is not None
    first_us, first_ingest = new
    if first_us is None:
        return None
    older = ask(
        "SELECT min(ts) FROM attempts WHERE ts >= ? AND ts < ? AND request_id IS NOT NULL AND (source, request_id) IN "
        "(SELECT (source, request_id) FROM attempts WHERE ingest_id >= ? AND ts >= ? AND attempt > 1)",
        [first_us - SPREAD_US, first_us, first_ingest, first_us],
    ).fetchone()
    return int(first_us if older is None or older[0] is None else older[0])


def _merged(names: tuple[str, ...], more: tuple[str, ...]) -> tuple[tuple[str, ...], Codes]:
    """Join two lists of names, and say where each of the second stands in it."""
    joined = tuple(dict.fromkeys((*names, *more)))
    return joined, np.array([joined.index(name) for name in more], dtype=np.int32)
