"""What all tests share: the demo week's database, and no skipping where everything is installed."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

# --doctest-modules would import every conftest.py as a module of one and the same name, and the scripts that recorded the
# golden files, which need the libraries they recorded
collect_ignore_glob = ["conftest.py", "*/conftest.py", "golden/*/record*.py", "golden/*/cases_*.py"]
INSTALLED_BY_CI = re.compile(r"chromium|node\b|nodejs|promtool", re.IGNORECASE)


def _turned(report: Any) -> Any:
    """Make a failure of a skip for want of a program that RELKIT_NO_SKIP=1 says is there."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("RELKIT_NO_SKIP") == "1":
        why = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if INSTALLED_BY_CI.search(why):
            report.outcome = "failed"
            report.longrepr = f"RELKIT_NO_SKIP=1 forbids this skip: {why}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _turned((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _turned((yield))


@pytest.fixture(scope="session")
def demo_database() -> Path:
    """The demo week, made when absent."""
    from relkit.report.demo import ensure_demo  # noqa: PLC0415  tests of lower rooms need not load it

    return ensure_demo()
