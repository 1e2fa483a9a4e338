"""Tables and pictures of breakers on your traffic: what today's setting does, and which presets can never open."""

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from relkit.config import TARGETS, exported, refused
from relkit.plates import replay
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import INK, MUTED, SERIES, apart, figure, in_words
from relkit.plates.table import Table
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.simulation.scenario_toml import scenario_text
from relkit.tune.choice import worded
from relkit.tune.goal import said, short
from relkit.tune.groundwork import false_opens_of, usual_failing
from relkit.tune.measures import measure
from relkit.tune.reach import MONTH_S, Reach, detection_s, reach
from relkit.tune.study import Study, Unfounded
from relkit.units import count, duration, percent, several, signed

Found = Study | Unfounded
PLAN_REQUESTS: Final = 10_000.0
_RATES: Final = np.geomspace(1e-3, 1e2, 16)
_LINES: Final = ("plan-fixed", "plan", "resilience4j-count", "resilience4j-time", "polly-8", "opossum-10", "pybreaker")
_REASONS: Final = 2
_NOTHING: Final = "–"
_SHOWN: Final = ("success", "wasted_per_1k", "detection_s", "p95_s")


def nothing(found: Unfounded, name: str) -> Plate:
    """Say in place of a picture why there is none."""
    return empty_plate(name, f"Nothing to draw: {found.sentence.rstrip('.')}.")


def no_rows(found: Unfounded, name: str) -> Table:
    """Say in place of a table why there is none."""
    return Table(name, f"Nothing to show: {found.sentence.rstrip('.')}.", ("finding",), (("none",),))


def stamped(found: Study, caption: str) -> str:
    """Say in front of a caption that the calibration it rests on failed its checks; the checks themselves say which."""
    failed = sum(not check.passed for check in found.calibration.checks)
    return f"Under reserve ({several(failed, 'check')} of the calibration failed). {caption}" if failed else caption


def told(name: str, value: float | None) -> str:
    """Write the value of a measure in its unit, or that there is none."""
    if value is None or math.isnan(value):
        return "none"
    return said(name, value) if value >= 0.0 else f"−{said(name, -value)}"


def chosen_name(found: Study) -> str:
    """Say whose settings the pictures show: the choice's, or today's, because they stay or because there is no choice."""
    if found.chosen.policy.hash != found.today.hash:
        return "the choice"
    return "the present setting, kept" if found.best.name else "the present setting"


def traffic_table(found: Found, name: str = "your_traffic") -> Table:
    """Say in a few lines what the log's traffic is like, and what of it is played."""
    if isinstance(found, Unfounded):
        return no_rows(found, name)
    played = (
        f"Played are {several(found.base.requests, 'request')} in {duration(found.base.duration_s)}, "
        f"{found.base.arrivals.mean_rate:.3g} a second, as many as a request of the log sees around it, in "
        f"{several(len(found.found.scenarios), 'scenario')}; trouble lasts {duration(found.bad_s)}, as the longest incident of the log, "
        "or long enough for twenty calls."
    )
    rows = [("the log", each) for each in found.calibration.diagnostics]
    rows += [("what is played", played), *(("left out", each) for each in found.notes)]
    caption = (
        f"{several(found.logged_requests, 'request')} in the log, {count(found.requests_a_month)} a month; "
        f"{percent(found.calibration.error_share)} of the attempts fail over the whole time."
    )
    values = {
        "requests": found.logged_requests,
        "requests_a_month": found.requests_a_month,
        "error_share": found.calibration.error_share,
        "hidden_share": found.calibration.hidden_share,
        "bad_s": found.bad_s,
        "stamp": found.stamp,
        "played": scenario_text(found.base),
    }
    return Table(name, stamped(found, caption), ("about", "finding"), rows, values)


def checks_plate(found: Found, name: str = "checks") -> Plate:
    """Draw the predictive checks of the calibration with their bands."""
    return nothing(found, name) if isinstance(found, Unfounded) else replay.checks_plate(found.calibration, name)


