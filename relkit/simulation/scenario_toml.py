"""Scenario files: a Scenario as TOML, read strictly and written back without loss.

Every key is known or an error, and every fault names the file and the key before anything runs. The packaged files lie
in `scenarios/`; `calibrate` writes files of the same form.
"""

import difflib
import json
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from relkit.exceptions import ParameterError
from relkit.simulation.scenario import Scenario
from relkit.simulation.scenario_tables import TABLES, TAGS, ScenarioTable, plain_of, scenario_of
from relkit.simulation.suite import policy_for

_FOLDER: Final = "scenarios"
_INLINE: Final = 100  # characters of a line up to which a list of tables stays on it


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Scenario
        Checked as a whole.

    Raises
    ------
    ParameterError
        Naming the file and the line of broken TOML, or the file, the key and what to do instead.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_scenario(packaged("w1"), Path(folder) / "mine.toml")
    ...     read_scenario(path) == packaged("w1")
    True
    """
    try:
        written = Path(path).read_bytes()
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror}); name a scenario file") from error
    return _scenario(str(path), written)


def scenario_in(text: str, source: str = "scenario") -> Scenario:
    """Read the text of a scenario's file; `source` names it in errors.

    >>> scenario_in(scenario_text(packaged("w0"))) == packaged("w0")
    True
    """
    return _scenario(source, text.encode())


@cache
def packaged(name: str) -> Scenario:
    """Return one of the scenarios that come with relkit.

    Parameters
    ----------
    name : str
        One of `packaged_names`.

    Raises
    ------
    ParameterError
        For another name.

    Examples
    --------
    >>> packaged("outage").about
    'The first model refuses every connection for a minute.'
    """
    if name not in packaged_names():
        close = difflib.get_close_matches(name, packaged_names(), n=1)
        remedy = f"did you mean {close[0]}?" if close else "use one of these, or read_scenario for a file of your own"
        raise ParameterError.of("scenario", name, ", ".join(packaged_names()), remedy)
    return _scenario(f"{name}.toml", files("relkit.simulation").joinpath(_FOLDER, f"{name}.toml").read_bytes())


@cache
def packaged_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with relkit, in order.

    >>> "w0" in packaged_names()
    True
    """
    found = (entry.name for entry in files("relkit.simulation").joinpath(_FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def write_scenario(scenario: Scenario, path: str | Path, *, note: str = "") -> Path:
    """Write a scenario as a file that reads back as the same scenario, to the last bit.

    Parameters
    ----------
    scenario : Scenario
        What to write; fields at their defaults are left out.
    path : str or Path
        The file; it is replaced.
    note : str
        Comment lines at its head.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        When the file cannot be written.
    """
    path = Path(path)
    try:
        path.write_text(scenario_text(scenario, note=note), encoding="utf-8")
    except OSError as error:
        raise ParameterError(
            f"{path}: cannot be written ({error.strerror}); name a file in a folder of yours"
        ) from error
    return path


def scenario_text(scenario: Scenario, *, note: str = "") -> str:
    """Return the text of a scenario's file.

    >>> print(scenario_text(packaged("w0")).splitlines()[0])
    name = "W0"
    """
    heads = [f"# {line}".rstrip() for line in note.splitlines()]
    lines: list[str] = []
    tables: list[str] = []
    for key, value in plain_of(scenario).items():
        if isinstance(value, list):
            for entry in value:
                tables += ["", f"[[{key}]]", *_lines(entry)]
        elif isinstance(value, dict):
            tables += ["", f"[{key}]", *_lines(value)]
        else:
            lines.append(f"{key} = {_value(value)}")
    return "\n".join([*heads, *lines, *tables]) + "\n"


def _lines(table: dict[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        parts = [_value(each) for each in value]
        short = ", ".join(parts)
        return f"[{short}]" if len(short) <= _INLINE else "[\n  " + ",\n  ".join(_packed(parts)) + ",\n]"
    return repr(value)


def _packed(parts: list[str]) -> list[str]:
    """Join values into lines of bearable length."""
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 2 <= _INLINE:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines


def _scenario(source: str, written: bytes) -> Scenario:
    """Parse, validate and build, and say every fault in the file's own words."""
    try:
        parsed = tomllib.loads(written.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = written.count(b"\n", 0, error.start) + 1
        raise ParameterError(f"{source}, line {line}: not UTF-8 text; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{source}: {error}; mend the TOML") from error
    try:
        table = ScenarioTable.model_validate(parsed)
    except ValidationError as error:
        faults = [_fault(dict(fault)) for fault in error.errors(include_url=False)]
        raise ParameterError(f"{source}: " + "; ".join(dict.fromkeys(faults))) from error
    try:
        made = scenario_of(table)
        if made.policy:
            policy_for(made)
    except ParameterError as error:
        raise ParameterError(f"{source}: {error}") from error
    return made


def _fault(fault: dict[str, Any]) -> str:
    """Write one of pydantic's findings with the key as it stands in the file."""
    loc = [str(part + 1) if isinstance(part, int) else part for part in fault["loc"] if part not in TAGS]
    key = " ".join(loc)
    if fault["type"] == "extra_forbidden":
        return f"unknown key {key}{_did_you_mean(fault['loc'])}; remove it or mend its name"
    if fault["type"] == "missing":
        return f"{key} is missing; add it"
    if fault["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        return f"{key} = {fault['input']!r} is not acceptable: {fault['msg'].lower()}; set its kind"
    text = fault["msg"].removeprefix("Value error, ")
    return f"{key} = {fault['input']!r} is not acceptable: {text[:1].lower()}{text[1:]}"


def _did_you_mean(loc: tuple[str | int, ...]) -> str:
    above = next((part for part in reversed(loc[:-1]) if isinstance(part, str)), "")
    known = list(TABLES.get(above, ScenarioTable).model_fields)
    close = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(known)})"
