"""The pictures that the demonstrations draw: readable, for eyes that cannot tell all colours apart as well."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from autograder import contract, masters
from tests.test_handout import contrast

ASSIGNMENTS = contract.assignments()
every_assignment = pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)
pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # tensors that Matplotlib draws
]

# Colour maps whose order of lightness everyone sees, and a diverging one without red against green.
SAFE_MAPS = {"cividis", "gray", "Greys", "PuOr", "PuOr_r"}

# What two kinds of colour-blind eyes make of linear red, green and blue: Machado, Oliveira and Fernandes (2009).
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


@pytest.fixture(scope="module", params=ASSIGNMENTS, ids=lambda assignment: assignment.name)
def figures(request):
    """All figures of a notebook with the master's solutions, drawn."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    drawn = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: drawn.append(plt.gcf()))
        names = {"__name__": "notebook"}
        for cell in masters.notebook(request.param).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, cell.id, "exec"), names)
    for figure in drawn:
        figure.canvas.draw()
    yield drawn
    plt.close("all")


def hexadecimal(colour) -> str:
    from matplotlib.colors import to_hex

    return to_hex(colour)


def texts(figure):
    """The texts that one sees: not those of ticks beyond the axis."""
    from matplotlib.text import Text

    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not (axes.axison and low <= tick.get_loc() <= high):
                    hidden |= {tick.label1, tick.label2}
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [
        text
        for text in found
        if text not in hidden and (text.axes is None or text.axes.axison or text in shown_of(text.axes))
    ]


def shown_of(axes):
    """Texts that stay where an axes has no axis lines."""
    return {*axes.texts, axes.title}


def test_there_are_pictures_and_they_are_named(figures):
    """Every figure has a title, or titles on its panels."""
    assert len(figures) >= 2
    for figure in figures:
        assert any(axes.get_title() for axes in figure.axes), figure


def test_no_text_lies_on_another(figures):
    """Titles, labels, ticks and numbers keep out of each other's way."""
    for figure in figures:
        boxes = [(text, text.get_window_extent()) for text in texts(figure)]
        for (one, first), (other, second) in itertools.combinations(boxes, 2):
            wide = min(first.x1, second.x1) - max(first.x0, second.x0)
            high = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert min(wide, high) < 2, (one, other)  # pixels: boxes are a little larger than their letters


def test_numbers_stand_out_from_the_picture_below_them(figures):
    """At least 4.5 to 1, as WCAG asks of text."""
    for figure in figures:
        for axes in figure.axes:
            for image, text in itertools.product(axes.images, axes.texts):
                column, row = map(round, text.get_position())
                ground = image.to_rgba(image.get_array())[row, column]
                assert contrast(hexadecimal(text.get_color()), hexadecimal(ground)) >= 4.5, text


def test_lines_stand_out_from_the_ground(figures):
    """At least 3 to 1, as WCAG asks of graphics."""
    for figure in figures:
        for axes in figure.axes:
            for line in axes.lines:
                if not line.get_label().startswith("_"):
                    assert contrast(hexadecimal(line.get_color()), "#FFFFFF") >= 3, line


def test_no_line_is_told_by_its_colour_alone(figures):
    """Two lines with a name each differ in dashes, in marks or in width."""
    for figure in figures:
        for axes in figure.axes:
            named = [line for line in axes.lines if not line.get_label().startswith("_")]
            looks = [(line.get_linestyle(), line.get_marker(), line.get_linewidth()) for line in named]
            assert len(set(looks)) == len(looks), [line.get_label() for line in named]


def test_colour_maps_are_safe(figures):
    """Photographs in colour have no map."""
    for figure in figures:
        maps = {image.get_cmap().name for axes in figure.axes for image in axes.images if image.get_array().ndim == 2}
        assert maps <= SAFE_MAPS


def seen(colour: str, kind: str) -> np.ndarray:
    """A colour as colour-blind eyes see it, in red, green and blue from 0 to 1."""
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(BLINDNESS[kind]) @ linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_of_one_panel_differ_for_everyone(figures, kind):
    """Named lines and the marks of the progress picture: far apart for colour-blind eyes, too."""
    for figure in figures:
        for axes in figure.axes:
            named = {hexadecimal(line.get_color()) for line in axes.lines if not line.get_label().startswith("_")}
            for one, other in itertools.combinations(named, 2):
                assert math.dist(seen(one, kind), seen(other, kind)) > 0.15, (one, other)
