"""The shadow page from the worst inputs: every plate renders, says what is, holds plain numbers, and text equals record."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from studies import make_study

from relkit.plates import shadow as plates
from relkit.plates.plate import Plate
from relkit.plates.table import Table
from relkit.shadow.characteristics import operating_characteristics
from relkit.shadow.decide import Rules, decide, verdict_of
from relkit.shadow.disagreement import Disagreement
from relkit.shadow.naive import naive_rules
from relkit.shadow.protocol import Protocol, check_protocol
from relkit.shadow.study import Segment, Study

RULES = Rules()
TELLS_OF_NAN = {"plan_test", "methods"}  # what the plan's code would print, in words


def good(seed: int = 1, n: int = 3_000) -> Study:
    rng = np.random.default_rng(seed)
    p = rng.random(n) < 0.95
    s = p ^ (rng.random(n) < 0.02)
    return make_study(
        np.arange(n) // 3, p, s, differs=rng.random(n) < 0.2, baseline=rng.random(n) < 0.2, ratio=np.exp(0.2 * rng.standard_normal(n)),
        cost=np.ones(n), hour=np.arange(n) // 100, primary_first=(n // 2, n),
    )  # fmt: skip


NONE = np.zeros(0, dtype=bool)
WORST: dict[str, Callable[[], Study | None]] = {
    "no experiment": lambda: None,
    "n = 0": lambda: make_study(NONE, NONE, NONE),
    "one pair": lambda: make_study([1], [True], [False], hour=[0]),
    "one session": lambda: make_study([1] * 80, [True] * 80, [True] * 79 + [False], ratio=np.ones(80), hour=[0] * 80),
    "no discordant pair": lambda: make_study(
        range(90), [True] * 90, [True] * 90, ratio=np.ones(90), cost=np.ones(90), hour=range(90)
    ),
    "all shadows missing": lambda: make_study(range(200), [True] * 200, [False] * 200, hour=range(200)),
    "no clock, no sessions": lambda: make_study(range(90), [True] * 90, [True] * 45 + [False] * 45, has_sessions=False),
    "duplicated pairs": lambda: make_study(range(90), [True] * 90, [True] * 90, duplicates=3, hour=range(90)),
    "an ordinary one": good,
}


def shown(study: Study | None) -> Iterator[Plate | Table]:
    decision = decide(study, RULES, anytime=False)
    verdict = verdict_of(study, RULES, "2026-W47")
    protocol = Protocol("x", 0, 10, RULES.margins, 0.95, 30, 500, ())
    checks = check_protocol(protocol, study, RULES)
    found = operating_characteristics(study.sample, RULES, replications=20) if study else ()
    read = (Disagreement("neither right", "x1", None, 1, "a", None, None, "text", 5),) if study else ()
    judged = (Judged(study, verdict),) if study else ()
    yield plates.experiment_plate(study, verdict, RULES.margins.errors)
    for plate in (
        plates.pairs_2x2_plate,
        plates.funnel_plate,
        plates.baseline_plate,
        plates.methods_table,
        plates.plan_test_table,
    ):
        yield plate(study)
    for table in (plates.influence_table, plates.actions_table):
        yield table(study)
    for drawn in (
        plates.path_plate, plates.looks_table, plates.quality_table, plates.forest_plate, plates.sessions_plate,
        plates.sensitivity_table, plates.power_table,
    ):  # fmt: skip
        yield drawn(study, RULES)
    for seeded in (plates.shift_plate, plates.latency_table):
        yield seeded(study, RULES)
    yield plates.guardrails_table(decision)
    yield plates.rules_table(study, found, decision)
    yield plates.header_table(study, RULES, "0" * 64, checks)
    yield plates.experiments_table(judged)
    yield plates.ledger_table(study, decision, 0.95)
    yield plates.disagreements_table(read)
    yield plates.sign_off_table(study, decision, RULES, checks)


class Judged:
    def __init__(self, study: Study, verdict: Any) -> None:
        self.study, self.verdict, self.said = study, verdict, naive_rules(study)


@pytest.mark.parametrize("case", WORST)
def test_every_plate_renders_whatever_the_log(case: str) -> None:
    """No NaN, no infinity, no word of Python's in what a reader sees."""
    names = []
    for one in shown(WORST[case]()):
        record = one.record()
        text = json.dumps(record, allow_nan=False)
        assert not re.search(r"(?i:\bnan\b|\binf(inity)?\b)|\bNone\b", text) or record["name"] in TELLS_OF_NAN, text
        assert record["caption"]
        assert one._repr_mimebundle_()["text/html"]
        if isinstance(one, Table):
            assert {len(row) for row in one.rows} == {len(one.columns)}, one.name
        names.append(one.name)
    assert len(names) == len(set(names)) == 24


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("no experiment", "INCONCLUSIVE"), ("n = 0", "INVALID"), ("one pair", "INCONCLUSIVE"), ("one session", "INCONCLUSIVE"),
        ("no discordant pair", "INCONCLUSIVE"), ("all shadows missing", "ROLL_BACK"), ("duplicated pairs", "INVALID"),
    ],
)  # fmt: skip
def test_the_verdict_on_the_worst_logs_is_honest(case: str, code: str) -> None:
    verdict = verdict_of(WORST[case](), RULES, "2026-W47")
    assert verdict.code == code
    json.dumps(verdict.record(), allow_nan=False)


