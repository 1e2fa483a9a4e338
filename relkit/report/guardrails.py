"""Guardrails: what must not break without the exit code saying so."""

from dataclasses import replace
from typing import Final

from relkit.exceptions import DataError
from relkit.report.gather import read_service
from relkit.report.scope import Scope
from relkit.report.shadow import judge_shadow, read_study
from relkit.slo import headline

BROKEN: Final = frozenset({"MISSED", "ROLL_BACK"})
ABSENT: Final = "ABSENT"


def guardrail_codes(scope: Scope) -> dict[str, str]:
    """Reach the verdict of each guardrail in relkit.toml: an objective, a shadow experiment, or the area slo or shadow.

    The page leads with one objective and one experiment; a guardrail may be another, so each is judged here itself.

    Parameters
    ----------
    scope : Scope
        Period, database and settings.

    Returns
    -------
    dict of str to str
        Guardrail to the code of its verdict, in the order of the file; ABSENT for an experiment without pairs in the
        period. An area that knows no MISSED or ROLL_BACK has nothing to break and is left out.
    """
    names = scope.config.report.guardrails
    if not names:
        return {}
    service = read_service(scope)
    objectives = {goal.objective.name: goal.verdict.code for goal in service.goals}
    codes = {}
    for name in names:
        if name in objectives:
            codes[name] = objectives[name]
        elif name == "slo":
            codes[name] = headline(service).code
        elif name == "shadow" or name in scope.config.shadow:
            codes[name] = _shadow_code(scope, "" if name == "shadow" else name)
    return codes


def _shadow_code(scope: Scope, experiment: str) -> str:
    asked = replace(scope, experiment=experiment)
    try:
        found = read_study(asked)
    except DataError:
        return ABSENT
    return judge_shadow(asked, found).code
