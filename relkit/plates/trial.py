"""The live trial: any settings, drawn as you move them, in JupyterLab; without it a still picture of the choice."""

import json
from dataclasses import fields
from html import escape
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.plates.breakers import Found
from relkit.plates.explorer import as_json, script
from relkit.plates.plate import Plate
from relkit.plates.timeline import trial_plate
from relkit.policies.codes import CHOICES
from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.policies.records import BreakerSettings
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.tune.course import Course, course_of
from relkit.tune.study import Study, Unfounded

_SEED: Final = 1
_SLIDERS: Final = {
    "failure_share": (0.05, 1.0, 0.01), "open_s": (0.5, 300.0, 0.5), "min_calls": (1, 100, 1), "window_calls": (2, 200, 1),
    "failure_threshold": (0, 50, 1),
}  # fmt: skip
_AS_IT_IS: Final = "the choice"


def trial(found: Found, name: str = "trial", *, interactive: bool = False) -> Any:
    """Show the choice in an outage: a still picture, or sliders for every setting that draw a new run as they move.

    Parameters
    ----------
    found : Study or Unfounded
        The study.
    name : str
        Name of the plate.
    interactive : bool
        Whether to show the sliders; False keeps widgets out of a stored notebook.

    Returns
    -------
    Plate or widget
    """
    still: Plate = trial_plate(found, name)
    return still if not interactive or isinstance(found, Unfounded) else _widgets(found)


def drawn(course: Course) -> dict[str, Any]:
    """Return a course as the explorer's script takes it."""
    names = ("arrivals", "answered", "failed", "rejected")
    return {"bin_s": course.bin_s, "open": course.open_tenths().tolist()} | {
        name: getattr(course, name).tolist() for name in names
    }


def fragment(course: Course, beside: Course, scenario: Scenario, where: str) -> str:
    """Return HTML that draws a course with the explorer's script, with today's setting as the ghost.

    Parameters
    ----------
    course, beside : Course
        The trial, and today's setting on the same luck.
    scenario : Scenario
        Whose trouble is shaded.
    where : str
        Id of the place it is drawn at.
    """
    trouble = [[each.start_s, each.end_s] for each in scenario.episodes]
    arguments = ", ".join(
        (as_json(drawn(course)), as_json(drawn(beside)), json.dumps(trouble), '"the trial"', '"today"')
    )
    return (
        f"<div id='{where}'></div><script>(function () {{{script()}\nrelkitDraw(document.getElementById('{where}'), {arguments});"
        "})();</script>"
    )


def settings_of(policy: Policy) -> dict[str, Any]:
    """Return every setting of a policy's breaker by name."""
    assert policy.breaker is not None
    return {each.name: getattr(policy.breaker, each.name) for each in fields(BreakerSettings)}


def _widgets(found: Study) -> Any:
    import ipywidgets as widgets  # noqa: PLC0415  only a live trial needs it
    from IPython import display as shown  # noqa: PLC0415

    html: Any = shown.HTML
    show: Any = shown.display

    suite = {each.name: each for each in found.found.scenarios}
    choices = {_AS_IT_IS: found.chosen.policy} | {name: each for name, each in presets.items() if each.breaker}
    scenario = widgets.Dropdown(options=list(suite), value="outage", description="trouble")
    preset = widgets.Dropdown(options=list(choices), value=_AS_IT_IS, description="begin with")
    parts = {name: _control(widgets, name, value) for name, value in settings_of(found.chosen.policy).items()}
    first = [parts[name] for name in _SLIDERS]
    rest = widgets.Accordion(
        [widgets.VBox([part for name, part in parts.items() if name not in _SLIDERS])], titles=("all other settings",)
    )
    told = widgets.HTML()
    handle = show(html(""), display_id=True)
    holds = {"still": False, "number": 0}
    ghosts: dict[str, Course] = {}

    def draw(_: Any = None) -> None:
        if holds["still"]:
            return
        its = suite[scenario.value]
        try:
            policy = changed(choices[preset.value], **{name: part.value for name, part in parts.items()})
            run = simulate(its, policy, _SEED)
        except ParameterError as error:
            told.value = f"<p>{escape(str(error))}</p>"
            return
        if its.name not in ghosts:
            ghosts[its.name] = course_of(simulate(its, found.today, _SEED))
        holds["number"] += 1
        handle.update(
            html(fragment(course_of(run), ghosts[its.name], its, f"relkit-trial-{id(parts)}-{holds['number']}"))
        )
        told.value = f"<p>{run.answered_share:.2%} answered, {run.attempts_per_request:.3f} attempts a request</p>"

    def begin(_: Any) -> None:
        holds["still"] = True
        for name, value in settings_of(choices[preset.value]).items():
            parts[name].value = value
        holds["still"] = False
        draw()

    for part in (*parts.values(), scenario):
        part.observe(draw, "value")
    preset.observe(begin, "value")
    draw()
    return widgets.VBox([widgets.HBox([scenario, preset]), *first, rest, told])


def _control(widgets: Any, name: str, value: Any) -> Any:
    style = {"description_width": "11em"}
    if name in _SLIDERS:
        low, high, step = _SLIDERS[name]
        kind = widgets.IntSlider if isinstance(value, int) else widgets.FloatSlider
        return kind(
            value, min=low, max=max(high, value), step=step, description=name, style=style, layout={"width": "32em"}
        )
    if isinstance(value, bool):
        return widgets.Checkbox(value, description=name, style=style)
    if name in CHOICES:
        return widgets.Dropdown(
            options=[(word, number) for number, word in enumerate(CHOICES[name])],
            value=value,
            description=name,
            style=style,
        )
    kind = widgets.IntText if isinstance(value, int) else widgets.FloatText
    return kind(value, description=name, style=style)
