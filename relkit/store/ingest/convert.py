"""From a mapping to SQL: how each line of a log becomes a row, or a reject with its reason.

Everything runs inside DuckDB, set-wise. A staged row carries `n` (its place in the file), `wanted` (the mapping's
`[rows] where`), `problem` (NULL, or why it cannot be a row), `line_hash`, and our columns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from relkit.exceptions import DataError
from relkit.store.ingest.expressions import Compiled, compile_expression
from relkit.store.ingest.files import LogFile
from relkit.store.ingest.mapping import EPOCHS, UNITS, Cell, Mapping, Time
from relkit.store.ingest.targets import TARGETS, WORDS, Form
from relkit.store.text import identifier, quoted
from relkit.units import US_PER_DAY

# What exporters write for "nothing here".
BLANKS: Final = ("", "-", "NULL", "null", "None", "none", "NaN", "nan", "NA", "N/A", "\\N")
YES: Final = ("true", "t", "yes", "y", "1", "1.0", "ok", "success", "succeeded", "up")
NO: Final = ("false", "f", "no", "n", "0", "0.0", "error", "failure", "failed", "fail", "down")
LONGEST_SPAN_US: Final = 30 * US_PER_DAY
EARLIEST_US: Final = 631_152_000_000_000  # 1990-01-01
LATEST_US: Final = 4_102_444_800_000_000  # 2100-01-01
MAX_LINE_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Field:
    """SQL of one staged column and the tests that make a row a reject: (condition, reason) in SQL."""

    name: str
    sql: str
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is scanned: the FROM text and how a column of the log is named in it."""

    scan: str
    line: str
    column: Callable[[str], str]


def reading(file: LogFile, parquet_columns: dict[str, str] | None = None) -> Reading:
    """Say how the file is scanned, one row a line.

    Parameters
    ----------
    file : LogFile
        The file.
    parquet_columns : dict of str to str, optional
        Column name to DuckDB type, for Parquet.
    """
    place = quoted(str(file.path))
    if file.format == "parquet":
        known = parquet_columns or {}

        def parquet(name: str) -> str:
            _must_exist(name, tuple(known), file)
            if known[name].endswith("]") or known[name].startswith(("STRUCT", "MAP", "UNION")):
                raise DataError(
                    f"{file.path.name}: column {name!r} is nested ({known[name]}); write it out flat first, or map another"
                )
            return f"CAST({identifier(name)} AS VARCHAR)"

        flat = [
            name
            for name, kind in known.items()
            if not (kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")))
        ]
        line = _joined([f"CAST({identifier(name)} AS VARCHAR)" for name in flat])
        return Reading(f"read_parquet({place})", line, parquet)
    common = f"auto_detect=false, compression={quoted(file.packing)}, max_line_size={MAX_LINE_BYTES}, strict_mode=false"
    rejects = "store_rejects=true, rejects_table='file_rejects', rejects_scan='file_scans', rejects_limit=0"
    if file.format == "jsonl":
        # chr(1) cannot stand unescaped in JSON, so a whole line arrives as one cell
        scan = f"read_csv({place}, columns={{'line': 'VARCHAR'}}, delim=chr(1), quote='', escape='', header=false, {common}, {rejects})"

        def json_key(name: str) -> str:
            path = "$" + "".join(f'."{part}"' for part in name.replace('"', "").split("."))
            return f"json_extract_string(CASE WHEN json_valid(line) THEN line END, {quoted(path)})"

        return Reading(scan, "line", json_key)
    names = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in file.columns)
    scan = (
        f"read_csv({place}, columns={{{names}}}, delim={quoted(file.delimiter)}, quote='\"', escape='\"', header=true, "
        f"{common}, {rejects})"
    )

    def csv_cell(name: str) -> str:
        _must_exist(name, file.columns, file)
        return identifier(name)

    return Reading(scan, _joined([identifier(name) for name in file.columns]), csv_cell)


def _must_exist(name: str, known: tuple[str, ...], file: LogFile) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise DataError(f"{file.path.name}: has no column {name!r}{hint} (it has {', '.join(known)})")


def _joined(columns: list[str]) -> str:
    """One text of all cells: the identity of a line."""
    return "concat(" + ", chr(31), ".join(f"coalesce({column}, '')" for column in columns) + ")"


