"""What the report draws, drawn again from a check's result: here beside there wherever the report prints a figure."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from training.evaluation.work import Json
from training.families import PUBLISHED_NOMINALS, WEEKLY_STALKING_CRIMES
from training.plots import GREEN, GREY, HERE, RED, REPORT, band, bars, legend, panel, svg
from training.synthetic.fidelity_curves import AGES, MONTHS, PERCENTILES, first_month
from training.synthetic.fidelity_rows import OURS

_COLOURS = (REPORT, HERE, GREEN)
_WORLD_COLOURS = _COLOURS[1:]
_MIDDLE, _HIGH, _TIMES = 75, 98, 129
"""The report's percentiles and how many times more harm there is at the higher (section 2.5)."""
_LONG_NAME = 26
_MONTHLY = {"stalking_by_month": "Stalking", "sh_by_month": "Stalking and harassment"}
_MONTH_DAYS = 365.25 / 12
_STACK_ROWS = (
    "AUC, top group against lowest",
    "top-2 accuracy",
    "adjusted F1",
    "accuracy",
    "concordance, published selection",
    "flagged as top group",
)


def plots(found: Mapping[str, Json]) -> dict[str, str]:
    """SVG by name, from check results by world; the first is drawn in every plot."""
    painters: dict[str, tuple[Callable[[Figure], None], float, float]] = {
        "groups": (lambda figure: _shares(figure, found, "group ", "Nominals by future harm"), 9.0, 5.0),
        "harm": (lambda figure: _harm(figure, found), 12.0, 5.6),
        "ages": (lambda figure: _ages(figure, found), 9.0, 5.0),
        "months": (lambda figure: _months(figure, found), 11.0, 8.2),
        "contacts": (lambda figure: _contacts(figure, found), 9.0, 5.4),
        "ethnicity": (lambda figure: _shares(figure, found, "ethnicity: ", "Stalkers by ethnicity"), 11.0, 8.5),
        "sh-mix": (lambda figure: _shares(figure, found, "S&H: ", "Incidents of stalking and harassment"), 10.0, 5.6),
        "difficulty": (lambda figure: _difficulty(figure, found), 11.0, 7.0),
    }
    return {name: svg(paint, width=width, height=height) for name, (paint, width, height) in painters.items()}


def _shares(figure: Figure, found: Mapping[str, Json], prefix: str, title: str) -> None:
    """Shares that the report prints, of rows whose figure begins with `prefix`, lying where their names are long."""
    first, lying = next(iter(found.values())), prefix != "group "
    names = [row["figure"] for row in first["rows"] if row["figure"].startswith(prefix) and row["unit"] == "share"]
    names = [name for name in names if not name.startswith("S&H: group")]
    axes = panel(figure, title, x="share" if lying else "group", y="" if lying else "share")
    texts = [_wrapped(name.removeprefix(prefix)) for name in names]
    bars(axes, texts, _beside_report(found, names), lying=lying, colours=_COLOURS, label="{:.1%}")
    (axes.xaxis if lying else axes.yaxis).set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.margins(x=0.1 if lying else None, y=None if lying else 0.1)


def _harm(figure: Figure, found: Mapping[str, Json]) -> None:
    """Figure 10: nothing for most, little up to the 75th percentile, and what is beyond."""
    name, days = "percentile of nominals", "harm in the year after, days"
    left = panel(figure, f"Up to the {_MIDDLE}th percentile", x=name, y=days, place=(1, 2, 1))
    right = panel(figure, "Beyond it", x=name, place=(1, 2, 2))
    for (world, one), colour in zip(found.items(), _WORLD_COLOURS, strict=False):
        curve = one["curves"]["harm_by_percentile"]
        for axes, part in ((left, slice(None, _MIDDLE + 1)), (right, slice(_MIDDLE, None))):
            lists = (curve[which][part] for which in ("mean", "low", "high"))
            band(axes, PERCENTILES[part], *lists, name=f"world {world}", colour=colour)
    first = next(iter(found))
    implied = _TIMES * found[first]["curves"]["harm_by_percentile"]["mean"][_MIDDLE]
    told = f"report: {_TIMES} times the {_MIDDLE}th ({first})"
    right.plot([_HIGH], [implied], "D", color=REPORT, markersize=11, zorder=5, label=told)
    for axes in (left, right):
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(_thousands())
        legend(axes, columns=1)


