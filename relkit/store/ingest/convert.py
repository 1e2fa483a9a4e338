"""From a mapping to SQL: how each record of a log becomes a row, or a reject with its reason.

Everything runs inside DuckDB, set-wise, into the temporary table `staged`: one row a record in the order of the file,
so that rowid + 1 is a record's place. It carries `wanted` (the mapping's `[rows] where`), `problem` (NULL, or why it
cannot be a row), `fresh` (may be stored), `line_hash`, and our columns as they are stored.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from relkit.exceptions import DataError
from relkit.store.ingest.expressions import Compiled, compile_expression
from relkit.store.ingest.mapping import Cell, Mapping
from relkit.store.ingest.scan import Scan
from relkit.store.ingest.targets import TARGETS
from relkit.store.ingest.values import Field, constant, constant_field, field_of, sample_field, time_field
from relkit.store.landing import finished
from relkit.store.text import identifier

Column = Callable[[str], str]
_CARRIED: Final = ["wanted", "problem", "line_hash"]
_PLACES: Final = ("relkit__n", "relkit__record")


def staging_sql(mapping: Mapping, scan: Scan) -> tuple[str, list[str]]:
    """Compose the SELECT that stages a file, and name the staged columns that go to the table.

    Parameters
    ----------
    mapping : Mapping
        How the log's columns become ours.
    scan : Scan
        How the file is read; for events it holds the lines in a table already.

    Returns
    -------
    (str, list of str)
        SELECT text giving wanted, problem, fresh, line_hash and the columns; names of the columns.
    """
    fields, wanted = [], []
    if mapping.time:
        with _named(mapping, "[time] column"):
            fields.append(time_field("ts", scan.column(mapping.time.column), mapping.time, required=True))
    if mapping.rows:
        wanted.append(_condition(mapping, "[rows] where", mapping.rows.where, scan.column))
    records, end_column, order = "", None, ""
    if mapping.pair:
        records = _paired_records(mapping, scan, fields[0])
        wanted.append("relkit__start")
        order = " ORDER BY relkit__n"

        def end_column(name: str) -> str:
            return f"relkit__end_{scan.column(name)}"

    target = TARGETS[mapping.kind]
    for name, cell in mapping.columns.items():
        with _named(mapping, f"[columns] {name}"):
            raw = _origin(cell, scan.column, end_column)
        fields.append(field_of(name, target.columns[name], raw, cell.unit, mapping.time, mapping.decimal))
    for name, value in mapping.constants.items():
        with _named(mapping, f"[constants] {name}"):
            fields.append(constant_field(name, target.columns[name], value))
    for name, cell in mapping.samples.items():
        with _named(mapping, f"[samples] {name}"):
            fields.append(sample_field(name, cell, _origin(cell, scan.column), mapping.decimal))
    if mapping.pair:
        fields = [_only_when_ended(field) for field in fields]
        fields.append(constant("ended", "relkit__ended"))
        if "latency_us" not in mapping.columns:
            fields.append(constant("latency_us", "CASE WHEN relkit__ended THEN relkit__took END"))
    carried = ["relkit__ended", "relkit__took", "relkit__n"] if mapping.pair else []
    sql = _in_steps(mapping, scan, fields, " AND ".join(wanted) or "TRUE", carried, records)
    columns = [field.name for field in fields] + list(_defaults(mapping, fields))
    place = ["relkit__n"] if mapping.pair else ["relkit__record"] if scan.importer else []
    sql, columns = finished(sql, target.table, columns, [*_CARRIED, *place])
    hidden = " EXCLUDE (relkit__n)" if mapping.pair else ""
    return f"SELECT *{hidden}, wanted AND problem IS NULL AS fresh FROM ({sql}){order}", columns


def _in_steps(mapping: Mapping, scan: Scan, fields: list[Field], wanted: str, carried: list[str], records: str) -> str:
    """Nest the steps of all fields: raw, parsed, value, problem."""
    kept = [*scan.carried, *carried]
    if scan.importer:  # of a line that could not be taken apart nobody knows whether it is wanted
        wanted = f"(({wanted}) OR relkit__problem IS NOT NULL)"
    more = "".join(f", {name}" for name in kept)
    raws = "".join(f", {field.step('raw')} AS {field.key}__r" for field in fields)
    sql = f"SELECT {wanted} AS wanted, {scan.hash} AS line_hash{more}{raws} FROM {records or scan.records}"
    parses = "".join(f", {field.step('parsed')} AS {field.key}__p" for field in fields)
    sql = f"SELECT *{parses} FROM ({sql})"
    values = "".join(f", {field.step('value')} AS {identifier(field.name)}" for field in fields)
    sql = f"SELECT *{values} FROM ({sql})"
    problems = [field.step("problem") for field in fields if field.problem]
    if scan.own_problem:
        problems.insert(0, scan.own_problem)
    problem = f"coalesce({', '.join(problems)})" if problems else "CAST(NULL AS VARCHAR)"
    names = "".join(f", {identifier(field.name)}" for field in fields)
    defaults = "".join(f", {default} AS {name}" for name, default in _defaults(mapping, fields).items())
    place = "".join(f", {name}" for name in kept if name in _PLACES)
    sql = f"SELECT wanted, {problem} AS problem, line_hash{place}{names}{defaults} FROM ({sql})"
    if mapping.samples:  # a line without any measured value is no row
        measured = " OR ".join(f"{identifier(name)} IS NOT NULL" for name in mapping.samples)
        sql = f"SELECT * REPLACE (wanted AND (problem IS NOT NULL OR {measured}) AS wanted) FROM ({sql})"
    return sql


def _defaults(mapping: Mapping, named: list[Field]) -> dict[str, str]:
    """What a mapping that says nothing means: a user's request that ended, good when its HTTP status is below 400."""
    target = TARGETS[mapping.kind]
    names = {field.name for field in named}
    defaults = {name: sql for name, sql in target.defaults.items() if name not in names}
    if target.table == "attempts":
        if "ok" not in names and "status" in names:
            defaults["ok"] = "status < 400"
        if "attempt" not in names:
            defaults["attempt"] = "1"
        elif "granularity" in defaults and "request_id" in names:
            defaults["granularity"] = "'attempt'"  # a log that numbers the tries of a request has a row for each
    return defaults


