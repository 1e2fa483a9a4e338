"""What the experiment could have found, and how far a finding of this size may be trusted."""

from math import ceil

from scipy.special import ndtri, stdtrit

from relkit.plates.shadow.words import NO_PAIRS
from relkit.plates.table import Table
from relkit.shadow import session_t
from relkit.shadow.decide import Rules
from relkit.shadow.study import Study
from relkit.shadow.worth import replication_share, worth_of_significance
from relkit.units import count, percent, points, several

_POWER = 0.8


def power_table(study: Study | None, rules: Rules, *, name: str = "power") -> Table:
    """Show the smallest difference that would have been found, what the margin needs, and what "significant" would be worth."""
    if study is None or study.experiment.counts.n == 0:
        return Table(name, NO_PAIRS, ("figure",), (("none",),), {})
    counts, sums, margin = study.experiment.counts, study.table.sums(), rules.margins.errors
    t = session_t(sums, counts, rules.level)
    if t.se is None or t.se == 0 or t.df is None or t.t is None:
        why = t.why_not or "no session differs on balance, so nothing is known of how they vary"
        return Table(name, f"No figure: {why}.", ("figure",), (("none",),), {"smallest": None})
    smallest = (float(-stdtrit(t.df, (1 - rules.level) / 2)) + float(ndtri(_POWER))) * t.se
    needed = ceil(sums.sessions * (smallest / margin) ** 2)
    worth, again = worth_of_significance(margin, t.se, rules.level), replication_share(t.t, rules.level)
    rows = [
        ("smallest difference found with 80 % power", points(smallest).lstrip("+")),
        ("sessions at which that is the margin", count(needed)),
        ("pairs at which that is the margin", count(ceil(needed * counts.n / sums.sessions))),
        ("power, if the truth is the margin", percent(worth.power, 1)),
        ("a significant result then shows, on average", f"{worth.factor:.2f} times the truth"),
        ("and has the wrong sign in", percent(worth.wrong_sign, 1)),
        ("chance that an equal experiment is significant again", percent(again, 1)),
    ]
    more = needed - sums.sessions
    caption = (
        f"A difference of {points(smallest).lstrip('+')} would have been found in four of five such experiments; "
        + (
            f"the margin of {points(margin).lstrip('+')} would need {several(more, 'more session')}."
            if more > 0
            else f"that is finer than the margin of {points(margin).lstrip('+')}."
        )
    )
    values = {
        "smallest": smallest, "sessions_needed": needed, "margin": margin, "power_at_margin": worth.power,
        "exaggeration": worth.factor, "wrong_sign": worth.wrong_sign, "replication": again,
    }  # fmt: skip
    return Table(name, caption, ("figure", "value"), rows, values)
