"""Two answers to one request: tests, intervals and ratios from four counts.

Every function takes a `PairCounts`: both, only_primary, only_shadow, neither. Pairs count as independent here. Where
they belong to sessions, `relkit.shadow.sessions` decides and these figures stand beside it as "if sessions are ignored".
"""

from relkit.shadow.paired.counts import Interval, PairCounts
from relkit.shadow.paired.intervals import agresti_min, bonett_price, newcombe, wald
from relkit.shadow.paired.matrices import SquareTest, bowker, stuart_maxwell
from relkit.shadow.paired.mcnemar import McNemar, mcnemar
from relkit.shadow.paired.ratios import OddsRatio, PairedRatio, discordant_odds_ratio, paired_ratio
from relkit.shadow.paired.score import non_inferiority_p, sample_growth, tango, tango_z

__all__ = [
    "Interval",
    "McNemar",
    "OddsRatio",
    "PairCounts",
    "PairedRatio",
    "SquareTest",
    "agresti_min",
    "bonett_price",
    "bowker",
    "discordant_odds_ratio",
    "mcnemar",
    "newcombe",
    "non_inferiority_p",
    "paired_ratio",
    "sample_growth",
    "stuart_maxwell",
    "tango",
    "tango_z",
    "wald",
]
