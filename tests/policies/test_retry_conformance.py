"""relkit decides as tenacity, stamina and botocore do: 0 of 100,000 recorded decisions differ, each delay to the bit.

The recordings are in tests/golden/policies with the scripts that made them. Where a library is installed it is also
asked anew, on a shorter script.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import pytest
from golden.policies import ours_retries as ours
from golden.policies import record_botocore
from golden.policies.policy_golden import EVENTS, differing, read

RECORDINGS = {
    "tenacity": ours.tenacity_lines,
    "stamina": ours.stamina_lines,
    "botocore-2020": lambda count=EVENTS: ours.botocore_lines("aws-standard-2020", count),
    "botocore-2026": lambda count=EVENTS: ours.botocore_lines("aws-standard-2026", count),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_recorded_decision_differs(name):
    golden = read(name)
    assert golden["decisions"] == EVENTS
    assert differing(golden, RECORDINGS[name]()) == []


@pytest.mark.parametrize("library", ["tenacity", "stamina", "botocore"])
def test_the_installed_library_decides_the_same(library):
    try:
        found = version(library)
    except PackageNotFoundError:
        pytest.skip(f"{library} is not installed; its recorded decisions are compared instead")
    name = record_botocore.name_for(found) if library == "botocore" else library
    recorder = import_module(f"golden.policies.record_{library}")
    assert list(RECORDINGS[name](3000)) == list(recorder.lines(3000))


def test_a_recording_notices_one_changed_decision():
    golden = read("stamina")
    lines = list(ours.stamina_lines())
    assert differing(golden, lines) == []
    lines[54_321] += "0"
    assert differing(golden, lines) == ["block 54"]
