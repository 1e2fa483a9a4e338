"""Pictures and tables of the retries page: what retries did in the log, and what each way of retrying costs and brings."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from relkit.errors.tries import Tries, TryNumber
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.style import BAD, GOOD, INK, MUTED, direct_labels, figure
from relkit.plates.table import Table
from relkit.simulation.storm_verdict import recovery_text
from relkit.simulation.storms import NEVER, WATCHED_S, Amplification, Strategy, expected_attempts
from relkit.units import MICROUSD_PER_USD, count, dollars, percent, several

_FEWEST_IN_AN_HOUR: Final = 30
_ORDINALS: Final = ("first", "second", "third")
_NONE: Final = (
    "This log tells no tries of a request apart, so it cannot say what retries did: 0 tries with a request_id."
)


def tries_table(tries: Tries, level: float, name: str = "tries") -> Table:
    """Show for each number of a try how often it was made, how often it helped and what it cost.

    Parameters
    ----------
    tries : Tries
        What the store counted.
    level : float
        Confidence level of the intervals.
    name : str
        Name of the table.
    """
    if not tries.numbers:
        return Table(name, _NONE, ("tries",), (("0",),), {"tries": 0, "retries": 0, "rescued": 0})
    rows = [_try_cells(row, level) for row in tries.numbers]
    caption = _tries_caption(tries)
    values = {
        "tries": sum(row.tries for row in tries.numbers),
        "retries": tries.retries,
        "rescued": tries.rescued,
        "amplification": tries.amplification,
        "retry_cost_microusd": _retry_cost(tries),
    }
    return Table(name, caption, ("try", "made", "succeeded", "share", "interval", "cost"), rows, values)


def _try_cells(row: TryNumber, level: float) -> tuple[str, ...]:
    told = row.tries - row.untold
    low, high = row.interval(level)
    cost = "unknown"
    if row.cost_microusd is not None:
        part = "" if row.priced == row.tries else f", of {count(row.priced)} tries"
        cost = dollars(row.cost_microusd / MICROUSD_PER_USD) + part
    return (
        _ORDINALS[row.number - 1] if row.number <= len(_ORDINALS) else f"{row.number}th",
        count(row.tries),
        count(row.succeeded),
        percent(row.succeeded / told, 1) if told else "unknown",
        f"{percent(low, 1)} to {percent(high, 1)}" if told else "",
        cost,
    )


def _retry_cost(tries: Tries) -> int | None:
    known = [row.cost_microusd for row in tries.numbers if row.number > 1 and row.cost_microusd is not None]
    return sum(known) if known else None


def _tries_caption(tries: Tries) -> str:
    first = next((row for row in tries.numbers if row.number == 1), None)
    if not tries.retries:
        return f"Nothing was tried again in {several(sum(row.tries for row in tries.numbers), 'try', 'tries')}."
    failed = first.tries - first.untold - first.succeeded if first else 0
    text = f"{several(tries.retries, 'retry', 'retries')} turned {several(tries.rescued, 'request')} into a success"
    text += f" (first tries that failed: {count(failed)})" if failed else ""
    if tries.amplification is not None:
        text += f" and added {percent(tries.amplification - 1.0, 1)} to the load"
    return text + "."


def price_usd(tries: Tries) -> float | None:
    """Return what a try costs in this log, the mean of those it prices; None where it prices none.

    Parameters
    ----------
    tries : Tries
        What the store counted.
    """
    priced = sum(row.priced for row in tries.numbers)
    total = sum(row.cost_microusd or 0 for row in tries.numbers)
    return total / priced / MICROUSD_PER_USD if priced and total else None


def amplification_plate(measured: Sequence[Amplification], tries: Tries, name: str = "amplification") -> Plate:
    """Draw tries a request over the share of tries that fail: closed form, simulation, and the hours of the log.

    Parameters
    ----------
    measured : sequence of Amplification
        What was simulated; those with the same policy are a curve.
    tries : Tries
        What the store counted: hours with thirty requests or more become dots.
    name : str
        Name of the plate.
    """
    if not measured:
        return empty_plate(name, "Nothing was simulated: the study was stopped before the first curve.")
    fig, ax = figure(height_in=3.4)
    shares = np.linspace(0.0, 1.0, 41)
    labels = []
    for policy in dict.fromkeys(one.policy for one in measured):
        points = [one for one in measured if one.policy == policy]
        colour = GOOD if "budget" in policy else BAD
        x = [one.failing_share for one in points]
        if points[0].most is not None:
            line = [round(points[0].closed_form(float(share)) or 0.0, 3) for share in shares]
            ax.plot(shares, line, color=colour, lw=1.2)
        ax.plot(x, [one.attempts.median for one in points], "o", color=colour, ms=3.4)
        labels.append((x[-1], points[-1].attempts.median, f"  {policy}", colour))
    hours = [row for row in tries.hours if row.requests >= _FEWEST_IN_AN_HOUR and row.amplification is not None]
    if tries.retries:
        most = tries.most_tries - 1
        curve = [round(expected_attempts(float(share), most), 3) for share in shares]
        ax.plot(shares, curve, color=MUTED, lw=1.0, ls=(0, (4, 3)))
        labels.append((1.0, curve[-1], f"  your log: {several(most, 'retry', 'retries')}", INK))
        # hours alike are one diamond: of a quiet week nearly all lie at the same place
        alike = sorted({(round(row.failed_share, 2), round(row.amplification or 0.0, 2)) for row in hours})
        if alike:
            ax.plot(*zip(*alike, strict=True), "D", color=INK, ms=4.0, mfc="none", mew=1.0)
    direct_labels(ax, labels)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(bottom=0.9)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel("tries that fail")
    ax.set_ylabel("tries a request")
    ax.grid(visible=True, axis="y")
    pairs = [(one.attempts.median, one.closed_form(one.failing_share)) for one in measured]
    widest = max((abs(found / known - 1.0) for found, known in pairs if known), default=0.0)
    top = max(measured, key=lambda one: one.attempts.median)
    caption = (
        f"When everything fails, {top.policy} send {top.attempts.median:.1f} times the load, and a budget of a tenth 1.1 times. "
        f"Lines are the closed form (1 − p^(R+1)) / (1 − p), dots the simulation, at most {percent(widest, 1)} off."
    )
    values: dict[str, Any] = {"largest": round(top.attempts.median, 3), "off_closed_form": round(widest, 4)}
    if tries.retries and hours:
        worst = max(hours, key=lambda row: row.amplification or 0.0)
        caption += (
            f" Diamonds are the hours of your log; the worst sent {worst.amplification:.2f} tries a request "
            f"while {percent(worst.failed_share, 0)} of them failed."
        )
        values |= {"worst_hour": worst.hour, "worst_hour_tries": worst.amplification}
    return plate(name, fig, caption=caption, alt="Curves of tries a request over the share that fails", values=values)


def strategies_table(strategies: Sequence[Strategy], load: float, name: str = "strategies") -> Table:
    """Lay the ways to retry side by side, in weather and storm.

    Parameters
    ----------
    strategies : sequence of Strategy
        What was measured.
    load : float
        Share of the capacity that the requests take without retries.
    name : str
        Name of the table.
    """
    if not strategies:
        return Table(name, "0 strategies were measured: the study was stopped early.", ("measured",), (("0",),), {})
    rows = [
        (
            one.policy,
            _limits(one),
            percent(one.answered.median, 1),
            f"{one.attempts.median:.2f}",
            f"{one.p95_s.median:.2f} s",
            recovery_text(one.recovery),
            _paid_text(one),
        )
        for one in strategies
    ]  # fmt: skip
    down = sum(not one.always_recovers for one in strategies)
    caption = f"At a load of {percent(load, 0)}, {down} of {len(strategies)} strategies were not well within {WATCHED_S:g} s after ten slow seconds."
    limited = [one for one in strategies if one.retries and one.has_budget]
    unlimited = [one for one in strategies if one.retries and not one.has_budget and not one.has_breaker]
    if limited and unlimited:
        most = [max(group, key=lambda one: one.answered.median) for group in (limited, unlimited)]
        caption += (
            f" Where one try in ten fails by chance, the best with a budget answers {percent(most[0].answered.median, 1)} "
            f"and the best without budget or breaker {percent(most[1].answered.median, 1)}."
        )
    values = {f"{one.policy}_recovery_s": _finite(one.recovery.median) for one in strategies} | {"stay_down": down}
    columns = ("strategy", "limited by", "answered", "tries", "p95", "well after", "calls paid an answer")
    return Table(name, caption, columns, rows, values)


def _limits(one: Strategy) -> str:
    words = [word for word, has in (("budget", one.has_budget), ("breaker", one.has_breaker)) if has]
    return " and ".join(words) or ("nothing" if one.retries else "no retries")


def _paid_text(one: Strategy) -> str:
    if one.paid.median == NEVER:
        return "no answer"
    text = f"{one.paid.median:.2f}"
    if one.paid.low is not None and one.paid.high is not None and one.paid.high < NEVER:
        low, high = f"{one.paid.low:.2f}", f"{one.paid.high:.2f}"
        text += f" ({low} to {high})" if low != high else ""
    return text


def _finite(value: float) -> float | None:
    return None if value == NEVER else value


def money_plate(strategies: Sequence[Strategy], usd_a_call: float | None, name: str = "money") -> Plate:
    """Draw the calls that are paid for each answer; orange may stay down after the storm.

    Parameters
    ----------
    strategies : sequence of Strategy
        What was measured.
    usd_a_call : float or None
        What a call costs, dollars; None where nobody knows.
    name : str
        Name of the plate.
    """
    shown = sorted(
        (one for one in strategies if one.paid.median < NEVER), key=lambda one: (round(one.paid.median, 3), one.policy)
    )
    if not shown:
        return empty_plate(name, "Nothing was measured: the study was stopped early.")
    fig, ax = figure(height_in=0.75 + 0.235 * len(shown))
    places = np.arange(len(shown))[::-1]
    colours = [GOOD if one.always_recovers else BAD for one in shown]
    ax.barh(places, [round(one.paid.median, 2) for one in shown], color=colours, height=0.66)
    for place, one in zip(places, shown, strict=True):
        usd = "" if usd_a_call is None else f" · {dollars(1000 * usd_a_call * one.paid.median)}"
        text = f"{one.paid.median:.2f}{usd}"
        ax.annotate(
            text, (one.paid.median, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5
        )
    ax.set_yticks(places, [one.policy for one in shown])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, max(one.paid.median for one in shown) * 1.16)
    ax.set_xlabel("calls paid for each answer" + ("" if usd_a_call is None else "; dollars for 1000 answers"))
    ax.text(0.0, 1.01, "always well again", color=GOOD, transform=ax.transAxes, va="bottom", fontsize=9)
    ax.text(0.22, 1.01, "not well after every storm", color=BAD, transform=ax.transAxes, va="bottom", fontsize=9)
    dear, cheap = shown[-1], next((one for one in shown if one.has_budget), shown[0])
    caption = (
        f"Over fair weather and one storm {dear.policy} pays for {dear.paid.median:.1f} calls an answer, "
        f"{cheap.policy} for {cheap.paid.median:.2f}: work that nobody waits for any more is paid too."
    )
    if usd_a_call is not None:
        caption += (
            f" At {dollars(1000 * usd_a_call)} for 1000 calls, the mean of your log, 1000 answers cost {dollars(1000 * usd_a_call * dear.paid.median)} "
            f"instead of {dollars(1000 * usd_a_call * cheap.paid.median)}."
        )
    else:
        caption += " What a call costs, this log does not say."
    return plate(
        name, fig, caption=caption, alt="Bars of calls paid for each answer by strategy",
        values={one.policy: round(one.paid.median, 3) for one in shown},
    )  # fmt: skip
