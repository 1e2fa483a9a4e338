"""One `relkit ingest`: files found, mapping read or drafted, each file landed, progress shown."""

import glob
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from relkit.exceptions import DataError
from relkit.store.classify import classify_new
from relkit.store.ingest.draft import draft_mapping
from relkit.store.ingest.importers.packaged import IMPORTERS, packaged_mapping, recognised
from relkit.store.ingest.load import Ingested, ingest_file, log_file
from relkit.store.ingest.mapping import Mapping, load_mapping, parse_mapping
from relkit.store.open import Store, open_store


def ingest_files(
    patterns: Sequence[str],
    kind: str | None,
    database: Path,
    mapping_file: Path | None,
    *,
    confirm: Callable[[str], bool],
    show_progress: bool = False,
) -> list[Ingested]:
    """Read log files into a database.

    Parameters
    ----------
    patterns : sequence of str
        File names or patterns; each must match a file.
    kind : str or None
        The `--as` word; None: the mapping says it, or the log is one that is recognised.
    database : Path
        Made when absent.
    mapping_file : Path or None
        A file, or the name of an importer. None: a log that an importer recognises is read by it; for any other one
        a mapping is drafted from the first file and shown to `confirm`.
    confirm : callable
        Told the draft, says whether to go on.
    show_progress : bool
        Whether to draw a progress bar on stderr.

    Returns
    -------
    list of Ingested
        One for each file, in the order read (oldest rotation first).

    Raises
    ------
    DataError
        A file cannot be read, or the draft was not confirmed. Files before it are stored, each whole.
    """
    found = find_files(patterns)
    # logrotate leaves an empty file behind: among others it is nothing to read; alone it is an error
    paths = [path for path in found if path.stat().st_size] or found
    given = _given(mapping_file, kind) if mapping_file else None
    mappings: list[Mapping] = []
    for path in paths:
        mapping = given or (recognised(path) if kind in {None, "attempts"} else None)
        if mapping is None:
            if kind is None:
                raise DataError(
                    f"{path.name}: is no log that is recognised; say with --as what one row of it is, see docs/ingest.md"
                )
            mapping = given = _drafted(path, kind, confirm)
        log_file(path, mapping)  # what cannot be read is said before anything is stored
        mappings.append(mapping)
    outcomes = []
    with open_store(database, write=True, threads=_threads()) as store:
        for path, mapping in zip(paths, mappings, strict=True):
            with _progress(store, path.name, show=show_progress):
                outcomes.append(ingest_file(store, path, mapping))
        classify_new(store.connection)
    return outcomes


def _threads() -> int | None:
    """All cores, unless RELKIT_THREADS says otherwise: rows keep the order of the file at any number."""
    return None if "RELKIT_THREADS" in os.environ else os.cpu_count()


def find_files(patterns: Sequence[str]) -> list[Path]:
    """Expand patterns; rotated files come oldest first (log.2 before log.1 before log).

    Raises
    ------
    DataError
        A pattern matches nothing.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        paths = (
            [Path(pattern)] if Path(pattern).exists() else [Path(name) for name in glob.glob(pattern, recursive=True)]
        )
        if not paths:
            raise DataError(f"{pattern}: no such file")
        found.update(dict.fromkeys(sorted(paths, key=_age)))
    return list(found)


_DATED: Final = re.compile(r"[-._]?(20[0-9]{2}-?[01][0-9]-?[0-3][0-9](?:[-T]?[0-9]{2,6})?)(?![0-9])")


def _age(path: Path) -> tuple[str, bool, str, int, str]:
    """Sort key, oldest first: of log.2.gz, log.1, log the higher numbers, of log-20261116, log the earlier dates."""
    number, parts = 0, []
    for part in path.name.split("."):
        if part.isdigit() and len(part) < 4:
            number = int(part)
        elif part not in {"gz", "zst"}:
            parts.append(part)
    name = ".".join(parts)
    dated = _DATED.search(name)
    bare = name.replace(dated[0], "", 1) if dated else name
    return str(path.with_name(bare)), dated is None, dated[1] if dated else "", -number, path.name


def _given(mapping_file: Path, kind: str | None) -> Mapping:
    name = str(mapping_file)
    if name in IMPORTERS and not mapping_file.exists():
        mapping = packaged_mapping(name)
        if kind not in {None, mapping.kind}:
            raise DataError(f"--map {name} gives attempts; leave --as away, or say --as attempts")
        return mapping
    return load_mapping(mapping_file, kind)


def _drafted(path: Path, kind: str, confirm: Callable[[str], bool]) -> Mapping:
    draft = draft_mapping(path, kind)
    if not confirm(draft.shown):
        raise DataError(
            "no mapping was given. The draft above is a start: save it as FILE.toml, mend it, and run again with --map FILE.toml "
            "(or --yes to take it as it is)"
        )
    if draft.open_questions:
        raise DataError(f"{path.name}: the draft cannot be used as it is: {'; '.join(draft.open_questions)}")
    return parse_mapping(draft.toml, "draft", kind)


@contextmanager
def _progress(store: Store, name: str, *, show: bool) -> Iterator[None]:
    if not show:
        yield
        return
    from tqdm.auto import tqdm  # noqa: PLC0415  only a terminal needs it

    # Progress is counted only when asked for (in a kernel DuckDB refuses without widgets), and drawn by us alone.
    store.connection.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    done = threading.Event()
    with tqdm(total=100, desc=name, unit="%", leave=False, bar_format="{desc} {bar} {n:.0f} % {elapsed}") as bar:

        def watch() -> None:
            while not done.wait(0.2):
                share = store.connection.query_progress()
                bar.n = max(bar.n, min(100.0, max(0.0, share)))
                bar.refresh()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
