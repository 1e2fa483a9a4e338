"""Publishing a report: everything is made in a fresh folder, checked, and shown by moving one link.

`reports/2026-W47` is a symbolic link to `reports/.runs/2026-W47-0001`. A run that fails leaves the link where it was;
a run that gives the same bytes is not kept twice; a run that differs gets the next number, and the earlier stays.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from relkit.config import load_config
from relkit.exceptions import ReportError
from relkit.period import EVERYTHING, Period
from relkit.report.contract import contract_of
from relkit.report.diff import changes
from relkit.report.explorer import FILE, TITLE, explorer_html
from relkit.report.launch import run_notebooks
from relkit.report.manifest import MANIFEST_SCHEMA, Manifest, code_identity, sha256_of
from relkit.report.normal import NotebookNode, read_notebook, to_text
from relkit.report.outputs import Shown, check_outputs
from relkit.report.page import render_page
from relkit.report.places import project_folder
from relkit.report.scope import Scope
from relkit.report.spreadsheet import write_tables
from relkit.report.summary import summary_lines, summary_record
from relkit.scratch import held, leased_folder
from relkit.units import US_PER_SECOND

NOTEBOOKS: Final = ("6_weekly", "4_slo", "1_errors", "2_retries", "3_breakers", "5_shadow_ab")
PAGES: Final = {
    "6_weekly": "index.html",
    "4_slo": "slo.html",
    "1_errors": "errors.html",
    "2_retries": "retries.html",
    "3_breakers": "breakers.html",
    "5_shadow_ab": "shadow.html",
    "7_plan_audit": "audit.html",
}
STANDING: Final = ("7_plan_audit",)
"""Notebooks that read no log: their page is made of the stored notebook, which nbval holds to the code, and nothing runs."""


TUNED: Final = "3_breakers"
_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: folder (the link), page, whether it is new, what changed since the last run of the period."""

    folder: Path
    page: Path
    is_new: bool
    changed: tuple[str, ...]
    summary: Mapping[str, Any]


def publish(
    database: Path,
    period: Period,
    data_hash: str,
    reports: Path,
    *,
    config: str = "",
    guardrails: Mapping[str, str] | None = None,
    notebooks: Sequence[str] = NOTEBOOKS,
    on_step: Callable[[str], None] = lambda name: None,
) -> Published:
    """Run the notebooks of a period and publish their pages whole.

    Parameters
    ----------
    database : Path
        The data.
    period : Period
        An ISO week, or everything.
    data_hash : str
        Of the ledger, for the provenance.
    reports : Path
        Folder of published reports.
    config : str
        relkit.toml, or empty.
    guardrails : mapping of str to str, optional
        Guardrail to the code of its verdict, for the summary.
    notebooks : sequence of str
        Which to run; the first one's page is the entry.
    on_step : callable
        Told each notebook's name when it has run.

    Returns
    -------
    Published

    Raises
    ------
    ReportError
        Any notebook failed or is not whole; nothing was published and the earlier page stands.
    """
    runs = reports / ".runs"
    link = reports / period.label
    _no_folder_in_the_way(link)
    with ExitStack() as life:
        try:
            runs.mkdir(parents=True, exist_ok=True)
            fresh = life.enter_context(leased_folder(runs, "making-")) / "fresh"
            fresh.mkdir()  # with the rights a person's umask gives; its parent is private, kernels keep their keys there
        except OSError as error:
            raise ReportError(f"{runs}: cannot be written ({_why(error)}); nothing was published") from None
        try:
            summary = _make(fresh, database, period, data_hash, config, guardrails or {}, notebooks, on_step)
            with held(runs):  # of two reports at once, the later sees what the earlier has published
                published = _show(fresh, link, summary, PAGES[notebooks[0]])
        except OSError as error:
            raise ReportError(f"{error.filename or runs}: {_why(error)}; nothing was published") from None
    for name in notebooks:
        (runs / f"{name}.failed.ipynb").unlink(missing_ok=True)  # of a run that this one puts right
    return published


