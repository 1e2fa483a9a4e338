"""`relkit slo backtest` and `relkit slo export`: what they print, write and exit with."""

import json
from pathlib import Path

import pytest
import yaml

from relkit.cli import main

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


def test_backtest_scores_the_labelled_faults_and_refuses_to_choose_by_three(folder, capsys):
    code, told = run(capsys, "backtest", *WEEK, "--json")
    record = json.loads(told)
    assert (code, record["incidents"], record["better"]["code"]) == (0, 3, "REFUSED")
    assert {one["name"] for one in record["alert_sets"]} >= {"workbook", "plan-10x"}
    assert [one["label"] for one in record["by_incident"]] == ["outage groq", "rate limit groq", "brownout groq"]


@pytest.mark.parametrize(("to", "alerts"), [("prometheus", "better"), ("promtool", "workbook"), ("sloth", "sloth")])
def test_every_export_is_valid_yaml(folder, capsys, to, alerts):
    code, said = run(capsys, "export", "out.yml", "--to", to, "--alerts", alerts, *WEEK)
    assert code == 0, said
    documents = [one for one in yaml.safe_load_all(Path("out.yml").read_text(encoding="utf-8")) if one]
    assert documents


@pytest.mark.parametrize(
    "words",
    [
        ("export", "nowhere/out.yml", "--to", "prometheus"),
        ("export", "out.yml", "--to", "carrier-pigeon"),
        ("export", "out.yml", "--to", "prometheus", "--objective", "beauty"),
        ("backtest", "--week", "2020-W01"),
        ("backtest", "--week", "yesterday"),
    ],
)
def test_bad_words_are_one_line_and_exit_1(folder, capsys, words):
    code, said = run(capsys, *words)
    assert code == 1
    assert said.startswith("relkit: ")
    assert len(said.strip().splitlines()) == 1
    assert not Path("out.yml").exists()
