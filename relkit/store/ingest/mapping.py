"""The mapping file: how the columns of somebody's log become columns of ours.

A mapping is TOML; `relkit ingest` drafts one for a log it does not know. Every key is checked: an unknown one is an
error that names its nearest neighbour.
"""

import hashlib
import json
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from relkit.exceptions import DataError
from relkit.store.ingest.targets import TARGETS

SPAN_UNITS: Final = {"us": 1.0, "ms": 1e3, "s": 1e6, "min": 60e6, "ns": 1e-3}
MONEY_UNITS: Final = {"usd": 1e6, "cent": 1e4, "microusd": 1.0}
SHARE_UNITS: Final = {"share": 1.0, "percent": 0.01}
UNITS: Final = {**SPAN_UNITS, **MONEY_UNITS, **SHARE_UNITS}
EPOCHS: Final = {"unix_s": 1e6, "unix_ms": 1e3, "unix_us": 1.0, "unix_ns": 1e-3}

Decimal: TypeAlias = Literal[".", ","]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cell(_Strict):
    """Where one of our columns comes from: a column of the log, an expression over several, or a constant."""

    column: str | None = None
    expr: str | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "Cell":
        if (self.column is None) == (self.expr is None):
            raise ValueError('give either column = "..." or expr = "..."')
        if self.unit is not None and self.unit not in UNITS:
            raise ValueError(f"unit {self.unit!r} is unknown; use one of {', '.join(UNITS)}")
        return self


class Time(_Strict):
    """The column that says when a row started, its format and zone."""

    column: str
    format: str = "iso"
    zone: str | None = None

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                ZoneInfo(zone)
            except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError below OSError only on some versions
                raise ValueError(f"zone {zone!r} is unknown; use a name such as UTC or Europe/Berlin") from None
            except KeyError:
                raise ValueError(f"zone {zone!r} is unknown; use a name such as UTC or Europe/Berlin") from None
        return zone

    @field_validator("format")
    @classmethod
    def _known_format(cls, text: str) -> str:
        if text == "iso" or text in EPOCHS or ("%" in text and not set(text) & set("{}")):
            return text
        raise ValueError(
            f"format {text!r} is unknown; use iso, {', '.join(EPOCHS)} or a pattern such as %d/%b/%Y:%H:%M:%S %z"
        )


class Rows(_Strict):
    """Which lines of the log are rows."""

    where: str


class Pair(_Strict):
    """How two lines, a start and an end, become one attempt."""

    start: str
    end: str
    by: tuple[str, ...] = Field(min_length=1)
    within_s: float = Field(default=3600.0, gt=0)


