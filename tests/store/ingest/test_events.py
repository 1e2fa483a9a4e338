"""Events: a start and the next line of the same user become one attempt; what has no end yet is censored, not failed."""

import random
from collections.abc import Callable

import pytest
from workshop import Workshop

EVENTS = """
kind = "events"
source = "client"
[time]
column = "ts"
format = "unix_s"
[pair]
start = "event == 'start'"
end = "event in ('done', 'failed')"
by = ["user"]
within_s = 100
[columns]
ok = { expr = "end.event == 'done'" }
message = { expr = "end.error" }
model = "model"
tokens_out = { expr = "end.tokens" }
"""
HEAD = "ts,user,event,model,tokens,error\n"
T0 = 1_795_000_000
_SHOWN = (
    f"SELECT session_id, ts // 1000000 - {T0}, ended, ok, latency_us // 1000000, tokens_out FROM attempts ORDER BY ALL"
)


def event(at: int, user: str, word: str, tokens: str = "", error: str = "", model: str = "m") -> str:
    return f"{T0 + at},{user},{word},{model},{tokens},{error}\n"


def test_starts_find_their_ends(workshop: Workshop) -> None:
    """The next line of the same user decides: an end within the time ends it, another start or too late an end does not."""
    lines = [
        event(0, "a", "start"), event(1, "b", "start"), event(2, "b", "other"), event(5, "a", "done", "7"), event(6, "b", "failed", "", "boom"),
        event(10, "a", "start"), event(12, "a", "start"), event(13, "a", "done"), event(14, "a", "done"), event(20, "c", "done"),
        event(30, "d", "start"), event(131, "d", "done"), event(40, "e", "start"), event(140, "e", "done"), event(50, "f", "start"),
    ]  # fmt: skip
    outcome = workshop.ingest(HEAD + "".join(lines), EVENTS + 'session_id = "user"\n')
    assert (outcome.read, outcome.kept, outcome.left_out) == (7, 7, 8)
    assert workshop.rows(_SHOWN) == [
        ("a", 0, True, True, 5, 7), ("a", 10, False, None, None, None), ("a", 12, True, True, 1, None), ("b", 1, True, False, 5, None),
        ("d", 30, False, None, None, None), ("e", 40, True, True, 100, None), ("f", 50, False, None, None, None),
    ]  # fmt: skip
    assert workshop.column("SELECT message FROM fingerprints") == ["boom"]
    assert workshop.rows("SELECT count(*) FROM attempts WHERE fp IS NOT NULL") == [(1,)]


def test_lines_are_paired_by_time_and_not_by_their_place(workshop: Workshop) -> None:
    workshop.ingest(HEAD + event(5, "a", "done") + event(0, "a", "start"), EVENTS)
    assert workshop.rows("SELECT ended, latency_us FROM attempts") == [(True, 5_000_000)]


def test_an_end_that_comes_later_replaces_the_censored_row(workshop: Workshop) -> None:
    log = HEAD + event(0, "a", "start") + event(1, "b", "start")
    assert workshop.ingest(log, EVENTS).kept == 2
    outcome = workshop.ingest(log + event(4, "a", "done") + event(5, "c", "start"), EVENTS)
    assert (outcome.read, outcome.kept, outcome.already_there) == (3, 1, 2)
    assert workshop.rows("SELECT ended, count(*) FROM attempts GROUP BY ended ORDER BY ended") == [
        (False, 2),
        (True, 1),
    ]


def test_of_equal_starts_each_keeps_its_own_fate(workshop: Workshop) -> None:
    """Three starts in one second, alike to the letter: two are censored for ever, the last one finds its end."""
    log = HEAD + event(0, "a", "start") * 3
    workshop.ingest(log, EVENTS)
    workshop.ingest(log + event(4, "a", "failed", "", "late"), EVENTS)
    assert workshop.rows("SELECT ended, count(*) FROM attempts GROUP BY ended ORDER BY ended") == [
        (False, 2),
        (True, 1),
    ]
    assert workshop.ingest(log + event(4, "a", "failed", "", "late") + event(9, "b", "start"), EVENTS).kept == 1


def test_an_end_that_was_cut_off_is_read_anew(workshop: Workshop) -> None:
    """`done` of somebody whose name the cut shortened, and a message that went on."""
    log = HEAD + event(0, "a", "start") + event(0, "ab", "start")
    workshop.ingest(log + f"{T0 + 3},ab,failed,m,,disk", EVENTS)
    workshop.ingest(log + event(3, "ab", "failed", "", "disk full"), EVENTS)
    assert workshop.column("SELECT message FROM fingerprints") == ["disk full"]
    assert workshop.column("SELECT count(*) FROM attempts") == [2]


def test_a_bad_value_of_the_end_makes_the_start_a_reject(workshop: Workshop) -> None:
    log = HEAD + event(0, "a", "start") + event(1, "b", "start")
    workshop.ingest(log, EVENTS)
    outcome = workshop.ingest(log + event(2, "a", "done", "many"), EVENTS)
    assert (outcome.read, outcome.kept, outcome.rejected, outcome.already_there) == (2, 0, 1, 1)
    assert [(line, reason) for line, reason, _ in workshop.rejects()] == [
        (2, "tokens_out: 'many' is no whole number at or above 0")
    ]
    assert workshop.column("SELECT count(*) FROM attempts") == [1]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("seed", range(2))
def test_a_log_of_events_that_grows_equals_one_reading_of_the_whole(
    workshop: Workshop, another: Callable[[], Workshop], form: str, seed: int
) -> None:
    draw, words = random.Random(seed), ["start", "start", "done", "failed", "other"]
    lines = [
        event(
            i // 4, draw.choice("abc"), draw.choice(words), draw.choice(["", "5", "x"]), draw.choice(["", "e 1", "e 2"])
        )
        for i in range(300)
    ]
    name, log = f"log.{form}", (HEAD + "".join(lines)).encode()
    if form == "jsonl":
        keys = HEAD.strip().split(",")
        rows = [dict(zip(keys, line.strip().split(","), strict=True)) for line in lines]
        log = "".join(
            "{" + ", ".join(f'"{key}": "{cell}"' for key, cell in row.items() if cell) + "}\n" for row in rows
        ).encode()
    whole = another()
    whole.ingest(log, EVENTS, name)
    for cut in [*sorted(draw.sample(range(60, len(log)), 10)), len(log)]:
        workshop.ingest(log[:cut], EVENTS, name)
    assert workshop.content() == whole.content()
    kept = workshop.column("SELECT sum(kept_rows) FROM ingests")
    assert kept >= workshop.column("SELECT count(*) FROM attempts")


def test_a_file_of_events_is_read_once(workshop: Workshop) -> None:
    """Pairing looks at the lines twice; what cannot be split is found once, at its line."""
    outcome = workshop.ingest(HEAD + event(0, "a", "start") + "1,2\n" + event(1, "a", "done"), EVENTS)
    assert (outcome.read, outcome.kept, outcome.rejected) == (2, 1, 1)
    assert [(line, reason) for line, reason, _ in workshop.rejects()] == [(3, "has fewer cells than the header")]
