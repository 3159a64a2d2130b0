"""The plots of the classifier: confusion matrix as the report's figure 14, ROC, precision-recall, reliability.

Every function returns an `<svg>` text. Series differ in colour and in dash or mark, never in colour alone.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from app.artifacts import GROUPS
from training.documents.words import bare, bounds
from training.plots import COLOURS, GREY, legend, panel, svg

DASHES = ("-", "--", ":", "-.")
MARKS = ("o", "s", "^", "D", "v", "P")
_PALE = 1.7
"""Where the scale of shades ends: a share of 1 stays pale enough for dark letters."""


def confusion(matrix: ArrayLike, names: Sequence[str] = GROUPS, what: str = "group") -> str:
    """Counts and row shares of a confusion matrix, the true `what` down, the predicted across."""
    cells = np.asarray(matrix, dtype=np.float64)
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)

    def paint(figure: Figure) -> None:
        axes = panel(figure, f"True {what} down, predicted {what} across", x=f"Predicted {what}", y=f"True {what}")
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=_PALE, edgecolors="white", linewidth=2)
        axes.invert_yaxis()
        middles = np.arange(len(names)) + 0.5
        axes.set_xticks(middles, names)
        axes.set_yticks(middles, names)
        axes.grid(visible=False)
        for (row, column), count in np.ndenumerate(cells):
            said = f"{count:,.0f}\n{100 * shares[row, column]:.0f} % of row"
            axes.text(column + 0.5, row + 0.5, said, ha="center", va="center", fontsize=14)

    return svg(paint, width=8, height=5.6)


def trade_offs(curves: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], shares: Mapping[str, float]) -> str:
    """ROC and precision-recall of the top group, one line a series name; `shares` of the top group in each."""

    def paint(figure: Figure) -> None:
        left = panel(figure, "ROC", x="False positive rate", y="True positive rate", place=(1, 2, 1))
        right = panel(figure, "Precision and recall", x="Recall", y="Precision", place=(1, 2, 2))
        for number, (name, found) in enumerate(curves.items()):
            look = {"color": COLOURS[number], "linestyle": DASHES[number]}
            roc, precision = found["roc"], found["precision_recall"]
            left.plot(roc["false_positive_rate"], roc["true_positive_rate"], label=name, **look)
            right.plot(precision["recall"], precision["precision"], **look)
            if name in shares:
                right.axhline(shares[name], color=look["color"], linewidth=1, linestyle=(0, (1, 3)))
        left.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (1, 3)))
        for axes in (left, right):
            _unit_square(axes)
        _names(figure, 2)

    return svg(paint, width=10.5, height=5.4)


def reliability(series: Mapping[str, Sequence[Mapping[str, object]]], title: str) -> str:
    """Predicted against observed by bins, with intervals, one panel a series."""

    def paint(figure: Figure) -> None:
        for number, (name, bins) in enumerate(series.items()):
            axes = panel(
                figure,
                name,
                x="Predicted probability",
                y="Observed share" * (not number),
                place=(1, len(series), number + 1),
            )
            top = _points(axes, bins, COLOURS[number], MARKS[number])
            axes.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle=(0, (1, 3)))
            axes.set_xlim(0, top)
            axes.set_ylim(0, top)
        figure.suptitle(title, x=0.01, ha="left", fontsize=15)

    return svg(paint, width=5.2 * max(len(series), 1), height=5)


def intervals(rows: Mapping[str, Mapping[str, object]], title: str, x: str = "") -> str:
    """One line a row, one mark with its interval a series, the first row on top."""
    names = list(rows)
    series = list(dict.fromkeys(name for row in rows.values() for name in row))

    def paint(figure: Figure) -> None:
        axes = panel(figure, title, x=x)
        for number, one in enumerate(series):
            shift = (number - (len(series) - 1) / 2) * 0.62 / max(len(series), 1)
            for place, name in enumerate(names):
                _interval(axes, rows[name].get(one), place + shift, number, one if name == _first(rows, one) else "")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        if len(series) > 1:
            _names(figure, 3)

    return svg(paint, width=9.5, height=2.2 + 0.2 * len(names) * (1 + len(series)))


def lines(
    x: Sequence[float],
    series: Mapping[str, Sequence[float | None]],
    title: str,
    across: str,
    up: str,
    *,
    steps: bool = False,
) -> str:
    """Lines over one axis, each with its own dash."""

    def paint(figure: Figure) -> None:
        axes = panel(figure, title, x=across, y=up)
        for number, (name, values) in enumerate(series.items()):
            known = [np.nan if value is None else value for value in values]
            style = "steps-post" if steps else "default"
            axes.plot(
                x, known, label=name, color=COLOURS[number % 6], linestyle=DASHES[number % 4], drawstyle=style,
                marker="" if steps else MARKS[number % 6],
            )  # fmt: skip
        _names(figure, 2)

    return svg(paint, width=9, height=5.6)


def _names(figure: Figure, columns: int) -> None:
    """Name the series below the plots; nothing where nothing was drawn."""
    if any(axes.get_legend_handles_labels()[1] for axes in figure.axes):
        figure.legend(loc="outside lower center", ncols=columns)


def _first(rows: Mapping[str, Mapping[str, object]], series: str) -> str:
    return next(name for name, row in rows.items() if series in row)


def _interval(axes: Axes, value: object, place: float, number: int, name: str) -> None:
    middle, ends = bare(value), bounds(value)
    if middle is None:
        return
    colour = COLOURS[number % len(COLOURS)]
    if ends is not None:
        axes.plot(ends, [place, place], color=colour, linewidth=2)
    axes.plot([middle], [place], color=colour, marker=MARKS[number % len(MARKS)], linestyle="", label=name or "_")


def _points(axes: Axes, bins: Sequence[Mapping[str, object]], colour: str, mark: str) -> float:
    """Draw the bins; returns where the axes may end."""
    reach = 0.05
    for one in bins:
        predicted, observed, ends = bare(one["predicted"]), bare(one["observed"]), bounds(one["observed"])
        if predicted is None or observed is None:
            continue
        if ends is not None:
            axes.plot([predicted, predicted], ends, color=colour, linewidth=2)
        axes.plot([predicted], [observed], color=colour, marker=mark, linestyle="")
        reach = max(reach, predicted, observed, *(ends or ()))
    return 1.05 * reach


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)


def curves(days: Sequence[float], series: Mapping[str, Sequence[float]], further: str, people: str) -> str:
    """Predicted (full) and observed (dashed) mean curves; a name `group, predicted` gives its line the group's colour."""

    def paint(figure: Figure) -> None:
        axes = panel(figure, further, x="Days after day zero", y=f"Share of {people}")
        groups = list(dict.fromkeys(name.rpartition(", ")[0] for name in series))
        for name, values in series.items():
            group, _, kind = name.rpartition(", ")
            number = groups.index(group)
            mark = {"marker": MARKS[number], "markevery": (5 * number, 18)} if kind == "predicted" else {}
            axes.plot(
                days, values, color=COLOURS[number], linestyle="-" if kind == "predicted" else "--", label=name, **mark
            )  # fmt: skip
        axes.set_ylim(0, 1.02)
        axes.set_xlim(0, max(days))
        _names(figure, 2)

    return svg(paint, width=9, height=6.4)


