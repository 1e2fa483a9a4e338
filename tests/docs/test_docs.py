"""What the documents say is there is there: links, commands, make targets, functions, tests and section names."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import nbformat
import pytest
import typer

from relkit.cli import app
from relkit.config import load_config
from relkit.report.contract import CONTRACTS
from relkit.report.outputs import shown_by
from relkit.report.publish import PAGES as PUBLISHED

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    {
        ROOT / "README.md",
        ROOT / "reports" / "README.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "data").rglob("*.md"),
    }
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
METHOD = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
SECTIONS = ["Data and coverage", "Requests and attempts", "Errors", "Determinism"]
# Entries that moved from the method to the page of their room: page and section.
MOVED = {
    "retries.md": "Do they help, or feed the storm?",
    "simulation.md": "Method and proofs",
    "shadow.md": "Where the numbers come from",
    "slo.md": "What each number is",
    "alerts.md": "How alerts are run and scored",
    "tuning.md": "How settings are judged",
    "plan-audit.md": "How the audit is made",
    "live.md": "Where the numbers come from",
}
FILE_NAMES = {"relkit.toml", "relkit.duckdb"}  # look like names of modules, are names of files
ENTRY_POINTS = (["relkit"], [".venv/bin/relkit"])
PYTHONS = {"python", "python3", ".venv/bin/python"}

LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^( *)(```+|~~~+)([^\n]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
FUNCTION = re.compile(r"`(relkit(?:\.[A-Za-z_][A-Za-z0-9_]*)+)`")
TEST = re.compile(r"`(tests/[A-Za-z0-9_/]+\.py)?::(test_[a-z0-9_]+)`")
TARGET = re.compile(r"^([A-Za-z0-9_./-]+):", re.MULTILINE)
ENTRY = re.compile(r"^\*\*", re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return INLINE.sub("", FENCE.sub("", text))


def slugs(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(FENCE.sub("", text_of(page)))
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", head)).strip().lower().replace(" ", "-") for head in headings}


def commands_of(text: str) -> Iterator[list[str]]:
    """Give every command of the fenced blocks as words: continued lines joined, comments and prompts off, chains split."""
    for fence in FENCE.finditer(text):
        for line in fence[4].replace("\\\n", " ").splitlines():
            yield from split_commands(line.strip().removeprefix("$ "))


def split_commands(line: str) -> Iterator[list[str]]:
    if not re.search(r"\b(relkit|make)\b", line):
        return
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in chain(lexer, [";"]):
        if set(word) <= set("&|;"):
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # settings in front of a command
                words.pop(0)
            if words:
                yield words
            words = []
        else:
            words.append(word)


def relkit_arguments(words: list[str]) -> list[str] | None:
    """What follows the program's name, whichever way it is called; None for another program."""
    if words[:1] in ENTRY_POINTS:
        return words[1:]
    if words[0] in PYTHONS and words[1:3] == ["-m", "relkit"]:
        return words[3:]
    return None


def parse(arguments: list[str]) -> None:
    """Parse as the command line would, down to the last option, and run nothing."""
    command: Any = typer.main.get_command(app)
    context, name = None, "relkit"
    while True:
        try:
            context = command.make_context(name, list(arguments), parent=context)
        except typer.Exit:  # --help
            return
        if not hasattr(command, "resolve_command"):
            return
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        if not rest and command.invoke_without_command:
            return
        name, command, arguments = command.resolve_command(context, rest)


def options_below(command: Any) -> set[str]:
    options = {"--help", *chain.from_iterable(parameter.opts for parameter in command.params)}
    for sub in getattr(command, "commands", {}).values():
        options |= options_below(sub)
    return options


def targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))) - {".PHONY"}


def check_make(words: list[str]) -> None:
    named = {word for word in words[1:] if not word.startswith("-") and "=" not in word}
    assert named <= targets(), f"the Makefile has no {', '.join(sorted(named - targets()))}"


def resolve(dotted: str) -> object:
    """Import the longest module before the last name, and get the rest from it: a function may hide its module."""
    parts = dotted.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            found: object = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(dotted)


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def named_tests(text: str) -> list[tuple[str, str]]:
    """Read `file::test`, and `::test` of the file named last."""
    found, file = [], ""
    for match in TEST.finditer(text):
        file = match[1] or file
        found.append((file, match[2]))
    return found


