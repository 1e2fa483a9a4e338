"""Points of the plan's audit: each figure of the design notes beside the one that relkit's own functions give."""

from functools import cache
from pathlib import Path
from typing import Any

from .point import ROOT, Found, point

# The median calls to open of the design notes: 1,000 calls at 1 % before, 400 runs.
MEDIANS = {1.0: (10, 5), 0.7: (49, 13), 0.5: (72, 46), 0.3: (144, 450)}


@cache
def numbers() -> dict[str, Any]:
    """Work out every number once a run."""
    from relkit.report.plan_audit import read_audit  # noqa: PLC0415  pytest collects this module and must not pay for it

    return {one.id: one for one in read_audit(0.95).exhibits}


def exactly(id_: str, literal: float, corrected: float | None = None) -> Found:
    """Compare the two numbers of a defect with those of the notes."""
    one = numbers()[id_]
    pairs = ((literal, one.literal), (corrected, one.corrected))
    holds = all(
        known is None or (found is not None and abs(found - known) <= 1e-9 * abs(known)) for known, found in pairs
    )
    goal = f"plan {literal:g}" + ("" if corrected is None else f", corrected {corrected:g}")
    return Found(goal, f"plan {one.literal:g}, corrected {one.corrected} ({one.what})", holds)


@point("product", "threshold that ratchets to 10")
def ratchet(_: Path) -> Found:
    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.simulation.plan_breaker import threshold_course, threshold_shares  # noqa: PLC0415

    plan = presets["plan"].breaker
    assert plan is not None
    course = threshold_course(plan, [False] * 6)
    healthy, ill = threshold_shares(plan, 0.04, runs=40)[10], threshold_shares(plan, 0.25, runs=40)[2]
    return Found(
        "10 at call 5; at 96 % success at 10 for 99.7 % of calls, at 75 % at 2 for 97 %",
        f"{course[4]} at call 5; {100 * healthy:.1f} %; {100 * ill:.1f} % (40 breakers of 4,000 calls)",
        course[4] == 10 and abs(healthy - 0.997) < 0.01 and abs(ill - 0.97) < 0.03,
    )


@point("product", "detection at 100/70/50/30 %")
def detects(_: Path) -> Found:
    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.simulation.plan_breaker import detection  # noqa: PLC0415

    told, holds = [], True
    found = []
    for name in ("plan", "pybreaker"):
        breaker = presets[name].breaker
        assert breaker is not None
        found.append(detection(name, breaker, runs=400))
    for share, known in MEDIANS.items():
        ours = [one.median(share) for one in found]
        told.append(f"{100 * share:.0f} %: {ours[0]:g} and {ours[1]:g}")
        # the spread of a geometric number over 400 runs moves its median by about 7 %, both here and in the notes
        holds &= all(
            value is not None and abs(value - goal) <= max(2, 0.25 * goal)
            for value, goal in zip(ours, known, strict=True)
        )
    goal = "; ".join(f"{100 * share:.0f} %: {plan} and {plain}" for share, (plan, plain) in MEDIANS.items())
    return Found(f"plan and plain 5, within a quarter: {goal}", "; ".join(told), holds)


@point("product", "a 401 handed the ten-retry strategy")
def auth(_: Path) -> Found:
    found = exactly("R01", 10, 0)
    return Found(
        found.goal + ", 65.5 s",
        f"{found.figure}; {numbers()['R01'].note}",
        found.holds and "65.5 s" in numbers()["R01"].note,
    )


@point("product", "a SQL typo tried 11 times")
def typo(_: Path) -> Found:
    found = exactly("E17", 11, 1)
    return Found(
        found.goal + ", 65.5 s",
        f"{found.figure}; {numbers()['E17'].note}",
        found.holds and "65.5 s" in numbers()["E17"].note,
    )


@point("product", "HTTP date")
def http_date(_: Path) -> Found:
    one = numbers()["R02"]
    holds = one.literal == 0.001 and 20.0 <= one.corrected <= 22.0
    return Found(
        "plan 1 ms; corrected at least the 20 s",
        f"plan {one.literal:g} s, {one.note}; corrected {one.corrected:g} s",
        holds,
    )


