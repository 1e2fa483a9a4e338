"""Which week is reported, when nothing is, and which guardrail broke."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relkit.exceptions import ParameterError, RelkitError, ReportError, StoreError
from relkit.period import period_of
from relkit.report import begin, read_service
from relkit.report.weekly import WeeklyRun, publish_week
from relkit.slo import headline
from relkit.store import open_store, readings
from relkit.units import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE

Log = Callable[..., Path]
Times = Callable[..., list[int]]
Week = Callable[..., WeeklyRun]
DEC_2026 = period_of("2026-W50").start_us


@pytest.fixture
def week(runs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Week:
    """Publish a week with stood-in kernels, from an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def publish(database: Path | None, **settings: Any) -> WeeklyRun:
        settings.setdefault("now_us", DEC_2026)
        return publish_week(database=database, reports=tmp_path / "reports", **settings)

    return publish


def monday(label: str, zone: str = "UTC") -> int:
    start = period_of(label, zone).start_us
    assert start is not None
    return start


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "relkit.toml"
    path.write_text(text)
    return path


def test_the_default_is_the_newest_week_that_is_over(week: Week, log: Log) -> None:
    database = log([monday("2026-W46"), monday("2026-W47"), monday("2026-W48")])
    assert week(database, now_us=monday("2026-W48") + US_PER_DAY).published.folder.name == "2026-W47"


def test_a_week_without_requests_is_passed_over(week: Week, log: Log) -> None:
    """The service was off in W46 and W47: the newest report is of W45."""
    assert week(log([monday("2026-W45")]), now_us=monday("2026-W48")).published.folder.name == "2026-W45"


def test_a_week_is_over_with_its_last_microsecond(week: Week, log: Log) -> None:
    database = log([monday("2026-W46"), monday("2026-W47")])
    assert week(database, now_us=monday("2026-W48") - 1).published.folder.name == "2026-W46"
    assert week(database, now_us=monday("2026-W48")).published.folder.name == "2026-W47"


@pytest.mark.parametrize(("before", "label"), [(1, "2026-W46"), (0, "2026-W47")])
def test_a_week_begins_at_midnight_of_the_zone(before: int, label: str, week: Week, log: Log, tmp_path: Path) -> None:
    """Berlin's Monday begins at 23:00 UTC on Sunday (winter); a request a second before belongs to the week before."""
    berlin = monday("2026-W47", "Europe/Berlin")
    assert berlin == monday("2026-W47") - US_PER_HOUR
    database = log([berlin - before * US_PER_MINUTE])
    config = toml(tmp_path, '[report]\nzone = "Europe/Berlin"\n')
    run = week(database, config=config)
    assert run.published.folder.name == label
    assert run.published.summary["zone"] == "Europe/Berlin"


def test_the_zone_decides_when_a_week_is_over(week: Week, log: Log, tmp_path: Path) -> None:
    config = toml(tmp_path, '[report]\nzone = "Europe/Berlin"\n')
    database = log([monday("2026-W46"), monday("2026-W47")])
    over = monday("2026-W48") - US_PER_HOUR
    assert week(database, config=config, now_us=over - 1).published.folder.name == "2026-W46"
    assert week(database, config=config, now_us=over).published.folder.name == "2026-W47"


def test_a_week_may_have_an_hour_more_or_less(week: Week, log: Log, tmp_path: Path) -> None:
    """In 2026 Berlin's clocks go back in W43 and forward in W13."""
    for label, hours in (("2026-W43", 169), ("2026-W13", 167)):
        period = period_of(label, "Europe/Berlin")
        assert period.start_us is not None
        assert period.end_us is not None
        assert (period.end_us - period.start_us) // US_PER_HOUR == hours


