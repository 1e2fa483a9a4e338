"""YAML of plain values, written: mappings, lists, texts, whole numbers and booleans in block style.

Every text that is not a plain word is quoted as JSON, which YAML contains; so nothing depends on how a reader guesses
types ("no" and "1e3" stay texts).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_GUESSED: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def yaml_text(value: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    r"""Write a mapping as a YAML document.

    Parameters
    ----------
    value : mapping
        Of texts, whole numbers, booleans, None, lists and mappings of these.
    comments : sequence of str
        Lines that go before it.

    >>> print(yaml_text({"groups": [{"name": "slo", "expr": "a > 1"}], "on": True}, ["made by relkit"]), end="")
    # made by relkit
    groups:
      - name: slo
        expr: "a > 1"
    "on": true
    """
    return "\n".join([*(f"# {line}".rstrip() for line in comments), *_mapping(value, 0)]) + "\n"


def _mapping(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, item in value.items():
        yield from _entry(f"{'  ' * depth}{_scalar(key)}:", item, depth + 1)


def _entry(head: str, item: Any, depth: int) -> Iterator[str]:
    if isinstance(item, Mapping) and item:
        yield head
        yield from _mapping(item, depth)
    elif isinstance(item, list | tuple) and item:
        yield head
        for one in item:
            yield from _item(one, depth)
    else:
        yield f"{head} {_scalar(item)}"


def _item(one: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(one, Mapping) and one:
        lines = list(_mapping(one, depth + 1))
        yield f"{pad}- {lines[0].lstrip()}"
        yield from lines[1:]
    else:
        yield f"{pad}- {_scalar(one)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _GUESSED:
        return value
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "e" in text and "." not in text:
        return text.replace("e", ".0e")  # YAML 1.1 takes 5e-08 for a text
    return text
