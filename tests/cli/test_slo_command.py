"""`relkit slo` and `relkit slo exclude`: what they print and exit with."""

import json
from pathlib import Path

import pytest

from relkit.cli import main

OUTAGE = ("2026-11-19T09:00:00Z", "2026-11-19T10:00:00Z")
WEEK = ("--week", "2026-W47")


@pytest.fixture
def folder(demo_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "relkit.duckdb").write_bytes(demo_database.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stop:
        main(["slo", *words])
    told = capsys.readouterr()
    return int(stop.value.code or 0), told.out + told.err


def test_it_says_verdict_budget_and_chance_and_the_record_agrees(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, *WEEK)
    assert code == 0
    assert "availability: MISSED." in said
    assert "latency: MET." in said
    assert "the objective is kept in" in said
    code, told = run(capsys, *WEEK, "--json")
    record = json.loads(told)
    first = record["objectives"][0]
    assert (first["name"], first["verdict"], first["target"]) == ("availability", "MISSED", "999/1000")
    assert first["low"] < first["good_share"] < first["high"]
    assert first["forecast"]["low"] <= first["forecast"]["left_share"] <= first["forecast"]["high"]


def test_an_exclusion_is_shown_beside_what_it_hides(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, "exclude", *OUTAGE, "--reason", "move of the provider", "--by", "ana")
    assert (code, "is left out" in said) == (0, True)
    _, told = run(capsys, *WEEK, "--json")
    goal = json.loads(told)["objectives"][0]
    assert goal["left_share"] > goal["left_share_with_excluded_time"]
    _, said = run(capsys, *WEEK)
    assert "With 1 excluded stretch counted it would be 99.66" in said
    assert "excluded: move of the provider (ana)" in said
    assert run(capsys, "exclude", *OUTAGE, "--remove")[0] == 0
    assert json.loads(run(capsys, *WEEK, "--json")[1])["objectives"][0]["left_share_with_excluded_time"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("exclude", "2026-11-19", OUTAGE[1], "--reason", "x", "--by", "y"), "a time with its zone"),
        (("exclude", *OUTAGE), "reason = '' is not acceptable"),
        (("exclude", *reversed(OUTAGE), "--reason", "x", "--by", "y"), "end_us"),
        (("exclude", *OUTAGE, "--remove"), "no exclusion has exactly this stretch"),
        (("--week", "2026-W47", "--all"), "exclude each other"),
        (("--week", "W47"), "week = 'W47'"),
    ],
)
def test_bad_words_are_one_line_and_exit_1(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code, told = run(capsys, *words)
    assert code == 1
    assert said in told
    assert len(told.strip().splitlines()) == 1


def test_a_missed_guardrail_exits_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "relkit.toml").write_text('[objective.a]\ntarget = "0.999"\n[report]\nguardrails = ["a"]\n')
    code, said = run(capsys, *WEEK)
    assert (code, "guardrail broken: a" in said) == (3, True)


def test_time_slices_and_a_calendar_month_are_told_in_their_own_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "relkit.toml").write_text(
        '[objective.minutes]\ntarget = "0.99"\nmethod = "time_slices"\nslice_target = "0.95"\ncalendar = "month"\n'
    )
    code, told = run(capsys, *WEEK, "--json")
    goal = json.loads(told)["objectives"][0]
    assert (code, goal["unit"], goal["window"]) == (0, "slice of 60 s", "the calendar month")
    assert goal["valid"] <= 7 * 1440
    end = 29_934_720  # 2026-12-01 00:00 UTC
    assert goal["forecast"]["end_minute"] == end
