"""Canaries planted in every field of every event, and in twelve places of the application's own lines, reach no sink."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from relkit.errors.classifier import classify
from relkit.errors.signals import Signals
from relkit.live import events
from relkit.live.files import RotatingFile
from relkit.live.journal import Journal
from relkit.live.sinks import standard_out
from relkit.store.follow import Follower
from relkit.store.open import open_store
from tests.test_leaks import CANARY, POSITIONS, SECRETS

CARD = "4111 1111 1111 1111"
PLANTED = {**SECRETS, "card": CARD, "ssn": "078-05-1120"}
EVENTS = get_args(events.Event)


def planted(kind: type[Any], secret: str) -> Any:
    """Make an event whose every text is the secret."""
    hints = get_type_hints(kind)
    fields = {}
    for field in dataclasses.fields(kind):
        wanted = get_args(hints[field.name]) or (hints[field.name],)
        if str in wanted:
            fields[field.name] = f"{secret}"
        elif Signals in wanted:
            fields[field.name] = Signals(
                **{name.name: secret for name in dataclasses.fields(Signals) if name.name not in {"status", "errno"}}
            )
        elif field.name == "classification":
            fields[field.name] = dataclasses.replace(classify(RuntimeError(secret)), rule=secret, evidence=secret)
        else:
            fields[field.name] = {bool: False, int: 1, float: 0.5}[
                next(one for one in (bool, int, float) if one in wanted)
            ]
    return kind(**fields)


def own_lines(journal: Journal, secret: str) -> Iterator[None]:
    """Write the secret in every place of an application's own lines."""
    log = journal.logger(bound=secret)
    for name, place in POSITIONS.items():
        value = place(secret)
        log.info("held", held=value, **{name.replace(" ", "_"): value})
        log.warning(value if isinstance(value, str) else f"it said {value}")
        log.info("named", **{secret: 1})
        if isinstance(value, Exception):
            log.error("raised", exc_info=value)
        yield
    with journal.bound(request=secret, session=secret, user=secret):
        log.info(
            "inside",
            session_id=secret,
            userId=secret,
            password=CANARY,
            headers={"X-Key": CANARY},
            nested={"api_key": [CANARY]},
        )
        yield


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("journal")
    seen: list[dict[str, Any]] = []
    capture = (folder / "out").open("w+b")
    out = standard_out()
    import sys  # noqa: PLC0415

    real = sys.stdout
    try:
        sys.stdout = open(capture.fileno(), "w", closefd=False)  # noqa: SIM115  what a process's own output is
        for secret in PLANTED.values():
            names = {"service": secret, "environment": secret, "version": secret}
            with Journal([RotatingFile(folder / "journal"), out, seen.append], **names) as journal:
                for kind in EVENTS:
                    journal(planted(kind, secret))
                for _ in own_lines(journal, secret):
                    pass
                assert journal.flush(30)
                assert journal.dropped == 0
    finally:
        sys.stdout = real
    files = b"".join(path.read_bytes() for path in (folder / "journal").iterdir())
    list(Follower(folder / "journal", folder / "relkit.duckdb").landings(once=True))
    with open_store(folder / "relkit.duckdb") as store:
        store.connection.execute(f"EXPORT DATABASE '{folder / 'plain'}'")
    stored = b"".join(path.read_bytes() for path in [folder / "relkit.duckdb", *(folder / "plain").iterdir()])
    return files + (folder / "out").read_bytes(), stored, seen


def places_of(content: bytes) -> list[bytes]:
    wanted = re.compile(f"{CANARY}|4111.1111.1111.1111|078-05-1120".encode(), re.IGNORECASE)
    return [content[max(0, at.start() - 100) : at.end() + 10] for at in wanted.finditer(content)]


def test_no_canary_reaches_a_file_or_standard_output(leaky: tuple[bytes, bytes, list[dict[str, Any]]]):
    files, _, _ = leaky
    assert files.count(b"[redacted]") > 500, "nothing was written: the search would prove nothing"
    assert places_of(files) == []


def test_no_canary_reaches_a_callable(leaky: tuple[bytes, bytes, list[dict[str, Any]]]):
    _, _, seen = leaky
    assert {line["event"] for line in seen} == {
        "attempt",
        "retry",
        "error",
        "transition",
        "probe",
        "pair",
        "rollout",
        "log",
    }
    assert len(seen) > 12 * 40
    assert places_of(json.dumps(seen, ensure_ascii=False).encode()) == []


def test_no_canary_reaches_the_database_by_way_of_the_journal(leaky: tuple[bytes, bytes, list[dict[str, Any]]]):
    _, stored, _ = leaky
    assert b"[redacted]" in stored
    assert places_of(stored) == []


def test_a_file_that_somebody_edited_brings_no_canary_into_the_database(tmp_path: Path):
    folder = tmp_path / "journal"
    folder.mkdir()
    start = {
        "ts": "2026-11-18T11:06:40.000001Z",
        "service": "booking",
        "request": "r1",
        "attempt": 1,
        "upstream": "chat",
    }
    lines = []
    for number, secret in enumerate(PLANTED.values()):
        lines += [
            {
                "event": "attempt",
                **start,
                "ok": False,
                "operation": secret,
                "signals": {"message": secret, "code": secret},
                "attempt": number + 1,
            },
            {"event": "attempt", **start, "request": secret},
            {
                "event": "pair",
                **start,
                "pair_id": f"p{number}",
                "experiment": "x",
                "state": "compared",
                "primary_body": secret,
                "shadow_body": secret,
            },
            {"event": "transition", **start, "from_state": secret, "to_state": "open", "reason": secret},
            {"event": "attempt", **start, "role": secret},
        ]
    (folder / "journal-edited.jsonl").write_text(
        "".join(f"{json.dumps(line)}\n" for line in lines) + SECRETS["key_bare"]
    )
    landed = list(Follower(folder, tmp_path / "relkit.duckdb").landings(once=True))
    assert sum(one.rejected for one in landed) >= 2 * len(PLANTED)
    assert sum(one.kept["attempts"] for one in landed) == len(PLANTED)
    with open_store(tmp_path / "relkit.duckdb") as store:
        store.connection.execute(f"EXPORT DATABASE '{tmp_path / 'plain'}'")
    assert (
        places_of(b"".join(path.read_bytes() for path in [tmp_path / "relkit.duckdb", *(tmp_path / "plain").iterdir()]))
        == []
    )
