"""Redaction and pseudonyms written as SQL: the twins of `relkit.errors.redact_text` and `relkit.errors.redact.pseudonym`."""

from typing import Final

from relkit.errors.redact import NUMBERS, NUMBERS_PREFILTER, PATTERNS, PREFILTER, Pattern
from relkit.errors.redact.patterns import MARKED, MARKS
from relkit.store.text import quoted

KEY_VARIABLE: Final = "relkit_pseudonym_key"
"""Variable of a connection, never stored: the key of the database's pseudonyms as 64 bytes, filled up with zeros."""
BLOCK_BYTES: Final = 64  # of SHA-256, as HMAC counts it (RFC 2104)
NO_KEY: Final = (
    "ids of this log name people, and the key that hides them is gone or another database's; put the key file (the database's name "
    "and .key) back beside the database, or start a new database"
)
PSEUDONYM_SQL: Final = "^\\[id:[a-p]{16}\\]$"


def redaction_sql(text: str, *, numbers: bool = True) -> str:
    """Write the SQL that redacts a text; one cheap look spares most rows the whole table.

    Parameters
    ----------
    text : str
        SQL of the text; it stands in the result three times.
    numbers : bool
        Whether numbers of cards and people go too; where digits are masked afterwards they need not.

    Examples
    --------
    >>> redaction_sql("t").startswith("CASE WHEN regexp_matches(t,")
    True
    """
    prefilter = f"{PREFILTER}|{NUMBERS_PREFILTER}" if numbers else PREFILTER
    clean = text
    for pattern in (*PATTERNS, *(NUMBERS if numbers else ())):
        clean = _checked(clean, pattern) if pattern.has_check_digit else _replaced(clean, pattern)
    return f"CASE WHEN regexp_matches({text}, {quoted(prefilter)}) THEN {clean} ELSE {text} END"


def pseudonym_sql(text: str) -> str:
    """Write the SQL of the pseudonym of a text under the connection's key; without a key it raises.

    >>> "sha256" in pseudonym_sql("t")
    True
    """
    # HMAC (RFC 2104): the hash of the outer key and the hash of the inner key and the text
    inner = f"sha256({_padded(0x36)} || encode({text}))"
    digest = f"sha256({_padded(0x5C)} || unhex({inner}))"
    name = f"concat('[id:', translate(left({digest}, 16), '0123456789', 'ghijklmnop'), ']')"
    return (
        f"CASE WHEN regexp_matches({text}, {quoted(PSEUDONYM_SQL)}) THEN {text} "
        f"WHEN getvariable('{KEY_VARIABLE}') IS NULL THEN error(concat({quoted(NO_KEY)}, left({text}, 0))) ELSE {name} END"
    )


def hidden_id_sql(raw: str, clean: str) -> str:
    """Write the SQL of an id as it is stored: as it is where redaction changes nothing, else its pseudonym.

    Two people stay two: `[email]` for both would make their requests one.

    Parameters
    ----------
    raw : str
        SQL of the id as it came.
    clean : str
        SQL of the same, redacted and capped.
    """
    trimmed = f"nullif(trim({raw}, {BLANKS_SQL}), '')"
    return f"CASE WHEN {clean} IS DISTINCT FROM {trimmed} THEN {pseudonym_sql(trimmed)} ELSE {trimmed} END"


BLANKS_SQL: Final = "concat(' ', chr(9), chr(10), chr(11), chr(12), chr(13))"


def _padded(mask: int) -> str:
    """SQL of the key with every byte combined with the mask."""
    return f"getvariable('{KEY_VARIABLE}_{mask:02x}')"


def _replaced(text: str, pattern: Pattern) -> str:
    return f"regexp_replace({text}, {quoted(pattern.regex)}, {quoted(pattern.replacement)}, 'g')"


def _checked(text: str, pattern: Pattern) -> str:
    """SQL of the three steps of a pattern with a check digit: mark, replace what passes the test of Luhn, take the marks away."""
    marked = _marked(text, pattern)
    doubled = "CASE WHEN i % 2 = 1 THEN d ELSE 2 * d - 9 * CAST(d > 4 AS INTEGER) END"
    digit = f"list_transform([CAST(n[i] AS INTEGER)], lambda d: {doubled})[1]"
    digits = "reverse(regexp_replace(m, '[^0-9]', '', 'g'))"
    total = (
        f"list_transform([{digits}], lambda n: list_sum(list_transform(range(1, length(n) + 1), lambda i: {digit})))[1]"
    )
    passing = f"list_filter(regexp_extract_all(x, {quoted(MARKED)}), lambda m: {total} % 10 = 0)"
    replaced = f"list_reduce({passing}, lambda t, m: replace(t, m, {quoted(pattern.replacement)}), x)"
    return f"list_transform([{marked}], lambda x: regexp_replace({replaced}, {quoted(MARKED)}, '\\1', 'g'))[1]"


def _marked(text: str, pattern: Pattern) -> str:
    between = f"\\1{MARKS[0]}\\2{MARKS[1]}"
    return f"regexp_replace({text}, {quoted(pattern.regex)}, {quoted(between)}, 'g')"
