"""docs/policies.md tells what the code does: its table is the records', its examples run, its presets are all there."""

import doctest
from dataclasses import fields

from policies_page import PAGE, meanings, written

from relkit.policies.breaker_presets import BREAKER_PRESETS
from relkit.policies.records import BreakerSettings


def test_the_table_is_that_of_the_records_and_presets() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "run python -m tests.policies.policies_page"


def test_every_field_has_a_meaning() -> None:
    assert set(meanings()) == {field.name for field in fields(BreakerSettings)}


def test_every_preset_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in BREAKER_PRESETS if f"| `{name}` |" not in page] == []


def test_the_examples_run() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert (failed, tried > 5) == (0, True)
