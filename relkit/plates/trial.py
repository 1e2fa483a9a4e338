"""The live trial: any settings, drawn as you move them, in JupyterLab; without it a still picture of the choice."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.plates.breakers import Found
from relkit.plates.explorer import as_json, script
from relkit.plates.knobs import FIRST, GROUPS, Knob, knobs_of, tried
from relkit.plates.plate import Plate
from relkit.plates.timeline import FAILED_SHADES, SHOWN, trial_plate
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.simulation.run import Run, simulate
from relkit.simulation.scenario import Scenario
from relkit.slo.objective import Objective
from relkit.tune.course import Course, course_of
from relkit.tune.paged import pages_of
from relkit.tune.study import Study, Unfounded
from relkit.units import percent

_SEED: Final = 1
_AS_IT_IS: Final = "the choice"
_WIDTHS: Final = {"description_width": "13em"}


def trial(found: Found, name: str = "trial", *, interactive: bool = False) -> Any:
    """Show the choice in an outage: a still picture, or controls for every setting that draw a new run as they move.

    Parameters
    ----------
    found : Study or Unfounded
        The study.
    name : str
        Name of the plate.
    interactive : bool
        Whether to show the controls; False keeps widgets out of a stored notebook.

    Returns
    -------
    Plate or widget
    """
    still: Plate = trial_plate(found, name)
    return still if not interactive or isinstance(found, Unfounded) else _widgets(found)


class Bench:
    """Plays settings in the scenarios of a study, beside today's on the same luck.

    Parameters
    ----------
    choice, today : Policy
        Where the controls begin unless a preset is taken, and what is drawn beside each trial.
    suite : sequence of Scenario
        The trouble there is to choose from.
    objective : Objective
        Whose burn pages somebody.
    """

    def __init__(self, choice: Policy, today: Policy, suite: Sequence[Scenario], objective: Objective) -> None:
        self._today, self._objective = today, objective
        self._ghosts: dict[str, Course] = {}
        self._before: tuple[str, bytes] | None = None
        self.scenarios = {each.name: each for each in suite}
        self.beginnings = {_AS_IT_IS: choice} | {name: each for name, each in presets.items() if each.breaker}

    def knobs(self, beginning: str, scenario: str) -> tuple[Knob, ...]:
        """Return where every setting stands at the beginning."""
        return knobs_of(self.beginnings[beginning], self.scenarios[scenario])

    def step(
        self, beginning: str, scenario: str, before: Mapping[str, Any], after: Mapping[str, Any], where: str
    ) -> tuple[str, str]:
        """Play what the controls say.

        Parameters
        ----------
        beginning, scenario : str
            Where the controls began, and which trouble.
        before, after : mapping
            Values of the knobs then and now.
        where : str
            Id of the place it is drawn at.

        Returns
        -------
        tuple of str
            HTML that draws it, and a sentence; which says so where the run is the same as that of the step before.

        Raises
        ------
        ParameterError
            No policy can have these settings.
        """
        policy, its = tried(self.beginnings[beginning], self.scenarios[scenario], before, after)
        run = simulate(its, policy, _SEED)
        if scenario not in self._ghosts:
            self._ghosts[scenario] = course_of(simulate(self.scenarios[scenario], self._today, _SEED))
        pages = pages_of(run, self._objective)
        told = (
            f"{percent(run.answered_share)} answered, {run.attempts_per_request:.3f} attempts a request, p95 "
            f"{run.latency_s(0.95)[0]:.3g} s, {len(pages) or 'no'} page{'' if len(pages) == 1 else 's'}"
            if run.answered_share
            else "nothing answered"
        )
        seen = scenario, run.requests.tobytes()
        if seen == self._before:
            told += "; as before: what was moved makes no difference here"
        self._before = seen
        return fragment(run, pages, self._ghosts[scenario], where), told


def drawn(course: Course) -> dict[str, Any]:
    """Return a course as the explorer's script takes it."""
    names = ("arrivals", "answered", "failed", "rejected", "attempts")
    return {"bin_s": course.bin_s, "open": course.open_tenths().tolist()} | {
        name: getattr(course, name).tolist() for name in names
    }


