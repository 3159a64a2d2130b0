"""Drawings on a page: described, without style attributes, and none shares a part with another."""

from xml.etree import ElementTree as Xml

import pytest

from training.documents import drawings
from training.documents.pictures import SVG, embedded

CURVE = {"false_positive_rate": [0.0, 0.2, 1.0], "true_positive_rate": [0.0, 0.8, 1.0]}
TRADE = {"recall": [1.0, 0.5, 0.0], "precision": [0.1, 0.6, 1.0]}
ESTIMATE = {"value": 0.5, "low": 0.4, "high": 0.6}
DRAWN = {
    "confusion": lambda: drawings.confusion([[9, 1, 0, 0], [2, 3, 1, 0], [0, 1, 4, 1], [0, 0, 2, 7]]),
    "trade-offs": lambda: drawings.trade_offs(
        {"here <b>": {"roc": CURVE, "precision_recall": TRADE}}, {"here <b>": 0.1}
    ),
    "reliability": lambda: drawings.reliability({"here": [{"predicted": 0.1, "observed": ESTIMATE}]}, "Ten bins"),
    "intervals": lambda: drawings.intervals({"a": {"x": ESTIMATE, "y": 0.2}, "b": {"x": None}}, "Rivals"),
    "lines": lambda: drawings.lines([1.0, 2.0], {"a": [0.1, None], "b": [0.2, 0.3]}, "Lines", "x", "y"),
    "curves": lambda: drawings.curves(
        [0, 5], {"0-50, predicted": [1.0, 0.9], "0-50, observed": [1.0, 0.8]}, "Nothing", "people"
    ),
    "tolerances": lambda: drawings.tolerances({"near": 0.5, "far": 9.0, "below": -2.0}, "Fidelity"),
    "scatter": lambda: drawings.scatter({"stack": [(1.0, 2.0), (2.0, 3.0)], "chosen": [(1.5, 2.5)]}, "Zoo", "x", "y"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_can_stand_on_a_page(name: str) -> None:
    first, again = DRAWN[name](), DRAWN[name]()
    assert first == again, "the same figures give the same bytes"
    svg = Xml.fromstring(embedded(first, "one", "A & B", "words <here>"))
    assert [svg[place].tag.removeprefix(f"{{{SVG}}}") for place in (0, 1)] == ["title", "desc"]
    assert svg[1].text == "words <here>"
    ids = [element.attrib["id"] for element in svg.iter() if "id" in element.attrib]
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("one-") for one in ids)
    for element in svg.iter():
        assert "style" not in element.attrib
        assert element.tag != f"{{{SVG}}}image"
        assert not element.get("href", "#one-").removeprefix("#one-").startswith("#")
        assert element.get("href", "#").startswith("#")
    targets = {element.attrib["href"][1:] for element in svg.iter() if "href" in element.attrib}
    assert targets <= set(ids)


def test_two_drawings_share_no_part() -> None:
    both = [embedded(DRAWN["lines"](), name, "t", "d") for name in ("one", "two")]
    ids = [{element.get("id") for element in Xml.fromstring(text).iter()} - {None} for text in both]
    assert not ids[0] & ids[1]
