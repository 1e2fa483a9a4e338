"""The manifest: what a published run was made from and what it says, machine-readable."""

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

MANIFEST_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """Provenance and content of one published run.

    Parameters
    ----------
    schema : int
        Version of this record.
    notebook : str
        Notebooks that were run, joined by spaces.
    as_of : str
        End of the reported period (exclusive), or "all".
    parameters : mapping
        As passed to the notebooks; the database by its name only.
    data_hash : str
        sha256 over the ordered ingest ledger.
    code : mapping
        version, commit, lock (sha256 of requirements.lock).
    plates, tables, verdicts : mapping of notebook to records
        What the pages show.
    files : mapping of name to sha256
        Every published file but this one.
    """

    schema: int
    notebook: str
    as_of: str
    parameters: Mapping[str, Any]
    data_hash: str
    code: Mapping[str, str]
    plates: Mapping[str, Any]
    tables: Mapping[str, Any]
    verdicts: Mapping[str, Any]
    files: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """Return the manifest as plain values."""
        return asdict(self)


def code_identity(folder: Path) -> dict[str, str]:
    """Say which code ran: version, git commit (with `+changes` when the tree differs), hash of the lock."""
    lock = folder / "requirements.lock"
    return {
        "version": metadata.version("relkit-workbench"),
        "commit": _commit(folder),
        "lock": sha256_of(lock) if lock.is_file() else "unknown",
    }


def _commit(folder: Path) -> str:
    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603  fixed words
                ["git", "-C", str(folder), *words],  # noqa: S607  whichever git the user has
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "relkit", "notebooks")
    return commit + ("+changes" if changed else "")


def sha256_of(path: Path) -> str:
    """Hash a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
