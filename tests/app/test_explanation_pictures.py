"""The pictures of an explanation: what is drawn, where, with which words; readable by people and machines, hostile ids."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from app.harm.explanation_answers import IncidentExplanation
from app.harm.explanation_picture import incidents_svg
from app.harm.harm_index import load_harm_index
from app.harm.history import build_case
from app.harm.records import parse_request
from app.harm.service import load_scorer
from app.harm.targets import TARGETS
from app.harm.wording import points, spoken_day
from tests.app.harm.test_explanation import TODAY, random_request
from tests.app.harm.test_incidents import long_request
from tests.app.service_fixtures import Client
from tests.app.test_api import check_problem
from tests.requests import example

SVG = "{http://www.w3.org/2000/svg}"
ONE = example()["incidents"][2]


def same_day(count: int) -> dict[str, Any]:
    many = [ONE | {"incident_id": f"s{number}"} for number in range(count)]
    return example(incidents=[*many, ONE], custody_dates=[])


def ten_years_apart() -> dict[str, Any]:
    return example(incidents=[ONE | {"incident_id": "old", "occurred_on": "2010-03-04"}, ONE], custody_dates=[])


def hostile() -> dict[str, Any]:
    """Ids with everything an id may hold, and classes instead of a name."""
    odd = [ONE | {"incident_id": name, "occurred_on": "2020-03-10"} for name in ("A--:/..-_", "a/svg:script-")]
    return example(incidents=[*odd, ONE], custody_dates=[])


REQUESTS = {
    "random": random_request(61),
    "long": long_request(40, custody=3),
    "example": example(),
    "index only": example(incidents=[ONE]),
    "one day": same_day(60),
    "ten years": ten_years_apart(),
    "hostile": hostile(),
}


def drawn(service: Client, request: dict[str, Any], by: str, of: str = "harm") -> tuple[Xml.Element, dict[str, Any]]:
    answer = service.score(request | {"explain": "none"})
    path = f"/scores/{answer.json()['score_id']}/explanation?by={by}&of={of}"
    picture = service.get(path, Accept="image/svg+xml, application/json;q=0.5")
    assert picture.status_code == 200, picture.text
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
    check_problem(service.get(path, Accept="text/csv"), 406, "not-acceptable")
    return Xml.fromstring(picture.text), service.get(path).json()


@pytest.mark.parametrize("by", ["factors", "incidents"])
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_bars_and_words_are_the_view_s(sqlite_service: Client, request_: dict[str, Any], by: str) -> None:
    picture, view = drawn(sqlite_service, request_, by)
    bars = [bar for bar in picture.findall(f"{SVG}rect") if bar.get("height") == "12.0"]
    widths = [float(bar.get("width", "")) for bar in bars]
    assert len(bars) == len(view["contributions"])
    assert widths == sorted(widths, reverse=True)
    for bar, share in zip(bars, view["contributions"], strict=True):
        left, width = float(bar.get("x", "")), float(bar.get("width", ""))
        assert 0 <= left <= 720 - width
        assert (left >= 360) == (share["effect"] > 0 or width == 0)
    words = " ".join(picture.itertext())
    for said in (view["summary"], *view["limits"], *(share["text"] for share in view["contributions"])):
        assert said in words


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_the_history_stands_where_its_dates_and_harm_say(sqlite_service: Client, request_: dict[str, Any]) -> None:
    """Each ranked incident is found at a place that grows with its date and its harm, in the shape of its direction."""
    picture, view = drawn(sqlite_service, request_, "incidents")
    case = build_case(parse_request(request_), load_harm_index(), TODAY)
    marks = shapes(picture)
    (index,) = [(x, y) for kind, x, y in marks if kind == "diamond"]
    line = next(found for found in picture.iter(f"{SVG}line") if found.get("stroke-dasharray"))
    assert float(line.get("x1", "")) == float(line.get("x2", "")) == pytest.approx(index[0], abs=0.1)
    assert f"day zero, {spoken_day(case.day_zero)}" in " ".join(picture.itertext())

    first = date.fromordinal(int(case.histories.incidents.day[0]) + date(1970, 1, 1).toordinal())
    known = {share["evidence"]["incident_id"]: share for share in view["contributions"]}
    placed = []
    for share in known.values():
        if share["evidence"]["incidents"] > 1:
            continue
        on, harm = date.fromisoformat(share["evidence"]["occurred_on"]), share["evidence"]["harm"]
        effect = round(100 * share["effect"], 1)
        kind = "circle" if not effect else "up" if effect > 0 else "down"
        span = max((case.day_zero - first).days, 60)
        x = 94 + (index[0] - 94) * (1 - (case.day_zero - on).days / span)
        placed.append((x, harm, kind))
    for x, harm, kind in placed:
        near = [found for found in marks if abs(found[1] - x) < 16 and found[0] != "diamond"]
        assert near, "each incident, or one it would cover, has its mark"
        alone = [one for one in placed if abs(one[0] - x) < 16] == [(x, harm, kind)]
        if alone:
            assert kind in {found[0] for found in near}


def test_higher_harm_stands_higher_and_later_further_right(sqlite_service: Client) -> None:
    incidents = [
        {"incident_id": f"i{number}", "occurred_on": f"201{number}-06-01", "role": "suspect", "harm_score": harm,
         "offence_class": ["violent"]}
        for number, harm in enumerate((0, 1, 10, 100, 1000, 5475))
    ]  # fmt: skip
    picture, _ = drawn(sqlite_service, example(incidents=[*incidents, ONE], custody_dates=[]), "incidents")
    marks = sorted((x, y) for kind, x, y in shapes(picture) if kind != "diamond")
    heights = [y for _, y in marks]
    assert len(marks) == 6
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 6


def test_direction_is_never_told_by_colour_alone(sqlite_service: Client) -> None:
    """Each direction has a shape of its own, and each bar its sign in figures."""
    picture, view = drawn(sqlite_service, random_request(61), "incidents")
    kinds = {"up": set(), "down": set()}
    for polygon in picture.iter(f"{SVG}polygon"):
        kind = shape_of(polygon)[0]
        if kind in kinds:
            kinds[kind].add(hue(polygon.get("fill", "")))
    assert len(kinds["up"] | kinds["down"]) == len(kinds["up"]) + len(kinds["down"]), "no colour stands for both"
    shown = " ".join(text.text or "" for text in picture.iter(f"{SVG}text"))
    for share in view["contributions"]:
        assert points(share["effect"]) in shown


@pytest.mark.parametrize("by", ["factors", "incidents"])
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_readable_by_everyone(sqlite_service: Client, request_: dict[str, Any], by: str) -> None:
    picture, _ = drawn(sqlite_service, request_, by)
    assert picture.get("role") == "img"
    named = {element.get("id"): element for element in picture}
    for name in picture.get("aria-labelledby", "").split():
        assert len(named[name].text or "") > 10
    width, height = float(picture.get("width", "")), float(picture.get("height", ""))
    assert picture.get("viewBox") == f"0 0 {width:.0f} {height:.0f}", "it scales as a whole"
    for text in picture.iter(f"{SVG}text"):
        assert int(text.get("font-size", "")) >= 12
        reach = 0.56 * int(text.get("font-size", "")) * len(text.text or "")
        left = float(text.get("x", "")) - {"start": 0, "middle": reach / 2, "end": reach}[text.get("text-anchor", "")]
        assert left >= 0, text.text
        assert left + reach <= width, text.text
        assert 0 < float(text.get("y", "")) < height
    whole = Xml.tostring(picture, encoding="unicode")
    assert not re.search(r"href|url\(|<script|<image|<style|@import|<foreignObject", whole)
    assert {element.tag.removeprefix(SVG) for element in picture.iter()} <= {
        "svg", "title", "desc", "rect", "text", "line", "circle", "polygon",
    }  # fmt: skip


def test_the_curve_s_explanation_is_drawn_in_its_own_words(sqlite_service: Client) -> None:
    for by in ("factors", "incidents"):
        picture, view = drawn(sqlite_service, example(), by, "survival")
        shown = " ".join(text.text or "" for text in picture.iter(f"{SVG}text"))
        assert "lower chance of no further incident" in shown
        assert f"{100 * view['value']:.1f} % chance of no further incident in a year" in shown
        assert "estimate came about" not in shown


def shapes(picture: Xml.Element) -> list[tuple[str, float, float]]:
    """Marks of the history, not those of the legend: kind, x, y."""
    found = [shape_of(polygon) for polygon in picture.iter(f"{SVG}polygon")]
    found += [("circle", float(one.get("cx", "")), float(one.get("cy", ""))) for one in picture.iter(f"{SVG}circle")]
    return [one for one in found if one[2] < 340]


def shape_of(polygon: Xml.Element) -> tuple[str, float, float]:
    corners = [tuple(map(float, pair.split(","))) for pair in polygon.get("points", "").split()]
    if len(corners) == 4:
        return "diamond", corners[0][0], (corners[0][1] + corners[2][1]) / 2
    top, bottom = (sum(y == edge(y for _, y in corners) for _, y in corners) for edge in (min, max))
    return "up" if top < bottom else "down", corners[0][0], corners[0][1]


def hue(colour: str) -> str:
    red, blue = int(colour[1:3], 16), int(colour[5:7], 16)
    return "warm" if red > blue else "cold" if blue > red else "none"


def test_marks_together_that_go_different_ways_show_no_direction(toy_artifacts: Path) -> None:
    """Two incidents of one day, the shares of which are changed by hand."""
    scored = load_scorer(toy_artifacts, Path("no imported index")).score(
        parse_request(same_day(2) | {"explain": "incidents"}), TODAY
    )
    view = scored.explanation
    assert isinstance(view, IncidentExplanation)
    for effects, expected in (((0.04, 0.02), {"up"}), ((0.04, -0.02), {"circle"}), ((-0.04, -0.02), {"down"})):
        shares = [
            share.model_copy(update={"effect": effect})
            for share, effect in zip(view.contributions, effects, strict=True)
        ]
        body = scored.body("id", datetime.now(UTC))
        changed = view.model_copy(update={"contributions": shares})
        picture = Xml.fromstring(incidents_svg(body, changed, TARGETS["harm"], scored.case))
        assert {kind for kind, _, _ in shapes(picture)} - {"diamond"} == expected
        assert "1–2" in {text.text for text in picture.iter(f"{SVG}text")}


def test_a_long_name_keeps_its_date(sqlite_service: Client) -> None:
    coercion = ONE | {"incident_id": "long", "offence_code": "00867", "occurred_on": "2019-12-24", "harm_score": 10}
    picture, view = drawn(sqlite_service, example(incidents=[coercion, ONE], custody_dates=[]), "incidents")
    assert len(view["contributions"][0]["name"]) > 80
    shown = [text.text or "" for text in picture.iter(f"{SVG}text")]
    assert any(text.startswith("1 Controlling") and text.endswith(" … on 24 December 2019") for text in shown)
