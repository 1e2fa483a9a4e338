"""A log that is appended to and rotated equals one reading of the whole, to the row, wherever it is cut."""

import gzip
import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from workshop import Workshop

from relkit.store.ingest.run import find_files

CSV = """
kind = "attempts"
source = "app"
[time]
column = "ts"
format = "{format}"
[columns]
latency_us = {{ column = "ms", unit = "ms" }}
status = "status"
message = "message"
service = "service"
"""
HEADER = "ts,ms,status,message,service\n"
Line = tuple[str, str, str, str, str]


def random_log(draw: random.Random, rows: int = 500) -> list[Line]:
    """Whole seconds, bursts of equal lines, lines in a second that differ, quoted line ends, and lines that are no rows."""
    second, lines = 1_795_000_000, []
    while len(lines) < rows:
        second += draw.choice([0, 0, 1, 1, 2, 30])
        kind = draw.random()
        status = draw.choice(["200"] * 6 + ["404", "500", "503"])
        line = (
            str(second),
            str(draw.randrange(1, 400)),
            status,
            f"failed {draw.randrange(9)} of 9" if status >= "500" else "",
            "web",
        )
        if kind < 0.06:
            lines += [line] * draw.randrange(2, 12)
        elif (
            kind < 0.1
        ):  # several lines of one second, again and again: a rotation in between leaves each on both sides
            three = [(str(second), str(ms), "200", "", "web") for ms in (5, 6, 7)]
            lines += [draw.choice(three) for _ in range(12)]
        elif kind < 0.13:
            lines.append((str(second), "fast", "200", "", "web"))
        elif kind < 0.16:
            lines.append((str(second), "7", "500", 'two\nlines, and a "quote"', "web"))
        else:
            lines.append(line)
    return lines


def as_csv(line: Line) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n') else cell for cell in line) + "\n"


def as_json(line: Line) -> str:
    ts, ms, status, message, service = line
    text = message.replace('"', '\\"').replace("\n", "\\n")
    return f'{{"ts": {ts}, "ms": "{ms}", "status": {status}, "message": "{text}", "service": "{service}"}}\n'


def cut_points(draw: random.Random, sizes: list[int], count: int, within: Callable[[int], bool]) -> list[int]:
    """Choose lines at which to rotate, bursts first."""
    bursts = [place for place in range(1, len(sizes)) if within(place)]
    return sorted(draw.sample(bursts, min(2, count)) + draw.sample(range(1, len(sizes)), max(0, count - 2)))


def growing(log: bytes, draw: random.Random, steps: int) -> Iterator[bytes]:
    """States of a file that is appended to, cut anywhere: in a line, in a letter of several bytes, between CR and LF."""
    yield from (log[:cut] for cut in sorted(draw.sample(range(1, len(log)), steps - 1)))
    yield log


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("form", ["csv", "crlf", "jsonl"])
def test_appended_24_times_and_rotated_3_times_equals_one_reading_of_the_whole(
    workshop: Workshop, another: Callable[[], Workshop], form: str, seed: int
) -> None:
    draw, packed = random.Random(seed), seed % 2 == 1
    lines = random_log(draw)
    toml = CSV.format(format="unix_s")
    write = as_json if form == "jsonl" else as_csv
    texts = [write(line).replace("failed", "misslückt").encode() for line in lines]
    header = b"" if form == "jsonl" else HEADER.encode()
    if form == "crlf":
        texts, header = [text.replace(b"\n", b"\r\n") for text in texts], header.replace(b"\n", b"\r\n")
    name = "app.jsonl" if form == "jsonl" else "app.csv"

    whole = another()
    whole.ingest(header + b"".join(texts), toml, name)

    cuts = [0, *cut_points(draw, texts, 3, lambda place: lines[place][0] == lines[place - 1][0]), len(texts)]
    read = 0
    for first, last in pairwise(cuts):
        if first:
            rotate(workshop, name, packed=packed)
        for step, state in enumerate(growing(header + b"".join(texts[first:last]), draw, 6)):
            workshop.write(state, name)
            if b"\n" not in state:
                continue  # not even a header
            # the rotated ones once, before the new log as `relkit ingest app.csv*` reads them
            for path in find_files([str(workshop.folder / f"{name}*")]) if step == 3 else [workshop.folder / name]:
                workshop.ingest(None, toml, path.name)
            read += 1
    assert read >= 20
    assert workshop.content() == whole.content()
    assert workshop.column("SELECT count(*) FROM attempts")[0] == sum(line[1] != "fast" for line in lines)


