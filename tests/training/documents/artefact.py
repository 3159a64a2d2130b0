"""An artefact folder with an evaluation: the toy's manifest beside figures partly measured, partly of that shape only."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.toy_bundle import write_toy

MEASURED = Path(__file__).parents[2] / "data/evaluation.json"


def evaluation() -> dict[str, Any]:
    """Every section as it is measured."""
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def evaluated(
    artifacts: Path, change: Callable[[dict[str, Any]], Any] = lambda _: None, family: str = "stalking-nominal"
) -> Path:
    """Write the artefact below `artifacts`; `change` edits the evaluation first. Returns the folder."""
    folder = write_toy(artifacts, family=family)
    measured = evaluation()
    measured["artefact"]["manifest_sha256"] = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    change(measured)
    (folder / "evaluation.json").write_text(json.dumps(measured))
    return folder


def without(*paths: str) -> Callable[[dict[str, Any]], None]:
    """A change that drops parts by dotted path."""

    def drop(measured: dict[str, Any]) -> None:
        for path in paths:
            *steps, last = path.split(".")
            part = measured
            for step in steps:
                part = part.get(step, {})
            part.pop(last, None)

    return drop