def staging_sql(file: LogFile, mapping: Mapping, source: Reading, known_records: int = 0) -> tuple[str, list[str]]:
    """Compose the SELECT that stages a file, and name the staged columns that go to the table.

    Parameters
    ----------
    file, mapping, source
        The file, how its columns become ours, how it is scanned.
    known_records : int
        Leading records that an earlier reading of the file has stored.

    Returns
    -------
    (str, list of str)
        SELECT text giving n, wanted, problem, line_hash, fresh and the columns; names of the columns.
    """
    lines = f"(SELECT row_number() OVER () AS relkit__n, * FROM {source.scan})"
    fields = [_time_field("ts", mapping.time, source.column)] if mapping.time else []
    end_column: Callable[[str], str] | None = None
    wanted = [_condition("[rows] where", mapping.rows.where, source.column)] if mapping.rows else []
    if mapping.pair:
        lines = _paired_lines(lines, mapping, source.column, fields[0].sql)
        wanted.append("relkit__start")

        def end_column(name: str) -> str:
            return f"CASE WHEN relkit__ended THEN relkit__next.{source.column(name)} END"

    fields += [_field(name, cell, mapping, source.column, end_column) for name, cell in mapping.columns.items()]
    fields += [_constant_field(name, value, mapping) for name, value in mapping.constants.items()]
    fields += [_sample_field(name, cell, source.column) for name, cell in mapping.samples.items()]
    if mapping.pair:
        fields = [_only_when_ended(field) for field in fields]
        fields += [Field("ended", "relkit__ended")] + [
            Field("latency_us", "CASE WHEN relkit__ended THEN relkit__next_ts - relkit__ts END")
            for _ in (0,)
            if "latency_us" not in mapping.columns
        ]
    problems = [problem for field in fields for problem in field.problems]
    if file.format == "jsonl":
        problems.insert(0, ("NOT json_valid(line)", quoted("not a JSON object")))
    problem = "NULL"
    if problems:
        problem = "CASE " + " ".join(f"WHEN {test} THEN {reason}" for test, reason in problems) + " END"
    fields += _defaults(mapping, fields)
    columns = "".join(f", {field.sql} AS {field.name}" for field in fields)
    blank = " WHERE line IS NOT NULL" if file.format == "jsonl" else ""
    staged = (
        f"SELECT relkit__n AS n, {' AND '.join(wanted) or 'TRUE'} AS wanted, {problem} AS problem, "
        f"md5_number_upper({source.line}) AS line_hash{columns} FROM {lines}{blank}"
    )
    select = f"SELECT *, wanted AND problem IS NULL AND n > {known_records} AS fresh FROM ({staged})"
    return select, [field.name for field in fields]


def _defaults(mapping: Mapping, named: list[Field]) -> list[Field]:
    """What a mapping that says nothing means: a user's request that ended, good when its HTTP status is below 400."""
    target = TARGETS[mapping.kind]
    names = {field.name for field in named}
    fields = [Field(name, sql) for name, sql in target.defaults.items() if name not in names]
    if target.table == "attempts":
        if "ok" not in names and "status" in names:
            status = next(field.sql for field in named if field.name == "status")
            fields.append(Field("ok", f"({status}) < 400"))
        if "attempt" not in names:
            fields.append(Field("attempt", "1"))
    return fields


def _condition(where: str, text: str, column: Callable[[str], str]) -> str:
    compiled = compile_expression(text, column)
    if compiled.kind != "boolean":
        raise DataError(f"{where} = {text!r} is no condition; write a comparison")
    return f"coalesce({compiled.sql}, FALSE)"


def _paired_lines(lines: str, mapping: Mapping, column: Callable[[str], str], ts: str) -> str:
    """Lay beside each starting line the next start or end of the same `by`; a start followed by a start has no end."""
    assert mapping.pair is not None
    starts = _condition("[pair] start", mapping.pair.start, column)
    ends = _condition("[pair] end", mapping.pair.end, column)
    by = ", ".join(column(name) for name in mapping.pair.by)
    within_us = round(mapping.pair.within_s * 1e6)
    window = f"(PARTITION BY {by} ORDER BY {ts} NULLS LAST, relkit__n)"
    marks = f"(SELECT *, {starts} AS relkit__start, {ends} AS relkit__end, {ts} AS relkit__ts FROM {lines}) AS relkit__marks"
    looked = (
        f"(SELECT *, lead(relkit__marks) OVER {window} AS relkit__next FROM {marks} WHERE relkit__start OR relkit__end"
        f" UNION ALL BY NAME SELECT *, NULL AS relkit__next FROM {marks} WHERE NOT (relkit__start OR relkit__end))"
    )
    ended = (
        "coalesce(relkit__start AND relkit__next.relkit__end AND NOT relkit__next.relkit__start "
        f"AND relkit__next.relkit__ts - relkit__ts <= {within_us}, FALSE)"
    )
    return f"(SELECT *, relkit__next.relkit__ts AS relkit__next_ts, {ended} AS relkit__ended FROM {looked})"


