"""The space of settings to search: typed ranges of a policy's settings, and fixed policies beside them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from scipy.stats import qmc

from relkit.exceptions import ParameterError
from relkit.policies.policy import Policy
from relkit.policies.presets import changed

_MOST_POINTS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Linear:
    """Every number from `low` to `high`, evenly.

    >>> Linear(0.1, 0.9).at(0.5)
    0.5
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_ends("Linear", self.low, self.high)

    def at(self, share: float) -> float:
        """Return the value at a share of the range in [0, 1], to four digits."""
        return min(max(float(f"{self.low + (self.high - self.low) * share:.4g}"), self.low), self.high)


@dataclass(frozen=True, slots=True)
class Log:
    """Every number from `low` to `high`, each doubling alike: for times and sizes.

    >>> Log(1.0, 100.0).at(0.5)
    10.0
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_ends("Log", self.low, self.high)
        if self.low <= 0.0:
            raise ParameterError.of("Log.low", self.low, "a number above 0", "use Linear for a range that begins at 0")

    def at(self, share: float) -> float:
        """Return the value at a share of the range in [0, 1], to three digits: more would be for show."""
        exact = self.low * math.exp(math.log(self.high / self.low) * share)
        return min(max(float(f"{exact:.3g}"), self.low), self.high)


@dataclass(frozen=True, slots=True)
class Whole:
    """Every whole number from `low` to `high`, evenly or each doubling alike.

    >>> [Whole(2, 5).at(share) for share in (0.0, 0.3, 0.99)], Whole(1, 1000, log=True).at(0.5)
    ([2, 3, 5], 31)
    """

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if isinstance(end, bool) or not isinstance(end, int):
                raise ParameterError.of("Whole", end, "whole numbers", "use Linear or Log for others")
        _check_ends("Whole", self.low, self.high)
        if self.log and self.low < 1:
            raise ParameterError.of("Whole.low", self.low, "a whole number from 1 with log", "leave log out")

    def at(self, share: float) -> int:
        """Return the value at a share of the range in [0, 1]; every whole number has its part of the range."""
        if not self.log:
            return min(self.low + int((self.high - self.low + 1) * share), self.high)
        return min(int(self.low * math.exp(math.log((self.high + 1) / self.low) * share) + 1e-9), self.high)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several values: words, numbers or truth values.

    >>> OneOf(("full", "equal")).at(0.7)
    'equal'
    """

    values: tuple[Any, ...]

    def __init__(self, values: Iterable[Any]) -> None:
        object.__setattr__(self, "values", tuple(values))
        if len(self.values) < 2 or len(set(self.values)) < len(self.values):
            raise ParameterError.of("OneOf", self.values, "at least two different values", "fix a setting in the base")

    def at(self, share: float) -> Any:
        """Return the value at a share of the range in [0, 1]."""
        return self.values[min(int(len(self.values) * share), len(self.values) - 1)]


Range = Linear | Log | Whole | OneOf


