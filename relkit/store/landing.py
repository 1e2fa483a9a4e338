"""From staged rows to stored rows: redaction, fingerprints, and which rows are new.

Both doors into the store (log files and sinks) stage rows as `finished` gives them in the temporary table `staged` and
land them here, so that no string reaches a table unredacted and an error has one fingerprint wherever it came from.
"""

from typing import Final

from duckdb import DuckDBPyConnection

from relkit.errors import SIGNAL_FIELDS, ErrorKind
from relkit.errors.signals import KEPT_AS, KEPT_LIBRARY, MESSAGE_CHARACTERS, NAME_CHARACTERS, READ_CHARACTERS
from relkit.store.attempts import filled, make_room, stored_table
from relkit.store.redaction_sql import BLANKS_SQL, hidden_id_sql, redaction_sql
from relkit.store.text import identifier, md5_64, quoted

TEXT_KEPT: Final = 1_000
_IS_ERROR: Final = "relkit__is_error"
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
# What rows are joined and told apart by: where redaction would change one, a pseudonym stands in its place.
ID_COLUMNS: Final = frozenset({"request_id", "session_id", "pair_id"})


def redacted(column: str, kept: int = TEXT_KEPT) -> str:
    """Write the SQL that caps and redacts a text column, the twin of `relkit.errors.redact_text`.

    >>> "regexp_replace" in redacted("model")
    True
    """
    return _capped(redaction_sql(_read(column)), kept)


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
        # redacted before it is cut: of a secret with dots the last part would not be known for one
        kept = f"regexp_replace(q, {quoted(KEPT_LIBRARY)}, {quoted(KEPT_AS)})"
        last = f"CASE WHEN regexp_matches(q, {quoted(KEPT_LIBRARY)}) THEN {kept} ELSE regexp_extract(q, '[^.]*$') END"
        cut = f"list_transform([{redaction_sql(read)}], lambda q: {last})[1]"
        return _capped(f"list_transform([{cut}], lambda q: {redaction_sql('q')})[1]", NAME_CHARACTERS)
    if name == "message":
        return _capped(f"regexp_replace({redaction_sql(read, numbers=False)}, '[0-9]+', '#', 'g')", MESSAGE_CHARACTERS)
    return _capped(redaction_sql(read), NAME_CHARACTERS)


def _read(column: str) -> str:
    return f"left(replace({column}, chr(0), ''), {READ_CHARACTERS})"


def _capped(text: str, limit: int) -> str:
    """Trim, cap with an ellipsis, and make an empty text NULL; the inner text is computed once."""
    trimmed = f"trim({text}, {BLANKS_SQL})"
    capped = f"CASE WHEN length(x) > {limit} THEN concat(left(x, {limit - 1}), '…') ELSE nullif(x, '') END"
    return f"list_transform([{trimmed}], lambda x: {capped})[1]"


def finished(sql: str, table: str, columns: list[str], carried: list[str]) -> tuple[str, list[str]]:
    """Wrap a SELECT of raw rows so that it gives them as they are stored: texts redacted, errors with their fingerprint.

    Parameters
    ----------
    sql : str
        SELECT giving the columns and those carried.
    table : str
        attempts, pairs, samples, probes or faults.
    columns : list of str
        Columns for the table; of attempts also the signals of the error.
    carried : list of str
        Further columns that pass as they are.

    Returns
    -------
    (str, list of str)
        The SELECT; the columns of the table (and of fingerprints) that it gives besides those carried.
    """
    texts = TEXT_COLUMNS[table]
    values = {name: _text_or_as_is(name, texts) for name in columns}
    if table != "attempts":
        return _selected(sql, carried, values), columns
    signals = {name: signal_sql(name, name) for name in SIGNAL_FIELDS if name in columns}
    values |= {
        name: f"CASE WHEN {_is_error(columns)} THEN {clean} END" for name, clean in signals.items() if name != "status"
    }
    if not signals and "ok" not in columns:
        return _selected(sql, carried, values), columns
    values[_IS_ERROR] = _is_error(columns)
    cleaned = _selected(sql, carried, values)
    joined = ", chr(31), ".join(name if name in columns else "''" for name in SIGNAL_FIELDS)
    values = {name: identifier(name) for name in columns}
    values["fp"] = f"CASE WHEN {_IS_ERROR} THEN {md5_64(f'concat({joined})')} END"
    return _selected(cleaned, carried, values), [*columns, "fp"]


