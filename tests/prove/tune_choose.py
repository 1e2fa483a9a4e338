"""Points of choosing: what can never open, selection and its calibration, and choices on the simulator itself."""

from pathlib import Path
from typing import Any

from .point import Found, point

RUNS = 1000
PLANS_MONTH = 10_000


@point("tune", "at 10,000 requests a month")
def plans_traffic(folder: Path) -> Found:
    from relkit.policies.presets import presets  # noqa: PLC0415  pytest collects this module and must not pay for it
    from relkit.tune.reach import never_open, reach  # noqa: PLC0415

    never = [each.name for each in never_open(presets.values(), PLANS_MONTH)]
    plan = reach(presets["plan"], PLANS_MONTH)
    minutes = 0.0 if plan.outage_s is None else plan.outage_s / 60.0
    figure = f"never: {', '.join(never)}; plan: {plan.failing_calls} failing calls, {minutes:.1f} min, {plan.budget_share:.0%} of the budget"
    holds = plan.failing_calls == 10 and round(minutes, 1) == 43.2 and plan.budget_share == 1.0 and "polly-8" in never
    return Found("named; 10 failing calls = 43.2 min = the budget of 99.9 %", figure, holds)


def selections(means_of: Any, evaluations: int, runs: int = RUNS) -> tuple[Any, Any]:
    """Return of each run whether it was right, and what it said."""
    import numpy as np  # noqa: PLC0415

    from relkit.tune.select import select  # noqa: PLC0415
    from tests.golden.tune.selection_task import CANDIDATES, sample_of, score  # noqa: PLC0415

    found = [select(sample_of(means_of(seed), seed), CANDIDATES, evaluations, score) for seed in range(runs)]
    right = np.array([each.best == int(np.argmax(means_of(seed))) for seed, each in enumerate(found)])
    assert max(each.evaluations for each in found) <= evaluations
    return right, np.array([each.p_best for each in found])


@point("tune", "selection on the golden task, 1,000 runs")
def selection(folder: Path) -> Found:
    from tests.golden.tune.selection_task import CORRELATION, means_of  # noqa: PLC0415

    shares = {evaluations: float(selections(means_of, evaluations)[0].mean()) for evaluations in (100, 200)}
    figure = f"{shares[100]:.3f} and {shares[200]:.3f}, correlation of common draws {CORRELATION}"
    return Found(
        "right >= .92 at 100 and >= .97 at 200 evaluations", figure, shares[100] >= 0.92 and shares[200] >= 0.97
    )


@point("tune", "calibration of the stated probability", slow=True)
def calibration(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    from tests.golden.tune.selection_task import means_of, random_means  # noqa: PLC0415

    right, said = (
        np.concatenate(parts)
        for parts in zip(*(selections(random_means, evaluations) for evaluations in (60, 100, 200)), strict=True)
    )
    high = (said >= 0.85) & (said < 0.95)
    share, cases = float(right[high].mean()), int(high.sum())
    table = ", ".join(
        f"[{low:.2f}, {low + 0.1:.2f}) {right[part].mean():.2f} of {part.sum()}"
        for low in (0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
        if (part := (said >= low) & (said < low + 0.1)).any()
    )
    fixed_right, fixed_said = selections(means_of, 70)
    part = (fixed_said >= 0.85) & (fixed_said < 0.95)
    figure = (
        f"{share:.3f} of {cases} over tasks with random gaps; all: {table}; on the one fixed task at 70 evaluations "
        f"{fixed_right[part].mean():.3f} of {part.sum()}"
    )
    return Found("said [.85, .95): right 83 to 97 % of >= 300 cases", figure, cases >= 300 and 0.83 <= share <= 0.97)


@point("tune", "choices on the simulator are what 200 further seeds say", slow=True)
def on_the_simulator(folder: Path) -> Found:
    """Twelve times anew, from other seeds: is the chosen one within 1 % of the truly best, as often as it says?"""
    import numpy as np  # noqa: PLC0415

    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.tune.choose import choose  # noqa: PLC0415
    from relkit.tune.judge import Judge  # noqa: PLC0415
    from relkit.tune.sweep import sweep  # noqa: PLC0415

    from .tune_sweep import small_space, small_suite  # noqa: PLC0415

    candidates, suite, today = small_space().design(16).candidates, small_suite(), presets["plan-fixed"]
    truth = sweep(candidates, suite, range(100_000, 100_200))
    said, right = [], []
    for number in range(12):
        found = sweep(candidates, suite, range(1 + 1000 * number, 5 + 1000 * number))
        choice = choose(found, "most successful", today)
        judge = Judge.of(truth, choice.goal)
        best = judge.best_in(judge.values(truth).mean(axis=1))
        right.append(bool(best[truth.place_of(choice.policy_hash)] >= best.max() * 0.99))
        said.append(choice.p_good or 0.0)
    figure = f"said {np.mean(said):.2f} on average, right {np.mean(right):.2f} of {len(right)}"
    return Found(
        "right at least as often as said, less 0.2", figure, float(np.mean(right)) >= float(np.mean(said)) - 0.2
    )


@point("tune", "contradicting limits: relaxed as advised, recommended")
def contradiction(folder: Path) -> Found:
    from dataclasses import replace  # noqa: PLC0415

    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.tune.choose import choose  # noqa: PLC0415
    from relkit.tune.goal import Goal  # noqa: PLC0415
    from relkit.tune.sweep import sweep  # noqa: PLC0415

    from .tune_sweep import small_space, small_suite  # noqa: PLC0415

    found = sweep(small_space().design(32), small_suite(), 4)
    asked = Goal.parse("cheapest with success >= 98 % and p95 <= 2 s in every scenario")
    refused = choose(found, asked, presets["plan-fixed"])
    held = [not refused.is_recommended, bool(refused.relaxations)]
    for each in refused.relaxations:
        limits = tuple(replace(one, value=each.to) if one == each.limit else one for one in asked.limits)
        held.append(choose(found, replace(asked, limits=limits), presets["plan-fixed"]).is_recommended)
    return Found(
        "says which to relax and by how much, and that helps",
        f"{refused.verdict.sentence} {refused.verdict.would_change}",
        all(held),
    )
