"""The page: complete, honest first, sortable without a network, and nothing in it can break out of its cell."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from training.harm.structure import ALL, FIRST, PUBLISHED
from training.zoo.page import OWN, SYNTHETIC, page, script, table
from training.zoo.zoo import ranked

MEASURES = (
    "net",
    "missed",
    "positive",
    "adjusted_f1",
    "top_2_accuracy",
    "accuracy",
    "predicted_80_90",
    "flagged",
    "precision",
)


def row(name: str, net: float) -> dict[str, Any]:
    mix = dict.fromkeys(MEASURES, 0.25) | {"net": net}
    return {"name": name, "kind": "stack", "test_mix": mix, "population_mix": mix, "auc_top_against_lowest": 0.9}


@pytest.fixture
def document() -> dict[str, Any]:
    return {
        "nominals": {"train": 5222, "test": 2591},
        "rows": ranked([row(str(structure), -1234.5 + 10 * number) for number, structure in enumerate(ALL)]),
        "singles": ranked([row(name, 7.0) for name in FIRST]),
        "rank_correlation_with_published": {"net": 0.5, "adjusted_f1": 0.4},
        "published_choice": str(PUBLISHED),
    }


class Reader(HTMLParser):
    """Tags that are open, and the cells of every row."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.sorted_by: list[list[str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
            self.sorted_by.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.sorted_by[-1].append(dict(attrs).get("data-sort"))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    return reader


def test_every_row_has_every_column(document: dict[str, Any]) -> None:
    reader = read(page(document, synthetic=True))
    bodies = [cells for cells in reader.rows if cells[0].isdigit()]
    assert len(bodies) == 168 + 7
    assert {len(cells) for cells in bodies} == {20}
    assert bodies[0][:4] == ["1", "svm+lr:svm", "stack", "-1,234"]
    assert reader.sorted_by[reader.rows.index(bodies[0])][3] == "-1234.500000"
    assert bodies[0][16] == "155"


def test_what_it_was_measured_on_comes_first(document: dict[str, Any]) -> None:
    for synthetic, notice in ((True, SYNTHETIC), (False, OWN)):
        body = page(document, synthetic).split("<body>")[1]
        assert body.index(notice.replace("'", "&#x27;")) < body.index("<h1>")


def test_it_asks_no_network_and_carries_the_licence(document: dict[str, Any]) -> None:
    html = page(document, synthetic=True)
    assert not re.search(r"(src|href)\s*=", html.split("<script>")[0])
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|@import|url\(", html)
    assert "Permission is hereby granted, free of charge" in script()
    assert html.count("</script>") == 1


def test_headings_sort_by_number_and_the_choice_is_marked(document: dict[str, Any]) -> None:
    html = table(document)
    assert html.count("data-sort-method=number") == 18
    assert html.count('<tr class="chosen">') == 1
    assert '<tr data-sort-method="thead">' in html


def test_text_stays_text(document: dict[str, Any]) -> None:
    document["rows"][0]["kind"] = "<img src=x onerror=alert(1)>"
    assert "<img" not in table(document)