def _only_when_ended(field: Field) -> Field:
    """A start without an end says nothing of the outcome."""
    if field.name in {"ok", "latency_us", "status"}:
        return Field(
            field.name,
            f"CASE WHEN relkit__ended THEN {field.sql} END",
            tuple((f"(relkit__ended AND {test})", why) for test, why in field.problems),
        )
    return field


def _origin(cell: Cell, column: Callable[[str], str], end_column: Callable[[str], str] | None = None) -> Compiled:
    if cell.column is not None:
        return Compiled(column(cell.column), "text")
    return compile_expression(cell.expr or "", column, end_column)


def _sample_field(name: str, cell: Cell, column: Callable[[str], str]) -> Field:
    raw = _origin(cell, column)
    factor = UNITS[cell.unit] if cell.unit else 1.0
    filled = f"(trim(CAST({raw.sql} AS VARCHAR)) NOT IN {_texts(BLANKS)})"
    number = f"TRY_CAST({raw.sql} AS DOUBLE)"
    value = f"CASE WHEN isfinite({number}) THEN {number} * {factor!r} END"
    reason = _reason(name, raw.sql, "no number")
    return Field(identifier(name), value, ((f"({filled} AND NOT coalesce(isfinite({number}), FALSE))", reason),))


def _field(
    name: str,
    cell: Cell,
    mapping: Mapping,
    column: Callable[[str], str],
    end_column: Callable[[str], str] | None = None,
) -> Field:
    form = TARGETS[mapping.kind].columns[name]
    raw = _origin(cell, column, end_column)
    return read_as(name, form, raw, UNITS[cell.unit] if cell.unit else 1.0, mapping.time)


def read_as(name: str, form: Form, raw: Compiled, factor: float = 1.0, time: Time | None = None) -> Field:
    """Turn the text of a cell into the value of one of our columns, with the tests that reject it."""
    if form == "time":
        clock = time or Time(column="")
        return _time_sql(name, f"CAST({raw.sql} AS VARCHAR)", clock, required=False)
    if form == "boolean":
        if raw.kind in {"boolean", "null"}:
            return Field(name, f"CAST({raw.sql} AS BOOLEAN)")
        word = f"lower(trim(CAST({raw.sql} AS VARCHAR)))"
        value = f"CASE WHEN {word} IN {_texts(YES)} THEN TRUE WHEN {word} IN {_texts(NO)} THEN FALSE END"
        blanks = _texts(tuple({blank.lower() for blank in BLANKS}))
        return Field(
            name,
            value,
            (
                (
                    f"({word} NOT IN {_texts(YES)} AND {word} NOT IN {_texts(NO)} AND {word} NOT IN {blanks})",
                    _reason(name, raw.sql, "no yes or no"),
                ),
            ),
        )
    if form == "text":
        blank_free = f"CASE WHEN trim(CAST({raw.sql} AS VARCHAR)) NOT IN {_texts(BLANKS)} THEN trim(CAST({raw.sql} AS VARCHAR)) END"
        problems: tuple[tuple[str, str], ...] = ()
        if name in WORDS:
            allowed = WORDS[name]
            problems = (
                (
                    f"coalesce(({blank_free}) NOT IN {_texts(allowed)}, FALSE)",
                    _reason(name, raw.sql, "none of " + ", ".join(allowed)),
                ),
            )
        return Field(name, blank_free, problems)
    return _number_field(name, form, raw, factor)


def _number_field(name: str, form: Form, raw: Compiled, factor: float) -> Field:
    if raw.kind == "number":
        number, filled = f"CAST({raw.sql} AS DOUBLE)", f"({raw.sql}) IS NOT NULL"
    else:
        number = f"TRY_CAST({raw.sql} AS DOUBLE)"
        filled = f"(trim(CAST({raw.sql} AS VARCHAR)) NOT IN {_texts(BLANKS)})"
    low, high, what = {
        "span": (0.0, LONGEST_SPAN_US / factor, "no duration between 0 and 30 days in the unit given"),
        "money": (0.0, 1e15 / factor, "no amount of money at or above 0"),
        "status": (100.0, 599.0, "no HTTP status between 100 and 599"),
        "integer": (0.0, 9e15, "no whole number at or above 0"),
        "signed": (-2147483648.0, 2147483647.0, "no whole number"),
    }[form]
    good = f"{number} BETWEEN {low!r} AND {high!r}"  # NaN is above every number, so it fails too
    kind = {"status": "SMALLINT", "signed": "INTEGER"}.get(form, "BIGINT")
    scaled = number if factor == 1.0 else f"{number} * {factor!r}"
    return Field(
        name,
        f"CASE WHEN {good} THEN CAST(round({scaled}) AS {kind}) END",
        ((f"({filled} AND NOT coalesce({good}, FALSE))", _reason(name, raw.sql, what)),),
    )


