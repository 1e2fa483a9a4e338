"""Commands on shadow experiments: register a protocol, look at a rollout, say where it stands, judge it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from relkit.cli.said import GUARDRAIL_BROKEN, AsJson, Database, say
from relkit.exceptions import ParameterError
from relkit.period import moment_us
from relkit.units import US_PER_SECOND, percent, several

if TYPE_CHECKING:
    from relkit.config import Config
    from relkit.report.rollout import Look

shadow_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Register, watch and judge a shadow experiment."
)

Experiment = Annotated[str, typer.Argument(help="Name of the experiment, as in relkit.toml.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="relkit.toml with [shadow.NAME]; default the one here, if any.")
]
At = Annotated[str, typer.Option("--at", help="Time of the look, e.g. 2026-11-16T10:00:00Z; default now.")]
_STAMP: Final = "%Y-%m-%d %H:%M:%S"


@shadow_app.command()
def protocol(
    experiment: Experiment,
    file: Annotated[Path, typer.Argument(help="Where to write it, e.g. professional.protocol.json.")],
    horizon: Annotated[
        str, typer.Option("--horizon", help="When the one final look is taken, e.g. 2026-11-23T00:00:00Z.")
    ],
    at: At = "",
    config: ConfigFile = None,
    requests_per_hour: Annotated[
        float,
        typer.Option(
            "--requests-per-hour", help="Usual traffic; with it a plan that cannot show its margin is refused."
        ),
    ] = 0.0,
    discordant: Annotated[
        float, typer.Option("--discordant", help="Share of pairs in which exactly one arm is right, e.g. 0.04.")
    ] = 0.0,
    design_effect: Annotated[
        float, typer.Option("--design-effect", help="Of sessions, as an earlier page shows it; 1 is none.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Write down margins, level and horizon before the first pair, with a hash."""
    from relkit.shadow.decide import Rules  # noqa: PLC0415  scipy takes a while to load
    from relkit.shadow.protocol import Protocol  # noqa: PLC0415
    from relkit.shadow.rollout_plan import plan_rollout, steps_until  # noqa: PLC0415

    plan = _config(config).shadow.get(experiment)
    rules = Rules() if plan is None else Rules(margins=plan.margins)
    registered, end = _moment(at, "--at"), _moment(horizon, "--horizon")
    if end <= registered:
        raise ParameterError.of(
            "--horizon", horizon, "a time after the registration", "say when the final look is taken"
        )
    schedule = None if plan is None else plan.schedule
    shares = () if schedule is None else schedule.share
    if requests_per_hour or discordant:
        steps = [(1.0, (end - registered) / 3.6e9)]
        if schedule is not None:
            steps = steps_until(schedule.at_s, schedule.share, end / 1e6)
        traffic = plan_rollout(
            steps, requests_per_hour=requests_per_hour, margin=rules.margins.errors, discordant_share=discordant,
            design_effect=design_effect, level=rules.level,
        )  # fmt: skip
        if not traffic.accepted:
            raise ParameterError(f"{traffic.sentence} {traffic.would_change} Nothing was registered.")
    made = Protocol(
        experiment, registered, end, rules.margins, rules.level, rules.minimum_sessions, rules.tight_at, shares
    )
    if file.exists():
        raise ParameterError.of(
            "FILE", str(file), "a file that does not exist", "a protocol is registered once; name another"
        )
    try:
        file.write_text(made.text(), encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"{file}: cannot be written ({error.strerror}); name another file") from None
    say(
        {"file": str(file), "experiment": experiment, "sha256": made.hash},
        [f"{file}: registered {experiment}, sha256 {made.hash[:16]}; keep the hash where it cannot be changed"],
        as_json=as_json,
    )


