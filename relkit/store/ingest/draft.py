"""A mapping for a log nobody has described: columns, units, zone and format are guessed, and everything is shown.

A guess that could be silently wrong by a factor (a unit) or by hours (a zone) is asked for instead of taken.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from relkit.errors import redact_text
from relkit.exceptions import DataError
from relkit.store.ingest.convert import staging_sql
from relkit.store.ingest.files import LogFile, inspect
from relkit.store.ingest.mapping import EPOCHS, parse_mapping
from relkit.store.ingest.rejects import shown_reason
from relkit.store.ingest.scan import Scan, drop_scan_tables, is_nested, scan_of
from relkit.store.ingest.targets import TARGETS, Form
from relkit.store.ingest.values import BLANKS
from relkit.units import percent

_ROWS_LOOKED_AT: Final = 2_000
_ROWS_SHOWN: Final = 5

# Names that people give, as words; the first column that fits is taken.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "request_id": ("request_id", "requestid", "req_id", "trace_id", "traceid", "correlation_id"),
    "attempt": ("attempt", "retry", "retry_num", "try", "attempt_number"),
    "latency_us": (
        "latency",
        "duration",
        "elapsed",
        "response_time",
        "took",
        "response",
        "end_to_end_latency",
        "request_time",
    ),
    "ok": ("ok", "success", "succeeded", "is_success"),
    "status": ("status", "status_code", "http_status", "statuscode", "response_code", "http_status_code"),
    "service": ("service", "provider", "upstream", "host", "backend", "app"),
    "model": ("model", "model_name", "main_model", "deployment"),
    "operation": ("operation", "path", "endpoint", "route", "method", "url"),
    "session_id": ("session_id", "session", "sessionid", "conversation_id", "user", "user_id", "client"),
    "exception_type": ("exception_type", "error_type", "exception_class"),
    "code": ("code", "error_code"),
    "message": ("message", "error", "error_msg", "error_message", "exception", "msg"),
    "tokens_in": ("tokens_in", "prompt_tokens", "input_tokens", "context_tokens"),
    "tokens_out": ("tokens_out", "completion_tokens", "output_tokens", "generated_tokens"),
    "cost_microusd": ("cost", "cost_usd", "price"),
    "pair_id": ("pair_id", "pair", "prompt_id", "item", "request_id", "id"),
    "experiment": ("experiment", "experiment_name"),
    "primary_ok": ("primary_ok", "primary_correct", "primary_success", "control_ok"),
    "shadow_ok": ("shadow_ok", "shadow_correct", "shadow_success", "treatment_ok"),
    "primary_action": ("primary_action",),
    "shadow_action": ("shadow_action",),
    "segment": ("segment", "domain", "language", "category"),
    "label": ("label", "fault", "inject_type", "type", "kind", "name"),
    "up": ("up", "state", "is_up", "alive"),
    "arm": ("arm", "variant", "group", "policy"),
    "n": ("n", "count", "requests", "total"),
}
_TIMES: Final = (
    "timestamp",
    "time",
    "ts",
    "datetime",
    "date",
    "start",
    "started_at",
    "created_at",
    "start_ms",
    "unix_s",
    "inject_timestamp",
    "starttime",
    "@timestamp",
)
_UNIT_WORDS: Final = {
    "ms": "ms",
    "millis": "ms",
    "milliseconds": "ms",
    "us": "us",
    "micros": "us",
    "ns": "ns",
    "s": "s",
    "sec": "s",
    "secs": "s",
    "seconds": "s",
    "min": "min",
}
_SHARE: Final = re.compile(
    r"(?:success|availability|ok|good).*(?:rate|share|pct|percent|ratio)|(?:rate|share|pct|percent|ratio).*success"
)
_MOST_UNUSED: Final = 40
_COMMA: Final = re.compile(r"-?[0-9]+,[0-9]+")
_POINT: Final = re.compile(r"-?[0-9]*\.[0-9]+")
_DATED: Final = re.compile(
    r"(?P<first>[0-9]{1,2})(?P<mark>[./-])(?P<second>[0-9]{1,2})(?P=mark)[0-9]{4}(?P<gap>,? )[0-9]{1,2}:[0-9]{2}"
    r"(?P<seconds>:[0-9]{2}(?P<fraction>\.[0-9]{1,6})?)?"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted mapping: its TOML, what to show, and what must be answered before it can be used."""

    toml: str
    shown: str
    open_questions: tuple[str, ...]


