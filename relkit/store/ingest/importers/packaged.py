"""The packaged importers by name, their mappings, and how a log that nobody described is recognised as one of them."""

import csv
import io
import json
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from relkit.exceptions import DataError
from relkit.store.ingest.files import LogFile, first_text, inspect
from relkit.store.ingest.importers.envoy import ENVOY
from relkit.store.ingest.importers.importer import Importer
from relkit.store.ingest.importers.litellm import LITELLM
from relkit.store.ingest.importers.nginx import LOG_FORMATS, NGINX, pattern_of
from relkit.store.ingest.importers.otlp import OTLP
from relkit.store.ingest.mapping import Mapping, parse_mapping

IMPORTERS: Final[dict[str, Importer]] = {importer.name: importer for importer in (OTLP, LITELLM, NGINX, ENVOY)}
_SPANS: Final = re.compile(r'[\s\[]*\{\s*"resourceSpans"\s*:')
_JSON: Final = re.compile(r"\{|\[\s*\{")  # a log in brackets may be a line that begins with its time
_LINES_LOOKED_AT: Final = 20
_LITELLM: Final = {"call_type", "custom_llm_provider", "model_group", "litellm_model_name"}


def packaged_mapping(name: str, log_format: str | None = None) -> Mapping:
    """Return the mapping that comes with an importer.

    Parameters
    ----------
    name : str
        One of IMPORTERS.
    log_format : str, optional
        Of nginx: how its lines are written.

    Examples
    --------
    >>> packaged_mapping("envoy").columns["latency_us"].unit
    'ms'
    """
    mapping = _read(name)
    return mapping if log_format is None else mapping.model_copy(update={"log_format": log_format})


@cache
def _read(name: str) -> Mapping:
    text = resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse_mapping(text, f"the packaged mapping {name}")


def recognised(path: Path) -> Mapping | None:
    """Return the packaged mapping of a log whose first lines show what wrote it; None where they do not.

    Parameters
    ----------
    path : Path
        The log.

    Raises
    ------
    DataError
        It is no text, or empty.
    """
    if path.suffix.lower() in {".parquet", ".pq"}:
        return None
    text = first_text(inspect(path, "text"))
    if _JSON.match(text):
        if _SPANS.match(text):
            return packaged_mapping("otlp")
        return _by_names(_keys(text))
    lines = text.splitlines()[:_LINES_LOOKED_AT]
    for log_format in LOG_FORMATS:
        pattern = re.compile(pattern_of(log_format)[0])
        if sum(pattern.match(line) is not None for line in lines) * 2 > len(lines):
            return packaged_mapping("nginx", log_format)
    return _by_names(next(csv.reader(io.StringIO(text)), []), only="litellm")


def _by_names(keys: Iterable[str], only: str = "") -> Mapping | None:
    names = set(keys)
    if {"startTime", "endTime"} <= names and names & {"request_id", "id"} and names & _LITELLM:
        return packaged_mapping("litellm")
    if only:
        return None
    if {"response_flags", "response_code", "start_time", "duration"} <= names:
        return packaged_mapping("envoy")
    if (
        "upstream_status" in names
        and names & {"upstream_response_time", "upstream_addr"}
        and names & {"msec", "time_iso8601", "time_local"}
    ):
        return packaged_mapping("nginx")
    return None


def _keys(text: str) -> list[str]:
    """Read the keys of the first object: of a line, of an array, or of the array `data` that an interface answers."""
    start = text.find("{")
    wrapped = re.match(r'\{\s*"data"\s*:\s*\[\s*', text)
    try:
        found = json.JSONDecoder().raw_decode(text, wrapped.end() if wrapped else start)[0]
    except (ValueError, RecursionError):
        return []
    return list(found) if isinstance(found, dict) else []


def importer_file(path: Path, mapping: Mapping) -> LogFile:
    """Look at a log that an importer reads.

    Raises
    ------
    DataError
        It cannot be in a form that the importer reads.
    """
    file = inspect(path, "text")
    looks_json = mapping.log_format is None and _JSON.match(first_text(file)) is not None
    if mapping.format == "jsonl" or (mapping.format is None and looks_json):
        return LogFile(path, "jsonl", file.packing, "", ())
    if mapping.importer == "litellm":
        return inspect(path, "csv", mapping.delimiter)
    if mapping.importer == "nginx" and mapping.format is None:
        if mapping.log_format is None:
            raise DataError(
                f"{path.name}: is no JSON, so {mapping.name} needs log_format = '...': copy it from nginx.conf, as one line"
            )
        return file
    raise DataError(f"{path.name}: holds no JSON; {IMPORTERS[mapping.importer or 'otlp'].what} is read from JSON")
