"""A protocol: the test as it was registered before the first pair, and whether the run kept to it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from relkit.exceptions import DataError
from relkit.shadow.decide import Rules
from relkit.shadow.margins import Margins
from relkit.shadow.study import Study

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is declared before the first pair.

    Parameters
    ----------
    experiment : str
        Which one.
    registered_us, horizon_us : int
        When it was written, and when the one look with the fixed interval is taken; microseconds since 1970 UTC.
    margins : Margins
        What the shadow may lose.
    level : float
        Two-sided confidence level.
    minimum_sessions, tight_at : int
        As in `relkit.shadow.decide.Rules`.
    shares : tuple of float
        Share of the traffic at each step; empty when none was planned.

    Examples
    --------
    >>> protocol = Protocol("professional", 0, 10, Margins(), 0.95, 30, 500, (0.1, 1.0))
    >>> read_protocol(protocol.text()) == protocol, len(protocol.hash)
    (True, 64)
    """

    experiment: str
    registered_us: int
    horizon_us: int
    margins: Margins
    level: float
    minimum_sessions: int
    tight_at: int
    shares: tuple[float, ...]

    def text(self) -> str:
        """Return the protocol as it is written to a file: JSON with its own hash."""
        return json.dumps({**self._body(), "sha256": self.hash}, indent=1, sort_keys=True) + "\n"

    @property
    def hash(self) -> str:
        """sha256 over everything it says."""
        return hashlib.sha256(json.dumps(self._body(), sort_keys=True).encode()).hexdigest()

    def _body(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self), "shares": list(self.shares)}


@dataclass(frozen=True, slots=True)
class Check:
    """One point of a protocol: what it is about, whether the run kept it, and what was found."""

    what: str
    kept: bool
    found: str


def read_protocol(text: str) -> Protocol:
    """Read a protocol back.

    Raises
    ------
    DataError
        It is none, or was changed after its hash was written.
    """
    try:
        body: Mapping[str, Any] = json.loads(text)
        told = body["sha256"]
        protocol = Protocol(
            experiment=body["experiment"],
            registered_us=body["registered_us"],
            horizon_us=body["horizon_us"],
            margins=Margins(**body["margins"]),
            level=body["level"],
            minimum_sessions=body["minimum_sessions"],
            tight_at=body["tight_at"],
            shares=tuple(body["shares"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"no protocol: {error}; `relkit shadow protocol` writes one") from None
    if protocol.hash != told:
        raise DataError(
            f"the protocol says sha256 {told[:16]}, its text has {protocol.hash[:16]}: it was changed; take the registered one"
        )
    return protocol


def check_protocol(protocol: Protocol, study: Study | None, rules: Rules) -> tuple[Check, ...]:
    """Say point by point whether a run kept to its protocol.

    Parameters
    ----------
    protocol : Protocol
        As registered.
    study : Study or None
        The run.
    rules : Rules
        What the run was judged by.
    """
    found = study.experiment if study else None
    first, last = (found.first_us, found.last_us) if found else (None, None)
    name = found.name if found else "none"
    return (
        Check("hash", True, f"sha256 {protocol.hash[:16]}"),
        Check("experiment", name == protocol.experiment, f"registered {protocol.experiment}, found {name}"),
        Check(
            "registered before the first pair",
            first is None or protocol.registered_us <= first,
            "the pairs have no clock" if first is None else _relation(protocol.registered_us, first, "the first pair"),
        ),
        Check(
            "horizon reached",
            last is not None and last >= protocol.horizon_us,
            "the pairs have no clock" if last is None else _relation(protocol.horizon_us, last, "the last pair"),
        ),
        Check(
            "margins",
            rules.margins == protocol.margins,
            "as registered" if rules.margins == protocol.margins else "changed",
        ),
        Check(
            "level, sessions and tuning",
            (rules.level, rules.minimum_sessions, rules.tight_at)
            == (protocol.level, protocol.minimum_sessions, protocol.tight_at),
            f"level {rules.level:g}, at least {rules.minimum_sessions} sessions, tuned for {rules.tight_at}",
        ),
    )


def _relation(at_us: int, other_us: int, words: str) -> str:
    hours = (other_us - at_us) / 3.6e9
    return f"{abs(hours):.1f} h {'before' if hours >= 0 else 'after'} {words}"
