"""Kinds of the stored fingerprints: classified once per rule set, joined ever after.

Rows are never classified one by one: a log of ten million rows holds a few hundred distinct errors.
"""

from typing import Final

from duckdb import DuckDBPyConnection

from relkit.errors import RuleSet, Signals, classify, load_rules
from relkit.errors.rules.written import rules_text
from relkit.errors.signals import SIGNAL_FIELDS
from relkit.store.rules_sql import classified_sql

# Planning the CASE costs as much as classifying this many fingerprints in Python; both give the same kinds.
CASE_PAYS_FROM: Final = 5_000


def classify_new(connection: DuckDBPyConnection, rules: RuleSet | None = None) -> int:
    """Classify every fingerprint that this rule set has not seen, and store the answers, with the rules that gave them.

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
    answers = _answers(connection, chosen)
    if answers:
        connection.execute("INSERT OR IGNORE INTO rulesets VALUES (?, ?)", [chosen.hash, rules_text(chosen)])
        connection.execute(
            f"INSERT INTO classifications SELECT '{chosen.hash}', unnest(?), unnest(?), unnest(?), unnest(?)",
            [list(column) for column in zip(*answers, strict=True)],
        )
    return len(answers)


def kinds_table(connection: DuckDBPyConnection, rules: RuleSet | None = None) -> str:
    """Make the temporary table fp, kind of a rule set for this connection, once, and name it.

    A reader may meet a file that was written with other rules: what is missing is classified in memory.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Open for reading or writing.
    rules : RuleSet, optional
        Default: the packaged rules.
    """
    chosen = rules or load_rules()
    name = f"kinds_{chosen.hash}"
    there = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [name]).fetchone()
    if there and there[0]:
        return name
    missing = connection.execute(f"SELECT count(*) FROM fingerprints WHERE {_not_stored(chosen)}").fetchone()
    connection.execute(
        f"CREATE TEMP TABLE {name} AS SELECT fp, kind FROM classifications WHERE ruleset = '{chosen.hash}'"
    )
    if missing and missing[0] >= CASE_PAYS_FROM:
        source = f"(SELECT * FROM fingerprints WHERE {_not_stored(chosen)})"
        connection.execute(f"INSERT INTO {name} SELECT fp, kind FROM ({classified_sql(chosen, source)})")
    elif answers := _answers(connection, chosen):
        fps, kinds, _, _ = zip(*answers, strict=True)
        connection.execute(f"INSERT INTO {name} SELECT unnest(?), unnest(?)", [list(fps), list(kinds)])
    return name


def _not_stored(rules: RuleSet) -> str:
    return f"fp NOT IN (SELECT fp FROM classifications WHERE ruleset = '{rules.hash}')"


def _answers(connection: DuckDBPyConnection, rules: RuleSet) -> list[tuple[int, str, str, str]]:
    rows = connection.execute(
        f"SELECT fp, {', '.join(SIGNAL_FIELDS)} FROM fingerprints WHERE {_not_stored(rules)} ORDER BY fp"
    ).fetchall()
    found = []
    for fp, *signals in rows:
        answer = classify(Signals(*signals), rules)
        found.append((fp, answer.kind.value, answer.rule, answer.evidence))
    return found
