"""Do two answers differ? Rules for what may differ without meaning anything, and the noise of A/A beside it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isclose
from types import MappingProxyType
from typing import Any, Final

from relkit.exceptions import ParameterError

Clean = Callable[[Any], Any]

_STEP: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+|\*)\]|\['([^']*)'\]")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two answers differ.

    Parameters
    ----------
    path : str
        Where, as a JSON path such as `$.slots[0].time`; the place in a list is written `[*]` in `pattern`.
    kind : str
        value, type, missing (the second lacks it), added (the first lacks it) or length.
    first, second : object
        What stands there.
    """

    path: str
    kind: str
    first: Any
    second: Any

    @property
    def pattern(self) -> str:
        """The path without the places in lists: what counts of many answers are kept by."""
        return re.sub(r"\[[0-9]+\]", "[*]", self.path)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What may differ without meaning anything.

    Parameters
    ----------
    ignore : tuple of str
        JSON paths that are not looked at, with everything below: `$.id`, `$.items[*].seen_at`.
    clean : mapping of str to callable
        JSON path to a function that is applied to both sides first, such as `str.casefold`.
    tolerance : mapping of str to float
        JSON path to the relative difference of two numbers that does not count, in [0, 1).
    unordered : tuple of str
        JSON paths of lists whose order does not count.
    action : str
        JSON path of the action; when given, answers are equal when their actions are.

    Raises
    ------
    ParameterError
        A path is none.

    Examples
    --------
    >>> rules = Comparison(ignore=("$.id",), clean={"$.text": str.casefold}, tolerance={"$.price": 0.01})
    >>> rules.differences({"id": 1, "text": "Hi", "price": 100}, {"id": 2, "text": "hi", "price": 100.5})
    ()
    >>> [each.path for each in rules.differences({"price": 100, "slots": [1]}, {"price": 120, "slots": [1, 2]})]
    ['$.price', '$.slots']
    """

    ignore: tuple[str, ...] = ()
    clean: Mapping[str, Clean] = field(default_factory=lambda: MappingProxyType({}))
    tolerance: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    unordered: tuple[str, ...] = ()
    action: str = ""

    def __post_init__(self) -> None:
        for path in (*self.ignore, *self.clean, *self.tolerance, *self.unordered, *filter(None, (self.action,))):
            steps_of(path)
        for path, share in self.tolerance.items():
            if not 0 <= share < 1:
                raise ParameterError.of(
                    f"tolerance of {path}", share, "0 <= tolerance < 1", "give a share: 0.01 is 1 %"
                )

    def differences(self, first: Any, second: Any) -> tuple[Difference, ...]:
        """List where two answers differ, in the order of the first.

        Parameters
        ----------
        first, second : object
            Parsed JSON.
        """
        if self.action:
            a, b = (next(iter(at(answer, self.action)), None) for answer in (first, second))
            return () if a == b and type(a) is type(b) else (Difference(self.action, "value", a, b),)
        return tuple(self._walk((), first, second))

    def differs(self, first: Any, second: Any) -> bool:
        """Say whether two answers differ.

        >>> Comparison(action="$.action").differs({"action": "book", "text": "a"}, {"action": "book", "text": "b"})
        False
        """
        return bool(self.differences(first, second))

    def _walk(self, path: tuple[str | int, ...], first: Any, second: Any) -> Iterator[Difference]:
        if _listed(path, self.ignore):
            return
        for pattern, clean in self.clean.items():
            if _matches(path, pattern):
                first, second = _cleaned(clean, first), _cleaned(clean, second)
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            yield from self._walk_object(path, first, second)
        elif _is_list(first) and _is_list(second):
            yield from self._walk_list(path, first, second)
        elif not self._same(path, first, second):
            kind = "value" if _kind(first) == _kind(second) else "type"
            yield Difference(_written(path), kind, first, second)

    def _walk_object(
        self, path: tuple[str | int, ...], first: Mapping[str, Any], second: Mapping[str, Any]
    ) -> Iterator[Difference]:
        for key in dict.fromkeys([*first, *second]):
            below = (*path, key)
            if _listed(below, self.ignore):
                continue
            if key not in second:
                yield Difference(_written(below), "missing", first[key], None)
            elif key not in first:
                yield Difference(_written(below), "added", None, second[key])
            else:
                yield from self._walk(below, first[key], second[key])

    def _walk_list(
        self, path: tuple[str | int, ...], first: Sequence[Any], second: Sequence[Any]
    ) -> Iterator[Difference]:
        if len(first) != len(second):
            yield Difference(_written(path), "length", len(first), len(second))
            return
        if _listed(path, self.unordered):
            first, second = sorted(first, key=repr), sorted(second, key=repr)
        for place, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from self._walk((*path, place), one, other)

    def _same(self, path: tuple[str | int, ...], first: Any, second: Any) -> bool:
        if _kind(first) != _kind(second):
            return False
        if _kind(first) == "number":
            shares = [share for pattern, share in self.tolerance.items() if _matches(path, pattern)]
            return bool(first == second) or isclose(first, second, rel_tol=max(shares, default=0.0), abs_tol=0.0)
        return bool(first == second)


@dataclass(frozen=True, slots=True)
class Triple:
    """One request answered by the primary twice and by the shadow once.

    Parameters
    ----------
    differs : bool
        The shadow differs from the primary.
    differs_baseline : bool
        The second primary differs from the primary.
    shadow_paths, baseline_paths : frozenset of str
        Where, without places in lists.
    """

    differs: bool
    differs_baseline: bool
    shadow_paths: frozenset[str]
    baseline_paths: frozenset[str]


def compare_triple(rules: Comparison, primary: Any, second: Any, shadow: Any) -> Triple:
    """Compare the shadow, and a second answer of the primary, with the primary.

    Examples
    --------
    >>> triple = compare_triple(Comparison(), {"a": 1, "t": 5}, {"a": 1, "t": 6}, {"a": 2, "t": 7})
    >>> triple.differs, triple.differs_baseline, sorted(triple.shadow_paths - triple.baseline_paths)
    (True, True, ['$.a'])
    """
    to_shadow, to_second = rules.differences(primary, shadow), rules.differences(primary, second)
    return Triple(
        bool(to_shadow),
        bool(to_second),
        frozenset(each.pattern for each in to_shadow),
        frozenset(each.pattern for each in to_second),
    )


@dataclass(frozen=True, slots=True)
class FieldCounts:
    """How often a field differed, over triples: the shadow alone, the second primary alone, both."""

    path: str
    only_shadow: int
    only_baseline: int
    both: int


def field_counts(triples: Iterable[Triple]) -> tuple[FieldCounts, ...]:
    """Count differences by field: a field that differs as often in A/A is noise, whatever its share.

    Examples
    --------
    >>> noisy = Triple(True, True, frozenset({"$.t"}), frozenset({"$.t"}))
    >>> field_counts([noisy, Triple(True, False, frozenset({"$.a"}), frozenset())])[0]
    FieldCounts(path='$.a', only_shadow=1, only_baseline=0, both=0)
    """
    shadow: Counter[str] = Counter()
    baseline: Counter[str] = Counter()
    both: Counter[str] = Counter()
    for triple in triples:
        shadow.update(triple.shadow_paths - triple.baseline_paths)
        baseline.update(triple.baseline_paths - triple.shadow_paths)
        both.update(triple.shadow_paths & triple.baseline_paths)
    return tuple(
        FieldCounts(path, shadow[path], baseline[path], both[path]) for path in sorted({*shadow, *baseline, *both})
    )


def at(answer: Any, path: str) -> Sequence[Any]:
    """Return what stands at a JSON path; `[*]` stands for every place of a list.

    >>> list(at({"slots": [{"t": 1}, {"t": 2}]}, "$.slots[*].t"))
    [1, 2]
    """
    found = [answer]
    for step in steps_of(path):
        below: list[Any] = []
        for one in found:
            if step == "*" and _is_list(one):
                below += one
            elif (isinstance(step, int) and _is_list(one) and step < len(one)) or (
                isinstance(step, str) and isinstance(one, Mapping) and step in one
            ):
                below.append(one[step])
        found = below
    return found


def steps_of(path: str) -> tuple[str | int, ...]:
    """Take a JSON path apart.

    Raises
    ------
    ParameterError
        It is none of `$`, `.name`, `['name']`, `[0]`, `[*]`.

    >>> steps_of("$.items[*]['a b'][0]")
    ('items', '*', 'a b', 0)
    """
    steps: list[str | int] = []
    place = 1
    if path.startswith("$"):
        while found := _STEP.match(path, place):
            name, number, quoted = found.groups()
            steps.append(
                name if name is not None else quoted if quoted is not None else int(number) if number != "*" else "*"
            )
            place = found.end()
    if not path.startswith("$") or place != len(path):
        raise ParameterError.of("path", path, "$, then .name, ['name'], [0] or [*]", "write it as $.items[*].id")
    return tuple(steps)


def _matches(path: tuple[str | int, ...], pattern: str) -> bool:
    steps = steps_of(pattern)
    return len(steps) == len(path) and all(
        step == here or (step == "*" and isinstance(here, int)) for step, here in zip(steps, path, strict=True)
    )


def _listed(path: tuple[str | int, ...], patterns: Iterable[str]) -> bool:
    return any(_matches(path, pattern) for pattern in patterns)


def _written(path: tuple[str | int, ...]) -> str:
    return "$" + "".join(
        f"[{step}]"
        if isinstance(step, int)
        else f".{step}"
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", step)
        else f"['{step}']"
        for step in path
    )


def _cleaned(clean: Clean, value: Any) -> Any:
    """Clean what can be cleaned: a missing text is no reason to fail."""
    try:
        return clean(value)
    except (TypeError, ValueError, AttributeError):
        return value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _kind(value: Any) -> str:
    """JSON's kinds: true is no number, 1 and 1.0 are one."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__
