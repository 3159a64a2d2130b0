"""Writing the documents beside an artefact: all of them, from what was measured, the same bytes for the same figures."""

import hashlib
from pathlib import Path

from app.artifacts import load_any_manifest
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
from app.text.manifest import TextManifest
from training.documents import records, render
from training.documents.card import model_card
from training.documents.facts import Facts, Told, read_evaluation, read_facts
from training.documents.page import evaluation_page
from training.documents.spoken import vocabulary
from training.text.report.documents import made_of_logs
from training.text.report.facts import LogFacts


def write_documents(folder: Path) -> list[Path]:
    """Write every document of the artefact in `folder` from its manifest.json and evaluation.json; returns the paths.

    `documents.json` goes first and comes back last, so that a run that was killed leaves an artefact without documents,
    never one with documents that do not belong together. Raises SetupError where either file is missing, unusable or of
    another artefact, or where the folder cannot be written.
    """
    facts, texts = _told(folder)
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
    _write(folder / LIST, render.as_json(listed.model_dump()))
    return [folder / name for name in (*texts, LIST)]


def _told(folder: Path) -> tuple[Told, dict[DocumentName, str]]:
    """What the documents are of, and every one but the evaluation, by the kind of model."""
    manifest, digest = load_any_manifest(folder)
    if isinstance(manifest, TextManifest):
        of_logs = LogFacts(manifest, digest, read_evaluation(folder, digest))
        return of_logs, made_of_logs(of_logs)
    facts = read_facts(folder)
    return facts, made(facts)


def made(facts: Facts) -> dict[DocumentName, str]:
    """Every document but the evaluation itself, name -> text."""
    known = vocabulary(facts)
    record, covenant = records.atrs(facts, known), records.covenant(facts, known)
    return {
        CARD: model_card(facts, known),
        ATRS: render.as_json(record),
        ATRS_TEXT: render.markdown("atrs.md", record=record, manifest=facts.manifest),
        ALGO_CARE: render.markdown("algo_care.md", letters=records.algo_care(known), **known),
        COVENANT: render.as_json(covenant.model_dump()),
        PAGE: evaluation_page(facts, covenant),
    }


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