@contextmanager
def _named(mapping: Mapping, key: str) -> Iterator[None]:
    """Say with every error in which file it lies and below which key."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{mapping.name}: {key}: {error}") from None


def _condition(mapping: Mapping, key: str, text: str, column: Column) -> str:
    with _named(mapping, key):
        compiled = compile_expression(text, column)
        if compiled.kind != "boolean":
            raise DataError(f"{text!r} is no condition; write a comparison")
    return f"coalesce({compiled.sql}, FALSE)"


def _paired_records(mapping: Mapping, scan: Scan, ts: Field) -> str:
    """Lay beside each starting line the next start or end of the same `by`; a start followed by a start has no end.

    The lines lie in a table by now (`scan.lines_table`), so that looking twice reads the file once.
    """
    assert mapping.pair is not None
    starts = _condition(mapping, "[pair] start", mapping.pair.start, scan.column)
    ends = _condition(mapping, "[pair] end", mapping.pair.end, scan.column)
    with _named(mapping, "[pair] by"):
        by = ", ".join(scan.column(name) for name in mapping.pair.by)
    within_us = round(mapping.pair.within_s * 1e6)
    raw = f"SELECT *, rowid AS relkit__n, {starts} AS relkit__start, {ends} AS relkit__ends, {ts.step('raw')} AS {ts.key}__r FROM {scan.records}"
    parsed = f"SELECT *, {ts.step('parsed')} AS {ts.key}__p FROM ({raw})"
    marks = f"SELECT * EXCLUDE ({ts.key}__r, {ts.key}__p), {ts.step('value')} AS relkit__ts FROM ({parsed})"
    window = f"(PARTITION BY {by} ORDER BY relkit__ts NULLS LAST, relkit__n)"
    looks = (
        f"SELECT relkit__n, lead(relkit__n) OVER {window} AS relkit__next, lead(relkit__start) OVER {window} AS relkit__other, "
        f"lead(relkit__ts) OVER {window} - relkit__ts AS relkit__took FROM ({marks}) WHERE relkit__start OR relkit__ends"
    )
    found = f"SELECT * FROM ({looks}) WHERE NOT relkit__other AND relkit__took <= {within_us}"
    ends_of = ", ".join(f"{name} AS relkit__end_{name}" for name in scan.names)
    return (
        f"(SELECT relkit__s.*, relkit__e.* EXCLUDE (relkit__end), relkit__f.relkit__took, relkit__f.relkit__next IS NOT NULL "
        f"AND relkit__s.relkit__start AS relkit__ended FROM ({marks}) AS relkit__s LEFT JOIN ({found}) AS relkit__f USING (relkit__n) "
        f"LEFT JOIN (SELECT rowid AS relkit__end, {ends_of} FROM {scan.records}) AS relkit__e ON relkit__e.relkit__end = relkit__f.relkit__next)"
    )


def _only_when_ended(field: Field) -> Field:
    """A start without an end says nothing of the outcome."""
    if field.name in {"ok", "latency_us", "status"}:
        problem = f"CASE WHEN relkit__ended THEN {field.problem} END" if field.problem else ""
        return replace(field, value=f"CASE WHEN relkit__ended THEN {field.value} END", problem=problem)
    return field


def _origin(cell: Cell, column: Column, end_column: Column | None = None) -> Compiled:
    if cell.column is not None:
        return Compiled(column(cell.column), "text")
    return compile_expression(cell.expr or "", column, end_column)
