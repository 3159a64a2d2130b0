"""What was written about an artefact, beside it: its evaluation and the documents made from that.

The evaluation comes after the manifest, whose digest it names, so its digests cannot stand in the manifest: they stand in
`documents.json`, written last, which names the manifest it belongs to. That shows a file that was changed, mixed up or
half written; it proves no author. Nothing here is ever an input of a score.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.answer import Answer
from app.errors import MalformedInput, SetupError
from app.files import read_plain
from app.media import HTML, JSON, MARKDOWN
from app.strict_json import read_json

LIST = "documents.json"
FORMAT: Final = 1
EVALUATION: Final = "evaluation.json"
PAGE: Final = "evaluation.html"
CARD: Final = "model_card.md"
ATRS: Final = "atrs.json"
ATRS_TEXT: Final = "atrs.md"
ALGO_CARE: Final = "algo_care.md"
COVENANT: Final = "covenant.json"
DocumentName = Literal[
    "evaluation.json", "evaluation.html", "model_card.md", "atrs.json", "atrs.md", "algo_care.md", "covenant.json"
]
MEDIA: dict[DocumentName, str] = {
    EVALUATION: JSON,
    PAGE: HTML,
    CARD: MARKDOWN,
    ATRS: JSON,
    ATRS_TEXT: MARKDOWN,
    ALGO_CARE: MARKDOWN,
    COVENANT: JSON,
}
"""Every document there is, with its media type."""
AGAIN = "Write the documents again: `dayzero-train evaluate --documents-only`."
_MAX_BYTES = 16 << 20

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
PolicyHash = Annotated[str, Field(pattern="^sha256-[A-Za-z0-9+/]{43}=$")]
Letter = Literal["A", "M", "L"]


class DocumentList(BaseModel):
    """`documents.json`: the artefact the documents belong to, their digests, and what the page may run.

    `style` and `script` are the digests of the page's own style sheet and script, as a content security policy names
    them: they come from the template, never from the finished page, so nothing that slipped into it can be among them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1]
    manifest_sha256: Digest
    files: dict[str, Digest]
    style: PolicyHash
    script: PolicyHash


class Principle(Answer):
    """One principle of the Covenant: what implements it, where that is tested, what was measured, what stays to do."""

    name: str
    """The principle."""
    meaning: str
    """What it asks for."""
    implemented_by: list[str]
    """What in Day Zero does it."""
    tested_in: list[str]
    """Tests that hold it."""
    measured: list[str]
    """Figures of this model."""
    for_the_force: list[str]
    """What a force still has to do itself."""


class Part(Answer):
    """A part of the stack with its letters: A adequate, M moderate, L limited."""

    part: str
    """The part of the stack."""
    explainable: Letter
    """Letter for explainability: A adequate, M moderate, L limited."""
    transparent: Letter
    """Letter for transparency, likewise."""
    reason: str
    """Why these letters."""


class Covenant(BaseModel):
    """`covenant.json`: the six principles and the letters of each part."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    notice: str
    manifest_sha256: Digest
    principles: list[Principle]
    parts: list[Part]


@dataclass(frozen=True)
class Documents:
    """Checked documents of one artefact, name -> bytes."""

    listed: DocumentList
    files: dict[DocumentName, bytes]

    @property
    def policy(self) -> str:
        """Content security policy of the page: its own style sheet and script, and nothing from anywhere."""
        allowed = f"style-src '{self.listed.style}'; script-src '{self.listed.script}'"
        return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    @cached_property
    def evaluation(self) -> dict[str, Any]:
        """`evaluation.json`."""
        return _object(EVALUATION, self.files[EVALUATION])

    @cached_property
    def atrs(self) -> dict[str, Any]:
        """`atrs.json`."""
        return _object(ATRS, self.files[ATRS])

    @cached_property
    def covenant(self) -> Covenant:
        """`covenant.json`."""
        try:
            return Covenant.model_validate_json(self.files[COVENANT])
        except ValidationError:
            raise SetupError(f"{COVENANT} does not have the shape this version knows. {AGAIN}") from None


def load_documents(folder: Path, manifest_sha256: str) -> Documents | None:
    """Read and check the documents of the artefact with that manifest; None where none were written.

    Raises SetupError for a document that is missing, was changed, is a symbolic link, is too large or belongs to another
    artefact.
    """
    if not (folder / LIST).exists() and not (folder / LIST).is_symlink():
        return None
    try:
        listed = DocumentList.model_validate_json(read_plain(folder / LIST, _MAX_BYTES))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file itself"
        raise SetupError(f"{folder / LIST}: {where}: {first['type']}. {AGAIN}") from None
    if listed.manifest_sha256 != manifest_sha256:
        raise SetupError(f"{folder / LIST} belongs to another artefact (manifest_sha256 differs). {AGAIN}")
    files = {name: _checked(folder / name, listed.files.get(name)) for name in MEDIA}
    documents = Documents(listed, files)
    for read in (lambda: documents.evaluation, lambda: documents.atrs, lambda: documents.covenant):
        read()
    return documents


def _checked(path: Path, digest: str | None) -> bytes:
    content = read_plain(path, _MAX_BYTES)
    if hashlib.sha256(content).hexdigest() != digest:
        raise SetupError(f"{path} is not the file {LIST} describes (SHA-256 differs). {AGAIN}")
    return content


def _object(name: str, content: bytes) -> dict[str, Any]:
    try:
        found = read_json(content)
    except MalformedInput as error:
        raise SetupError(f"{name} is not JSON ({error.faults[0].rule}). {AGAIN}") from None
    if not isinstance(found, dict):
        raise SetupError(f"{name} is not a JSON object. {AGAIN}")
    return found
