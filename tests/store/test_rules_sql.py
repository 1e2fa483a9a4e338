"""The CASE and Python give one answer, kind and rule, for whatever the columns hold."""

import csv
import itertools
from dataclasses import astuple
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relkit.errors import SIGNAL_FIELDS, ErrorKind, Signals, classify, load_rules, read_signals
from relkit.errors.rules.plan import plan_rules
from relkit.store import open_store
from relkit.store.classify import CASE_PAYS_FROM, classify_new, kinds_table
from relkit.store.rules_sql import NUMBERS, classified_sql, rules_case

TRACES = Path(__file__).parents[3] / "shared/traces"
OWN = load_rules()
TYPES = dict.fromkeys(SIGNAL_FIELDS, "VARCHAR") | {"status": "SMALLINT", "errno": "INTEGER"}
BOTH = [pytest.param(OWN, id="relkit"), pytest.param(plan_rules(), id="plan")]


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": "1"}) as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
        connection.execute(f"CREATE TABLE fingerprints (fp UBIGINT, {columns})")
        yield connection


def by_sql(connection, rules, rows):
    connection.execute("DELETE FROM fingerprints")
    values = [list(column) for column in zip(*((n, *astuple(row)) for n, row in enumerate(rows)), strict=True)]
    unnested = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind in ["UBIGINT", *TYPES.values()])
    connection.execute(f"INSERT INTO fingerprints SELECT {unnested}", values)
    name = f"by_{rules.hash}"  # planning the CASE takes longer than running it
    known = connection.execute("SELECT 1 FROM duckdb_prepared_statements() WHERE name = ?", [name]).fetchone()
    if known is None:
        connection.execute(f"PREPARE {name} AS SELECT rule, kind FROM ({classified_sql(rules)}) ORDER BY fp")
    return connection.execute(f"EXECUTE {name}").fetchall()


def by_python(rules, rows):
    answers = [classify(row, rules) for row in rows]
    return [(answer.rule, answer.kind.value) for answer in answers]


def table_rows():
    return [
        read_signals(row)
        for rules in (OWN, plan_rules())
        for rule in rules.rules
        for row in (*rule.examples, *rule.counterexamples)
    ]


@pytest.mark.parametrize("rules", BOTH)
def test_examples_and_counterexamples(connection, rules):
    rows = table_rows()
    assert by_sql(connection, rules, rows) == by_python(rules, rows)


@pytest.mark.parametrize("rules", BOTH)
def test_every_pair_of_examples_mixed(connection, rules):
    """Conflicting signals: the code of one example with the status, class and message of another."""
    rows = table_rows()
    mixed = [
        Signals(*(left if left is not None else right for left, right in zip(astuple(a), astuple(b), strict=True)))
        for a, b in itertools.islice(itertools.product(rows, rows[::7]), 0, 60_000, 13)
    ]
    assert by_sql(connection, rules, mixed) == by_python(rules, mixed)


@pytest.mark.traces
@pytest.mark.parametrize("rules", BOTH)
def test_the_error_corpus(connection, rules):
    path = TRACES / "error-corpus-dev.csv"
    if not path.is_file():
        pytest.skip(f"the real log {path.name} does not lie beside the project")
    assert_twins(connection, rules, path)


@pytest.mark.parametrize("rules", BOTH)
def test_the_rows_of_many_languages(connection, rules):
    assert_twins(connection, rules, Path(__file__).parents[1] / "golden/errors/third_rows.csv")