@point("product", "layers multiply to 18 calls")
def layers(_: Path) -> Found:
    found = exactly("R11", 18, 6)
    note = numbers()["R11"].note
    return Found(
        found.goal + "; 33; 54 to 99",
        f"{found.figure}; {note}",
        found.holds and "33 with" in note and "54 to 99" in note,
    )


@point("product", "shallow health check")
def health(_: Path) -> Found:
    from relkit.policies.codes import PROBE_CLOSES  # noqa: PLC0415
    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.simulation.plan_breaker import checked_outage  # noqa: PLC0415

    plain = presets["pybreaker"].breaker
    assert plain is not None
    cells = [
        checked_outage(
            f"{threshold} {closes}",
            plain.changed(failure_threshold=threshold, **({"probe_success": PROBE_CLOSES} if closes else {})),
            runs=60,
        ).mean
        for threshold in (5, 10)
        for closes in (True, False)
    ]
    goals = (930, 54, 1_035, 59)
    holds = all(abs(found - goal) <= max(4, 0.03 * goal) for found, goal in zip(cells, goals, strict=True))
    return Found(
        "930 and 54 at threshold 5, 1,035 and 59 at 10, within 3 % or 4 calls",
        ", ".join(f"{cell:.1f}" for cell in cells) + " (60 runs)",
        holds,
    )


@point("product", "schedule loop")
def schedule(_: Path) -> Found:
    found = exactly("S05", 5_760, 4)
    note = numbers()["S05"].note
    holds = found.holds and "240 an hour" in note and "4,680" in note
    return Found(found.goal + "; 240 an hour; 4,680 in a first day", f"{found.figure}; {note}", holds)


@point("product", "a z-test that cannot see harm")
def harm(_: Path) -> Found:
    from relkit.shadow.plan_looks import power_of_tests  # noqa: PLC0415

    cells = {delta: power_of_tests(delta, runs=20_000) for delta in (-0.02, -0.01, 0.01, 0.02)}
    goals = {-0.02: (0.0, 0.896), -0.01: (0.0, 0.370), 0.01: (0.186, 0.395), 0.02: (0.815, 0.938)}
    holds = all(
        abs(cells[delta].plan - plan) <= (0.001 if delta < 0 else 0.015) and abs(cells[delta].ours - ours) <= 0.015
        for delta, (plan, ours) in goals.items()
    )
    told = "; ".join(f"{100 * delta:+g}: {one.plan:.3f}, {one.ours:.3f}" for delta, one in cells.items())
    return Found(
        "shares found by plan and mid-p at -2, -1, +1, +2 points within 0.015: 0, .896; 0, .370; .186, .395; .815, .938",
        told,
        holds,
    )


@point("product", "peeking")
def looks(_: Path) -> Found:
    from relkit.shadow.plan_looks import peeking  # noqa: PLC0415

    found = peeking(168, runs=8_000)
    cells = [found[look - 1].plan for look in (4, 24, 168)]
    holds = (
        all(abs(cell - goal) <= 0.031 for cell, goal in zip(cells, (0.118, 0.259, 0.406), strict=True))
        and found[-1].ours <= 0.036
    )
    return Found(
        "12, 26 and 41 % at 4, 24, 168 looks; e-process at most 3.6 %",
        f"{', '.join(f'{100 * cell:.1f} %' for cell in cells)}; {100 * found[-1].ours:.1f} %",
        holds,
    )


@point("product", "720 errors that are 1,000")
def errors(_: Path) -> Found:
    return exactly("O02", 720, 1_000)


@point("product", "$3.90 that is $0.039")
def money(_: Path) -> Found:
    return exactly("M01", 3.9, 0.039)


@point("product", "43 minutes")
def minutes(_: Path) -> Found:
    found = exactly("O01", 43, 43.2)
    note = numbers()["O01"].note
    return Found(
        found.goal + "; 40.32 in 28 days, 44.64 in 31",
        f"{found.figure}; {note}",
        found.holds and note == "40.32 in 28 days, 44.64 in 31",
    )


@point("product", "98 % against 99.9 %")
def contradiction(_: Path) -> Found:
    found = exactly("O03", 20)
    note = numbers()["O03"].note
    return Found("burn 20, empty in 1.5 days", f"{found.figure}; {note}", found.holds and "1.5 days" in note)


