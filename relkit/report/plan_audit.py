"""What the page of the plan's audit shows: the list of defects and their numbers; no log is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from relkit.exhibit import Exhibit
from relkit.policies.codes import PROBE_CLOSES
from relkit.policies.plan_rollout import PlanPass
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.report.plan_calls import call_exhibits
from relkit.report.plan_defects import AREAS, SEVERITIES, Defect, read_defects
from relkit.report.plan_verdicts import changes_of_rollout, first_day, verdict_exhibits
from relkit.report.scope import checked_in_cell
from relkit.shadow.plan_looks import Flagged, peeking, power_of_tests
from relkit.simulation.plan_breaker import (
    Checked,
    Detection,
    checked_outage,
    detection,
    threshold_course,
    threshold_shares,
)
from relkit.simulation.scenario_toml import packaged
from relkit.simulation.suite import SUITE
from relkit.tune.before_after import BARE, CHOICE, DATED, FIXED, PLAN, BeforeAfter, policies
from relkit.units import percent, points, signed
from relkit.verdict import Verdict

PLAIN: Final = "pybreaker"
"""Five failures in a row, open for 60 s, one trial call: the plan's breaker without its adaptive part."""
_HEALTHY: Final = 30
_RUNS: Final = 100
_FAILING: Final = (0.01, 0.04, 0.10, 0.25)
_DELTAS: Final = (-0.04, -0.03, -0.02, -0.015, -0.01, -0.005, 0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04)
_LOOKS: Final = 168


