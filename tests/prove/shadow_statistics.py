"""Points of the shadow's statistics: published figures, all small tables, error rates at the reference's full replications, real inputs."""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .point import ROOT, TRACES, Found, Skipped, point


def beside(name: str) -> ModuleType:
    """Load a module that lies beside the tests, which are no package."""
    folder = str(ROOT / "tests/shadow")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def held(test: Callable[..., None]) -> tuple[int, int]:
    """Run a test with each of its parameter sets; return how many hold, and how many there are."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    sets: list[dict[str, Any]] = [{}]
    for mark in marks:
        names = [mark.args[0]] if isinstance(mark.args[0], str) else list(mark.args[0])
        rows = [dict(zip(names, (row if len(names) > 1 else (row,)), strict=True)) for row in mark.args[1]]
        sets = [{**one, **row} for one in sets for row in rows]
    good = 0
    for arguments in sets:
        try:
            test(**arguments)
            good += 1
        except AssertionError:
            continue
    return good, len(sets)


def all_of(module: str, *names: str) -> tuple[int, int]:
    """Run tests of a module by name, or all of them."""
    tests = beside(module)
    chosen = names or [name for name, _ in inspect.getmembers(tests, inspect.isfunction) if name.startswith("test_")]
    results = [held(getattr(tests, name)) for name in chosen]
    return sum(good for good, _ in results), sum(tried for _, tried in results)


@point("shadow", "published worked examples, to the printed digits")
def published(folder: Path) -> Found:
    good, tried = all_of("test_published")
    return Found(
        "every vector of the reference and of its papers and books",
        f"{good} of {tried} groups of figures",
        good == tried,
    )


@point(
    "shadow",
    "all 1,820 tables with at most 12 pairs: finite, in [-1, 1], mirrored, monotone in the level; Tango dual to McNemar",
)
def small_tables(folder: Path) -> Found:
    results = [
        all_of(
            "test_intervals_paired",
            "test_every_small_table_has_finite_mirrored_limits_that_widen_with_the_level",
            "test_every_interval_of_a_small_table_holds_the_estimate",
        ),
        all_of("test_paired", "test_every_small_table_is_finite_dual_and_mirrored"),
    ]
    good, tried = (sum(column) for column in zip(*results, strict=True))
    return Found("5 intervals, 6 levels", f"{good} of {tried} runs over 1,820 tables", good == tried)


@point("shadow", "level of mid-p and exact on 7 rows of 100,000 replications (T1)")
def level_of_pairs(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415  pytest collects this module and must not pay for it

    from relkit.shadow import mcnemar  # noqa: PLC0415

    settings = beside("shadow_settings")
    mids, exacts, plan = [], [], 0.0
    for p, rho in ((0.9, 0.0), (0.9, 0.3), (0.9, 0.6), (0.9, 0.9), (0.98, 0.6), (0.98, 0.9), (0.7, 0.6)):
        drawn = np.random.default_rng(20251008).multinomial(1_000, settings.cells(p, rho), 100_000)
        mids.append(settings.rejected_share(drawn, lambda counts: mcnemar(counts).p_mid <= 0.05))
        exacts.append(settings.rejected_share(drawn, lambda counts: mcnemar(counts).p_exact <= 0.05))
        if (p, rho) == (0.9, 0.6):
            plan = settings.rejected_share(drawn, settings.plans_rule, all_cells=True)
    holds = max(mids) <= 0.053 and 0.0459 <= mids[2] <= 0.0513 and max(exacts) <= 0.05 and 0.0041 <= plan <= 0.0059
    figure = (
        f"mid-p {', '.join(f'{one:.4f}' for one in mids)}; exact at most {max(exacts):.4f}; the plan's rule {plan:.4f}"
    )
    return Found("mid-p <= .053, third row in [.0459, .0513]; exact <= .05; plan in [.0041, .0059]", figure, holds)


@point("shadow", "power of mid-p on 8 rows of 50,000 replications (T2)")
def power_of_pairs(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    from relkit.shadow import mcnemar  # noqa: PLC0415

    settings = beside("shadow_settings")
    rows = (
        (0.6, 0.02, 0.938), (0.6, 0.01, 0.395), (0.6, -0.01, 0.370), (0.6, -0.02, 0.896), (0.6, -0.05, 1.0),
        (0.9, 0.01, 0.940), (0.9, -0.01, 0.914), (0.3, -0.02, 0.680),
    )  # fmt: skip
    off, plan = 0.0, 0.0
    for rho, delta, expected in rows:
        drawn = np.random.default_rng(20251008).multinomial(2_000, settings.cells(0.9, rho, delta), 50_000)
        off = max(off, abs(settings.rejected_share(drawn, lambda counts: mcnemar(counts).p_mid <= 0.05) - expected))
        if delta < 0:
            plan = max(plan, settings.rejected_share(drawn, settings.plans_rule, all_cells=True))
    figure = f"largest distance {off:.4f}; the plan's rule sees harm in {plan:.4f}"
    return Found("within .009 of each; the plan's rule at most .001 for harm", figure, off <= 0.009 and plan <= 0.001)


@point("shadow", "168 hourly looks, 4,000 weeks: any-look false alarms (T3)")
def looks(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    settings = beside("shadow_settings")
    drawn = np.random.default_rng(168).multinomial(200, settings.cells(0.9, 0.6), (4_000, 168))
    b, c = drawn[..., 1].cumsum(axis=1), drawn[..., 2].cumsum(axis=1)
    rates = {rule: float(settings.any_look(b, c, rule).mean()) for rule in ("e 0.5", "e 10", "e 50", "benefit 10")}
    rates["mixture"] = float(settings.any_session_look(c - b, b + c, float((b + c)[:, -1].mean())).mean())
    fixed = float(settings.any_look(b, c, "mid_p").mean())
    holds = all(rate + settings.four_se(rate, 4_000) <= 0.05 for rate in rates.values()) and 0.375 <= fixed <= 0.437
    told = ", ".join(f"{rule} {rate:.4f}" for rule, rate in rates.items())
    return Found("each e-process + 4 se <= .05; mid-p each hour in [.375, .437]", f"{told}; mid-p {fixed:.3f}", holds)


@point("shadow", "sessions: level of five tests on 6 settings of 8,000 replications (T4)")
def sessions(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    from relkit.shadow import (  # noqa: PLC0415
        SessionTable,
        e_sessions,
        mcnemar,
        mixture_rho,
        obuchowski,
        session_sign_test,
        session_t,
        sign_flip,
    )

    settings, told, holds = beside("shadow_settings"), [], True
    for own, k in ((0.0, 100), (0.5, 100), (1.0, 30), (1.0, 100), (1.0, 400), (2.0, 400)):
        hits, replications = np.zeros(6), 0
        for part in range(8):  # in parts: a draw of 8,000 x 400 sessions would take 100 MB a column
            chats = settings.Chats(404 + part, 1_000, k, own)
            rho = mixture_rho(float((chats.d**2).sum(axis=1).mean()))
            for one in range(1_000):
                sums, table = chats.sums(one), chats.table(one)
                d, times = np.unique(chats.d[one], return_counts=True)
                flip = sign_flip(SessionTable(tuple(d), (60,) * d.size, tuple(times)))
                hits += [
                    session_t(sums, table).p <= 0.05, (obuchowski(sums).p or 1.0) <= 0.05,
                    session_sign_test(sums).p_mid <= 0.05, flip.p <= 0.05, e_sessions(sums.s, sums.v, rho).p <= 0.05,
                    mcnemar(table).p_mid <= 0.05,
                ]  # fmt: skip
            replications += 1_000
        t, chi2, sign, flips, evidence, naive = hits / replications
        slack = settings.four_se(0.05, replications)
        holds &= 0.035 <= t <= 0.070 and 0.030 <= chi2 <= 0.060 and 0.030 <= sign <= 0.060
        holds &= flips <= 0.05 + slack and evidence <= 0.05 and (own < 1 or naive >= 0.15)
        told.append(
            f"sd {own:g} K {k}: t {t:.3f} Obuchowski {chi2:.3f} sign {sign:.3f} flip {flips:.3f} e {evidence:.3f} ignored {naive:.3f}"
        )
    return Found(
        "t in [.035, .070], Obuchowski and sign in [.030, .060], flip <= .05 + 4 se, e <= .05",
        "; ".join(told),
        bool(holds),
    )


@point("shadow", "sessions at 168 hourly looks, 1,500 weeks")
def session_looks(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    settings = beside("shadow_settings")
    alarms = []
    for part in range(3):
        chats = settings.Chats(405 + part, 500, 1_680, 1.0)
        s, v = chats.d.cumsum(axis=1)[:, 9::10], (chats.d**2).cumsum(axis=1)[:, 9::10]
        b, c = (chats.cells[..., arm].cumsum(axis=1)[:, 9::10] for arm in (1, 2))
        found = [
            settings.any_session_look(s, v, float(v[:, -1].mean())), settings.any_look(b, c, "e 10"),
            settings.any_look(b, c, "mid_p"),
        ]  # fmt: skip
        alarms.append([one.mean() for one in found])
    by_session, pairs, fixed = np.mean(alarms, axis=0)
    figure = f"by session {by_session:.4f}; turns as independent {pairs:.3f}; mid-p of turns {fixed:.3f}"
    return Found("by session + 4 se <= .05", figure, bool(by_session + settings.four_se(by_session, 1_500) <= 0.05))


@point("shadow", "latency: signed rank of log ratios, level and power at n = 300, 5,000 replications")
def latency(folder: Path) -> Found:
    from relkit.shadow import Differences, signed_rank  # noqa: PLC0415

    settings, found = beside("shadow_settings"), {}
    for slower in (1.0, 1.05, 1.1):
        hits = [signed_rank(Differences.of(settings.latencies(seed, 300, slower))).p for seed in range(5_000)]
        found[slower] = sum(p <= 0.05 for p in hits if p is not None) / len(hits)
    level = abs(found[1.0] - 0.05) <= settings.four_se(0.05, 5_000)
    figure = f"level {found[1.0]:.4f}; +5 % found in {found[1.05]:.3f}, +10 % in {found[1.1]:.3f}"
    return Found(
        "level .05 within 4 se; about .415 and .924", figure, level and found[1.05] > 0.38 and found[1.1] > 0.9
    )


@point("shadow", "coverage of Tango, Newcombe and Bonett-Price on 4 rows of 8,000 replications")
def coverage(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    from relkit.shadow import PairCounts, bonett_price, newcombe, tango  # noqa: PLC0415

    settings, told, least = beside("shadow_settings"), [], 1.0
    for p1, p2, rho, n in (
        (0.98, 0.96, 0.5, 300),
        (0.9, 0.88, 0.6, 300),
        (0.9, 0.89, 0.9, 300),
        (0.98, 0.97, 0.6, 1_000),
    ):
        drawn = np.random.default_rng(909).multinomial(n, settings.cells(p1, rho, p2 - p1), 8_000)
        tables, times = np.unique(drawn, axis=0, return_counts=True)
        row = []
        for interval in (tango, newcombe, bonett_price):
            covers = [not interval(PairCounts(*table)).excludes(p2 - p1) for table in tables.tolist()]
            row.append(float(times[np.array(covers)].sum() / 8_000))
        least = min(least, *row)
        told.append("/".join(f"{one:.3f}" for one in row))
    figure = f"{', '.join(told)}: least {least:.3f}"
    return Found("Tango .945 .947 .935 .949 +- .01, the others above", figure, least >= 0.925)


@point("shadow", "real inputs: 57 domains, two arms that are no pairs, a benchmark against itself")
def real_inputs(folder: Path) -> Found:
    if not (TRACES / "routellm-mmlu-pairs.csv").is_file():
        raise Skipped("the traces do not lie beside the project")
    good, tried = all_of("test_shadow_traces")
    return Found(
        "41/33/40 of 57; p .0315, said not to be paired; A/A near 5 %", f"{good} of {tried} claims", good == tried
    )


@point("shadow", "a plan whose traffic cannot show its margin is refused")
def planner(folder: Path) -> Found:
    from relkit.shadow import plan_rollout  # noqa: PLC0415

    plan = plan_rollout(
        [(0.1, 2), (0.25, 2), (0.5, 2)], requests_per_hour=10_000 / 720, margin=0.01, discordant_share=0.04
    )
    kept = plan_rollout(
        [(1.0, plan.needed_hours_at_full_share * 1.001)],
        requests_per_hour=10_000 / 720,
        margin=0.01,
        discordant_share=0.04,
    )
    return Found(
        "the plan's own steps refused, the hours it names accepted",
        plan.sentence + " " + plan.would_change,
        kept.accepted and not plan.accepted,
    )


@point("shadow", "any-look coverage of the confidence sequence of sessions, also where differences are skewed")
def sequence_coverage(folder: Path) -> Found:
    settings = beside("shadow_settings")
    missed = {
        name: sum(
            settings.misses_any_look(settings.Chats(420 + part, 200, 1_680, 1.0, shift), truth) for part in range(3)
        )
        / 600
        for name, shift, truth in (("alike", 0.0, 0.0), ("6 points worse", -0.6, settings.true_delta(1.0, -0.6)))
    }
    missed["skewed"] = settings.misses_any_look(settings.Skewed(430, 600, 1_680), 0.0) / 600
    told = ", ".join(f"{name} {share:.4f}" for name, share in missed.items())
    holds = all(share - settings.four_se(0.05, 600) <= 0.05 for share in missed.values())
    return Found("missed at any of 168 looks in at most .05, within 4 se", told, holds)
