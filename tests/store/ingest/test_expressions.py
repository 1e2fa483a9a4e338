"""Expressions: what is on the safe list gives the right value in DuckDB, everything else is refused."""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relkit.exceptions import DataError
from relkit.store.ingest.expressions import FUNCTIONS, LONGEST, compile_expression

NAMES = {"a": "c0", "n": "c1", "empty": "c2", 'od"d; --': "c3", "flag": "c4", "zero": "c5"}
VALUES = {"c0": "GET /x", "c1": "12.5", "c2": None, "c3": "odd", "c4": "true", "c5": "0"}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(
            "CREATE TABLE line AS SELECT " + ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in VALUES)
        )
        opened.execute(f"UPDATE line SET {', '.join(f'{name} = ?' for name in VALUES)}", list(VALUES.values()))
        yield opened


def column(name: str) -> str:
    if name not in NAMES:
        raise DataError(f"no column {name!r}")
    return NAMES[name]


def value(connection: duckdb.DuckDBPyConnection, text: str) -> Any:
    row = connection.execute(f"SELECT {compile_expression(text, column).sql} FROM line").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "GET /x"),
        ("column('od\"d; --')", "odd"),
        ("'it''s'", "its"),
        ('"it\'s"', "it's"),
        ("7", 7.0),
        ("0.1 + 0.2", 0.1 + 0.2),
        ("2000000000 * 2000000000", 4e18),
        ("True", True),
        ("None", None),
        ("n == 12.5", True),
        ("n == '12.5'", True),
        ("n != 12.5", False),
        ("n < 13", True),
        ("n <= 12.5", True),
        ("n > 100", False),
        ("n >= 12.5", True),
        ("1 < n < 20", True),
        ("1 < n < 5", False),
        ("a in ('x', 'GET /x')", True),
        ("n in (1, 12.5)", True),
        ("empty in ('x', 'y')", False),
        ("a not in ('x',)", True),
        ("empty not in ('x',)", True),
        ("empty is None", True),
        ("a is not None", True),
        ("flag == True", True),
        ("flag == False", False),
        ("n > 1 and a == 'x'", False),
        ("n > 1 or a == 'x'", True),
        ("not n > 1", False),
        ("n + 1", 13.5),
        ("n - 1", 11.5),
        ("n * 2", 25.0),
        ("n / 2", 6.25),
        ("-n", -12.5),
        ("a + 1", None),
        ("n if n > 1 else 0", "12.5"),
        ("1 if n > 100 else 2", 2.0),
        ("a if empty is None else None", "GET /x"),
        ("lower(a)", "get /x"),
        ("upper(a)", "GET /X"),
        ("trim('  x ')", "x"),
        ("length(a)", 6),
        ("length(5)", 3),
        ("number(n)", 12.5),
        ("number(a)", None),
        ("text(True)", "true"),
        ("contains(a, '/')", True),
        ("contains(n, 5)", False),
        ("starts_with(a, 'GET')", True),
        ("ends_with(a, 'x')", True),
        ("matches(a, '^[A-Z]+ ')", True),
        ("extract(a, '([a-z])$')", "x"),
        ("replace(a, 'GET', 'PUT')", "PUT /x"),
        ("concat(a, '!')", "GET /x!"),
        ("split(a, ' ', 2)", "/x"),
        ("coalesce(empty, a)", "GET /x"),
        ("coalesce(empty, None)", None),
    ],
)
def test_every_construct_of_the_safe_list_has_its_value(
    connection: duckdb.DuckDBPyConnection, text: str, expected: object
) -> None:
    assert value(connection, text) == expected


def test_every_function_of_the_list_is_tried_above() -> None:
    tried = {
        name
        for mark in test_every_construct_of_the_safe_list_has_its_value.pytestmark  # type: ignore[attr-defined]
        for text, _ in mark.args[1]
        for name in re.findall(r"([a-z_]+)\(", text)
    }
    assert set(FUNCTIONS) <= tried