def rotate(workshop: Workshop, name: str, *, packed: bool) -> None:
    ending = ".gz" if packed else ""
    for number in (3, 2, 1):
        old = workshop.folder / f"{name}.{number}{ending}"
        if old.exists():
            old.rename(workshop.folder / f"{name}.{number + 1}{ending}")
    content = (workshop.folder / name).read_bytes()
    (workshop.folder / f"{name}.1{ending}").write_bytes(gzip.compress(content, 1) if packed else content)
    (workshop.folder / name).unlink()


def test_a_log_that_ends_without_a_line_end_is_read_whole(workshop: Workshop) -> None:
    """The last line of an export counts, and is not counted twice when its end comes."""
    toml, line = CSV.format(format="unix_s"), "1795000000,20,200,,web"
    assert workshop.ingest(HEADER + line + "\n" + line, toml, "app.csv").kept == 2
    assert workshop.ingest(HEADER + line + "\n" + line + "\n", toml, "app.csv").kept == 0
    assert workshop.ingest(HEADER + line + "\n" + line + "\n" + line, toml, "app.csv").kept == 1


def test_a_cut_line_that_reads_like_a_whole_one_is_put_right(workshop: Workshop) -> None:
    """`20` of `200` is a status no more than a number; equal whole lines before it stay, and so does their error."""
    toml = 'kind = "attempts"\nsource = "app"\n[columns]\nmessage = "message"\nstatus = "status"\n'
    workshop.ingest("message,status\nfull,500\nfull,500\nfull,500", toml)
    assert workshop.rows("SELECT status, count(*) FROM attempts GROUP BY 1") == [(500, 3)]
    workshop.ingest("status,message\n" + "500,disk full\n" * 2 + "500,disk", toml.replace('"app"', '"b"'), "b.csv")
    assert len(workshop.rows("SELECT DISTINCT fp FROM attempts WHERE source = 'b'")) == 2
    workshop.ingest("status,message\n" + "500,disk full\n" * 3, toml.replace('"app"', '"b"'), "b.csv")
    assert workshop.rows("SELECT count(*), count(DISTINCT fp) FROM attempts WHERE source = 'b'") == [(3, 1)]
    assert workshop.column("SELECT message FROM fingerprints ORDER BY 1") == ["disk full", "full"]


def test_a_reject_of_a_cut_line_goes_when_the_line_is_whole(workshop: Workshop) -> None:
    toml, good = CSV.format(format="unix_s"), "1795000000,20,200,,web\n"
    for tail in ("1795", '1795000001,20,500,"open', '1795000001,20,500,"open\n', "1795000001,2x"):
        source = toml.replace('"app"', f'"{tail.encode().hex()}"')
        name = f"{tail.encode().hex()}.csv"
        workshop.ingest(HEADER + good + tail, source, name)
        assert workshop.column("SELECT count(*) FROM rejects") == [1], tail
        rest = {"1795": "000001,20,200,,web\n", "1795000001,2x": ",200,,web\n"}.get(tail, ' no more",web\n')
        outcome = workshop.ingest(HEADER + good + tail + rest + good, source, name)
        still = "x" in tail
        assert (outcome.kept, workshop.column("SELECT count(*) FROM rejects")[0]) == (1 if still else 2, int(still))
        workshop.rows("DELETE FROM rejects")


def test_a_log_that_begins_like_an_early_state_of_another_is_a_log_of_its_own(workshop: Workshop) -> None:
    """Rotation within a burst that the first log began with: the new log's first lines are not the old one's."""
    toml, line = CSV.format(format="unix_s"), "1795000000,20,200,,web\n"
    workshop.ingest(HEADER + line, toml, "app.csv")
    workshop.ingest(HEADER + line * 5 + "1795000001,20,200,,web\n", toml, "app.csv")
    outcome = workshop.ingest(HEADER + line * 2 + "1795000002,20,200,,web\n", toml, "new.csv")
    assert outcome.kept == 3