def _constant_field(name: str, value: object, mapping: Mapping) -> Field:
    form = TARGETS[mapping.kind].columns[name]
    if form == "boolean" and isinstance(value, bool):
        return Field(name, "TRUE" if value else "FALSE")
    if form == "text" and isinstance(value, str):
        if name in WORDS and value not in WORDS[name]:
            raise DataError(f"[constants] {name} = {value!r} is none of {', '.join(WORDS[name])}")
        return Field(name, quoted(value))
    if form in {"integer", "signed", "status", "span", "money"} and type(value) is int:
        return Field(name, f"CAST({value} AS BIGINT)")
    raise DataError(
        f"[constants] {name} = {value!r} is no {form}; constants stand in our own units (whole microseconds, counts)"
    )


def _time_field(name: str, time: Time, column: Callable[[str], str]) -> Field:
    return _time_sql(name, column(time.column), time, required=True)


def _time_sql(name: str, raw: str, time: Time, *, required: bool) -> Field:
    """Read a time as microseconds since 1970 UTC; a stamp without a zone needs the mapping's zone."""
    filled = f"(trim({raw}) NOT IN {_texts(BLANKS)})"
    problems: list[tuple[str, str]] = []
    if time.format in EPOCHS:
        scaled = f"TRY_CAST({raw} AS DOUBLE) * {EPOCHS[time.format]!r}"
        value = f"CASE WHEN abs({scaled}) < 9e18 THEN CAST(round({scaled}) AS BIGINT) END"
    else:
        zoned, naive, has_zone = _stamps(raw, time.format)
        if time.zone is None:
            problems.append(
                (
                    f"({filled} AND NOT {has_zone} AND {naive} IS NOT NULL)",
                    _reason(name, raw, 'a time without a zone; say zone = "..." in [time]'),
                )
            )
            value = f"epoch_us(CASE WHEN {has_zone} THEN {zoned} END)"
        else:
            value = f"epoch_us(CASE WHEN {has_zone} THEN {zoned} ELSE {naive} AT TIME ZONE {quoted(time.zone)} END)"
    shown = time.format if time.format != "iso" else "an ISO 8601 time such as 2026-11-16T08:00:00Z"
    problems.append((f"({filled} AND ({value}) IS NULL)", _reason(name, raw, f"not {shown}")))
    far = f"(({value}) NOT BETWEEN {EARLIEST_US} AND {LATEST_US})"
    problems.append(
        (
            f"coalesce({far}, FALSE)",
            _reason(name, raw, "outside the years 1990 to 2100; is the unit right (unix_s, unix_ms, unix_us)?"),
        )
    )
    if required:
        problems.append((f"(NOT coalesce({filled}, FALSE))", quoted(f"{name}: no time")))
    return Field(name, value, tuple(problems))


def _stamps(raw: str, fmt: str) -> tuple[str, str, str]:
    """SQL of the stamp read with its own zone, read without, and whether it has one."""
    if fmt == "iso":
        has_zone = f"coalesce(right({raw}, 1) IN ('Z', 'z') OR regexp_matches(right({raw}, 6), '[+-][0-9][0-9]:?[0-9][0-9]$') AND length({raw}) > 15, FALSE)"
        return f"TRY_CAST({raw} AS TIMESTAMPTZ)", f"TRY_CAST({raw} AS TIMESTAMP)", has_zone
    parsed = f"try_strptime({raw}, {quoted(fmt)})"
    if "%z" in fmt or "%Z" in fmt:
        return parsed, "CAST(NULL AS TIMESTAMP)", "TRUE"
    return "CAST(NULL AS TIMESTAMPTZ)", parsed, "FALSE"


def _texts(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(quoted(word) for word in words) + ")"


def _reason(name: str, raw: str, what: str) -> str:
    """SQL of a reject's reason, with the first 60 characters of what stood there."""
    return f"concat({quoted(name + ': ')}, '''', left(CAST({raw} AS VARCHAR), 60), ''' is ', {quoted(what)})"