def tolerances(distances: Mapping[str, float], title: str, most: float = 4.0) -> str:
    """Each distance in units of what is allowed; beyond `most` it is drawn at the edge as an arrow."""

    def paint(figure: Figure) -> None:
        axes = panel(figure, title, x="Tolerances (−1 to 1 holds)")
        axes.axvspan(-1, 1, color="#E5F0E8", linewidth=0)
        for edge in (-1, 1):
            axes.axvline(edge, color=GREY, linestyle="--", linewidth=1.2)
        for place, distance in enumerate(distances.values()):
            inside = abs(distance) <= 1
            far = abs(distance) > most
            mark = (">" if distance > 0 else "<") if far else ("o" if inside else "X")
            axes.plot([np.clip(distance, -most, most)], [place], mark, color=COLOURS[0 if inside else 5], markersize=8)
        axes.set_yticks(range(len(distances)), list(distances))
        axes.set_ylim(len(distances) - 0.4, -0.6)
        axes.set_xlim(-most - 0.3, most + 0.3)
        axes.grid(visible=False, axis="y")

    return svg(paint, width=10, height=2.2 + 0.32 * len(distances))


def scatter(points: Mapping[str, Sequence[tuple[float, float]]], title: str, across: str, up: str) -> str:
    """Points of several kinds, each with its own mark; the last kinds lie on top."""

    def paint(figure: Figure) -> None:
        axes = panel(figure, title, x=across, y=up)
        for number, (name, found) in enumerate(sorted(points.items(), key=lambda item: -len(item[1]))):
            x, y = zip(*found, strict=True)
            size = 13 if len(found) == 1 else 6
            axes.plot(x, y, MARKS[number], color=COLOURS[number], label=name, markersize=size, alpha=0.85)
        legend(axes)

    return svg(paint, width=9, height=5.4)
