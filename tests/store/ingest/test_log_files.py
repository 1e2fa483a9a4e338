"""Log files as they lie on disk: packed or plain, what their first bytes tell, and what cannot be read."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workshop import Workshop

from relkit.exceptions import DataError
from relkit.store.ingest.files import CHUNK, digest, inspect
from relkit.store.ingest.run import find_files

CSV = b"ts,status,ms\n2026-11-16T08:00:00Z,200,5\n2026-11-16T08:00:01Z,500,7\n"
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "log.csv": lambda content: content,
    "log.csv.gz": gzip.compress,
    "log.csv.zst": lambda content: zstandard.ZstdCompressor().compress(content),
    "log.csv.1.gz": gzip.compress,
}


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_file_is_known_by_its_content_however_it_is_packed(workshop: Workshop) -> None:
    digests = set()
    for name, pack in PACKINGS.items():
        file = inspect(put(workshop.folder, name, pack(CSV)))
        assert (file.format, file.delimiter, file.columns) == ("csv", ",", ("ts", "status", "ms"))
        digests.add(digest(file.path, file.packing).sha256)
    assert digests == {hashlib.sha256(CSV).hexdigest()}
    outcomes = [workshop.ingest(None, name=name) for name in PACKINGS]
    assert [(outcome.kept, outcome.already_there) for outcome in outcomes] == [(2, 0), (0, 2), (0, 2), (0, 2)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    content=st.binary(max_size=200).flatmap(
        lambda seed: st.sampled_from([seed, seed * 40, seed + b"x" * (CHUNK - 3) + seed])
    ),
    data=st.data(),
)
def test_a_digest_tells_size_lines_open_tail_and_every_prefix_asked_for(
    tmp_path: Path, content: bytes, data: st.DataObject
) -> None:
    sizes = data.draw(st.lists(st.integers(0, len(content) + 5), max_size=5))
    found = digest(put(tmp_path, "any", content), "none", sizes)
    assert (found.bytes, found.lines) == (len(content), content.count(b"\n"))
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.has_open_tail == (content != b"" and not content.endswith(b"\n"))
    assert found.prefixes == {
        size: hashlib.sha256(content[:size]).hexdigest() for size in sizes if 0 < size <= len(content)
    }


@pytest.mark.parametrize("name", ["log.csv.gz", "log.csv.zst"])
@pytest.mark.parametrize("keep", [0.5, 0.97, 3])
def test_a_packed_file_that_is_cut_off_stores_nothing(workshop: Workshop, name: str, keep: float) -> None:
    lines = b"".join(b"2026-11-16T08:00:00Z,200,%d\n" % (i * 7919 % 100_003) for i in range(50_000))
    packed = PACKINGS[name](b"ts,status,ms\n" + lines)
    workshop.write(packed[: int(keep * len(packed)) if keep < 1 else int(keep)], name)
    with pytest.raises(DataError, match="cut off or damaged"):
        workshop.ingest(None, name=name)
    assert workshop.is_empty()


@pytest.mark.parametrize("name", ["log.csv.gz", "log.csv.zst"])
def test_a_file_not_packed_as_its_name_says_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cut off or damaged"):
        inspect(put(tmp_path, name, CSV))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "is empty; there is nothing to read"),
        ("blank.csv", b" \n\n", "is empty; there is nothing to read"),
        ("packed.csv.gz", gzip.compress(b"", mtime=0), "is empty; there is nothing to read"),
        ("twice.csv", b"a,b,a\n1,2,3\n", "the header names 'a' twice; rename one"),
        ("none.csv", b",,\n1,2,3\n", "the first line names no columns"),
        ("binary.csv", b"a,b\n\x00\x01\x02", "does not look like text"),
        ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        ("mac.csv", b"a,b\r1,2\r3,4\r", "carriage return alone"),
        ("list.jsonl", b"[1]\n2\n", "no line of the first 50 is a JSON object"),
    ],
)
def test_what_is_no_log_is_refused_with_its_reason(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        inspect(put(tmp_path, name, content))
    assert str(caught.value).startswith(name)


def test_a_folder_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is a folder; name the files, or use a pattern such as"):
        inspect(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        inspect(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"a,b\n1,2\n", ("csv", ",", ("a", "b"))),
        ("a.tsv", b"a\tb\n1\t2\n", ("csv", "\t", ("a", "b"))),
        ("a.csv", b"a;b\n1,5;2,5\n", ("csv", ";", ("a", "b"))),
        ("a.csv", b"a|b|c\n1,2|3|4\n", ("csv", "|", ("a", "b", "c"))),
        ("a.csv", b"a\n1\n2\n", ("csv", ",", ("a",))),
        ("a.csv", b'a,"b;c"\n1,2\n', ("csv", ",", ("a", "b;c"))),
        ("a.csv", b"\xef\xbb\xbfa,b\n1,2\n", ("csv", ",", ("a", "b"))),
        ("app.log.1", b"a,b\n1,2\n", ("csv", ",", ("a", "b"))),
        ("app.log.1", b'{"a": 1}\n', ("jsonl", "", ("a",))),
        ("app.log-20261116", b'{"a": 1}\n', ("jsonl", "", ("a",))),
        ("a.jsonl", b'\xef\xbb\xbf{"a": 1}\n', ("jsonl", "", ("a",))),
        ("a.ndjson.3", b'{"a": {"b": {"c": 1}, "d": []}, "e": {}}\nbroken\n{"f": 1}\n', ("jsonl", "", ("a.b.c", "a.d", "e", "f"))),
    ],
)  # fmt: skip
def test_format_delimiter_and_columns_are_read_off_name_and_first_lines(
    tmp_path: Path, name: str, content: bytes, expected: tuple[object, ...]
) -> None:
    file = inspect(put(tmp_path, name, content))
    assert (file.format, file.delimiter, file.columns) == expected


def test_rotated_files_come_oldest_first_and_each_once(tmp_path: Path) -> None:
    names = ["app.log", "app.log.1", "app.log.2.gz", "app.log.10.gz", "b-20261116.csv", "b-20261115.csv.gz", "b.csv"]
    for name in names:
        put(tmp_path, name, b"x")
    found = [path.name for path in find_files([str(tmp_path / "*"), str(tmp_path / "app.log")])]
    assert found == [
        "app.log.10.gz",
        "app.log.2.gz",
        "app.log.1",
        "app.log",
        "b-20261115.csv.gz",
        "b-20261116.csv",
        "b.csv",
    ]
    with pytest.raises(DataError, match="no such file"):
        find_files([str(tmp_path / "*.parquet")])


def test_letters_of_a_name_are_no_pattern(workshop: Workshop) -> None:
    """A file called log[1].csv is that file, not log1.csv; nor does a star or a quote in a name reach further."""
    workshop.write(CSV, "log1.csv")
    assert workshop.ingest(CSV.replace(b"2026", b"2025"), name="log[1].csv").kept == 2
    assert workshop.ingest(CSV.replace(b"2026", b"2024"), name="it's *.csv").kept == 2
    years = workshop.column("SELECT year(make_timestamp(ts)) FROM attempts ORDER BY ALL")
    assert years == [2024, 2024, 2025, 2025]


def test_zstd_frames_one_after_the_other_are_one_file(workshop: Workshop) -> None:
    """A log packed in parts, as appending compressors write it."""
    pack = zstandard.ZstdCompressor().compress
    workshop.write(pack(CSV[:20]) + pack(CSV[20:]), "log.csv.zst")
    assert digest(workshop.folder / "log.csv.zst", "zstd").sha256 == hashlib.sha256(CSV).hexdigest()
    assert workshop.ingest(None, name="log.csv.zst").kept == 2
