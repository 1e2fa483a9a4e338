"""How the text of a cell becomes the value of one of our columns, or a problem with its reason.

Each column is read in steps that build on one another, so that DuckDB does nothing twice for a row: the raw text `r`,
what was parsed of it `p`, and the value. The costly questions (is it blank? why is it bad?) are asked only of rows
that gave no value.
"""

from dataclasses import dataclass
from typing import Final

from relkit.exceptions import DataError
from relkit.store.ingest.expressions import Compiled
from relkit.store.ingest.mapping import EPOCHS, SHARE_UNITS, UNITS, Cell, Decimal, Time
from relkit.store.ingest.targets import WORDS, Form
from relkit.store.text import identifier, quoted
from relkit.units import US_PER_DAY

# What exporters write for "nothing here"; none is longer than _LONGEST_BLANK.
BLANKS: Final = ("", "-", "NULL", "null", "None", "none", "NaN", "nan", "NA", "N/A", "\\N")
_LONGEST_BLANK: Final = 4
YES: Final = ("true", "t", "yes", "y", "1", "1.0", "ok", "success", "succeeded", "up")
NO: Final = ("false", "f", "no", "n", "0", "0.0", "error", "failure", "failed", "fail", "down")
LONGEST_SPAN_US: Final = 30 * US_PER_DAY
EARLIEST_US: Final = 631_152_000_000_000  # 1990-01-01
LATEST_US: Final = 4_102_444_800_000_000  # 2100-01-01
REASON_MARK: Final = "\x1f"
"""Stands around the value in a reason: whoever stores the reason redacts and shortens what lies between."""
_VALUE_READ: Final = 400


@dataclass(frozen=True, slots=True)
class Field:
    """SQL of one staged column, step by step.

    Parameters
    ----------
    name : str
        Our column.
    raw : str
        Of columns of the log; NULL when the value is a constant.
    parsed : str
        Of `{r}`, the raw text.
    value : str
        Of `{r}` and `{p}`.
    problem : str
        Of `{r}`, `{p}` and `{v}`: NULL where all is well, else the reason. Empty: nothing can go wrong.
    """

    name: str
    raw: str
    parsed: str
    value: str
    problem: str = ""

    def step(self, what: str) -> str:
        """Write out one of the steps with the names the earlier ones have."""
        if what == "raw":
            return self.raw  # holds the mapping's own texts, which may look like our marks
        marks = {"r": f"{self.key}__r", "p": f"{self.key}__p", "v": identifier(self.name)}
        sql: str = getattr(self, what)
        for mark, name in marks.items():
            sql = sql.replace("{" + mark + "}", name)
        return sql

    @property
    def key(self) -> str:
        """Prefix of the steps' names; names of series come from a mapping and were checked there."""
        return f"relkit__{self.name}"


def constant(name: str, sql: str) -> Field:
    """Name a value that is the same in every row, or follows from other columns."""
    return Field(name, "NULL", "NULL", sql)


def field_of(
    name: str, form: Form, raw: Compiled, unit: str | None, time: Time | None, decimal: Decimal = "."
) -> Field:
    """Say how one of our columns is read.

    Parameters
    ----------
    name : str
        Our column.
    form : Form
        What it holds.
    raw : Compiled
        Where it comes from.
    unit : str or None
        Unit of the log.
    time : Time or None
        The mapping's clock, for columns that are times.
    decimal : "." | ","
        What stands before the fraction of a number.
    """
    if form == "time":
        return time_field(name, raw.sql, time or Time(column=""), required=False)
    if form == "boolean":
        return _boolean_field(name, raw)
    if form == "text":
        return _text_field(name, raw)
    return _number_field(name, form, raw, UNITS[unit] if unit else 1.0, decimal)


def sample_field(name: str, cell: Cell, raw: Compiled, decimal: Decimal = ".") -> Field:
    """Say how a measured value is read: any finite number, a share within 0 and 1."""
    factor = UNITS[cell.unit] if cell.unit else 1.0
    test, what = "isfinite({p})", "no number"
    if cell.unit in SHARE_UNITS:
        test, what = f"{{p}} BETWEEN 0 AND {1 / factor!r}", "no share between 0 and 1 in the unit given"
    return Field(
        name,
        f"CAST({raw.sql} AS VARCHAR)",
        _number_sql(decimal),
        f"CASE WHEN {test} THEN {{p}} * {factor!r} END",
        _unless_blank(name, what),
    )


