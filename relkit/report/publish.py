"""Publishing a report: everything is made in a fresh folder, checked, and shown by moving one link.

`reports/2026-W47` is a symbolic link to `reports/.runs/2026-W47-0001`. A run that fails leaves the link where it was;
a run that gives the same bytes is not kept twice; a run that differs gets the next number, and the earlier stays.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from relkit.exceptions import ReportError
from relkit.period import EVERYTHING, Period
from relkit.report.contract import contract_of
from relkit.report.diff import changes
from relkit.report.launch import run_notebook
from relkit.report.manifest import MANIFEST_SCHEMA, Manifest, code_identity, sha256_of
from relkit.report.normal import to_text
from relkit.report.page import render_page
from relkit.report.places import project_folder
from relkit.report.summary import summary_lines, summary_record

NOTEBOOKS: Final = ("6_weekly", "4_slo", "1_errors", "5_shadow_ab")
PAGES: Final = {"6_weekly": "index.html", "4_slo": "slo.html", "1_errors": "errors.html", "5_shadow_ab": "shadow.html"}


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
    notebooks : sequence of str
        Which to run; the first one's page is the entry.
    on_step : callable
        Told each notebook's name before it runs.

    Returns
    -------
    Published

    Raises
    ------
    ReportError
        Any notebook failed or is not whole; nothing was published and the earlier page stands.
    """
    runs = reports / ".runs"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="making-", dir=runs))
    except OSError as error:
        raise ReportError(f"{runs}: cannot be written: {error.strerror}; nothing was published") from None
    try:
        summary = _make(fresh, database, period, data_hash, config, notebooks, on_step, runs)
        return _show(fresh, reports, period, summary)
    except OSError as error:
        raise ReportError(
            f"{error.filename or runs}: cannot be written: {error.strerror}; nothing was published"
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _make(
    fresh: Path,
    database: Path,
    period: Period,
    data_hash: str,
    config: str,
    notebooks: Sequence[str],
    on_step: Callable[[str], None],
    runs: Path,
) -> dict[str, Any]:
    root = project_folder()
    code = code_identity(root)
    parameters: dict[str, Any] = {"database": str(database), "week": period.label, "config": config}
    shown = {}
    for name in notebooks:
        on_step(name)
        notebook, shown[name] = run_notebook(root / "notebooks" / f"{name}.ipynb", parameters, keep_failed=runs)
        _hide_folders(notebook, database, config)
        (fresh / f"{name}.ipynb").write_text(to_text(notebook), encoding="utf-8")
        links = [{"text": contract_of(other).title, "file": PAGES[other], "here": other == name} for other in notebooks]
        page = render_page(
            notebook,
            title=contract_of(name).title,
            period="everything" if period.is_everything else period.label,
            code=code,
            data_hash=data_hash,
            links=links if len(links) > 1 else (),
        )
        (fresh / PAGES[name]).write_text(page, encoding="utf-8")
    summary = summary_record(shown[notebooks[0]], period, data_hash)
    (fresh / "summary.json").write_text(
        json.dumps(summary, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (fresh / "summary.md").write_text("\n".join(summary_lines(summary)) + "\n", encoding="utf-8")
    manifest = Manifest(
        MANIFEST_SCHEMA,
        " ".join(notebooks),
        EVERYTHING if period.is_everything else period.label,
        {"database": database.name, "week": period.label, "zone": period.zone, "config": Path(config).name},
        data_hash,
        code,
        {name: list(records.plates) for name, records in shown.items()},
        {name: list(records.tables) for name, records in shown.items()},
        {name: list(records.verdicts) for name, records in shown.items()},
        {path.name: sha256_of(path) for path in sorted(fresh.iterdir())},
    )
    (fresh / "manifest.json").write_text(
        json.dumps(manifest.record(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return summary


def _hide_folders(notebook: Any, database: Path, config: str) -> None:
    """Where a file lies on this machine is nobody's business and would make equal reports differ: keep its name."""
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", ()):
            for path in filter(None, (str(database), config)):
                cell.source = cell.source.replace(path, Path(path).name)


def _show(fresh: Path, reports: Path, period: Period, summary: dict[str, Any]) -> Published:
    link = reports / period.label
    before = _summary_of(link)
    if before is not None and _same_files(link.resolve(), fresh):
        return Published(link, link / PAGES[NOTEBOOKS[0]], False, (), summary)
    for number in range(1, 10_000):
        kept = reports / ".runs" / f"{period.label}-{number:04d}"
        try:
            os.rename(fresh, kept)  # noqa: PTH104  fails where the folder exists and is not empty, also when two run at once
            break
        except OSError:
            if not kept.exists():
                raise
    else:
        raise ReportError(f"{reports / '.runs'} holds 9,999 runs of {period.label}; clear it")
    new_link = reports / ".runs" / f"link-{os.getpid()}"
    new_link.unlink(missing_ok=True)
    new_link.symlink_to(Path(".runs") / kept.name)
    if link.exists() and not link.is_symlink():
        new_link.unlink()
        raise ReportError(f"{link}: is a folder, not a link to a run; move it away, the new run is {kept}")
    os.replace(new_link, link)  # noqa: PTH105  one step: readers see the old report or the new one
    changed = () if before is None else tuple(changes(before, summary))
    return Published(link, link / PAGES[NOTEBOOKS[0]], True, changed, summary)


def _summary_of(link: Path) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads((link / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record


def _same_files(old: Path, new: Path) -> bool:
    names = sorted(path.name for path in new.iterdir())
    if sorted(path.name for path in old.iterdir()) != names:
        return False
    return all((old / name).read_bytes() == (new / name).read_bytes() for name in names)
