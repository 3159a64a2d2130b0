"""The history as a picture: each incident at its date and harm, day zero, and how much each goes with the estimate.

The shape of the report's figure 11 (section 2.5.1). Direction is told by shape, size by shading and by the numbers of the
list below; nothing is told by colour alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from xml.etree import ElementTree as Xml

from app.harm.explanation_answers import IncidentExplanation
from app.harm.history import EPOCH, Case
from app.harm.records import MAX_HARM
from app.harm.svg import GREY, INK, add, shade, shape, text
from app.harm.wording import points, spoken_day

HEIGHT = 350
HIGHER, LOWER = "#b45309", "#0b5394"
FULL_EFFECT = 0.05  # the least effect that is shown in full strength, so that slight ones look slight
_TOP, _BOTTOM = 50, 96
_LEFT, _RIGHT = 78, 28
_BAND = "#f0f0f0"
_HARMS = (0, 10, 100, 1000, MAX_HARM)
_NEAR = 15  # marks closer than this are shown as one
_REACH, _SMALL, _INDEX = 8, 4, 14
_LONGEST_LABEL = 14
_SHORTEST_SPAN = 60  # days; a single incident stands on an axis, not on a point


@dataclass(frozen=True)
class _Mark:
    """Where an incident stands, in the units of the picture; `rank` its number in the list, 0 where it has none."""

    x: float
    y: float
    rank: int
    effect: float

    @property
    def kind(self) -> str:
        """Its shape: the direction of the points as they are shown."""
        shown = round(100 * self.effect, 1)
        return "circle" if not shown else "up" if shown > 0 else "down"


def draw_timeline(svg: Xml.Element, top: float, width: int, case: Case, view: IncidentExplanation) -> None:
    """Draw the known history of `case` into `svg`, `HEIGHT` high from `top` on; ranks are the places in the view."""
    plot = _Plot(case, top, width)
    earlier, index = plot.marks(case, view)
    plot.band(svg, case, view)
    plot.axes(svg)
    plot.day_zero(svg, index.x)
    strongest = max([FULL_EFFECT, *(abs(mark.effect) for mark in earlier)])
    for near in _clusters(earlier):
        _draw(svg, near, strongest, plot.floor)
    shape(svg, "diamond", index.x, index.y, _INDEX, "none")  # hollow, so that it covers nothing
    _legend(svg, top + HEIGHT - 42)


class _Plot:
    """Scales and axes: time runs as it ran, harm on an uneven scale that keeps small scores apart."""

    def __init__(self, case: Case, top: float, width: int) -> None:
        days = case.histories.incidents.day
        self.last = int(case.histories.day_zero[0])
        self.first = min(int(days[0]), self.last - _SHORTEST_SPAN)
        self.left, self.right = float(_LEFT), float(width - _RIGHT)
        self.ceiling, self.floor = top + _TOP, top + HEIGHT - _BOTTOM

    def x(self, day: int) -> float:
        """Position of a day since 1970-01-01."""
        inner = self.right - self.left - 32
        return self.left + 16 + inner * (day - self.first) / (self.last - self.first)

    def y(self, harm: float) -> float:
        """Position of a harm score, in days of the index; room for a number above the greatest."""
        share = math.log1p(min(harm, MAX_HARM) / 3) / math.log1p(MAX_HARM / 3)
        return self.floor - (self.floor - self.ceiling - 24) * share

    def axes(self, svg: Xml.Element) -> None:
        """Harm upwards, dates along."""
        text(svg, 24, self.ceiling - 30, "Harm score in days (uneven scale)", size=12)
        for harm in _HARMS:
            y = self.y(harm)
            add(svg, "line", {"x1": self.left, "x2": self.right, "y1": y, "y2": y, "stroke": GREY})
            text(svg, self.left - 8, y + 4, f"{harm:,}", size=12, anchor="end")
        for day, label in _ticks(self.first, self.last):
            x = self.x(day)
            add(svg, "line", {"x1": x, "x2": x, "y1": self.floor, "y2": self.floor + 6, "stroke": INK})
            text(svg, x, self.floor + 20, label, size=12, anchor="middle")
        add(svg, "line", {"x1": self.left, "x2": self.right, "y1": self.floor, "y2": self.floor, "stroke": INK})

    def band(self, svg: Xml.Element, case: Case, view: IncidentExplanation) -> None:
        """The time of the older incidents where they count as one, with what they go with together."""
        older = [(rank, share) for rank, share in enumerate(view.contributions, 1) if share.evidence.incidents > 1]
        for rank, share in older:
            days = case.histories.incidents.day[: share.evidence.incidents]
            start, end = self.x(int(days[0])) - 10, self.x(int(days[-1])) + 10
            look = {"x": start, "y": self.ceiling, "width": end - start, "height": self.floor - self.ceiling}
            add(svg, "rect", {**look, "fill": _BAND})
            said = f"{rank}: {len(days)} older incidents together, {points(share.effect)}"
            late = start > (self.left + self.right) / 2
            at, anchor = (end, "end") if late else (max(start, self.left), "start")
            text(svg, at, self.ceiling - 6, said, size=12, anchor=anchor, weight="bold")

    def day_zero(self, svg: Xml.Element, x: float) -> None:
        """A broken line with its name, as in figure 11."""
        look = {"x1": x, "x2": x, "y1": self.ceiling - 40, "y2": self.floor, "stroke": "#a00000"}
        add(svg, "line", {**look, "stroke-width": 2, "stroke-dasharray": "2 4"})
        said = f"day zero, {spoken_day(date.fromordinal(self.last + EPOCH))}"
        text(svg, x - 6, self.ceiling - 30, said, size=12, anchor="end", weight="bold")

    def marks(self, case: Case, view: IncidentExplanation) -> tuple[list[_Mark], _Mark]:
        """Every earlier incident, then the index incident."""
        ranks = {s.evidence.incident_id: (rank, s.effect) for rank, s in enumerate(view.contributions, 1)}
        known = case.histories.incidents
        places = [
            (self.x(day), self.y(harm)) for day, harm in zip(known.day.tolist(), known.harm.tolist(), strict=True)
        ]
        ids = [case.request.incidents[position].incident_id for position in case.order]
        found = [_Mark(x, y, *ranks.get(name, (0, 0.0))) for (x, y), name in zip(places, ids, strict=True)]
        return found[:-1], found[-1]


def _clusters(marks: Sequence[_Mark]) -> list[list[_Mark]]:
    """Marks that would cover one another, together, the largest share first; the older ones apart, drawn first."""
    found: list[list[_Mark]] = []
    for mark in sorted(marks, key=attrgetter("rank")):
        home = next((near for near in found if _covers(near[0], mark)), None)
        if home is None:
            found.append([mark])
        else:
            home.append(mark)
    return found


def _covers(one: _Mark, other: _Mark) -> bool:
    apart = max(abs(one.x - other.x), abs(one.y - other.y))
    return apart < _NEAR and (one.rank > 0) == (other.rank > 0)


def _draw(svg: Xml.Element, near: list[_Mark], strongest: float, floor: float) -> None:
    """One mark for all of `near`, shaded as the one with the largest share, with the numbers of all."""
    first = near[0]
    add(svg, "line", {"x1": first.x, "x2": first.x, "y1": first.y, "y2": floor, "stroke": "#8a8a8a"})
    if not first.rank:
        shape(svg, "circle", first.x, first.y, _SMALL, "#ffffff")
        return
    kinds = {mark.kind for mark in near}
    kind = first.kind if len(kinds) == 1 else "circle"  # no direction where there is more than one
    colour = {"up": HIGHER, "down": LOWER}.get(kind)
    fill = "#ffffff" if colour is None else shade(colour, abs(first.effect) / strongest)
    shape(svg, kind, first.x, first.y, _REACH, fill)
    text(
        svg,
        first.x,
        first.y - 14,
        _numbers(sorted(mark.rank for mark in near)),
        size=12,
        anchor="middle",
        weight="bold",
    )


def _numbers(ranks: list[int]) -> str:
    """1, 2, 3, 7 as `1–3, 7`; cut where it would run into its neighbours."""
    runs = [list(run) for _, run in groupby(enumerate(ranks), key=lambda found: found[1] - found[0])]
    told = ", ".join(f"{run[0][1]}–{run[-1][1]}" if len(run) > 1 else str(run[0][1]) for run in runs)
    return told if len(told) <= _LONGEST_LABEL else f"{told[:_LONGEST_LABEL].rpartition(',')[0]} …"


def _ticks(first: int, last: int) -> list[tuple[int, str]]:
    """Days with their labels: years over a long history, months over a short one, at most nine."""
    begins, ends = (date.fromordinal(day + EPOCH) for day in (first, last))
    months = 12 * (ends.year - begins.year) + ends.month - begins.month
    step = next((step for step in (1, 2, 3, 6, 12, 24, 60, 120) if months / step <= 8), 240)
    starts = [12 * begins.year + begins.month - 1 + past for past in range(months + 1)]
    days = [date(month // 12, month % 12 + 1, 1) for month in starts if month % step == 0]
    return [
        (day.toordinal() - EPOCH, f"{day:%Y}" if step >= 12 else f"{day:%b %Y}")
        for day in days
        if first <= day.toordinal() - EPOCH <= last
    ]


def _legend(svg: Xml.Element, y: float) -> None:
    """What the shapes stand for."""
    said = [
        (32, "up", _REACH, shade(HIGHER, 1), "goes with higher"),
        (170, "down", _REACH, shade(LOWER, 1), "goes with lower"),
        (302, "circle", _REACH, "#ffffff", "neither, or mixed"),
        (450, "circle", _SMALL, "#ffffff", "one of the older"),
        (582, "diamond", 11, "none", "index incident"),
    ]
    for x, kind, reach, fill, words in said:
        shape(svg, kind, x, y - 4, reach, fill)
        text(svg, x + 16, y, words, size=12)
    told = "Darker: larger share. Numbers: the list below, largest share first; together where marks overlap."
    text(svg, 24, y + 22, told, size=12)
