"""The lint against simulation: 3,000 random breakers, each with a month of outage and a month of good health."""

import sys
from collections import Counter
from pathlib import Path

from .point import ROOT, Found, point

CASES = 3_000
SEED = 11


@point("tune", "lint agrees with simulation", slow=True)
def lint_agrees_with_simulation(_folder: Path) -> Found:
    sys.path.insert(0, str(ROOT / "tests"))
    from lint_against_runs import Why, cases, tried  # noqa: PLC0415

    found = [tried(case, SEED + place) for place, case in enumerate(cases(CASES, SEED))]
    never = sum(each.case.made == "never" for each in found) / CASES
    hair = sum(each.case.made == "hair" for each in found) / CASES
    why = Counter(why.name for each in found for why in (each.why_never, each.why_hair) if why is not None)
    unexplained = sum(each.unexplained for each in found)
    agree = sum(each.why_never is None and each.why_hair is None and not each.unexplained for each in found) / CASES
    return Found(
        f"{CASES:,} breakers, at least 20 % built to never open and 20 % hair triggers; at most 4 explanations; 0 outside them",
        f"{never:.0%} never, {hair:.0%} hair; {agree:.1%} agree outright; {dict(why)} of {len(Why)} explanations; {unexplained} outside",
        never >= 0.2 and hair >= 0.2 and len(Why) <= 4 and unexplained == 0,
    )
