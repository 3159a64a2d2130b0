"""Content negotiation, as a table."""

import pytest

from app.errors import NotAcceptable
from app.media import CSV, JSON, SVG, preferred

OFFERED = (JSON, CSV, SVG)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV", CSV),
        ("text/*", CSV),
        ("image/*, */*;q=0.1", SVG),
        ("text/csv;q=0.5, image/svg+xml;q=0.7", SVG),
        ("application/json;q=0, */*", CSV),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("image/svg+xml; q=nonsense, text/csv;q=0.1", CSV),
        ("text/csv, text/csv;q=0.1", CSV),
    ],
)
def test_preferred(accept: str | None, expected: str) -> None:
    assert preferred(accept, OFFERED) == expected


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/png, text/html", ";;;", "q=1"])
def test_nothing_fits(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        preferred(accept, OFFERED)