def _check_ends(name: str, low: float, high: float) -> None:
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise ParameterError.of(name, end, "finite numbers", "give the two ends of the range")
    if not low < high:
        raise ParameterError.of(
            name, (low, high), "low < high", "give the smaller end first; fix a setting in the base"
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One setting of a policy that may be chosen.

    Parameters
    ----------
    name : str
        `#12` for a point of a design, the policy's own name for a fixed one.
    policy : Policy
        The settings.
    values : tuple of (str, value)
        The searched settings and their values; empty for a fixed policy.
    shares : tuple of float
        The place of each value in its range, in [0, 1].

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> Candidate.fixed(presets["polly-8"]).name
    'polly-8'
    """

    name: str
    policy: Policy
    values: tuple[tuple[str, Any], ...] = ()
    shares: tuple[float, ...] = ()

    @classmethod
    def fixed(cls, policy: Policy) -> "Candidate":
        """Take a policy as it is."""
        return cls(policy.name, policy)

    @property
    def is_fixed(self) -> bool:
        """Whether it is a policy as it came rather than a point of a design."""
        return not self.values


@dataclass(frozen=True, slots=True)
class Design:
    """The candidates of a space.

    Parameters
    ----------
    candidates : tuple of Candidate
        Points first, then the fixed policies; no two have the same settings.
    refused : tuple of (str, str)
        Points that no policy can have, and why; they are left out.
    repeated : int
        Points left out because an earlier one has the same settings.
    """

    candidates: tuple[Candidate, ...]
    refused: tuple[tuple[str, str], ...] = ()
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Space:
    """Ranges of a policy's settings, and fixed policies as further candidates.

    Parameters
    ----------
    base : Policy
        Where every setting that is not searched comes from.
    ranges : mapping of str to Range
        For each setting its range: Linear, Log, Whole or OneOf. Names of the breaker, the retries or the RetryBudget.
    fixed : sequence of Policy
        Candidates as they are: presets, today's setting.

    Raises
    ------
    ParameterError
        For a setting the base does not have, a range of another type than the setting, or a value it refuses at an end.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> space = Space(presets["pybreaker"], {"failure_threshold": Whole(2, 20), "open_s": Log(5.0, 120.0)})
    >>> [len(space.design(points=8).candidates), space.design(points=8).candidates[0].values]
    [8, (('failure_threshold', 4), ('open_s', 32.5))]
    """

    base: Policy
    ranges: Mapping[str, Range]
    fixed: tuple[Policy, ...] = ()

    def __init__(self, base: Policy, ranges: Mapping[str, Range], fixed: Sequence[Policy] = ()) -> None:
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "ranges", MappingProxyType(dict(ranges)))
        object.__setattr__(self, "fixed", tuple(fixed))
        if not self.ranges:
            allowed = "at least one setting with its range"
            raise ParameterError.of("ranges", {}, allowed, 'give e.g. {"open_s": Log(5.0, 120.0)}')
        for name, its in self.ranges.items():
            if not isinstance(its, Linear | Log | Whole | OneOf):
                raise ParameterError.of(name, its, "Linear, Log, Whole or OneOf", "give the range by one of these")
            self._check_range(name, its)

    def _check_range(self, name: str, its: Range) -> None:
        changed(self.base, **{name: _setting(self.base, name)})  # refuses a name that the base does not have
        present = _setting(self.base, name)
        if isinstance(present, bool) != (isinstance(its, OneOf) and all(isinstance(v, bool) for v in its.values)):
            if isinstance(present, bool):
                raise ParameterError.of(name, its, "OneOf((False, True))", "it is a truth value")
            raise ParameterError.of(name, its, "no truth values", "give numbers or words")
        if isinstance(present, int) and not isinstance(present, bool) and isinstance(its, Linear | Log):
            raise ParameterError.of(name, its, "Whole or OneOf", "it is a whole number")

    def candidate(self, name: str, shares: Sequence[float]) -> Candidate:
        """Return the point at a place of the unit cube, one share for each range in order.

        Raises
        ------
        ParameterError
            When no policy can have these settings together.
        """
        values = tuple((key, its.at(share)) for (key, its), share in zip(self.ranges.items(), shares, strict=True))
        return Candidate(name, changed(self.base, **dict(values)), values, tuple(float(share) for share in shares))

    def design(self, points: int = 512, seed: int = 1) -> Design:
        """Return a scrambled Sobol design of the ranges, and the fixed policies.

        Parameters
        ----------
        points : int
            A power of two up to 65,536: only then is every part of the space met equally.
        seed : int
            Of the scrambling.

        Raises
        ------
        ParameterError
            For a number of points that is no power of two, or a space more than half of which no policy can have.

        References
        ----------
        A. B. Owen, Scrambling Sobol' and Niederreiter-Xing points, J. Complexity 14 (1998).
        """
        if (
            isinstance(points, bool)
            or not isinstance(points, int)
            or points < 1
            or points & (points - 1)
            or points > _MOST_POINTS
        ):
            near = 1 << max(round(math.log2(points)), 0) if isinstance(points, int | float) and points >= 1 else 512
            raise ParameterError.of("points", points, f"a power of two up to {_MOST_POINTS}", f"take e.g. {near}")
        sobol = qmc.Sobol(len(self.ranges), scramble=True, seed=seed)
        places = sobol.random_base2(points.bit_length() - 1)
        found: dict[str, Candidate] = {}
        refused: list[tuple[str, str]] = []
        for number, place in enumerate(places):
            try:
                point = self.candidate(f"#{number}", place.tolist())
            except ParameterError as error:
                refused.append((f"#{number}", str(error)))
                continue
            found.setdefault(point.policy.hash, point)
        if len(refused) > points // 2:
            allowed = "a space at least half of which some policy can have"
            raise ParameterError.of("ranges", f"{len(refused)} of {points} refused", allowed, f"first: {refused[0][1]}")
        repeated = points - len(refused) - len(found)
        for policy in self.fixed:
            found[policy.hash] = Candidate.fixed(policy)  # its name tells more than a number
        return Design(tuple(found.values()), tuple(refused), repeated)


def _setting(policy: Policy, name: str) -> Any:
    """Return the present value of a setting, looked for as `changed` does; None where nothing has it."""
    parts = (policy.breaker, None if policy.retry is None else policy.retry.transient, policy.retry_budget)
    return next((getattr(part, name) for part in parts if part is not None and hasattr(part, name)), None)


def as_candidates(what: "Space | Design | Iterable[Policy | Candidate]", points: int = 512) -> tuple[Candidate, ...]:
    """Return the candidates of whatever names them.

    Parameters
    ----------
    what : Space, Design, or iterable of Policy or Candidate
        A space stands for its design of `points` points.
    points : int
        Of the design of a space.

    Raises
    ------
    ParameterError
        For no candidate, or two of the same settings.
    """
    if isinstance(what, Space):
        what = what.design(points)
    given = what.candidates if isinstance(what, Design) else what
    found = tuple(each if isinstance(each, Candidate) else Candidate.fixed(each) for each in given)
    if not found:
        raise ParameterError.of("candidates", found, "at least one policy", "give a Space, or policies such as presets")
    seen: dict[str, str] = {}
    for each in found:
        before = seen.setdefault(each.policy.hash, each.name)
        if before != each.name:
            allowed = "different settings"
            raise ParameterError.of(
                "candidates", f"{before} and {each.name}", allowed, "leave one out: they are the same"
            )
    return found
