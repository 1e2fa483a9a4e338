"""The work of the breaker benchmark, each in a process of its own: calls that succeed at once, and breakers that wait."""

from pathlib import Path
from threading import Lock

from relkit.policies.breaker import allow, settle
from relkit.policies.codes import ADMIT, SUCCESS
from relkit.policies.guard import Breaker
from relkit.policies.presets import presets
from relkit.policies.records import ALONE, BreakerSettings
from relkit.policies.transitions import new_breaker


def _settings(name: str) -> BreakerSettings:
    breaker = presets[name].breaker
    assert breaker is not None
    return breaker


def _work() -> int:
    return 1


def pybreaker(calls: int) -> int:
    """Make the calls through pybreaker as it comes."""
    from pybreaker import CircuitBreaker  # noqa: PLC0415  it may be absent

    call = CircuitBreaker().call
    return sum(call(_work) for _ in range(calls))


def permits(calls: int) -> int:
    """Make the calls through a Breaker of the same settings: a permit and two looks at the clock each."""
    ask, served = Breaker(_settings("pybreaker")).ask, 0
    for _ in range(calls):
        permit = ask()
        if permit.code == ADMIT:
            served += _work()
            permit.settle(SUCCESS)
    return served


def bare(calls: int) -> int:
    """Make the calls through allow and settle alone, each under a lock."""
    cfg, lock, served = _settings("pybreaker"), Lock(), 0
    state, window = new_breaker(cfg, 0.0)
    for _ in range(calls):
        with lock:
            code, generation, _ = allow(state, window, cfg, ALONE, 1.0, 0.5)
        if code == ADMIT:
            served += _work()
            with lock:
                settle(state, window, cfg, ALONE, 1.0, generation, SUCCESS, 0.0)
    return served


def many(count: int, name: str) -> float:
    """Make so many breakers and keep them; return the MB they take."""
    cfg = _settings(name)
    before = _resident_mb()
    kept = [Breaker(cfg) for _ in range(count)]
    after = _resident_mb()
    assert len(kept) == count
    return after - before


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
