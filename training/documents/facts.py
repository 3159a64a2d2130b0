"""What the documents may say: the manifest and the evaluation, looked up by path, a missing part being None."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from app.artifacts import Manifest, load_manifest
from app.documents import EVALUATION
from app.errors import MalformedInput, SetupError
from app.extract.load import REAL_SOURCE
from app.files import read_plain
from app.manifest import BaseManifest
from app.strict_json import read_json
from training.documents.subjects import About, Case, about, case_of
from training.documents.words import UNSAID
from training.evaluation.standing import PUBLISHED, SOBER, UNEQUAL, stands_for

FORMAT = 1
_MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class View:
    """One part of the evaluation; `at("a.b")` is the value there, None where any step is missing."""

    content: Any

    def at(self, path: str) -> Any:
        """The value at a dotted path; a step may be a name or, in a list, a number. None where there is none."""
        found = self.content
        for step in path.split("."):
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
        return found

    def under(self, path: str) -> "View":
        """The part at a dotted path."""
        return View(self.at(path))

    def rows(self, path: str) -> list["View"]:
        """A list of objects as views; empty where there is none."""
        found = self.at(path)
        return [View(row) for row in found] if isinstance(found, list) else []

    def items(self, path: str) -> Iterator[tuple[str, "View"]]:
        """Names and parts of an object; empty where there is none."""
        found = self.at(path)
        yield from ((name, View(part)) for name, part in found.items()) if isinstance(found, Mapping) else ()

    def __bool__(self) -> bool:
        return bool(self.content)


@dataclass(frozen=True)
class Measured:
    """Manifest and evaluation of one artefact of any kind."""

    manifest: BaseManifest
    manifest_sha256: str
    evaluation: View

    @property
    def synthetic(self) -> bool:
        """Did the artefact learn from invented people?"""
        return self.manifest.learnt_from != REAL_SOURCE

    @property
    def notice(self) -> str:
        """The first line of everything."""
        return str(self.evaluation.at("notice") or "")


@dataclass(frozen=True)
class Facts(Measured):
    """Of a model of harm."""

    manifest: Manifest

    @property
    def about(self) -> About:
        """Whom the model is about, in words."""
        return about(self.manifest.subject)

    @property
    def case(self) -> Case:
        """What begins a case, in words."""
        return case_of(self.manifest.subject)

    def absent(self, section: str) -> str:
        """Why there is nothing of a section: the reason it was left out with, or that it was not measured in this run."""
        reasons = self.evaluation.at("left_out")
        found = reasons.get(section) if isinstance(reasons, dict) else None
        return str(found) if found else UNSAID

    @property
    def here_name(self) -> str:
        """The world the artefact itself is measured in, which comes first: a force's own extract, or the one it learnt from."""
        return next((name for name, _ in self.evaluation.items("worlds")), PUBLISHED)

    @property
    def here(self) -> View:
        """Measurements in that world."""
        return self.world(self.here_name)

    @property
    def sober_name(self) -> str:
        """The world made as hard as real tools report, of those that were measured."""
        return self._standing_for(SOBER)

    @property
    def unequal_name(self) -> str:
        """The world whose recording treats people unequally."""
        return self._standing_for(UNEQUAL)

    @property
    def sober(self) -> View:
        """Measurements in the world made as hard as real tools report."""
        return self.world(self.sober_name)

    def world(self, name: str) -> View:
        """Measurements in one world."""
        return self.evaluation.under(f"worlds.{name}")

    def _standing_for(self, standing: str) -> str:
        return next((name for name, _ in self.evaluation.items("worlds") if stands_for(name) == standing), standing)


class Told(Protocol):
    """What every record says of itself, whatever kind of model it is of."""

    @property
    def notice(self) -> str: ...
    @property
    def manifest_sha256(self) -> str: ...


def read_facts(folder: Path) -> Facts:
    """Read an artefact folder's manifest and evaluation.

    Raises SetupError where either is missing or unusable, or where the evaluation is of another artefact.
    """
    manifest, digest = load_manifest(folder)
    return Facts(manifest, digest, read_evaluation(folder, digest))


def read_evaluation(folder: Path, manifest_sha256: str) -> View:
    """The evaluation of the artefact with that manifest. Raises SetupError as `read_facts`."""
    path = folder / EVALUATION
    try:
        content = read_json(read_plain(path, _MOST_BYTES))
    except MalformedInput as error:
        raise SetupError(f"{path} is not JSON ({error.faults[0].rule}). Run `dayzero-train evaluate` again.") from None
    evaluation = View(content)
    if evaluation.at("format") != FORMAT:
        raise SetupError(f"{path} is not an evaluation of this version. Run `dayzero-train evaluate` again.")
    if evaluation.at("artefact.manifest_sha256") != manifest_sha256:
        raise SetupError(f"{path} is the evaluation of another artefact. Run `dayzero-train evaluate` for this one.")
    return evaluation