def _no_folder_in_the_way(link: Path) -> None:
    """Refuse before anything runs: a link cannot take the place of what somebody put there."""
    if link.exists() and not link.is_symlink():
        what = "a folder" if link.is_dir() else "a file"
        raise ReportError(f"{link}: is {what}, not a link to a run; move it away and run again; nothing was published")


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def _make(
    fresh: Path,
    database: Path,
    period: Period,
    data_hash: str,
    config: str,
    guardrails: Mapping[str, str],
    notebooks: Sequence[str],
    on_step: Callable[[str], None],
) -> dict[str, Any]:
    root = project_folder()
    code = code_identity(root)
    parameters: dict[str, Any] = {"database": str(database), "week": period.label, "config": config}
    runs = run_notebooks(
        [root / "notebooks" / f"{name}.ipynb" for name in notebooks],
        parameters,
        scratch=fresh.parent,
        keep_failed=fresh.parent.parent,
        on_done=on_step,
    )
    label = "everything" if period.is_everything else period.label
    more: list[dict[str, object]] = []
    if TUNED in runs:
        scope = Scope(TUNED, database, period, load_config(Path(config) if config else None), _LEVEL)
        if html := explorer_html(scope, runs[TUNED][1].tables, label):
            (fresh / FILE).write_text(html, encoding="utf-8")
            more.append({"text": TITLE, "file": FILE, "here": False})
    made = runs | {name: stored_run(root, name) for name in STANDING}
    for name, (notebook, records) in made.items():
        _hide_folders(notebook, {**parameters, "database": database.name, "config": Path(config).name})
        (fresh / f"{name}.ipynb").write_text(to_text(notebook), encoding="utf-8")
        links = [{"text": contract_of(other).title, "file": PAGES[other], "here": other == name} for other in made]
        links += more
        page = render_page(
            notebook,
            title=contract_of(name).title,
            period=label,
            code=code,
            data_hash=data_hash,
            links=links if len(links) > 1 else (),
            files=write_tables(fresh, PAGES[name], records.tables),
        )
        (fresh / PAGES[name]).write_text(page, encoding="utf-8")
    shown = {name: shown for name, (_, shown) in made.items()}
    summary = summary_record(shown[notebooks[0]], period, data_hash, guardrails)
    (fresh / "summary.json").write_text(_json(summary), encoding="utf-8")
    (fresh / "summary.md").write_text("\n".join(summary_lines(summary)) + "\n", encoding="utf-8")
    manifest = Manifest(
        MANIFEST_SCHEMA,
        " ".join(made),
        _as_of(period),
        {
            "database": database.name,
            "week": period.label,
            "zone": period.zone,
            "config": Path(config).name,
            "config_sha256": sha256_of(Path(config)) if config else "",
        },
        data_hash,
        code,
        {name: list(records.plates) for name, records in shown.items()},
        {name: list(records.tables) for name, records in shown.items()},
        {name: list(records.verdicts) for name, records in shown.items()},
        {name: sha256_of(fresh / name) for name in _files(fresh)},
    )
    (fresh / "manifest.json").write_text(_json(manifest.record()), encoding="utf-8")
    return summary


def stored_run(root: Path, name: str) -> tuple[NotebookNode, Shown]:
    """Read a stored notebook as if it had been run now.

    Parameters
    ----------
    root : Path
        The project.
    name : str
        Name of the notebook.

    Raises
    ------
    ReportError
        It cannot be read, or does not show what it must.
    """
    notebook = read_notebook(root / "notebooks" / f"{name}.ipynb")
    return notebook, check_outputs(name, notebook)


def _as_of(period: Period) -> str:
    if period.end_us is None:
        return EVERYTHING
    return datetime.fromtimestamp(period.end_us // US_PER_SECOND, UTC).isoformat()


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _hide_folders(notebook: Any, parameters: Mapping[str, Any]) -> None:
    """Where a file lies on this machine is nobody's business and would make equal reports differ: keep its name."""
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", ()):
            lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in parameters.items()]
            cell.source = "\n".join(["# Parameters", *lines])


def _show(fresh: Path, link: Path, summary: dict[str, Any], entry: str) -> Published:
    making = fresh.parent
    runs = making.parent
    before = _summary_of(link)
    if before is not None and _same_files(link.resolve(), fresh):
        return Published(link, link / entry, False, (), summary)
    for number in range(1, 10_000):
        kept = runs / f"{link.name}-{number:04d}"
        try:
            os.rename(fresh, kept)  # noqa: PTH104  fails where the folder exists and is not empty, also when two run at once
            break
        except OSError:
            if not kept.exists():
                raise
    else:
        raise ReportError(f"{runs} holds 9,999 runs of {link.name}; clear it")
    new_link = making / "link"
    try:
        new_link.symlink_to(Path(".runs") / kept.name)
        _no_folder_in_the_way(link)
        os.replace(new_link, link)  # noqa: PTH105  one step: readers see the old report or the new one
    except (OSError, ReportError):  # no interrupt, which may come when the link has moved
        kept.rename(fresh)  # whole, but not published: the next one takes its number
        raise
    changed = () if before is None else tuple(changes(before, summary))
    return Published(link, link / entry, True, changed, summary)


def _summary_of(link: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((link / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _same_files(old: Path, new: Path) -> bool:
    names = _files(new)
    return _files(old) == names and all((old / name).read_bytes() == (new / name).read_bytes() for name in names)


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
