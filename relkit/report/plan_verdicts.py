"""What the plan's rollout, statistics, objectives and bill come to, each beside the corrected form."""

from collections.abc import Iterator
from typing import Final

from relkit.exhibit import Exhibit
from relkit.policies.plan_rollout import PlanPass, plan_day, plan_pass
from relkit.policies.rollout import (
    GATE_INCONCLUSIVE,
    GATE_PROMOTE,
    GATE_ROLL_BACK,
    RolloutSchedule,
    RolloutState,
    advance,
    share_of_traffic,
)
from relkit.shadow.paired import PairCounts, tango
from relkit.shadow.plan_limits import killed, provider_fails, slower
from relkit.shadow.plan_looks import ALPHA, Flagged, named_winner, power_of_tests, sessions_ignored
from relkit.shadow.plan_z import plan_z
from relkit.shadow.rollout_plan import plan_rollout
from relkit.simulation.flips import FLIPS
from relkit.slo.burn import TIERS
from relkit.slo.objective import Objective
from relkit.slo.plan_figures import VOLUMES, alert_at, plan_costs, plan_figures
from relkit.units import points

_HOUR_S: Final = 3600.0
SCHEDULE: Final = RolloutSchedule((0.0, 2 * _HOUR_S, 4 * _HOUR_S, 6 * _HOUR_S), (0.10, 0.25, 0.50, 1.0))
"""The plan's own steps (plan, 4.1), from the first one on."""
_REQUESTS_AN_HOUR: Final = VOLUMES[0] / 30 / 24
_MARGIN: Final = 0.02
_DISCORDANT: Final = 0.04
_GUARDRAILS: Final = 3
_AVAILABILITY: Final = Objective("availability", "0.999")


def verdict_exhibits(level: float = 0.95) -> tuple[Exhibit, ...]:
    """Work out every number of the plan's chapter 4, its objectives and its costs, in the order of the list of defects.

    Parameters
    ----------
    level : float
        Confidence level of what is simulated.

    Examples
    --------
    >>> {one.id: (one.literal, one.corrected) for one in verdict_exhibits()}["O02"]
    (720.0, 1000.0)
    """
    return (*_rollout(level), *_statistics(level), *_objectives(), *_money())


def _simulated(id_: str, what: str, found: Flagged, note: str = "") -> Exhibit:
    low, high = found.plan_interval
    interval = f"plan {100 * low:.1f} to {100 * high:.1f} %, {found.runs:,} runs"
    return Exhibit(id_, what, found.plan, found.ours, "share", f"{note}; {interval}" if note else interval)


def changes_of_rollout(hours: int = 24) -> int:
    """Count the changes of the corrected rollout through the plan's steps, looked at each minute while nothing fails.

    >>> changes_of_rollout()
    4
    """
    state, changes = RolloutState(), 0
    for minute in range(60 * hours):
        after = advance(state, SCHEDULE, minute * 60.0, GATE_INCONCLUSIVE)
        changes += after != state
        state = after
    return changes


def first_day() -> list[PlanPass]:
    """Run the plan's loop for 24 hours that begin an hour before its first step.

    >>> sum(len(one.shares) for one in first_day())
    4680
    """
    return plan_day(SCHEDULE, -_HOUR_S - 60.0)


def _rollout(level: float) -> Iterator[Exhibit]:
    yield _simulated("S02", "healthy rollouts killed in 8 h, 2 % errors, 10 pairs a minute", killed(0.02, level=level))
    yield _simulated("S03", "healthy shadows rolled back while the provider fails for 7 %", provider_fails(level=level))
    figures = {one.id: one.values for one in plan_figures()}
    yield Exhibit(
        "S04",
        "burn of a shadow that the gate lets pass",
        figures["S04"]["burn"],
        None,
        "x",
        "ours judges the paired difference, in points of the objective",
    )
    plan = sum(len(one.shares) for one in plan_day(SCHEDULE, SCHEDULE.at_s[-1]))
    first = sum(len(one.shares) for one in first_day())
    yield Exhibit(
        "S05", "changes of the share in a day", plan, changes_of_rollout(), "changes",
        f"{plan // 24} an hour once the last step has passed; {first:,} in the first 24 h, begun an hour before the first step",
    )  # fmt: skip
    alone = RolloutSchedule(SCHEDULE.at_s[:1], SCHEDULE.share[:1])
    hour = plan_day(alone, 0.0, hours=2.0)[60:]
    checks = sum(one.checks for one in hour)
    yield Exhibit(
        "S06",
        "looks at the error rate in the second hour of the first step",
        checks,
        len(hour),
        "looks",
        "ours hands the gate's verdict to each tick",
    )
    state = advance(RolloutState(), SCHEDULE, 0.0, GATE_INCONCLUSIVE)
    state = advance(state, SCHEDULE, 7 * _HOUR_S, GATE_ROLL_BACK)
    later = [advance(state, SCHEDULE, 8 * _HOUR_S, gate) for gate in (GATE_INCONCLUSIVE, GATE_PROMOTE)]
    again = sum(share_of_traffic(one, SCHEDULE) > 0.0 for one in later)
    passed = plan_pass(SCHEDULE, 1.0, 7 * _HOUR_S, lambda: True)
    yield Exhibit(
        "S07", "times a shadow is switched on again after its roll-back", passed.switched_on_again, again, "times"
    )
    noisy = next(flip for flip in FLIPS if flip.name == "noisy_field")
    assert noisy.differs is not None
    assert noisy.differs_baseline is not None
    yield Exhibit(
        "S09", "differing answers that the gate judges", noisy.differs, noisy.differs - noisy.differs_baseline, "share",
        f"the primary differs from itself in {100 * noisy.differs_baseline:.0f} %: the plan halts above 30 %",
    )  # fmt: skip
    yield _simulated(
        "S10", 'equally fast shadows "slower", 50 pairs, 2 % time-outs', slower(level=level), "ours at one-sided 2.5 %"
    )
    steps = [(share, 2.0) for share in SCHEDULE.share[:3]]
    plan_of = plan_rollout(steps, requests_per_hour=_REQUESTS_AN_HOUR, margin=_MARGIN, discordant_share=_DISCORDANT)
    pairs = ", ".join(f"{step.pairs:.1f}" for step in plan_of.steps)
    yield Exhibit(
        "S12", f"pairs before 100 %, and those that show {points(_MARGIN, 0)}", plan_of.pairs, plan_of.needed_pairs, "pairs",
        f"{pairs} in the steps of 10, 25 and 50 %",
    )  # fmt: skip