def draft_mapping(path: Path, kind: str) -> Draft:
    """Guess a mapping for a file, try it on the first rows, and show what came of it.

    Parameters
    ----------
    path : Path
        The log.
    kind : str
        The `--as` word.

    Raises
    ------
    DataError
        The file cannot be read at all.
    """
    file = inspect(path)
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "TimeZone": "UTC"})
    try:
        scan = scan_of(connection, file)
        columns = tuple(name for name, type_ in scan.parquet_columns.items() if not is_nested(type_)) or file.columns
        samples = _samples(connection, scan, columns)
        lines, questions = _compose(file, kind, columns, samples)
        toml = "\n".join(lines) + "\n"
        shown = _shown(connection, scan, kind, toml, questions)
    except duckdb.Error as error:
        raise DataError(f"{path.name}: cannot be read: {redact_text(str(error).splitlines()[0])}") from None
    finally:
        connection.close()
    return Draft(toml, shown, tuple(questions))


def _samples(connection: duckdb.DuckDBPyConnection, scan: Scan, columns: tuple[str, ...]) -> dict[str, list[str]]:
    """Read the first values of each column that are not blank."""
    cells = [scan.column(name) for name in columns]
    rows = connection.execute(f"SELECT {', '.join(cells)} FROM {scan.records} LIMIT {_ROWS_LOOKED_AT}").fetchall()
    drop_scan_tables(connection)
    return {
        name: [row[place] for row in rows if row[place] is not None and row[place].strip() not in BLANKS]
        for place, name in enumerate(columns)
    }


def _compose(
    file: LogFile, kind: str, columns: tuple[str, ...], samples: dict[str, list[str]]
) -> tuple[list[str], list[str]]:
    """Write the draft's lines, and the questions it leaves open."""
    target = TARGETS[kind]
    questions: list[str] = []
    name = redact_text(file.path.name)
    source = name.split(".")[0]
    lines = [
        f"# Drafted from {name}: check units, zone and meaning.",
        f"kind = {json.dumps(kind)}",
        f"source = {json.dumps(source)}",
    ]
    if file.format == "csv" and file.delimiter != ",":
        lines.append(f"delimiter = {json.dumps(file.delimiter)}")
    if file.delimiter == ";" and _has_decimal_commas(samples):
        lines.append('decimal = ","')
    if kind == "minutes":
        lines.append("width_s = 60")
    time = _time_column(columns, samples)
    if time is not None:
        lines += _time_section(time, samples[time], questions)
    elif target.clock == "needed":
        questions.append("which column holds the time? Add a [time] section")
    taken = {time} if time else set()
    body = [
        line for name, form in target.columns.items() if (line := _cell(name, form, columns, taken, samples, questions))
    ]
    if body:
        lines += ["", "[columns]", *body]
    if kind == "minutes":
        lines += _samples_section(columns, taken, questions)
    if kind == "events":
        lines += [
            "",
            "[pair]",
            "# start = \"event == 'started'\"",
            "# end = \"event in ('done', 'failed')\"",
            '# by = ["user"]',
        ]
        questions.append(
            "which line starts an attempt, which ends it, and by which columns do they belong together? Fill in [pair]"
        )
    named = {line.split(" = ", 1)[0] for line in body}
    questions += [f"which column is {name}?" for name in target.required if name not in named]
    if "ok" in target.columns and not named & {"ok", "status"} and kind != "arms":
        lines.append(
            "# no column tells success: ok stays unknown, and no availability can be computed "
            '(e.g. ok = { expr = "error_code is None" })'
        )
    unused = [json.dumps(redact_text(name)) for name in columns if name not in taken]
    if unused:
        more = f" and {len(unused) - _MOST_UNUSED} more" if len(unused) > _MOST_UNUSED else ""
        lines += ["", f"# columns of the log that stand for nothing here: {', '.join(unused[:_MOST_UNUSED])}{more}"]
    return lines, questions


