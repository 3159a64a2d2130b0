"""Either view of a score as a picture: one bar a share, to the right where it goes with a higher estimate.

The view by incidents has the history above its bars, so that each number has a date and a harm score.
"""

import textwrap
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from app.harm.answers import ScoreBody
from app.harm.explanation_answers import Explanation, IncidentExplanation, Share
from app.harm.history import Case
from app.harm.perspective_words import WORDS
from app.harm.svg import GREY, INK, add, page, text, written
from app.harm.targets import Target
from app.harm.timeline import FULL_EFFECT, HEIGHT, HIGHER, LOWER, draw_timeline
from app.harm.wording import percent, points

WIDTH = 720
_HEAD, _ROW, _FOOT, _LINE = 64, 40, 26, 18
_SIDES = 34
_MARGIN, _REACH = 24, 300
_LONGEST, _FULL = 74, 100  # characters of a name beside its points, and of a whole line


def factors_svg(body: ScoreBody, view: Explanation, target: Target) -> str:
    """The shares of a view, largest first, with the score they add up to; the whole view in words as description."""
    svg = _page(body, view, target, 0)
    _shares(svg, view.contributions, target, _HEAD)
    return written(svg)


def incidents_svg(body: ScoreBody, view: IncidentExplanation, target: Target, case: Case) -> str:
    """The history with day zero, harm and shading, and below it the shares of the incidents by their numbers."""
    svg = _page(body, view, target, HEIGHT)
    draw_timeline(svg, _HEAD, WIDTH, case, view)
    _shares(svg, view.contributions, target, _HEAD + HEIGHT, numbered=True)
    return written(svg)


def _page(body: ScoreBody, view: Explanation, target: Target, above: int) -> Xml.Element:
    """The page with all that is said in words; `above` the height of what stands above the bars."""
    below = [
        line
        for told in (view.limits[0], f"The model learnt from {body.model.learnt_from}.")
        for line in textwrap.wrap(told, _FULL, max_lines=3, placeholder=" …")
    ]
    foot = _FOOT + _LINE * len(below)
    height = _HEAD + above + _SIDES + _ROW * max(len(view.contributions), 1) + foot
    title = f"How the {target.called} came about, by {view.by}"
    said = " ".join([view.summary, *(share.text for share in view.contributions), *view.limits])
    svg = page(WIDTH, height, title, said)
    text(svg, _MARGIN, 28, title, size=18, weight="bold")
    chance = f"{percent(view.value)} {target.short(WORDS[body.model.perspective])}, compared with {percent(view.reference.value)}"
    text(svg, _MARGIN, 48, f"{chance} · {body.model.family} {body.model.version}", size=12)
    for number, line in enumerate(below):
        text(svg, _MARGIN, height - foot + _FOOT + _LINE * number, line, size=12)
    return svg


def _shares(svg: Xml.Element, shares: Sequence[Share], target: Target, top: float, *, numbered: bool = False) -> None:
    if not shares:
        text(svg, _MARGIN, top + 24, "There is no earlier incident on record.", size=13)
        return
    middle = WIDTH / 2
    text(svg, middle - 8, top + 20, f"lower {target.called}", size=12, anchor="end")
    text(svg, middle + 8, top + 20, f"higher {target.called}", size=12)
    widest = max([FULL_EFFECT, *(abs(share.effect) for share in shares)])
    for row, share in enumerate(shares):
        y = top + _SIDES + _ROW * row
        long = _REACH * abs(share.effect) / widest
        look = {"y": y + 18, "height": 12.0, "width": long, "fill": HIGHER if share.effect > 0 else LOWER}
        name = f"{row + 1}  {share.name}" if numbered else share.name
        text(svg, _MARGIN, y + 12, _fitted(name), size=13)
        text(svg, WIDTH - _MARGIN, y + 12, points(share.effect), size=13, anchor="end", weight="bold")
        add(svg, "line", {"x1": _MARGIN, "x2": WIDTH - _MARGIN, "y1": y + 34, "y2": y + 34, "stroke": GREY})
        add(svg, "rect", {"x": middle if share.effect > 0 else middle - long, **look})
        add(svg, "line", {"x1": middle, "x2": middle, "y1": y + 16, "y2": y + 32, "stroke": INK})


def _fitted(name: str) -> str:
    """A name that leaves room for its points; what is cut is never the date at its end."""
    what, on, when = name.rpartition(" on ")
    if len(name) <= _LONGEST or not what:
        return textwrap.shorten(name, _LONGEST, placeholder=" …")
    return textwrap.shorten(what, _LONGEST - len(on + when), placeholder=" …") + on + when
