"""Writing the documents beside an artefact: all of them, from what was measured, the same bytes for the same figures."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.documents import (
    ALGO_CARE,
    ATRS,
    ATRS_TEXT,
    CARD,
    COVENANT,
    FORMAT,
    LIST,
    MEDIA,
    PAGE,
    DocumentList,
    DocumentName,
)
from app.errors import SetupError
from app.files import written_whole
from training.documents import records, render
from training.documents.card import model_card
from training.documents.facts import Facts, read_facts
from training.documents.page import evaluation_page
from training.documents.spoken import vocabulary


def write_documents(folder: Path) -> list[Path]:
    """Write every document of the artefact in `folder` from its manifest.json and evaluation.json; returns the paths.

    `documents.json` goes first and comes back last, so that a run that was killed leaves an artefact without documents,
    never one with documents that do not belong together. Raises SetupError where either file is missing, unusable or of
    another artefact, or where the folder cannot be written.
    """
    facts = read_facts(folder)
    texts = made(facts)
    _remove(folder / LIST)
    for name, text in texts.items():
        _write(folder / name, text)
    digests: dict[str, str] = {name: _digest((folder / name).read_bytes()) for name in MEDIA}
    listed = DocumentList(
        format=FORMAT,
        manifest_sha256=facts.manifest_sha256,
        files=digests,
        style=render.policy_hash(render.style()),
        script=render.policy_hash(render.script()),
    )
    _write(folder / LIST, _json(listed.model_dump()))
    return [folder / name for name in (*texts, LIST)]


def made(facts: Facts) -> dict[DocumentName, str]:
    """Every document but the evaluation itself, name -> text."""
    known = vocabulary(facts)
    record, covenant = records.atrs(facts, known), records.covenant(facts, known)
    return {
        CARD: model_card(facts, known),
        ATRS: _json(record),
        ATRS_TEXT: render.markdown("atrs.md", record=record, manifest=facts.manifest),
        ALGO_CARE: render.markdown("algo_care.md", letters=records.algo_care(known), **known),
        COVENANT: _json(covenant.model_dump()),
        PAGE: evaluation_page(facts, covenant),
    }


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    with written_whole(path) as file:
        file.write(text.encode())


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(f"{path} cannot be replaced: {error.strerror}.") from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
