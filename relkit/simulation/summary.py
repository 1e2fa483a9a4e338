"""A run in a few numbers: what `relkit simulate` prints."""

from dataclasses import dataclass

from relkit.simulation.run import Run


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a policy made of a scenario.

    Parameters
    ----------
    policy, policy_hash : str
        Its name and the hash of its settings.
    requests, finished : int
        How many came, and how many were played to their end: fewer after Ctrl-C.
    fresh, cached, stale, failed, rejected : int
        Requests by how they ended.
    answered_share : float or None
        Share that got an answer, cached and stale ones too; None where nothing was finished.
    attempts_per_request : float or None
        Mean tries of a request; None where nothing was finished.
    p50_s, p95_s : float or None
        Quantiles of the latency of answered requests, waits included, in seconds; None without any answer.
    transitions : int
        Changes of state of breakers.
    """

    policy: str
    policy_hash: str
    requests: int
    finished: int
    fresh: int
    cached: int
    stale: int
    failed: int
    rejected: int
    answered_share: float | None
    attempts_per_request: float | None
    p50_s: float | None
    p95_s: float | None
    transitions: int

    @property
    def complete(self) -> bool:
        """Whether every request was played to its end."""
        return self.finished == self.requests


def summary_of(run: Run, policy: str) -> RunSummary:
    """Return a run in a few numbers.

    Parameters
    ----------
    run : Run
        What happened.
    policy : str
        Name of its policy.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.run import simulate
    >>> from relkit.simulation.suite import w0
    >>> run = simulate(w0(500), presets["plan-fixed"], seed=1, engine="oracle")
    >>> found = summary_of(run, "plan-fixed")
    >>> found.fresh + found.failed + found.rejected, found.complete
    (500, True)
    """
    counts, finished = run.counts, len(run.requests)
    answered = counts["fresh"] + counts["cached"] + counts["stale"]
    p50_s, p95_s = (float(each) for each in run.latency_s(0.5, 0.95)) if answered else (None, None)
    return RunSummary(
        policy=policy,
        policy_hash=run.policy_hash,
        requests=run.scenario.requests,
        finished=finished,
        **counts,
        answered_share=run.answered_share if finished else None,
        attempts_per_request=run.attempts_per_request if finished else None,
        p50_s=p50_s,
        p95_s=p95_s,
        transitions=len(run.transitions),
    )
