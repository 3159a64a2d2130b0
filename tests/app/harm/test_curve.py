"""The curve as a picture and as a table, alone and with the rest of it beside."""

from datetime import UTC, date, datetime
from itertools import pairwise
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from app.harm.answers import ScoreBody, SurvivalAnswer
from app.harm.curve import curve_csv, curve_svg
from app.harm.model import DAYS
from app.harm.records import parse_request
from app.harm.service import Scorer
from app.harm.survival import Since, survival_answer
from tests.requests import example

SVG = "{http://www.w3.org/2000/svg}"
CURVE = np.linspace(1, 0.25, DAYS)


def body_of(scorer: Scorer, *, alone: bool = False) -> ScoreBody:
    incidents = example()["incidents"]
    request = example(incidents=incidents[2:] if alone else incidents, as_of="2020-04-20")
    return scorer.score(parse_request(request), date(2026, 11, 22)).body("id", datetime(2026, 11, 22, 12, tzinfo=UTC))


def drawn(body: ScoreBody, curve: SurvivalAnswer) -> tuple[Xml.Element, list[str]]:
    picture = Xml.fromstring(curve_svg(body, curve))
    return picture, [words for words in picture.itertext() if words]


def lines(picture: Xml.Element) -> list[list[tuple[float, float]]]:
    """The points of each step line."""
    paths = [line.get("points", "").split() for line in picture.findall(f"{SVG}polyline")]
    return [[tuple(map(float, point.split(","))) for point in path] for path in paths]  # type: ignore[misc]


def test_picture_says_what_the_curve_says(toy_scorer: Scorer) -> None:
    body = body_of(toy_scorer)
    picture, words = drawn(body, survival_answer(CURVE, daily=True))
    assert words[-2] == "25 %", "the value at one year stands beside the end of the line"
    assert words[-1].startswith("Advice, not a decision."), "and whom it learnt from under it"
    assert "25 % after 365 days" in words[1]
    assert body.history.statement in words[1]
    assert "11 March 2020" in " ".join(words)
    (line,) = lines(picture)
    heights = [y for _, y in line]
    assert heights == sorted(heights), "the line never rises"


def test_picture_with_the_rest_of_the_curve(toy_scorer: Scorer) -> None:
    curve = survival_answer(CURVE, Since(40), daily=True)
    rest = curve.from_as_of
    assert rest is not None
    picture, words = drawn(body_of(toy_scorer), curve)
    first, second = lines(picture)
    assert second[0][1] == first[0][1], "it starts again at the top"
    assert second[0][0] == pytest.approx(first[0][0] + 40 / 365 * (first[-1][0] - first[0][0]), abs=0.1)
    assert second[-1][0] == first[-1][0]
    assert all(high <= low for (_, high), (_, low) in zip(second[::-1], first[::-1], strict=False)), (
        "above the plain one"
    )
    told = " ".join(words)
    assert rest.statement in words[1], "the description has it in words"
    assert "given none up to 20 April 2020" in told
    dashes = [line.get("stroke-dasharray") for line in picture.findall(f"{SVG}polyline")]
    assert dashes[0] is None
    assert dashes[1], "told apart without colour"
    assert f"{100 * rest.probability[-1]:.0f} %" in words
    heights = [float(end.get("y", "")) for end in picture.findall(f"{SVG}text") if float(end.get("x", "")) > 660]
    assert len(heights) == 2
    assert heights[0] - heights[1] >= 15, "two values that do not overlap"


def test_values_at_the_end_do_not_overlap_however_near(toy_scorer: Scorer) -> None:
    picture, _ = drawn(body_of(toy_scorer), survival_answer(np.full(DAYS, 1.0), Since(40), daily=True))
    heights = [float(end.get("y", "")) for end in picture.findall(f"{SVG}text") if float(end.get("x", "")) > 660]
    assert heights[0] - heights[1] >= 15


def test_picture_says_why_the_rest_is_withheld(toy_scorer: Scorer) -> None:
    curve = survival_answer(CURVE, Since(40, incident=True), daily=True)
    assert curve.from_as_of is not None
    picture, words = drawn(body_of(toy_scorer), curve)
    assert len(lines(picture)) == 1
    assert curve.from_as_of.statement in words[1]
    assert curve.from_as_of.statement in " ".join(words[2:])


def test_picture_never_shows_a_curve_of_an_insufficient_history_alone(toy_scorer: Scorer) -> None:
    for alone in (True, False):
        _, words = drawn(body_of(toy_scorer, alone=alone), survival_answer(CURVE, daily=True))
        assert ("Insufficient history: only the index incident is known" in " ".join(words[2:])) == alone


def test_every_line_of_text_has_its_own_place(toy_scorer: Scorer) -> None:
    """The most that is ever said: an insufficient history, and the rest of the curve in words."""
    for since in (Since(0), Since(100), Since(100, incident=True)):
        picture, _ = drawn(body_of(toy_scorer, alone=True), survival_answer(CURVE, since, daily=True))
        under = [float(one.get("y", "")) for one in picture.findall(f"{SVG}text") if float(one.get("y", "")) > 420]
        assert len(under) >= 3
        assert all(later - sooner >= 12 for sooner, later in pairwise(under))
        assert under[-1] < float(picture.get("height", ""))


def test_table_has_both_curves(toy_scorer: Scorer) -> None:
    whole = survival_answer(CURVE, Since(40), daily=True)
    rest = whole.from_as_of
    assert rest is not None
    head, *rows, end = curve_csv(whole, whole.days).split("\r\n")
    assert (head, end) == ("day,probability,probability_from_as_of", "")
    table = [row.split(",") for row in rows]
    assert [int(day) for day, _, _ in table] == list(range(DAYS))
    assert [float(plain) for _, plain, _ in table] == pytest.approx(CURVE)
    assert {later for _, _, later in table[:40]} == {""}
    assert [float(later) for _, _, later in table[40:]] == pytest.approx(rest.probability)


def test_weekly_table_of_both_curves() -> None:
    whole, weekly = survival_answer(CURVE, Since(40), daily=True), survival_answer(CURVE, Since(40))
    rows = [row.split(",") for row in curve_csv(whole, weekly.days).split("\r\n")[1:-1]]
    assert [int(day) for day, _, _ in rows] == weekly.days
    later = {int(day): float(value) for day, _, value in rows if value}
    assert later == pytest.approx({day: CURVE[day] / CURVE[40] for day in weekly.days if day >= 40})


@pytest.mark.parametrize("since", [Since(0), Since(40, incident=True)])
def test_table_without_the_rest_leaves_its_cells_empty(since: Since) -> None:
    whole = survival_answer(CURVE, since, daily=True)
    assert {row.split(",")[2] for row in curve_csv(whole, whole.days).split("\r\n")[1:-1]} == {""}
