"""What passes the lint is matched by Python and by RE2 alike; what only one of them has is refused."""

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relkit.errors import load_rules, read_signals
from relkit.errors.rules.common_regex import FOLDED_BY_SQL, compiled, fault_of

RULES = load_rules()
REGEXES = sorted({condition.regex for rule in RULES.rules for condition in rule.when if condition.op == "re"})
TEXTS = sorted(
    {
        str(value)
        for rule in RULES.rules
        for row in (*rule.examples, *rule.counterexamples)
        for value in (getattr(read_signals(row), name) for name in ("exception_type", "code", "message", "sqlstate"))
        if value is not None
    }
    | {"", "a\nb per\nday current quota", "ÀÉ", "x" * 500, "is required\n"}
)


def re2(regex, texts):
    quoted, folded = regex.replace("'", "''"), FOLDED_BY_SQL
    query = f"SELECT regexp_matches(translate(t, '{folded}', '¿¿¿'), '{quoted}', 'is') FROM (SELECT unnest(?) AS t)"
    with duckdb.connect() as connection:
        return [row[0] for row in connection.execute(query, [list(texts)]).fetchall()]


@pytest.mark.parametrize(
    ("regex", "named"),
    [
        ("(?=a)", "(?="),
        ("(?<!a)b", "(?<"),
        ("(?P<x>a)", "(?P<"),
        ("(?>a)", "(?>"),
        ("(?i)a", "(?i"),
        (r"(a)\1", r"\1"),
        (r"\d+", "[0-9]"),
        (r"[\s]", r"\s"),
        (r"a\Z", r"\Z"),
        (r"\_", r"\_"),
        (r"[\b]", r"\b"),
        ("a++", "++"),
        ("a{2}+", "{2}+"),
        ("a{,3}", "{,3}"),
        ("a{}", "{}"),
        ("a{1001}", "1001"),
        ("((a{100}b){2}c){6}", "1200"),
        ("[[:alpha:]]", "[ inside"),
        ("[a--b]", "-- inside"),
        ("é", "é"),
        ("\u212a", "\u212a"),
        ("¿", "¿"),
        ("(a", "unterminated"),
        ("a)", "unbalanced"),
        ("a**", "multiple repeat"),
        ("a\\", "without \\"),
        ("[a", "unterminated"),
        ("[[", "unterminated"),
        ("x{2}{3}", "multiple repeat"),
        ("a{99999999999}", "1000"),
    ],
)
def test_what_only_one_engine_has_is_refused_by_name(regex, named):
    assert named in (fault_of(regex) or "")


@pytest.mark.parametrize(
    "regex", ["(?-i:Timeout)", r"a\.b\x41\W", "[]a]", r"[^\]a]", "{", "a{b}", "(?:a|b)?c{2,5}?", "积极"]
)
def test_what_both_share_passes_and_is_matched_alike(regex):
    assert fault_of(regex) is None
    texts = ["Timeout", "timeout", "a.bA-", "]", "a", "b", "{", "a{b}", "accc", "cc", "积极拒绝", ""]
    assert re2(regex, texts) == [compiled(regex).search(text) is not None for text in texts]


@pytest.mark.parametrize("regex", REGEXES)
def test_every_regex_of_the_table_matches_alike_on_every_text_of_the_table(regex):
    assert re2(regex, TEXTS) == [compiled(regex).search(text) is not None for text in TEXTS]


def test_the_end_is_the_end_and_not_the_place_before_a_last_line_break():
    assert compiled("a$").search("a\n") is None
    assert compiled("[$]").search("$")
    assert compiled(r"\$").search("$")


_PIECE = st.sampled_from(
    [
        *"aksAKZ.$^|()[]*+?{}-\\,:¿é",
        "{2}",
        "{1,3}",
        "[^a]",
        "[a-z]",
        "(?:",
        "(?-i:",
        r"\b",
        r"\w",
        r"\W",
        r"\.",
        "[k-s]",
        r"\x41",
        " ",
        "1",
    ]
)
_TEXT = st.text(st.sampled_from("aksAKZ.$1 \n\t\v¿éÉ\u017f\u212a\u0130积"), max_size=8)


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECE, min_size=1, max_size=8).map("".join), st.lists(_TEXT, min_size=1, max_size=6))
@example("k", ["\u212a", "K", "k"])
@example("[^k]", ["\u212a", "K"])
@example("s$", ["s\n", "\u017f"])
def test_whatever_regex_passes_is_matched_alike_on_whatever_text(regex, texts):
    """Regexes put together at random from what is tricky; those that pass must run in both engines and agree."""
    if fault_of(regex) is None:
        assert re2(regex, texts) == [compiled(regex).search(text) is not None for text in texts]
