"""The book-keeping of a reviewed report: header, other experiments, sensitivity, ledger of tests, sign-off."""

from collections.abc import Sequence
from typing import Any, Protocol

from relkit.plates.shadow.parts import estimate, heterogeneity
from relkit.plates.shadow.path import planned_v
from relkit.plates.shadow.words import NO_PAIRS, p_text
from relkit.plates.table import Table
from relkit.shadow import SessionSums, mcnemar, missing_bounds, session_t
from relkit.shadow.decide import Decision, Rules, doubts
from relkit.shadow.multiplicity import Tried, ledger
from relkit.shadow.naive import Said, plan_verdict
from relkit.shadow.protocol import Check
from relkit.shadow.ratio import ratio_interval
from relkit.shadow.sequential import session_sequence
from relkit.shadow.study import Study
from relkit.units import count, percent, points, several
from relkit.verdict import Verdict


class JudgedExperiment(Protocol):
    """An experiment with its verdict and what threshold rules say."""

    @property
    def study(self) -> Study: ...  # noqa: D102
    @property
    def verdict(self) -> Verdict: ...  # noqa: D102
    @property
    def said(self) -> tuple[Said, ...]: ...  # noqa: D102


def header_table(
    study: Study | None, rules: Rules, data_hash: str, checks: Sequence[Check], *, name: str = "header"
) -> Table:
    """Say what was asked, of whom, when, under which rules and from which data."""
    margins = rules.margins
    shares = {"errors": 1, "differences": 1, "latency": 0, "cost": 0, "flags": 1}
    held = ", ".join(f"{name} {percent(getattr(margins, name), digits)}" for name, digits in shares.items())
    rows = [
        ("question", "is the shadow's answer right as often as the primary's, within the margins?"),
        ("estimand", "one turn: what the shadow would have answered, given the history the primary made"),
    ]
    if study is not None:
        found = study.experiment
        rows.append(
            ("variants", f"primary {found.primary_variant}, shadow {found.shadow_variant}, experiment {found.name}")
        )
    rows += [
        ("margins", held),
        ("level", f"{100 * rules.level:g} % two-sided; Holm over the guardrails, Benjamini-Hochberg over segments"),
        ("evidence of many looks", f"tuned for {several(rules.tight_at, 'session')}"),
        ("data", f"sha256 {data_hash[:16]} over the ingest ledger"),
    ]
    rows += [(f"protocol: {check.what}", f"{'kept' if check.kept else 'NOT KEPT'}: {check.found}") for check in checks]
    if not checks:
        rows.append(("protocol", "none was registered: the margins and the horizon may have been chosen after a look"))
    broken = sum(not check.kept for check in checks)
    caption = "What was compared, and under which rules." + (
        f" {several(broken, 'point')} of the protocol not kept." if broken else ""
    )
    return Table(
        name,
        caption,
        ("what", "which"),
        rows,
        {"data_hash": data_hash, "protocol_points": len(checks), "not_kept": broken},
    )


def experiments_table(judged: Sequence[JudgedExperiment], *, name: str = "experiments") -> Table:
    """List every experiment of the period with its verdict, and what the plan's rules say of it."""
    rows: list[tuple[str, ...]] = []
    values: dict[str, Any] = {}
    for one in judged:
        found, verdict = one.study.experiment, one.verdict
        plan = plan_verdict(one.said)
        delta = "unknown" if verdict.value is None else points(verdict.value)
        between = (
            "" if verdict.low is None or verdict.high is None else f"{points(verdict.low)} to {points(verdict.high)}"
        )
        rows.append((found.name, count(found.counts.n), delta, between, verdict.code.replace("_", " "), plan))
        values |= {found.name: verdict.code, f"{found.name}: plan": plan}
    caption = (
        f"{several(len(rows), 'experiment')} in this period; this page is about the first, unless another is asked for."
        if rows
        else "No shadow ran in this period."
    )
    columns = ("experiment", "pairs", "difference", "interval", "verdict", "the plan would say")
    return Table(name, caption, columns, rows or [("none",) * len(columns)], values)


