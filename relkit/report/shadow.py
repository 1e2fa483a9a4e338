"""What the pages and commands need of shadow experiments: read in one visit, judged by relkit.toml."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relkit.exceptions import DataError, ParameterError
from relkit.report.scope import Scope
from relkit.shadow.characteristics import Characteristic, operating_characteristics
from relkit.shadow.decide import Decision, Rules, decide, verdict_of
from relkit.shadow.disagreement import Disagreement
from relkit.shadow.naive import Said, naive_rules
from relkit.shadow.protocol import Check, check_protocol, read_protocol
from relkit.shadow.study import Study
from relkit.store import Store, open_store, readings
from relkit.verdict import Verdict

SEED: Final = 20251008
"""Of simulated rollouts and of the pairs to read: equal logs give equal pages."""
QUIET_FLAGS: Final = ("timeout",)
"""A timeout is told by the missing answer; as a flag it would be counted twice."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One experiment of the period: what it holds, its verdict, and what threshold rules would have said."""

    study: Study
    verdict: Verdict
    said: tuple[Said, ...]


def read_study(scope: Scope) -> Study | None:
    """Add up the experiment asked for, or the one with most pairs; None when the period holds no pair.

    Raises
    ------
    DataError
        The experiment asked for is not in the period.
    """
    with open_store(scope.database, rules=scope.config.rules) as store:
        name = chosen_experiment(store, scope)
        return readings.study(store, scope.period, name, quiet_flags=QUIET_FLAGS) if name else None


def chosen_experiment(store: Store, scope: Scope) -> str:
    """Name the experiment asked for, or the one with most pairs; empty when the period holds none."""
    names = readings.experiments(store, scope.period)
    if scope.experiment and scope.experiment not in names:
        known = ", ".join(names) or "none"
        raise DataError(f"experiment {scope.experiment!r} has no pairs in {scope.period.label}; there are: {known}")
    return scope.experiment or (names[0] if names else "")


def read_experiments(scope: Scope, known: Study | None = None) -> tuple[Judged, ...]:
    """Judge every experiment of the period, most pairs first; `known` has been read already and is not read again."""
    found = []
    with open_store(scope.database, rules=scope.config.rules) as store:
        for name in readings.experiments(store, scope.period):
            is_known = known is not None and known.experiment.name == name
            found.append(known if is_known else readings.study(store, scope.period, name, quiet_flags=QUIET_FLAGS))
    return tuple(Judged(study, judge_shadow(scope, study), naive_rules(study)) for study in found if study is not None)


def rules_of(scope: Scope, study: Study | None) -> Rules:
    """Return what an experiment is held to: from relkit.toml, else the packaged margins."""
    plan = scope.config.shadow.get(study.experiment.name) if study else None
    if plan is None:
        return Rules(level=scope.level)
    shares = {} if plan.schedule is None else dict(enumerate(plan.schedule.share, start=1))
    return Rules(margins=plan.margins, level=scope.level, shares=shares)


def judge_shadow(scope: Scope, study: Study | None) -> Verdict:
    """Judge an experiment by its margins, at the end of the period."""
    return verdict_of(study, rules_of(scope, study), scope.period.label)


def decide_shadow(scope: Scope, study: Study | None, *, anytime: bool = False) -> Decision:
    """Decide with every guardrail."""
    return decide(study, rules_of(scope, study), anytime=anytime)


def checks_of(scope: Scope, study: Study | None, protocol: str) -> tuple[Check, ...]:
    """Check an experiment against its registered protocol; empty when there is none.

    Raises
    ------
    ParameterError
        The file cannot be read.
    DataError
        It is no protocol, or was changed.
    """
    if not protocol:
        return ()
    try:
        text = Path(protocol).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{protocol}: cannot be read ({error}); name the protocol that was registered") from None
    return check_protocol(read_protocol(text), study, rules_of(scope, study))


def read_disagreements(scope: Scope, study: Study | None, seed: int = SEED, each: int = 3) -> tuple[Disagreement, ...]:
    """Draw pairs to read, the same for the same seed."""
    if study is None:
        return ()
    with open_store(scope.database, rules=scope.config.rules) as store:
        return readings.disagreements(store, scope.period, study.experiment.name, seed=seed, each=each)


def characteristics_of(scope: Scope, study: Study | None, seed: int = SEED) -> tuple[Characteristic, ...]:
    """Simulate how often each rule stops a healthy shadow and misses a harmful one, on the experiment's own sessions."""
    if study is None:
        return ()
    return operating_characteristics(
        study.sample, rules_of(scope, study), primary_mean_us=study.primary_us.mean() or 0.0, seed=seed
    )
