"""Published worked examples, to the printed digits. Papers that subtract the other way round are turned: first - second is here shadow - primary."""

from math import exp

import pytest
from scipy.special import ndtr
from scipy.stats import chi2

from relkit.shadow import (
    Differences,
    Interval,
    PairCounts,
    SessionTable,
    adjust,
    agresti_min,
    bonett_price,
    bowker,
    discordant_odds_ratio,
    durkalski,
    e_pairs,
    e_sessions,
    hodges_lehmann,
    mcnemar,
    mcnemar_power,
    mixture_bound,
    mixture_rho,
    newcombe,
    normal_sample_size,
    obuchowski,
    paired_ratio,
    session_chi2,
    sign_flip,
    signed_rank,
    stuart_maxwell,
    tango,
    wald,
)
from relkit.shadow.sample_ratio import sample_ratio


def first_less_second(a: int, b: int, c: int, d: int) -> PairCounts:
    """A paper's table: both, only the first, only the second, neither; its difference is first - second."""
    return PairCounts(both=a, only_primary=c, only_shadow=b, neither=d)


def shown(interval: Interval, digits: int) -> tuple[str, str]:
    return f"{interval.low:.{digits}f}", f"{interval.high:.{digits}f}"


AT_1_96 = 1 - 2 * float(ndtr(-1.96))
CAVO = first_less_second(59, 6, 16, 80)  # complete response before and after therapy, Cavo 2012
BENTUR = first_less_second(1, 1, 7, 12)  # airway hyper-responsiveness, Bentur 2009
EZRA = first_less_second(7, 25, 2, 68)  # floppy eyelid syndrome, Ezra 2010


@pytest.mark.parametrize(
    ("interval", "counts", "level", "digits", "low", "high"),
    [
        # Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables (2017), chapter 8
        (wald, CAVO, 0.95, 4, "-0.1184", "-0.0058"),
        (agresti_min, CAVO, 0.95, 4, "-0.1182", "-0.0045"),
        (bonett_price, CAVO, 0.95, 4, "-0.1195", "-0.0032"),
        (newcombe, CAVO, 0.95, 4, "-0.1186", "-0.0046"),
        (tango, CAVO, 0.95, 4, "-0.1240", "-0.0054"),
        # Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014), table V
        (tango, BENTUR, 0.95, 3, "-0.517", "-0.026"),
        (newcombe, BENTUR, 0.95, 3, "-0.507", "-0.026"),
        # the same book's third example
        (tango, EZRA, 0.95, 3, "0.139", "0.321"),
        (newcombe, EZRA, 0.95, 3, "0.133", "0.318"),
        # Tango 1998: contact lenses at 90 %; Tango's second table
        (tango, first_less_second(43, 0, 1, 0), 0.90, 3, "-0.096", "0.037"),
        (tango, first_less_second(4, 9, 3, 16), 0.95, 3, "-0.027", "0.390"),
        # Agresti and Min 2005
        (tango, first_less_second(53, 16, 8, 9), 0.95, 3, "-0.020", "0.207"),
        # Tang, Li and Tang 2010
        (tango, first_less_second(8, 3, 1, 2), 0.95, 4, "-0.1670", "0.4327"),
        (newcombe, first_less_second(8, 3, 1, 2), 0.95, 4, "-0.1574", "0.4136"),
        (tango, first_less_second(36, 12, 2, 0), 0.95, 4, "0.0611", "0.3447"),
        # Newcombe, Statistics in Medicine 17 (1998), table III, method 10 (he takes z = 1.96)
        (newcombe, first_less_second(36, 12, 2, 0), AT_1_96, 4, "0.0569", "0.3404"),
        (newcombe, first_less_second(20, 12, 2, 16), AT_1_96, 4, "0.0562", "0.3292"),
        (newcombe, first_less_second(18, 12, 2, 18), AT_1_96, 4, "0.0562", "0.3290"),
        (newcombe, first_less_second(36, 14, 0, 0), AT_1_96, 4, "0.1528", "0.4167"),
        (newcombe, first_less_second(35, 14, 0, 1), AT_1_96, 4, "0.1461", "0.4175"),
        (newcombe, first_less_second(18, 14, 0, 18), AT_1_96, 4, "0.1441", "0.3963"),
        (newcombe, first_less_second(2, 97, 1, 0), AT_1_96, 4, "0.8721", "0.9854"),
        (
            newcombe,
            first_less_second(1, 97, 1, 1),
            AT_1_96,
            3,
            "0.874",
            "0.985",
        ),  # .8736 where it is quoted; the formula has .87367
        (newcombe, first_less_second(0, 29, 1, 0), AT_1_96, 4, "0.6666", "0.9882"),
        (newcombe, first_less_second(2, 98, 0, 0), AT_1_96, 4, "0.9178", "0.9945"),
        (newcombe, first_less_second(1, 98, 0, 1), AT_1_96, 4, "0.9171", "0.9916"),
        (newcombe, first_less_second(0, 30, 0, 0), AT_1_96, 4, "0.8395", "1.0000"),
        (newcombe, first_less_second(54, 0, 0, 0), AT_1_96, 4, "-0.0664", "0.0664"),
        (newcombe, first_less_second(53, 0, 0, 1), AT_1_96, 4, "-0.0729", "0.0729"),
        (newcombe, first_less_second(30, 0, 0, 24), AT_1_96, 4, "-0.0358", "0.0358"),
        (newcombe, first_less_second(29, 0, 0, 25), AT_1_96, 4, "-0.0354", "0.0354"),
        (newcombe, first_less_second(28, 0, 0, 26), AT_1_96, 4, "-0.0352", "0.0352"),
        (newcombe, first_less_second(27, 0, 0, 27), AT_1_96, 4, "-0.0351", "0.0351"),
        # Agresti, Categorical Data Analysis (2002), 10.1: approval of a prime minister, second survey - first
        (wald, PairCounts(794, 150, 86, 570), 0.95, 3, "-0.059", "-0.021"),
    ],
)
def test_intervals_of_a_difference(interval, counts, level, digits, low, high):
    assert shown(interval(counts, level), digits) == (low, high)


