"""Points of the alert engine: a real Prometheus as referee, the generated promtool files, and the closed forms."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from .point import ROOT, Found, Skipped, point

MONTHS = (250_000, 1_000_000, 10_000_000)


def beside(folder: str, name: str) -> ModuleType:
    """Load a module that lies beside the tests, which are no package."""
    if str(ROOT / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / folder))
    return importlib.import_module(name)


def referee() -> ModuleType:
    """Load what asks a real Prometheus; skip where it is absent."""
    found = beside("tests", "prometheus_referee")
    if not found.is_there():
        raise Skipped(found.ABSENT)
    return found


@point("slo", "a real Prometheus fires in the same minutes as the alert engine", slow=True)
def same_minutes(folder: Path) -> Found:
    """Three logs of 14 days with gaps and a restart, every alert set and one of each family."""
    from relkit.slo import Objective  # noqa: PLC0415

    asked, goal = referee(), Objective("availability", "0.999")
    wrong = firing = looked = 0
    for seed, month in enumerate(MONTHS, 1):
        place = folder / str(month)
        place.mkdir()
        minutes, _, restarts = asked.log(seed, month)
        with asked.Server(place, minutes, restarts) as server:
            for alerts in asked.alert_sets():
                differ, fired = asked.differing(server, alerts, goal, minutes, restarts, month)
                wrong, firing, looked = wrong + differ, firing + fired, looked + len(minutes) * len(alerts.rules)
    return Found(
        f"0 differing minutes on {len(MONTHS)} logs (250k, 1M, 10M requests a month) x 14 days x at least 5 alert sets",
        f"{wrong} of {looked:,} differ, {firing:,} of them firing, {len(asked.alert_sets())} alert sets",
        wrong == 0 and firing > 1_000,
    )


@point("slo", "every generated promtool file passes", slow=True)
def generated_files(folder: Path) -> Found:
    """The pages of every alert set and alerts with waits, on the incidents of two logs; the tickets of one set."""
    from relkit.config.prometheus import prometheus_rules  # noqa: PLC0415
    from relkit.config.promtool import promtool_tests  # noqa: PLC0415
    from relkit.slo import Objective  # noqa: PLC0415
    from relkit.slo.alert_sets import alert_set  # noqa: PLC0415
    from relkit.slo.alerts import AlertSet  # noqa: PLC0415

    asked, goal = referee(), Objective("availability", "0.999")
    pages = [AlertSet(one.name, one.of("page")) for one in asked.alert_sets() if one.windows[-1] < 1440]
    passed = files = incidents_replayed = 0
    for seed, month in ((11, 250_000), (2, 1_000_000)):
        minutes, incidents, restarts = asked.log(seed, month, days=2)
        whole = [alert_set("workbook")] if month == 1_000_000 else []
        for alerts in [one for one in pages if max(one.windows) <= 720] + [asked.patient(), *whole]:
            rules = prometheus_rules(alerts, goal, period_valid=month)
            tests = promtool_tests(
                alerts, minutes, goal, incidents, rule_file="slo.rules.yml", period_valid=month, restarts=restarts
            )
            files += 1
            incidents_replayed += len(incidents)
            passed += asked.rule_tests(folder, rules, tests).returncode == 0
    return Found(
        "every generated promtool file passes",
        f"{passed} of {files} files pass, {incidents_replayed} incidents replayed",
        passed == files,
    )


@point("slo", "first firing and reset follow the closed forms")
def closed_forms(folder: Path) -> Found:
    """500 random objectives, error ratios, durations, tiers, steps and waits."""
    cases = beside("tests/slo", "test_closed_forms")
    fired, wrong = cases.compared(500, seed=2026)
    return Found(
        "500 random cases: first firing and reset within one evaluation step",
        f"{len(wrong)} of 500 differ by more, {fired} fire",
        not wrong,
    )
