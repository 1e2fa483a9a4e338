"""TOML text, read: every fault with its line."""

import tomllib
from typing import Any

from relkit.exceptions import ParameterError


def parsed_toml(source: str, written: bytes) -> dict[str, Any]:
    """Parse a TOML file.

    Parameters
    ----------
    source : str
        Name of the file, for errors.
    written : bytes
        What is in it: UTF-8, with or without a byte order mark.

    Raises
    ------
    ParameterError
        With the line of what is no UTF-8 or no TOML.

    Examples
    --------
    >>> parsed_toml("a.toml", b"a = 1")
    {'a': 1}
    """
    try:
        return tomllib.loads(written.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = written.count(b"\n", 0, error.start) + 1
        raise ParameterError(f"{source}, line {line}: not UTF-8 text; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        # The text ends "(at line 3, column 5)", but for what is never closed it names no line.
        last = written.count(b"\n") + 1
        fault = str(error).replace("at end of document", f"at line {last}, the end of the file")
        raise ParameterError(f"{source}: {fault}; mend the TOML") from error
