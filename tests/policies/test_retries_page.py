"""docs/retries.md tells what the code does: its tables are the presets', its examples run, its figures are recorded."""

import doctest

from golden.policies.policy_golden import read
from retries_page import PAGE, written

from relkit.policies.retry_presets import RETRY_PRESETS


def test_the_tables_are_those_of_the_presets():
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "run python -m tests.policies.retries_page"
    assert [name for name in RETRY_PRESETS if f"| `{name}` |" not in page] == []


def test_the_examples_run():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert (failed, tried > 3) == (0, True)


def test_the_versions_it_names_are_those_recorded():
    page = PAGE.read_text(encoding="utf-8")
    for name in ("pybreaker", "opossum", "tenacity", "stamina", "botocore-2020", "botocore-2026"):
        assert read(name)["version"] in page
