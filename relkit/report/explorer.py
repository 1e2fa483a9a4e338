"""The explorer beside the page of breakers: 320 settings around the page's choice, played for one offline page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from relkit.config import exported, imported
from relkit.plates.explorer import explorer_page
from relkit.report.scope import Scope
from relkit.report.tuning import today_of
from relkit.simulation.scenario_toml import scenario_in
from relkit.tune.explore import SCENARIOS, explored, ghosts_of, telling, template_of
from relkit.tune.grid import centre_of, open_times
from relkit.tune.groundwork import space_of, suite_of

FILE: Final = "explorer.html"
TITLE: Final = "Explorer of breaker settings"
_SETTINGS: Final = "settings_text"
_TRAFFIC: Final = "your_traffic"


def explorer_html(scope: Scope, tables: Sequence[Mapping[str, Any]], period: str) -> str | None:
    """Write the explorer of a log, around what the page of breakers has chosen.

    Parameters
    ----------
    scope : Scope
        What the page reports on.
    tables : sequence of mapping
        Records of the page's tables; the choice stands in `settings_text`, what was played in `your_traffic`.
    period : str
        Head of the page.

    Returns
    -------
    str or None
        One HTML document; None where the log gives nothing to play.
    """
    named = {each["name"]: each for each in tables}
    text = "\n".join(row[0] for row in named.get(_SETTINGS, {}).get("rows", ()))
    if not text.startswith("[service"):
        return None
    # The page has calibrated the log: what it played stands in its table, to the last bit.
    told = named[_TRAFFIC]["values"]
    today = today_of(scope)
    space, base = space_of(today), scenario_in(told["played"], _TRAFFIC)
    suite = [each for each in suite_of(base, told["bad_s"]) if each.name in SCENARIOS]
    choice = imported(text, "relkit")
    centre = centre_of(choice, space)
    template = template_of(str(exported(telling(centre), "relkit")))
    numbers = explored(
        centre,
        open_times(space),
        suite,
        template,
        ghosts=ghosts_of(today),
        stamp=told["stamp"],
        is_choice=centre is choice,
    )
    return explorer_page(numbers.record, title=TITLE, period=period)
