"""One row a request: the tries of a request folded into one, once a connection, or for a stretch of time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from relkit.store.open import Store
from relkit.units import US_PER_HOUR

SPREAD_US: Final = 6 * US_PER_HOUR
"""Within this time of each other the tries of one request are looked for, where only a stretch is read."""

_FOLDED: Final = "requests_of_users"
_NEAR: Final = "attempts_near"
_TRIES: Final = "role = 'user' AND request_id IS NOT NULL AND granularity = 'attempt'"
# Most requests have one try, which stands as it is; only the others are folded, and folding is what costs. The hash picks
# them out: two names with one hash would only fold a request of one try, which changes nothing.
_NAME: Final = "hash(source, request_id)"
_COLUMNS: Final = ("ok", "ended", "fp", "service", "model", "degraded")


def _requests(rows: str = "attempts", *, with_strategy: bool = False) -> str:
    """Write the SQL of one row a request over rows of attempts, with what its last try says; on demand with its tries."""
    plain = ", ".join(_COLUMNS)
    retried = f"(SELECT {_NAME} FROM {rows} WHERE {_TRIES} AND attempt > 1)"
    untold = one = many = named = ""
    if with_strategy:  # a try that succeeded need not name one: the last that does speaks for the request
        untold, one, many = ", strategy, CAST(NULL AS BIGINT) AS tries", ", strategy, 1 AS tries", ", strategy, tries"
        named = ", arg_max(strategy, attempt) FILTER (strategy IS NOT NULL) AS strategy"
    as_it_is = f"SELECT ts + coalesce(latency_us, 0) AS end_us, latency_us, {plain}"
    return f"""
    {as_it_is}{untold} FROM {rows} WHERE role = 'user' AND (request_id IS NULL OR granularity = 'request')
    UNION ALL
    {as_it_is}{one} FROM {rows} WHERE {_TRIES} AND {_NAME} NOT IN {retried}
    UNION ALL
    SELECT end_us, CASE WHEN last.latency_us IS NOT NULL THEN coalesce(end_us - first_us, CASE WHEN tries = 1 THEN last.latency_us END) END,
           {", ".join(f"last.{name}" for name in _COLUMNS)}{many}
    FROM (
        SELECT count(*) AS tries, min(ts) AS first_us, max(ts + coalesce(latency_us, 0)) AS end_us{named},
               arg_max(struct_pack({", ".join(f"{name} := {name}" for name in (*_COLUMNS, "latency_us"))}), attempt) AS last
        FROM {rows} WHERE {_TRIES} AND {_NAME} IN {retried} GROUP BY source, request_id
    )
"""


def requests_table(store: Store) -> str:
    """Make the temporary table of the requests of users for this connection, once, and name it.

    A request's outcome is its last attempt; its latency runs from first start to last end, waits included.

    Returns
    -------
    str
        Name of a table with end_us, latency_us, ok, ended, fp, service, model, degraded.
    """
    if not _is_there(store):
        ask = store.connection.execute
        has_tries = ask(f"SELECT 1 FROM attempts WHERE {_TRIES} LIMIT 1").fetchone()
        ask(f"CREATE TEMP {'TABLE' if has_tries else 'VIEW'} {_FOLDED} AS {_requests()}")
    return _FOLDED


def requests_once(store: Store) -> str:
    """Write the SQL of the same rows for a single use: of few columns, they are cheaper folded than kept."""
    return _FOLDED if _is_there(store) else f"({_requests()})"


@contextmanager
def requests_between(store: Store, start_us: int, end_us: int) -> Iterator[str]:
    """Let the table of `requests_table` hold only the requests that end in a stretch, for the length of a `with`.

    Attempts without a clock are in none. What lies far from the stretch is not read, so the cost goes with its length
    and not with the log's; the tries of one request are taken to start within `SPREAD_US` of each other.

    Parameters
    ----------
    store : Store
        Open database.
    start_us, end_us : int
        Microseconds since 1970 UTC, end exclusive.

    Yields
    ------
    str
        Name of the table; it has `strategy` and `tries` too, the number of tries (NULL where a row is a whole request).
    """
    ask = store.connection.execute
    low, high = int(start_us) - SPREAD_US, int(end_us) + SPREAD_US
    ask(
        f"CREATE OR REPLACE TEMP VIEW {_NEAR} AS SELECT * FROM attempts WHERE role = 'user' AND ts >= {low} AND ts < {high}"
    )
    ask(
        f"CREATE TEMP TABLE {_FOLDED} AS SELECT * FROM ({_requests(_NEAR, with_strategy=True)}) "
        f"WHERE end_us >= {int(start_us)} AND end_us < {int(end_us)}"
    )
    try:
        yield _FOLDED
    finally:
        ask(f"DROP TABLE {_FOLDED}")
        ask(f"DROP VIEW {_NEAR}")


def _is_there(store: Store) -> bool:
    sql = "SELECT 1 FROM duckdb_columns() WHERE table_name = ? LIMIT 1"
    return store.connection.execute(sql, [_FOLDED]).fetchone() is not None
