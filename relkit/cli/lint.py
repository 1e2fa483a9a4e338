"""The command that finds what cannot work in settings, before anything fails."""

import math
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from relkit.cli.said import GUARDRAIL_BROKEN, AsJson, Database, say
from relkit.exceptions import ParameterError
from relkit.units import count, duration, percent, several
from relkit.verdict import shown

if TYPE_CHECKING:
    from relkit.policies.policy import Policy
    from relkit.tune.lint import Traffic
    from relkit.verdict import Finding

_BROKEN: Final = "error"


def lint(
    policies: Annotated[
        list[str] | None,
        typer.Option("--policy", help="Preset; give it again for more; default the services of relkit.toml."),
    ] = None,
    service: Annotated[str | None, typer.Option("--service", help="One service of relkit.toml; default all.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="relkit.toml; default the one here.")] = None,
    requests: Annotated[
        float | None, typer.Option("--requests-a-month", help="Traffic over 30 days; default as in the log.")
    ] = None,
    failures: Annotated[
        float | None,
        typer.Option("--failure-share", help="Share of attempts that fail in ordinary times; default as in the log."),
    ] = None,
    latency: Annotated[
        float | None, typer.Option("--latency-s", help="Seconds a slow attempt takes; default p99 of the log.")
    ] = None,
    deadline: Annotated[
        float | None, typer.Option("--deadline-s", help="Seconds after which a caller has left.")
    ] = None,
    sdk_retries: Annotated[
        int, typer.Option("--sdk-retries", help="Retries that the provider's SDK makes by itself.")
    ] = 0,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Day on which models must answer; default today.")
    ] = None,
    alerts: Annotated[
        str | None, typer.Option("--alerts", help="Lint this alert set and the objectives, too, e.g. workbook.")
    ] = None,
    retention: Annotated[
        float, typer.Option("--retention-days", min=0.0, help="Days the server that pages keeps samples.")
    ] = 15.0,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Find settings that cannot work on your traffic: breakers that never open, retries that outlive their caller; exit 3 when there is an error."""
    from relkit.tune.lint import lint_all  # noqa: PLC0415  scipy takes a while to load

    chosen = chosen_policies(policies, service, config)
    if not chosen and alerts is None:
        raise ParameterError("nothing to lint: name a preset with --policy, or write [service.default] in relkit.toml")
    findings: dict[str, list[Finding]] = {}
    lines, traffic = [], None
    if chosen:
        traffic = _traffic(database, requests, failures, latency, deadline, sdk_retries, _day(as_of))
        findings |= lint_all(chosen, traffic)
        lines.append(
            f"{count(traffic.calls_a_month)} requests a month, {percent(traffic.failure_share)} of attempts fail in ordinary times, "
            f"a slow one takes {duration(traffic.latency_s)}"
        )
    if alerts is not None:
        from relkit.report.lint import alert_findings  # noqa: PLC0415

        findings[f"alerts {alerts}"] = alert_findings(database, None, config, alerts, retention)
    for name, found in findings.items():
        lines += [f"{name}: {several(len(found), 'finding')}"]
        lines += [
            f"  {one.severity:7} {one.code}: {f'{one.where}: ' if one.where else ''}{one.sentence}" for one in found
        ]
    worst = sum(one.severity == _BROKEN for found in findings.values() for one in found)
    record: dict[str, Any] = {
        "traffic": None
        if traffic is None
        else {
            "requests_a_month": shown(traffic.calls_a_month),
            "failure_share": shown(traffic.failure_share),
            "latency_s": shown(traffic.latency_s),
        },
        "findings": {name: [one.record() for one in found] for name, found in findings.items()},
        "errors": worst,
    }
    say(record, lines, as_json=as_json)
    if worst:
        raise typer.Exit(GUARDRAIL_BROKEN)


def chosen_policies(names: list[str] | None, service: str | None, config: Path | None) -> "list[Policy]":
    """Return presets by name, or the services of a relkit.toml; empty where neither is there.

    Raises
    ------
    ParameterError
        For an unknown preset or service, or a preset and a service.
    """
    from relkit.config import load_config  # noqa: PLC0415
    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.report.weekly import chosen_config  # noqa: PLC0415

    if names:
        if service is not None:
            raise ParameterError("--policy and --service exclude each other; give one")
        return [presets[name] for name in names]
    settings = load_config(chosen_config(config))
    if service is not None:
        return [settings.service(service)]
    return list(settings.services.values())


def _day(text: str | None) -> date:
    if text is None:
        return date.today()  # noqa: DTZ011  a day is enough
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ParameterError.of("--as-of", text, "a day", "write it as 2026-11-18") from None


def _traffic(
    database: Path | None,
    requests: float | None,
    failures: float | None,
    latency: float | None,
    deadline_s: float | None,
    sdk_retries: int,
    as_of: date,
) -> "Traffic":
    """Join what the options say with what the log says; the log is opened only where something is missing."""
    from relkit.tune.lint import ModelTally, Traffic  # noqa: PLC0415

    if requests is not None and not 0.0 < requests < math.inf:
        raise ParameterError.of("--requests-a-month", requests, "a number above 0", "give e.g. 10000")
    month_s = 30 * 86_400.0
    told = (None if requests is None else requests / month_s, failures, latency)
    tallies: tuple[ModelTally, ...] = ()
    if None in told or database is not None:
        from relkit.period import period_of  # noqa: PLC0415
        from relkit.report.weekly import chosen_database  # noqa: PLC0415
        from relkit.store import open_store  # noqa: PLC0415
        from relkit.store.readings.answering import answering  # noqa: PLC0415
        from relkit.store.readings.traffic import traffic  # noqa: PLC0415

        with open_store(chosen_database(database)) as store:
            log = Traffic.of_log(traffic(store, period_of("all")))
            tallies = tuple(ModelTally(*row) for row in answering(store, period_of("all")))
        known = (log.calls_per_s, log.failure_share, log.latency_s)
        told = tuple(given if given is not None else logged for given, logged in zip(told, known, strict=True))  # type: ignore[assignment]  # three of them
    rate, share, slow_s = (float(value or 0.0) for value in told)
    return Traffic(rate, share, slow_s, deadline_s, sdk_retries, as_of, tallies)
