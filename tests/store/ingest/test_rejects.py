"""Rejects: the right line number, the right reason, and the redacted line, whatever stands around it."""

import random

import pytest
import zstandard
from workshop import PLAIN, Workshop

from relkit.exceptions import DataError

HEAD = "ts,status,ms,note\n"
STAMP = "2026-11-16T08:00:00Z"
GOOD = f"{STAMP},200,5,fine\n"
JSON = PLAIN.replace('"web"', '"json"')


def places(workshop: Workshop) -> list[tuple[int, str]]:
    return [(line, reason) for line, reason, _ in workshop.rejects()]


def test_missing_and_too_many_cells(workshop: Workshop) -> None:
    """An extra cell is a reject, not silently dropped: a comma in a text shifts all that follows."""
    outcome = workshop.ingest(HEAD + GOOD + f"{STAMP},200\n" + GOOD + f"{STAMP},200,5,a,b\n" + GOOD)
    assert (outcome.read, outcome.kept, outcome.rejected) == (5, 3, 2)
    assert workshop.rejects() == [
        (3, "has fewer cells than the header", f"{STAMP},200"),
        (5, "has more cells than the header", f"{STAMP},200,5,a,b"),
    ]


def test_blank_lines_are_no_rows_and_count_as_lines(workshop: Workshop) -> None:
    outcome = workshop.ingest(HEAD + "\n" + GOOD + "\n\n" + f"{STAMP},0,5,x\n" + "\n" + f"{STAMP}\n" + "\n")
    assert (outcome.read, outcome.kept) == (3, 1)
    assert [line for line, _ in places(workshop)] == [6, 8]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quoted_line_ends_count_as_lines_with_either_line_end(workshop: Workshop, end: str) -> None:
    rows = [
        HEAD.strip(),
        f'{STAMP},200,5,"two{end}lines"',
        f"{STAMP},0,5,bad",
        f'"{STAMP}",200,5,"a{end}b{end}c"',
        f"{STAMP},200",
        f'{STAMP},999,5,"x{end}y"',
    ]
    workshop.ingest(end.join(rows) + end)
    assert [(line, reason.split(":")[0]) for line, reason in places(workshop)] == [
        (4, "status"),
        (8, "has fewer cells than the header"),
        (9, "status"),
    ]
    assert workshop.rejects()[2][2] == f'{STAMP},999,5,"x{end}y"'


def test_mixed_line_ends_are_read(workshop: Workshop) -> None:
    """A log that was written by two systems; a carriage return in a cell is a blank."""
    lines = HEAD + GOOD + GOOD.replace("\n", "\r\n") + f"{STAMP},0,5,a\rb\n" + GOOD + f"{STAMP},1\r\n"
    outcome = workshop.ingest(lines)
    assert (outcome.kept, outcome.rejected) == (3, 2)
    assert workshop.rejects() == [
        (4, "status: '0' is no HTTP status between 100 and 599", f"{STAMP},0,5,a b"),
        (6, "has fewer cells than the header", f"{STAMP},1"),
    ]
    outcome = workshop.ingest(f'{{"ts": "{STAMP}"}}\r\n{{"ts": "no"}}\n{{"ts": "{STAMP}"}}\n', JSON, "log.jsonl")
    assert (outcome.kept, outcome.rejected) == (2, 1)


def test_invalid_utf8(workshop: Workshop) -> None:
    outcome = workshop.ingest(
        (HEAD + GOOD).encode() + f"{STAMP},200,5,caf".encode() + b"\xe9\n" + (GOOD + f"{STAMP},1,1,x\n").encode()
    )
    assert (outcome.kept, outcome.rejected) == (2, 2)
    assert workshop.rejects()[0] == (3, "is not UTF-8", f"{STAMP},200,5,caf�")
    assert workshop.rejects()[1][0] == 5
    outcome = workshop.ingest(b'{"ts": "%s"}\n{"ts": "\xff"}\n{"ts": "no"}\n' % STAMP.encode(), JSON, "log.jsonl")
    assert (outcome.kept, outcome.rejected) == (1, 2)
    assert places(workshop)[0] == (2, "is not UTF-8")


def test_a_quote_that_is_never_closed_takes_the_rest_along(workshop: Workshop) -> None:
    outcome = workshop.ingest(HEAD + GOOD + f'{STAMP},200,5,"open\n' + GOOD + GOOD)
    assert (outcome.read, outcome.kept, outcome.rejected) == (2, 1, 1)
    line, reason, raw = workshop.rejects()[0]
    assert (line, reason) == (3, "opens a quote that is not closed, or goes on after the closing one")
    assert raw.startswith(f'{STAMP},200,5,"open')


def test_quotes_inside_a_cell(workshop: Workshop) -> None:
    """Within a cell that does not begin with one they are letters; after the closing one nothing may follow."""
    outcome = workshop.ingest(
        HEAD + f'{STAMP},200,5,say "hi" to "x\n' + f'{STAMP},200,5,"a"b\n' + f'{STAMP},200,5,"a ""b"""\n'
    )
    assert (outcome.kept, outcome.rejected) == (2, 1)
    assert workshop.rejects()[0][0] == 3


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_64_mb_is_one_reject_and_the_next_lines_are_read(workshop: Workshop, packed: bool) -> None:
    content = (
        HEAD + GOOD + f"{STAMP},200,5," + "x" * ((17 if packed else 64) << 20) + "\n" + GOOD + f"{STAMP},1,1,x\n"
    ).encode()
    name = "log.csv.zst" if packed else "log.csv"
    outcome = workshop.ingest(zstandard.ZstdCompressor(level=1).compress(content) if packed else content, name=name)
    assert (outcome.kept, outcome.rejected) == (2, 2)
    assert next((line, reason, len(raw)) for line, reason, raw in workshop.rejects()) == (
        3,
        "is longer than 16 MiB",
        500,
    )
    assert workshop.rejects()[1][0] == 5