def _ages(figure: Figure, found: Mapping[str, Json]) -> None:
    """Figure 6: men and women by age in the first world, the report's peak shaded."""
    world, one = next(iter(found.items()))
    axes = panel(figure, f"Age at the index incident, world {world}", x="age, years", y="nominals in two years")
    axes.axvspan(20, 40, color=REPORT, alpha=0.18, linewidth=0, label="report: peak between 20 and 40")
    for name, colour in (("male", HERE), ("female", RED)):
        curve = one["curves"][f"{name}_by_age"]
        band(axes, np.array(AGES) + 1, curve["mean"], curve["low"], curve["high"], name=name, colour=colour)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(_thousands())
    legend(axes)


def _months(figure: Figure, found: Mapping[str, Json]) -> None:
    """Figures 3 and 2 in the first world: growth, and a spike in every January."""
    world, one = next(iter(found.items()))
    begin = first_month(int(np.datetime64(one["end"], "D").astype(np.int64)))
    years = 1970 + (int(begin.astype(np.int64)) + np.arange(MONTHS)) / 12
    weekly = WEEKLY_STALKING_CRIMES * one["nominals"] / PUBLISHED_NOMINALS
    for number, (name, title) in enumerate(_MONTHLY.items(), start=1):
        axes = panel(figure, title, x="year", y="incidents a month", place=(len(_MONTHLY), 1, number))
        if name in one["curves"]:
            curve = one["curves"][name]
            band(axes, years, curve["mean"], curve["low"], curve["high"], name=f"world {world}")
            axes.lines[0].set_linewidth(1.5)
        if name == "stalking_by_month":
            height, told = np.full(12, weekly * _MONTH_DAYS / 7), f"report: {weekly:,.0f} a week in the last year"
            axes.plot(years[-12:], height, color=REPORT, linewidth=5, solid_capstyle="butt", label=told)
        axes.set_ylim(bottom=0)
        axes.set_xticks(np.arange(np.ceil(years[0]), years[-1] + 1, 2))
        axes.yaxis.set_major_formatter(_thousands())
        legend(axes)


def _contacts(figure: Figure, found: Mapping[str, Json]) -> None:
    """Figure 9: calls before day zero, by tenth of what came after it."""
    series = {f"world {world}": one["curves"]["contacts_by_tenth"]["mean"] for world, one in found.items()}
    name = "tenth of nominals by future harm, 10 the most"
    axes = panel(figure, "Victims' contacts before day zero", x=name, y="mean contacts")
    bars(axes, [str(tenth) for tenth in range(1, 11)], series, colours=_WORLD_COLOURS)
    others, world = float(np.mean(next(iter(series.values()))[:8])), next(iter(series))
    axes.hlines(others, -0.5, 7.5, color=GREY, linestyle=":", label=f"mean of the others, {world}")
    axes.hlines(2 * others, 7.5, 9.5, color=REPORT, linewidth=4, label="report: about twice the others")
    legend(axes, columns=2)


def _difficulty(figure: Figure, found: Mapping[str, Json]) -> None:
    """What the published stack and forest achieve in each world; the report's figures do not fit into one."""
    axes = panel(figure, "The published models in each world, test mix")
    texts = [_wrapped(name) for name in _STACK_ROWS]
    bars(axes, texts, _beside_report(found, _STACK_ROWS), lying=True, colours=_COLOURS, label="{:.3f}")
    axes.set_xlim(0, 1.05)


def _beside_report(found: Mapping[str, Json], names: Sequence[str]) -> dict[str, list[float]]:
    """Of the named rows what the report prints, then every world's means; NaN, which draws nothing, where there is none."""
    first = {row["figure"]: row for row in next(iter(found.values()))["rows"]}
    printed = {name: row["published"] for name, row in first.items() if OURS not in row["section"]}
    means = {world: {row["figure"]: row["mean"] for row in one["rows"]} for world, one in found.items()}
    columns = {"report": printed, **{f"world {world}": column for world, column in means.items()}}
    return {
        name: [np.nan if column.get(row) is None else float(column[row]) for row in names]
        for name, column in columns.items()
    }


def _wrapped(name: str) -> str:
    """A long name on two lines, broken at a space or after a stroke."""
    if len(name) <= _LONG_NAME:
        return name
    cut = max(name.rfind(" ", 0, _LONG_NAME), name.rfind("/", 0, _LONG_NAME)) + 1
    return f"{name[:cut].rstrip()}\n{name[cut:]}"


def _thousands() -> FuncFormatter:
    return FuncFormatter(lambda value, _: f"{value:,.0f}")
