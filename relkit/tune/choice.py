"""The Choice: what to set, what it buys against today's setting, and how sure that is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from relkit.batch import Batch
from relkit.exceptions import ParameterError
from relkit.policies.codes import CHOICES
from relkit.policies.policy import Policy
from relkit.tune.goal import Goal
from relkit.tune.judge import Relaxation
from relkit.tune.measures import Measured
from relkit.verdict import Verdict

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  compared with a time made naive
_SHOWN: Final = 4  # changes that a sentence names
_PARTS: Final = ("breaker", "retry", "retry_budget", "fallback", "freshness")


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that changes.

    Parameters
    ----------
    setting : str
        Its path, such as `breaker.open_s`.
    today, chosen : value
        Before and after; None where the part is not there.

    Examples
    --------
    >>> str(Change("breaker.open_s", 60.0, 20.0))
    'open_s from 60 to 20'
    """

    setting: str
    today: Any
    chosen: Any

    def __str__(self) -> str:
        name = self.setting.rpartition(".")[2]
        return f"{name} from {worded(name, self.today)} to {worded(name, self.chosen)}"


@dataclass(frozen=True, slots=True)
class Gain:
    """What the choice buys against today's setting, on common seeds.

    Parameters
    ----------
    measure : str
        The goal's measure.
    value, low, high : float
        Difference of the means over the scenarios, better above 0, and its interval.
    level : float
        Confidence level.
    n : int
        Seeds.
    success, success_low, success_high : float
        The same for the share of requests answered.
    usd_a_month, usd_low, usd_high : float or None
        By how much the month's bill falls, in dollars; below 0 it rises, as it does where more is answered. None without
        prices or without a number of requests.
    """

    measure: str
    value: float
    low: float
    high: float
    level: float
    n: int
    success: float
    success_low: float
    success_high: float
    usd_a_month: float | None = None
    usd_low: float | None = None
    usd_high: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What tuning ends with.

    Parameters
    ----------
    verdict : Verdict
        RECOMMENDED or REFUSED, and why.
    goal : Goal
        What was wanted.
    sweep_id : str
        The sweep it rests on, with the hash of the code.
    name : str
        The chosen candidate; of a refusal the best there is, or empty.
    policy : Policy
        The settings to take; of a refusal today's.
    today : Policy
        The settings in force.
    changes : tuple of Change
        What differs between the two.
    p_best : float or None
        Probability that none of the candidates is truly better.
    p_good : float or None
        Probability that none is better by more than `indifference`.
    indifference : float
        Share of the goal's measure below which two settings count as equally good.
    p_keeps : float or None
        Probability that it keeps every limit.
    gain : Gain or None
        Against today's setting.
    regret : tuple of (str, float)
        For each scenario by how much another candidate would be better there.
    measured : tuple of (str, Measured)
        For each scenario the goal's measures of the choice, from fresh seeds alone.
    relaxations : tuple of Relaxation
        Which limits would have to give way, where none can keep them.
    candidates, evaluations : int
        How many were compared, and runs of the whole suite that the selection took.
    """

    verdict: Verdict
    goal: Goal
    sweep_id: str
    name: str
    policy: Policy
    today: Policy
    changes: tuple[Change, ...] = ()
    p_best: float | None = None
    p_good: float | None = None
    indifference: float = 0.0
    p_keeps: float | None = None
    gain: Gain | None = None
    regret: tuple[tuple[str, float], ...] = ()
    measured: tuple[tuple[str, Measured], ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    candidates: int = 0
    evaluations: int = 0

    @property
    def is_recommended(self) -> bool:
        """Whether it may be deployed."""
        return self.verdict.code == "RECOMMENDED"

    @property
    def policy_hash(self) -> str:
        """Hash of the settings to take."""
        return self.policy.hash

    @property
    def worst_regret(self) -> tuple[str, float] | None:
        """Scenario in which another candidate would be better by most, and by how much; None without regrets."""
        return max(self.regret, key=lambda pair: pair[1], default=None)

    def batch(self, as_of: datetime) -> Batch:
        """Return the row for the table `choices`; the settings stand in it as the text of a relkit.toml.

        Parameters
        ----------
        as_of : datetime
            When it was made, with a time zone.

        Raises
        ------
        ParameterError
            For a time without a zone.
        """
        from relkit.config import exported  # noqa: PLC0415  pydantic takes a while to load

        if as_of.tzinfo is None:
            raise ParameterError.of("as_of", as_of, "a time with a zone", "give e.g. datetime.now(UTC)")
        offset = as_of.utcoffset() or timedelta()
        ts = (as_of.replace(tzinfo=None) - offset - _EPOCH) // timedelta(microseconds=1)
        columns: dict[str, list[Any]] = {
            "sweep_id": [self.sweep_id],
            "policy_hash": [self.policy_hash],
            "code": [self.verdict.code],
            "sentence": [self.verdict.sentence],
            "ts": [ts],
            "settings": [exported(self.policy, "relkit").text],
        }
        return Batch("choices", columns)


def changes_of(today: Policy, chosen: Policy) -> tuple[Change, ...]:
    """Return the settings that differ between two policies.

    Examples
    --------
    >>> from relkit.policies.presets import changed, presets
    >>> [str(each) for each in changes_of(presets["pybreaker"], changed(presets["pybreaker"], open_s=20.0))]
    ['open_s from 60 to 20']
    """
    before, after = (dict(_settings(policy)) for policy in (today, chosen))
    names = dict.fromkeys((*before, *after))
    return tuple(
        Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def changes_text(changes: Sequence[Change], today: Policy, chosen: Policy) -> str:
    """Write what to change: the settings where they are few, else the name of the policy to take.

    Examples
    --------
    >>> from relkit.policies.presets import changed, presets
    >>> today, chosen = presets["plan-fixed"], changed(presets["plan-fixed"], first_delay_s=1.0)
    >>> changes_text(changes_of(today, chosen), today, chosen)
    'set first_delay_s from 0.1 or 5 to 1'
    """
    by_name: dict[str, list[Change]] = {}
    for change in changes:
        by_name.setdefault(change.setting.rpartition(".")[2], []).append(change)
    if len(by_name) > _SHOWN and chosen.name != today.name:
        return f"take the settings of {chosen.name}"
    texts = [
        f"{name} from {_several(name, (each.today for each in its))} to {_several(name, (each.chosen for each in its))}"
        for name, its in by_name.items()
    ]
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return f"set {', '.join(texts[:_SHOWN])}{more}"


def _several(setting: str, values: Iterable[Any]) -> str:
    return " or ".join(dict.fromkeys(worded(setting, value) for value in values))


def _settings(policy: Policy) -> list[tuple[str, Any]]:
    return [pair for part in _PARTS for pair in _flat(part, getattr(policy, part))]


def _flat(path: str, value: Any) -> list[tuple[str, Any]]:
    if is_dataclass(value):
        return [pair for each in fields(value) for pair in _flat(f"{path}.{each.name}", getattr(value, each.name))]
    return [(path, value)]


def worded(setting: str, value: Any) -> str:
    """Write the value of a setting: the word where it is one of several, else the number.

    Examples
    --------
    >>> worded("family", 4), worded("open_s", 30.0), worded("open_s", None)
    ('count', '30', 'none')
    """
    if setting in CHOICES and isinstance(value, int):
        return CHOICES[setting][value]
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
