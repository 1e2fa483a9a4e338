"""The shadow's gate and page: rollouts, worst inputs, five logs where the verdict flips, real pairs, twenty million pairs."""

import json
import random
from pathlib import Path
from typing import Any

from tests.prove.point import MAPPINGS, TRACES, Found, Skipped, ingest, must, point, relkit

CYCLE_S = 24 * 3600
FIRST_S = 1_794_823_200  # 16 November 2026, 10:00 UTC
TOML = """
[shadow.x]
margin = 0.01
schedule = [
    { at = 2026-11-16T10:00:00Z, share = 0.10 }, { at = 2026-11-16T16:00:00Z, share = 0.25 },
    { at = 2026-11-16T22:00:00Z, share = 0.50 }, { at = 2026-11-17T04:00:00Z, share = 1.0 },
]
"""
EXPECTED = {
    "harm_missed": ("go on", "ROLL_BACK"),
    "cluster_false_alarm": ("shadow wins", "INCONCLUSIVE"),
    "peeking": ("shadow wins", "INCONCLUSIVE"),
    "dropped_timeouts": ("shadow wins", "ROLL_BACK"),
    "noisy_field": ("halt", "PROMOTE"),
}


def rollout_log(folder: Path, wrong_after_h: float, number: int = 900) -> tuple[Path, Any]:
    """A day of pairs, three a session; from an hour on the shadow is wrong every other time."""
    from relkit.batch import Batch  # noqa: PLC0415  pytest collects this module and must not pay for it
    from relkit.config import load_config  # noqa: PLC0415
    from relkit.store import open_store  # noqa: PLC0415
    from relkit.store.sinks import sink_into  # noqa: PLC0415

    (folder / "relkit.toml").write_text(TOML, encoding="utf-8")
    draw = random.Random(4)
    ts = [FIRST_S + place * CYCLE_S // number for place in range(number)]
    primary = [draw.random() < 0.97 for _ in ts]
    bad = [at >= FIRST_S + wrong_after_h * 3600 and draw.random() < 0.5 for at in ts]
    columns = {
        "pair_id": [f"p{place}" for place in range(number)], "ts": [at * 1_000_000 for at in ts], "experiment": ["x"] * number,
        "session_id": [f"s{place // 3}" for place in range(number)], "primary_ok": primary,
        "shadow_ok": [ok and not wrong for ok, wrong in zip(primary, bad, strict=True)], "state": ["compared"] * number,
    }  # fmt: skip
    path = folder / "relkit.duckdb"
    with open_store(path, write=True) as store, sink_into(store, "log", "pairs") as sink:
        sink(Batch("pairs", columns))
    return path, load_config(folder / "relkit.toml")


@point("shadow", "rollout: 10/25/50/100 % over a day, a look every half hour, is 4 transitions")
def four_transitions(folder: Path) -> Found:
    from relkit.report.rollout import step_rollout  # noqa: PLC0415

    path, config = rollout_log(folder, wrong_after_h=48, number=300)
    looks = [step_rollout(path, config, "x", (FIRST_S + s) * 1_000_000) for s in range(0, CYCLE_S + 1, 1_800)]
    changes = [look.share for look in looks if look.changed]
    return Found(
        "exactly 4: 10, 25, 50, 100 %",
        f"{len(changes)} in {len(looks)} looks: {changes}",
        changes == [0.1, 0.25, 0.5, 1.0],
    )


@point("shadow", "rollout: a roll-back is absorbing, by looks in processes of their own")
def absorbing(folder: Path) -> Found:
    rollout_log(folder, wrong_after_h=2)
    states = []
    for hour in (10, 12, 14, 16, 17, 22):
        done = relkit(folder, "shadow", "step", "x", "--at", f"2026-11-16T{hour}:30:00Z", "--json")
        states.append((json.loads(done.stdout)["after"], done.returncode))
    first = next((place for place, (state, _) in enumerate(states) if state == "rolled_back"), len(states))
    holds = first < len(states) and all(state == ("rolled_back", 3) for state in states[first:])
    return Found("rolled_back and exit 3 from then on", " ".join(state for state, _ in states), holds)


@point("shadow", "rollout: one error in the first request rolls nobody back; twenty lost sessions do at once")
def first_error(folder: Path) -> Found:
    from relkit.report.rollout import step_rollout  # noqa: PLC0415
    from relkit.store import open_store  # noqa: PLC0415

    path, config = rollout_log(folder, wrong_after_h=48, number=60)
    with open_store(path, write=True) as store:
        store.connection.execute("UPDATE pairs SET primary_ok = TRUE, shadow_ok = FALSE")
    codes = {}
    for sessions in (1, 19, 20):
        at = (FIRST_S + (3 * sessions - 1) * CYCLE_S // 60) * 1_000_000
        decision = step_rollout(path, config, "x", at, write=False).decision
        codes[decision.sessions] = decision.reasons[0].code
    wanted = {1: "TOO_FEW_SESSIONS", 19: "TOO_FEW_SESSIONS", 20: "CATASTROPHE"}
    return Found(str(wanted), str(codes), codes == wanted)


@point("shadow", "relkit demo: five logs where the plan's verdict flips")
def flips(folder: Path) -> Found:
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.shadow.decide import Rules, verdict_of  # noqa: PLC0415
    from relkit.shadow.naive import naive_rules, plan_verdict  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    must(relkit(folder, "demo", "--database", "demo.duckdb"))
    found = {}
    with open_store(folder / "demo.duckdb") as store:
        week = period_of("2026-W47")
        first = readings.experiments(store, week)[0]
        for name in EXPECTED:
            study = readings.study(store, week, name, quiet_flags=("timeout",))
            found[name] = plan_verdict(naive_rules(study)), verdict_of(study, Rules(), "week").code
    text = "; ".join(f"{name}: plan {plan}, ours {ours}" for name, (plan, ours) in found.items())
    return Found(
        "5 of 5, professional still first", f"{text}; first {first}", found == EXPECTED and first == "professional"
    )


def pairs_csv(folder: Path, rows: list[str]) -> None:
    head = "id,ts,session,primary,shadow"
    (folder / "pairs.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    (folder / "pairs.toml").write_text(
        'kind = "pairs"\nsource = "log"\n[time]\ncolumn = "ts"\n[columns]\npair_id = "id"\nsession_id = "session"\n'
        'primary_ok = "primary"\nshadow_ok = "shadow"\n[constants]\nexperiment = "x"\nstate = "compared"\n',
        encoding="utf-8",
    )


@point("shadow", "real pairs: routellm-mmlu, 57 domains at .05, Holm and BH", slow=True)
def real_pairs(folder: Path) -> Found:
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.shadow import mcnemar  # noqa: PLC0415
    from relkit.shadow.multiplicity import adjust  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    found = sorted(TRACES.glob("**/routellm-mmlu-pairs*")) if TRACES.is_dir() else []
    mapping = next(MAPPINGS.glob("routellm*.toml"), None)
    if not found or mapping is None:
        raise Skipped("the trace routellm-mmlu-pairs does not lie beside the project")
    ingest(folder, found[0], "pairs", mapping)
    with open_store(folder / "relkit.duckdb") as store:
        names = readings.experiments(store, period_of("all"))
        study = readings.study(store, period_of("all"), names[0])
    # mid-p, the page's own, finds one more each; the published counts are of the exact test
    raw = [mcnemar(segment.counts).p_exact for segment in study.segments if segment.by == "segment"]
    counts = [sum(p is not None and p <= 0.05 for p in some) for some in (raw, adjust(raw, "holm"), adjust(raw, "bh"))]
    return Found(
        "57 domains: 41, Holm 33, BH 40", f"{len(raw)} domains: {counts}", [len(raw), *counts] == [57, 41, 33, 40]
    )


@point("shadow", "20 million pairs: all report numbers in 10 s and 2 GB on two processors", slow=True)
def large(folder: Path) -> Found:
    from benchmarks.measure import alone  # noqa: PLC0415

    database = str(folder / "pairs.duckdb")
    alone("benchmarks.shadow:make", database, 20_000_000)
    costs = [alone("benchmarks.shadow:ours", database) for _ in range(2)]
    wall, peak = min(cost.wall_s for cost in costs), max(cost.peak_mb for cost in costs)
    return Found("at most 10 s and 2,000 MB", f"{wall:.1f} s, {peak:.0f} MB", wall <= 10 and peak <= 2_000)


@point(
    "shadow",
    "the worst log through the whole notebook: no answer of the shadow, one session, every pair twice",
    slow=True,
)
def worst_page(folder: Path) -> Found:
    rows = [
        f"p{place // 2},2026-11-17T10:{place // 2:02d}:00Z,s1,{'true' if place % 3 else 'false'},"
        for place in range(40)
    ]
    pairs_csv(folder, rows)
    ingest(folder, folder / "pairs.csv", "pairs", folder / "pairs.toml")
    must(relkit(folder, "report", "--all", "--reports", "pages"))
    manifest = json.loads((folder / "pages" / "all" / "manifest.json").read_text(encoding="utf-8"))
    text = json.dumps(manifest)
    codes = [record["code"] for record in manifest["verdicts"]["5_shadow_ab"] if record["area"] == "shadow"]
    plain = "NaN" not in text and "Infinity" not in text
    # a pair that comes twice is kept once; one session says nothing of how sessions differ
    return Found("page renders, INCONCLUSIVE, no NaN", f"{codes}, plain {plain}", codes == ["INCONCLUSIVE"] and plain)