def assert_twins(connection, rules, path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = [read_signals(row) for row in csv.DictReader(file)]
    assert by_sql(connection, rules, rows) == by_python(rules, rows)


_WORDS = sorted({str(value) for row in table_rows() for value in astuple(row) if isinstance(value, str)})
_LETTERS = st.sampled_from("aAkKsSiI1#é¿\u017f\u212a\u0130\u0131\n\t ._-")
_TEXT = st.one_of(
    st.sampled_from(_WORDS),
    st.sampled_from(_WORDS).map(str.upper),
    st.sampled_from(_WORDS).map(lambda text: text.replace("s", "\u017f").replace("K", "\u212a").replace("I", "\u0130")),
    st.tuples(st.sampled_from(_WORDS), st.text(_LETTERS, max_size=4)).map("".join),
    st.text(_LETTERS, max_size=12),
    st.integers(-5, 600).map(str),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
)
_NUMBER = {"status": st.integers(100, 599), "errno": st.one_of(st.integers(-12, 130), st.integers(-(2**31), 2**31 - 1))}
_SIGNALS = st.builds(
    Signals, **{name: st.none() | (_NUMBER[name] if name in NUMBERS else _TEXT) for name in SIGNAL_FIELDS}
)


@settings(max_examples=40, deadline=None)
@given(st.lists(_SIGNALS, min_size=1, max_size=60))
@pytest.mark.parametrize("rules", BOTH)
def test_whatever_the_columns_hold(connection, rules, rows):
    assert by_sql(connection, rules, rows) == by_python(rules, rows)


def test_numbers_are_compared_as_they_are_written(connection):
    text = """
    declared = false
    [[rule]]
    id = "odd"
    kind = "CACHE_MISS"
    when = { "status|code|errno" = [418, "0419", "x"] }
    examples = [{ status = 418 }, { code = "418" }, { code = "0419" }, { errno = 418 }]
    counterexamples = [{ status = 419 }, { errno = 419 }]
    [[rule]]
    id = "searched"
    kind = "CANCELLED"
    when = { "status|errno" = { re = "^-?[13]" } }
    examples = [{ errno = -1 }, { status = 301 }]
    counterexamples = [{ errno = 21 }]
    """
    rules = load_rules(text)
    rows = [Signals(status=n) for n in range(100, 600)] + [Signals(errno=n) for n in (-13, -1, 0, 21, 418, 419)]
    rows += [Signals(code=text) for text in ("418", "0418", "0419", "419", "X", "x ", "-1")]
    found = by_sql(connection, rules, rows)
    assert found == by_python(rules, rows)
    assert {rule for rule, _ in found} == {"odd", "searched", "none"}


def test_a_table_without_rules_knows_nothing(connection):
    empty = load_rules("declared = false")
    assert rules_case(empty) == "1"
    assert by_sql(connection, empty, [Signals(status=500)]) == [("none", "UNKNOWN")]


@pytest.mark.parametrize("many", [3, CASE_PAYS_FROM + 1], ids=["in Python", "by the CASE"])
def test_kinds_of_a_store_follow_the_rule_set(tmp_path, many):
    teapot = {"id": "teapot", "kind": "CACHE_MISS", "when": {"status": 418}, "before": "status.invalid"}
    mine = OWN.with_rules({**teapot, "examples": [{"status": 418}], "counterexamples": [{"status": 404}]})
    with open_store(tmp_path / "log.duckdb", write=True) as store:
        con = store.connection
        con.execute(
            "INSERT INTO fingerprints (fp, status, message) SELECT n, CASE n % 3 WHEN 0 THEN 418 WHEN 1 THEN 429 ELSE 302 END, "
            f"'words ' || n FROM range({many}) AS t(n)"
        )
        classify_new(con)
        wanted = {0: "CACHE_MISS", 1: "API_RATE_LIMIT", 2: "UNKNOWN"}
        for _ in range(2):  # the second time it is there already
            name = kinds_table(con, mine)
            rows = con.execute(f"SELECT fp, kind FROM {name}").fetchall()
            assert dict(rows) == {n: wanted[n % 3] for n in range(many)}
        own = con.execute(f"SELECT kind FROM {kinds_table(con)} WHERE fp = 0").fetchall()
        assert own == [(ErrorKind.API_INVALID_REQUEST.value,)]
        assert (classify_new(con), classify_new(con, mine), classify_new(con, mine)) == (0, many, 0)
        kept = dict(con.execute("SELECT ruleset, toml FROM rulesets").fetchall())
        assert {load_rules(text).hash for text in kept.values()} == set(kept) == {OWN.hash, mine.hash}
        stored = con.execute("SELECT rule, evidence FROM classifications WHERE fp = 0 ORDER BY rule").fetchall()
        assert stored == [("status.invalid", "status = 418"), ("teapot", "status = 418")]
