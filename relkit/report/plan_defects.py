"""The defects of the plan as records, and the page that is made of them: docs/plan-defects.md.

`python -m relkit.report.plan_defects` writes the page; a test writes it again and compares bytes.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from relkit.exceptions import ReportError
from relkit.report.places import project_folder
from relkit.units import several

AREAS: Final = {
    "E": "Errors",
    "C": "Error context",
    "L": "Logging",
    "R": "Retries",
    "F": "Fallback",
    "B": "Breakers",
    "H": "Health and metrics",
    "S": "Shadow rollout and canary",
    "A": "A/B statistics",
    "O": "Objectives and burn",
    "M": "Money",
}
SEVERITIES: Final = ("high", "medium", "low")
FILE: Final = "docs/plan_defects.toml"
PAGE: Final = "docs/plan-defects.md"


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect of the plan, as docs/plan_defects.toml has it.

    Parameters
    ----------
    id : str
        Letter of its area and two digits.
    severity : str
        high, medium or low.
    plan : str
        Section of the plan.
    says : str
        What the plan does.
    consequence : str
        What follows.
    rule : str
        What relkit does instead.
    test : str
        Test that proves the rule; empty for none yet.
    figure : str
        Figure, table or row that shows it; empty for none yet.
    sources : tuple of str
        Rows of the design notes.
    """

    id: str
    severity: str
    plan: str
    says: str
    consequence: str
    rule: str
    test: str
    figure: str
    sources: tuple[str, ...]

    @property
    def area(self) -> str:
        """Name of its area."""
        return AREAS[self.id[0]]


def read_defects(file: Path | None = None) -> tuple[Defect, ...]:
    """Read the list.

    Parameters
    ----------
    file : Path or None
        None for the project's own.

    Raises
    ------
    ReportError
        The file cannot be read, or an entry has not the fields it must have.
    """
    path = file or project_folder() / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = table["defect"]
        return tuple(Defect(**{**entry, "sources": tuple(entry["sources"])}) for entry in entries)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReportError(f"{path}: cannot be read ({error})") from None
    except (KeyError, TypeError):
        wanted = ", ".join(each.name for each in fields(Defect))
        raise ReportError(f"{path}: every [[defect]] must have exactly {wanted}") from None


def defects_page(defects: Sequence[Defect]) -> str:
    """Write the page: how many of which severity, then each area with its defects, the worst first.

    Parameters
    ----------
    defects : sequence of Defect
        In the order of the file.

    Returns
    -------
    str
        Markdown.
    """
    lines = [
        "# Defects of the plan",
        "",
        "Made from [plan_defects.toml](plan_defects.toml) by `python -m relkit.report.plan_defects`; do not edit it by hand.",
        "",
        (
            f"{several(len(defects), 'defect')} of the Reliability Enhancement Plan of October 2025, and the rule that stands in the place of each. Severity: "
            "high = users are harmed or a decision is wrong, medium = misleading, low = untidy. Those of high severity are shown with their numbers in "
            "[7_plan_audit](../notebooks/7_plan_audit.ipynb)."
        ),
        "",
        f"| area | {' | '.join(SEVERITIES)} | all | with a test |",
        "|---|---|---|---|---|---|",
    ]
    for name in (*AREAS.values(), "all"):
        of_area = [one for one in defects if name in {one.area, "all"}]
        counts = [sum(one.severity == severity for one in of_area) for severity in SEVERITIES]
        tested = sum(bool(one.test) for one in of_area)
        lines.append(f"| {name} | {' | '.join(map(str, counts))} | {len(of_area)} | {tested} |")
    for name in AREAS.values():
        lines += ["", f"## {name}"]
        of_area = [one for one in defects if one.area == name]
        for one in sorted(of_area, key=lambda one: SEVERITIES.index(one.severity)):
            lines += ["", f"**{one.id}** ({one.severity}; plan, {one.plan}) {one.says}", ""]
            lines += [f"- So: {one.consequence}", f"- Instead: {one.rule}"]
            if one.test:
                file, _, test = one.test.partition("::")
                lines.append(f"- Proved by: [{test}](../{file})")
            if one.figure:
                lines.append(f"- Shown in: {one.figure}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (project_folder() / PAGE).write_text(defects_page(read_defects()), encoding="utf-8")
    print(PAGE)  # noqa: T201  says what it wrote
