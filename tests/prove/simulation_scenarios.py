"""Points of the simulation's scenarios: files, chaos cases, pairs, logs, and one meaning of the policy functions."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from .point import Found, point
from .simulation_engine import beside, both_engines


def _count(check: Callable[..., None], cases: list[tuple[Any, ...]]) -> tuple[int, str]:
    """Return how many cases pass a test, and what the first that does not says."""
    passed, first = 0, ""
    for arguments in cases:
        try:
            check(*arguments)
            passed += 1
        except AssertionError as error:
            first = first or f"{arguments}: {str(error)[:80]}"
    return passed, first


@point("simulation", "kernel = oracle on every packaged scenario")
def packaged_agree(folder: Path) -> Found:
    from relkit.simulation.scenario_toml import packaged, packaged_names  # noqa: PLC0415  pytest collects this module
    from relkit.simulation.suite import policy_for, w_policy  # noqa: PLC0415

    same = 0
    for name in packaged_names():
        scenario = packaged(name)
        policy = policy_for(scenario) if scenario.policy else w_policy(chain=False)
        same += both_engines(scenario.changed(requests=min(scenario.requests, 20_000)), policy, 1)
    return Found("all, bit for bit", f"{same} of {len(packaged_names())}", same == len(packaged_names()))


@point("simulation", "scenario files read back to the last bit; bad ones refused with file, key and remedy")
def files(folder: Path) -> Found:
    from relkit.simulation.scenario_toml import read_scenario, write_scenario  # noqa: PLC0415

    random_scenario = beside("random_runs").scenario
    same = 0
    for seed in range(300):
        scenario = random_scenario(Random(seed), 50)
        same += read_scenario(write_scenario(scenario, folder / "random.toml")) == scenario
    its = beside("test_scenario_toml")
    with tempfile.TemporaryDirectory() as place:
        cases = [(case, Path(place)) for case in its.REFUSED]
        refused, first = _count(its.test_what_cannot_be_is_refused_with_file_key_and_remedy, cases)
    figure = f"{same} of 300 read back; {refused} of {len(cases)} refused {first}"
    return Found("all", figure, same == 300 and refused == len(cases))


@point("simulation", "the plan's chaos cases over 20 seeds", slow=True)
def chaos(folder: Path) -> Found:
    its = beside("test_chaos")
    checks = [check for name, check in vars(its).items() if name.startswith("test_")]
    passed, first = 0, ""
    for check in checks:
        good, told = _count(check, [(seed,) for seed in range(100, 120)])
        passed, first = passed + good, first or told
    return Found("what must be seen, in all", f"{passed} of {20 * len(checks)} {first}", passed == 20 * len(checks))


@point("simulation", "numba = CPython on the policy functions, 10^5 random steps")
def one_meaning(folder: Path) -> Found:
    its = beside("test_same_functions")
    breakers, first = _count(its.test_a_breaker_decides_alike_compiled_and_plain, [(name,) for name in its.BREAKERS])
    loops, also = _count(
        its.test_a_retry_loop_and_its_budget_decide_alike_compiled_and_plain, [(name,) for name in its.RETRIES]
    )
    steps = (breakers + loops) * its.STEPS
    holds = breakers == len(its.BREAKERS) and loops == len(its.RETRIES) and steps >= 100_000
    return Found(
        "bit for bit", f"{steps:,} steps of {breakers} breakers and {loops} retry loops {first or also}", holds
    )


@point("simulation", "a shadow arm's harm is the one asked for, 40 seeds")
def harm(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    from relkit.simulation.pairs import ShadowArm, shadow_pairs  # noqa: PLC0415
    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.sessions import Sessions  # noqa: PLC0415
    from relkit.simulation.suite import retrying, w0  # noqa: PLC0415

    run = simulate(w0(20_000).changed(timeout_s=4.0, sessions=Sessions(6.0, 60), episodes=()), retrying(2), 5)
    found = []
    for seed in range(40):
        columns = shadow_pairs(run, ShadowArm("candidate", delta=-0.03), seed)
        found.append(float(np.mean(columns["shadow_ok"])) - float(np.mean(columns["primary_ok"])))
    error = float(np.std(found, ddof=1) / len(found) ** 0.5)
    figure = f"{np.mean(found):.4f} +- {error:.4f}"
    return Found("-0.03 within 4 standard errors", figure, abs(float(np.mean(found)) + 0.03) < 4 * error)
