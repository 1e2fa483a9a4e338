"""Points of the spine about the published page: equal bytes, no network, what a reader sees first."""

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

from .point import ROOT, Found, Skipped, demo_pages, point, run

QUESTIONS = ("SLO kept in this period?", "budget left", "cause?", "shadow", "change?")
_FACTS = """() => {
  const seen = box => box.width > 0 && box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth + 1;
  const named = picture => (picture.getAttribute('alt') || picture.getAttribute('aria-label') || '').trim().length > 9;
  const pictures = [...document.querySelectorAll('figure img, figure svg')].filter(p => !p.parentElement.closest('svg'));
  const texts = [...document.querySelectorAll('body *')].filter(e => e.children.length == 0 && seen(e.getBoundingClientRect()));
  return {pictures: pictures.length, unnamed: pictures.filter(p => !named(p)).length, figures: document.querySelectorAll('figure').length,
          first: texts.map(e => e.textContent.trim()).join(' | '), wide: document.documentElement.scrollWidth > innerWidth};
}"""


@point("spine", "report twice, and with 1 and 4 threads: same bytes")
def same_bytes(folder: Path) -> Found:
    runs = [demo_pages(), demo_pages(attempt=2), demo_pages(threads=4)]
    digests = [
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pages.folder.iterdir()} for pages in runs
    ]
    differing = sorted(
        {name for other in digests[1:] for name in digests[0] | other if digests[0].get(name) != other.get(name)}
    )
    return Found(
        "same sha256 of every page, notebook, summary and manifest",
        f"{len(digests[0])} files, differing: {', '.join(differing) or 'none'}; index.html {digests[0]['index.html'][:12]}",
        not differing and len(digests[0]) >= 10,
    )


@point("spine", "page: no network, alt text, first screen")
def page_alone(folder: Path) -> Found:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise Skipped("no chromium here")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415
    except ImportError:
        raise Skipped("playwright is not installed") from None
    pages = sorted(demo_pages().folder.glob("*.html"))
    requests: list[str] = []
    facts: dict[str, dict[str, Any]] = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
        for path in pages:
            tab = context.new_page()
            tab.on("request", lambda request: requests.append(request.url))
            tab.goto(path.as_uri(), wait_until="networkidle")
            facts[path.name] = tab.evaluate(_FACTS)
        browser.close()
    # a data: address is content of the page itself
    outside = [url for url in requests if url not in {path.as_uri() for path in pages} and not url.startswith("data:")]
    first = facts["index.html"]["first"].lower()
    missing = [question for question in QUESTIONS if question.lower() not in first]
    if "no tuned change yet" not in first:
        missing.append("no tuned change yet")
    unnamed = sum(fact["unnamed"] for fact in facts.values())
    pictures = sum(fact["pictures"] for fact in facts.values())
    return Found(
        f"{len(pages)} pages opened offline ask for nothing; every picture has alt text; 1280x800 answers the five questions",
        f"{len(outside)} requests; {pictures} pictures, {unnamed} without alt text; not on the first screen: {', '.join(missing) or 'nothing'}",
        not outside
        and not missing
        and not unnamed
        and pictures >= 4
        and not any(fact["wide"] for fact in facts.values()),
    )


@point("spine", "stored figures visible in untrusted JupyterLab")
def untrusted(folder: Path) -> Found:
    if not (ROOT / "tests/browser").is_dir():
        raise Skipped("tests/browser does not exist yet")
    words = [
        sys.executable,
        "-m",
        "pytest",
        "tests/browser",
        "-m",
        "browser",
        "-k",
        "untrusted or lab or stored",
        "-rs",
    ]
    done = run(words, ROOT)
    last = (done.stdout.strip().splitlines() or ["nothing was printed"])[-1].strip("= ")
    if done.returncode == 5 or (done.returncode == 0 and "passed" not in last):
        raise Skipped(f"the browser test did not run: {last}")
    goal = "every stored figure has naturalWidth > 0, nothing trusted, nothing run"
    return Found(goal, f"browser test: {last}", done.returncode == 0)