class Mapping(_Strict):
    """One mapping file.

    Examples
    --------
    >>> parse_mapping('''
    ... kind = "attempts"
    ... source = "web"
    ... [time]
    ... column = "timestamp"
    ... [columns]
    ... status = "status"
    ... latency_us = { column = "duration_ms", unit = "ms" }
    ... ''').columns["latency_us"].unit
    'ms'
    """

    kind: str
    source: str = Field(min_length=1, max_length=200)
    importer: Literal["otlp", "litellm", "nginx", "envoy"] | None = None
    log_format: str | None = Field(default=None, max_length=10_000)
    format: Literal["csv", "jsonl", "parquet"] | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Decimal = "."
    time: Time | None = None
    columns: dict[str, Cell] = Field(default_factory=dict)
    samples: dict[str, Cell] = Field(default_factory=dict)
    width_s: float = Field(default=60.0, gt=0)
    constants: dict[str, str | int | float | bool] = Field(default_factory=dict)
    rows: Rows | None = None
    pair: Pair | None = None
    _name: str = PrivateAttr("mapping")

    @property
    def name(self) -> str:
        """Name of its file, for messages; no part of what it says."""
        return self._name

    @field_validator("columns", "samples", mode="before")
    @classmethod
    def _short_form(cls, cells: Any) -> Any:
        if not isinstance(cells, dict):
            raise ValueError('is no section; write NAME = "column" lines below it')  # noqa: TRY004  pydantic reads ValueError
        for name, cell in cells.items():
            if not isinstance(cell, (str, dict, Cell)):
                raise ValueError(  # noqa: TRY004
                    f'{name} = {cell!r} is no column; write "column", or {{ expr = "..." }}, or use [constants]'
                )
        return {name: {"column": cell} if isinstance(cell, str) else cell for name, cell in cells.items()}

    @field_validator("samples")
    @classmethod
    def _series_names(cls, samples: dict[str, Cell]) -> dict[str, Cell]:
        for name in samples:
            if not re.fullmatch("[a-z][a-z0-9_]{0,62}", name) or name in {"ts", "service", "n"}:
                raise ValueError(
                    f"{name!r} is no name for a series; use small letters, digits and _, and not ts, service or n"
                )
        return samples

    @model_validator(mode="after")
    def _complete(self) -> "Mapping":
        target = TARGETS.get(self.kind)
        if target is None:
            raise ValueError(f"kind {self.kind!r} is unknown; use one of {', '.join(TARGETS)}")
        for name in [*self.columns, *self.constants]:
            if name not in target.columns:
                near = get_close_matches(name, target.columns, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"{name!r} is no column of {self.kind}{hint} (columns: {', '.join(target.columns)})")
        if twice := set(self.columns) & set(self.constants):
            raise ValueError(f"{', '.join(sorted(twice))} stands both in [columns] and in [constants]")
        missing = [name for name in target.required if name not in self.columns and name not in self.constants]
        if missing:
            raise ValueError(
                f"{self.kind} need {' and '.join(missing)}: map {'it' if len(missing) == 1 else 'them'} in [columns]"
            )
        if self.time is None and target.clock == "needed":
            raise ValueError(f"{self.kind} need a [time] section: which column says when?")
        if (self.kind == "events") != (self.pair is not None):
            raise ValueError(
                "events, and only events, need a [pair] section: which line starts, which ends, by which columns?"
            )
        if (self.kind == "minutes") != bool(self.samples):
            raise ValueError("minutes, and only minutes, need a [samples] section: which columns are measured values?")
        for name, cell in self.columns.items():
            form = target.columns[name]
            need = SPAN_UNITS if form == "span" else MONEY_UNITS if form == "money" else None
            if need is None and cell.unit is not None:
                raise ValueError(f"{name} takes no unit")
            if need is not None and cell.unit not in need:
                raise ValueError(f"{name} needs its unit: one of {', '.join(need)}")
        return self

    @model_validator(mode="after")
    def _importable(self) -> "Mapping":
        if self.importer and self.kind != "attempts":
            raise ValueError(f"importer = {self.importer!r} gives attempts, and no {self.kind}")
        if self.log_format is not None and self.importer != "nginx":
            raise ValueError('log_format is a directive of nginx: it needs importer = "nginx"')
        return self

    @property
    def sha256(self) -> str:
        """Hash of what the mapping says, whatever its spelling."""
        # the usual point is left out: what was read before the key existed keeps its hash
        usual = {name for name in ("importer", "log_format") if getattr(self, name) is None}
        usual |= {"decimal"} if self.decimal == "." else set()
        canonical = json.dumps(self.model_dump(mode="json", exclude=usual), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def parse_mapping(text: str, where: str = "mapping", kind: str | None = None) -> Mapping:
    """Read a mapping from TOML text.

    Parameters
    ----------
    text : str
        The TOML.
    where : str
        Name of the file, for messages.
    kind : str, optional
        The `--as` word; when the file names another kind, that is an error.

    Raises
    ------
    DataError
        With file, key, what is wrong and what is allowed.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        last = text.rstrip().count("\n") + 1
        fault = str(error).replace("at end of document", f"at line {last}, the end of the file")
        raise DataError(f"{where}: not valid TOML: {fault}") from None
    if kind is not None and raw.setdefault("kind", kind) != kind:
        raise DataError(f"{where}: says kind = {raw['kind']!r}, the command says --as {kind}; make them agree")
    try:
        mapping = Mapping.model_validate(raw)
    except ValidationError as error:
        raise DataError("\n".join(f"{where}: {_sentence(item)}" for item in error.errors())) from None
    mapping._name = where  # noqa: SLF001  pydantic sets no private field when it validates
    return mapping


_SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "time": Time,
    "rows": Rows,
    "pair": Pair,
    "columns": Cell,
    "samples": Cell,
}


def _sentence(item: Any) -> str:
    """Say one validation error the way a person would."""
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        section: type[BaseModel] = _SECTIONS.get(str(item["loc"][0]), Mapping)
        near = get_close_matches(str(item["loc"][-1]), section.model_fields, n=1)
        return f"unknown key {place}" + (
            f"; did you mean {near[0]}?" if near else f"; known keys: {', '.join(section.model_fields)}"
        )
    message = item["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def load_mapping(path: Path, kind: str | None = None) -> Mapping:
    """Read a mapping file; see `parse_mapping`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such mapping file; leave --map away to have one drafted") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    return parse_mapping(text, path.name, kind)
