"""Commands on alerts: score them on history, and write them for the system that will page."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relkit.cli.said import AsJson, Database, say
from relkit.exceptions import DataError, ParameterError
from relkit.units import percent, several
from relkit.verdict import shown

if TYPE_CHECKING:
    from relkit.config.prometheus import Counters
    from relkit.report.alerts import AlertHistory
    from relkit.slo.alerts import AlertSet
    from relkit.slo.backtest import Outcome, Score

Week = Annotated[
    str | None,
    typer.Option("--week", help="The history ends with this ISO week, or all; default the newest week over."),
]
Config = Annotated[
    Path | None, typer.Option("--config", help="relkit.toml; default the one here, else the packaged objectives.")
]
Named = Annotated[
    str | None, typer.Option("--objective", help="Name of an objective; default the first on availability.")
]


class Format(StrEnum):
    """What an export is written for."""

    prometheus = "prometheus"
    promtool = "promtool"
    sloth = "sloth"
    openslo = "openslo"


def backtest(
    objective: Named = None,
    week: Week = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Score alert sets on history: pages, precision, recall, delay, incident by incident, and a better set where one is sure."""
    history, _ = _history(objective, week, database, config)
    tested = history.tested
    record = {
        "objective": history.objective.name,
        "days": shown(tested.days),
        "incidents_are": "labelled" if history.are_labelled else "derived by budget share",
        "incidents": len(tested.incidents),
        "alert_sets": [_score(score) for score in tested.scores],
        "by_incident": [_outcome(one) for one in tested.outcomes[0]],
        "better": history.better.verdict.record() | {"alert_set": history.better.alert_set.name},
        "better_on_invented": None
        if history.invented is None
        else history.invented.verdict.record() | {"alert_set": history.invented.alert_set.name},
    }
    say(record, _lines(history), as_json=as_json)


def export(
    file: Annotated[Path, typer.Argument(help="Where to write it, e.g. slo.rules.yml.")],
    to: Annotated[Format, typer.Option("--to", help="What reads it.")],
    alerts: Annotated[
        str, typer.Option("--alerts", help="workbook, sloth, pyrra, ..., or better: the recommended set.")
    ] = "better",
    rules: Annotated[
        str, typer.Option("--rules", help="With --to promtool: the rule file it tests, seen from FILE.")
    ] = "slo.rules.yml",
    service: Annotated[str, typer.Option("--service", help="Name of the service in the rules.")] = "service",
    valid: Annotated[
        str, typer.Option("--valid", help="Selector of the counter of all valid requests.")
    ] = "requests_valid_total",
    bad: Annotated[str, typer.Option("--bad", help="Selector of the counter of bad ones.")] = "requests_bad_total",
    objective: Named = None,
    week: Week = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the alerts of an objective for Prometheus, Sloth or OpenSLO, or a promtool test that replays its incidents."""
    from relkit.report.alerts import chosen_alerts  # noqa: PLC0415  scipy takes a while to load

    if not file.parent.is_dir():
        raise ParameterError.of("FILE", str(file), "a file in a folder that exists", "make the folder first")
    from relkit.config.prometheus import Counters  # noqa: PLC0415

    counters = Counters(service, valid, bad)
    history, zone = _history(objective, week, database, config)
    chosen = chosen_alerts(history, alerts)
    text = _text(to, history, chosen, counters, rules, zone)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"{file} cannot be written: {error.strerror}; give another file") from None
    record = {"file": str(file), "to": to.value, "objective": history.objective.name, "alert_set": chosen.name}
    say(record, [f"{file}: {chosen.name} for {history.objective.name}, for {to.value}"], as_json=as_json)


def _history(
    objective: str | None, week: str | None, database: Path | None, config: Path | None
) -> "tuple[AlertHistory, str]":
    from relkit.report.alerts import alert_scope, objective_of, read_alert_history  # noqa: PLC0415  duckdb is slow to load

    scope = alert_scope(database, week, config)
    found = read_alert_history(scope, objective_of(scope, objective))
    if not int(found.minutes.valid.sum()):
        raise DataError(
            f"{scope.database.name} holds no request with a clock and a known outcome up to {scope.period.label}; "
            "ingest a log, or name another --week"
        )
    return found, scope.period.zone


def _text(to: Format, history: "AlertHistory", chosen: "AlertSet", counters: "Counters", rules: str, zone: str) -> str:
    from relkit.config.openslo import openslo_spec  # noqa: PLC0415
    from relkit.config.prometheus import prometheus_rules  # noqa: PLC0415
    from relkit.config.promtool import promtool_tests  # noqa: PLC0415
    from relkit.config.sloth import sloth_spec  # noqa: PLC0415

    objective, expected = history.objective, history.tested.period_valid
    if to is Format.prometheus:
        return prometheus_rules(chosen, objective, period_valid=expected, counters=counters)
    if to is Format.promtool:
        known = history.tested.incidents
        return promtool_tests(
            chosen, history.minutes, objective, known, rule_file=rules, period_valid=expected, counters=counters
        )
    return (
        sloth_spec(chosen, objective, counters)
        if to is Format.sloth
        else openslo_spec(chosen, objective, counters, zone)
    )


def _lines(history: "AlertHistory") -> list[str]:
    tested = history.tested
    kind = "labelled" if history.are_labelled else "derived by budget share"
    lines = [
        f"{history.objective.name} {history.objective.target_text}: {tested.days:.3g} days, {several(len(tested.incidents), 'incident')} ({kind})"
    ]
    for score in tested.scores:
        f1 = "F1 unknown" if score.f1 is None else f"F1 {score.f1:.2f}"
        told = "" if score.recall is None else f", told of {percent(score.recall, 0)}"
        delay = "" if score.delay_p50 is None else f", after {score.delay_p50:.3g} min"
        lines.append(f"  {score.alert_set.name}: {f1}{told}{delay}; {score.per_week:.2g} pages a week")
    lines.append(f"{history.better.verdict.code}: {history.better.verdict.sentence}")
    if history.invented is not None:
        lines.append(
            f"{history.invented.verdict.code} on invented incidents, this traffic: {history.invented.verdict.sentence}"
        )
    return lines


def _score(score: "Score") -> dict[str, Any]:
    plain = {
        name: getattr(score, name)
        for name in (
            "alerts", "true_alerts", "per_week", "precision", "recall", "f1", "delay_p50", "delay_p90", "reset_p50", "reset_p90",
            "budget_at_page_p50", "budget_at_page_max", "worst_untold", "healthy_minutes", "errors_needed",
        )
    }  # fmt: skip
    for name in ("precision_interval", "recall_interval", "f1_interval", "delay_interval"):
        ends = getattr(score, name)
        plain[name] = None if ends is None else [shown(end) for end in ends]
    rounded = {name: shown(value) if isinstance(value, float) else value for name, value in plain.items()}
    return {"name": score.alert_set.name, **rounded}


def _outcome(one: "Outcome") -> dict[str, Any]:
    return {
        "start_minute": one.incident.start_minute,
        "end_minute": one.incident.end_minute,
        "label": one.incident.label,
        "budget_share": shown(one.budget_share),
        "told_minute": one.told_minute,
        "delay_minutes": shown(one.delay_minutes),
        "told_by": one.told_by,
        "budget_when_told": shown(one.budget_when_told),
        "reset_minutes": shown(one.reset_minutes),
    }