@pytest.mark.parametrize(
    ("counts", "asymptotic", "corrected", "exact", "mid"),
    [
        (CAVO, "0.033006", "0.055009", "0.052479", "0.034690"),
        # Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91 (2013), table 5
        (BENTUR, "0.033895", "0.077100", "0.070312", "0.039062"),
    ],
)
def test_mcnemar_in_four_forms(counts, asymptotic, corrected, exact, mid):
    test = mcnemar(counts)
    found = (test.p_asymptotic, test.p_corrected, test.p_exact, test.p_mid)
    assert tuple(f"{p:.6f}" for p in found) == (asymptotic, corrected, exact, mid)


@pytest.mark.parametrize(
    ("b", "c", "corrected", "plain"),
    [
        (121, 59, 20.67222, 21.35556),
        (70, 59, 0.7751938, 0.9379845),
        (80, 59, 2.87769784, 3.17266187),
        (12, 2, 5.785714, 50 / 7),
    ],
)
def test_mcnemar_chi_squares(b, c, corrected, plain):
    """Three of R (in statsmodels' tests), and Armitage and Berry's cultures of 50 specimens (1994, p. 127)."""
    test = mcnemar(PairCounts(20, b, c, 16))
    assert test.z**2 == pytest.approx(plain, rel=1e-6)
    assert chi2.isf(test.p_corrected, 1) == pytest.approx(corrected, rel=1e-6)


def test_discordant_odds_ratios():
    """Liddell's interval of Armitage and Berry's table; Fagerland 2014, table VII, for Bentur's."""
    cultures = discordant_odds_ratio(first_less_second(20, 12, 2, 16))
    assert (cultures.value, f"{cultures.low:.6f}", f"{cultures.high:.6f}") == (6.0, "1.335744", "55.197091")
    assert f"{mcnemar(first_less_second(20, 12, 2, 16)).p_exact:.4f}" == "0.0129"
    bentur = discordant_odds_ratio(BENTUR)
    assert (f"{bentur.low:.3f}", f"{bentur.high:.3f}") == ("0.003", "1.112")
    assert (f"{bentur.mid_low:.3f}", f"{bentur.mid_high:.3f}") == ("0.006", "0.924")


def test_ratio_of_shares():
    """Fagerland et al. (2017), chapter 8: Bonett and Price's hybrid Wilson interval of Cavo's table."""
    ratio = paired_ratio(CAVO)
    assert (f"{ratio.value:.4f}", f"{ratio.low:.4f}", f"{ratio.high:.4f}") == ("0.8667", "0.7579", "0.9910")


