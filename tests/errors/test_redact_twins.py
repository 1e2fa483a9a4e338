"""What DuckDB makes of a text is what Python makes of it."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from secret_texts import HOSTILE, KEPT, PLAIN, SECRETS

from benchmarks.secret_lines import lines
from relkit.errors import clean_message, redact_text
from relkit.store.redaction_sql import redaction_sql


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as con:
        yield con


_ROWS = "(select unnest($texts) as t)"


def _in_duckdb(con, texts):
    return [row[0] for row in con.execute(f"select {redaction_sql('t')} from {_ROWS}", {"texts": texts}).fetchall()]


def _clean(text):
    read = f"left(replace({text}, chr(0), ''), 4000)"
    masked = f"regexp_replace({redaction_sql(read, numbers=False)}, '[0-9]+', '#', 'g')"
    capped = "case when length(x) > 500 then left(x, 499) || '…' else nullif(x, '') end"
    return f"(select {capped} from (select trim({masked}, E' \\t\\r\\n\\f\\x0b') as x))"


@pytest.mark.parametrize("seed", range(3))
def test_duckdb_redacts_lines_with_every_kind_of_secret_alike(duck, seed):
    texts = [line.text for line in lines(3_000, seed)]
    assert _in_duckdb(duck, texts) == [redact_text(text) for text in texts]


def test_duckdb_redacts_the_known_texts_alike(duck):
    texts = SECRETS + KEPT
    assert _in_duckdb(duck, texts) == [redact_text(text) for text in texts]


@settings(max_examples=60, deadline=None)
@given(st.lists(HOSTILE | PLAIN, min_size=1, max_size=30))
def test_duckdb_redacts_any_text_alike(duck, texts):
    # DuckDB's regexes read a text as bytes with a length, so even NUL inside must not part the two.
    assert _in_duckdb(duck, texts) == [redact_text(text) for text in texts]


@settings(max_examples=40, deadline=None)
@given(st.lists(HOSTILE | PLAIN | st.builds(str.__mul__, HOSTILE, st.integers(1, 80)), min_size=1, max_size=20))
def test_duckdb_cleans_messages_alike(duck, texts):
    """The whole way of a message: NUL, 4,000 characters, redaction, digits, blanks, 500 characters."""
    found = duck.execute(f"select {_clean('t')} from {_ROWS}", {"texts": texts}).fetchall()
    assert [row[0] for row in found] == [clean_message(text) for text in texts]
