"""A booking agent and its language model, first with a bare try/except and then with relkit: python -m examples.booking_agent."""

import json
import time
from dataclasses import dataclass
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from relkit import presets
from relkit.live.answers import CallFailedError, Request
from relkit.live.faults import failed, in_turn, answer
from relkit.live.pipeline import Pipeline
from relkit.live.upstream import Upstream

SORRY = "Booking is temporarily unavailable. Please try again in a few minutes."


@dataclass(frozen=True)
class Said:
    """What the user sees: the answer, and whether it was kept from before."""

    message: str
    from_cache: bool = False


def ask(url: str, message: str, model: str = "small", timeout_s: float = 2.0) -> str:
    """Ask the model once; whatever goes wrong is raised as it comes."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": message}]}).encode()
    with urlopen(HttpRequest(url, body), timeout=timeout_s) as reply:  # noqa: S310  an address of ours
        return str(json.load(reply)["choices"][0]["message"]["content"])


class BareAgent:
    """The agent as it is mostly written: every call is sent, and every error is the same."""

    def __init__(self, url: str) -> None:
        self.url = url

    def chat(self, session: str, message: str) -> Said:
        """Answer a message."""
        try:
            return Said(ask(self.url, message))
        except Exception:
            return Said(SORRY)


class BookingAgent:
    """The same agent behind a Pipeline: it retries what may be repeated, keeps answers, and leaves the dead alone."""

    def __init__(self, url: str, pipeline: Pipeline) -> None:
        self.url, self.pipeline = url, pipeline

    def chat(self, session: str, message: str) -> Said:
        """Answer a message; a booking is sent once and never answered from the cache."""
        reads = not message.lower().startswith("book")
        request = Request(only_reads=reads, cache_key=message.lower() if reads else None, session_id=session)
        try:
            found = self.pipeline.call(ask, self.url, message, request=request)
        except CallFailedError:
            return Said(SORRY)
        return Said(found.value, found.from_cache)
