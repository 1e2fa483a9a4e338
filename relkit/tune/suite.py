"""The scenarios a setting must stand: your traffic in good health, and in eleven kinds of trouble."""

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.simulation.episodes import Episode, brownout, flapping, gray, outage, rate_limited, slow
from relkit.simulation.scenario import Scenario

_SHORT = 0.1  # of a bad time
_STARTS = 0.3  # share of the run that is healthy before


def around(base: Scenario, bad_s: float | None = None) -> tuple[Scenario, ...]:
    """Return twelve scenarios of the same traffic: healthy, and with one kind of trouble each, at fixed times.

    Fixed times, because on random ones the luck of the outages drowns what a setting does.

    Parameters
    ----------
    base : Scenario
        Your traffic and services; its own episodes are left out. The trouble is the first model's, but in
        `all_out`, where it is everybody's.
    bad_s : float or None
        Length of the trouble in seconds; None for a tenth of the run.

    Returns
    -------
    tuple of Scenario
        healthy, outage, short_outage, all_out, brownout, slow_brownout, rate_limit, rate_limit_silent, slow, flapping,
        gray and herd (an outage, then a brownout from everybody coming back at once).

    Raises
    ------
    ParameterError
        When the trouble, which begins after 30 % of the run, would not end within 70 % of it.

    Examples
    --------
    >>> from relkit.simulation.suite import w0
    >>> [scenario.name for scenario in around(w0(6000))][:3]
    ['healthy', 'outage', 'short_outage']
    """
    run_s = base.duration_s
    length_s = 0.1 * run_s if bad_s is None else bad_s
    if not 0.0 < length_s <= 0.4 * run_s:
        allowed = f"above 0 and at most 0.4 of the run, {0.4 * run_s:.6g} s"
        raise ParameterError.of("bad_s", length_s, allowed, "shorten the trouble, or ask for more requests")
    start_s = _STARTS * run_s
    end_s, soon_s = start_s + length_s, start_s + _SHORT * length_s
    first = base.models[0].name
    back_s = end_s + length_s * 0.3
    trouble: dict[str, tuple[Episode, ...]] = {
        "healthy": (),
        "outage": (outage(first, start_s, end_s),),
        "short_outage": (outage(first, start_s, soon_s),),
        "all_out": (outage("*", start_s, end_s),),
        "brownout": (brownout(first, start_s, end_s, 0.5),),
        "slow_brownout": (brownout(first, start_s, end_s, 0.2, slow_factor=3.0),),
        "rate_limit": (rate_limited(first, start_s, end_s, 0.5, retry_after_s=5.0),),
        "rate_limit_silent": (rate_limited(first, start_s, end_s, 0.5),),
        "slow": (slow(first, start_s, end_s, 10.0),),
        "flapping": (flapping(first, start_s, end_s, period_s=length_s / 5.0),),
        "gray": (gray(first, start_s, end_s, ErrorKind.API_SERVER_ERROR, 0.2),),
        "herd": (outage(first, start_s, end_s), brownout(first, end_s, back_s, 0.3, slow_factor=2.0)),
    }
    return tuple(base.changed(name=name, episodes=episodes) for name, episodes in trouble.items())
