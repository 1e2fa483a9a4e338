"""A headless Chromium of the system, and a report that was published as a person would."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

WEEK = "2026-W47"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Playwright drives the installed Chromium; nothing is downloaded.

    While it runs, its event loop runs in this thread, where no test of our own coroutines could start one: so it ends with the module.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as driver:
        # --no-sandbox: containers run as root, where Chromium's own sandbox cannot start; the pages are ours
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def report_folder(demo_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo week's pages, from the stored notebooks: the very outputs that a run gives (nbval holds them to it)."""
    from relkit.report.sample import write_sample  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("pages")
    write_sample(folder)
    return folder
