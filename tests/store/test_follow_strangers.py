"""What strangers leave in the folder of a journal: it is refused line by line or passed over, and the rest is taken."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from relkit.store.follow import Follower, Landed, total_of
from relkit.store.journal_rows import NoRowError, read_row

PROBE = {"event": "probe", "ts": "2026-11-18T11:06:40.000001Z", "upstream": "chat", "up": True, "service": "booking"}
ATTEMPT = PROBE | {"event": "attempt", "request": "r1", "attempt": 1, "ok": False}


def line(seq: int, **fields: Any) -> bytes:
    return json.dumps(PROBE | {"seq": seq} | fields).encode() + b"\n"


def take(follower: Follower) -> Landed:
    return total_of(list(follower.landings(once=True)))


@pytest.mark.parametrize("odd", [[], {}, [1], {"a": []}, 7, True])
def test_names_that_are_no_texts_are_no_rows_and_end_nothing(odd: Any) -> None:
    assert read_row(json.dumps(PROBE | {"event": odd}).encode()) is None
    with pytest.raises(NoRowError, match="kind"):
        read_row(json.dumps(ATTEMPT | {"kind": odd}).encode())


def test_links_that_lead_nowhere_or_in_a_ring_and_names_without_letters_hide_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "a.jsonl").symlink_to(folder / "b.jsonl")
    (folder / "b.jsonl").symlink_to(folder / "a.jsonl")
    (folder / "c.jsonl").symlink_to(folder)
    (folder / "good.jsonl").write_bytes(line(1) + line(2, event=[]) + line(3))
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.jsonl")).write_bytes(line(4))
    landed = take(Follower(folder, tmp_path / "relkit.duckdb"))
    assert (landed.kept, landed.left_out) == ({"probes": 3}, 1)


def test_a_file_that_was_cut_back_while_it_is_followed_is_read_from_its_beginning(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    file = folder / "journal.jsonl.open"
    follower = Follower(folder, tmp_path / "relkit.duckdb")
    file.write_bytes(b"".join(line(seq) for seq in range(10)))
    assert take(follower).kept == {"probes": 10}
    file.write_bytes(line(9) + line(10))
    landed = take(follower)
    assert (landed.kept, landed.already_there) == ({"probes": 1}, 1)
