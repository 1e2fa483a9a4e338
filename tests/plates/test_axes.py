"""Axes that people can read: no two labels of a time axis touch, and things that are counted have whole ticks."""

from itertools import pairwise

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from relkit.plates.slo import days_axis
from relkit.plates.style import RC, figure, rc_context, spans, whole_numbers

START = 29_913_120


@pytest.mark.parametrize(
    "minutes", [60, 240, 1209, 2 * 1440, 7 * 1440, 14 * 1440, 30 * 1440, 84 * 1440, 400 * 1440, 2000 * 1440]
)
@pytest.mark.parametrize("width_in", [5.0, 7.2])
def test_no_two_labels_of_a_time_axis_touch(minutes, width_in):
    fig, ax = figure(width_in=width_in, height_in=2.0)
    ax.plot([START / 1440, (START + minutes) / 1440], [0, 1])
    days_axis(ax, START, START + minutes)
    with rc_context(RC):
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        low, high = ax.get_xlim()
        ticks = [
            label
            for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            if low <= place <= high and label.get_text()
        ]
        boxes = sorted((label.get_window_extent(canvas.get_renderer()) for label in ticks), key=lambda box: box.x0)
    assert len(boxes) >= 2
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize("most", [1, 2, 3, 7, 40, 999, 1_234_567])
def test_a_count_has_ticks_at_whole_numbers(most):
    fig, ax = figure(height_in=2.0)
    ax.set_ylim(0, 1.15 * most)
    whole_numbers(ax.yaxis)
    with rc_context(RC):
        FigureCanvasAgg(fig).draw()
    ticks = [place for place in ax.get_yticks() if 0 <= place <= 1.15 * most]
    assert len(ticks) >= 2
    assert all(place == round(place) for place in ticks)


def test_a_shaded_stretch_is_as_high_as_the_axis_and_does_not_stretch_it():
    fig, ax = figure(height_in=2.0)
    ax.plot([0, 10], [50, 70])
    before = ax.get_xlim(), ax.get_ylim()
    spans(ax, [(2, 3), (20, 30)], "#000000")
    with rc_context(RC):
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        box = (
            ax.patches[0].get_window_extent(canvas.get_renderer()) if ax.patches else ax.artists[0].get_window_extent()
        )
    assert (ax.get_xlim(), ax.get_ylim()) == before
    assert box.height == pytest.approx(ax.get_window_extent().height)
