"""Real inputs: two models on 14,042 prompts, two policies on a shop page, one benchmark run again and again."""

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_ind

from relkit.shadow import (
    Differences,
    PairCounts,
    adjust,
    bowker,
    mcnemar,
    session_t,
    session_table,
    signed_rank,
    tango,
    two_arms,
)

TRACES = Path(__file__).parents[3] / "shared" / "traces"
pytestmark = pytest.mark.traces


def rows(name: str) -> list[dict[str, str]]:
    path = TRACES / name
    if not path.is_file():
        pytest.skip(f"the trace {name} does not lie beside the project")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def counted(answers: list[tuple[bool, bool]]) -> PairCounts:
    times = Counter(answers)
    return PairCounts(times[True, True], times[True, False], times[False, True], times[False, False])


def answers_of(found: list[dict[str, str]]) -> list[tuple[bool, bool]]:
    """(Mixtral right, GPT-4 right): the cheap model as primary."""
    return [(row["mixtral_8x7b_correct"] == "True", row["gpt4_1106_correct"] == "True") for row in found]


def test_two_models_on_fifty_seven_domains():
    """Whole: 8,818 / 742 / 2,497 / 1,985, z 30.8. By domain: 41 exact p below .05, Holm keeps 33, Benjamini-Hochberg 40."""
    found = rows("routellm-mmlu-pairs.csv")
    whole = counted(answers_of(found))
    assert whole == PairCounts(8_818, 742, 2_497, 1_985)
    assert f"{mcnemar(whole).z:.1f}" == "30.8"
    domains = sorted({row["domain"] for row in found})
    p = [mcnemar(counted(answers_of([row for row in found if row["domain"] == domain]))).p_exact for domain in domains]
    holm, bh = adjust(p), adjust(p, "bh")
    assert (len(domains), sum(one < 0.05 for one in p)) == (57, 41)
    assert (sum(one < 0.05 for one in holm), sum(one < 0.05 for one in bh)) == (33, 40)
    assert bowker([[whole.both, whole.only_primary], [whole.only_shadow, whole.neither]]).statistic == pytest.approx(
        mcnemar(whole).z ** 2
    )


def test_contaminated_prompts_do_not_carry_the_finding():
    """Sensitivity: without the prompts known to be in training data the difference stays within half a point."""
    found = rows("routellm-mmlu-pairs.csv")
    clean = counted(answers_of([row for row in found if row["contaminated"] == "False"]))
    whole = counted(answers_of(found))
    assert 0 < whole.n - clean.n < whole.n / 10
    assert abs(clean.delta - whole.delta) < 0.005
    assert tango(clean).low > 0.1


def test_domains_as_sessions_widen_the_interval():
    """57 domains as units: the same estimate, a wider interval, still far from 0."""
    found = rows("routellm-mmlu-pairs.csv")
    pairs = answers_of(found)
    table = session_table([row["domain"] for row in found], [one for one, _ in pairs], [other for _, other in pairs])
    test, naive = session_t(table.sums(), counted(pairs)), tango(counted(pairs))
    assert test.sessions == 57
    assert test.design_effect > 2
    assert test.high - test.low > 1.4 * (naive.high - naive.low)
    assert test.low > 0.05


def test_two_policies_of_a_shop_page_are_not_pairs():
    """46 and 69 clicks of 10,000 each: two-proportion p .0315, Fisher .0392, and the record says that nothing is paired."""
    clicks = [sum(int(row["click"]) for row in rows(f"obd-men-{policy}.csv")) for policy in ("random", "bts")]
    arms = two_arms(clicks[0], 10_000, clicks[1], 10_000)
    assert clicks == [46, 69]
    assert (f"{arms.z:.3f}", f"{arms.p:.4f}", f"{arms.p_exact:.4f}") == ("2.151", "0.0315", "0.0392")
    assert "nothing is paired" in arms.note


def test_a_benchmark_against_itself_raises_about_five_percent():
    """A/A: 10,631 runs by time. Neighbours as pairs: the signed rank of 50 pairs rejects in about 5 % of 106 stretches,
    where Welch on windows one after the other has 14 % (of 50 runs) and 38 % (of 200): drift is no difference of arms."""
    runs = sorted(rows("azure-vmnoise-pg-rw-latency-short.csv"), key=lambda row: row["starttime"])
    log2 = np.log2([float(row["latency_ms"]) for row in runs])
    log2 = log2[: log2.size // 2 * 2]
    ratios = log2[1::2] - log2[::2]
    alarms = [
        signed_rank(Differences.of(ratios[start : start + 50])).p <= 0.05 for start in range(0, ratios.size - 49, 50)
    ]
    assert len(alarms) == 106
    assert abs(np.mean(alarms) - 0.05) <= 4 * (0.05 * 0.95 / 106) ** 0.5
    for size, at_least in ((50, 0.10), (200, 0.25)):
        windows = [log2[start : start + size] for start in range(0, log2.size - size + 1, size)]
        welch = [ttest_ind(one, other, equal_var=False).pvalue <= 0.05 for one, other in list(pairwise(windows))[::2]]
        assert np.mean(welch) > at_least
