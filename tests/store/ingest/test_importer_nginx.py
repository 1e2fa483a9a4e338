"""nginx: the lists of upstream servers, the clock that shows the end, and the words nginx has for what went wrong."""

import json
import random
from itertools import accumulate
from typing import Any

import pytest
from importing import read, told
from workshop import Workshop

from relkit.exceptions import DataError
from relkit.store.ingest.importers.nginx import LOG_FORMATS, pattern_of

END_US = 1_795_000_000_500_000


def line(**more: Any) -> str:
    known = {
        "msec": "1795000000.500",
        "status": "200",
        "request_time": "0.300",
        "upstream_addr": "10.0.0.1:80",
        "upstream_status": "200",
    }
    return json.dumps({**known, "upstream_response_time": "0.300", **more}) + "\n"


def retried(statuses: str, spans: str, **more: Any) -> str:
    return line(
        upstream_status=statuses,
        upstream_response_time=spans,
        upstream_addr=", ".join(["a"] * len(statuses.split())),
        **more,
    )


def test_each_element_is_a_try_in_its_order(workshop: Workshop) -> None:
    """Parted by commas within a group of servers, by colons after an internal redirect."""
    marks = [", ", " : ", ","]
    lines = [
        line(upstream_status=f"502{mark}200", upstream_response_time=f"0.100{mark}0.200", request_id=str(n))
        for n, mark in enumerate(marks)
    ]
    read(workshop, "".join(lines), "a.jsonl")
    assert told(workshop, "attempt", "ts", "latency_us", "status", "ok") == 3 * [
        (1, END_US - 300_000, 100_000, 502, False),
        (2, END_US - 200_000, 200_000, 200, True),
    ]


def test_elements_without_a_value_are_unknown(workshop: Workshop) -> None:
    read(workshop, retried("502, -, 200", "0.1, -, 0.2"), "a.jsonl")
    assert told(workshop, "latency_us", "status", "ok") == [
        (100_000, 502, False),
        (None, None, None),
        (200_000, 200, True),
    ]


def test_a_line_without_upstream_is_one_row_of_its_own_status(workshop: Workshop) -> None:
    nothing = [
        line(upstream_addr=none, upstream_status=none, upstream_response_time=none, status="304") for none in ("-", "")
    ]
    read(workshop, "".join(nothing), "a.jsonl")
    assert told(workshop, "request_id", "attempt", "latency_us", "status", "ok") == [(None, 1, 300_000, 304, True)] * 2


def test_a_client_that_gave_up_is_no_failure_of_the_upstream(workshop: Workshop) -> None:
    read(workshop, line(status="499", upstream_status="200"), "a.jsonl")
    read(
        workshop,
        line(status="499", upstream_status="-", upstream_response_time="-", upstream_addr="a", request_id="x"),
        "b.jsonl",
    )
    read(
        workshop,
        line(status="499", upstream_status="502, -", upstream_response_time="0.1, 0.2", request_id="y"),
        "c.jsonl",
    )
    assert told(workshop, "request_id", "attempt", "status", "kind") == [
        ("x", 1, 499, "CANCELLED"),
        ("y", 1, 502, "API_SERVER_ERROR"),
        ("y", 2, 499, "CANCELLED"),
        (None, 1, 499, "CANCELLED"),
    ]


def test_an_answer_of_its_own_is_a_further_row(workshop: Workshop) -> None:
    """error_page turns two 502 into a page with 200: the servers failed, the client did not notice."""
    read(workshop, retried("502, 502", "0.1, 0.2", status="200"), "a.jsonl")
    assert told(workshop, "attempt", "status", "ok", "degraded", "latency_us", "ts") == [
        (1, 502, False, None, 100_000, END_US - 300_000),
        (2, 502, False, None, 200_000, END_US - 200_000),
        (3, 200, True, True, 0, END_US),
    ]


def test_header_times_tell_its_own_504_from_that_of_the_upstream(workshop: Workshop) -> None:
    read(
        workshop,
        retried("504, 502, 504", "1.0, 0.0, 0.1", status="504", request_time="1.1", upstream_header_time="-, -, 0.1"),
        "a.jsonl",
    )
    assert told(workshop, "kind") == [("NETWORK_TIMEOUT",), ("NETWORK_ERROR",), ("API_SERVER_ERROR",)]


def test_cache_words(workshop: Workshop) -> None:
    words = {"HIT": (True, None), "STALE": (True, True), "MISS": (False, None), "-": (None, None)}
    read(
        workshop,
        "".join(line(upstream_cache_status=word, request_id=str(n)) for n, word in enumerate(words)),
        "a.jsonl",
    )
    assert told(workshop, "cache_hit", "degraded") == list(words.values())


def test_equal_lines_stay_as_many_as_they_are(workshop: Workshop) -> None:
    """Three requests that look the same within a second, each tried twice."""
    outcome = read(workshop, retried("502, 200", "0.1, 0.2") * 3, "a.jsonl")
    assert (outcome.kept, outcome.rejected) == (6, 0)
    assert workshop.column("SELECT count(DISTINCT request_id) FROM attempts") == [3]


