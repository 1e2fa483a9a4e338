"""Pictures and tables of the errors page: which kinds, when, and what each advises."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from relkit.errors import ADVICE, ErrorKind, FingerprintCounts, KindCount, NextRule, RuleSet, Signals, classify
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.slo import days_axis
from relkit.plates.style import BAD, GOOD, SERIES, UNKNOWN, bars, figure, whole_numbers
from relkit.plates.table import Table
from relkit.units import MINUTES_PER_HOUR, count, percent, several

MOST_KINDS: Final = 12
_MOST_SERIES: Final = 4
_MOST_SERVICES: Final = 3
_MESSAGE_SHOWN: Final = 90
_DIGITS_SHOWN: Final = 8


def kinds_plate(kinds: Sequence[KindCount], told: int | None = None, name: str = "kinds") -> Plate:
    """Draw failed attempts by kind; blue may be retried, orange may not."""
    shown, rest = list(kinds[:MOST_KINDS]), kinds[MOST_KINDS:]
    if not shown:
        return empty_plate(name, "No attempt tells its outcome." if told == 0 else "Nothing failed.")
    total = sum(row.attempts for row in kinds)
    retryable = sum(row.attempts for row in kinds if row.retryable)
    labels = [row.kind.value for row in shown] + ([several(len(rest), "other kind")] if rest else [])
    sizes = [row.attempts for row in shown] + ([sum(row.attempts for row in rest)] if rest else [])
    colours = [GOOD if row.retryable else BAD for row in shown] + ([UNKNOWN] if rest else [])
    fig, ax = figure(height_in=0.75 + 0.235 * len(labels))
    places = np.arange(len(labels))[::-1]
    ax.barh(places, sizes, color=colours, height=0.68)
    for place, size in zip(places, sizes, strict=True):
        ax.annotate(
            f"{count(size)}  ({percent(size / total, 0)})",
            (size, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    ax.set_yticks(places, labels)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, max(sizes) * 1.18)
    ax.set_xlabel("failed attempts")
    whole_numbers(ax.xaxis)
    ax.text(0.0, 1.01, "may be retried", color=GOOD, transform=ax.transAxes, va="bottom", fontsize=9)
    ax.text(0.2, 1.01, "must not be retried", color=BAD, transform=ax.transAxes, va="bottom", fontsize=9)
    caption = (
        f"{shown[0].kind.value} leads with {count(shown[0].attempts)} of {several(total, 'failed attempt')} ({percent(shown[0].share, 0)}); "
        f"{percent(retryable / total, 0)} of all failed attempts may be retried."
    )
    return plate(
        name,
        fig,
        caption=caption,
        alt="Bars of failed attempts by kind of error",
        values={row.kind.value: row.attempts for row in kinds[:MOST_KINDS]},
    )


def errors_by_hour_plate(first_hour: int, by_hour: Mapping[str, Any], name: str = "errors_by_hour") -> Plate:
    """Draw failed attempts by hour, the four commonest kinds apart."""
    series: dict[str, npt.NDArray[np.int64]] = {kind: np.asarray(hours) for kind, hours in by_hour.items()}
    if not series:
        return empty_plate(name, "No failed attempt has a time.")
    ranked = sorted(series, key=lambda kind: (-int(series[kind].sum()), kind))
    main, rest = ranked[:_MOST_SERIES], ranked[_MOST_SERIES:]
    total = np.sum([series[kind] for kind in ranked], axis=0)
    peak = int(np.argmax(total))
    fig, ax = figure(height_in=2.5)
    x = (first_hour + np.arange(len(total))) / 24
    bottom = np.zeros(len(total))
    stacked = [(kind, series[kind]) for kind in main]
    if rest:
        stacked.append((several(len(rest), "other kind"), np.sum([series[kind] for kind in rest], axis=0)))
    wide = len(total) <= 24 * 21
    for (kind, hours), colour in zip(stacked, (*SERIES[:_MOST_SERIES], UNKNOWN), strict=False):
        if wide:
            bars(ax, x, bottom, hours, 1 / 24, colour, kind)
        else:
            ax.plot(x, hours, color=colour, label=kind, lw=0.8)
        bottom = bottom + hours
    ax.set_ylim(0, 1.05 * float(total.max()))
    ax.set_ylabel("failed attempts an hour")
    whole_numbers(ax.yaxis)
    ax.legend(
        frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), handlelength=0.9, borderaxespad=0.2
    )
    days_axis(ax, first_hour * MINUTES_PER_HOUR, (first_hour + len(total)) * MINUTES_PER_HOUR)
    worst = max(ranked, key=lambda kind: int(series[kind][peak]))
    caption = (
        f"The worst hour saw {several(int(total[peak]), 'failed attempt')}, {count(int(series[worst][peak]))} of them {worst}; "
        f"the median hour saw {count(float(np.median(total)))}."
    )
    values: dict[str, Any] = {"worst_hour_attempts": int(total[peak]), "worst_hour": first_hour + peak}
    values |= {kind: int(series[kind].sum()) for kind in main}
    return plate(name, fig, caption=caption, alt="Stacked bars of failed attempts by hour and kind", values=values)


def kind_table(kinds: Sequence[KindCount], excluded: frozenset[str], name: str = "kind_table") -> Table:
    """Say for each kind where it came from, what to do with it, and whether the objective counts it (`excluded`: kinds left out)."""
    rows = []
    for row in kinds:
        advice = ADVICE[row.kind]
        rows.append(
            (
                row.kind.value,
                count(row.attempts),
                count(row.requests),
                _services(row),
                "yes" if row.retryable else "no",
                "yes" if row.alert else "",
                "left out" if row.kind.value in excluded else "no failure" if advice.sli == "good" else "bad",
                advice.meaning,
            )
        )
    alerting = [row.kind.value for row in kinds if row.alert]
    caption = f"{several(len(kinds), 'kind')} came" + (
        f"; {len(alerting)} of them {'ask' if len(alerting) != 1 else 'asks'} for a person: {', '.join(alerting[:4])}{' ...' if len(alerting) > 4 else ''}."
        if alerting
        else "; none asks for a person."
    )
    return Table(
        name,
        caption,
        ("kind", "attempts", "requests lost", "service", "retry", "alert", "availability", "meaning"),
        rows,
        {row.kind.value: row.requests for row in kinds},
    )


def _services(row: KindCount) -> str:
    """Name the services a kind came from, the commonest first; how often each only where there are several."""
    if len(row.services) < 2:
        return "".join(name or "not told" for name, _ in row.services)
    shown = [f"{name or 'not told'} {count(attempts)}" for name, attempts in row.services[:_MOST_SERVICES]]
    more = len(row.services) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def fingerprint_table(
    counts: FingerprintCounts,
    unknown: Sequence[NextRule] = (),
    rules: RuleSet | None = None,
    most: int = 8,
    name: str = "fingerprint_table",
) -> Table:
    """Show errors as they were seen: first those that no rule knows, each with the rule to write, then the commonest.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    unknown : sequence of NextRule
        Errors without a rule, the one most worth a rule first.
    rules : RuleSet or None
        Table of rules; None for relkit's own.
    most : int
        Rows of each of the two parts.
    name : str
        Name of the table.
    """
    if not counts.rows:
        return Table(name, "No error was seen.", ("attempts",), (("0",),), {"fingerprints": 0, "attempts": 0})
    rows = [_unknown_row(counts, rule) for rule in unknown[:most]]
    commonest = [row for row in counts.rows if row.failed_attempts]
    for row in commonest[:most]:
        answer = classify(row.signals, rules)
        if answer.kind is not ErrorKind.UNKNOWN:
            rows.append(_error_cells(row.fp, row.failed_attempts, row.signals, f"{answer.kind.value}: {answer.rule}"))
    total = counts.failed_attempts
    lost = sum(rule.attempts for rule in unknown)
    caption = f"{several(len(counts.rows), 'distinct error')}. "
    if unknown:
        caption += (
            f"No rule knows {count(lost)} of {several(total, 'failed attempt')} ({percent(lost / total) if total else '0 %'}); "
            f"the first rule to write would name {count(unknown[0].attempts)} of them. "
        )
    else:
        caption += f"The rules know all {count(total)} failed attempts. "
    return Table(
        name,
        caption + "Digits are masked as #.",
        ("attempts", "error", "signals", "message", "kind and rule, or the rule to write"),
        rows,
        {"fingerprints": len(counts.rows), "attempts": total, "unknown": lost},
    )


def _unknown_row(counts: FingerprintCounts, rule: NextRule) -> tuple[str, ...]:
    fp = next(row.fp for row in counts.rows if row.signals == rule.signals)
    more = f" ({rule.fingerprints} errors)" if rule.fingerprints > 1 else ""
    advice = f"write: when = {{ {rule.when} }}" if rule.when else "says nothing to go by: log its class or code"
    cost = f"; {rule.money.text}" if rule.money.usd is not None else ""
    return _error_cells(fp, rule.attempts, rule.signals, f"UNKNOWN, {advice}{more}{cost}")


def _error_cells(fp: int, attempts: int, signals: Signals, said: str) -> tuple[str, ...]:
    seen = " ".join(str(part) for part in (signals.exception_type, signals.status, signals.code) if part)
    message = signals.message or ""
    cut = message[:_MESSAGE_SHOWN] + ("…" if len(message) > _MESSAGE_SHOWN else "")
    return count(attempts), f"{fp:016x}"[:_DIGITS_SHOWN], seen[:60], cut, said
