"""Sections measured later take their places in the evaluation.json beside an artefact, as if all had been measured at once."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import SetupError
from app.files import read_plain
from training.evaluation.sections import SECTIONS

_MOST_BYTES = 64 << 20
Results = dict[str, dict[str, Any]]
"""Bench -> what it learnt from and section -> what was measured."""


def joined(path: Path, header: Mapping[str, Any], benches: tuple[str, ...], fresh: Results) -> Results:
    """What the file at `path` holds with `fresh` sections in their places, in the order of a whole run.

    Raises SetupError where there is no such file, or where it was measured of another artefact, with another seed or
    other libraries than `header` says: then only a whole run makes one file of it.
    """
    document = _read(path)
    differing = [name for name, value in header.items() if document.get(name) != value]
    if differing:
        raise SetupError(
            f"{path} differs in {', '.join(differing)} from what was measured now. Run the whole evaluation."
        )
    return {bench: _of_bench(document, bench, bench == benches[0], fresh.get(bench, {})) for bench in benches}


def reasons(path: Path) -> dict[str, str]:
    """Why the file at `path` lacks what it says it lacks, name -> reason. Raises SetupError where there is no such file."""
    found = _read(path).get("left_out", {})
    return dict(found) if isinstance(found, dict) else {}


def _of_bench(document: Mapping[str, Any], bench: str, home: bool, fresh: Mapping[str, Any]) -> dict[str, Any]:
    world = document["worlds"].get(bench, {})
    kept = {section.name: _dig(world if section.of_world else document, section.name) for section in SECTIONS}
    found = {
        section.name: fresh.get(section.name, kept[section.name]) for section in SECTIONS if section.of_world or home
    }
    learnt_from = {"learnt_from": fresh.get("learnt_from") or world["learnt_from"]} if fresh or world else {}
    return {**learnt_from, **{name: value for name, value in found.items() if value is not None}}


def _dig(tree: Any, name: str) -> Any:
    """What stands at a dotted name; None where nothing does."""
    for part in name.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_plain(path, _MOST_BYTES))
        document["worlds"].items()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SetupError(f"{path} is not an evaluation. Run the whole evaluation.") from None
    return dict(document)