def test_json_lines(workshop: Workshop) -> None:
    lines = [
        f'{{"ts": "{STAMP}", "status": 200, "ms": 5}}',
        "",
        "broken {",
        "[1]",
        "7",
        '"text"',
        "  ",
        '{"ts": "no"}',
        f'{{"ts": "{STAMP}", "status": true}}',
    ]
    outcome = workshop.ingest("\n".join(lines) + "\n", JSON, "log.jsonl")
    assert (outcome.read, outcome.kept, outcome.rejected) == (7, 1, 6)
    assert [(line, reason.split(":")[0]) for line, reason in places(workshop)] == [
        *((line, "not a JSON object") for line in (3, 4, 5, 6)),
        (8, "ts"),
        (9, "status"),
    ]
    assert workshop.rejects()[0][2] == "broken {"


def test_json_keys_may_be_nested_dotted_or_odd(workshop: Workshop) -> None:
    toml = JSON + 'model = "a.b.c"\nservice = "x.y"\noperation = \'q"/~\'\n'
    workshop.ingest(
        '{"ts": "STAMP", "a": {"b": {"c": "deep"}}, "x.y": "flat", "q\\"/~": "odd"}\n'.replace("STAMP", STAMP),
        toml,
        "log.jsonl",
    )
    assert workshop.rows("SELECT model, service, operation FROM attempts") == [("deep", "flat", "odd")]


def test_a_misspelt_json_key_is_an_absent_column_and_a_missing_one_is_not(workshop: Workshop) -> None:
    """Many logs write a key only where it says something; a misspelt one would be silently nothing for ever."""
    early = f'{{"ts": "{STAMP}", "status": 200, "ms": 1}}\n'
    with pytest.raises(DataError, match=r"has no key 'statuss'; did you mean 'status'"):
        workshop.ingest(early, JSON.replace('= "status"', '= "statuss"'), "log.jsonl")
    assert workshop.ingest(early, JSON + 'message = "error"\n', "log.jsonl").kept == 1
    workshop.ingest(
        early * 60 + early.replace('"ms"', '"model": "late", "ms"'),
        JSON.replace("json", "late") + 'model = "model"\n',
        "late.jsonl",
    )
    assert workshop.column("SELECT count(model) FROM attempts") == [1]


def test_a_log_with_one_column(workshop: Workshop) -> None:
    toml = 'kind = "attempts"\nsource = "one"\n[columns]\nstatus = "status"\n'
    outcome = workshop.ingest('status\n200\n\n""\nx\n404\n', toml)
    assert (outcome.read, outcome.kept) == (3, 2)
    assert [line for line, _ in places(workshop)] == [5]


def test_reason_and_line_are_redacted_before_they_are_cut(workshop: Workshop) -> None:
    """A mail address that the cut would halve is no longer one that anybody finds."""
    secret = "x" * 45 + " mail bob@" + "example.org"
    workshop.ingest(HEAD + GOOD + f"{STAMP},{secret},5,password=" + "hunter22\n")
    _, reason, raw = workshop.rejects()[0]
    assert "bob" not in reason + raw
    assert "hunter" not in raw
    assert "[email]" in raw
    assert len(reason) < 150


def test_at_most_10_000_rejects_are_kept_and_all_are_counted(workshop: Workshop) -> None:
    rows = "".join(f"{STAMP},{i},5,bad\n{STAMP},1\n" for i in range(6_000))
    outcome = workshop.ingest(HEAD + GOOD + rows, None)
    assert outcome.rejected == outcome.read - outcome.kept == 12_001 - outcome.kept
    assert workshop.rows("SELECT count(*), min(line) FROM rejects") == [(10_000, 3)]
    assert workshop.rows("SELECT rejected_rows FROM ingests") == [(outcome.rejected,)]
    assert dict(outcome.reasons)["has fewer cells than the header"] > 4_000


@pytest.mark.parametrize("seed", range(5))
def test_line_numbers_equal_a_plain_count_on_random_logs(workshop: Workshop, seed: int) -> None:
    """Good and bad records, quotes, blank lines and line ends within cells in any order, in three buffers of the reader."""
    draw = random.Random(seed)
    end = draw.choice(["\n", "\r\n"])
    text, expected, line = HEAD.strip() + end, [], 2
    for _ in range(400):
        filler = draw.choice(["a", f'"q{end}r"', '"s ""t"""', "é" * 3, 'u"v', ""])
        kind = draw.choice(["good"] * 4 + ["bad", "few", "many", "blank"])
        record = {
            "good": f"{STAMP},200,1,{filler}", "bad": f"{STAMP},0,1,{filler}", "few": f"{STAMP},{filler}" if filler else f"{STAMP},1",
            "many": f"{STAMP},200,1,x,{filler or 1}", "blank": "",
        }[kind]  # fmt: skip
        if kind in {"bad", "few", "many"}:
            expected.append(
                (
                    line,
                    {
                        "bad": "status",
                        "few": "has fewer cells than the header",
                        "many": "has more cells than the header",
                    }[kind],
                )
            )
        text += record + end
        line += 1 + record.count("\n")
    workshop.ingest(text)
    assert [(place, reason.split(":")[0]) for place, reason in places(workshop)] == expected
