"""`relkit shadow protocol | step | status | report`: what they print, write and exit with."""

import json
from pathlib import Path
from typing import Any

import pytest

from relkit.cli import main
from relkit.simulation.demo_truth import read_truth
from relkit.simulation.flips import flip_batch
from relkit.store import open_store
from relkit.store.sinks import sink_into

TOML = """
[shadow.harm_missed]
margin = 0.01
schedule = [{ at = 2026-11-16T00:00:00Z, share = 0.1 }, { at = 2026-11-17T00:00:00Z, share = 1.0 }]
"""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shadow logs") / "relkit.duckdb"
    with open_store(path, write=True) as store, sink_into(store, "demo", "flips") as sink:
        sink(flip_batch(read_truth().start_us))
    return path


@pytest.fixture
def folder(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "relkit.duckdb").write_bytes(logs.read_bytes())
    (tmp_path / "relkit.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stop:
        main(["shadow", *words])
    told = capsys.readouterr()
    return int(stop.value.code or 0), told.out + told.err


def test_a_rollout_from_its_first_step_to_its_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.is_dir()
    code, told = run(capsys, "step", "harm_missed", "--at", "2026-11-16T00:00:00Z")
    assert (code, "scheduled -> running, 10 % of the traffic" in told) == (0, True)
    code, told = run(capsys, "step", "harm_missed", "--at", "2026-11-20T00:00:00Z", "--json")
    record: dict[str, Any] = json.loads(told)
    assert (code, record["after"], record["share"], record["gate"]["code"]) == (3, "rolled_back", 0.0, "ROLL_BACK")
    assert record["gate"]["reasons"][0]["code"] == "HIGH_ERROR_RATE"
    code, told = run(capsys, "status", "harm_missed")
    assert code == 3
    assert told.count("2026-11-") == 2
    assert "HIGH_ERROR_RATE" in told


def test_a_registered_protocol_is_checked_point_by_point(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("protocol", "harm_missed", "p.json", "--at", "2026-11-01T00:00:00Z", "--horizon", "2026-11-20T00:00:00Z")
    assert run(capsys, *words)[0] == 0
    code, told = run(capsys, *words)
    assert (code, "registered once" in told) == (1, True)
    code, told = run(capsys, "report", "harm_missed", "--protocol", "p.json")
    assert code == 3
    assert "ROLL BACK: The shadow answers right 3.30 points less often" in told
    assert (told.count("protocol, "), told.count("NOT KEPT")) == (6, 0)
    (folder / "relkit.toml").write_text(TOML.replace("0.01", "0.05"))
    assert "protocol, margins: NOT KEPT" in run(capsys, "report", "harm_missed", "--protocol", "p.json")[1]
    changed = (folder / "p.json").read_text().replace('"errors": 0.01', '"errors": 0.05')
    (folder / "p.json").write_text(changed)
    code, told = run(capsys, "report", "harm_missed", "--protocol", "p.json")
    assert (code, "it was changed" in told) == (1, True)


def test_a_protocol_written_after_the_first_pair_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.is_dir()
    run(
        capsys,
        "protocol",
        "harm_missed",
        "late.json",
        "--at",
        "2026-11-18T00:00:00Z",
        "--horizon",
        "2026-12-18T00:00:00Z",
    )
    told = run(capsys, "report", "harm_missed", "--protocol", "late.json", "--json")[1]
    kept = {point["what"]: point["kept"] for point in json.loads(told)["protocol"]}
    assert not kept["registered before the first pair"]
    assert not kept["horizon reached"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("step", "peeking"), "with a schedule in relkit.toml: harm_missed"),
        (("step", "harm_missed", "--at", "yesterday"), "a time with its zone"),
        (("step", "harm_missed", "--at", "2026-11-16T00:00:00"), "a time with its zone"),
        (("report", "unknown"), "there are: noisy_field"),
        (("report", "peeking", "--protocol", "nowhere.json"), "cannot be read"),
        (("report", "peeking", "--protocol", "relkit.toml"), "no protocol"),
        (
            ("protocol", "x", "x.json", "--at", "2026-11-16T00:00:00Z", "--horizon", "2026-11-15T00:00:00Z"),
            "after the registration",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert folder.is_dir()
    code, told = run(capsys, *words)
    assert code == 1
    assert said in told
    assert len(told.strip().splitlines()) == 1


def test_a_dry_run_leaves_the_ledger_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.is_dir()
    assert "scheduled -> running" in run(capsys, "step", "harm_missed", "--at", "2026-11-16T00:00:00Z", "--dry-run")[1]
    assert run(capsys, "status", "harm_missed")[1].strip() == "harm_missed: scheduled, 0 % of the traffic"


def test_a_protocol_whose_traffic_cannot_show_its_margin_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("protocol", "harm_missed", "p.json", "--at", "2026-11-01T00:00:00Z", "--horizon", "2026-11-20T00:00:00Z")
    code, told = run(capsys, *words, "--requests-per-hour", "13.9", "--discordant", "0.04")
    assert (code, "Refused: 1 034 pairs find" in told.replace("\u202f", " ").replace("\u00a0", " ")) == (1, True), told
    assert "hours with every request mirrored" in told
    assert not (folder / "p.json").exists()
    code, told = run(capsys, *words, "--requests-per-hour", "13.9")
    assert (code, "discordant_share" in told) == (1, True)
    code, told = run(capsys, *words, "--requests-per-hour", "100", "--discordant", "0.04")
    assert (code, (folder / "p.json").exists()) == (0, True)
