"""How much is found and how much is touched for nothing, on lines drawn from the providers' formats."""

import csv
from pathlib import Path

import pytest

from benchmarks.secret_lines import SECRETS, lines
from relkit.errors import classify, redact_text

LINES = 20_000


@pytest.mark.parametrize("seed", range(5))
def test_of_fifteen_kinds_a_thousandth_at_most_is_missed_and_few_others_are_touched(seed):
    drawn = lines(LINES, seed)
    assert {line.kind for line in drawn} == {"", *SECRETS}
    missed = [line for line in drawn if line.kind and line.secret.split()[-1] in redact_text(line.text)]
    touched = [line for line in drawn if not line.kind and redact_text(line.text) != line.text]
    assert len(missed) <= 0.001 * sum(bool(line.kind) for line in drawn), missed[:3]
    assert len(touched) <= 0.02 * sum(not line.kind for line in drawn), touched[:3]


TRACES = Path(__file__).parents[3] / "shared/traces"


@pytest.mark.traces
def test_redaction_changes_no_classification_of_a_real_error():
    place = TRACES / "error-corpus-dev.csv"
    if not place.exists():
        pytest.skip(f"{place.name} is not here")
    with place.open(newline="", encoding="utf-8") as file:
        corpus = list(csv.DictReader(file))
    assert corpus
    for row in corpus:
        told = {
            "exception_type": row["exception_type"],
            "status": row["status"],
            "code": row["code"],
            "message": row["message"],
        }
        clean = {name: redact_text(text) for name, text in told.items()}
        before, after = classify(told), classify(clean)
        assert (before.kind, before.retryable, before.rule) == (after.kind, after.retryable, after.rule), row["source"]