@shadow_app.command()
def step(
    experiment: Experiment,
    database: Database = None,
    config: ConfigFile = None,
    at: At = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at a rollout once: ask the gate, take at most one transition, add it to the ledger; exit 3 when rolled back."""
    from relkit.policies.rollout import ROLLED_BACK  # noqa: PLC0415
    from relkit.report.rollout import step_rollout  # noqa: PLC0415
    from relkit.report.weekly import chosen_database  # noqa: PLC0415

    look = step_rollout(chosen_database(database), _config(config), experiment, _moment(at, "--at"), write=not dry_run)
    say(look.record(), _lines(look), as_json=as_json)
    if look.after.state == ROLLED_BACK:
        raise typer.Exit(GUARDRAIL_BROKEN)


@shadow_app.command()
def status(experiment: Experiment, database: Database = None, as_json: AsJson = False) -> None:
    """Say where a rollout stands and how it got there; exit 3 when it was rolled back."""
    from relkit.policies.rollout import ROLLED_BACK, ROLLOUT_STATES  # noqa: PLC0415
    from relkit.report.weekly import chosen_database  # noqa: PLC0415
    from relkit.store import open_store  # noqa: PLC0415
    from relkit.store.rollouts import rollout_rows, state_of  # noqa: PLC0415

    with open_store(chosen_database(database)) as store:
        rows = rollout_rows(store, experiment)
    state = state_of(rows)
    share = rows[-1].share if rows else 0.0
    lines = [f"{experiment}: {_spoken(ROLLOUT_STATES[state.state])}, {percent(share, 0)} of the traffic"]
    lines += [f"  {_when(row.ts)}  {_spoken(row.state)}, {percent(row.share, 0)}  {row.reason}" for row in rows]
    record: dict[str, Any] = {
        "experiment": experiment, "state": ROLLOUT_STATES[state.state], "share": share,
        "transitions": [
            {"ts": row.ts, "state": row.state, "step": row.step, "share": row.share, "reason": row.reason} for row in rows
        ],
    }  # fmt: skip
    say(record, lines, as_json=as_json)
    if state.state == ROLLED_BACK:
        raise typer.Exit(GUARDRAIL_BROKEN)


@shadow_app.command()
def report(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment; default the one with most pairs.")] = "",
    database: Database = None,
    week: Annotated[str, typer.Option("--week", help="ISO week such as 2026-W47, or all.")] = "all",
    config: ConfigFile = None,
    protocol_file: Annotated[Path | None, typer.Option("--protocol", help="The registered protocol.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge an experiment at its horizon and check it against its protocol; exit 3 when it must be rolled back."""
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.report.scope import Scope  # noqa: PLC0415
    from relkit.report.shadow import checks_of, decide_shadow, judge_shadow, read_study  # noqa: PLC0415
    from relkit.report.weekly import chosen_database  # noqa: PLC0415

    settings = _config(config)
    period = period_of(week, settings.report.zone)
    scope = Scope("5_shadow_ab", chosen_database(database), period, settings, 0.95, experiment)
    study = read_study(scope)
    verdict, decision = judge_shadow(scope, study), decide_shadow(scope, study)
    checks = checks_of(scope, study, str(protocol_file or ""))
    lines = [f"{_spoken(verdict.code)}: {verdict.sentence}"]
    lines += [f"  {reason.severity} {reason.code}: {reason.message}" for reason in decision.reasons]
    lines += [f"  protocol, {check.what}: {'kept' if check.kept else 'NOT KEPT'}, {check.found}" for check in checks]
    record = {
        "verdict": verdict.record(),
        "decision": decision.record(),
        "protocol": [{"what": check.what, "kept": check.kept, "found": check.found} for check in checks],
    }
    say(record, lines, as_json=as_json)
    if verdict.code == "ROLL_BACK":
        raise typer.Exit(GUARDRAIL_BROKEN)


def _lines(look: "Look") -> list[str]:
    from relkit.policies.rollout import ROLLOUT_STATES  # noqa: PLC0415

    before, after = (_spoken(ROLLOUT_STATES[state.state]) for state in (look.before, look.after))
    moved = f"{before} -> {after}" if look.changed else f"{after}, nothing changes"
    decision = look.decision
    seen = f"{several(decision.pairs, 'pair')} in {several(decision.sessions, 'session')}"
    first = f"{look.experiment}: {moved}, {percent(look.share, 0)} of the traffic; the gate says {_spoken(decision.code)} on {seen}"
    return [first, *(f"  {reason.severity} {reason.code}: {reason.message}" for reason in decision.reasons)]


def _config(path: Path | None) -> "Config":
    from relkit.config import load_config  # noqa: PLC0415
    from relkit.report.weekly import chosen_config  # noqa: PLC0415

    return load_config(chosen_config(path))


def _moment(text: str, option: str) -> int:
    """Read a time with its zone as microseconds since 1970 UTC; the machine's clock where none is given."""
    if not text:
        return int(datetime.now(UTC).timestamp() * US_PER_SECOND)
    at_us = moment_us(text)
    if at_us is None:
        raise ParameterError.of(option, text, "a time with its zone", "write it as 2026-11-16T10:00:00Z")
    return at_us


def _when(ts: int) -> str:
    return datetime.fromtimestamp(ts / US_PER_SECOND, UTC).strftime(_STAMP)


def _spoken(word: str) -> str:
    return word.replace("_", " ")
