"""The page: the package's Plates and Verdicts at a moment, and nothing that a browser would fetch or run."""

import re
import shutil
from pathlib import Path

import pytest
from served import API, NOW_US, Log, ask

from relkit.units import US_PER_DAY


@pytest.fixture(scope="module")
def page(known: Log) -> str:
    got = ask(known.app(), "/")
    assert (got.status, got.headers["relkit-state"]) == (200, "fresh")
    return got.text


def test_it_leads_with_the_verdict_and_shows_breakers_rates_objectives_and_the_rollout(page: str) -> None:
    words = re.sub(r"<[^>]+>", " ", page)
    order = [
        "availability:", "1 of 2 breakers holds calls back: chat/large is open for 2 h.", "Requests that failed:",
        "undecided 1 of 2 objectives", "1 rollout: new is running at 10 % of the traffic.", "guardrail",
    ]  # fmt: skip
    places = [words.index(word) for word in order]
    assert places == sorted(places)
    assert set(re.findall(r"<figure class='\w+' id='(\w+)'", page)) >= {
        "breakers", "error_rates", "retry_strategies", "objectives", "budget", "burn", "rollouts", "difference", "guardrails",
    }  # fmt: skip
    assert len(re.findall("<div class='verdict", page)) == 2


def test_it_runs_and_fetches_nothing(page: str) -> None:
    assert not re.search(
        r"<(script|iframe|object|embed|form|link|base)\b|\son\w+=|javascript:|@import|url\(\s*['\"]?http", page
    )
    assert all(found.startswith(("data:", "#")) for found in re.findall(r"""(?:src|href)=["']?([^"'> ]*)""", page))
    ids = re.findall(r"\sid=['\"]([^'\"]+)['\"]", page)
    assert len(ids) == len(set(ids))


def test_its_numbers_are_those_of_the_metrics(known: Log, page: str) -> None:
    rate = ask(known.app(), f"{API}/metrics").json()["error_rates"]["24h"]
    assert f"{100 * rate['error_rate']:.2f} % of {rate['valid']} in 24h" in page


def test_of_a_log_that_has_ended_it_shows_the_end_and_says_so(known: Log) -> None:
    app = known.app(now_us=lambda: NOW_US + 5 * US_PER_DAY)
    got = ask(app, "/")
    assert "This is how things stood Mon 2026-11-23 00:00" in got.text
    assert "5 days ago" in got.text
    assert ask(app, "/", b"as_of=2026-11-20T12:00:00Z").text.count("seven days to Fri 2026-11-20 12:00") >= 2


def test_of_an_empty_log_it_says_that_nothing_is_known(log: Log) -> None:
    got = ask(log.app(), "/")
    assert got.status == 200
    assert "The log holds no row before this moment." in got.text
    assert "UNDECIDED" in got.text


def test_when_it_cannot_be_drawn_the_last_one_is_shown(full: Log) -> None:
    app = full.app()
    first = ask(app, "/")
    full.path.rename(full.path.with_suffix(".away"))
    kept = app._app.routes[0].endpoint.__self__
    kept.pages._kept[None] = (first.text, kept.pages._kept[None][1] - 60)
    again = ask(app, "/")
    assert (again.text, again.headers["relkit-state"]) == (first.text, "stale")
    assert 60 <= int(again.headers["age"]) < 120


def test_only_the_name_of_the_database_is_shown(known: Log, tmp_path: Path) -> None:
    place = tmp_path / "our service.duckdb"
    shutil.copy(known.path, place)
    text = ask(Log(place).app(), "/").text
    assert "our service.duckdb" in text
    assert str(tmp_path) not in text
