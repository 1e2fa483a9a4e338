"""The trailer of rich gRPC errors is read without protobuf, and whatever else is in it says nothing."""

from hypothesis import given
from hypothesis import strategies as st

from relkit.errors import classify
from relkit.errors.reading.rich_status import details_of


def varint(number):
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def trailer(*details):
    parts = (
        field(3, field(1, f"type.googleapis.com/google.rpc.{kind}".encode()) + field(2, value))
        for kind, value in details
    )
    return field(1, 8) + field(2, b"quota") + b"".join(parts)


def test_the_wait_and_the_reason_are_read():
    wait = field(1, field(1, 26) + field(2, 500_000_000))
    reason = field(1, b"RATE_LIMIT_EXCEEDED") + field(2, b"googleapis.com")
    assert details_of(trailer(("RetryInfo", wait), ("ErrorInfo", reason), ("Help", b""))) == [
        {"retryDelay": "26.5s"},
        {"reason": "RATE_LIMIT_EXCEEDED"},
    ]
    assert details_of(trailer(("RetryInfo", field(1, field(2, 250_000_000))))) == [{"retryDelay": "0.25s"}]


def test_an_exception_with_the_trailer_tells_its_wait():
    class RpcError(Exception):
        def trailing_metadata(self):
            return (("grpc-status-details-bin", trailer(("RetryInfo", field(1, field(1, 26))))),)

    assert classify(RpcError("limited")).retry_after_s == 26.0


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(noise):
    assert isinstance(details_of(noise), list)
    assert isinstance(details_of(trailer(("RetryInfo", noise))), list)
