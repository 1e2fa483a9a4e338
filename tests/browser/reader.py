"""A reader: opens a page with the network off and writes down what it asked for and complained of."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self

PHONE: Final = {"width": 360, "height": 740}
DESK: Final = {"width": 1280, "height": 800}
# What is left of A4 within margins of 15 mm, at the 96 pixels an inch that browsers print with.
PAPER: Final = {"width": 680, "height": 1009}
_FIGURES: Final = """() => [...document.querySelectorAll('figure')].map(figure => {
    const box = figure.getBoundingClientRect(), style = getComputedStyle(figure);
    return {name: figure.id, kind: figure.className, right: box.right, height: box.height, hidden: figure.scrollWidth - figure.clientWidth,
            whole: style.breakInside === 'avoid'};
})"""
# Letters are drawn in units of the picture, which is scaled to the width it is given.
_LETTERS: Final = """() => [...document.querySelectorAll('figure svg text')].map(text => {
    const drawn = text.getScreenCTM();
    return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(drawn.a, drawn.b);
})"""
_INKS: Final = "() => [...document.querySelectorAll('figure svg text')].map(text => getComputedStyle(text).fill)"


class Reader:
    """A page in a window of some size; leaves no trace."""

    def __init__(self, browser: Any, path: Path, viewport: dict[str, int]) -> None:
        self.context = browser.new_context(offline=True, viewport=viewport)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.context.close()

    def overflow(self) -> int:
        """Pixels by which the page is wider than the screen."""
        width: int = self.page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth")
        return width

    def unnamed(self) -> list[str]:
        """Figures and pictures without an accessible name, as a screen reader is told."""
        tree = self.context.new_cdp_session(self.page).send("Accessibility.getFullAXTree")["nodes"]
        shown = [
            node
            for node in tree
            if not node.get("ignored") and node.get("role", {}).get("value") in {"figure", "image", "img"}
        ]
        assert shown, "no figure at all"
        return [node["role"]["value"] for node in shown if not node.get("name", {}).get("value", "").strip()]

    def violations(self) -> list[str]:
        """What axe finds against the page: rule, number of places, and the first of them."""
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document)")["violations"]
        return [f"{one['id']} {len(one['nodes'])}x {one['nodes'][0]['html'][:120]}" for one in found]

    def least_contrast(self) -> float:
        """Smallest contrast of a text in a picture with white; axe cannot see what a picture's text stands on."""
        inks = {tuple(int(part) for part in ink[4:-1].split(",")) for ink in self.page.evaluate(_INKS)}
        return min((1.05 / (luminance(ink) + 0.05) for ink in inks), default=21.0)

    def smallest_letter_px(self) -> float:
        """Height of the smallest letters in the pictures, as they are seen."""
        return min(self.page.evaluate(_LETTERS), default=99.0)

    def cut_in_print(self) -> list[str]:
        """Name the figures that paper would cut: at the right, or a picture across two sheets."""
        self.page.emulate_media(media="print")
        self.page.set_viewport_size(PAPER)
        cut = []
        for figure in self.page.evaluate(_FIGURES):
            is_plate = figure["kind"] == "plate"
            if figure["right"] > PAPER["width"] + 1 or figure["hidden"] > 1:
                cut.append(f"{figure['name']} at the right")
            if is_plate and not (figure["whole"] and figure["height"] < PAPER["height"]):
                cut.append(f"{figure['name']} across two sheets")
        return cut


def luminance(rgb: tuple[int, ...]) -> float:
    """Relative luminance of an sRGB colour, as WCAG 2 defines it."""
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
