"""The explorer in a browser without a network: sliders by mouse and keys, a new picture at each step, fast."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tuned import quiet

from relkit.plates.explorer import explorer_page
from relkit.policies.presets import presets
from relkit.tune.explore import explored, ghosts_of
from relkit.tune.grid import open_times
from relkit.tune.groundwork import base_of, space_of, suite_of

pytestmark = pytest.mark.browser
MOST_MS = 40.0
SLIDERS = {"failure_share": "share that must fail", "open_s": "open time", "min_calls": "least calls"}


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    space = space_of(presets["plan-fixed"])
    suite = [
        each
        for each in suite_of(base_of(quiet()).changed(requests=4000), 240.0)
        if each.name in {"flapping", "brownout"}
    ]
    text = "open_s = {open_s}\nmin_calls = {min_calls}"
    numbers = explored(
        space.base, open_times(space), suite, text, ghosts=ghosts_of(presets["plan-fixed"]), seeds=(1, 2, 3)
    )
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    path.write_text(explorer_page(numbers.record, title="Explorer", period="2026-W47"), encoding="utf-8")
    context = browser.new_context(offline=True)
    opened = context.new_page()
    opened.troubles = []
    opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
    opened.on("console", lambda said: opened.troubles.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda asked: None if asked.url.startswith("file:") else opened.troubles.append(asked.url))
    opened.goto(Path(path).as_uri())
    yield opened
    context.close()


def picture(page: Any) -> str:
    found: str = page.locator(".picture").inner_html()
    return found


@pytest.mark.parametrize("name", SLIDERS)
def test_each_slider_changes_the_picture_by_keys_alone(page: Any, name: str) -> None:
    """A label for each, a value that is read aloud, and another picture or other numbers along the way."""
    slider = page.get_by_label(SLIDERS[name])
    slider.focus()
    page.keyboard.press("Home")
    seen = set()
    for _ in range(int(slider.get_attribute("max")) + 1):
        assert slider.get_attribute("aria-valuetext") == page.locator(f"#{name}-now").inner_text()
        seen.add((picture(page), page.locator(".card tbody").inner_html()))
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert len(seen) >= 2
    assert page.troubles == []


def test_the_settings_to_copy_follow(page: Any) -> None:
    page.get_by_label(SLIDERS["min_calls"]).focus()
    page.keyboard.press("End")
    assert "min_calls = 10" in page.locator("pre").inner_text()


def test_another_trouble_and_another_ghost_are_drawn(page: Any) -> None:
    before = picture(page)
    page.get_by_label("trouble").select_option("1")
    assert picture(page) != before
    page.get_by_label("beside it").select_option("-1")
    assert "dashed" not in picture(page)
    page.get_by_label("beside it").select_option("0")
    assert "answered by plan-fixed" in picture(page)


def test_a_difference_is_the_paired_t_interval_of_scipy(page: Any) -> None:
    rng = np.random.default_rng(1)
    for runs in (2, 5, 9):
        here, there = rng.normal(1.0, 0.2, runs), rng.normal(1.0, 0.2, runs)
        t = float(stats.t.ppf(0.975, runs - 1))
        told = page.evaluate(f"relkitApart({here.tolist()}, {there.tolist()}, {t})")
        low, high = stats.ttest_rel(here, there).confidence_interval(0.95)
        assert (told["low"], told["high"]) == pytest.approx((low, high))
        assert told["isNoise"] == (low <= 0.0 <= high)


def test_the_card_says_when_two_settings_differ_by_less_than_the_noise(page: Any) -> None:
    """Beside itself a point is the same; a difference of one figure is named and the rest called noise."""
    quiet_one = {"mean": 0.1, "low": -0.2, "high": 0.4, "isSame": False, "isNoise": True}
    better = {"mean": -5.0, "low": -7.0, "high": -3.0, "isSame": False, "isNoise": False}
    same = {"mean": 0.0, "low": 0.0, "high": 0.0, "isSame": True, "isNoise": True}
    told = lambda apart: page.evaluate(f"relkitVerdict({json.dumps(apart)}, 'plan', 5)")  # noqa: E731
    assert told([same] * 5) == "In every run the same as plan."
    assert told([quiet_one] * 5) == (
        "No figure differs from plan by more than the noise of 5 runs: neither is the better one here."
    )
    assert told([quiet_one, better, None, quiet_one, quiet_one]) == (
        "Against plan better in wasted calls per 1,000 −5.0; inside the noise of 5 runs: success, p95, recovery."
    )
    assert page.locator(".card .verdict").inner_text()
    assert page.locator(".card td span").count() >= 5


def test_it_fits_a_phone(page: Any) -> None:
    """No sideways scrolling, letters as large as on a desk."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.picture svg').viewBox.baseVal.width < 400")
    assert page.evaluate("document.scrollingElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate("document.querySelector('.picture text').getBoundingClientRect().height") >= 11
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_step_takes_less_than_forty_milliseconds(page: Any) -> None:
    """The 95th percentile over a walk through the points, drawing and layout included; measured by the page's own clock.

    The quietest of five walks counts: what else a machine does can only lengthen a step.
    """
    took = page.evaluate(
        """() => {
            const slider = document.getElementById('open_s'), walks = [];
            for (let walk = 0; walk < 5; walk++) {
                const took = [];
                for (let step = 0; step < 40; step++) {
                    const begun = performance.now();
                    slider.value = step % 8;
                    slider.dispatchEvent(new Event('input'));
                    document.querySelector('.picture').getBoundingClientRect();
                    took.push(performance.now() - begun);
                }
                walks.push(took.sort((a, b) => a - b)[38]);
            }
            return walks;
        }"""
    )
    assert min(took) <= MOST_MS, took
    assert page.troubles == []
