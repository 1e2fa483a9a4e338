"""Points of the spine about who reads the pages: with a screen reader, on paper, on a telephone."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .point import ROOT, Found, Skipped, demo_pages, point

SAMPLE = ROOT / "reports/sample"


@contextmanager
def browsing() -> Iterator[Any]:
    """Start the installed Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise Skipped("no chromium here")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415
    except ImportError:
        raise Skipped("playwright is not installed") from None
    sys.path.insert(0, str(ROOT / "tests/browser"))
    try:
        with sync_playwright() as play:
            yield play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    finally:
        sys.path.remove(str(ROOT / "tests/browser"))


def _pages() -> list[Path]:
    return sorted([*demo_pages().folder.glob("*.html"), *SAMPLE.glob("*.html")])


@point("spine", "axe: no violation on page and sample")
def axe(folder: Path) -> Found:
    with browsing() as browser:
        from reader import DESK, PHONE, Reader  # noqa: PLC0415  beside the browser's tests

        found = []
        for path in _pages():
            for window in (DESK, PHONE):
                with Reader(browser, path, window) as reader:
                    found += [f"{path.name} {one}" for one in reader.violations()]
                    if reader.least_contrast() < 4.5:
                        found.append(f"{path.name} contrast {reader.least_contrast():.1f} in a picture")
    goal = "axe finds nothing, 1280 and 360 px wide; texts in pictures have contrast 4.5"
    return Found(goal, f"{len(_pages())} pages: {'; '.join(found) or 'nothing found'}", not found)


@point("spine", "print preview cuts no figure; 360 px wide it reads")
def paper_and_phone(folder: Path) -> Found:
    with browsing() as browser:
        from reader import DESK, PHONE, Reader  # noqa: PLC0415

        cut, wide, letters = [], [], []
        for path in _pages():
            with Reader(browser, path, DESK) as reader:
                cut += [f"{path.name} {one}" for one in reader.cut_in_print()]
            with Reader(browser, path, PHONE) as reader:
                wide += [path.name] if reader.overflow() > 0 else []
                letters.append(reader.smallest_letter_px())
    return Found(
        "no figure cut on A4; at 360 px no sideways scrolling, letters of at least 8 px",
        f"cut: {', '.join(cut) or 'none'}; sideways: {', '.join(wide) or 'none'}; smallest letter {min(letters):.1f} px",
        not cut and not wide and min(letters) >= 8,
    )
