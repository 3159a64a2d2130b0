"""The survival curve as a table and as a picture."""

import textwrap
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from app.harm.answers import CurveFromAsOf, ScoreBody, SurvivalAnswer
from app.harm.perspective_words import WORDS
from app.harm.svg import GREY, INK, add, page, text, written

WIDTH = 720
_LEFT, _RIGHT, _TOP, _FLOOR = 76, 64, 88, 364
_NOTES, _NOTE = 66, 15  # where the notes begin under the plot, and the height of a line of them
_LINE, _REST = "#0b5394", "#b45309"  # told apart by dashes and labels as well
_DASHES = "7 4"
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_DAYS = (0, 30, 90, 180, 270, 365)
_FULL = 108  # characters of a whole line


def curve_csv(whole: SurvivalAnswer, days: Sequence[int]) -> str:
    """`day,probability,probability_from_as_of` with a header, one line for each of `days` after day zero.

    `whole` has all 366 days. The last column is given none so far, and empty before the day one scores for and where
    nothing is said of it.
    """
    rest = whole.from_as_of
    later = (
        {} if rest is None else dict(zip((rest.days_passed + day for day in rest.days), rest.probability, strict=True))
    )
    lines = [f"{day},{whole.probability[day]:.9g},{_cell(later.get(day))}" for day in days]
    return "\r\n".join(["day,probability,probability_from_as_of", *lines, ""])


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"


def curve_svg(body: ScoreBody, whole: SurvivalAnswer) -> str:
    """Both curves, all days of them, as an SVG with axes, labels, a title and a description. Text is XML-escaped."""
    words, notes = WORDS[body.model.perspective], _notes(body, whole.from_as_of)
    height = _FLOOR + _NOTES + _NOTE * (len(notes) + 1)
    svg = page(WIDTH, height, words.curve, _described(body, whole))
    text(svg, _LEFT, 26, f"Probability of {words.no_further}", size=18, weight="bold")
    text(svg, _LEFT, 46, f"Day zero {body.day_zero:%d %B %Y} · {body.model.family} {body.model.version}", size=12)
    _axes(svg)
    _line(svg, 0, whole.probability, _LINE, "")
    rest = whole.from_as_of
    ends = [whole.probability[-1]]
    if rest is not None and rest.withheld is None:
        ends.append(rest.probability[-1])
        _line(svg, rest.days_passed, rest.probability, _REST, _DASHES)
        _legend(svg, body, rest)
    _ends(svg, ends)
    for row, said in enumerate(notes):
        text(svg, _LEFT, _FLOOR + _NOTES + _NOTE * row, said, size=11)
    text(svg, _LEFT, height - 8, f"Advice, not a decision. The model learnt from {body.model.learnt_from}.", size=10)
    return written(svg)


def _described(body: ScoreBody, whole: SurvivalAnswer) -> str:
    """The picture in words."""
    marks = ", ".join(f"{100 * share:.0f} % after {day} days" for day, share in whole.at.items())
    half = "" if whole.median_days is None else f" It reaches one half after {whole.median_days} days."
    rest = whole.from_as_of
    dashed = "" if rest is None else f" {'A dashed line from there: ' if rest.withheld is None else ''}{rest.statement}"
    return f"A falling step line from 100 % on day zero: {marks}.{half}{dashed} {body.history.statement}"


def _notes(body: ScoreBody, rest: CurveFromAsOf | None) -> list[str]:
    """What must be read with the picture, in lines."""
    said = [body.history.statement] if body.history.status == "insufficient" else []
    said += [] if rest is None else [rest.statement]
    return [line for one in said for line in textwrap.wrap(one, _FULL)]


def _line(svg: Xml.Element, first: int, probability: Sequence[float], colour: str, dashes: str) -> None:
    """A falling step line from day `first` on, one probability a day."""
    points = [(_x(first), _y(1.0))]
    for day, share in enumerate(probability, start=first):
        points += [(_x(day), points[-1][1]), (_x(day), _y(share))]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = {"stroke-dasharray": dashes} if dashes else {}
    add(svg, "polyline", {"points": path, "fill": "none", "stroke": colour, "stroke-width": 3, **dashed})


def _legend(svg: Xml.Element, body: ScoreBody, rest: CurveFromAsOf) -> None:
    """Which line is which, and where the second begins."""
    x = _x(rest.days_passed)
    add(svg, "line", {"x1": x, "x2": x, "y1": _y(1), "y2": _y(0), "stroke": INK, "stroke-dasharray": "2 3"})
    names = ((_LINE, "", "from day zero"), (_REST, _DASHES, f"given none up to {body.as_of:%d %B %Y}"))
    for place, (colour, dashes, name) in enumerate(names):
        at = _LEFT + 160 * place
        dashed = {"stroke-dasharray": dashes} if dashes else {}
        add(svg, "line", {"x1": at, "x2": at + 36, "y1": 64, "y2": 64, "stroke": colour, "stroke-width": 3, **dashed})
        text(svg, at + 44, 68, name, size=12)


def _ends(svg: Xml.Element, ends: Sequence[float]) -> None:
    """The last values, in the margin where no curve can run through them, kept apart; the second is never the lower."""
    first, *others = ends
    low = _y(first) + 5
    text(svg, _x(365) + 8, low, f"{100 * first:.0f} %", size=15, weight="bold")
    for other in others:
        text(svg, _x(365) + 8, min(_y(other) + 5, low - 17), f"{100 * other:.0f} %", size=15)


def _axes(svg: Xml.Element) -> None:
    for share in _SHARES:
        y = _y(share)
        add(svg, "line", {"x1": _LEFT, "x2": WIDTH - _RIGHT, "y1": y, "y2": y, "stroke": GREY})
        text(svg, _LEFT - 8, y + 4, f"{100 * share:.0f} %", size=13, anchor="end")
    for day in _DAYS:
        x = _x(day)
        add(svg, "line", {"x1": x, "x2": x, "y1": _y(0), "y2": _y(0) + 6, "stroke": INK})
        text(svg, x, _y(0) + 22, str(day), size=13, anchor="middle")
    add(svg, "line", {"x1": _LEFT, "x2": WIDTH - _RIGHT, "y1": _y(0), "y2": _y(0), "stroke": INK})
    text(svg, (_LEFT + WIDTH - _RIGHT) / 2, _y(0) + 44, "Days after day zero", size=14, anchor="middle")


def _x(day: int) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * day / 365


def _y(share: float) -> float:
    return _FLOOR - (_FLOOR - _TOP) * share
