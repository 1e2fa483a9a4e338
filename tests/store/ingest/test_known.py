"""Which rows are new: overlapping exports, identities, duplicates, for every kind of log."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from workshop import PLAIN, Workshop

HEAD = "ts,status,ms\n"
KINDS = {
    "attempts": (PLAIN, HEAD, lambda i: f"{at(i)},{(200, 500)[i % 5 == 0]},{i % 3}\n"),
    "attempts by id": (
        PLAIN + 'request_id = "id"\nmodel = "model"\n',
        "ts,status,ms,id,model\n",
        lambda i: f"{at(i)},200,1,r{i},m\n",
    ),
    "minutes": (
        'kind = "minutes"\nsource = "m"\n[time]\ncolumn = "ts"\n[samples]\nfirst = "a"\nsecond = "b"\n',
        "ts,a,b\n",
        lambda i: f"{at(60 * i)},{i},{'' if i % 3 else i}\n",
    ),
    "pairs": (
        'kind = "pairs"\nsource = "p"\n[columns]\npair_id = "id"\nprimary_ok = "p"\nshadow_ok = "s"\n[constants]\nexperiment = "e"\n',
        "id,p,s\n",
        lambda i: f"p{i},1,{i % 2}\n",
    ),
    "arms": (
        'kind = "arms"\nsource = "a"\n[time]\ncolumn = "ts"\n[columns]\nok = "ok"\narm = "arm"\n',
        "ts,ok,arm\n",
        lambda i: f"{at(i)},{i % 2},{'ab'[i % 2]}\n",
    ),
    "probes": (
        'kind = "probes"\nsource = "u"\n[time]\ncolumn = "ts"\n[columns]\nservice = "s"\nup = "up"\n',
        "ts,s,up\n",
        lambda i: f"{at(i)},s{i % 3},{i % 2}\n",
    ),
    "faults": (
        'kind = "faults"\nsource = "f"\n[time]\ncolumn = "ts"\n[columns]\nlabel = "l"\nts_end = "e"\n',
        "ts,l,e\n",
        lambda i: f"{at(i)},cpu {i},{at(i + 5)}\n",
    ),
}  # fmt: skip


def at(second: int) -> str:
    return f"2026-11-16T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


@pytest.mark.parametrize("kind", KINDS)
def test_overlapping_exports_add_only_what_is_missing(
    workshop: Workshop, another: Callable[[], Workshop], kind: str
) -> None:
    """A week asked for every day; older days, inner days and the whole asked for late; one file cut out of another."""
    toml, head, write = KINDS[kind]
    whole = another()
    whole.ingest(head + "".join(map(write, range(60))), toml)
    for number, (first, last) in enumerate([(20, 30), (25, 40), (10, 22), (38, 45), (12, 18), (0, 60), (30, 50)]):
        workshop.ingest(head + "".join(map(write, range(first, last))), toml, f"export{number}.csv")
    assert workshop.content() == whole.content()
    kept, rows = workshop.column("SELECT sum(kept_rows) FROM ingests")[0], 60
    assert kept == rows


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_content_under_another_name_adds_nothing(workshop: Workshop, kind: str) -> None:
    toml, head, write = KINDS[kind]
    content = head + "".join(map(write, range(20)))
    first = workshop.ingest(content, toml, "a.csv")
    before = workshop.content()
    again = workshop.ingest(content, toml, "b.csv")
    assert (again.read, again.kept, again.already_there) == (first.read, 0, first.read)
    shorter = workshop.ingest(head + "".join(map(write, range(15))), toml, "older copy.csv")
    assert (shorter.read, shorter.kept) == (15, 0)
    assert workshop.content() == before


@pytest.mark.parametrize("seed", range(5))
def test_equal_lines_of_overlapping_exports_count_as_often_as_the_file_that_holds_them_most(
    workshop: Workshop, seed: int
) -> None:
    """Random windows over a log with bursts: in the end each line stands as often as in the log."""
    draw = random.Random(seed)
    log = [f"{at(second)},200,{draw.randrange(3)}\n" for second in range(40) for _ in range(draw.choice([1, 1, 2, 5]))]
    expected: Counter[str] = Counter()
    for number in range(6):
        first = draw.randrange(len(log) - 12)
        window = log[first : first + draw.randrange(12, len(log))]
        workshop.ingest(HEAD + "".join(window), None, f"{number}.csv")
        expected |= Counter(window)
    found = workshop.rows("SELECT strftime(make_timestamp(ts), '%Y-%m-%dT%H:%M:%SZ'), latency_us // 1000 FROM attempts")
    assert Counter(f"{ts},200,{ms}\n" for ts, ms in found) == expected


def test_files_that_share_one_moment_follow_on_each_other(workshop: Workshop) -> None:
    """Rotation within a second that holds several lines again and again: all lines count."""
    seam = [f"{at(10)},200,{ms}\n" for ms in (5, 6, 5, 7, 6)]
    workshop.ingest(HEAD + f"{at(9)},200,1\n" + "".join(seam), None, "log.1")
    assert workshop.ingest(HEAD + "".join(seam[:4]) + f"{at(11)},200,1\n", None, "log").kept == 5


def test_a_live_log_that_catches_up_with_an_export_adds_only_what_is_missing(workshop: Workshop) -> None:
    lines = [f"{at(i)},200,{i}\n" for i in range(40)]
    workshop.ingest(HEAD + "".join(lines[:10]), None, "live.csv")
    assert workshop.ingest(HEAD + "".join(lines[5:25]), None, "export.csv").kept == 15
    assert workshop.ingest(HEAD + "".join(lines[:30]), None, "live.csv").kept == 5
    assert workshop.ingest(HEAD + "".join(lines), None, "live.csv").kept == 10


IDS = """
kind = "attempts"
source = "ids"
[time]
column = "ts"
[columns]
request_id = "id"
status = "status"
"""
TRIES = IDS + 'attempt = "try"\nrole = "role"\n[constants]\ngranularity = "attempt"\n'


def test_request_and_attempt_are_an_identity_whatever_else_the_line_says(workshop: Workshop) -> None:
    """Another export may have more columns or another order of them: the row is the same."""
    workshop.ingest(
        f"ts,id,status,try,role\n{at(0)},a,500,1,user\n{at(1)},a,200,2,user\n{at(0)},a,200,1,shadow\n", TRIES
    )
    assert workshop.rows("SELECT request_id, attempt, role, status FROM attempts ORDER BY ALL") == [
        ("a", 1, "shadow", 200), ("a", 1, "user", 500), ("a", 2, "user", 200),
    ]  # fmt: skip
    other = f"id,try,ts,status,role,host\na,2,{at(1)},200,user,h1\na,3,{at(2)},200,user,h1\nb,1,{at(3)},200,user,h1\n"
    assert workshop.ingest(other, TRIES, "other.csv").kept == 2


def test_lines_without_an_id_are_told_apart_by_their_text(workshop: Workshop) -> None:
    log = f"ts,id,status\n{at(0)},a,200\n{at(1)},,200\n{at(2)},,200\n"
    workshop.ingest(log, IDS)
    assert (
        workshop.ingest(f"ts,id,status\n{at(1)},,200\n{at(2)},,200\n{at(3)},,200\n{at(4)},b,200\n", IDS, "b.csv").kept
        == 2
    )
    assert workshop.column("SELECT count(*) FROM attempts") == [5]


@pytest.mark.parametrize("steps", [[4], [1, 4], [2, 4], [3, 4], [1, 2, 3, 4]])
def test_of_rows_with_one_identity_in_a_file_the_first_stays(workshop: Workshop, steps: list[int]) -> None:
    """A copy is already there, one that says something else is a reject; in one reading as in several."""
    lines = [f"{at(0)},a,200\n", f"{at(0)},a,200\n", f"{at(5)},a,500\n", f"{at(6)},b,200\n"]
    for upto in steps:
        workshop.ingest("ts,id,status\n" + "".join(lines[:upto]), IDS)
    assert workshop.rows("SELECT request_id, status FROM attempts ORDER BY ALL") == [("a", 200), ("b", 200)]
    assert [(line, reason) for line, reason, _ in workshop.rejects()] == [
        (4, "request_id: 'a' stands twice in this file, with different content")
    ]
    assert workshop.column("SELECT sum(kept_rows + rejected_rows) FROM ingests") == [3]


def test_one_pair_id_may_stand_in_two_experiments(workshop: Workshop) -> None:
    toml = (
        'kind = "pairs"\nsource = "p"\n[columns]\npair_id = "id"\nprimary_ok = "p"\nshadow_ok = "s"\nexperiment = "e"\n'
    )
    outcome = workshop.ingest("id,p,s,e\n1,1,0,x\n1,1,0,y\n1,0,0,y\n", toml)
    assert (outcome.kept, outcome.rejected) == (2, 1)
    assert workshop.rejects()[0][1] == "pair_id: '1' stands twice in this file, with different content"


NUMBERED = IDS + '[constants]\ngranularity = "attempt"\n'


def test_tries_that_the_log_does_not_number_are_numbered_by_time(workshop: Workshop) -> None:
    """Also when they come in another order, in a later file, or in an older one that is read late."""
    tries = {"new": [(5, 503), (9, 200)], "older": [(1, 500), (3, 502)], "newest": [(12, 200)]}
    for name, rows in tries.items():
        body = (
            "".join(f"{at(second)},a,{status}\n" for second, status in reversed(rows)) + f"{at(30 + len(name))},,200\n"
        )
        workshop.ingest("ts,id,status\n" + body, NUMBERED, f"{name}.csv")
    assert workshop.rows("SELECT attempt, status FROM attempts WHERE request_id = 'a' ORDER BY attempt") == [
        (1, 500), (2, 502), (3, 503), (4, 200), (5, 200),
    ]  # fmt: skip
    assert workshop.column("SELECT DISTINCT attempt FROM attempts WHERE request_id IS NULL") == [1]


def test_rows_of_another_source_are_never_the_same(workshop: Workshop) -> None:
    workshop.ingest(HEAD + f"{at(0)},200,1\n{at(1)},200,1\n")
    assert workshop.ingest(None, PLAIN.replace('"web"', '"api"')).kept == 2


def test_a_line_without_any_measured_value_is_no_row_of_minutes(workshop: Workshop) -> None:
    toml, head, _ = KINDS["minutes"]
    outcome = workshop.ingest(head + f"{at(0)},1,2\n{at(60)},,\n{at(120)},,5\n{at(180)},NaN,-\n", toml)
    assert (outcome.read, outcome.kept, outcome.left_out) == (2, 2, 2)
    assert workshop.rows("SELECT name, value FROM samples ORDER BY ALL") == [
        ("first", 1.0),
        ("second", 2.0),
        ("second", 5.0),
    ]
