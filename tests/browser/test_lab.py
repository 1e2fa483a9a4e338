"""A fresh clone opened in JupyterLab: nothing trusted, nothing run, every stored figure there to see."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relkit.report.notebooks import stored_notebooks

pytestmark = pytest.mark.browser
SETTINGS = {
    # all cells are drawn, not only those in sight
    "notebook-extension/tracker": {"windowingMode": "none", "kernelShutdown": True},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

_REDRAWN = "before => { const now = document.querySelector('div[id^=relkit-trial] svg'); return now && now.innerHTML !== before; }"


@pytest.fixture(scope="module")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a copy of the notebooks, with folders of its own: nobody ever trusted anything here."""
    home = tmp_path_factory.mktemp("lab")
    (home / "notebooks").mkdir()
    for path in stored_notebooks():
        shutil.copy(path, home / "notebooks")
    for name, settings in SETTINGS.items():
        place = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "IPYTHONDIR": str(home / "ipython")}
    environment |= {f"JUPYTER_{word}_DIR": str(home / word.lower()) for word in ("CONFIG", "DATA", "RUNTIME")}
    words = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--port={port}",
        "--IdentityProvider.token=t",
        "--allow-root",
        f"--ServerApp.root_dir={home}",
    ]
    with (
        (home / "log.txt").open("w") as log,
        subprocess.Popen(words, cwd=home, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"{address}/api/status?token=t", timeout=5).close()
                    break
                except OSError:
                    assert server.poll() is None, (home / "log.txt").read_text()
                    assert time.monotonic() < until, "JupyterLab did not answer within a minute"
                    time.sleep(0.2)
            yield address
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="module")
def page(browser: Any, lab: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", stored_notebooks(), ids=lambda path: path.stem)
def test_every_stored_figure_is_visible_before_anything_is_trusted_or_run(path: Path, lab: str, page: Any) -> None:
    """Pictures have loaded (naturalWidth), and no label of a stripped drawing lies about outside of them."""
    stored = path.read_text(encoding="utf-8")
    outputs = [output for cell in json.loads(stored)["cells"] for output in cell.get("outputs", ())]
    figures = sum("<img" in "".join(output["data"]["text/html"]) for output in outputs)
    assert figures, "a notebook without any figure"
    page.goto(f"{lab}/lab/tree/notebooks/{path.name}?token=t&reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    page.wait_for_function(
        "number => document.querySelectorAll('.jp-RenderedHTMLCommon figure.plate img').length === number",
        arg=figures,
        timeout=30_000,
    )
    page.wait_for_function(
        "[...document.querySelectorAll('figure.plate img')].every(image => image.complete)", timeout=30_000
    )
    seen = page.evaluate(
        """() => [...document.querySelectorAll('figure.plate')].map(figure => {
            const image = figure.querySelector('img');
            const loose = [...figure.childNodes].filter(node => node.nodeName !== 'FIGCAPTION').map(node => node.textContent.trim());
            return {width: image.naturalWidth, shown: image.getBoundingClientRect().width, alt: image.alt, loose: loose.join('')};
        })"""
    )
    assert len(seen) == figures
    for figure in seen:
        assert figure["width"] > 0
        assert figure["shown"] > 100
        assert figure["alt"]
        assert figure["loose"] == ""
    assert page.locator(".jp-OutputArea-output svg").count() == 0
    verdict = next(output["data"]["text/plain"] for output in outputs)
    assert page.locator(".jp-OutputArea-output .verdict .code").first.inner_text() == "".join(verdict).split(":")[0]
    assert path.read_text(encoding="utf-8") == stored


def test_a_live_slider_draws_another_run(lab: str, page: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """3_breakers with `interactive = True`: run all; a slider, a second model and the retries each draw another picture within five seconds."""
    (home,) = {
        path.parent.parent for path in tmp_path_factory.getbasetemp().glob("lab[0-9]*/notebooks/3_breakers.ipynb")
    }
    stored = json.loads((home / "notebooks" / "3_breakers.ipynb").read_text(encoding="utf-8"))
    for cell in stored["cells"]:
        cell["source"] = "".join(cell["source"]).replace("interactive: bool = False", "interactive: bool = True")
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    (home / "notebooks" / "live.ipynb").write_text(json.dumps(stored), encoding="utf-8")
    page.goto(f"{lab}/lab/tree/notebooks/live.ipynb?token=t&reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    page.get_by_text("| Idle").wait_for(timeout=60_000)  # before it, what is run is lost
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    drawn = page.locator("div[id^=relkit-trial] svg")
    drawn.wait_for(timeout=180_000)
    handle = page.locator(".widget-slider", has_text="open_s, s").locator(".noUi-handle")
    handle.wait_for(timeout=30_000)
    before = drawn.inner_html()
    handle.focus()
    for _ in range(8):
        page.keyboard.press("PageDown")
    page.wait_for_function(_REDRAWN, arg=before, timeout=5_000)
    before = drawn.inner_html()
    page.get_by_text("timeout and fallback", exact=True).click()
    page.get_by_label("second_model").check()
    page.wait_for_function(_REDRAWN, arg=before, timeout=5_000)
    assert ">second " in drawn.inner_html()
    before = drawn.inner_html()
    page.get_by_text("retries", exact=True).click()
    tries = page.locator(".widget-text", has_text="max_attempts, tries").locator("input")
    tries.fill("1")
    tries.press("Tab")
    page.wait_for_function(_REDRAWN, arg=before, timeout=5_000)
