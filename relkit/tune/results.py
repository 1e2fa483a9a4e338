"""The Sweep: every candidate in every scenario with every seed, as one array of measures."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from relkit.exceptions import ParameterError
from relkit.simulation.scenario import Scenario
from relkit.slo.objective import Objective
from relkit.tune.measures import NAMES, RAW, Measured, interval_of, measure
from relkit.tune.space import Candidate
from relkit.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    import pandas as pd

Values = npt.NDArray[np.float64]
DEFAULT_OBJECTIVE: Final = Objective("availability", "0.999")
_LOST: Final = RAW.index("bad_before_opening")


def scenario_key(scenario: Scenario) -> str:
    """Return the name of a scenario and a hash of everything in it: two that share a name are told apart.

    Examples
    --------
    >>> from relkit.simulation.suite import w0
    >>> scenario_key(w0()) == scenario_key(w0()), scenario_key(w0()) == scenario_key(w0(10)), scenario_key(w0())[:3]
    (True, False, 'W0#')
    """
    return f"{scenario.name}#{sha256(repr(scenario).encode()).hexdigest()[:12]}"


def with_budget(raw: Values, scenarios: Iterable[Scenario], objective: Objective) -> Values:
    """Return raw measures [candidate, scenario, seed, measure] with the share of the ErrorBudget as a last column.

    Lost requests ÷ (budget share · requests of the objective's window at the scenario's mean rate).
    """
    window_s = objective.window_days * MINUTES_PER_DAY * SECONDS_PER_MINUTE
    allowed = [float(objective.budget_share) * each.arrivals.mean_rate * window_s for each in scenarios]
    spent = raw[..., _LOST] / np.array(allowed)[None, :, None]
    return np.concatenate([raw, spent[..., None]], axis=-1)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found.

    Parameters
    ----------
    label : str
        Its name in a store.
    code : str
        Hash of the code that made the numbers.
    candidates : tuple of Candidate
        Those whose runs are all finished.
    scenarios : tuple of Scenario
        The suite.
    seeds : tuple of int
        The same for all: common draws.
    values : array of float [candidate, scenario, seed, measure]
        Measures in the order of `relkit.tune.measures.NAMES`; NaN where there is nothing to measure.
    objective : Objective
        Whose ErrorBudget `budget_spent_share` is a share of.
    refused : tuple of (str, str)
        Candidates that cannot run in the suite, and why.
    complete : bool
        Whether every candidate was finished, rather than stopped by Ctrl-C.
    ran, taken : int
        Runs played, and runs taken from what was known.
    """

    label: str
    code: str
    candidates: tuple[Candidate, ...]
    scenarios: tuple[Scenario, ...]
    seeds: tuple[int, ...]
    values: Values
    objective: Objective = DEFAULT_OBJECTIVE
    refused: tuple[tuple[str, str], ...] = ()
    complete: bool = True
    ran: int = 0
    taken: int = 0

    @property
    def sweep_id(self) -> str:
        """Name in the store: the label, and the code that made the numbers."""
        return f"{self.label}@{self.code}"

    @property
    def scenario_names(self) -> tuple[str, ...]:
        """Names of the scenarios, in order."""
        return tuple(each.name for each in self.scenarios)

    def place_of(self, name: str) -> int:
        """Return the place of a candidate by its name or policy hash.

        Raises
        ------
        ParameterError
            When it is not among them.
        """
        for place, each in enumerate(self.candidates):
            if name in {each.name, each.policy.hash}:
                return place
        fixed = ", ".join(each.name for each in self.candidates if each.is_fixed) or "no fixed ones"
        allowed = f"one of {len(self.candidates)} candidates ({fixed}; points are #0, #1, ...)"
        raise ParameterError.of("candidate", name, allowed, "sweep it along with the others")

    def of(self, name: str) -> Values:
        """Return the values of a measure, [candidate, scenario, seed]."""
        measure(name)
        values: Values = self.values[..., NAMES.index(name)]
        return values

    def measured(self, candidate: str, scenario: str, name: str, level: float = 0.95) -> Measured:
        """Return a measure of a candidate in a scenario with its interval over the seeds.

        Parameters
        ----------
        candidate, scenario, name : str
            Names of the three.
        level : float
            Confidence level in (0, 1).
        """
        if scenario not in self.scenario_names:
            raise ParameterError.of("scenario", scenario, ", ".join(self.scenario_names), "use one of these names")
        place = self.scenario_names.index(scenario)
        values = self.of(name)[self.place_of(candidate), place]
        return interval_of(name, values, self.scenarios[place].requests, level)

    def frame(self) -> "pd.DataFrame":
        """Return a row for each run: candidate, policy_hash, its settings, scenario, seed and the measures.

        Examples
        --------
        >>> from relkit.simulation.suite import w0
        >>> from relkit.policies.presets import presets
        >>> empty = np.zeros((1, 1, 2, len(NAMES)))
        >>> done = Sweep("s", "c", (Candidate.fixed(presets["plan"]),), (w0(),), (1, 2), empty)
        >>> done.frame().columns.tolist()[:5]
        ['candidate', 'policy_hash', 'scenario', 'seed', 'success']
        """
        import pandas as pd  # noqa: PLC0415  a sweep without tables need not load it

        runs = len(self.scenarios) * len(self.seeds)
        columns: dict[str, object] = {
            "candidate": np.repeat([each.name for each in self.candidates], runs),
            "policy_hash": np.repeat([each.policy.hash for each in self.candidates], runs),
        }
        for name in dict.fromkeys(name for each in self.candidates for name, _ in each.values):  # noqa: PD011  no pandas
            column = np.array([dict(each.values).get(name) for each in self.candidates], dtype=object)
            columns[name] = pd.Series(np.repeat(column, runs)).infer_objects()
        columns["scenario"] = np.tile(np.repeat(self.scenario_names, len(self.seeds)), len(self.candidates))
        columns["seed"] = np.tile(np.array(self.seeds), len(self.candidates) * len(self.scenarios))
        flat = self.values.reshape(-1, len(NAMES))
        return pd.DataFrame(columns | {name: flat[:, place] for place, name in enumerate(NAMES)})
