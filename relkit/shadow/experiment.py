"""One shadow experiment, added up, and the judgement on it."""

from dataclasses import dataclass
from typing import Final

from relkit.shadow.gate import judge
from relkit.shadow.missing import MissingAnswers
from relkit.shadow.paired import PairCounts
from relkit.shadow.sessions import SessionSums
from relkit.verdict import Verdict

DEFAULT_MARGIN: Final = 0.01
"""One percentage point: the loss an experiment may have when relkit.toml says nothing."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment as the judge takes it.

    Parameters
    ----------
    name, primary_variant, shadow_variant : str
        What was compared.
    counts : PairCounts
        Pairs, a missing answer counted as a failure of its arm.
    sums : SessionSums or None
        The same by session; None when the log names no sessions.
    missing : MissingAnswers
        Pairs that lack an answer.
    eligible, mirrored, answered, compared : int
        The funnel: rows that reached at least this state.
    duplicates : int
        Pair ids that came more than once.
    baseline : PairCounts or None
        A/A/B: both differ, only A/A differs, only the shadow differs, neither; None when no baseline was run.
    primary_first_share : float or None
        Share of pairs in which the primary ran first; None when not told.
    first_us, last_us : int or None
        First and last pair; None without a clock.
    """

    name: str
    primary_variant: str
    shadow_variant: str
    counts: PairCounts
    sums: SessionSums | None
    missing: MissingAnswers
    eligible: int
    mirrored: int
    answered: int
    compared: int
    duplicates: int
    baseline: PairCounts | None
    primary_first_share: float | None
    first_us: int | None
    last_us: int | None


def judge_experiment(
    found: Experiment | None, margin: float, level: float = 0.95, period: str = "this period"
) -> Verdict:
    """Decide whether the shadow may go live; where none ran there is nothing to decide.

    Parameters
    ----------
    found : Experiment or None
        None when the period holds no pair.
    margin : float
        Loss that is still acceptable, a share in [0, 1).
    level : float
        Confidence level.
    period : str
        Named in the sentence when there is nothing.

    Examples
    --------
    >>> judge_experiment(None, 0.01, period="2026-W47").sentence
    'No shadow ran in 2026-W47.'
    """
    if found is None:
        # "all" is the label of everything
        when = "the whole log" if period == "all" else period
        return Verdict(
            "shadow",
            "INCONCLUSIVE",
            f"No shadow ran in {when}.",
            why_not="There are no pairs.",
            would_change="Pairs: `relkit ingest FILE --as pairs`.",
        )
    return judge(
        found.counts,
        found.sums,
        margin=margin,
        level=level,
        missing_shadow=found.missing.shadow,
        missing_primary=found.missing.primary,
        duplicates=found.duplicates,
    )
