"""One look for every plot: readable on a projector, safe for the colour-blind, the same bytes for the same figures.

    svg(lambda figure: bars(panel(figure, "Harm groups", y="share"), ["0-50", "50-80"], {"report": a, "here": b}))

Text becomes outlines, so that a plot looks alike on every machine; whoever shows one gives its words beside it.
Drawing goes through figures of its own, never through pyplot: nothing is shared between plots.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

BLUE, ORANGE, GREEN, PURPLE, SKY, RED = COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe and Ito's colours, told apart with every kind of colour vision."""
INK, GREY = "#222222", "#767676"
HERE, REPORT = BLUE, ORANGE
"""What was measured here, and what the report prints."""

_STYLE = {
    "svg.hashsalt": "dayzero",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 13,
    "axes.titlesize": 15,
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.labelsize": 13,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.4,
    "lines.markersize": 7,
    "legend.frameon": False,
    "legend.fontsize": 12,
    "figure.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.12,
    "path.simplify": True,
}
_BAR_WIDTH = 0.8
_TICKS, _LINE = 32.0, 20.0
"""Height of the tick labels below axes and of a line of text, points."""
_LONG_NUMBER = re.compile(r"-?[1-9]\d*\.\d{3,}")
"""Coordinates; scales of glyphs are below 1 and stay as they are."""


def svg(paint: Callable[[Figure], None], *, width: float = 9.0, height: float = 5.0) -> str:
    """Draw a figure of `width` x `height` inches with `paint` and return it as an `<svg>` element, for a file or a page.

    The same drawing gives the same bytes whatever the user's own settings: no date, fixed ids, two decimals.
    """
    with rc_context():
        rcdefaults()
        rcParams.update(cast(Any, _STYLE))
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawing = text.getvalue()
    return _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}", drawing[drawing.index("<svg") :])


def panel(figure: Figure, title: str, *, x: str = "", y: str = "", place: tuple[int, int, int] = (1, 1, 1)) -> Axes:
    """Add axes with a title and the names of what they count; `place` as (rows, columns, number from 1)."""
    axes = figure.add_subplot(*place)
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return axes


def bars(
    axes: Axes,
    names: Sequence[str],
    series: Mapping[str, ArrayLike],
    *,
    lying: bool = False,
    colours: Sequence[str] = (REPORT, HERE, GREEN, PURPLE),
    label: str = "",
) -> None:
    """Bars of one or more series side by side, one place a name; `lying` where names are long, first name on top.

    `label` is a format such as "{:.1%}" for figures written at the bars' ends; empty for none.
    """
    places, thick = np.arange(len(names), dtype=np.float64), _BAR_WIDTH / len(series)
    for number, (name, values) in enumerate(series.items()):
        at = places + (number - (len(series) - 1) / 2) * thick
        draw = axes.barh if lying else axes.bar
        drawn = draw(at, np.asarray(values, dtype=np.float64), thick * 0.94, label=name, color=colours[number])
        if label:
            axes.bar_label(drawn, fmt=label, padding=3, fontsize=10)
    if lying:
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
    else:
        axes.set_xticks(places, names)
        axes.grid(visible=False, axis="x")
    if len(series) > 1:
        legend(axes)


def band(
    axes: Axes, x: ArrayLike, middle: ArrayLike, low: ArrayLike, high: ArrayLike, *, name: str, colour: str = HERE
) -> None:
    """A line with the range it may lie in."""
    axes.fill_between(np.asarray(x), np.asarray(low), np.asarray(high), color=colour, alpha=0.25, linewidth=0)
    axes.plot(np.asarray(x), np.asarray(middle), color=colour, label=name)


def legend(axes: Axes, *, columns: int = 4) -> None:
    """Name the series below the axes and what stands there, where they hide nothing. Call it last."""
    handles, names = axes.get_legend_handles_labels()
    lines = max([text.get_text().count("\n") for text in axes.get_xticklabels()], default=0)
    below = _TICKS + _LINE * lines + (_LINE if axes.get_xlabel() else 0.0)
    place = axes.transAxes + ScaledTranslation(0.0, -below / 72, axes.figure.dpi_scale_trans)
    axes.legend(
        handles,
        names,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=place,
        ncols=min(columns, max(len(names), 1)),
        borderaxespad=0.0,
    )