@point("product", "rollback rules on healthy shadows")
def rollbacks(_: Path) -> Found:
    from relkit.shadow.plan_limits import killed, slower  # noqa: PLC0415

    cells = [killed(share, per_minute=rate).plan for share, rate in ((0.01, 10), (0.02, 10), (0.02, 60), (0.04, 10))]
    goals = (0.125, 0.251, 0.038, 0.680)
    late = slower(runs=4_000).plan
    holds = all(abs(cell - goal) <= 0.04 for cell, goal in zip(cells, goals, strict=True)) and abs(late - 0.336) <= 0.04
    return Found(
        "more than 5 %: .125 .251 .038 .680; mean above 500 ms: .336; within 0.04",
        " ".join(f"{cell:.3f}" for cell in cells) + f"; {late:.3f}",
        holds,
    )


@point("product", "every defect of high severity has a number")
def every(_: Path) -> Found:
    from relkit.report.plan_defects import read_defects  # noqa: PLC0415

    high = [one.id for one in read_defects() if one.severity == "high"]
    without = [id_ for id_ in high if id_ not in numbers()]
    return Found(
        "all but health, which its service shows",
        f"{len(high) - len(without)} of {len(high)}; without: {', '.join(without)}",
        all(id_[0] == "H" for id_ in without),
    )


@point("product", "plan-defects.md is made of the list")
def page(_: Path) -> Found:
    from relkit.report.plan_defects import PAGE, defects_page, read_defects  # noqa: PLC0415

    same = (ROOT / PAGE).read_text(encoding="utf-8") == defects_page(read_defects())
    return Found("byte for byte", "the same" if same else "differs", same)


@point("product", "before and after the plan")
def suite(_: Path) -> Found:
    from relkit.tune.before_after import CHOICE, PLAN, before_after  # noqa: PLC0415

    found = before_after(seeds=range(201, 213))
    gain, usd = found.gain(CHOICE, PLAN, "success"), found.gain(CHOICE, PLAN, "usd_per_10k")
    shares = ", ".join(f"{name} {100 * found.of(name, 'success').value:.2f} %" for name in found.names)
    figure = f"{shares}; gain {100 * gain.value:.2f} points ({100 * (gain.low or 0):.2f} to {100 * (gain.high or 0):.2f}), {usd.value:+.3f} dollars per 10,000"
    return Found(
        "our choice answers more than the plan with living models, for less money, on 12 other seeds",
        figure,
        (gain.low or 0) > 0 and (usd.high or 0) < 0,
    )


@point("product", "our choice is what choose recommends", slow=True)
def chosen(_: Path) -> Found:
    from relkit import choose, sweep  # noqa: PLC0415
    from relkit.policies.presets import changed  # noqa: PLC0415
    from relkit.simulation.scenario_toml import packaged  # noqa: PLC0415
    from relkit.simulation.suite import SUITE  # noqa: PLC0415
    from relkit.tune import Log, Space, Whole  # noqa: PLC0415
    from relkit.tune.before_after import CHOICE, FIXED, policies  # noqa: PLC0415

    scenarios = [packaged(name) for name in SUITE]
    known = policies(scenarios[0])
    base = changed(known[CHOICE], open_s=30.0, open_max_s=300.0, half_open_permits=1, max_attempts=3)
    ranges = {
        "open_s": Log(2.0, 30.0),
        "max_attempts": Whole(1, 4),
        "half_open_permits": Whole(1, 10),
        "open_max_s": Log(30.0, 300.0),
    }
    found = sweep(Space(base, ranges, fixed=[known[CHOICE], known[FIXED]]), scenarios, seeds=(11, 12), points=64)
    choice = choose(
        found,
        "cheapest with success >= 97 % and p95 <= 2 s in every scenario",
        known[FIXED],
        requests_a_month=10_000,
        evaluations=60,
    )
    place, ours = found.place_of(choice.name), found.place_of(CHOICE)
    usd = found.of("usd_per_answer").mean(axis=(1, 2))
    holds = choice.verdict.code == "RECOMMENDED" and usd[ours] <= 1.03 * usd[place]
    return Found(
        "as cheap as the recommended point, within 3 %",
        f"{choice.name}: {1e6 * usd[place]:.2f}, ours {1e6 * usd[ours]:.2f} dollars a million",
        holds,
    )
