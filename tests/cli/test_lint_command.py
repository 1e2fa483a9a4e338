import json

import pytest

from relkit.cli import main


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


TRAFFIC = ("--requests-a-month", "10000", "--failure-share", "0.01", "--latency-s", "1")


def test_an_error_is_exit_3_and_its_number_is_in_the_json(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = ran(capsys, "lint", "--policy", "polly-8", "--policy", "pybreaker", *TRAFFIC, "--json")
    record = json.loads(out)
    assert (code, record["errors"]) == (3, 1)
    assert record["findings"]["polly-8"][0]["code"] == "NEVER_TRIPS"
    assert record["findings"]["pybreaker"] == []


def test_nothing_found_is_exit_0(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = ran(capsys, "lint", "--policy", "pybreaker", *TRAFFIC)
    assert code == 0
    assert "pybreaker: 0 findings" in out


def test_an_alert_whose_window_outlasts_what_is_kept_is_named_with_its_place(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("lint", "--policy", "pybreaker", "--alerts", "workbook", *TRAFFIC)
    _, kept, _ = ran(capsys, *words, "--retention-days", "40", "--json")
    _, lost, _ = ran(capsys, *words, "--retention-days", "1", "--json")
    before, after = (json.loads(text)["findings"]["alerts workbook"] for text in (kept, lost))
    new = [one for one in after if one["code"] not in {each["code"] for each in before}]
    assert new
    _, told, _ = ran(capsys, *words, "--retention-days", "1")
    for one in new:
        assert f"{one['code']}: {one['where']}: {one['sentence'][:20]}" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lint", *TRAFFIC), "nothing to lint"),
        (("lint", "--policy", "pybraker", *TRAFFIC), "did you mean pybreaker"),
        (("lint", "--policy", "pybreaker", *TRAFFIC, "--as-of", "soon"), "2026-11-18"),
        (("lint", "--policy", "pybreaker", "--requests-a-month", "-5"), "--requests-a-month = -5"),
        (("export", "--to", "pybreaker", "--policy", "polly-8"), "breaker.family = anchored"),
        (("export", "--to", "pybraker", "--policy", "polly-8"), "did you mean pybreaker"),
        (("export", "--to", "pybreaker"), "which settings"),
        (("export", "--to", "pybreaker", "--choice", "--policy", "pybreaker"), "exclude each other"),
        (("export", "--to", "pybreaker", "--choice"), "no choice is kept"),
        (
            ("export", "--to", "opossum", "--policy", "opossum-10", "--output", "no/such/folder/x.json"),
            "cannot be written",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_1(words, said, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = ran(capsys, *words)
    assert (code, out) == (1, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_service_is_written_where_it_was_asked_for(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "relkit.toml").write_text(
        '[service.pay]\nbreaker = { preset = "pybreaker", open_s = 9.0 }\n', encoding="utf-8"
    )
    code, _, _ = ran(capsys, "export", "--to", "pybreaker", "--service", "pay", "--output", "made.py")
    assert code == 0
    assert "reset_timeout=9.0" in (tmp_path / "made.py").read_text(encoding="utf-8")