def test_a_line_that_cannot_be_a_row_is_a_reject(workshop: Workshop) -> None:
    changes = {
        "upstream_status tells of 1 tries, upstream_response_time of 2": {"upstream_response_time": "0.1, 0.2"},
        "status: '999' is no HTTP status": {"status": "999", "upstream_status": "999"},
        "tells of more than 1000 tries": {"upstream_status": ", ".join(["502"] * 1001), "upstream_response_time": "-"},
        "outside the years 1990 to 2100": {"msec": "253402300799.000"},
        "ts: no time": {"msec": "now"},
        "latency_us: '-0.5' is no duration": {"upstream_response_time": "-0.5"},
    }
    outcome = read(workshop, line() + "".join(line(**change) for change in changes.values()), "a.jsonl")
    assert outcome.kept == 1
    found = {at: why for at, why, _ in workshop.rejects()}
    assert list(found) == [2, 3, 4, 5, 6, 7]
    assert all(reason in why for reason, why in zip(changes, found.values(), strict=True))


def test_three_clocks(workshop: Workshop) -> None:
    clocks = [
        {"time_iso8601": "2026-11-18T12:06:40+01:00"},
        {"time_local": "18/Nov/2026:11:06:40 +0000"},
        {"msec": "1795000000.000"},
    ]
    read(workshop, "".join(line(**{"msec": "", **clock}) for clock in clocks), "a.jsonl")
    assert told(workshop, "ts") == [(1_795_000_000_000_000 - 300_000,)] * 3


MINE = """
kind = "attempts"
source = "mine"
importer = "nginx"
log_format = '[$time_iso8601] $status ${request_time}s <$upstream_status> $upstream_response_time "$request" ($upstream_addr)'
[time]
column = "start_us"
format = "unix_us"
[columns]
request_id = "request_id"
attempt = "attempt"
status = "status"
latency_us = { column = "latency_s", unit = "s" }
operation = "operation"
"""


def test_a_log_format_of_ones_own(workshop: Workshop) -> None:
    good = '[2026-11-18T11:06:40+00:00] 200 0.300s <502, 200> 0.100, 0.200 "GET /a?key=b HTTP/1.1" (unix:/run/a.sock, 10.0.0.1:80)\n'
    outcome = read(workshop, good + "something else\n\n", "access.log", MINE)
    assert (outcome.kept, outcome.rejected) == (2, 1)
    assert told(workshop, "attempt", "latency_us", "status", "operation") == [
        (1, 100_000, 502, "GET /a"),
        (2, 200_000, 200, "GET /a"),
    ]
    assert workshop.rejects() == [(2, "is no line of the log_format", "something else")]


@pytest.mark.parametrize(
    ("log_format", "why"),
    [("no variables", "has no variable"), ("$status$request", "nothing parts"), ("$status $status", "twice")],
)
def test_a_log_format_that_cannot_be_taken_apart(log_format: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        pattern_of(log_format)


def test_text_without_a_log_format_asks_for_it(workshop: Workshop) -> None:
    with pytest.raises(DataError, match="needs log_format"):
        read(workshop, "1 2 3\n", "access.log", MINE.replace("log_format", "# "))


VALUES = {
    "request": "GET / HTTP/1.1",
    "time_local": "18/Nov/2026:11:06:40 +0000",
    "http_user_agent": "Mozilla/5.0 (X11)",
}


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_known_log_formats_are_recognised(workshop: Workshop, log_format: str) -> None:
    lists = {
        "upstream_status": "502, 200",
        "upstream_response_time": "0.100, 0.200",
        "upstream_addr": "10.0.0.1:80, 10.0.0.2:80",
        "upstream_response_length": "0, 0",
    }
    lists |= {
        "upstream_connect_time": "-, 0.001",
        "upstream_header_time": "-, 0.200",
        "status": "200",
        "request_time": "0.300",
        **VALUES,
    }
    text = log_format
    for name in sorted(pattern_of(log_format)[1], key=len, reverse=True):
        text = text.replace(f"${name}", lists.get(name, "-"))
    outcome = read(workshop, (text + "\n") * 3, "access.log")
    assert (outcome.kept, outcome.rejected) == (6, 0)


def test_tries_fill_the_request_from_its_start(workshop: Workshop) -> None:
    """The tries come one after another from the start, whatever the client took afterwards."""
    draw = random.Random(7)
    made = [([draw.randrange(90) for _ in range(draw.randrange(1, 7))], draw.randrange(50)) for _ in range(200)]
    lines = [
        retried(
            ", ".join(["502"] * (len(spans) - 1) + ["200"]),
            ", ".join(f"{span / 100:.3f}" for span in spans),
            request_time=f"{(sum(spans) + wait) / 100:.3f}",
            request_id=f"{number:03d}",
        )
        for number, (spans, wait) in enumerate(made)
    ]
    read(workshop, "".join(lines), "a.jsonl")
    want = []
    for spans, wait in made:
        starts = accumulate(spans[:-1], initial=-sum(spans) - wait)
        want += [(END_US + start * 10_000, span * 10_000) for start, span in zip(starts, spans, strict=True)]
    assert told(workshop, "ts", "latency_us") == want
