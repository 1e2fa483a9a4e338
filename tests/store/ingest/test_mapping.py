"""Mapping files: every key is checked, and what is wrong is said with its place and a remedy."""

from pathlib import Path

import pytest
from workshop import PLAIN, Workshop

from relkit.exceptions import DataError
from relkit.store.ingest.mapping import load_mapping, parse_mapping

MAPPINGS = Path(__file__).parents[3] / "data" / "mappings"


def refused(text: str, kind: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        parse_mapping(text, "my.toml", kind)
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_is_a_mapping(path: Path) -> None:
    assert load_mapping(path).source


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "attempts"\nsource = "x"\n[colums]\n', "my.toml: unknown key colums; did you mean columns?"),
        (PLAIN + "tokens_in = 1\n", "tokens_in = 1 is no column; write \"column\", or { expr = \"...\" }, or use [constants]"),
        (PLAIN.replace("unit", "units"), "unknown key columns.latency_us.units; did you mean unit?"),
        (PLAIN.replace('column = "ts"', 'colunm = "ts"'), "unknown key time.colunm; did you mean column?"),
        (PLAIN + "[constants]\nmodel = []\n", "constants.model"),
        ('kind = "attempts"\nsource = "x"\ncolumns = "status"\n', "is no section"),
        (PLAIN + 'statuss = "s"\n', "'statuss' is no column of attempts; did you mean status?"),
        (PLAIN.replace('"ms" }', '"ms", zone = "UTC" }'), "unknown key columns.latency_us.zone"),
        (PLAIN.replace(', unit = "ms"', ""), "latency_us needs its unit: one of us, ms, s, min, ns"),
        (PLAIN.replace('"ms" }', '"usd" }'), "latency_us needs its unit: one of us"),
        (PLAIN.replace('"ms" }', '"fortnight" }'), "unit 'fortnight' is unknown"),
        (PLAIN + 'model = { column = "m", unit = "ms" }\n', "model takes no unit"),
        (PLAIN + 'model = { unit = "ms" }\n', 'either column = "..." or expr = "..."'),
        (PLAIN + 'model = { column = "m", expr = "m" }\n', 'either column = "..." or expr = "..."'),
        (PLAIN + '[constants]\nstatus = 200\n', "status stands both in [columns] and in [constants]"),
        (PLAIN.replace("attempts", "attemps"), "kind 'attemps' is unknown; use one of attempts, events"),
        (PLAIN.replace('source = "web"', ""), "source"),
        (PLAIN.replace('source = "web"', 'source = ""'), "source"),
        (PLAIN.replace('"ts"', '"ts"\nzone = "Mars/Olympus"'), "zone 'Mars/Olympus' is unknown; use a name such as UTC"),
        (PLAIN.replace('"ts"', '"ts"\nformat = "epoch"'), "format 'epoch' is unknown; use iso, unix_s"),
        ("kind = ", "not valid TOML"),
        ('kind = "pairs"\nsource = "x"\n', "pairs need pair_id and experiment and primary_ok and shadow_ok: map them in [columns]"),
        ('kind = "arms"\nsource = "x"\n[constants]\narm = "a"\n', "arms need ok: map it in [columns]"),
        ('kind = "probes"\nsource = "x"\n[columns]\nservice = "s"\nup = "u"\n', "probes need a [time] section"),
        ('kind = "events"\nsource = "x"\n[time]\ncolumn = "t"\n', "events, and only events, need a [pair] section"),
        (PLAIN + '[pair]\nstart = "a"\nend = "b"\nby = ["c"]\n', "events, and only events, need a [pair] section"),
        ('kind = "events"\nsource = "x"\n[time]\ncolumn = "t"\n[pair]\nstart = "a"\nend = "b"\nby = []\n', "pair.by"),
        ('kind = "minutes"\nsource = "x"\n[time]\ncolumn = "t"\n', "minutes, and only minutes, need a [samples] section"),
        (PLAIN + '[samples]\nx = "y"\n', "minutes, and only minutes, need a [samples] section"),
        ('kind = "minutes"\nsource = "x"\nwidth_s = 0\n[time]\ncolumn = "t"\n[samples]\nx = "y"\n', "width_s"),
        ('kind = "minutes"\nsource = "x"\n[time]\ncolumn = "t"\n[samples]\n"a b" = "y"\n', "'a b' is no name for a series"),
        ('kind = "minutes"\nsource = "x"\n[time]\ncolumn = "t"\n[samples]\nts = "y"\n', "'ts' is no name for a series"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place_and_remedy(text: str, said: str) -> None:
    assert said in refused(text)
    assert refused(text).startswith("my.toml")


def test_the_word_of_the_command_and_the_kind_of_the_file_must_agree() -> None:
    said = refused(PLAIN, "probes")
    assert "says kind = 'attempts', the command says --as probes" in said
    assert parse_mapping(PLAIN.replace('kind = "attempts"', ""), kind="attempts").kind == "attempts"


def test_the_hash_follows_the_meaning_and_not_the_spelling() -> None:
    spelled = PLAIN.replace('status = "status"', 'status = { column = "status" }  # the same')
    assert parse_mapping(PLAIN).sha256 == parse_mapping(spelled).sha256
    assert parse_mapping(PLAIN).sha256 != parse_mapping(PLAIN.replace('"ms" }', '"s" }')).sha256


def test_a_mapping_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such mapping file; leave --map away"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(DataError, match="cannot be read as UTF-8"):
        load_mapping(tmp_path / "bad.toml")
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbf" + PLAIN.encode())
    assert load_mapping(tmp_path / "bom.toml").source == "web"


LOG = "ts,status,ms\n2026-11-16T08:00:00Z,200,5\n"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (PLAIN.replace('"status"', '"statuss"'), r"has no column 'statuss'; did you mean 'status'\? \(it has ts, status, ms\)"),
        (PLAIN.replace('column = "ts"', 'column = "time"'), "has no column 'time'"),
        (PLAIN + 'model = { expr = "lower(modell)" }\n', "has no column 'modell'"),
        (PLAIN + '[rows]\nwhere = "status"\n', "is no condition; write a comparison"),
        (PLAIN + '[rows]\nwhere = "stat == 1"\n', "has no column 'stat'; did you mean 'status'"),
        (PLAIN + "[constants]\nservice = 5\n", r"\[constants\] service: 5 is no text"),
        (PLAIN + '[constants]\nok = "yes"\n', "ok: 'yes' is no boolean"),
        (PLAIN + '[constants]\nrole = "boss"\n', "role: 'boss' is none of user, shadow, probe, canary"),
        (PLAIN + "[constants]\ntokens_in = 1.5\n", "tokens_in: 1.5 is no integer"),
        (PLAIN + "[constants]\ntokens_in = -1\n", "tokens_in: -1 is no whole number at or above 0"),
        (PLAIN + "[constants]\nretry_after_us = true\n", "retry_after_us: True is no span"),
        (PLAIN.replace('"ts"', '"ts"\nformat = "%Q"'), "nothing of it was stored"),
        (PLAIN + 'model = { expr = "extract(status, \'(\')" }\n', "nothing of it was stored"),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_the_log_stores_nothing(workshop: Workshop, toml: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        workshop.ingest(LOG, toml)
    assert "Traceback" not in str(caught.value)
    assert workshop.is_empty()


def test_constants_stand_in_every_row(workshop: Workshop) -> None:
    toml = PLAIN + '[constants]\nservice = "shop"\nok = false\ntokens_in = 7\nretry_after_us = 1500\nrole = "canary"\n'
    workshop.ingest(LOG, toml)
    assert workshop.rows("SELECT service, ok, tokens_in, retry_after_us, role FROM attempts") == [
        ("shop", False, 7, 1500, "canary")
    ]


def test_naive_stamps_need_a_zone(workshop: Workshop) -> None:
    """Without one each such row is a reject that says so; with one it is read as that wall clock."""
    log = "ts,status,ms\n2026-11-16 08:00:00,200,5\n2026-11-16T08:00:00Z,200,5\n"
    workshop.ingest(log)
    assert [(line, reason) for line, reason, _ in workshop.rejects()] == [
        (2, "ts: '2026-11-16 08:00:00' is a time without a zone; say zone = \"...\" in [time]")
    ]
    zoned = PLAIN.replace('"ts"', '"ts"\nzone = "Europe/Berlin"').replace('"web"', '"berlin"')
    workshop.ingest(log, zoned)
    hour = 3_600_000_000
    first, second = workshop.column("SELECT ts FROM attempts WHERE source = 'berlin' ORDER BY ts")
    assert second - first == hour
