"""A difference between a stored and a fresh output, in one line: not 20 KB of markup."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from relkit.verdict import MIME

_NAME: Final = re.compile(r"id='([^']+)'")
_SHOWN: Final = 60


def difference_line(key: str, stored: Any, fresh: Any) -> str:
    """Say in one line what differs between two values of one output type.

    Parameters
    ----------
    key : str
        Mime type or field of the output.
    stored, fresh
        The two values.

    Returns
    -------
    str

    Examples
    --------
    >>> before = {"kind": "plate", "name": "burn", "caption": "a", "values": {"worst_burn": 159.3}}
    >>> difference_line("application/vnd.relkit+json", before, {**before, "values": {"worst_burn": 160.1}})
    'plate burn: values.worst_burn was 159.3, is 160.1'
    """
    if key == MIME:
        old, new = (_record(value) for value in (stored, fresh))
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            parts = [_pair(path, was, now) for path, was, now in _differences(old, new)]
            more = f" (and {len(parts) - 3} more)" if len(parts) > 3 else ""
            return f"{old.get('kind')} {old.get('name')}: {'; '.join(parts[:3])}{more}"
    old_text = str(stored)
    found = _NAME.search(old_text)
    what = f"{found[1]}: " if found else ""
    return what + _pair(f"{key} ({len(old_text)} characters)", old_text, str(fresh))


def _pair(path: str, was: Any, now: Any) -> str:
    """Lay two values side by side; of long texts only where they part."""
    if isinstance(was, str) and isinstance(now, str):
        place = next((i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
        start = max(0, place - 15)
        was, now = ("…" * (start > 0) + text[start:] for text in (was, now))
    return f"{path} was {_short(was)}, is {_short(now)}"


def _record(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _differences(old: Any, new: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return [
            difference
            for name in dict.fromkeys([*old, *new])
            for difference in _differences(old.get(name), new.get(name), f"{path}.{name}" if path else str(name))
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            difference
            for place, pair in enumerate(zip(old, new, strict=True))
            for difference in _differences(*pair, f"{path}[{place}]")
        ]
    return [] if old == new else [(path, old, new)]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
