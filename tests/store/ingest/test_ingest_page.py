"""docs/ingest.md says what is so: its mappings are mappings, its lists are the lists, its example gives what it shows."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner
from workshop import Workshop

from relkit.cli import app
from relkit.store.ingest.expressions import FUNCTIONS, compile_expression
from relkit.store.ingest.mapping import MONEY_UNITS, SHARE_UNITS, SPAN_UNITS, parse_mapping
from relkit.store.ingest.targets import TARGETS
from relkit.store.ingest.values import BLANKS, NO, YES

PAGE = (Path(__file__).parents[3] / "docs" / "ingest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
ROWS = {
    cells[0]: cells[1:]
    for line in PAGE.splitlines()
    if line.startswith("|")
    for cells in [[c.strip() for c in line.strip("|").split(" | ")]]
}


def block(kind: str, part: str) -> str:
    return next(text for name, text in BLOCKS if name == kind and part in text)


def test_the_page_is_short() -> None:
    assert len(PAGE.splitlines()) <= 155


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "toml"])
def test_every_mapping_of_the_page_is_one(text: str) -> None:
    if "kind" not in text:  # the [pair] section, which stands in a mapping of events
        text = 'kind = "events"\nsource = "x"\n[time]\ncolumn = "t"\n' + text
    assert parse_mapping(text).source


def test_the_example_gives_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orders.csv").write_text(block("csv", "timestamp"))
    Path("orders.toml").write_text(block("toml", '"orders"'))
    command = re.search(r"`relkit (ingest orders\.csv [^`]+)`", PAGE)
    assert command is not None
    first, second = (CliRunner().invoke(app, command[1].split()) for _ in range(2))
    assert first.output.strip() == block("text", "orders.csv").strip()
    assert second.output.strip() == "orders.csv: read 3 rows = 0 kept + 0 rejected + 3 already there"


@pytest.mark.parametrize("kind", TARGETS)
def test_columns_of_each_kind_exist_and_the_needed_ones_are_marked(kind: str) -> None:
    told = ROWS[kind][0]
    needed = {word for part in re.findall(r"\*\*(.+?)\*\*", told) for word in part.split(", ")}
    assert needed == set(TARGETS[kind].required)
    for word in re.findall(r"\b[a-z]+_[a-z_]+\b", told):
        known = {*TARGETS[kind].columns, "width_s", "primary_", "shadow_"} | {
            name.split("_", 1)[1] for name in TARGETS[kind].columns if "_" in name
        }
        assert word in known, word
    assert ("needs `[time]`" in told) == (TARGETS[kind].clock == "needed")


def test_units_words_and_functions_are_those_of_the_code() -> None:
    def words(row: str) -> list[str]:
        return re.findall(r"`([^`]+)`", ROWS[row][0])

    assert words("durations")[0].split() == list(SPAN_UNITS)
    assert words("money")[0].split() == list(MONEY_UNITS)
    assert words("shares, in `[samples]`")[0].split() == list(SHARE_UNITS)
    assert [text.split() for text in words("yes, no")] == [list(YES), list(NO)]
    assert {word for text in words("nothing") for word in text.split()} == set(BLANKS) - {""}
    functions = next(line for line in PAGE.splitlines() if line.startswith("`lower"))
    assert set(functions.strip("`").split()) == {*FUNCTIONS, "coalesce"}


@pytest.mark.parametrize(
    ("expression", "cells", "value"),
    [
        ("number(ms) * 1000", {"ms": "1.5"}, 1500.0),
        ("number(ms) * 1000", {"ms": "fast"}, None),
        ("status in (429, 503) or contains(message, 'busy')", {"status": "200", "message": "so busy"}, True),
        ("extract(path, '^/v1/([a-z]+)')", {"path": "/v1/chat/3"}, "chat"),
        ("split(path, '/', 2)", {"path": "a/b/c"}, "b"),
        ("concat(coalesce(region, 'none'), model)", {"region": None, "model": "m"}, "nonem"),
    ],
)  # fmt: skip
def test_expressions_of_the_page(
    workshop: Workshop, expression: str, cells: dict[str, str | None], value: object
) -> None:
    assert f"| `{expression}` |" in PAGE
    line = ", ".join(
        "NULL::VARCHAR AS " + name if cell is None else f"'{cell}' AS {name}" for name, cell in cells.items()
    )
    assert workshop.column(f"SELECT {compile_expression(expression, str).sql} FROM (SELECT {line})") == [value]


def test_every_expression_of_the_page_is_tried(another: Callable[[], Workshop]) -> None:
    told = {cell.strip("`") for cell in ROWS if cell.startswith("`") and "(" in cell}
    tried = {mark.args[1][i][0] for mark in test_expressions_of_the_page.pytestmark for i in range(len(mark.args[1]))}  # type: ignore[attr-defined]
    assert told == tried
