"""Either view of a score as a picture: one bar a share, to the right where it goes with a higher estimate."""

import textwrap
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from app.harm.answers import ScoreBody
from app.harm.explanation_answers import Explanation, Share
from app.harm.svg import GREY, INK, add, page, text, written
from app.harm.wording import percent, points

WIDTH = 720
_HEAD, _ROW, _FOOT = 96, 40, 56
_MARGIN, _REACH = 24, 300
_FULL_BAR = 0.05  # the least effect that fills the side, so that slight ones look slight
_HIGHER, _LOWER = "#b45309", "#0b5394"  # told apart by side and sign as well
_LONGEST, _FULL = 80, 110  # characters of a name beside its points, and of a whole line


def explanation_svg(body: ScoreBody, view: Explanation) -> str:
    """The shares of a view, largest first, with the score they add up to; the whole view in words as description."""
    shares = view.contributions
    height = _HEAD + _ROW * max(len(shares), 1) + _FOOT
    title = f"How the estimate came about, by {view.by}"
    said = " ".join([view.summary, *(share.text for share in shares), *view.limits])
    svg = page(WIDTH, height, title, said)
    text(svg, _MARGIN, 28, title, size=18, weight="bold")
    chance = (
        f"{percent(view.value)} chance of group {body.harm.groups[-1]}, compared with {percent(view.reference.value)}"
    )
    text(svg, _MARGIN, 48, f"{chance} · {body.model.family} {body.model.version}", size=12)
    text(svg, WIDTH / 2 - 8, 76, "lower estimate", size=12, anchor="end")
    text(svg, WIDTH / 2 + 8, 76, "higher estimate", size=12)
    _bars(svg, shares)
    if not shares:
        text(svg, _MARGIN, _HEAD + 20, "There is no earlier incident on record.", size=13)
    for line, told in enumerate((view.limits[0], f"The model learnt from {body.model.learnt_from}.")):
        text(svg, _MARGIN, height - _FOOT + 24 + 18 * line, textwrap.shorten(told, _FULL, placeholder=" …"), size=12)
    return written(svg)


def _bars(svg: Xml.Element, shares: Sequence[Share]) -> None:
    middle = WIDTH / 2
    widest = max([_FULL_BAR, *(abs(share.effect) for share in shares)])
    for row, share in enumerate(shares):
        y = float(_HEAD + _ROW * row)
        long = _REACH * abs(share.effect) / widest
        look = {"y": y + 18, "height": 12.0, "width": long, "fill": _HIGHER if share.effect > 0 else _LOWER}
        text(svg, _MARGIN, y + 12, textwrap.shorten(share.name, _LONGEST, placeholder=" …"), size=13)
        text(svg, WIDTH - _MARGIN, y + 12, points(share.effect), size=13, anchor="end", weight="bold")
        add(svg, "line", {"x1": _MARGIN, "x2": WIDTH - _MARGIN, "y1": y + 34, "y2": y + 34, "stroke": GREY})
        add(svg, "rect", {"x": middle if share.effect > 0 else middle - long, **look})
        add(svg, "line", {"x1": middle, "x2": middle, "y1": y + 16, "y2": y + 32, "stroke": INK})