def _text_or_as_is(name: str, texts: frozenset[str]) -> str:
    column = identifier(name)
    if name not in texts:
        return column
    clean = redacted(column)
    return hidden_id_sql(f"replace({column}, chr(0), '')", clean) if name in ID_COLUMNS else clean


def _selected(sql: str, carried: list[str], values: dict[str, str]) -> str:
    parts = [*carried, *(f"{value} AS {identifier(name)}" for name, value in values.items())]
    return f"SELECT {', '.join(parts)} FROM ({sql})"


def _is_error(columns: list[str]) -> str:
    """SQL that says whether a row failed: it is said so, or it has an error's marks and is not said to be good."""
    failed = "ok = FALSE" if "ok" in columns else "FALSE"
    hints = [name for name in ("exception_type", "code", "status") if name in columns]
    told = " OR ".join("status >= 400" if name == "status" else f"{name} IS NOT NULL" for name in hints) or "FALSE"
    ok_is_null = "ok IS NULL" if "ok" in columns else "TRUE"
    ended = "ended" if "ended" in columns else "TRUE"
    kinds = ", ".join(quoted(kind.value) for kind in ErrorKind)
    declared = f"upper(code) IN ({kinds})" if "code" in columns else "FALSE"
    return f"coalesce(({failed}) OR (({ok_is_null}) AND ({ended}) AND ({told})) OR {declared}, FALSE)"


def land(connection: DuckDBPyConnection, table: str, columns: list[str], source: str, ingest_id: int) -> None:
    """Insert the staged rows marked `fresh` into their table, in the order of the file.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Inside a transaction; holds the temporary table `staged` with fresh, line_hash (or NULL) and finished columns.
    table : str
        attempts, pairs, samples, probes or faults.
    columns : list of str
        Staged columns that the table (or a fingerprint) takes.
    source : str
        The log the rows belong to.
    ingest_id : int
        Ledger entry.
    """
    stored = columns
    of_source, source_text = "source, ", f"{quoted(source)}, "
    if table == "attempts":
        of_source = source_text = ""  # the ledger has it
        stored = [name for name in columns if name == "status" or name not in SIGNAL_FIELDS]
        if "fp" in columns:
            _land_fingerprints(connection, columns)
        stored = filled(connection, stored)
        make_room(connection, stored)
    names = ", ".join(identifier(name) for name in stored)
    connection.execute(
        f"INSERT INTO {stored_table(table)} ({names}, {of_source}ingest_id, line_hash) SELECT {names}, {source_text}{ingest_id}, line_hash "
        "FROM staged WHERE fresh"
    )


def land_samples(
    connection: DuckDBPyConnection, names: list[str], width_us: int, extra: list[str], source: str, ingest_id: int
) -> None:
    """Insert each measured column of the fresh staged rows as its own series of samples."""
    service, n = ("service" if "service" in extra else "NULL"), ("n" if "n" in extra else "NULL")
    for name in names:
        connection.execute(
            "INSERT INTO samples (ts, width_us, service, name, value, n, source, ingest_id, line_hash) "
            f"SELECT ts, {width_us}, {service}, {quoted(name)}, {identifier(name)}, {n}, {quoted(source)}, {ingest_id}, line_hash "
            f"FROM staged WHERE fresh AND {identifier(name)} IS NOT NULL"
        )


def _land_fingerprints(connection: DuckDBPyConnection, columns: list[str]) -> None:
    """Store every fingerprint not seen before, with its signals."""
    picked = ", ".join(f"any_value({name})" if name in columns else "NULL" for name in SIGNAL_FIELDS)
    connection.execute(
        f"INSERT INTO fingerprints SELECT fp, {picked} FROM staged WHERE fresh AND fp IS NOT NULL "
        "AND fp NOT IN (SELECT fp FROM fingerprints) GROUP BY fp ORDER BY fp"
    )
