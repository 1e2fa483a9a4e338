"""One row a request: the tries of a request folded into one, once a connection."""

from typing import Final

from relkit.store.open import Store

_FOLDED: Final = "requests_of_users"
_TRIES: Final = "role = 'user' AND request_id IS NOT NULL AND granularity = 'attempt'"
# Most requests have one try, which stands as it is; only the others are folded, and folding is what costs. The hash picks
# them out: two names with one hash would only fold a request of one try, which changes nothing.
_NAME: Final = "hash(source, request_id)"
_RETRIED: Final = f"(SELECT {_NAME} FROM attempts WHERE {_TRIES} AND attempt > 1)"
_AS_IT_IS: Final = (
    "SELECT ts + coalesce(latency_us, 0) AS end_us, latency_us, ok, ended, fp, service, model, degraded FROM attempts"
)
_REQUESTS: Final = f"""
    {_AS_IT_IS} WHERE role = 'user' AND (request_id IS NULL OR granularity = 'request')
    UNION ALL
    {_AS_IT_IS} WHERE {_TRIES} AND {_NAME} NOT IN {_RETRIED}
    UNION ALL
    SELECT end_us, CASE WHEN last.latency_us IS NOT NULL THEN coalesce(end_us - first_us, CASE WHEN tries = 1 THEN last.latency_us END) END,
           last.ok, last.ended, last.fp, last.service, last.model, last.degraded
    FROM (
        SELECT count(*) AS tries, min(ts) AS first_us, max(ts + coalesce(latency_us, 0)) AS end_us,
               arg_max(struct_pack(ok := ok, ended := ended, fp := fp, service := service, model := model,
                               degraded := degraded, latency_us := latency_us), attempt) AS last
        FROM attempts WHERE {_TRIES} AND {_NAME} IN {_RETRIED} GROUP BY source, request_id
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
        ask(f"CREATE TEMP {'TABLE' if has_tries else 'VIEW'} {_FOLDED} AS {_REQUESTS}")
    return _FOLDED


def requests_once(store: Store) -> str:
    """Write the SQL of the same rows for a single use: of few columns, they are cheaper folded than kept."""
    return _FOLDED if _is_there(store) else f"({_REQUESTS})"


def _is_there(store: Store) -> bool:
    sql = "SELECT 1 FROM duckdb_columns() WHERE table_name = ? LIMIT 1"
    return store.connection.execute(sql, [_FOLDED]).fetchone() is not None
