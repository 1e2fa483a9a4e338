"""What the recorders and the tests share: scripts of events made from a seed, and recordings hashed per 1,000 events.

A script is the same on every machine: it uses nothing but `random.Random(seed).random()`, which Python keeps stable.
A recording keeps the library's name and version, the first decisions in plain, and one hash for each 1,000 decisions.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
EVENTS = 100_000
EACH = 1_000
SEED = 20261125


@dataclass(frozen=True)
class Try:
    """One attempt of a scripted call."""

    lane: int  # which of the client's calls in flight it belongs to
    outcome: str
    latency_s: float
    pause_s: float  # idle time before the next call of this lane
    hint_ms: str  # a header as the server sent it; empty for none
    draw: float


def tries(
    outcomes: Sequence[tuple[str, float]], lanes: int = 1, count: int = EVENTS, seed: int = SEED
) -> Iterator[Try]:
    """Make a script: outcomes with their shares, in episodes of calm, trouble and outage of 200 attempts each."""
    rng = random.Random(seed)
    names = [name for name, _ in outcomes]
    shares = [share for _, share in outcomes]
    hints = ("", "", "", "0", "40", "1500", "30000", "-5", "soon")
    calm = 0.5
    for number in range(count):
        if number % 200 == 0:
            calm = (0.97, 0.6, 0.0, 0.9)[int(rng.random() * 4)]
        outcome = "ok"
        if rng.random() >= calm:
            point = rng.random() * sum(shares)
            place = 0
            while place < len(shares) - 1 and point >= shares[place]:
                point -= shares[place]
                place += 1
            outcome = names[place]
        yield Try(
            lane=int(rng.random() * lanes),
            outcome=outcome,
            latency_s=round(rng.random() * 3.0, 3),
            pause_s=round(rng.random() * 5.0, 3),
            hint_ms=hints[int(rng.random() * len(hints))],
            draw=rng.random(),
        )


def hashed(lines: Iterable[str]) -> dict[str, Any]:
    """Return the first 30 decisions and a hash for each 1,000."""
    first: list[str] = []
    hashes: list[str] = []
    block: list[str] = []
    total = 0
    for line in lines:
        total += 1
        if len(first) < 30:
            first.append(line)
        block.append(line)
        if len(block) == EACH:
            hashes.append(sha256("\n".join(block).encode()).hexdigest()[:16])
            block.clear()
    assert not block, "the number of decisions is no multiple of 1,000"
    return {"decisions": total, "first": first, "hashes": hashes}


def write(name: str, library: str, version: str, lines: Iterable[str]) -> None:
    """Write a recording beside this file."""
    told = {"library": library, "version": version, "seed": SEED, **hashed(lines)}
    (FOLDER / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: {told['decisions']} decisions of {library} {version}")


def read(name: str) -> dict[str, Any]:
    """Read a recording."""
    told: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return told


def differing(golden: dict[str, Any], lines: Iterable[str]) -> list[str]:
    """Return where our decisions differ: the first plain one, or the blocks of 1,000 whose hashes are not equal."""
    ours = hashed(lines)
    plain = [
        f"decision {place}: {theirs!r}, ours {mine!r}"
        for place, (theirs, mine) in enumerate(zip(golden["first"], ours["first"], strict=True))
        if theirs != mine
    ]
    blocks = [
        f"block {place}"
        for place, (theirs, mine) in enumerate(zip(golden["hashes"], ours["hashes"], strict=True))
        if theirs != mine
    ]
    return plain[:3] + blocks