def _has_decimal_commas(samples: dict[str, list[str]]) -> bool:
    """Whether numbers of this log have commas, and none has a point."""
    values = [value.strip() for column in samples.values() for value in column]
    return any(map(_COMMA.fullmatch, values)) and not any(map(_POINT.fullmatch, values))


def _time_column(columns: tuple[str, ...], samples: dict[str, list[str]]) -> str | None:
    named = next((name for name in columns if name.lower() in _TIMES or _bare(name) in _TIMES), None)
    return named or next(
        (name for name in columns if _time_format(samples[name][:20]) == "iso" or _dated(samples[name])), None
    )


def _time_section(time: str, sample: list[str], questions: list[str]) -> list[str]:
    fmt = _time_format(sample[:50]) or _dated(sample)
    lines = ["", "[time]", f"column = {json.dumps(time)}", f"format = {json.dumps(fmt or 'iso')}"]
    if fmt is None and sample and all(map(_DATED.fullmatch, sample)):
        questions.append(
            f"is the day or the month first in column {time!r} (it holds {sample[:1]})? "
            'Set format = "%d.%m.%Y %H:%M:%S", or with %m before %d, and the marks as they stand there'
        )
    elif fmt is None:
        questions.append(f"what format has the time in column {time!r} (it holds {sample[:1]})?")
    if fmt is not None and fmt not in EPOCHS and sample and not _has_zone(sample[0]):
        lines.append('# zone = "UTC"   # the stamps name no zone: which one is it?')
        questions.append(f"in which zone are the times of column {time!r}? They name none: set zone in [time]")
    return lines


def _cell(
    ours: str,
    form: Form,
    columns: tuple[str, ...],
    taken: set[str],
    samples: dict[str, list[str]],
    questions: list[str],
) -> str | None:
    """Write the line that fills one of our columns, None where nothing in the log looks like it."""
    column = _find(ours, columns, taken, samples)
    if column is None:
        return None
    theirs = json.dumps(column)
    if form == "span":
        unit = _unit_of(column)
        if unit is None:
            questions.append(f"in which unit is column {column!r}? Set it in [columns] {ours}")
            return f'# {ours} = {{ column = {theirs}, unit = "ms" }}   # which unit: us, ms, s?'
        taken.add(column)
        return f"{ours} = {{ column = {theirs}, unit = {json.dumps(unit)} }}"
    taken.add(column)
    if form == "status" and any(not _is_status(value) for value in samples[column]):
        test = f"column({column!r}) if number(column({column!r})) >= 100 else None"
        return f"{ours} = {{ expr = {json.dumps(test)} }}"
    return f'{ours} = {{ column = {theirs}, unit = "usd" }}' if form == "money" else f"{ours} = {theirs}"


def _samples_section(columns: tuple[str, ...], taken: set[str], questions: list[str]) -> list[str]:
    rows: list[str] = []
    for name in columns:
        if name in taken:
            continue
        if _SHARE.search(name.lower()):
            unit = "percent" if re.search("pct|percent", name.lower()) else "share"
            taken.add(name)
            rows.append(f"success_share = {{ column = {json.dumps(name)}, unit = {json.dumps(unit)} }}")
        elif found := re.fullmatch(r"p([0-9]{2})_?(ms|s|us)", name.lower()):
            taken.add(name)
            rows.append(f"latency_p{found[1]}_us = {{ column = {json.dumps(name)}, unit = {json.dumps(found[2])} }}")
    if not rows:
        questions.append("which columns are measured values? Add them to [samples]")
    return ["", "[samples]", *rows] if rows else []