@dataclass(frozen=True, slots=True)
class Audit:
    """The list of defects, and the numbers of those that have one.

    Parameters
    ----------
    defects : tuple of Defect
        All of them.
    exhibits : tuple of Exhibit
        In the order of the list.
    digest : str
        sha256 of the defects' ids, severities and statements.
    level : float
        Confidence level.
    courses : mapping of str to tuple of int
        Policy to the threshold of its breaker after each of some healthy calls.
    thresholds : mapping of float to mapping
        Share of failing calls to the share of the calls at each threshold, of the plan's breaker.
    detections : tuple of Detection
        The plan's breaker, a plain one, and two corrected ones.
    health_checks : tuple of Checked
        A shallow health check in an outage: the plan, a threshold of 5 that it closes, one that it does not, plan-fixed.
    harms : tuple of Flagged
        The plan's z-test beside McNemar's mid-p, from a true loss to a gain.
    looks : tuple of Flagged
        False alarms after each hourly look of a week.
    first_day : tuple of PlanPass
        The plan's schedule through a day.
    changes : int
        Changes of the corrected rollout in it.
    """

    defects: tuple[Defect, ...]
    exhibits: tuple[Exhibit, ...]
    digest: str
    level: float
    courses: Mapping[str, tuple[int, ...]]
    thresholds: Mapping[float, Mapping[int, float]]
    detections: tuple[Detection, ...]
    health_checks: tuple[Checked, ...]
    harms: tuple[Flagged, ...]
    looks: tuple[Flagged, ...]
    first_day: tuple[PlanPass, ...]
    changes: int

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Area to severity to how many."""
        return {
            area: {
                severity: sum(one.area == area and one.severity == severity for one in self.defects)
                for severity in SEVERITIES
            }
            for area in AREAS.values()
        }

    @property
    def high(self) -> frozenset[str]:
        """Ids of the defects of high severity."""
        return frozenset(one.id for one in self.defects if one.severity == "high")

    @property
    def with_number(self) -> int:
        """Defects of high severity that have a number."""
        return len(self.high & {one.id for one in self.exhibits})

    @property
    def without_number(self) -> tuple[str, ...]:
        """Ids of the defects of high severity that have none."""
        return tuple(sorted(self.high - {one.id for one in self.exhibits}))


def begin(notebook: str, **parameters: object) -> float:
    """Check the parameters of a notebook that reads no log, as `relkit.report.begin` does for the others.

    Parameters
    ----------
    notebook : str
        File name without its ending.
    **parameters
        The values of its parameters cell.

    Returns
    -------
    float
        The confidence level.

    Raises
    ------
    ParameterError
        A parameter is not acceptable.
    """
    level: float = checked_in_cell(notebook, parameters)["level"]
    return level


def read_audit(level: float) -> Audit:
    """Read the list of defects and work out every number.

    Parameters
    ----------
    level : float
        Confidence level of what is simulated, in (0, 1).

    Raises
    ------
    ReportError
        The list cannot be read.
    """
    defects = read_defects()
    courses = {name: threshold_course(_breaker(name), [False] * _HEALTHY) for name in (PLAN, FIXED)}
    names = {PLAN: PLAN, "threshold of 5": PLAIN, FIXED: FIXED, "relkit-adaptive": "relkit-adaptive"}
    found = tuple(detection(name, _breaker(preset), runs=_RUNS) for name, preset in names.items())
    checks = _health_checks()
    looks = peeking(_LOOKS, level=level)
    shown = (
        *call_exhibits(),
        Exhibit(
            "B01",
            f"failures in a row that open it, after {_HEALTHY} healthy calls",
            courses[PLAN][-1],
            courses[FIXED][-1],
            "calls",
        ),
        Exhibit(
            "B02",
            "failing calls until it opens in a total outage, after a healthy past",
            found[0].median(1.0),
            found[2].median(1.0),
            "calls",
        ),
        Exhibit(
            "B17",
            "calls into ten minutes of outage, the check passing (threshold 5)",
            checks[1].mean,
            checks[2].mean,
            "calls",
        ),
        Exhibit(
            "S01", f"false alarms of {_LOOKS} looks without any difference", looks[-1].plan, looks[-1].ours, "share"
        ),
        *verdict_exhibits(level),
    )
    order = [one.id for one in defects]
    told = "\n".join(f"{one.id} {one.severity} {one.says}" for one in defects)  # a test that is added changes no page
    return Audit(
        defects,
        tuple(sorted(shown, key=lambda one: order.index(one.id))),
        sha256(told.encode()).hexdigest(),
        level,
        courses,
        {share: threshold_shares(_breaker(PLAN), share) for share in _FAILING},
        found,
        checks,
        tuple(power_of_tests(delta, level=level) for delta in _DELTAS),
        looks,
        tuple(first_day()),
        changes_of_rollout(),
    )


def _health_checks() -> tuple[Checked, ...]:
    plain = _breaker(PLAIN)
    return (
        checked_outage("the plan", _breaker(PLAN)),
        checked_outage("threshold of 5,\nclosed by the check", plain.changed(probe_success=PROBE_CLOSES)),
        checked_outage("threshold of 5,\nhalf open by time", plain),
        checked_outage("plan-fixed", _breaker(FIXED)),
    )


def hashes() -> dict[str, str]:
    """Return the hash of the settings of each policy that is compared."""
    return {name: policy.hash for name, policy in policies(packaged(SUITE[0])).items() if name != DATED}


def judge(suite: BeforeAfter) -> Verdict:
    """Say what to deploy instead of the plan.

    Parameters
    ----------
    suite : BeforeAfter
        What was played.
    """
    gain, worse = suite.gain(CHOICE, PLAN, "success"), suite.gain(DATED, BARE, "success")
    usd, wasted = (suite.gain(CHOICE, PLAN, measure) for measure in ("usd_per_10k", "wasted_per_1k"))
    is_better = gain.low is not None and gain.low > 0.0
    shares = {name: percent(suite.of(name, "success").value) for name in suite.names}
    answer = (
        f"as dated, with two of its three models retired, it answers {shares[DATED]} of the requests of "
        f"{len(suite.scenarios)} scenarios, bare calls {shares[BARE]}; with living models {shares[PLAN]}, put right {shares[FIXED]}, our choice "
        f"{shares[CHOICE]}"
    )
    return Verdict(
        "tuning",
        "RECOMMENDED" if is_better else "REFUSED",
        f"Do not deploy the plan as written: {answer}."
        if is_better
        else f"Our choice is not shown to be better than the plan: {answer}.",
        gain.value,
        gain.low,
        gain.high,
        "share",
        suite.level,
        suite.seeds * len(suite.scenarios),
        f"Our choice against the plan with living models: {points(gain.value)} answered, {signed(usd.value, 3)} dollars per 10,000 requests, "
        f"{signed(wasted.value, 1)} wasted calls per 1,000; the plan as dated against bare calls: {points(worse.value)}.",
        "Other traffic or other models: tune on your own log (3_breakers).",
    )


def _breaker(name: str) -> BreakerSettings:
    found = presets[name].breaker
    assert found is not None
    return found
