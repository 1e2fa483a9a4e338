"""Labels: what people say errors really were. Nothing is overwritten; the latest label of an error holds.

A label belongs to the fingerprint of an error, so it survives a database that is made anew from the same log.
"""

import csv
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from relkit.errors import SIGNAL_FIELDS, ErrorKind, Label, fingerprint, read_signals, redact_text
from relkit.errors.signals import NAME_CHARACTERS
from relkit.exceptions import DataError, ParameterError, StoreError
from relkit.store.open import Store, open_store
from relkit.store.readings.failures import labels

_FEWEST_DIGITS: Final = 4


def label_error(database: str | Path, error: int | str, kind: str, by: str, at_us: int | None = None) -> int:
    """Say what an error really was.

    Parameters
    ----------
    database : str or Path
        Where it was seen; opened for writing for a moment.
    error : int or str
        Its fingerprint, or the first hexadecimal digits of it, at least 4, as pages show them.
    kind : str
        One of the 26 error kinds.
    by : str
        Who says so.
    at_us : int, optional
        When, microseconds since 1970 UTC; default now.

    Returns
    -------
    int
        The fingerprint that was labelled.

    Raises
    ------
    ParameterError
        No such kind, or nobody said so.
    DataError
        No error of the database has this fingerprint, or several begin so.
    StoreError
        There is no such database, or it is locked.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     label_error(f"{folder}/log.duckdb", "beef", "NETWORK_ERROR", by="ana")
    Traceback (most recent call last):
    ...
    relkit.exceptions.StoreError: ...log.duckdb: no such database; labels belong to a log that was read into one
    """
    known, who = _kind(kind), _who(by)
    with _existing(database) as store:
        fp = _fingerprint(store, error)
        add_labels(store, [Label(fp, known, who, _moment(at_us))])
    return fp


def import_labels(database: str | Path, file: str | Path, by: str, at_us: int | None = None) -> int:
    """Read labels from a CSV file, all of them or none.

    Parameters
    ----------
    database : str or Path
        Opened for writing for a moment.
    file : str or Path
        CSV with a column `kind`, and either `fp` (decimal) or any of the signals (`exception_type`, `status`, `code`,
        `message`, ...), from which the fingerprint is made. Errors that the database has not seen yet may be labelled.
    by : str
        Who says so; a column `by` says it for each line.
    at_us : int, optional
        When, microseconds since 1970 UTC; default now.

    Returns
    -------
    int
        Labels added; those that already hold are left alone.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, or a line is no label; nothing was added.
    """
    rows = _read(Path(file), by)
    with _existing(database) as store:
        there = labels(store)
        fresh = []
        for fp, kind, who in rows:
            if there.get(fp) is not kind:
                fresh.append(Label(fp, kind, who, _moment(at_us)))
                there[fp] = kind
        store.connection.execute("BEGIN")
        add_labels(store, fresh)
        store.connection.execute("COMMIT")
    return len(fresh)


def add_labels(store: Store, rows: Iterable[Label]) -> None:
    """Append labels to an open database.

    Parameters
    ----------
    store : Store
        Open for writing.
    rows : iterable of Label
        Their errors need not have been seen yet.
    """
    found = [[row.fp, row.kind.value, _who(row.by), row.at_us] for row in rows]
    if found:
        store.connection.executemany("INSERT INTO labels VALUES (?, ?, ?, ?)", found)


def _read(file: Path, by: str) -> list[tuple[int, ErrorKind, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names = reader.fieldnames or []
            if "kind" not in names or not {"fp", *SIGNAL_FIELDS}.intersection(names):
                raise DataError(
                    f"{file}: labels need a column kind, and fp or signals such as exception_type, status, code, message; "
                    f"it has {', '.join(names) or 'none'}"
                )
            rows = []
            for row in reader:
                try:
                    kind, who = _kind(row["kind"] or ""), _who(row.get("by") or by)
                    fp = _decimal(row["fp"]) if "fp" in names else fingerprint(read_signals(row))
                except ParameterError as error:
                    raise DataError(f"{file}, line {reader.line_num}: {error}; no label was added") from None
                rows.append((fp, kind, who))
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as CSV ({error}); no label was added") from None


def _existing(database: str | Path) -> AbstractContextManager[Store]:
    if not Path(database).is_file():
        raise StoreError(f"{database}: no such database; labels belong to a log that was read into one")
    return open_store(database, write=True)


def _moment(at_us: int | None) -> int:
    return time.time_ns() // 1000 if at_us is None else at_us


def _fingerprint(store: Store, error: int | str) -> int:
    ask = store.connection.execute
    if isinstance(error, int):
        found = ask("SELECT fp FROM fingerprints WHERE fp = ?", [error]).fetchall()
    else:
        digits = error.strip().lower()
        if len(digits) < _FEWEST_DIGITS or not set(digits) <= set("0123456789abcdef"):
            raise ParameterError.of(
                "error",
                error,
                "a fingerprint, or 4 to 16 of its hexadecimal digits",
                "copy it from the table of errors",
            )
        found = ask(
            "SELECT fp FROM fingerprints WHERE starts_with(lpad(lower(hex(fp)), 16, '0'), ?) ORDER BY fp", [digits]
        ).fetchall()
    if len(found) != 1:
        which = "no error" if not found else f"more than one error ({len(found)})"
        raise DataError(f"{which} of {store.path} has the fingerprint {error}; copy it from the table of errors")
    return int(found[0][0])


def _decimal(text: str | None) -> int:
    if text is None or not text.strip().isdecimal() or int(text) >= 2**64:
        raise ParameterError.of("fp", text, "a whole number below 2^64", "export it from the table fingerprints")
    return int(text)


def _kind(text: str) -> ErrorKind:
    if text not in ErrorKind.__members__:
        raise ParameterError.of("kind", text, "one of the 26 error kinds", "see relkit.errors.ErrorKind")
    return ErrorKind(text)


def _who(text: str) -> str:
    name = redact_text(text).strip()[:NAME_CHARACTERS]
    if not name:
        raise ParameterError.of("by", text, "a name", "say who says so")
    return name
