"""Drawings as a page may hold them: described in words, with names of their own, and no style that a policy would refuse.

The page's content security policy lets through one style sheet only, so what matplotlib writes as `style="..."` becomes
attributes; ids get the drawing's name in front, so that several drawings share a page without sharing parts.
"""

import re
from xml.etree import ElementTree as Xml

from markupsafe import Markup

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_DROPPED = {f"{{{SVG}}}metadata", f"{{{SVG}}}style"}
_PIXELS_A_POINT = 96 / 72
_POINTS_AT = re.compile(r"url\(#([^)]+)\)")


def embedded(drawing: str, name: str, title: str, description: str) -> Markup:
    """An `<svg>` element for the page, from matplotlib's; `name` is unique on the page."""
    Xml.register_namespace("", SVG)
    Xml.register_namespace("xlink", XLINK)
    svg = Xml.fromstring(drawing)  # noqa: S314 - our own drawing
    used = _used(svg)
    for element in list(svg.iter()):
        for child in [one for one in element if one.tag in _DROPPED]:
            element.remove(child)
        _without_style(element)
        _renamed(element, name, used)
    svg.attrib.pop("height")
    svg.set("width", f"{float(svg.attrib['viewBox'].split()[2]) * _PIXELS_A_POINT:.0f}")
    svg.set("role", "img")
    svg.set("aria-labelledby", f"{name}-title {name}-words")
    svg.set("stroke-linejoin", "round")
    for place, (tag, told, kind) in enumerate((("title", title, "title"), ("desc", description, "words"))):
        said = Xml.Element(f"{{{SVG}}}{tag}", id=f"{name}-{kind}")
        said.text = told
        svg.insert(place, said)
    return Markup(Xml.tostring(svg, encoding="unicode"))  # noqa: S704 - the serialiser has escaped every text


def _used(svg: Xml.Element) -> set[str]:
    """Ids that something points at; all others go."""
    found = set()
    for element in svg.iter():
        for key, value in element.attrib.items():
            found |= set(_POINTS_AT.findall(value))
            if key in {f"{{{XLINK}}}href", "href"}:
                found.add(value.removeprefix("#"))
    return found


def _without_style(element: Xml.Element) -> None:
    for rule in element.attrib.pop("style", "").split(";"):
        key, _, value = rule.partition(":")
        if key.strip() and value.strip():
            element.set(key.strip(), value.strip())


def _renamed(element: Xml.Element, name: str, used: set[str]) -> None:
    own = element.attrib.pop("id", None)
    if own in used:
        element.set("id", f"{name}-{own}")
    target = element.attrib.pop(f"{{{XLINK}}}href", None)
    if target is not None:
        element.set("href", f"#{name}-{target.removeprefix('#')}")
    for key, value in element.attrib.items():
        element.set(key, _POINTS_AT.sub(lambda found: f"url(#{name}-{found[1]})", value))