def _statistics(level: float) -> Iterator[Exhibit]:
    yield _simulated("A01", "runs in which a gain of 1 point is found, 2,000 pairs", power_of_tests(0.01, level=level))
    yield _simulated(
        "A02", "runs in which a loss of 2 points is found, 2,000 pairs", power_of_tests(-0.02, level=level)
    )
    yield _simulated("A07", "runs without a difference in which the shadow is named", named_winner(level=level))
    counts = PairCounts(4_450, 150, 50, 350)
    interval = tango(counts, level)
    yield Exhibit(
        "A08", '"confidence" for 4,500 against 4,600 of 5,000', plan_z(counts).confidence, None, "share",
        f"ours: {points(counts.delta or 0.0)}, from {points(interval.low)} to {points(interval.high)}",
    )  # fmt: skip
    harmed = next(flip for flip in FLIPS if flip.name == "harm_missed")
    always = PairCounts(harmed.both + harmed.only_primary, 0, harmed.only_shadow + harmed.neither, 0)
    yield Exhibit(
        "A09", 'success of a shadow that always says "continue"', plan_z(always).shadow_success_rate, None, "share",
        f"winner: {plan_z(always).winner}; ours checks each answer against what was right",
    )  # fmt: skip
    lost = next(flip for flip in FLIPS if flip.name == "dropped_timeouts")
    good = lost.both + lost.only_shadow
    yield Exhibit(
        "A11",
        "success of a shadow with 4.5 % time-outs",
        good / (lost.pairs - lost.timeouts),
        good / lost.pairs,
        "share",
        "the plan's leaves them out",
    )
    yield _simulated("A12", "false alarms on turns of chats, nominal 5 %", sessions_ignored(runs=1_000, level=level))
    yield Exhibit(
        "A13", f"false alarms of {_GUARDRAILS} measures at 5 % each", 1 - (1 - ALPHA) ** _GUARDRAILS, 1 - (1 - ALPHA / _GUARDRAILS) ** _GUARDRAILS,
        "share", "ours by Holm, whose first step divides by their number",
    )  # fmt: skip


def _objectives() -> Iterator[Exhibit]:
    figures = {one.id: one.values for one in plan_figures()}
    yield Exhibit(
        "O01",
        "downtime a month that 99.9 % allows",
        43.0,
        figures["O01"]["minutes_30"],
        "min",
        f"{figures['O01']['minutes_28']:g} in 28 days, {figures['O01']['minutes_31']:g} in 31",
    )
    yield Exhibit(
        "O02",
        "errors that 0.1 % of a million requests are",
        figures["O02"]["hours"],
        figures["O02"]["errors"],
        "errors",
        "720 is the number of hours in 30 days",
    )
    yield Exhibit(
        "O03",
        "burn of 99.9 % at the plan's own 98 %",
        figures["O03"]["burn"],
        None,
        "x",
        f"its budget is gone in {figures['O03']['days']:g} days",
    )
    yield Exhibit(
        "O04",
        "success with 100 of 1,000 requests 4xx and 15 failed",
        figures["O04"]["left_out"],
        figures["O04"]["counted_good"],
        "share",
        "left out, and counted good; with a revoked key nothing is left to count",
    )
    yield Exhibit(
        "O05",
        "burn while one try in ten fails, three retries",
        figures["O05"]["burn_requests"],
        figures["O05"]["burn_attempts"],
        "x",
        "by requests alone; ours shows attempts beside them",
    )
    page = TIERS[0]
    ours = alert_at(page.factor, page.short_minutes, _AVAILABILITY, 1 / _AVAILABILITY.budget_share)
    yield Exhibit(
        "O06",
        "time the alert stays on after an outage",
        figures["O06"]["stays_minutes"],
        None if ours is None else ours[2],
        "min",
        f"ours has a short window of {page.short_minutes} min beside the long one",
    )
    yield Exhibit(
        "O07",
        "time in which a burn of 9x empties the month, unseen",
        figures["O07"]["hours"],
        None,
        "h",
        "ours has slow tiers, down to 1x over three days",
    )
    yield Exhibit(
        "O08",
        "largest burn that the p50 objective can have",
        figures["O08"]["most_burn_p50"],
        None,
        "x",
        "an alert at 10x can never fire; the linter says so",
    )


def _money() -> Iterator[Exhibit]:
    retries = plan_costs()[0]
    yield Exhibit(
        "M01",
        "retries of 10,000 requests a month",
        float(retries.usd[1]),
        float(retries.usd[0]),
        "usd",
        "$3.90 is the bill of a million",
    )