@pytest.mark.parametrize(
    "text",
    [
        "a.upper", "a.__class__", "().__class__.__bases__", "__import__('os')", "open('x')", "eval('1')", "read_csv('x')",
        "getenv('HOME')", "lower.real", "lambda: 1", "f'{a}'", "[a for a in (1,)]", "{a: 1}", "{a}", "a[0]", "(a, n)", "[a]",
        "a := 1", "await a", "*a", "lower(*a)", "lower(a, b=1)", "lower()", "lower(a, a)", "a ** 2", "a % 2", "a // 2", "a @ n",
        "a | n", "a & n", "a ^ n", "~n", "+n", "a << 1", "a in 'GET'", "a in ()", "a in n", "a is 'x'", "a == None", "n < None",
        "a and n > 1", "not a", "1 if a else 2", "b'x'", "1j", "...", "1e999", "yield a", "column(a)", "column('a', 'n')",
        "column(1)", "end.a", "unknown", "a; DROP TABLE line", "a -- x", "a' OR '1'='1", "SELECT 1", "a::INT", "(SELECT 1)", "'x' ''", "'a' || 'b'",
        "", "   ", "a =", "(((", "'\\x00'", "'\\ud800'", "import os", "a\nn", "math.inf",
    ],
)  # fmt: skip
def test_everything_else_is_refused_and_nothing_else_raised(text: str) -> None:
    if text == "'x' ''":  # Python joins neighbouring texts: that is one text, and safe
        assert compile_expression(text, column).sql == "'x'"
        return
    if text == "a -- x":  # minus minus an unknown column
        text = "a --x"
    with pytest.raises(DataError, match=r"expression|no column"):
        compile_expression(text, column)


def test_a_refusal_says_what_is_allowed() -> None:
    with pytest.raises(
        DataError, match=r"'a\.upper' uses \.upper, which is not in the safe list; allowed are .*starts_with"
    ):
        compile_expression("a.upper", column)


@pytest.mark.parametrize(
    "text", ["(" * 500 + "a" + ")" * 500, "-" * 1500 + "n", "not " * 400 + "n > 1", "a" * (LONGEST + 1)]
)
def test_depth_and_length_end_in_a_message(text: str) -> None:
    with pytest.raises(DataError, match=r"nested too deeply|does not parse|has 2,001 characters"):
        compile_expression(text, column)


def test_end_columns_are_read_in_a_pair_only() -> None:
    assert compile_expression("end.a", column, lambda name: f"end_{column(name)}").sql == "end_c0"
    with pytest.raises(DataError, match="safe list"):
        compile_expression("end.a.b", column, column)


@given(st.text(max_size=40))
@example("'; DROP TABLE line; --")
@example("\\' OR 1=1")
@example("'")
def test_any_text_is_a_text_and_stays_one(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    if "\0" in text:
        return
    assert value(connection, repr(text)) == text


_GRAMMAR = st.recursive(
    st.sampled_from(
        [*(name for name in NAMES if name.isidentifier()), "1", "0.5", "'x'", "None", "True", "1e400", "zz", "a.b"]
    ),
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from(["+", "-", "*", "/", "==", "<", "and", "or", "in", "is", "**", ";", "--", "||"]),
            inner,
        ).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        st.tuples(
            st.sampled_from([*FUNCTIONS, "coalesce", "column", "read_text", "glob", "getenv", "query"]),
            st.lists(inner, max_size=3),
        ).map(lambda call: f"{call[0]}({', '.join(call[1])})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
        inner.map(lambda text: f"(not {text})"),
    ),
    max_leaves=12,
)
# Words that compiled SQL may hold outside quotes: names of cells, and those the compiler writes.
_ALLOWED = {
    "c0", "c1", "c2", "c3", "c4", "c5", "and", "or", "not", "is", "null", "in", "case", "when", "then", "else", "end", "true", "false",
    "try_cast", "cast", "as", "double", "varchar", "integer", "boolean", "coalesce", "lower", "upper", "trim", "length", "contains",
    "starts_with", "ends_with", "regexp_matches", "regexp_extract", "replace", "concat", "split_part", "e",
}  # fmt: skip


@given(st.one_of(st.text(max_size=60), _GRAMMAR))
def test_random_text_never_reaches_outside_the_columns(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Either DataError, or one SELECT expression over cells of the line, made of the compiler's own words."""
    try:
        compiled = compile_expression(text, column)
    except DataError:
        return
    bare = re.sub(r"'(?:[^']|'')*'", "", compiled.sql)
    assert set(re.findall(r"[a-z_][a-z0-9_]*", bare.lower())) <= _ALLOWED
    assert not set(bare) & set(';"`$@')
    assert "--" not in bare.replace("(-", "(")
    ast.parse(text.strip(), mode="eval")
    # A regular expression that is none: DuckDB says so, and ingest passes it on as a DataError.
    with suppress(duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException):
        connection.execute(f"SELECT {compiled.sql} FROM line").fetchall()
