"""Where the rules of a later layer stand among those of earlier ones: by relation, not by line number."""

from collections.abc import Sequence

from relkit.errors.rules.lint import finding_of
from relkit.errors.rules.rule import Rule
from relkit.errors.rules.tables import Finding, suggestion


def placed(earlier: Sequence[Rule], new: Sequence[Rule], start: int = 0) -> tuple[list[Rule], list[Finding]]:
    """Put the rules of a layer among those of earlier layers.

    A rule with `before` stands directly in front of the first rule it names, one with only `after` directly behind the
    last; the others stand together in front of all earlier layers, because who writes a rule later knows more. Among
    themselves they keep the order they were written in.

    Parameters
    ----------
    earlier : sequence of Rule
        In order.
    new : sequence of Rule
        Of the later layer, as written.
    start : int
        How many of the earlier rules nothing without a relation may precede (those that believe a declared kind).

    Returns
    -------
    (list of Rule, list of Finding)
        The table in order, and what cannot be: ids used twice, relations to no rule, cycles.
    """
    findings, fresh = _told_apart(earlier, new)
    free = [rule for rule in fresh if not rule.before and not rule.after]
    table = [*earlier[:start], *free, *earlier[start:]]
    known = {rule.id for rule in (*earlier, *fresh)}
    waiting = []
    for rule in fresh:
        unknown = [name for name in (*rule.before, *rule.after) if name not in known]
        findings += [
            finding_of(rule, f"no rule is called {name!r}; {suggestion(name, sorted(known))}") for name in unknown
        ]
        if (rule.before or rule.after) and not unknown:
            waiting.append(rule)
    while ready := next((rule for rule in waiting if _is_ready(rule, table)), None):
        waiting.remove(ready)
        findings += _insert(ready, table)
    if waiting:
        # What waits on nothing but a rule that was refused is no part of the cycle; that refusal is told already
        stuck = {rule.id for rule in waiting}
        ring = [rule for rule in waiting if stuck & {*rule.before, *rule.after}]
        names = ", ".join(rule.id for rule in ring)
        findings += [finding_of(rule, f"ordering cycle among {names}; take one before or after away") for rule in ring]
    return table, findings


def _told_apart(earlier: Sequence[Rule], new: Sequence[Rule]) -> tuple[list[Finding], list[Rule]]:
    seen = {rule.id: rule for rule in earlier}
    findings, fresh = [], []
    for rule in new:
        other = seen.get(rule.id)
        if other is None:
            seen[rule.id] = rule
            fresh.append(rule)
            continue
        where = f"line {other.line} of {other.layer}" if other.line else other.layer
        text = f"duplicate id, used already in {where}; one rule per id: give this one another"
        if other.layer != rule.layer:
            text += f' and say before = "{rule.id}" to have the first word'
        findings.append(finding_of(rule, text))
    return findings, fresh


def _is_ready(rule: Rule, table: Sequence[Rule]) -> bool:
    return {*rule.before, *rule.after} <= {other.id for other in table}


def _insert(rule: Rule, table: list[Rule]) -> list[Finding]:
    places = {other.id: place for place, other in enumerate(table)}
    first_after = max((places[name] + 1 for name in rule.after), default=0)
    if rule.before:
        target = min(rule.before, key=places.__getitem__)
        place = places[target]
        if place < first_after:
            behind = max(rule.after, key=places.__getitem__)
            text = f"ordering cycle: before {target} and after {behind}, but {target} stands in front of {behind}"
            return [finding_of(rule, f"{text}; take one of them away")]
    else:
        place = first_after
        while place < len(table) and table[place].layer == rule.layer and set(table[place].after) & set(rule.after):
            place += 1  # behind those of this layer that were written first
    table.insert(place, rule)
    return []
