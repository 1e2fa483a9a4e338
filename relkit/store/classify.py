"""Kinds of the stored fingerprints: classified once per rule set, joined ever after."""

from typing import Final

from duckdb import DuckDBPyConnection

from relkit.errors import RuleSet, Signals, classify, load_rules
from relkit.errors.signals import SIGNAL_FIELDS

_KINDS: Final = "kinds_of_errors"


def classify_new(connection: DuckDBPyConnection, rules: RuleSet | None = None) -> int:
    """Classify every fingerprint that this rule set has not seen, and store the answers.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Open for writing.
    rules : RuleSet, optional
        Default: the packaged rules.

    Returns
    -------
    int
        Fingerprints classified now.
    """
    chosen = rules or load_rules()
    answers = _classified(connection, chosen)
    if answers:
        connection.executemany(
            "INSERT INTO classifications VALUES (?, ?, ?, ?, ?)", [[chosen.hash, *answer] for answer in answers]
        )
    return len(answers)


def kinds_table(connection: DuckDBPyConnection, rules: RuleSet | None = None) -> str:
    """Make the temporary table fp, kind for this connection, once, and name it.

    A reader may meet a file that was written with older rules: what is missing is classified in memory.
    """
    there = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [_KINDS]).fetchone()
    if there and there[0]:
        return _KINDS
    chosen = rules or load_rules()
    connection.execute(
        f"CREATE TEMP TABLE {_KINDS} AS SELECT fp, kind FROM classifications WHERE ruleset = ?", [chosen.hash]
    )
    answers = _classified(connection, chosen)
    if answers:
        connection.executemany(f"INSERT INTO {_KINDS} VALUES (?, ?)", [answer[:2] for answer in answers])
    return _KINDS


def _classified(connection: DuckDBPyConnection, rules: RuleSet) -> list[tuple[int, str, str, str]]:
    rows = connection.execute(
        f"SELECT fp, {', '.join(SIGNAL_FIELDS)} FROM fingerprints "
        "WHERE fp NOT IN (SELECT fp FROM classifications WHERE ruleset = ?) ORDER BY fp",
        [rules.hash],
    ).fetchall()
    found = []
    for fp, *signals in rows:
        answer = classify(Signals(*signals), rules)
        found.append((fp, answer.kind.value, answer.rule, str(answer.evidence)))
    return found
