"""relkit decides as pybreaker and opossum do: 0 of 100,000 recorded decisions differ.

The recordings are in tests/golden/policies with the scripts that made them. Where a library is installed it is also
asked anew: pybreaker as a package, opossum when OPOSSUM names a folder in which it was installed.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise

import pytest
from golden.policies import ours_breakers as ours
from golden.policies.policy_golden import EVENTS, differing, read

RECORDINGS = {"pybreaker": ours.pybreaker_lines, "opossum": ours.opossum_lines}


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_recorded_decision_differs(name):
    golden = read(name)
    assert golden["decisions"] == EVENTS
    assert differing(golden, RECORDINGS[name]()) == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_installed_library_decides_the_same(name):
    if not (find_spec("pybreaker") if name == "pybreaker" else os.environ.get("OPOSSUM")):
        pytest.skip(f"{name} is not installed; its recorded decisions are compared instead")
    recorder = import_module(f"golden.policies.record_{name}")
    assert list(RECORDINGS[name](3000)) == list(recorder.lines(3000))


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_script_reaches_every_state_from_every_other(name):
    """A recording proves nothing about what it does not visit."""
    states = [line.split()[1] for line in RECORDINGS[name]()]
    seen = {(before, after) for before, after in pairwise(states) if before != after}
    assert {("closed", "open"), ("open", "half_open"), ("half_open", "closed"), ("half_open", "open")} <= seen
