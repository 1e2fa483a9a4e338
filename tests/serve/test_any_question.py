"""Whatever is asked, while a writer is at work: no error of ours, and nothing told that is nobody's business."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from questions import ADDRESSES, apps_of, busy_log, check_answer, questions
from served import API, Log, ask

FOLDER = "secret folder"


@pytest.fixture(scope="module")
def apps(known: Log, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    place = Path(tmp_path_factory.mktemp(FOLDER)) / "log.duckdb"
    shutil.copy(known.path, place)
    with busy_log(place):
        yield apps_of(place)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(question=questions)
def test_no_question_breaks_it_or_learns_more_than_it_may(apps: tuple[Any, Any], question: dict[str, Any]) -> None:
    check_answer(apps, FOLDER, **question)


def test_every_address_answers_with_the_writer_at_work(apps: tuple[Any, Any]) -> None:
    for address in ADDRESSES:
        assert ask(apps[0], address).status == 200
    assert ask(apps[0], f"{API}/metrics").json()["state"] in ("fresh", "stale")