def sensitivity_table(study: Study | None, rules: Rules, *, name: str = "sensitivity") -> Table:
    """Show the difference under each choice that could have been made otherwise."""
    if study is None or study.experiment.counts.n == 0:
        return Table(name, NO_PAIRS, ("choice",), (("none",),), {})
    found, counts = study.experiment, study.experiment.counts
    sums = study.table.sums()
    rows: list[tuple[str, str, str, str]] = []
    values: dict[str, Any] = {}

    def add(
        words: str,
        key: str,
        delta: float | None,
        low: float | None,
        high: float | None,
        margin: float = rules.margins.errors,
    ) -> None:
        between = "" if low is None or high is None else f"{points(low)} to {points(high)}"
        rows.append((words, "unknown" if delta is None else points(delta), between, _said(low, high, margin)))
        values.update({f"{key}_delta": delta, f"{key}_low": low, f"{key}_high": high})

    t = session_t(sums, counts, rules.level)
    add("as reported: sessions, one look, missing answers failed", "reported", t.delta, t.low, t.high)
    for factor, words in ((0.5, "half"), (1.5, "one and a half times")):
        margin = factor * rules.margins.errors
        add(
            f"margin {words} as large ({points(margin).lstrip('+')})",
            f"margin_{factor:g}",
            t.delta,
            t.low,
            t.high,
            margin,
        )
    for factor, words in ((0.25, "a quarter of"), (1.0, ""), (4.0, "four times")):
        interval = session_sequence(sums, factor * planned_v(study, rules), rules.level)
        text = f"at every look, tuned for {words} {several(rules.tight_at, 'session')}".replace("  ", " ")
        add(text, f"anytime_{factor:g}", t.delta, interval.low, interval.high)
    buckets = _bucket_interval(study, rules.level)
    if buckets is not None:
        add("1 024 buckets of sessions as units", "buckets", buckets[0], buckets[1], buckets[2])
    later = _without_first_hour(study)
    if later is not None and later.sessions > 1:
        interval = session_sequence(later, planned_v(study, rules), rules.level)
        add("first hour dropped, at every look", "later", later.s / later.pairs, interval.low, interval.high)
    bounds = missing_bounds(counts, found.missing)
    add("missing answers dropped (flatters who times out)", "dropped", bounds.dropped, None, None)
    add("missing answers counted as right", "as_successes", bounds.as_successes, None, None)
    codes = {row[3] for row in rows if row[2]}
    caption = (
        "Every choice leads to the same finding."
        if len(codes) == 1
        else f"The finding hangs on the choice: {'; '.join(sorted(codes))}."
    )
    return Table(name, caption, ("choice", "difference", "interval", "the margin rule says"), rows, values)


def _said(low: float | None, high: float | None, margin: float) -> str:
    if low is None or high is None:
        return ""
    if high < -margin:
        return "worse by more than the margin"
    if low > -margin:
        return "within the margin"
    return "worse, perhaps within the margin" if high < 0 else "undecided"


def _bucket_interval(study: Study, level: float) -> tuple[float, float, float] | None:
    from relkit.shadow.ratio import RatioSums  # noqa: PLC0415

    d, m = study.buckets["only_shadow"] - study.buckets["only_primary"], study.buckets["pairs"]
    used = m > 0
    sums = RatioSums(
        int(used.sum()), int(m.sum()), int(d.sum()), int((d * d).sum()), int((d * m).sum()), int((m * m).sum())
    )
    found = ratio_interval(sums, level)
    return None if found is None else (found.value, found.low, found.high)


def _without_first_hour(study: Study) -> SessionSums | None:
    hours = study.hours
    if hours.start_us.size < 2:
        return None
    total = {
        name: int(hours[name][1:].sum()) for name in ("sessions", "pairs", "s", "v", "dm", "mm", "positive", "negative")
    }
    if not total["sessions"]:
        return None
    zero = total["sessions"] - total["positive"] - total["negative"]
    return SessionSums(**total, zero=zero, largest=int(hours["largest"][1:].max()))