def test_the_readings_of_this_file_find_what_they_look_for():
    assert list(commands_of("```sh\n$ A=1 relkit demo && make test  # it's so\nrelkit \\\n  report | cat\n```\n")) == [
        ["relkit", "demo"],
        ["make", "test"],
        ["relkit", "report"],
        ["cat"],
    ]
    assert LINK.findall('[a](b.md#c) ![d](<e.svg>) <img src="f.png">') == [("b.md#c", ""), ("e.svg", ""), ("", "f.png")]
    assert named_tests("`tests/a.py::test_b`, `::test_c`") == [("tests/a.py", "test_b"), ("tests/a.py", "test_c")]
    for wrong in (["reprot"], ["report", "--wek", "2026-W47"], ["forget"], ["notebooks", "polish"]):
        with pytest.raises(Exception, match=r"(?i)no such|missing"):
            parse(wrong)
    parse(["report", "--help"])
    parse(["notebooks", "refresh", "4_slo"])


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_to_a_file_that_a_clone_has(page):
    for link in (match[1] or match[2] for match in LINK.finditer(without_code(text_of(page)))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT.resolve()), f"{link} leads out of the project"
        assert target.exists(), f"{link} leads nowhere"
        place = target.relative_to(ROOT.resolve()).as_posix()
        assert not re.match(r"data/demo|reports/(?!README\.md|sample)|\.venv", place), f"{link} is not in git"
        if anchor and target.suffix == ".md":
            assert anchor in slugs(target), f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_in_a_block_parses(page):
    for words in commands_of(text_of(page)):
        arguments = relkit_arguments(words)
        if arguments is not None:
            parse(arguments)
        elif words[0] == "make":
            check_make(words)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_in_a_sentence_exists(page):
    """In running text a command may leave things out ("relkit report [--week W | --all]"): names alone are checked."""
    program: Any = typer.main.get_command(app)
    for code in INLINE.findall(FENCE.sub("", text_of(page))):
        for words in filter(None, (part.split() for part in re.split(r"&&|;", code))):
            arguments = relkit_arguments(words)
            if arguments and arguments[0] != "...":
                assert arguments[0] in {*program.commands, *options_below(program)}, f"{code}: no such command"
                command = program.commands.get(arguments[0], program)
                named = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(arguments[1:]))
                assert set(named) <= options_below(command), f"{code}: no such option"
            elif words[0] == "make" and len(words) > 1 and not words[1].isupper():
                check_make(words)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relkit_toml_in_a_block_is_accepted(page, tmp_path):
    for number, fence in enumerate(FENCE.finditer(text_of(page))):
        if fence[3].strip() == "toml" and "[objective." in fence[4]:
            file = tmp_path / f"{number}.toml"
            file.write_text(fence[4], encoding="utf-8")
            assert load_config(file).objectives


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_page_knows_the_machine_it_was_written_on(page):
    assert not re.search(r"(?<![\w.])/(?:work|home|root|Users|mnt)/", text_of(page))


def test_the_readme_is_short():
    assert len(text_of(ROOT / "README.md").splitlines()) <= 120


def test_the_method_can_be_read_at_one_sitting():
    assert len(METHOD.splitlines()) <= 220


def test_the_method_has_its_sections():
    assert re.findall(r"^## (.+)$", METHOD, re.MULTILINE) == SECTIONS


def sections_of(text: str) -> dict[str, str]:
    """Give the sections of a page by their headings."""
    return {section.partition("\n")[0]: section for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]}


ENTRIES = sections_of(METHOD) | {
    f"{page}: {heading}": sections_of(text_of(ROOT / "docs" / page))[heading] for page, heading in MOVED.items()
}
ENTRIES_TEXT = "".join(ENTRIES.values())


@pytest.mark.parametrize("section", ENTRIES.values(), ids=ENTRIES)
def test_every_number_has_code_source_and_proof(section):
    begins = [match.start() for match in ENTRY.finditer(section)]
    assert begins
    for begin, end in zip(begins, [*begins[1:], len(section)], strict=True):
        entry = section[begin:end]
        title = entry.split("**")[1]
        assert [entry.count(word) for word in ("Code: ", "Source: ", "Proof: ")] == [1, 1, 1], title
        assert FUNCTION.search(entry.split("Code: ")[1]), f"{title}: names no function"
        proof = entry.split("Proof: ")[1]
        assert bool(named_tests(proof)) != proof.startswith("none yet"), f"{title}: names no test and does not say so"


@pytest.mark.parametrize("dotted", sorted(set(FUNCTION.findall(ENTRIES_TEXT)) - FILE_NAMES))
def test_every_function_that_the_method_names_exists(dotted):
    assert callable(resolve(dotted)) or dotted.rpartition(".")[2].isupper()


@pytest.mark.parametrize(("file", "test"), sorted(set(named_tests(ENTRIES_TEXT))))
def test_every_test_that_the_method_names_exists(file, test):
    assert test in functions_of(file)


@pytest.mark.parametrize("notebook", sorted(CONTRACTS))
def test_every_plate_and_table_of_a_stored_notebook_is_in_the_method(notebook):
    shown = shown_by(nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4))
    names = {record["name"] for record in (*shown.plates, *shown.tables)} | CONTRACTS[notebook].shows
    assert sorted(name for name in names if f"`{name}`" not in ENTRIES_TEXT) == []


def test_every_chart_that_a_runbook_starts_from_is_on_its_page():
    notebooks = {page: notebook for notebook, page in PUBLISHED.items()}
    named = re.findall(r"`([a-z]+\.html)#([a-z_0-9]+)`", text_of(ROOT / "docs" / "runbooks.md"))
    assert len(named) > 20
    assert [one for one in named if one[1] not in CONTRACTS[notebooks[one[0]]].shows] == []


def test_the_index_names_every_document():
    index = text_of(ROOT / "docs" / "README.md")
    there = {path.name for path in (ROOT / "docs").iterdir() if path.is_file()} - {"README.md"}
    assert sorted(name for name in there if f"({name})" not in index) == []
