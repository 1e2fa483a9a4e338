"""The command that writes settings as a file of the library that will run them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relkit.cli.lint import chosen_policies
from relkit.cli.said import AsJson, say
from relkit.exceptions import ParameterError

if TYPE_CHECKING:
    from relkit.policies.policy import Policy


def export(
    to: Annotated[
        str, typer.Option("--to", help="resilience4j, opossum, pybreaker, litellm, tenacity, stamina or relkit.")
    ],
    policy: Annotated[str | None, typer.Option("--policy", help="Preset to write.")] = None,
    service: Annotated[str | None, typer.Option("--service", help="Service of relkit.toml to write.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="relkit.toml; default the one here.")] = None,
    choice: Annotated[bool, typer.Option("--choice", help="Write what relkit tune chose last.")] = False,
    database: Annotated[
        Path | None,
        typer.Option("--database", "-d", help="DuckDB file whose last choice is written; default relkit.duckdb here."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; default the screen.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write settings for the library that will run them; exit 1 with every reason where it cannot say them."""
    from relkit.config import exported  # noqa: PLC0415  pydantic takes a while to load

    if choice or database is not None:
        if policy is not None or service is not None:
            raise ParameterError("a choice, --policy and --service exclude each other; give one")
        chosen = _last_choice(database)
    else:
        chosen = _one(policy, service, config)
    found = exported(chosen, to)
    if output is not None:
        try:
            output.write_text(found.text, encoding="utf-8")
        except OSError as error:
            raise ParameterError(f"{output}: cannot be written ({error.strerror}); name another file") from error
    if as_json:
        record = {"target": to, "policy": chosen.name, "policy_hash": chosen.hash, "notes": list(found.notes)}
        say(record | {"text": found.text, "output": None if output is None else str(output)}, [], as_json=True)
        return
    for note in found.notes:
        print(f"relkit: {note}", file=sys.stderr)
    print(f"{chosen.name} written for {to}: {output}" if output is not None else found.text, end="\n" if output else "")


def _one(policy: str | None, service: str | None, config: Path | None) -> "Policy":
    found = chosen_policies([policy] if policy else None, service, config)
    if len(found) == 1:
        return found[0]
    named = [each.name for each in found]
    if "default" in named:
        return found[named.index("default")]
    raise ParameterError(
        f"which settings? name a preset with --policy, or a service of relkit.toml with --service ({', '.join(named) or 'there is none'})"
    )


def _last_choice(database: Path | None) -> "Policy":
    """Read the settings of the last choice that a database keeps."""
    from relkit.config import imported  # noqa: PLC0415
    from relkit.report.weekly import chosen_database  # noqa: PLC0415
    from relkit.store import last_choice, open_store  # noqa: PLC0415

    place = chosen_database(database)
    with open_store(place) as store:
        kept = last_choice(store)
    if kept is None:
        raise ParameterError(f"{place}: no choice is kept there; run relkit tune first")
    if kept.code != "RECOMMENDED":
        raise ParameterError(f"{place}: the last choice recommends nothing ({kept.sentence})")
    if kept.settings is None:
        raise ParameterError(
            f"{place}: an older relkit kept the hash of the last choice alone, {kept.policy_hash}; run relkit tune again"
        )
    found = imported(kept.settings, "relkit")
    if found.hash != kept.policy_hash:
        raise ParameterError(
            f"{place}: the settings of the last choice are not those of its hash, {kept.policy_hash}; run relkit tune again"
        )
    return found