def test_no_week_is_over_yet(week: Week, log: Log, tmp_path: Path) -> None:
    database = log([monday("2026-W47")])
    with pytest.raises(ReportError, match=r"no week with requests is over yet \(there is 2026-W47\); name one"):
        week(database, now_us=monday("2026-W47") + US_PER_DAY)
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "holds no row with a time"),
        ({"week": "2026-W47"}, "2026-W47 holds nothing to report; no row has a time"),
        ({"week": "all"}, "all holds nothing to report"),
    ],
)
def test_an_empty_database_is_said_and_nothing_is_written(
    asked: dict[str, str], said: str, week: Week, log: Log, tmp_path: Path
) -> None:
    with pytest.raises(ReportError, match=said):
        week(log([]), **asked)
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("label", "error", "said"),
    [
        (
            "2026-W40",
            ReportError,
            "2026-W40 holds nothing to report; weeks with requests: 2026-W47. Nothing was written",
        ),
        ("2027-W01", ReportError, "2027-W01 lies in the future and holds nothing to report"),
        ("2026-W54", ParameterError, "a week that exists"),
        ("last", ParameterError, "a week such as 2026-W47, or all"),
        ("../2026-W47", ParameterError, "a week such as 2026-W47, or all"),
    ],
)
def test_a_week_without_data_is_said_and_nothing_is_written(
    label: str, error: type[RelkitError], said: str, week: Week, log: Log, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        week(log([monday("2026-W47")]), week=label)
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("text", [None, "", "no database\n" * 100])
def test_a_file_that_is_no_database_is_said(text: str | None, week: Week, tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StoreError) as refused:
        week(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "reports").exists()


def test_the_database_of_the_current_folder_comes_before_the_demo(week: Week, log: Log, tmp_path: Path) -> None:
    log([monday("2026-W40")], name="here/relkit.duckdb")
    toml(tmp_path / "here", '[report]\nzone = "Asia/Tokyo"\n')
    run = week(None)
    assert run.published.folder.name == "2026-W40"
    assert run.published.summary["zone"] == "Asia/Tokyo"


def test_the_first_line_says_from_when_to_when_and_how_much(week: Week, log: Log, minutes_of_week: Times) -> None:
    run = week(log(minutes_of_week("2026-W47")[:-60]))
    assert run.lines[0].startswith("Data from Mon 2026-11-16 00:00 to Sun 2026-11-22 22:59 UTC: 10\u202f020 requests")
    assert "99.4 % of the week's minutes covered" in run.lines[0]


@pytest.mark.parametrize(("missing", "code"), [(503, "MET"), (505, "UNDECIDED")])
def test_under_95_percent_of_minutes_nothing_is_decided(
    missing: int, code: str, log: Log, minutes_of_week: Times, tmp_path: Path
) -> None:
    """504 of 10,080 minutes are 5 %. The gap is named, and said to be missing rather than silent."""
    database = log(minutes_of_week("2026-W47", gap=(1440, 1440 + missing)))
    config = toml(tmp_path, '[objective.availability]\ntarget = "0.99"\n')
    scope = begin("6_weekly", database=str(database), week="2026-W47", config=str(config))
    verdict = headline(read_service(scope))
    assert verdict.code == code
    if code == "UNDECIDED":
        said = f"{verdict.sentence} {verdict.why_not}"
        assert "not enough data" in said.lower()
        assert "2026-11-17 00:00" in said


def test_a_report_on_everything_needs_no_clock(week: Week, log: Log) -> None:
    run = week(log([monday("2026-W40"), monday("2026-W47")]), week="all")
    assert run.published.folder.name == "all"


GUARDED = """
[objective.availability]
target = "{target}"
[objective.fast]
target = "0.5"
threshold_ms = {threshold_ms}
[report]
guardrails = ["{name}"]
"""


@pytest.mark.parametrize(
    ("name", "target", "threshold_ms", "ok", "broken"),
    [
        ("availability", "0.9", 2000, True, False),
        ("availability", "0.9", 2000, False, True),
        ("slo", "0.9", 2000, False, True),
        ("fast", "0.9", 2000, True, False),
        ("fast", "0.9", 10, True, True),
        ("availability", "0.9", 10, True, False),
        ("shadow", "0.9", 10, False, False),
        ("errors", "0.9", 10, False, False),
    ],
)
def test_a_guardrail_is_broken_by_its_own_verdict(
    name: str, target: str, threshold_ms: int, ok: bool, broken: bool,
    week: Week, log: Log, minutes_of_week: Times, tmp_path: Path,
) -> None:  # fmt: skip
    """An objective the page does not lead with guards as well as the one it leads with; another one's miss is no matter."""
    database = log(minutes_of_week("2026-W47"), ok=ok)
    config = toml(tmp_path, GUARDED.format(name=name, target=target, threshold_ms=threshold_ms))
    run = week(database, config=config)
    assert run.broken == ((name,) if broken else ())


def test_an_undecided_objective_breaks_no_guardrail(week: Week, log: Log, tmp_path: Path) -> None:
    """One bad request in a week without other data: the interval says nothing."""
    config = toml(tmp_path, GUARDED.format(name="availability", target="0.9", threshold_ms=10))
    run = week(log([monday("2026-W47")], ok=False), config=config)
    assert run.published.summary["guardrails"] == {"availability": "UNDECIDED"}
    assert run.broken == ()


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        ('["shadow"]', {"shadow": "ROLL_BACK"}),
        ('["bigger-model", "shadow", "availability"]', None),
        ('["other"]', {"other": "ABSENT"}),
    ],
)
def test_a_shadow_experiment_guards_by_name(
    names: str, codes: dict[str, str] | None, week: Week, demo_database: Path, tmp_path: Path
) -> None:
    """The demo's shadow is worse inside sessions. An experiment that ran in another week breaks nothing."""
    with open_store(demo_database) as store:
        experiment, *_ = readings.experiments(store, period_of("2026-W47"))
    text = f'[shadow."{experiment}"]\nmargin = 0.01\n[shadow.other]\nmargin = 0.01\n[report]\nguardrails = {names}\n'
    run = week(demo_database, config=toml(tmp_path, text.replace("bigger-model", experiment)), week="2026-W47")
    expected = codes or {experiment: "ROLL_BACK", "shadow": "ROLL_BACK", "availability": "MISSED"}
    assert run.published.summary["guardrails"] == expected
    assert run.broken == tuple(name for name, code in expected.items() if code != "ABSENT")
