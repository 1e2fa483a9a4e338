"""From staged rows to stored rows: redaction, fingerprints, and which rows are new.

Both doors into the store (log files and sinks) stage rows in the temporary table `staged` and land them here, so
that no string reaches a table unredacted and an error has one fingerprint wherever it came from.
"""

from typing import Final

from duckdb import DuckDBPyConnection

from relkit.errors import PATTERNS, PREFILTER, SIGNAL_FIELDS, ErrorKind
from relkit.errors.signals import MESSAGE_CHARACTERS, NAME_CHARACTERS, READ_CHARACTERS
from relkit.store.text import identifier, quoted

TEXT_KEPT: Final = 1_000
TEXT_COLUMNS: Final[dict[str, frozenset[str]]] = {
    "attempts": frozenset(
        {
            "request_id", "service", "model", "operation", "session_id", "arm", "breaker_state", "policy_hash", "strategy",
            "exception_type", "code", "body_type", "sqlstate", "db_code", "grpc_code", "message",
        }
    ),
    "pairs": frozenset(
        {
            "pair_id", "experiment", "request_id", "session_id", "segment", "primary_variant", "primary_action", "primary_flags",
            "shadow_variant", "shadow_action", "shadow_flags",
        }
    ),
    "samples": frozenset({"service"}),
    "probes": frozenset({"service"}),
    "faults": frozenset({"service", "label"}),
}  # fmt: skip


def redacted(column: str, kept: int = TEXT_KEPT) -> str:
    """Write the SQL that caps and redacts a text column, the twin of `relkit.errors.redact_text`.

    >>> "regexp_replace" in redacted("model")
    True
    """
    return _capped(_redaction(_read(column)), kept)


def signal_sql(name: str, column: str) -> str:
    """Write the SQL of one signal as the classifier reads it, the twin of `relkit.errors.read_signals`.

    Parameters
    ----------
    name : str
        One of SIGNAL_FIELDS.
    column : str
        SQL of its raw value.
    """
    if name in {"status", "errno"}:
        return f"CAST({column} AS INTEGER)"
    read = _read(column)
    if name == "exception_type":
        return _capped(_redaction(f"regexp_extract({read}, '[^.]*$')"), NAME_CHARACTERS)
    if name == "message":
        return _capped(f"regexp_replace({_redaction(read)}, '[0-9]+', '#', 'g')", MESSAGE_CHARACTERS)
    return _capped(_redaction(read), NAME_CHARACTERS)


def _read(column: str) -> str:
    return f"left(replace({column}, chr(0), ''), {READ_CHARACTERS})"


def _redaction(text: str) -> str:
    clean = text
    for pattern in PATTERNS:
        clean = f"regexp_replace({clean}, {quoted(pattern.regex)}, {quoted(pattern.replacement)}, 'g')"
    return f"CASE WHEN regexp_matches({text}, {quoted(PREFILTER)}) THEN {clean} ELSE {text} END"


def _capped(text: str, limit: int) -> str:
    """Trim, cap with an ellipsis, and make an empty text NULL; the inner text is computed once."""
    trimmed = f"trim({text}, concat(' ', chr(9), chr(10), chr(11), chr(12), chr(13)))"
    capped = f"CASE WHEN length(x) > {limit} THEN concat(left(x, {limit - 1}), '…') ELSE nullif(x, '') END"
    return f"list_transform([{trimmed}], lambda x: {capped})[1]"


def land(connection: DuckDBPyConnection, table: str, columns: list[str], source: str, ingest_id: int) -> None:
    """Insert the staged rows marked `fresh` into their table, in the order of the file.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Inside a transaction; holds the temporary table `staged` with n, fresh, line_hash (or NULL) and the columns.
    table : str
        attempts, pairs, samples, probes or faults.
    columns : list of str
        Staged columns that the table (or a fingerprint) takes.
    source : str
        The log the rows belong to.
    ingest_id : int
        Ledger entry.
    """
    texts = TEXT_COLUMNS[table]
    values: dict[str, str] = {}
    for name in columns:
        values[name] = redacted(identifier(name)) if name in texts else identifier(name)
    if table == "attempts":
        _land_fingerprints(connection, columns)
        for name in SIGNAL_FIELDS:
            if name != "status":
                values.pop(name, None)
        values["fp"] = "fp"
    values |= {"source": quoted(source), "ingest_id": str(ingest_id), "line_hash": "line_hash"}
    names = ", ".join(identifier(name) for name in values)
    connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())} FROM staged WHERE fresh ORDER BY n"
    )


def land_samples(
    connection: DuckDBPyConnection, names: list[str], width_us: int, extra: list[str], source: str, ingest_id: int
) -> None:
    """Insert each measured column of the fresh staged rows as its own series of samples."""
    service = redacted("service") if "service" in extra else "NULL"
    n = '"n_events"' if "n_events" in extra else "NULL"
    for name in names:
        connection.execute(
            "INSERT INTO samples (ts, width_us, service, name, value, n, source, ingest_id, line_hash) "
            f"SELECT ts, {width_us}, {service}, {quoted(name)}, {identifier(name)}, {n}, {quoted(source)}, {ingest_id}, line_hash "
            f"FROM staged WHERE fresh AND {identifier(name)} IS NOT NULL ORDER BY n"
        )


def _land_fingerprints(connection: DuckDBPyConnection, columns: list[str]) -> None:
    """Give each fresh error its fingerprint, and store every fingerprint not seen before with its signals."""
    signals = {name: signal_sql(name, name) if name in columns else "NULL" for name in SIGNAL_FIELDS}
    joined = "concat(" + ", chr(31), ".join(f"coalesce(CAST({sql} AS VARCHAR), '')" for sql in signals.values()) + ")"
    failed = "ok = FALSE" if "ok" in columns else "FALSE"
    hints = [name for name in ("exception_type", "code", "status") if name in columns]
    told = " OR ".join("status >= 400" if name == "status" else f"{name} IS NOT NULL" for name in hints) or "FALSE"
    ok_is_null = "ok IS NULL" if "ok" in columns else "TRUE"
    ended = "ended" if "ended" in columns else "TRUE"
    kinds = ", ".join(quoted(kind.value) for kind in ErrorKind)
    declared = f"coalesce(upper(code) IN ({kinds}), FALSE)" if "code" in columns else "FALSE"
    is_error = f"(({failed}) OR (({ok_is_null}) AND ({ended}) AND ({told})) OR {declared})"
    connection.execute("ALTER TABLE staged ADD COLUMN fp UBIGINT")
    connection.execute(f"UPDATE staged SET fp = md5_number_upper({joined}) WHERE fresh AND {is_error}")
    picked = ", ".join(f"any_value({sql}) AS {name}" for name, sql in signals.items())
    connection.execute(
        f"INSERT INTO fingerprints SELECT fp, {picked} FROM staged WHERE fresh AND fp IS NOT NULL "
        "AND fp NOT IN (SELECT fp FROM fingerprints) GROUP BY fp ORDER BY fp"
    )
