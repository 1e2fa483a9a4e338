"""Which way to retry, if any: the verdict on what was measured in weather and storm."""

from typing import Final

from relkit.simulation.storms import NEVER, WATCHED_S, AcrossSeeds, Storms, Strategy, most_safe_retries
from relkit.units import percent, several
from relkit.verdict import Verdict

_SHOWN: Final = 3  # digits of a share: 99.99 and 99.98 % answered are the same to a user
_MOST_NAMES: Final = 4
_SERVICE: Final = (
    "The service is simulated: 20 servers, half a second a call, a waiting room that holds everybody, and one cause, "
    "ten seconds of slowness. A log does not tell your capacity: set load to the share of it that your requests take."
)


def recommended(found: Storms) -> Strategy | None:
    """Return the strategy to take: with a budget, well again in every run, and the one that answers most in the weather.

    Parameters
    ----------
    found : Storms
        What was measured.

    Returns
    -------
    Strategy or None
        Retries without a budget are never recommended: they are safe at one load and not at the next. Answered shares
        are compared as shown, to 0.1 %; then the shorter p95 (to 0.1 s) wins, then the shorter recovery, then the lower
        bill, then the name. None where no such strategy answers more than not retrying, intervals considered.
    """
    safe = [one for one in found.strategies if one.retries and one.has_budget and one.always_recovers]
    plain = [one for one in found.strategies if not one.retries]
    if not safe or not plain:
        return None
    best = min(
        safe,
        key=lambda one: (
            -round(one.answered.median, _SHOWN), round(one.p95_s.median, 1), one.recovery.median,
            round(one.paid.median, 2), one.policy,
        ),
    )  # fmt: skip
    return best if _low(best) > max(_high(one) for one in plain) else None


def verdict_of(found: Storms) -> Verdict:
    """Say which way to retry at this load, or that none is worth it.

    Parameters
    ----------
    found : Storms
        What was measured; a study that Ctrl-C ended early recommends nothing.

    Returns
    -------
    Verdict
        Area tuning, since it is about settings; its value is the seconds that the recommended strategy takes to be
        well after a storm.
    """
    best = recommended(found) if found.complete else None
    seeds = found.cells[0].recovery.seeds if found.cells else 0
    if best is None:
        return Verdict("tuning", "REFUSED", _refusal(found), n=seeds, level=found.level, why_not=_SERVICE)
    plain = next(one for one in found.strategies if not one.retries)
    sentence = (
        f"Retry as {best.policy} does: at a load of {percent(found.load, 0)} it answers {percent(best.answered.median, 1)} "
        f"where one try in ten fails by chance (without retries {percent(plain.answered.median, 1)}), and it is well "
        f"{recovery_text(best.recovery)} after a storm. {_down(found)}"
    )
    safe = most_safe_retries(found.load)
    allowed = f"at most {several(safe, 'retry is', 'retries are')}" if safe else "no retry is"
    recovery = best.recovery
    return Verdict(
        "tuning", "RECOMMENDED", sentence, recovery.median, recovery.low, recovery.high, "s", found.level, seeds,
        why_not=_SERVICE,
        would_change=f"Another load: at {percent(found.load, 0)} {allowed} safe without a budget or a breaker.",
    )  # fmt: skip


def _down(found: Storms) -> str:
    names = [one.policy for one in found.strategies if not one.always_recovers]
    if not names:
        return "At this load none of the strategies feeds the storm."
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (
        f"{len(names)} of {len(found.strategies)} strategies were not well within {WATCHED_S:g} s: "
        f"{', '.join(names[:_MOST_NAMES])}{more}."
    )


def _refusal(found: Storms) -> str:
    if not found.complete:
        return f"Stopped early, after {found.runs} of {found.wanted} figures: what was finished is shown, and nothing is recommended."
    return (
        f"Do not retry at a load of {percent(found.load, 0)}: of {len(found.strategies)} strategies no one with a budget both "
        "recovers from a storm in every run and answers more than not retrying."
    )


def recovery_text(span: AcrossSeeds) -> str:
    """Write a time to recovery as people read it, with its interval.

    >>> recovery_text(AcrossSeeds(25.0, 20.0, 35.0, 6)), recovery_text(AcrossSeeds(NEVER, NEVER, NEVER, 6))
    ('25 s (20 to 35)', 'never')
    """
    if span.low is None or span.high is None or span.low == span.high:
        return _seconds(span.median) + ("" if span.median in {0.0, NEVER} else " s")
    unit = "" if span.median in {0.0, NEVER} else " s"
    return f"{_seconds(span.median)}{unit} ({_seconds(span.low)} to {_seconds(span.high)})"


def _seconds(value: float) -> str:
    return "never" if value == NEVER else "at once" if value == 0.0 else f"{value:g}"


def _low(one: Strategy) -> float:
    return one.answered.median if one.answered.low is None else one.answered.low


def _high(one: Strategy) -> float:
    return one.answered.median if one.answered.high is None else one.answered.high
