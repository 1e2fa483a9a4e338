"""What the body of an answer says: its codes, its type and its sentence, in the shapes that providers send.

OpenAI hands over the inner error, Groq and Anthropic the outer one, Google a status with details, Azure an inner error,
AWS a `__type`, OAuth an error that is a word. All become one `Said`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from relkit.errors.kinds import ErrorKind
from relkit.errors.reading.guarded import whole

BODY_BYTES: Final = 65_536
_SENTENCES: Final = ("message", "Message", "errorMessage", "detail", "error_description", "title", "msg")
_CODES: Final = ("code", "Code", "__type", "error_code", "errorCode")


@dataclass(frozen=True, slots=True)
class Said:
    """What a body says.

    Parameters
    ----------
    code : str or None
        Its most telling code.
    body_type : str or None
        Its type, or a second code.
    message : str
        Its sentence; may be empty.
    """

    code: str | None = None
    body_type: str | None = None
    message: str = ""


NOTHING_SAID: Final = Said()


def parsed(body: object) -> object:
    """Return a body as mappings and lists; text and bytes are read as JSON, and are themselves where they are none.

    >>> parsed(b'{"error": "x"}'), parsed("<html>"), parsed('{"a":')
    ({'error': 'x'}, '<html>', '{"a":')
    """
    if type(body) in {bytes, bytearray}:
        body = cast("bytes", body)[:BODY_BYTES].decode("utf-8", "replace")
    if type(body) is str:
        text = body[:BODY_BYTES].strip()
        if text[:1] in {"{", "["}:
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                return text
        return text
    return body


def said(body: object) -> Said:
    """Read codes, type and sentence of a body.

    Parameters
    ----------
    body : object
        As `parsed` gives it; whatever is neither mapping nor list of them says nothing but its text.

    Returns
    -------
    Said
        Empty where nothing is known.

    Examples
    --------
    >>> said({"error": {"type": "requests", "code": "rate_limit_exceeded", "message": "slow down"}})
    Said(code='rate_limit_exceeded', body_type='requests', message='slow down')
    >>> said({"type": "https://example.org/problems/booking-conflict", "status": 409}).body_type
    'BOOKING_CONFLICT'
    """
    if type(body) is list:
        body = body[0] if body else None
    if type(body) is str:
        return Said(message=body) if body else NOTHING_SAID
    if type(body) is not dict:
        return NOTHING_SAID
    node = _inner(body)
    if type(node) is str:
        # OAuth's {"error": "invalid_grant"} is a code; Hugging Face's {"error": "Model is loading"} a sentence.
        text = node
        if " " in text.strip():
            return Said(message=text)
        outer = said({key: value for key, value in body.items() if key != "error"})
        return Said(text, outer.code or outer.body_type, outer.message)
    node = cast("dict[str, Any]", node)
    reasons = [*_reasons(node.get("details")), *_reasons(node.get("errors"))]
    codes = [_named(node.get(key)) for key in _CODES]
    nested = [_nested(node.get("innererror"), "code"), _nested(node.get("details"), "error_code")]
    found = [code for code in (*codes, *nested, *reasons, _status_name(node.get("status"))) if code]
    problem = _problem_type(node.get("type") or node.get("reason"))
    # A reason is finer than the status it explains ("API_KEY_INVALID" behind "INVALID_ARGUMENT").
    code = found[0] if found else None
    second = next((other for other in found if other != code), None)
    return Said(code, problem or second, _sentence(node) or _sentence(body))


def _inner(body: dict[Any, Any]) -> object:
    """Return the part of a body that speaks of the error."""
    for key in ("error", "Error", "errors", "fault", "exception"):
        node = body.get(key)
        if type(node) is list and node and type(node[0]) is dict:
            node = node[0]
        if type(node) is dict and node:
            return node
        if type(node) is str and node and key in {"error", "Error"}:
            return node
    return body


def _named(value: object) -> str | None:
    """Return a code that is a name, or a number that is no HTTP status."""
    number = whole(value)
    if number is not None:
        return None if 100 <= number <= 599 else str(number)
    if type(value) is not str or not value.strip():
        return None
    # AWS writes "com.amazon.coral.service#ThrottlingException:http://internal..."
    return value.rpartition("#")[2].partition(":")[0].strip()


def _nested(node: object, key: str) -> str | None:
    return _named(node.get(key)) if type(node) is dict else None


def _status_name(value: object) -> str | None:
    return value if type(value) is str and value.isupper() else None


def _problem_type(value: object) -> str | None:
    """Return the type; of a problem document's URI its last part, as the name of a kind where it is one."""
    if type(value) is not str or not value.strip():
        return None
    if "/" not in value and ":" not in value:
        return None if value == "error" else value
    last = value.rstrip("/").replace(":", "/").rpartition("/")[2].partition("?")[0]
    name = last.upper().replace("-", "_")
    return name if name in ErrorKind.__members__ else last or None


def _reasons(details: object) -> list[str]:
    """Return the reasons of Google's details and of its older list of errors."""
    if type(details) is not list:
        return []
    found = (detail.get("reason") for detail in details[:16] if type(detail) is dict)
    return [reason for reason in found if type(reason) is str and reason]


def _sentence(node: Mapping[Any, Any]) -> str:
    for key in _SENTENCES:
        text = node.get(key)
        if type(text) is str and text.strip():
            return text
        if type(text) is list and text and type(text[0]) is dict:  # FastAPI: a list of what is wrong where
            return "; ".join(str(part.get("msg", ""))[:200] for part in text[:8] if type(part) is dict)
    return ""
