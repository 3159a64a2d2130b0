"""Templates, filled in: the page with every text escaped, Markdown with what would be markup there made harmless."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from training.documents import words
from training.documents.blocks import Table

TEMPLATES = Path(__file__).with_name("templates")
_SCRIPTS = ("tablesort.min.js", "tablesort.number.min.js", "page.js")
_FILTERS = {name: getattr(words, name) for name in ("share", "figure", "amount", "days", "listed", "readable")}
_HARMLESS = str.maketrans({"<": "&lt;", ">": "&gt;", "|": "\\|", "[": "\\["})


def style() -> str:
    """The page's only style sheet."""
    return (TEMPLATES / "page.css").read_text(encoding="utf-8")


def script() -> str:
    """The page's only script: sortable tables. The page works without it."""
    return "\n".join((TEMPLATES / name).read_text(encoding="utf-8").strip() for name in _SCRIPTS)


def policy_hash(text: str) -> str:
    """A text's digest as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page(**known: Any) -> str:
    """`evaluation.html`."""
    template = _environment(escape=True).get_template("evaluation.html")
    return template.render(style=Markup(style()), script=Markup(script()), **known)  # noqa: S704 - our own files


def markdown(template: str, **known: Any) -> str:
    """A Markdown document from its template."""
    return _environment(escape=False).get_template(template).render(**known)


def as_json(content: Mapping[str, Any]) -> str:
    """A document in JSON."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def told(text: str, **known: Any) -> str:
    """One text of a record, line breaks of the source gone except before a numbered line."""
    said = _compiled(text).render(**known)
    lines = said.strip().splitlines()
    joined = "".join(f"\n{line}" if line[:1].isdecimal() and line[1:3] == ". " else f" {line}" for line in lines)
    return joined.strip()


@cache
def _compiled(text: str) -> Template:
    return _environment(escape=False).overlay(finalize=None).from_string(text)


@cache
def _environment(*, escape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=escape,  # noqa: S701 - Markdown has no HTML escapes of its own; `_harmless` takes their place
        finalize=None if escape else _harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(_FILTERS)
    environment.filters["table"] = _table
    return environment


def _harmless(value: Any) -> Any:
    """What is filled in may come from a force's extract; Markdown lets HTML through."""
    return value.translate(_HARMLESS) if isinstance(value, str) and not isinstance(value, Markup) else value


def _table(block: Table) -> Markup:
    """A table in Markdown; numbers to the right."""
    sides = ["---:" if numeric and place else "---" for place, numeric in enumerate(block.numeric)]
    marked = [[f"{cell.shown} ({cell.mark})" if cell.mark else cell.shown for cell in line] for line in block.lines]
    lines = [" | ".join(str(_harmless(text)) for text in row) for row in (block.heads, *marked)]
    lines.insert(1, " | ".join(sides))
    return Markup("\n".join(f"| {line} |" for line in lines))  # noqa: S704 - every text went through _harmless
