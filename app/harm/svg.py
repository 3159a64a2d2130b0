"""SVG written by hand: a page with a title and a description for screen readers, text and shapes.

The pictures here need few lines, and no kept chart library writes SVG with a title and description without pulling in
more than the rest of the service weighs. Text is XML-escaped.
"""

from xml.etree import ElementTree as Xml

INK, GREY = "#1a1a1a", "#d0d0d0"
_CORNERS: dict[str, list[tuple[float, float]]] = {
    "up": [(0, -1), (0.9, 0.7), (-0.9, 0.7)],
    "down": [(0, 1), (0.9, -0.7), (-0.9, -0.7)],
    "diamond": [(0, -1), (0.8, 0), (0, 1), (-0.8, 0)],
}


def page(width: int, height: int, title: str, description: str) -> Xml.Element:
    """An empty white page that says in words what it shows."""
    svg = Xml.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", role="img")
    svg.set("width", str(width))
    svg.set("height", str(height))
    svg.set("aria-labelledby", "title description")
    svg.set("font-family", "system-ui, sans-serif")
    add(svg, "title", {"id": "title"}, title)
    add(svg, "desc", {"id": "description"}, description)
    add(svg, "rect", {"width": width, "height": height, "fill": "#ffffff"})
    return svg


def text(
    svg: Xml.Element, x: float, y: float, said: str, *, size: int, anchor: str = "start", weight: str = "normal"
) -> None:
    """One line of text; `y` is its base line. A white edge keeps it readable where lines run behind it."""
    look = {"x": x, "y": y, "font-size": size, "text-anchor": anchor, "font-weight": weight, "fill": INK}
    look |= {"stroke": "#ffffff", "stroke-width": 3, "paint-order": "stroke"}
    add(svg, "text", look, said)


def add(parent: Xml.Element, tag: str, attributes: dict[str, object], said: str | None = None) -> None:
    """One shape; numbers with one decimal."""
    child = Xml.SubElement(parent, tag, {name: _shown(value) for name, value in attributes.items()})
    child.text = said


def shape(svg: Xml.Element, kind: str, x: float, y: float, reach: float, fill: str) -> None:
    """A mark that is known by its form: circle, up, down or diamond; outlined, so that a pale fill is seen."""
    look = {"fill": fill, "stroke": INK, "stroke-width": 1.2}
    if kind == "circle":
        add(svg, "circle", {"cx": x, "cy": y, "r": reach * 0.8, **look})
        return
    ends = " ".join(f"{x + reach * right:.1f},{y + reach * below:.1f}" for right, below in _CORNERS[kind])
    add(svg, "polygon", {"points": ends, **look})


def shade(colour: str, strength: float) -> str:
    """A colour `#rrggbb` mixed with white: 0 nearly white, 1 the colour itself."""
    kept = 0.08 + 0.92 * min(max(strength, 0.0), 1.0)
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - kept * (255 - part)):02x}" for part in parts)


def written(svg: Xml.Element) -> str:
    """The page as text."""
    return Xml.tostring(svg, encoding="unicode", xml_declaration=False)


def _shown(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
