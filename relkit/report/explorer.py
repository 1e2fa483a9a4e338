"""The explorer beside the page of breakers: 320 settings around the page's choice, played for one offline page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from relkit.config import exported, imported
from relkit.plates.explorer import explorer_page
from relkit.report.scope import Scope
from relkit.report.tuning import Tunable, read_tunable, today_of
from relkit.simulation.replay import replay
from relkit.tune.explore import SCENARIOS, explored, ghosts_of, telling, template_of
from relkit.tune.grid import centre_of, open_times
from relkit.tune.groundwork import base_of, space_of, suite_of, trouble_s

FILE: Final = "explorer.html"
TITLE: Final = "Explorer of breaker settings"
_TABLE: Final = "settings_text"


def explorer_html(scope: Scope, tables: Sequence[Mapping[str, Any]], period: str) -> str | None:
    """Write the explorer of a log, around what the page of breakers has chosen.

    Parameters
    ----------
    scope : Scope
        What the page reports on.
    tables : sequence of mapping
        Records of the page's tables; the choice stands in `settings_text`.
    period : str
        Head of the page.

    Returns
    -------
    str or None
        One HTML document; None where the log gives nothing to play.
    """
    lines = next((each["rows"] for each in tables if each["name"] == _TABLE), ())
    text = "\n".join(row[0] for row in lines)
    found = read_tunable(scope) if text.startswith("[service") else None
    if not isinstance(found, Tunable):
        return None
    today = today_of(scope)
    space, base = space_of(today), base_of(found.calibration, found.cost_microusd)
    seen = replay(found.traffic, [today], "R1", calibration=found.calibration)
    suite = [each for each in suite_of(base, trouble_s(base, seen.incidents)) if each.name in SCENARIOS]
    centre = centre_of(imported(text, "relkit"), space)
    template = template_of(str(exported(telling(centre), "relkit")))
    numbers = explored(
        centre, open_times(space), suite, template, ghosts=ghosts_of(today), stamp=found.calibration.stamp
    )
    return explorer_page(numbers.record, title=TITLE, period=period)
