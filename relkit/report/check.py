"""`relkit check`: how far the rules know the errors of a database, and whether that is far enough."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from relkit.errors import ErrorKind, Evaluation, RuleSet, evaluate, load_rules
from relkit.exceptions import DataError, ParameterError
from relkit.period import EVERYTHING, period_of
from relkit.store import open_store, readings
from relkit.units import count, percent, several

_MOST_LINES: Final = 5


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found.

    Parameters
    ----------
    database : Path
        What was checked, all of it.
    ruleset : str
        Hash of the rules.
    found : Evaluation
        What the rules make of its errors.
    max_unknown : float
        Largest share of failed attempts that may be unknown.
    """

    database: Path
    ruleset: str
    found: Evaluation
    max_unknown: float

    @property
    def unknown(self) -> int:
        """Failed attempts that no rule knows."""
        return sum(row.attempts for row in self.found.kinds if row.kind is ErrorKind.UNKNOWN)

    @property
    def attempts(self) -> int:
        """All failed attempts."""
        return self.found.counts.failed_attempts

    @property
    def unknown_share(self) -> float:
        """Share of failed attempts that no rule knows; 0 where nothing failed."""
        return self.unknown / self.attempts if self.attempts else 0.0

    @property
    def is_broken(self) -> bool:
        """Whether more is unknown than may be."""
        return self.unknown_share > self.max_unknown

    @property
    def lines(self) -> list[str]:
        """The finding as text."""
        known = f"{percent(self.unknown_share)} of {several(self.attempts, 'failed attempt')} are unknown ({count(self.unknown)})"
        lines = [f"{self.database}: {known}; up to {percent(self.max_unknown)} may be"]
        lines += [f"  {row.signal}: {count(row.attempts)} ({percent(row.share, 1)})" for row in self.found.coverage]
        for rule in self.found.unknown[:_MOST_LINES]:
            what = f"when = {{ {rule.when} }}" if rule.when else "nothing to go by: log a class or a code"
            lines.append(f"  to write: {several(rule.attempts, 'attempt')}, {what}")
        if len(self.found.unknown) > _MOST_LINES:
            lines.append(f"  and {several(len(self.found.unknown) - _MOST_LINES, 'more rule')} to write")
        if self.is_broken:
            lines.append(f"guardrail broken: more than {percent(self.max_unknown)} unknown")
        return lines

    @property
    def record(self) -> dict[str, Any]:
        """The finding as plain values."""
        return {
            "database": str(self.database),
            "ruleset": self.ruleset,
            "failed_attempts": self.attempts,
            "unknown_attempts": self.unknown,
            "unknown_share": self.unknown_share,
            "max_unknown": self.max_unknown,
            "is_broken": self.is_broken,
            "coverage": {row.signal: row.attempts for row in self.found.coverage},
            "to_write": [
                {"when": rule.when, "attempts": rule.attempts, "requests": rule.requests} for rule in self.found.unknown
            ],
        }


def check_errors(database: Path, max_unknown: float, rules: RuleSet | None = None) -> Check:
    """Hold the rules against all errors of a database.

    Parameters
    ----------
    database : Path
        The file.
    max_unknown : float
        Largest share of failed attempts, in [0, 1], that may be unknown.
    rules : RuleSet or None
        Table of rules; None for relkit's own.

    Returns
    -------
    Check

    Raises
    ------
    ParameterError
        The share is out of range.
    DataError
        No attempt of the database tells its outcome, so there is nothing to check.
    """
    if not 0 <= max_unknown <= 1:  # also refuses NaN
        raise ParameterError.of("--max-unknown", max_unknown, "a share from 0 to 1", "write 0.05 for 5 %")
    with open_store(database) as store:
        counts = readings.fingerprint_counts(store, period_of(EVERYTHING))
    table = load_rules() if rules is None else rules
    found = evaluate(counts, rules=table, max_unknown_share=max_unknown)
    if found.verdict.code == "INVALID":
        raise DataError(f"{database}: {found.verdict.sentence} Ingest a log that tells outcomes or statuses")
    return Check(database, table.hash, found, max_unknown)