def _find(ours: str, columns: tuple[str, ...], taken: set[str], samples: dict[str, list[str]]) -> str | None:
    names = _NAMES.get(ours, (ours,))
    for wanted in names:
        for column in columns:
            if column not in taken and samples[column] and _bare(column) == wanted:
                return column
    return None


def _bare(column: str) -> str:
    """Write a column's name in lower case, without the words that are units."""
    words = re.split(r"[^a-z0-9]+", column.lower())
    return "_".join(word for word in words if word and word not in _UNIT_WORDS)


def _unit_of(column: str) -> str | None:
    """Read the unit off a column's name; none is assumed, because a factor of 1000 looks plausible."""
    for part in reversed(re.split(r"[^a-z]+", column.lower())):
        if part in _UNIT_WORDS:
            return _UNIT_WORDS[part]
    return None


def _time_format(values: list[str]) -> str | None:
    if not values:
        return None
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return "iso" if all(map(_is_iso, values)) else None
    typical = sorted(numbers)[len(numbers) // 2]
    for name, low in (("unix_s", 6e8), ("unix_ms", 6e11), ("unix_us", 6e14), ("unix_ns", 6e17)):
        if low <= typical < low * 8:
            return name
    return None


def _dated(values: list[str]) -> str | None:
    """Read the pattern off times such as 24.12.2026 18:00: a number above 12 tells which one is the day."""
    found = [_DATED.fullmatch(value) for value in values]
    if not found or not all(found):
        return None
    parts = [match.groupdict() for match in found if match]
    marks = {(part["mark"], part["gap"], part["seconds"] is None, part["fraction"] is None) for part in parts}
    first, second = (max(int(part[name]) for part in parts) for name in ("first", "second"))
    if len(marks) > 1 or (first > 12) == (second > 12):
        return None
    mark, gap, has_no_seconds, has_no_fraction = marks.pop()
    date = mark.join(("%d", "%m", "%Y") if first > 12 else ("%m", "%d", "%Y"))
    return f"{date}{gap}%H:%M" + ("" if has_no_seconds else ":%S") + ("" if has_no_fraction else ".%f")


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text.strip()[:26].rstrip("Z"))
    except ValueError:
        return False
    return True


def _is_status(text: str) -> bool:
    try:
        return 100 <= float(text) <= 599
    except ValueError:
        return True  # no number at all: let it show as a problem


def _has_zone(text: str) -> bool:
    return bool(re.search(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$", text.strip())) and len(text.strip()) > 15


def _shown(connection: duckdb.DuckDBPyConnection, scan: Scan, kind: str, toml: str, questions: list[str]) -> str:
    parts = [toml]
    try:
        mapping = parse_mapping(toml, "draft", kind)
        select, names = staging_sql(mapping, scan)
        frame = connection.execute(f"SELECT * FROM ({select}) LIMIT {_ROWS_LOOKED_AT}").fetchall()
        titles = [item[0] for item in connection.description or ()]
    except DataError as error:
        parts.append("\n".join(f"# this draft is not complete: {line}" for line in str(error).splitlines()))
    else:
        rows = [dict(zip(titles, row, strict=True)) for row in frame]
        parts.append(f"# first rows as they would be stored ({len(rows)} looked at):")
        parts += [
            f"#   {', '.join(f'{name}={row[name]!r}' for name in names if row[name] is not None)}"
            for row in rows[:_ROWS_SHOWN]
        ]
        good = sum(row["problem"] is None for row in rows)
        parts.append(f"# coverage: {percent(good / len(rows), 1) if rows else '0 %'} of these rows can be read")
        for name in names:
            filled = sum(row[name] is not None for row in rows) / max(1, len(rows))
            parts.append(f"#   {name}: {percent(filled, 0)} filled")
        problems = dict.fromkeys(row["problem"] for row in rows if row["problem"])
        parts += [f"#   problem: {shown_reason(reason)}" for reason in list(problems)[:3]]
    parts += [f"# to answer: {question}" for question in questions]
    return "\n".join(parts)