def ledger_table(study: Study | None, decision: Decision, level: float, *, name: str = "ledger") -> Table:
    """List every test this page ran, with its family and its p before and after the family is accounted for."""
    if study is None:
        return Table(name, NO_PAIRS, ("test",), (("none",),), {})
    counts, sums = study.experiment.counts, study.experiment.sums
    primary = session_t(sums, counts, level).p if sums is not None else mcnemar(counts).p_mid
    tried = [Tried("primary endpoint", "shadow and primary right equally often", primary)]
    tried += [
        Tried(
            "errors" if rail.name == "errors" else "guardrails",
            f"{rail.name}: worse by more than the margin",
            None if rail.value is None else rail.p_harm,
        )
        for rail in decision.guardrails
    ]
    for segment in study.segments:
        tried.append(Tried("segments", f"{segment.by} {segment.name}", estimate(segment, level)[3], "bh"))
    tried += [Tried("interaction", by, p) for by, p in heterogeneity(study, level)[0].items()]
    rows = [
        (one.family, one.name, p_text(one.p), p_text(one.adjusted), f"{_METHODS[one.method]}, {count(one.size)}")
        for one in ledger(tried)
    ]
    values = {"tests": len(rows), "families": len({one.family for one in tried}), "primary_p": primary}
    caption = (
        f"{several(len(rows), 'test')} in {count(values['families'])} families; nothing else was tried on this page."
    )
    return Table(name, caption, ("family", "test", "p", "p adjusted", "method, size of the family"), rows, values)


_METHODS = {"holm": "Holm", "bh": "Benjamini-Hochberg"}


def sign_off_table(
    study: Study | None, decision: Decision, rules: Rules, checks: Sequence[Check], *, name: str = "sign_off"
) -> Table:
    """Ask the twelve questions a reviewer asks; those that the numbers can answer are answered."""
    found = study.experiment if study else None
    has = found is not None and found.counts.n > 0
    invalid = doubts(study, rules) if study else []
    measured = {rail.name for rail in decision.guardrails if rail.value is not None}
    questions = (
        (
            "A protocol was registered before the first pair",
            _yes(checks and all(c.kept for c in checks if "registered" in c.what)),
        ),
        (
            "Margins and level are those of the protocol",
            _yes(checks and all(c.kept for c in checks if "registered" not in c.what)),
        ),
        ("No pair came twice", _yes(has and found is not None and not found.duplicates)),
        ("Arms were dealt as planned", _yes(has and not [r for r in invalid if r.code != "DUPLICATED_PAIRS"])),
        (
            "Missing answers cannot turn the finding",
            _yes(has and decision.code != "INVALID" and not _missing_matters(decision)),
        ),
        ("A baseline was run (A/A)", _yes(found is not None and found.baseline is not None)),
        ("Sessions are known and were the unit", _yes(found is not None and found.sums is not None)),
        (f"At least {count(rules.minimum_sessions)} sessions", _yes(decision.sessions >= rules.minimum_sessions)),
        ("Errors, latency and cost were measured", _yes({"errors", "latency", "cost"} <= measured)),
        ("No guardrail shows harm", _yes(has and decision.code not in {"ROLL_BACK", "INVALID"})),
        ("What counts as right was declared, and is no proxy", "reviewer"),
        ("The disagreements were read", "reviewer"),
    )
    rows = [(f"{place}. {question}", answer, "") for place, (question, answer) in enumerate(questions, start=1)]
    rows += [("reviewer, date", "", "")]
    yes = sum(answer == "yes" for _, answer in questions)
    caption = f"{count(yes)} of 12 points answered with yes, {count(sum(answer == 'no' for _, answer in questions))} with no, 2 are the reviewer's."
    return Table(
        name, caption, ("point", "answer", "remark of the reviewer"), rows, {"yes": yes, "code": decision.code}
    )


def _missing_matters(decision: Decision) -> bool:
    return any(reason.code == "MISSING_ANSWERS" for reason in decision.reasons)


def _yes(is_so: Any) -> str:
    return "yes" if is_so else "no"