def figures(text: str) -> set[float]:
    return {
        float(found.replace("−", "-").replace("\u202f", ""))
        for found in re.findall(r"[−-]?\d[\d\u202f]*(?:\.\d+)?", text)
    }


def test_numbers_in_the_text_are_those_of_the_record() -> None:
    """Read back from what is shown: difference, interval, counts, guardrails, as many digits as are written."""
    study = good()
    decision, verdict = decide(study, RULES, anytime=False), verdict_of(study, RULES, "w")
    record = verdict.record()
    told = figures(verdict.sentence)
    assert {
        abs(round(100 * record["value"], 2)),
        round(100 * record["low"], 2),
        round(100 * record["high"], 2),
        float(record["n"]),
    } <= told
    table = plates.guardrails_table(decision)
    for row in table.rows:
        name = row[0]
        for cell, key in ((row[1], "value"), (row[2], "low"), (row[2], "high")):
            value = table.record()["values"][f"{name}_{key}"]
            if value is not None:
                digits = 1 if name in {"latency", "cost"} else 2
                assert any(abs(figure - 100 * value) <= 0.5 * 10**-digits + 1e-9 for figure in figures(cell)), (
                    name,
                    key,
                )
    cells = plates.pairs_2x2_plate(study)
    for key in ("only_primary", "only_shadow"):
        assert float(cells.record()["values"][key]) in figures(cells.caption)
    sessions = plates.sessions_plate(study, RULES)
    assert float(sessions.record()["values"]["sessions"]) in figures(sessions.caption)
    assert round(sessions.record()["values"]["design_effect"], 2) in figures(sessions.caption)
    path = plates.path_plate(study, RULES)
    assert {round(100 * path.record()["values"][end], 2) for end in ("low", "high")} <= figures(path.caption)


def test_segments_that_are_alike_are_not_named() -> None:
    """Every segment is significantly worse, none differs from the others: the caption must not tell one apart."""
    study = good()
    parts = []
    for place in range(4):
        part = make_study(np.arange(900) // 3, np.ones(900, dtype=bool), np.arange(900) % 25 > 0)
        parts.append(Segment("segment", "abcd"[place], part.experiment.counts, part.experiment.sums))
    alike = type(study)(
        **{name: getattr(study, name) for name in study.__dataclass_fields__} | {"segments": tuple(parts)}
    )
    caption = plates.forest_plate(alike, RULES).caption
    assert caption.startswith("4 of 4 segments differ from 0")
    assert "nothing says that they differ from each other" in caption
    better = make_study(np.arange(900) // 3, np.arange(900) % 25 > 0, np.ones(900, dtype=bool)).experiment
    mixed = type(study)(
        **{name: getattr(study, name) for name in study.__dataclass_fields__}
        | {"segments": (*parts[:3], Segment("segment", "d", better.counts, better.sums))}
    )
    assert "they differ by segment" in plates.forest_plate(mixed, RULES).caption


def test_equal_numbers_draw_equal_bytes() -> None:
    for one, other in zip(shown(good()), shown(good()), strict=True):
        assert one._repr_mimebundle_() == other._repr_mimebundle_()
