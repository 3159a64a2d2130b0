"""The report page: whole in itself, every link and name sound, every picture and table told in words."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from app.artifacts import load_current
from training.documents.render import policy_hash


class Page(HTMLParser):
    """What a page holds: every tag with its attributes, every id, and the text of style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def all(self, attribute: str) -> Iterator[str]:
        yield from (str(attributes[attribute]) for _, attributes in self.tags if attribute in attributes)


def test_the_page_is_whole_in_itself(folder: Path) -> None:
    page = Page((folder / "evaluation.html").read_text())
    assert len(page.named("style")) == len(page.named("script")) == 1
    for loading in ("src", "style", "srcset", "onclick", "onload", "action"):
        assert not list(page.all(loading)), loading
    for tag in ("link", "img", "image", "iframe", "object", "form", "base"):
        assert not page.named(tag), tag
    assert all(target.startswith("#") for target in page.all("href"))


def test_every_link_leads_somewhere_and_no_name_is_given_twice(folder: Path) -> None:
    page = Page((folder / "evaluation.html").read_text())
    ids = list(page.all("id"))
    assert len(set(ids)) == len(ids), [one for one in ids if ids.count(one) > 1][:5]
    assert {target[1:] for target in page.all("href")} <= set(ids)
    for labels in page.all("aria-labelledby"):
        assert set(labels.split()) <= set(ids)


def test_pictures_and_tables_are_told_in_words(folder: Path) -> None:
    text = (folder / "evaluation.html").read_text()
    page = Page(text)
    assert len(page.named("svg")) >= 8
    for picture in page.named("svg"):
        assert picture["role"] == "img"
    assert text.count("<desc ") == len(page.named("svg")) == text.count("<figcaption>")
    assert len(page.named("caption")) == len(page.named("table"))
    assert all(head.get("scope") in {"col", "row"} for head in page.named("th"))


def test_the_policy_lets_the_page_s_own_style_and_script_through(folder: Path) -> None:
    documents = load_current(folder.parents[1])["stalking-nominal"].documents
    assert documents is not None
    text = (folder / "evaluation.html").read_text()
    for tag in ("style", "script"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(inside) == 1
        assert f"{tag}-src '{policy_hash(inside[0])}'" in documents.policy
