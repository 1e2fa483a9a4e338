"""Record what opossum decides: `cd tests && OPOSSUM=FOLDER python -m golden.policies.record_opossum`.

FOLDER is one in which `npm install opossum@10` was run. Calls overlap; the timers of Node.js are replaced by a queue on
a virtual clock (record_opossum.js). All times are multiples of 125 ms, exact as doubles. Calls end at odd multiples, so
that no end and no turn of opossum's buckets fall together, where Node.js alone would decide which comes first.
"""

import json
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from golden.policies.policy_golden import EVENTS, FOLDER, SEED, write

NAME = "opossum"
SETTINGS: tuple[dict[str, int], ...] = (
    {},
    {"volumeThreshold": 10, "errorThresholdPercentage": 40, "resetTimeout": 5125, "timeout": 3125},
    {
        "volumeThreshold": 5,
        "resetTimeout": 2125,
        "timeout": 3125,
        "rollingCountTimeout": 5000,
        "rollingCountBuckets": 5,
    },
    {"volumeThreshold": 20, "errorThresholdPercentage": 30, "resetTimeout": 8000, "timeout": 1125},
)
CALLS_EACH = 500


@dataclass(frozen=True)
class Call:
    """One call of a block: when it starts, counted from the block's beginning, how it ends and how long it takes."""

    block: int
    start_ms: int
    outcome: str  # ok, error or filtered
    latency_ms: int


def calls(count: int = EVENTS, seed: int = SEED) -> Iterator[Call]:
    rng = random.Random(seed)
    failing, at_ms = 0.1, 0
    for number in range(count):
        block = number // CALLS_EACH
        if number % CALLS_EACH == 0:
            at_ms = 0
        if number % 50 == 0:
            failing = (0.02, 0.3, 0.6, 1.0)[int(rng.random() * 4)]
        at_ms += 250 * int(rng.random() * 6)
        # The default timeout of 10 s would end calls at the turn of a bucket.
        start_ms = at_ms + 250 if block % len(SETTINGS) == 0 and at_ms % 1000 == 0 else at_ms
        at_ms = start_ms
        kind = rng.random()
        outcome = "error" if kind < failing else "filtered" if kind < failing + 0.1 * (1 - failing) else "ok"
        longest = 48 if rng.random() < 0.1 else 8
        yield Call(block, start_ms, outcome, 125 + 250 * int(rng.random() * longest))


def lines(count: int = EVENTS) -> Iterator[str]:
    """Yield one decision for each start and each end of a call."""
    told = subprocess.run(
        ["node", str(FOLDER / "record_opossum.js"), os.environ["OPOSSUM"]],
        input=json.dumps({"settings": SETTINGS, "calls": [list(vars(call).values()) for call in calls(count)]}),
        capture_output=True,
        text=True,
        check=True,
    )
    yield from told.stdout.splitlines()[:count]


def library_version() -> str:
    package = Path(os.environ["OPOSSUM"]) / "node_modules/opossum/package.json"
    return str(json.loads(package.read_text(encoding="utf-8"))["version"])


if __name__ == "__main__":
    write(NAME, "opossum", library_version(), lines())
