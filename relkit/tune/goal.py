"""What is wanted, in a sentence a person can read: "cheapest with success >= 98 % and p95 <= 2 s in every scenario"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from relkit.exceptions import ParameterError
from relkit.tune.measures import NAMES, measure
from relkit.units import duration, percent

EVERY: Final = "every scenario"

_BEST: Final = {
    "cheapest": "usd_per_answer",
    "most successful": "success",
    "fastest": "p95_s",
    "quickest to detect": "detection_s",
    "quickest to recover": "recovery_s",
    "least wasteful": "wasted_per_1k",
}
_WORDS: Final = {
    "success": "success", "p50": "p50_s", "p95": "p95_s", "p99": "p99_s", "goodput": "goodput_per_s",
    "wasted calls": "wasted_per_1k", "detection": "detection_s", "detection calls": "detection_calls",
    "detected": "detected", "recovery": "recovery_s", "amplification": "amplification", "cost": "usd_per_answer",
    "lost calls": "bad_before_opening", "budget spent": "budget_spent_share", **{name: name for name in NAMES},
}  # fmt: skip
_UNITS: Final = {
    "share": {"": 1.0, "%": 0.01},
    "s": {"s": 1.0, "ms": 0.001, "min": 60.0},
    "usd": {"$": 1.0, "usd": 1.0},
    "calls": {"": 1.0, "calls": 1.0, "per 1k": 1.0},
    "factor": {"": 1.0},
    "per_s": {"": 1.0, "per s": 1.0},
}
_AT_LEAST: Final = (">=", "≥", "at least")
_AT_MOST: Final = ("<=", "≤", "at most")
_LIMIT: Final = re.compile(
    r"(?P<name>[a-z][a-z0-9_ ]*?)\s*(?P<sign>>=|<=|≥|≤|at least|at most)\s*(?P<dollar>\$?)\s*"
    r"(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)\s*(?P<unit>%|\$|[a-z]+(?: [a-z0-9]+)?)?(?:\s+in\s+(?P<where>.+))?"
)
_EXAMPLE: Final = "cheapest with success >= 98 % and p95 <= 2 s in every scenario"


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound that a measure's mean must keep.

    Parameters
    ----------
    measure : str
        Its name.
    value : float
        In the measure's unit; shares in [0, 1].
    at_least : bool
        Whether the mean must be at least that, rather than at most.
    scenarios : tuple of str
        Where it holds; empty for every scenario that has such a thing to measure.

    Examples
    --------
    >>> str(Limit("success", 0.98, at_least=True)), str(Limit("p95_s", 2.0, at_least=False, scenarios=("outage",)))
    ('success >= 98 %', 'p95 <= 2 s in outage')
    """

    measure: str
    value: float
    at_least: bool
    scenarios: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        measure(self.measure)
        if not 0.0 <= self.value < float("inf"):
            raise ParameterError.of(str(self.measure), self.value, "a finite number from 0", "give the bound")
        if measure(self.measure).more_is_better != self.at_least:
            sign = ">=" if measure(self.measure).more_is_better else "<="
            raise ParameterError.of(self.measure, "a bound on its good side", f"{sign}", "turn the comparison round")

    def __str__(self) -> str:
        where = f" in {', '.join(self.scenarios)}" if self.scenarios else ""
        return f"{short(self.measure)} {'>=' if self.at_least else '<='} {said(self.measure, self.value)}{where}"