def _boolean_field(name: str, raw: Compiled) -> Field:
    if raw.kind in {"boolean", "null"}:
        return Field(name, f"CAST({raw.sql} AS BOOLEAN)", "NULL", "{r}")
    value = f"CASE WHEN {{p}} IN {texts(YES)} THEN TRUE WHEN {{p}} IN {texts(NO)} THEN FALSE END"
    raw_text = f"CAST({raw.sql} AS VARCHAR)"
    return Field(name, raw_text, "lower(trim({r}))", value, _unless_blank(name, "no yes or no"))


def _text_field(name: str, raw: Compiled) -> Field:
    value = f"CASE WHEN strlen({{p}}) > {_LONGEST_BLANK} OR {{p}} NOT IN {texts(BLANKS)} THEN {{p}} END"
    problem = ""
    if name in WORDS:
        allowed = WORDS[name]
        problem = f"CASE WHEN {{v}} NOT IN {texts(allowed)} THEN {_reason(name, 'none of ' + ', '.join(allowed))} END"
    return Field(name, f"CAST({raw.sql} AS VARCHAR)", "trim({r})", value, problem)


_RANGES: Final[dict[Form, tuple[float, float, str, str]]] = {
    "span": (0.0, LONGEST_SPAN_US, "BIGINT", "no duration between 0 and 30 days in the unit given"),
    "money": (0.0, 1e15, "BIGINT", "no amount of money at or above 0"),
    "status": (100.0, 599.0, "SMALLINT", "no HTTP status between 100 and 599"),
    "integer": (0.0, 9e15, "BIGINT", "no whole number at or above 0"),
    "signed": (-2147483648.0, 2147483647.0, "INTEGER", "no whole number"),
}


def _number_sql(decimal: Decimal) -> str:
    if decimal == ".":
        return "TRY_CAST({r} AS DOUBLE)"
    # a point beside a decimal comma may part thousands or be a slip: a factor of 1000 that nobody would see
    return "CASE WHEN NOT contains({r}, '.') THEN TRY_CAST(replace({r}, ',', '.') AS DOUBLE) END"


def _number_field(name: str, form: Form, raw: Compiled, factor: float, decimal: Decimal) -> Field:
    low, high, kind, what = _RANGES[form]
    test = f"{{p}} BETWEEN {low / factor!r} AND {high / factor!r}"  # NaN is above every number, so it fails too
    if form in {"status", "integer", "signed"}:
        test += " AND {p} = floor({p})"
    scaled = "{p}" if factor == 1.0 else f"{{p}} * {factor!r}"
    return Field(
        name,
        raw.sql if raw.kind == "number" else f"CAST({raw.sql} AS VARCHAR)",
        _number_sql("." if raw.kind == "number" else decimal),
        f"CASE WHEN {test} THEN CAST(round({scaled}) AS {kind}) END",
        _unless_blank(name, what),
    )


def time_field(name: str, raw: str, time: Time, *, required: bool) -> Field:
    """Say how a time is read, as microseconds since 1970 UTC; a stamp without a zone needs the mapping's zone."""
    far = _reason(name, "outside the years 1990 to 2100; is the unit right (unix_s, unix_ms, unix_us, unix_ns)?")
    none = quoted(f"{name}: no time") if required else "NULL"
    shown = time.format if time.format != "iso" else "an ISO 8601 time such as 2026-11-16T08:00:00Z"
    if time.format in EPOCHS:
        parsed, zoneless = f"TRY_CAST({{r}} AS DOUBLE) * {EPOCHS[time.format]!r}", ""
        micros = "{p}"
    else:
        parsed, has_zone = _stamp(time.format)
        micros = "epoch_us({p})"
        zoneless = ""
        if time.zone is None:
            parsed = f"CASE WHEN {has_zone} THEN {parsed} END"
            bare = time.format.replace("%z", "").replace("%Z", "")
            read_bare = "TRY_CAST({r} AS TIMESTAMP)" if time.format == "iso" else f"try_strptime({{r}}, {quoted(bare)})"
            why = _reason(name, 'a time without a zone; say zone = "..." in [time]')
            zoneless = f"WHEN NOT {has_zone} AND {read_bare} IS NOT NULL THEN {why} "
        elif time.zone != "UTC":
            # The parser takes a stamp without zone for UTC: its digits are the wall clock of the mapping's zone.
            wall, zone = f"(({parsed}) AT TIME ZONE 'UTC')", quoted(time.zone)
            there = f"({wall} AT TIME ZONE {zone})"
            skipped = f"NOT {has_zone} AND ({there} AT TIME ZONE {zone}) <> {wall}"
            why = _reason(name, f"a time that the clock of {time.zone} skips in spring; is zone in [time] right?")
            zoneless = f"WHEN {skipped} THEN {why} "
            parsed = f"CASE WHEN {has_zone} THEN {parsed} WHEN NOT ({skipped}) THEN {there} END"
    value = f"CASE WHEN {micros} BETWEEN {EARLIEST_US} AND {LATEST_US} THEN CAST(round({micros}) AS BIGINT) END"
    problem = (
        f"CASE WHEN {{v}} IS NOT NULL THEN NULL WHEN {{r}} IS NULL OR trim({{r}}) IN {texts(BLANKS)} THEN {none} "
        f"{zoneless}WHEN {{p}} IS NULL THEN {_reason(name, f'not {shown}')} ELSE {far} END"
    )
    return Field(name, f"CAST({raw} AS VARCHAR)", parsed, value, problem)


