"""One deterministic week of the plan's booking chat, with known truth.

Always ISO week 2026-W47: about 60,000 user requests of an agent that books cleanings, their retries, three episodes of
trouble, every error kind of the plan, health checks, and a shadow variant that does known harm. demo.toml holds what is
true; this module draws from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from relkit.batch import Batch, Sink
from relkit.simulation.demo_draws import Ints, spawn_streams
from relkit.simulation.demo_pairs import Outcome, pair_columns
from relkit.simulation.demo_rows import Columns, attempt_columns, count_kinds, fails, merge_by_time, probe_columns
from relkit.simulation.demo_traffic import LOST, SERVICES, Requests, Tries, draw_requests, draw_tries
from relkit.simulation.demo_truth import Truth, read_truth

SEED = 20251008  # the date of the plan
# Order matters: a stream's numbers hang on its place. Append, never insert.
# spare is not used: with it in place the default seed's pairs are typical ones, their realised harm near the true one.
STREAMS = ("sessions", "routes", "planted", "tries", "tokens", "texts", "probes", "spare", "pairs", "pair_sessions")


@dataclass(frozen=True, slots=True)
class Demo:
    """A week of rows and what is true about them.

    Parameters
    ----------
    batches : tuple of Batch
        attempts, faults and pairs, with the columns of the tables that a log would fill.
    truth : mapping
        Counts, episodes and the shadow's exact effect; plain enough for JSON.
    true_kinds : tuple of str or None
        The true error kind of each attempts row, None where nothing was wrong.
    """

    batches: tuple[Batch, ...]
    truth: Mapping[str, Any]
    true_kinds: tuple[str | None, ...]


def demo_week(seed: int = SEED) -> Demo:
    """Draw the week; equal seeds give equal weeks.

    Parameters
    ----------
    seed : int
        Seed of all draws, not negative.

    Returns
    -------
    Demo
        Its batches hold plain Python lists, rows in order of time.

    Examples
    --------
    >>> demo = demo_week()
    >>> [batch.table for batch in demo.batches]
    ['attempts', 'faults', 'pairs']
    >>> demo.truth["week"], round(demo.truth["pairs"]["expected_delta"], 9)
    ('2026-W47', -0.02)
    """
    known, streams = read_truth(), spawn_streams(seed, STREAMS)
    requests = draw_requests(known, streams)
    tries = draw_tries(known, requests, streams)
    user = attempt_columns(known, requests, tries, streams)
    probes = probe_columns(known, streams)
    attempts = merge_by_time([user, probes])
    true_kinds = tuple(attempts.pop("true_kind"))
    pairs, pair_truth = pair_columns(known, requests, _outcome(known, tries, user), streams)
    faults: Columns = {
        "ts_start": [each.start_us for each in known.episodes],
        "ts_end": [each.end_us for each in known.episodes],
        "service": [each.service for each in known.episodes],
        "label": [each.label for each in known.episodes],
    }
    truth = {
        "seed": seed,
        "week": known.week,
        "start_us": known.start_us,
        "end_us": known.end_us,
        **_traffic_truth(known, requests, tries, user),
        "probes": len(probes["ts"]),
        "probe_kinds": count_kinds(probes["true_kind"]),
        "episodes": _episode_truth(known, requests, tries),
        "pairs": pair_truth,
    }
    batches = (Batch("attempts", attempts), Batch("faults", faults), Batch("pairs", pairs))
    return Demo(batches, truth, true_kinds)


def write_demo(sink: Sink, seed: int = SEED) -> Mapping[str, Any]:
    """Hand the week's batches to a sink; return what is true about them.

    >>> tables = []
    >>> write_demo(lambda batch: tables.append(batch.table))["week"], tables
    ('2026-W47', ['attempts', 'faults', 'pairs'])
    """
    demo = demo_week(seed)
    for batch in demo.batches:
        sink(batch)
    return demo.truth


def _outcome(known: Truth, tries: Tries, user: Columns) -> Outcome:
    """How each request ended: its last try decides."""
    last = _last_of(tries)
    first = np.flatnonzero(tries.attempt == 1)
    ok = (tries.shape != LOST) & ~fails(known, tries.shape)
    cost = np.array([amount or 0 for amount in user["cost_microusd"]])
    return Outcome(ok[last], (tries.ts + tries.latency_us)[last] - tries.ts[first], cost[last])


def _last_of(tries: Tries) -> Ints:
    """Rows of the last tries, one a request."""
    return np.flatnonzero(np.concatenate([tries.request[1:] != tries.request[:-1], [True]]))


def _traffic_truth(known: Truth, requests: Requests, tries: Tries, user: Columns) -> dict[str, Any]:
    last = _last_of(tries)
    lost = int((tries.shape[last] == LOST).sum())
    failed = fails(known, tries.shape[last])
    kinds = [user["true_kind"][place] for place in last[failed].tolist()]
    return {
        "requests": len(last),
        "requests_ok": len(last) - len(kinds) - lost,
        "requests_failed": len(kinds),
        "requests_unknown": lost,
        "failed_requests": count_kinds(kinds),
        "attempts": len(tries.ts),
        "attempts_failed": int(fails(known, tries.shape).sum()),
        "kinds": count_kinds(user["true_kind"]),
        "sessions": len(np.unique(requests.session)),
    }


def _episode_truth(known: Truth, requests: Requests, tries: Tries) -> list[dict[str, Any]]:
    """Each episode with the failed share of its service's user tries: expected on the primary model, and realised."""
    failed = fails(known, tries.shape)
    rows = []
    for each in known.episodes:
        inside = (tries.ts >= each.start_us) & (tries.ts < each.end_us)
        inside &= requests.service[tries.request] == SERVICES.index(each.service)
        rows.append(
            {
                "label": each.label,
                "service": each.service,
                "start_us": each.start_us,
                "end_us": each.end_us,
                "expected_share": each.expected_share(known.models[0], known.calls["timeout_s"]),
                "slowdown": each.slowdown,
                "attempts": int(inside.sum()),
                "failed": int((inside & failed).sum()),
            }
        )
    return rows
