"""Many tests, one page: adjusted p-values, and the ledger that names each test that was run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from relkit.exceptions import ParameterError

Method = Literal["holm", "bh"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A test that was declared, and what came of it.

    Parameters
    ----------
    family : str
        Tests that are adjusted together, such as "guardrails" or "segments".
    name : str
        What was tested.
    p : float or None
        Its p-value; None when it could not be run.
    method : str
        "holm" (no false alarm in the family, with probability 1 - alpha) or "bh" (few false ones among the alarms).
    """

    family: str
    name: str
    p: float | None
    method: Method = "holm"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A test of the ledger, with its p-value adjusted for its family.

    Parameters
    ----------
    family, name, method : str
        As declared.
    p, adjusted : float or None
        Raw and adjusted p-value; None when the test could not be run.
    size : int
        Tests in the family, those that could not be run included.
    """

    family: str
    name: str
    p: float | None
    adjusted: float | None
    method: Method
    size: int


def adjust(p_values: Sequence[float | None], method: Method = "holm") -> tuple[float | None, ...]:
    """Adjust the p-values of one family, by Holm or by Benjamini and Hochberg.

    A test that could not be run keeps its place in the family (as if p were 1) and gets no adjusted value: declaring ten
    and running eight is not a family of eight.

    Parameters
    ----------
    p_values : sequence of float or None
        In any order, each in [0, 1].
    method : str
        "holm" or "bh".

    Returns
    -------
    tuple of float or None
        In the order of the input.

    Raises
    ------
    ParameterError
        When a p-value lies outside [0, 1], or the method is another.

    Notes
    -----
    Holm, Scandinavian Journal of Statistics 6 (1979); Benjamini and Hochberg, JRSS B 57 (1995). Computed by statsmodels.

    Examples
    --------
    >>> [round(p, 2) for p in adjust([0.01, 0.04, 0.03, 0.005, 0.55, 0.6])]
    [0.05, 0.12, 0.12, 0.03, 1.0, 1.0]
    """
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415  half a second, for pages with many tests

    names = {"holm": "holm", "bh": "fdr_bh"}
    if method not in names:
        raise ParameterError.of("method", method, "holm or bh", "holm for guardrails, bh for exploring")
    for p in p_values:
        if p is not None and not 0 <= p <= 1:
            raise ParameterError.of("p", p, "0 <= p <= 1", "pass None for a test that could not be run")
    if not p_values:
        return ()
    adjusted = multipletests([1.0 if p is None else p for p in p_values], method=names[method])[1]
    return tuple(None if p is None else min(1.0, float(a)) for p, a in zip(p_values, adjusted, strict=True))


def ledger(tried: Sequence[Tried]) -> tuple[LedgerRow, ...]:
    """List every test with its p-value adjusted within its family.

    Parameters
    ----------
    tried : sequence of Tried
        All tests of a page; a family has one method.

    Returns
    -------
    tuple of LedgerRow
        In the order of the input.

    Raises
    ------
    ParameterError
        When a family is given two methods.

    Examples
    --------
    >>> rows = ledger([Tried("guardrails", "errors", 0.02), Tried("guardrails", "cost", 0.04), Tried("one", "delta", 0.3)])
    >>> [(row.name, row.adjusted, row.size) for row in rows]
    [('errors', 0.04, 2), ('cost', 0.04, 2), ('delta', 0.3, 1)]
    """
    families: dict[str, list[int]] = {}
    for place, one in enumerate(tried):
        families.setdefault(one.family, []).append(place)
    adjusted: dict[int, float | None] = {}
    for family, places in families.items():
        methods = {tried[place].method for place in places}
        if len(methods) > 1:
            raise ParameterError.of(
                "method", sorted(methods), "one for each family", f"split the family {family!r} or choose one"
            )
        adjusted |= zip(places, adjust([tried[place].p for place in places], methods.pop()), strict=True)
    return tuple(
        LedgerRow(one.family, one.name, one.p, adjusted[place], one.method, len(families[one.family]))
        for place, one in enumerate(tried)
    )