# An offset after the time of day, or the word for UTC. What ends in other letters ("CET") is no ISO stamp.
_OFFSET: Final = "[0-9]:[0-9]{2}[^+-]*[+-][0-9]{2}(:?[0-9]{2})?$"


def _stamp(fmt: str) -> tuple[str, str]:
    """SQL that parses a stamp to TIMESTAMPTZ, one without a zone as UTC; SQL that says whether it names its zone."""
    if fmt == "iso":
        # Python's logging writes milliseconds after a comma
        parsed = "coalesce(TRY_CAST({r} AS TIMESTAMPTZ), TRY_CAST(replace({r}, ',', '.') AS TIMESTAMPTZ))"
        has_zone = f"(ends_with({{r}}, 'UTC') OR regexp_matches({{r}}, '{_OFFSET}'))"
        digits = "right({r}, 1) BETWEEN '0' AND '9'"
        # The commonest stamp first: its end alone tells that it has a zone
        stamp = f"CASE WHEN ends_with({{r}}, 'Z') THEN {parsed} WHEN {digits} OR {has_zone} THEN {parsed} END"
        return stamp, f"(ends_with({{r}}, 'Z') OR {has_zone})"
    parsed = f"try_strptime({{r}}, {quoted(fmt)})"
    if "%z" in fmt or "%Z" in fmt:
        return parsed, "TRUE"
    return f"({parsed} AT TIME ZONE 'UTC')", "FALSE"


def constant_field(name: str, form: Form, value: object) -> Field:
    """Read a value of the mapping's `[constants]`.

    Raises
    ------
    DataError
        It is of another type than the column.
    """
    if form == "boolean" and isinstance(value, bool):
        return constant(name, "TRUE" if value else "FALSE")
    if form == "text" and isinstance(value, str):
        if name in WORDS and value not in WORDS[name]:
            raise DataError(f"{value!r} is none of {', '.join(WORDS[name])}")
        return constant(name, f"CAST({quoted(value)} AS VARCHAR)")
    if form in _RANGES and type(value) is int:
        low, high, kind, what = _RANGES[form]
        if not low <= value <= high:
            raise DataError(f"{value!r} is {what.removesuffix(' in the unit given')}")
        return constant(name, f"CAST({value} AS {kind})")
    raise DataError(f"{value!r} is no {form}; constants stand in our own units (whole microseconds, counts)")


def texts(words: tuple[str, ...]) -> str:
    """Write an SQL list of texts.

    >>> texts(("a", "b"))
    "('a', 'b')"
    """
    return "(" + ", ".join(quoted(word) for word in words) + ")"


def _unless_blank(name: str, what: str) -> str:
    return (
        f"CASE WHEN {{v}} IS NOT NULL OR {{r}} IS NULL THEN NULL WHEN trim(CAST({{r}} AS VARCHAR)) IN {texts(BLANKS)} THEN NULL "
        f"ELSE {_reason(name, what)} END"
    )


def _reason(name: str, what: str) -> str:
    """SQL of a reject's reason, with the first characters of what stood there between two marks."""
    mark = f"chr({ord(REASON_MARK)})"
    return f"concat({quoted(name + ': ')}, {mark}, left(CAST({{r}} AS VARCHAR), {_VALUE_READ}), {mark}, {quoted(' is ' + what)})"
