"""Synthetic request logs of one week, written fast by DuckDB; the same rows on every machine."""

from pathlib import Path
from typing import Final

import duckdb

WEEK: Final = "2025-W47"
_WEEK_START_US: Final = 1_763_337_600_000_000
_WEEK_US: Final = 7 * 86_400 * 1_000_000

# Skewed latencies, 0.2 % server errors and 0.8 % faults of the caller, spread by a hash: a log's own unevenness costs nothing here.
_REQUESTS: Final = """
    SELECT strftime(make_timestamp({start} + i * ({week} // {rows})), '%Y-%m-%dT%H:%M:%S.%fZ') AS timestamp,
           round(20 * exp(3 * (hash(i) % 1000) / 1000.0), 3) AS latency_ms,
           CASE WHEN draw < 1 THEN 500 WHEN draw < 2 THEN 503 WHEN draw < 8 THEN 404 WHEN draw < 10 THEN 429 ELSE 200 END AS status
           {text}
    FROM (SELECT i, hash(i + 7) % 1000 AS draw FROM range({rows}) AS t(i))
"""
# Failures carry a message with numbers in it, as real ones do; what went well says so in a few words.
_TEXT: Final = """,
    concat('req-', i) AS request_id,
    concat('model-', hash(i + 3) % 5) AS model,
    CASE WHEN draw < 1 THEN concat('upstream connect error after ', hash(i) % 9000, ' ms: connection reset by peer, host 10.0.', hash(i) % 256, '.7')
         WHEN draw < 2 THEN concat('The engine is currently overloaded, please try again later (request ', i, ')')
         WHEN draw < 8 THEN concat('no route for /v1/items/', i, '?token=abcdef', i)
         WHEN draw < 10 THEN concat('Rate limit reached for requests: limit 60 / min, please try again in ', hash(i) % 60, 's')
         ELSE concat('answered /v1/chat/completions for session ', hash(i) % 4000, ' of tenant ', hash(i + 5) % 90) END AS message
"""
_PAIRS: Final = """
    SELECT strftime(make_timestamp({start} + i * ({week} // {rows})), '%Y-%m-%dT%H:%M:%S.%fZ') AS timestamp,
           concat('pair-', i) AS pair_id, concat('session-', i // 5) AS session_id,
           hash(i) % 100 < 92 AS primary_ok,
           CASE WHEN hash(i + 1) % 100 < 4 THEN NOT (hash(i) % 100 < 92) ELSE hash(i) % 100 < 92 END AS shadow_ok
    FROM range({rows}) AS t(i)
"""

PLAIN_MAPPING: Final = """
kind = "attempts"
source = "bench"
[time]
column = "timestamp"
[columns]
status = "status"
latency_us = { column = "latency_ms", unit = "ms" }
"""
MESSAGES_MAPPING: Final = PLAIN_MAPPING + 'request_id = "request_id"\nmodel = "model"\nmessage = "message"\n'
PAIRS_MAPPING: Final = """
kind = "pairs"
source = "bench-pairs"
[time]
column = "timestamp"
[columns]
pair_id = "pair_id"
session_id = "session_id"
primary_ok = "primary_ok"
shadow_ok = "shadow_ok"
[constants]
experiment = "bench"
state = "compared"
"""


def write_requests(path: Path, rows: int, *, messages: bool) -> None:
    """Write a request log, with or without text columns."""
    _write(path, _REQUESTS.format(start=_WEEK_START_US, week=_WEEK_US, rows=rows, text=_TEXT if messages else ""))


def write_pairs(path: Path, rows: int) -> None:
    """Write shadow comparisons: five turns a session, 4 % answered differently."""
    _write(path, _PAIRS.format(start=_WEEK_START_US, week=_WEEK_US, rows=rows))


def _write(path: Path, select: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT csv, HEADER)")
