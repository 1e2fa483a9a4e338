"""Pictures and tables of how far the rules can be trusted: what decided, whether retries helped, what else would change."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from relkit.errors import (
    Agreement,
    Confusion,
    Cost,
    Coverage,
    ErrorKind,
    Retryability,
    RulesDiff,
    RuleUse,
    SdkHabit,
    contradicted,
    contradiction_text,
    wait_label,
)
from relkit.errors.evaluation.confusion import Share
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import BAD, GOOD, INK, MUTED, UNKNOWN, WARN, figure, whole_numbers
from relkit.plates.table import Table
from relkit.units import count, percent, several

_MOST_CHANGES: Final = 12
_FEWEST_BY_WAIT: Final = 5
_MOST_WAITS: Final = 16
_SIGNAL_WORDS: Final[Mapping[str, str]] = {
    "declared": "declared kind",
    "code": "code of the service",
    "database, gRPC": "database or gRPC code",
    "status": "HTTP status",
    "errno": "errno",
    "class": "class of the exception",
    "words": "words of the message",
    "none": "no rule",
}


def coverage_plate(rows: Sequence[Coverage], uses: Sequence[RuleUse] = (), name: str = "coverage") -> Plate:
    """Draw how many failed attempts each kind of signal decided; words alone are orange, no rule is grey.

    Parameters
    ----------
    rows : sequence of Coverage
        Attempts by signal.
    uses : sequence of RuleUse
        How often each rule of the table decided; the caption says how many ever did.
    name : str
        Name of the plate.
    """
    total = sum(row.attempts for row in rows)
    if not total:
        return empty_plate(name, "No failed attempt is known, so no rule was asked.")
    colours = {"words": WARN, "none": UNKNOWN}
    fig, ax = figure(height_in=0.7 + 0.26 * len(rows))
    places = np.arange(len(rows))[::-1]
    ax.barh(places, [row.attempts for row in rows], color=[colours.get(row.signal, GOOD) for row in rows], height=0.66)
    for place, row in zip(places, rows, strict=True):
        errors = several(row.fingerprints, "distinct error")
        text = f"{count(row.attempts)}  ({percent(row.share, 1)}, {errors})"
        ax.annotate(text, (row.attempts, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)
    ax.set_yticks(places, [_SIGNAL_WORDS[row.signal] for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, max(row.attempts for row in rows) * 1.32)
    ax.set_xlabel("failed attempts")
    whole_numbers(ax.xaxis)
    shares = {row.signal: row.share for row in rows}
    known = [row for row in rows if row.signal != "none"]
    lost = shares.get("none", 0.0)
    caption = f"No rule knows {percent(lost, 1)} of {several(total, 'failed attempt')}." if lost else ""
    if known:
        lead = max(known, key=lambda row: row.attempts)
        whole = "" if lost else f"The rules know all {count(total)} failed attempts."
        caption += (
            f"{whole} Most, {percent(lead.share, 0)}, were recognised by the {_SIGNAL_WORDS[lead.signal]}; "
            f"{percent(shares.get('words', 0.0), 1)} by words alone, which break when the wording changes."
        )
    fired = sum(use.attempts > 0 for use in uses)
    if uses:
        caption += f" Of the {len(uses)} rules {fired} fired; the others wait for errors that this log does not hold."
    return plate(
        name,
        fig,
        caption=caption,
        alt="Bars of failed attempts by the signal that decided their kind",
        values={row.signal: row.attempts for row in rows}
        | {"refined_by_words": sum(row.refined_by_words for row in rows), "rules_fired": fired},
    )


def retryability_plate(
    kinds: Sequence[Retryability],
    by_wait: Sequence[Retryability],
    worth_retrying: float,
    level: float,
    name: str = "retryability",
) -> Plate:
    """Draw P(success at the next try) with its interval, for each kind and the waits it came after, beside the declared flag.

    Parameters
    ----------
    kinds, by_wait : sequence of Retryability
        One row for each kind; one for each kind and wait.
    worth_retrying : float
        Share from which a retry is worth its load; drawn as a line.
    level : float
        Confidence level of the intervals.
    name : str
        Name of the plate.
    """
    if not kinds:
        return empty_plate(
            name, "No failed attempt was tried again in this log, so it cannot say what a retry is worth."
        )
    rows, is_cut = _kinds_and_waits(kinds, by_wait)
    fig, ax = figure(height_in=0.75 + 0.215 * len(rows))
    places = np.arange(len(rows))[::-1]
    for place, row in zip(places, rows, strict=True):
        whole = row.wait is None
        colour = (GOOD if row.declared else BAD) if whole else MUTED
        ax.plot([row.low, row.high], [place, place], color=colour, lw=2.2 if whole else 1.1, solid_capstyle="butt")
        ax.plot([row.share], [place], "o", color=colour, ms=5.5 if whole else 3.5, clip_on=False)
        hours = f"; worth {_hours(row.hours)}" if whole else ""
        ax.annotate(
            f"{count(row.successes)} of {count(row.retries)}{hours}",
            (1.035, place),
            va="center",
            fontsize=8.5 if whole else 7.5,
            color=INK if whole else MUTED,
            annotation_clip=False,
        )
    ax.axvline(worth_retrying, color=MUTED, lw=0.8, ls=(0, (3, 3)))
    ax.set_yticks(places, [row.kind.value if row.wait is None else f"after {wait_label(row.wait)}" for row in rows])
    for label, row in zip(ax.get_yticklabels(), rows, strict=True):
        if row.wait is not None:
            label.set(fontsize=7.5, color=MUTED)
    ax.tick_params(axis="y", length=0, pad=7)
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel("next tries that succeeded")
    ax.text(0.0, 1.01, "declared: may be retried", color=GOOD, transform=ax.transAxes, va="bottom", fontsize=9)
    ax.text(0.45, 1.01, "must not be retried", color=BAD, transform=ax.transAxes, va="bottom", fontsize=9)
    values: dict[str, Any] = {}
    for row in kinds:
        values |= {
            f"{row.kind.value}_share": row.share,
            f"{row.kind.value}_low": row.low,
            f"{row.kind.value}_high": row.high,
        }
    return plate(
        name,
        fig,
        caption=_retry_caption(kinds, worth_retrying, level)
        + (" Waits are drawn apart for the kinds with most retries." if is_cut else ""),
        alt="Shares of next tries that succeeded, with intervals, by kind of error and wait",
        values=values,
    )


def _kinds_and_waits(kinds: Sequence[Retryability], by_wait: Sequence[Retryability]) -> tuple[list[Retryability], bool]:
    """Put the waits of a kind below it, of the kinds with most retries first; say whether there was no room for some."""
    apart: dict[ErrorKind, list[Retryability]] = {}
    for row in by_wait:
        if row.retries >= _FEWEST_BY_WAIT:
            apart.setdefault(row.kind, []).append(row)
    room, is_cut = _MOST_WAITS, False
    rows: list[Retryability] = []
    for kind in kinds:
        rows.append(kind)
        waits = apart.get(kind.kind, [])
        if len(waits) > 1:
            room -= len(waits)
            is_cut |= room < 0
            if room >= 0:
                rows += sorted(waits, key=lambda row: (row.wait is None, row.wait))
    return rows, is_cut


def _hours(hours: float) -> str:
    return "1 hour" if hours < 1.05 else f"{hours:.1f} hours"


def _retry_caption(kinds: Sequence[Retryability], worth_retrying: float, level: float) -> str:
    retries, helped = sum(row.retries for row in kinds), sum(row.successes for row in kinds)
    moved = sum(row.moved for row in kinds)
    elsewhere = f"; {count(moved)} of the {count(retries)} went to another model or service" if moved else ""
    text = f"{count(helped)} of {count(retries)} next tries succeeded ({percent(helped / retries, 0)}){elsewhere}. "
    against = contradicted(kinds)
    if not against:
        fine = sum(row.agreement is Agreement.CONFIRMED for row in kinds)
        return (
            text
            + f"The log contradicts no flag and confirms {fine} of {len(kinds)}: a retry is worth it from {percent(worth_retrying, 0)}."
        )
    return text + contradiction_text(against[0], level)


def diff_table(diff: RulesDiff, before: str, after: str, name: str = "rules_diff") -> Table:
    """Show which errors two tables of rules answer differently, by kind, decision, rows and money."""
    shown = diff.changes[:_MOST_CHANGES]
    priced = any(change.money.usd is not None for change in diff.changes)
    rows = [
        (
            count(change.attempts),
            count(change.requests),
            change.before.value,
            change.after.value,
            _turn(retry_before=change.retry_before, retry_after=change.retry_after),
            *((change.money.text,) if priced else ()),
        )
        for change in shown
    ]
    share = diff.changed_attempts / diff.attempts if diff.attempts else 0.0
    caption = (
        f"The rule set {before} answers {count(diff.changed_attempts)} of {count(diff.attempts)} failed attempts otherwise than {after} ({percent(share, 0)}): "
        f"it would retry {count(diff.flipped(to_retry=False))} that {after} would not, "
        f"and give up {count(diff.flipped(to_retry=True))} that {after} would retry."
    )
    if not diff.attempts:
        caption = f"0 failed attempts are known, so {before} and {after} cannot differ."
    if diff.changes and not priced:
        caption += f" What these attempts cost is unknown: {diff.unpriced}."
    if len(diff.changes) > len(shown):
        caption += f" The {len(shown)} commonest of {len(diff.changes)} differences are shown."
    columns = ("attempts", "requests lost", before, after, "retry", *(("cost of these attempts",) if priced else ()))
    values = {
        "attempts": diff.attempts, "changed": diff.changed_attempts,
        "to_retry": diff.flipped(to_retry=True), "to_stop": diff.flipped(to_retry=False),
    }  # fmt: skip
    return Table(name, caption, columns, rows or (("0", *[""] * (len(columns) - 1)),), values)


def _turn(*, retry_before: bool, retry_after: bool) -> str:
    words = {True: "yes", False: "no"}
    if retry_before == retry_after:
        return f"{words[retry_before]}, both"
    return f"{words[retry_before]} → {words[retry_after]}"


def cost_table(costs: Sequence[Cost], whose: str, name: str = "mistakes") -> Table:
    """Show what the answers of a table of rules would have cost, or why the log cannot say."""
    rows = [(cost.mistake, count(cost.attempts), cost.text) for cost in costs]
    told = [cost for cost in costs if cost.amount is not None]
    caption = f"The rule set {whose} makes {several(len(costs), 'kind of mistake', 'kinds of mistake')}; the log can price {len(told)} of them."
    if not costs:
        caption = f"The rule set {whose} makes 0 mistakes on this log: every answer costs what ours does."
    return Table(
        name, caption, ("mistake", "attempts", "what it costs, from this log"), rows or (("none", "0", ""),),
        {cost.mistake: cost.amount for cost in costs},
    )  # fmt: skip


def sdk_table(habits: Sequence[SdkHabit], name: str = "sdks") -> Table:
    """Show what the client libraries would have sent again by default, and how much of it in vain."""
    if not any(habit.answered for habit in habits):
        caption = "0 failed attempts of this log tell a status, and a client library decides by it."
        return Table(name, caption, ("attempts",), (("0",),), {"answered": 0})
    rows = [
        (
            habit.sdk,
            count(habit.retried),
            count(habit.retried_in_vain),
            count(habit.dropped),
            percent(habit.retried / habit.answered, 0),
        )
        for habit in habits
    ]
    worst = max(habits, key=lambda habit: habit.retried_in_vain)
    least = max(habits, key=lambda habit: habit.dropped)
    caption = (
        f"Of {count(habits[0].answered)} failed attempts with a status, at most {count(worst.retried_in_vain)} permanent ones would be sent again "
        f"({worst.sdk}), and at most {count(least.dropped)} that may be retried given up ({least.sdk})."
    )
    return Table(
        name, caption, ("client library", "sent again", "of these permanent", "given up, though worth a retry", "share sent again"), rows,
        {f"{habit.sdk}_in_vain": habit.retried_in_vain for habit in habits} | {"answered": habits[0].answered},
    )  # fmt: skip


def decision_table(found: Mapping[str, Confusion], level: float, name: str = "decisions") -> Table:
    """Show the retry decisions of several tables of rules against labels, and how often each names the right kind."""
    some = next(iter(found.values()))
    if not some.accuracy.n:
        caption = (
            "No error of this log is labelled, so nothing tells whether the rules are right: 0 labels. "
            "relkit.store.label_error writes one, relkit.store.import_labels reads a file of them."
        )
        return Table(name, caption, ("labels",), (("0",),), {"labels": 0})
    rows = []
    for truth in (True, False):
        for answer in (True, False):
            said = f"{'may' if truth else 'must not'} be retried, answered {'retry' if answer else 'do not retry'}"
            cells = [result.decisions[truth, answer] for result in found.values()]
            rows.append(
                (said, *(f"{several(errors, 'error')}, {several(attempts, 'attempt')}" for errors, attempts in cells))
            )
    rows.append(("kind is right", *(_share_text(result.accuracy) for result in found.values())))
    vain = [
        f"{name} retries {several(result.retried_in_vain[0], 'permanent error')} ({several(result.retried_in_vain[1], 'attempt')})"
        for name, result in found.items()
    ]
    caption = (
        f"Of {several(some.accuracy.n, 'labelled error')} "
        + ", ".join(vain)
        + f". Intervals are Wilson's at {percent(level, 0)}, over distinct errors."
    )
    values: dict[str, Any] = {"labels": some.accuracy.n, "unlabelled": some.unlabelled}
    for who, result in found.items():
        values |= {f"{who}_right": result.accuracy.hits, f"{who}_permanent_retried": result.retried_in_vain[0]}
    return Table(name, caption, ("labelled as", *found), rows, values)


def _share_text(share: Share) -> str:
    return f"{count(share.hits)} of {count(share.n)} ({percent(share.low, 0)} to {percent(share.high, 0)})"
