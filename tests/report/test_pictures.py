"""A picture on a page is the picture of the notebook: shorter in markup, the same in every point and every letter."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.plates.plate import Plate, plate
from relkit.plates.style import figure
from relkit.report.pictures import inline_pictures, short_path, squeezed

NUMBERS = st.sampled_from(["0", "1", "1.5", "-2", "30.2"])
POINTS = st.tuples(NUMBERS, NUMBERS)
SHAPES = st.lists(st.tuples(POINTS, st.lists(POINTS, max_size=6), st.booleans()), max_size=4)
NEEDS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6}


def drawn() -> Plate:
    fig, ax = figure()
    ax.plot([0.0, 1.0, 2.0], [1.0, 0.5, 3.0], "o--")
    ax.bar([0.0, 1.0], [1.0, 2.0])
    ax.set_ylabel("turned < and > fine & well", fontsize=8)
    return plate("p", fig, caption="1", alt="x")


def corners(path: str) -> list[tuple[float, ...]]:
    """Where a pen goes that follows the words of SVG, by the standard's own rules."""
    found: list[tuple[float, ...]] = []
    x = y = 0.0
    command, numbers = "", []
    for letter, number in re.findall(r"([A-Za-z])|(-?[\d.]+)", path):
        if letter:
            command = letter
            if letter == "z":
                found.append(())
            continue
        numbers.append(float(number))
        if len(numbers) < NEEDS[command]:
            continue
        x = numbers[-2] if command in "MLC" else numbers[-1] if command == "H" else x
        y = numbers[-1] if command in "MLCV" else y
        found.append((*numbers[:-2], x, y) if command == "C" else (command == "M", x, y))
        command = "L" if command == "M" else command
        numbers = []
    return found


@given(SHAPES)
def test_a_short_path_goes_through_the_same_points(
    shapes: list[tuple[tuple[str, str], list[tuple[str, str]], bool]],
) -> None:
    path = ""
    for start, lines, is_closed in shapes:
        path += (
            f"M {start[0]} {start[1]} \n" + "".join(f"L {x} {y} \n" for x, y in lines) + ("z\n" if is_closed else "")
        )
    assert corners(short_path(path)) == corners(path)


def test_curves_keep_their_control_points() -> None:
    path = "M 0 1 \nC 1 1 2 2 3 3 \nC 4 4 5 5 3 9 \nL 3 10 \nz\n"
    assert corners(short_path(path)) == corners(path)


def test_a_picture_keeps_its_words_and_balances_its_groups() -> None:
    before = drawn().svg
    after = squeezed(before)
    words = r"<text[^>]*>([^<]*)</text>"
    assert re.findall(words, after) == re.findall(words, before)
    assert "turned &lt; and &gt; fine &amp; well" in after
    assert after.count("<g ") == after.count("</g>")
    assert "rotate(-90" in after
    assert len(after) < 0.7 * len(before)


@pytest.mark.parametrize("text", ["", "<p>no picture</p>"])
def test_markup_without_a_picture_stays(text: str) -> None:
    assert inline_pictures(text) == text


def test_the_words_for_who_cannot_see_it_become_its_label() -> None:
    shown = inline_pictures(drawn()._repr_mimebundle_()["text/html"])
    assert "<svg role='img' aria-label='x'" in shown
    assert "<img" not in shown