def fragment(run: Run, pages: tuple[tuple[float, float], ...], beside: Course, where: str) -> str:
    """Return HTML that draws a run with the explorer's script, with today's setting as the ghost.

    Parameters
    ----------
    run : Run
        The trial.
    pages : tuple of (start_s, end_s)
        When somebody is paged in it, seconds.
    beside : Course
        Today's setting on the same luck.
    where : str
        Id of the place it is drawn at.
    """
    course, scenario = course_of(run), run.scenario
    record = drawn(course) | {
        "ribbons": [[model.name, course.open_tenths(place).tolist()] for place, model in enumerate(scenario.models)],
        "kinds": [[kind, counts.tolist()] for kind, counts in course.main_kinds(len(FAILED_SHADES))],
        "pages": pages,
    }
    trouble = [[each.start_s, each.end_s] for each in scenario.episodes]
    arguments = ", ".join((as_json(record), as_json(drawn(beside)), json.dumps(trouble), '"the trial"', '"today"'))
    return (
        f"<div id='{where}'></div><script>(function () {{{script()}\nrelkitDraw(document.getElementById('{where}'), {arguments});"
        "})();</script>"
    )


def _widgets(found: Study) -> Any:
    import ipywidgets as widgets  # noqa: PLC0415  only a live trial needs it
    from IPython import display as shown  # noqa: PLC0415

    html: Any = shown.HTML
    show: Any = shown.display
    bench = Bench(found.chosen.policy, found.today, found.found.scenarios, found.found.objective)
    scenario = widgets.Dropdown(options=list(bench.scenarios), value=SHOWN, description="trouble")
    beginning = widgets.Dropdown(options=list(bench.beginnings), value=_AS_IT_IS, description="begin with")
    knobs = bench.knobs(_AS_IT_IS, SHOWN)
    parts = {each.name: _control(widgets, each) for each in knobs}
    groups = [
        [parts[each.name] for each in knobs if each.group == group and each.name not in FIRST] for group in GROUPS
    ]
    told = widgets.HTML()
    handle = show(html(""), display_id=True)
    holds: dict[str, Any] = {"is_set": False, "number": 0, "before": {each.name: each.value for each in knobs}}

    def draw(_: Any = None) -> None:
        if holds["is_set"]:
            return
        holds["number"] += 1
        where = f"relkit-trial-{id(parts)}-{holds['number']}"
        after = {name: part.value for name, part in parts.items()}
        try:
            picture, sentence = bench.step(beginning.value, scenario.value, holds["before"], after, where)
        except ParameterError as error:
            told.value = f"<p>{escape(str(error))}</p>"
            return
        handle.update(html(picture))
        told.value = f"<p>{escape(sentence)}</p>"

    def begin(_: Any) -> None:
        holds["is_set"] = True
        for each in bench.knobs(beginning.value, scenario.value):
            _move(parts[each.name], each)
        holds["is_set"] = False
        holds["before"] = {name: part.value for name, part in parts.items()}
        draw()

    for part in (*parts.values(), scenario):
        part.observe(draw, "value")
    beginning.observe(begin, "value")
    draw()
    rest = widgets.Accordion([widgets.VBox(group) for group in groups], titles=GROUPS)
    first = [parts[name] for name in FIRST]
    return widgets.VBox([widgets.HBox([scenario, beginning]), told, *first, rest])


def _control(widgets: Any, knob: Knob) -> Any:
    words = f"{knob.name}, {knob.unit}" if knob.unit else knob.name
    look = {"description": words, "style": _WIDTHS, "layout": {"width": "34em"}}
    if knob.words:
        return widgets.Dropdown(
            options=list(zip(knob.words, range(len(knob.words)), strict=True)), value=knob.value, **look
        )
    if isinstance(knob.value, bool):
        return widgets.Checkbox(knob.value, **look)
    name = "Int" if isinstance(knob.value, int) else "Float"
    kind = getattr(widgets, f"{name}Slider" if knob.name in FIRST else f"Bounded{name}Text")
    return kind(knob.value, min=knob.low, max=knob.high, step=knob.step, **look)


def _move(part: Any, knob: Knob) -> None:
    """Set a control to another beginning; its range moves along, wide first so that the value never leaves it."""
    if knob.words or isinstance(knob.value, bool):
        part.value = knob.value
        return
    part.min, part.max = min(part.min, knob.low), max(part.max, knob.high)
    part.value = knob.value
    part.min, part.max = knob.low, knob.high
