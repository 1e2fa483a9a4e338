"""docs/glossary.md gives each term one plain sentence, once, where a reader looks for it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from relkit.verdict import CODES

TEXT = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
TABLE = [line for line in TEXT.splitlines() if line.startswith("|")]
ROWS = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in TABLE[2:]]
TERMS = [row[0] for row in ROWS]

# The names that DESIGN 4 and 7 fix; the glossary must not lose one.
FIXED = {
    *("call", "attempt", "outcome", "permit", "trip", "probe", "episode", "pair", "session", "look", "gate", "burn"),
    *("sweep", "operating point", "as_of", "objective", "measure", "RetryBudget", "ErrorBudget", "policy", "AlertRule"),
    *(
        "plan",
        "schedule",
        "protocol",
        "fingerprint",
        "kind",
        "plate",
        "table",
        "manifest",
        "verdict",
        "coverage",
        "missing",
    ),
    *(
        "censored",
        "role",
        "granularity",
        "lineage",
        "margin",
        "design effect",
        "Wilson interval",
        "Tango interval",
        "mid-p",
    ),
}


def test_the_glossary_is_one_table_of_two_columns():
    assert TABLE[:2] == ["| term | meaning |", "|---|---|"]
    assert {len(row) for row in ROWS} == {2}


def test_the_glossary_can_be_read_at_one_sitting():
    assert len(TEXT.splitlines()) <= 120


def test_terms_are_alphabetical():
    ordered = sorted(TERMS, key=str.casefold)
    assert ordered == TERMS


def test_a_term_is_defined_once():
    assert [term for term, count in Counter(term.casefold() for term in TERMS).items() if count > 1] == []


@pytest.mark.parametrize(("term", "meaning"), ROWS, ids=TERMS)
def test_a_meaning_is_one_sentence(term, meaning):
    assert term
    assert re.fullmatch(r"[A-Z].*[^.]\.", meaning)
    assert not re.search(r"[.?!] [A-Z]", meaning), "more than one sentence"


def test_every_fixed_name_is_explained():
    assert sorted(FIXED - set(TERMS)) == []


def test_every_verdict_code_is_explained():
    assert sorted({code for codes in CODES.values() for code in codes} - set(TERMS)) == []