@dataclass(frozen=True, slots=True)
class Goal:
    """What the best setting is: the best in one measure, averaged over the scenarios, among those that keep limits.

    Parameters
    ----------
    best_in : str
        The measure.
    limits : tuple of Limit
        What every choice must keep.

    Examples
    --------
    >>> goal = Goal.parse("cheapest with success >= 98 % and p95 <= 2 s in every scenario")
    >>> goal.best_in, [limit.value for limit in goal.limits]
    ('usd_per_answer', [0.98, 2.0])
    >>> str(Goal.parse("fastest with success at least 99.5 % in healthy, gray"))
    'fastest with success >= 99.5 % in healthy, gray'
    """

    best_in: str
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        measure(self.best_in)

    @classmethod
    def parse(cls, text: str) -> "Goal":
        """Read a goal from a sentence.

        Parameters
        ----------
        text : str
            A first word (cheapest, most successful, fastest, quickest to detect, quickest to recover, least wasteful, or
            "lowest" or "highest" and a measure); then, if wanted, "with" and limits joined by "and". A limit is a
            measure, >= or <= (also "at least", "at most"), a number and its unit, and "in" with names of scenarios. What
            the last limit says about scenarios holds for those before it that say nothing.

        Raises
        ------
        ParameterError
            For what cannot be read, with what can.
        """
        words = " ".join(text.lower().split()).rstrip(".")
        head, _, tail = words.partition(" with ")
        parts = [part.strip() for part in tail.split(" and ")] if tail else []
        read = [_read_limit(part) for part in parts]
        default = (read[-1][1] or ()) if read else ()
        limits = tuple(replace(limit, scenarios=default if where is None else where) for limit, where in read)
        return cls(_read_best(head), limits)

    def __str__(self) -> str:
        names = {name: word for word, name in reversed(_BEST.items())}
        way = "highest" if measure(self.best_in).more_is_better else "lowest"
        best = names.get(self.best_in, f"{way} {short(self.best_in)}")
        return f"{best} with {' and '.join(map(str, self.limits))}" if self.limits else best

    def check_scenarios(self, names: Sequence[str]) -> None:
        """Refuse limits in scenarios that are not there.

        Raises
        ------
        ParameterError
            For the first.
        """
        for limit in self.limits:
            for name in limit.scenarios:
                if name not in names:
                    raise ParameterError.of("scenario", name, ", ".join(names), f"use one of these names in {limit}")


def short(name: str) -> str:
    """Return the word for a measure in sentences.

    >>> short("p95_s"), short("usd_per_answer")
    ('p95', 'cost')
    """
    return next(word for word, its in _WORDS.items() if its == name)


def said(name: str, value: float) -> str:
    """Write a value of a measure as people read it.

    >>> said("success", 0.9912), said("usd_per_answer", 0.00013)
    ('99.12 %', '$130 per million')
    """
    unit = measure(name).unit
    if unit == "share":
        text = percent(value, 2)
        return text.replace(".00", "") if text.endswith(".00 %") else re.sub(r"(\.\d)0( %)$", r"\1\2", text)
    if unit == "s":
        return duration(value)
    if unit == "usd":
        return f"${value:.4g}" if value >= 0.01 or value == 0.0 else f"${value * 1e6:.4g} per million"
    return f"{value:.4g}"


def _read_best(head: str) -> str:
    head = head.strip()
    if head in _BEST:
        return _BEST[head]
    way, _, rest = head.partition(" ")
    if way in {"lowest", "highest"} and rest in _WORDS:
        name = _WORDS[rest]
        if measure(name).more_is_better != (way == "highest"):
            raise ParameterError.of("goal", head, "the good side of a measure", f"say {_other(way)} {rest}")
        return name
    return _refuse(head, f"{', '.join(_BEST)}, or lowest / highest and a measure")


def _other(way: str) -> str:
    return "highest" if way == "lowest" else "lowest"


def _read_limit(part: str) -> tuple[Limit, tuple[str, ...] | None]:
    """Read a limit, and where it holds: None where it does not say, () for every scenario."""
    found = _LIMIT.fullmatch(part)
    if found is None:
        _refuse(part, "a measure, >= or <=, a number with its unit, such as p95 <= 2 s")
    name = found["name"].strip()
    if name not in _WORDS:
        _refuse(name, ", ".join(dict.fromkeys(_WORDS)))
    its = measure(_WORDS[name])
    unit = found["dollar"] or found["unit"] or ""
    if unit not in _UNITS[its.unit]:
        _refuse(part, f"{name} in {' or '.join(each or 'plain numbers' for each in _UNITS[its.unit])}")
    # through the text, so that 98 % is the float 0.98
    value = (
        float(found["number"]) * _UNITS[its.unit][unit]
        if unit != "%"
        else float(f"{float(found['number']) / 100:.12g}")
    )
    if its.name == "success" and value > 1.0:
        _refuse(part, "a share up to 100 %")
    where: tuple[str, ...] | None = None
    if found["where"] is not None:
        named = found["where"].strip()
        where = () if named in {EVERY, "all scenarios"} else tuple(each.strip() for each in named.split(","))
    return Limit(its.name, value, found["sign"] in _AT_LEAST), where


def _refuse(got: str, allowed: str) -> NoReturn:
    raise ParameterError.of("goal", got, allowed, f'write e.g. "{_EXAMPLE}"')
