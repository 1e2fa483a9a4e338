"""When a run would have paged somebody: the alert engine on its minutes."""

import math

import numpy as np

from relkit.errors.kinds import ADVICE
from relkit.simulation.run import Run
from relkit.simulation.workload import CACHED, FRESH, STALE
from relkit.slo.alert_sets import alert_set
from relkit.slo.firing import fire
from relkit.slo.minutes import Minutes
from relkit.slo.objective import Objective
from relkit.units import SECONDS_PER_MINUTE

ALERTS = "workbook"
"""The rules that page: those of the SRE Workbook, as most tools deploy them."""


def minutes_of(run: Run, objective: Objective) -> Minutes:
    """Count the requests of a run by the minute in which they end, as an objective sees them.

    Parameters
    ----------
    run : Run
        Complete.
    objective : Objective
        What it leaves out is left out.
    """
    outcome, kind = run.requests["outcome"], run.requests["kind"]
    at = ((run.requests["arrival_s"] + run.requests["latency_s"]) // SECONDS_PER_MINUTE).astype(np.int64)
    size = max(int(at.max(initial=0)) + 1, math.ceil(run.scenario.duration_s / SECONDS_PER_MINUTE))
    good = np.isin(outcome, (FRESH, CACHED, STALE))
    left_out = [advice.int_code for each, advice in ADVICE.items() if each.value in objective.excluded]
    excluded = ~good & np.isin(kind, left_out)
    counted = [np.bincount(at[each], minlength=size).astype(np.int64) for each in (good, ~good & ~excluded, excluded)]
    return Minutes(0, counted[0], counted[1], counted[2], np.zeros(size, dtype=np.int64), np.ones(size, dtype=np.bool_))


def pages_of(run: Run, objective: Objective) -> tuple[tuple[float, float], ...]:
    """Return from when to when somebody is paged in a run.

    Parameters
    ----------
    run : Run
        Complete. It begins with counters at zero: what was before it nobody knows.
    objective : Objective
        Whose ErrorBudget burns.

    Returns
    -------
    tuple of (start_s, end_s)
        Seconds from the start of the run; a page is told at the end of the minute that fires it.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.arrivals import poisson
    >>> from relkit.simulation.episodes import outage
    >>> from relkit.simulation.latency import lognormal
    >>> from relkit.simulation.run import simulate
    >>> from relkit.simulation.scenario import Scenario, ServedModel
    >>> chat = Scenario("chat", 3000, poisson(5.0), (ServedModel("small", "a", lognormal(0.4, 0.5)),))
    >>> chat = chat.changed(episodes=(outage("*", 125.0, 300.0),))
    >>> pages_of(simulate(chat, presets["pybreaker"], 1), Objective("availability", "0.999"))[0][0]
    180.0
    """
    minutes = minutes_of(run, objective)
    if not int(minutes.valid.sum()):
        return ()
    firing = fire(alert_set(ALERTS, objective.window_days), minutes, objective)
    return tuple(
        (float(start + 1) * SECONDS_PER_MINUTE, float(end + 1) * SECONDS_PER_MINUTE) for start, end in firing.pages
    )