STUART = [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
PETERSON = [[596, 18, 6, 5], [0, 2, 0, 0], [0, 0, 42, 0], [11, 0, 0, 0]]
FLEISS = [[35, 5, 0], [15, 20, 5], [10, 5, 5]]


@pytest.mark.parametrize(
    ("test", "table", "statistic", "df", "p"),
    [
        (stuart_maxwell, STUART, "11.957", 3, "0.007533"),  # Stuart 1955: vision of 7,477 women
        (bowker, STUART, "19.107", 6, "0.003987"),
        (bowker, PETERSON, "26.250", 6, "0.000200"),  # Fagerland et al. 2017, chapter 9; three pairs of cells are empty
        (stuart_maxwell, PETERSON, "26.250", 3, "0.000008"),
        (stuart_maxwell, FLEISS, "14.000", 2, "0.000912"),  # Fleiss, Levin and Paik 2003, table 13.6
    ],
)
def test_square_tables(test, table, statistic, df, p):
    found = test(table)
    assert (f"{found.statistic:.3f}", found.df, f"{found.p:.6f}") == (statistic, df, p)


def test_thyroid_glands_by_patient():
    """Obuchowski 1998: 21 patients; McNemar 4.50, Obuchowski 2.86 (p .091), Durkalski 2.32 (p .128), sign flip .156."""
    table = SessionTable(d=(-1, 0, 1, 2, 2), m=(2, 2, 3, 2, 3), sessions=(1, 15, 3, 1, 1))
    assert f"{mcnemar(PairCounts(0, 1, 7, 0)).z ** 2:.2f}" == "4.50"
    found = [(f"{test.statistic:.2f}", f"{test.p:.3f}") for test in (obuchowski(table.sums()), durkalski(table))]
    assert found == [("2.86", "0.091"), ("2.32", "0.128")]
    assert session_chi2(table.sums()).statistic == 3.0
    assert sign_flip(table).p == pytest.approx(10 / 64, rel=1e-12)


def test_depression_scores():
    """Hollander and Wolfe, Nonparametric Statistical Methods, table 3.1: T+ 40, one-sided p .020, and .46 (.010, .786)."""
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    fell = Differences.of([round(x - y, 3) for x, y in zip(before, after, strict=True)])
    test, typical = signed_rank(fell), hodges_lehmann(fell)
    assert (test.statistic, test.exact, f"{test.p_slower:.5f}", f"{test.p:.5f}") == (40.0, True, "0.01953", "0.03906")
    assert [f"{end:.3f}" for end in (typical.value, typical.low, typical.high)] == ["0.460", "0.010", "0.786"]


def test_evidence():
    """confseq's unit tests (made in R) for the mixture; the two e-values by their closed form."""
    rho = mixture_rho(100, 0.05)
    assert (f"{rho:.5f}", f"{e_sessions(10, 100, rho).log_e:.7f}") == ("12.60056", "-0.6510052")
    assert f"{mixture_bound(100, rho, 0.05):.5f}" == "30.35209"
    small, large = e_pairs(PairCounts(0, 6, 16, 0), 1.0), e_pairs(PairCounts(0, 59, 121, 0), 1.0)
    assert (f"{exp(small.log_e):.6f}", f"{small.p:.6f}", f"{exp(large.log_e):.3f}") == (
        "2.444092",
        "0.409150",
        "4730.990",
    )


def test_power_and_sample_size():
    """MESS's tests for the normal form and the exact power; the rest is the power of the reported test at that size."""
    assert f"{normal_sample_size(0.05, 0.45):.3f}" == "22.011"
    assert f"{normal_sample_size(0.05, 0.45, sides=1):.2f}" == "17.09"
    assert f"{mcnemar_power(144, 0.25, 0.45, test='exact', alpha=0.025, sides=1):.4f}" == "0.8009"


def test_families_and_splits():
    """GrowthBook's tests of Holm, and of the sample ratio."""
    assert [f"{p:.2f}" for p in adjust([0.01, 0.04, 0.03, 0.005, 0.55, 0.6])] == [
        "0.05",
        "0.12",
        "0.12",
        "0.03",
        "1.00",
        "1.00",
    ]
    assert f"{sample_ratio([310, 98], [0.75, 0.25]).p:.9f}" == "0.647434186"
    spare = sample_ratio([1000, 1200, 900], [0.5, 0.5, 0])
    assert (f"{spare.p:.1e}", spare.unplanned, spare.invalid) == ("2.0e-05", 900, True)