def today_table(found: Found, name: str = "today") -> Table:
    """Show what the settings in force do in each scenario, with intervals over the seeds."""
    if isinstance(found, Unfounded):
        return no_rows(found, name)
    own = found.today.hash
    rows, values = [], {}
    for scenario in found.found.scenario_names:
        cells = [found.found.measured(own, scenario, each) for each in _SHOWN]
        rows.append((scenario, *(_with_interval(each.measure, each.value, each.low, each.high) for each in cells)))
        values[scenario] = cells[0].value
    worst = min((value, each) for each, value in values.items() if value is not None)
    caption = stamped(
        found,
        f"Today's setting, {found.today.name}, answers {percent(worst[0])} of the requests in its worst scenario, {worst[1]}; "
        f"means over {several(len(found.found.seeds), 'run')} each; {_NOTHING} where nothing is dead.",
    )
    return Table(name, caption, ("scenario", *(short(each).replace("_", " ") for each in _SHOWN)), rows, values)


def _with_interval(name: str, value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return _NOTHING
    if low is None or high is None or told(name, low) == told(name, high):
        return told(name, value)
    least, most = _brief(name, low), _brief(name, high)
    number, _, unit = least.partition(" ")
    if unit and most.endswith(f" {unit}"):
        least, most = number, most if unit not in _brief(name, value) else most.removesuffix(f" {unit}")
    return f"{_brief(name, value)} ({least} to {most})"


def _brief(name: str, value: float) -> str:
    """What an interval leaves of a number: a tenth of a percent, or three digits."""
    unit = measure(name).unit
    if unit == "share":
        return percent(value, 1)
    return f"{value:.3g}" if unit in {"calls", "factor"} else told(name, value)


def reach_table(found: Found, requests_a_month: float = PLAN_REQUESTS, name: str = "reach") -> Table:
    """Show which presets can open at all: on your traffic, and at the plan's 10,000 requests a month.

    Parameters
    ----------
    found : Study or Unfounded
        The study; without one the plan's traffic alone is shown.
    requests_a_month : float
        The plan's traffic.
    name : str
        Name of the table.
    """
    plan = _reaches(presets.values(), requests_a_month)
    yours = None if isinstance(found, Unfounded) else _reaches(presets.values(), found.requests_a_month)
    head = [f"at {count(requests_a_month)} a month", "of the month's budget"]
    rows = []
    for place, each in enumerate(plan):
        cells = [each.name, _reach_cell(each), _budget_cell(each)]
        rows.append((*cells, _reach_cell(yours[place])) if yours else tuple(cells))
    if yours and not isinstance(found, Unfounded):
        head.append(f"at your {count(found.requests_a_month)}")
    never = [each.name for each in plan if not each.can_open]
    own = next(each for each in plan if each.name == "plan")
    assert own.outage_s is not None
    assert own.failing_calls is not None
    caption = (
        f"At {count(requests_a_month)} requests a month {len(never)} presets never open: {', '.join(never)}. The plan's needs "
        f"{own.failing_calls} failing calls, {own.outage_s / 60.0:.1f} minutes: {_budget_cell(own)} of the month's budget of "
        f"{own.objective.target_text}."
    )
    values = {each.name: each.outage_s for each in plan}
    if yours:
        still = [each.name for each in yours if not each.can_open]
        caption += (
            f" On your traffic {'none' if not still else ', '.join(still)} never open{'s' if len(still) < 2 else ''}."
        )
        values |= {f"{each.name}, yours": each.outage_s for each in yours}
    return Table(name, caption, ("preset", *head), rows, values)


def _reaches(policies: Iterable[Policy], requests_a_month: float) -> list[Reach]:
    return [reach(each, requests_a_month) for each in policies if each.breaker is not None]


def _reach_cell(one: Reach) -> str:
    if not one.can_open:
        return "never"
    if one.outage_s is None:
        return "by chance"
    return f"{duration(one.outage_s)}, {several(one.failing_calls or 0, 'call')}"


def _budget_cell(one: Reach) -> str:
    return "" if one.budget_share is None or not one.can_open else percent(one.budget_share, 0)


def detection_plate(found: Found, name: str = "detection") -> Plate:
    """Draw how long an outage lasts until a breaker opens, over the rate of calls, one line a preset, with your rate.

    Parameters
    ----------
    found : Study or Unfounded
        The study; without one the plan's rate is marked.
    name : str
        Name of the plate.
    """
    yours = isinstance(found, Study)
    mark = (found.requests_a_month if isinstance(found, Study) else PLAN_REQUESTS) / MONTH_S
    policies = [presets[each] for each in _LINES]
    chosen = found.chosen.policy if isinstance(found, Study) and chosen_name(found) == "the choice" else None
    fig, ax = figure(height_in=3.9)
    ends: list[tuple[float, float, str, str]] = []
    at_mark: dict[str, float | None] = {}
    for place, policy in enumerate([*policies, *([chosen] if chosen else [])]):
        is_choice = policy is chosen
        colour = INK if is_choice else SERIES[place % len(SERIES)]
        label = "the choice" if is_choice else policy.name
        times = detection_s(policy, _RATES.tolist())
        drawn = [(rate, seconds) for rate, seconds in zip(_RATES.tolist(), times, strict=True) if seconds is not None]
        at_mark[label] = detection_s(policy, [mark])[0]
        if drawn:
            dashed = place >= len(SERIES) and not is_choice
            ax.plot(*zip(*drawn, strict=True), color=colour, lw=2.2 if is_choice else 1.3, ls="--" if dashed else "-")
            if len(drawn) < len(_RATES):
                ax.plot(*drawn[0], "o", color=colour, ms=4)
            ends.append((drawn[-1][0], drawn[-1][1], label, colour))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(_RATES[0], _RATES[-1])
    ax.axvline(mark, color=MUTED, lw=1.0, ls=(0, (4, 3)))
    ax.text(
        mark,
        1.02,
        "your rate" if yours else "the plan's rate",
        color=MUTED,
        fontsize=8.5,
        ha="center",
        transform=ax.get_xaxis_transform(),
    )
    ax.set_xticks([1e-3, 1e-2, 0.1, 1, 10, 100], ["0.001", "0.01", "0.1", "1", "10", "100"])
    ax.set_yticks([0.01, 1, 60, 3600, 86400], ["10 ms", "1 s", "1 min", "1 h", "1 day"])
    ax.minorticks_off()
    ax.set_xlabel("calls a second")
    ax.set_ylabel("outage until it opens")
    ax.grid(visible=True)
    for x, y, label, colour in apart(ends):
        ax.annotate(
            label,
            (x, y),
            xytext=(5, 0),
            textcoords="offset points",
            color=in_words(colour),
            va="center",
            fontsize=8,
            annotation_clip=False,
        )
    never = [label for label, seconds in at_mark.items() if seconds is None]
    known = {label: seconds for label, seconds in at_mark.items() if seconds is not None}
    slowest = max(known, key=lambda label: known[label])
    quickest = min(known, key=lambda label: known[label])
    caption = (
        f"At {'your' if yours else 'the plan' + chr(39) + 's'} {mark:.3g} calls a second {quickest} opens {duration(known[quickest])} into an outage and "
        f"{slowest} after {duration(known[slowest])}; {', '.join(never) if never else 'none'} never. Calls come evenly and all fail; a dot is "
        "the lowest rate at which a breaker opens."
    )
    return plate(
        name, fig, caption=caption, alt="Lines of the time until each preset's breaker opens over the rate of calls, both on logarithmic axes",
        values=at_mark,
    )  # fmt: skip


def choice_table(found: Found, name: str = "choice") -> Table:
    """Show each setting before and after, with how sure the choice is."""
    if isinstance(found, Unfounded):
        return no_rows(found, name)
    best = found.best
    if not best.name or not best.policy_hash or not best.gain:
        return Table(
            name, stamped(found, best.verdict.sentence), ("what", "finding"),
            [("why not", best.verdict.why_not), ("would change it", best.verdict.would_change)],
        )  # fmt: skip
    rows = [
        (name, worded(name, each.today), worded(name, each.chosen))
        for each in best.changes
        for name in [each.setting.rpartition(".")[2]]
    ]
    rows.append(("probability that it is the best", "", _probability(best.p_best)))
    rows.append((f"that none is better by {percent(best.indifference, 0)}", "", _probability(best.p_good)))
    rows.append(("that it keeps every limit", "", _probability(best.p_keeps)))
    openings = [
        false_opens_of(
            each, usual_failing(found.calibration, found.logged_requests), found.calibration.scenario.arrivals.mean_rate
        )
        for each in (found.today, best.policy)
    ]
    before, after = ("unknown" if each is None else f"{each:.2g}" for each in openings)
    rows.append(("false openings a month, closed form", before, after))
    gain = best.gain
    sign = f"{short(gain.measure)} better by {told(gain.measure, gain.value)}"
    caption = (
        f"Wanted: {found.goal}. Today's settings stay; {count(best.candidates)} candidates."
        if chosen_name(found) != "the choice"
        else f"Wanted: {found.goal}. {sign} ({told(gain.measure, gain.low)} to {told(gain.measure, gain.high)}), success "
        f"{signed(100 * gain.success)} points, from {several(gain.n, 'fresh run')} each; {count(best.candidates)} candidates."
    )
    values = {
        "gain": gain.value, "low": gain.low, "high": gain.high, "success": gain.success, "usd_a_month": gain.usd_a_month,
        "p_best": best.p_best, "p_good": best.p_good, "p_keeps": best.p_keeps,
    }  # fmt: skip
    return Table(name, stamped(found, caption), ("setting", "today", "choice"), rows, values)


def _probability(share: float | None) -> str:
    return "unknown" if share is None else percent(share, 0)


def replay_plate(found: Found, name: str = "last_week") -> Plate:
    """Draw what the breakers would have done over the time of the log; the level is printed."""
    if isinstance(found, Unfounded):
        return nothing(found, name)
    return replay.timeline_plate(found.replayed, name)


def replayed_table(found: Found, name: str = "replayed") -> Table:
    """Show what each breaker would have let through, avoided and turned away in the log."""
    if isinstance(found, Unfounded):
        return no_rows(found, name)
    return replay.replay_table(found.replayed, name)


def export_table(found: Found, name: str = "export") -> Table:
    """Show which libraries can say the choice, and why others cannot.

    Parameters
    ----------
    found : Study or Unfounded
        The study.
    name : str
        Name of the table.
    """
    if isinstance(found, Unfounded):
        return no_rows(found, name)
    policy = found.chosen.policy
    rows, values = [], {}
    for target in TARGETS:
        why = refused(policy, target)
        values[target] = len(why)
        reasons = "; ".join(f"{each.setting}: {each.why}" for each in why[:_REASONS])
        more = f"; and {len(why) - _REASONS} more" if len(why) > _REASONS else ""
        rows.append((target, "no" if why else "yes", f"{reasons}{more}" if why else f"relkit export {target}"))
    able = [target for target, why in values.items() if not why]
    caption = (
        f"{len(able)} of {several(len(TARGETS), 'target')} can say the choice whole ({', '.join(able) or 'none'}); "
        "a target that cannot is refused, not written half."
    )
    return Table(name, stamped(found, caption), ("target", "can say it", "why not, or how"), rows, values)


def settings_table(found: Found, name: str = "settings_text") -> Table:
    """Show the choice as lines of a relkit.toml."""
    if isinstance(found, Unfounded):
        return no_rows(found, name)
    lines = [
        line
        for line in str(exported(found.chosen.policy, "relkit")).splitlines()
        if line.strip() and not line.startswith("#")
    ]
    caption = f"As relkit.toml, {several(len(lines), 'line')}: " + (
        "to be deployed." if found.judged.is_recommended else "not to be deployed, because the verdict is a refusal."
    )
    return Table(
        name, caption, ("relkit.toml",), [(line,) for line in lines], {"policy_hash": found.chosen.policy.hash}
    )
