"""Plots: the same bytes again, no date, nothing shared between two plots, every series named."""

from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from training.plots import COLOURS, band, bars, legend, panel, svg


def painted(figure: Figure) -> None:
    left = panel(figure, "Bars", y="share", place=(1, 2, 1))
    bars(left, ["a", "b"], {"report": [0.1, 0.25], "here": [0.2, 0.3]}, label="{:.0%}")
    right = panel(figure, "Lying", x="share", place=(1, 2, 2))
    bars(right, ["a long name", "b"], {"here": [0.1, 0.9]}, lying=True)


def line(figure: Figure) -> None:
    axes = panel(figure, "Line", x="day", y="incidents")
    x = np.arange(50.0)
    band(axes, x, np.sin(x / 7), np.sin(x / 7) - 0.1, np.sin(x / 7) + 0.1, name="here")
    legend(axes)


@pytest.mark.parametrize("paint", [painted, line])
def test_same_bytes_again_whatever_was_drawn_before_and_set(
    paint: Callable[[Figure], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = svg(paint)
    svg(line)
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 40)
    monkeypatch.setitem(matplotlib.rcParams, "svg.hashsalt", "other")
    assert svg(paint) == first
    assert "<dc:date>" not in first
    assert ElementTree.fromstring(first).tag.endswith("svg")
    assert len(svg(paint).encode()) < 60_000


def test_style_does_not_leak() -> None:
    before = dict(matplotlib.rcParams)
    svg(painted)
    assert dict(matplotlib.rcParams) == before


def test_bars_stand_where_and_as_high_as_they_should() -> None:
    figure = Figure()
    axes = panel(figure, "t")
    bars(axes, ["a", "b"], {"report": [1.0, 2.0], "here": [3.0, 4.0]})
    heights = [(round(bar.get_x() + bar.get_width() / 2, 2), bar.get_height()) for bar in axes.patches]
    assert heights == [(-0.2, 1.0), (0.8, 2.0), (0.2, 3.0), (1.2, 4.0)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["report", "here"]


def test_lying_bars_read_from_the_top() -> None:
    figure = Figure()
    axes = panel(figure, "t")
    bars(axes, ["first", "last"], {"here": [1.0, 2.0]}, lying=True)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["first", "last"]
    low, high = axes.get_ylim()
    assert low > high
    assert axes.get_legend() is None


def test_colours_differ_in_lightness() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert abs(lightness(COLOURS[0]) - lightness(COLOURS[1])) > 0.2
    assert len(set(COLOURS)) == len(COLOURS)
