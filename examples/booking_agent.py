"""A booking agent that asks a language model: first with a bare try/except, then behind a relkit Pipeline."""

import json
from dataclasses import dataclass
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from relkit.live.answers import CallFailedError, Request
from relkit.live.pipeline import Pipeline

SORRY = "Booking is temporarily unavailable. Please try again in a few minutes."


@dataclass(frozen=True)
class Said:
    """What the user sees: an answer, and whether it was kept from before."""

    message: str
    from_cache: bool = False


def ask(url: str, message: str, *, model: str = "small", timeout_s: float = 10.0) -> str:
    """Ask the model once; whatever goes wrong is raised as it comes."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": message}]}).encode()
    with urlopen(HttpRequest(url, body), timeout=timeout_s) as reply:  # noqa: S310  an address of ours
        return str(json.load(reply)["choices"][0]["message"]["content"])


class BareAgent:
    """As it is mostly written: every message is sent once, whatever happened to the one before."""

    def __init__(self, url: str) -> None:
        self.url = url

    def chat(self, session: str, message: str) -> Said:  # noqa: ARG002  nothing here knows sessions
        """Answer a message."""
        try:
            return Said(ask(self.url, message))
        except Exception:  # noqa: BLE001  this is what bare means
            return Said(SORRY)


class BookingAgent:
    """The same agent behind a Pipeline, whose policy says what is retried, cached, or not sent at all."""

    def __init__(self, url: str, pipeline: Pipeline) -> None:
        self.url, self.pipeline = url, pipeline

    def chat(self, session: str, message: str) -> Said:
        """Answer a message; one that books is never answered from the cache, nor sent twice when it may have booked."""
        reads = not message.lower().startswith("book")
        request = Request(only_reads=reads, cache_key=message.lower() if reads else None, session_id=session)
        try:
            found = self.pipeline.call(ask, self.url, message, request=request)
        except CallFailedError:
            return Said(SORRY)
        return Said(found.value, found.from_cache)
