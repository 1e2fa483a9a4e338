"""The rich error model of Google's gRPC services: why and how long, out of `grpc-status-details-bin`, without protobuf.

The trailer holds a `google.rpc.Status`: details (field 3), each an `Any` of type (1) and value (2). Two types matter here:
`RetryInfo`, a duration of seconds (1) and nanoseconds (2) in its field 1, and `ErrorInfo`, whose field 1 is the reason.
Source: google/rpc/status.proto and error_details.proto; https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from typing import Final

HEADER: Final = "grpc-status-details-bin"
MAX_BYTES: Final = 8_192
MAX_FIELDS: Final = 64


def details_of(trailer: bytes) -> list[dict[str, str]]:
    r"""Return the details that matter, as Google's JSON writes them; never raises.

    Parameters
    ----------
    trailer : bytes
        Value of the trailer; whatever is no such message gives nothing.

    Returns
    -------
    list of dict
        Each with retryDelay ("26.5s") or reason.

    Examples
    --------
    >>> detail = b"\n(type.googleapis.com/google.rpc.RetryInfo" + b"\x12\x04\n\x02\x08\x1a"
    >>> details_of(b"\x08\x08\x1a" + bytes([len(detail)]) + detail)
    [{'retryDelay': '26s'}]
    >>> details_of(b"no such message")
    []
    """
    found: list[dict[str, str]] = []
    try:
        for number, detail in _fields(trailer[:MAX_BYTES]):
            if number != 3 or not isinstance(detail, bytes):
                continue
            parts = dict(_fields(detail))
            kind, value = parts.get(1), parts.get(2)
            if not isinstance(kind, bytes) or not isinstance(value, bytes):
                continue
            first = dict(_fields(value)).get(1)
            if not isinstance(first, bytes):
                continue
            if kind.endswith(b"/google.rpc.RetryInfo"):
                duration = dict(_fields(first))
                seconds, nanos = duration.get(1, 0), duration.get(2, 0)
                if isinstance(seconds, int) and isinstance(nanos, int) and nanos < 10**9:
                    found.append({"retryDelay": f"{seconds + nanos / 1e9:.9f}".rstrip("0").rstrip(".") + "s"})
            elif kind.endswith(b"/google.rpc.ErrorInfo"):
                found.append({"reason": first.decode("utf-8", "replace")[:200]})
    except (IndexError, OverflowError):
        return found
    return found


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Walk a message: varints as numbers, everything else as bytes."""
    place = 0
    for _ in range(MAX_FIELDS):
        if place >= len(message):
            return
        key, place = _varint(message, place)
        match key & 7:
            case 0:
                value, place = _varint(message, place)
                yield key >> 3, value
            case 2:
                length, place = _varint(message, place)
                if place + length > len(message):
                    return
                yield key >> 3, message[place : place + length]
                place += length
            case 1 | 5 as fixed:
                place += 8 if fixed == 1 else 4
            case _:
                return


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise OverflowError("a varint has at most 10 bytes")
