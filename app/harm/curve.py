"""The survival curve as a table and as a picture."""

from xml.etree import ElementTree as Xml

from app.harm.answers import ScoreBody, SurvivalAnswer
from app.harm.svg import GREY, INK, add, page, text, written

WIDTH, HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 64, 64, 80
_LINE = "#0b5394"
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_DAYS = (0, 30, 90, 180, 270, 365)


def curve_csv(curve: SurvivalAnswer) -> str:
    """`day,probability` with a header, one line a day given."""
    lines = [f"{day},{probability:.9g}" for day, probability in zip(curve.days, curve.probability, strict=True)]
    return "\r\n".join(["day,probability", *lines, ""])


def curve_svg(body: ScoreBody, curve: SurvivalAnswer) -> str:
    """The curve as an SVG with axes, labels, a title and a description in words. Text is XML-escaped."""
    title = "Probability of no further recorded incident of any kind in the year after day zero"
    svg = page(WIDTH, HEIGHT, title, _described(curve))
    text(svg, _LEFT, 26, "Probability of no further recorded incident, of any kind", size=18, weight="bold")
    text(svg, _LEFT, 46, f"Day zero {body.day_zero:%d %B %Y} · {body.model.family} {body.model.version}", size=12)
    _axes(svg)
    points = [(_x(0), _y(1.0))]
    for day, probability in zip(curve.days, curve.probability, strict=True):
        points += [(_x(day), points[-1][1]), (_x(day), _y(probability))]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    add(svg, "polyline", {"points": path, "fill": "none", "stroke": _LINE, "stroke-width": 3})
    # The value stands in the margin, where no curve can run through it.
    text(svg, _x(365) + 8, points[-1][1] + 5, f"{100 * curve.probability[-1]:.0f} %", size=15, weight="bold")
    text(svg, _LEFT, HEIGHT - 8, f"Advice, not a decision. The model learnt from {body.model.learnt_from}.", size=10)
    return written(svg)


def _described(curve: SurvivalAnswer) -> str:
    marks = ", ".join(f"{100 * share:.0f} % after {day} days" for day, share in curve.at.items())
    half = "" if curve.median_days is None else f" It reaches one half after {curve.median_days} days."
    return f"A falling step line from 100 % on day zero: {marks}.{half}"


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
    text(svg, (_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 32, "Days after day zero", size=14, anchor="middle")


def _x(day: int) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * day / 365


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * share
