"""Versions of a model older than the one that serves: they speak for the scores they made, and for no others. An older
model of logs speaks for the logs it read.

At the start only their manifests are read, which takes a millisecond each; the graphs are loaded when a score of theirs is
replayed or explained, and one such version is kept at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from app.artifacts import Bundle, load_any_manifest, load_bundle, versions
from app.audit.note import Verifier
from app.errors import ModelNotLoaded, SetupError
from app.harm.harm_index import HarmIndex, load_harm_index
from app.manifest import BaseManifest
from app.text.manifest import TextManifest
from app.text.model import TextModel
from app.text.records import ReadsLogs
from app.text.service import LogReader

log = structlog.get_logger()


class Version(NamedTuple):
    """An older version that lies beside the one that serves: its manifest, that one's digest, and where it lies."""

    manifest: BaseManifest
    manifest_sha256: str
    folder: Path


class Earlier:
    """The older versions there are, by the digest of their manifests; `trusted` keys must have signed them, too."""

    def __init__(self, found: Sequence[Version] = (), trusted: Sequence[Verifier] | None = None) -> None:
        self.found: Mapping[str, Version] = {version.manifest_sha256: version for version in found}
        self._trusted = trusted

    def of(self, family: str) -> list[Version]:
        """Those of one family, newest first."""
        return [version for version in self.found.values() if version.manifest.family == family]

    def load(self, manifest_sha256: str) -> Bundle[Any]:
        """One of them, checked byte by byte. Raises ModelNotLoaded where it is not here or cannot be used."""
        version = self.found.get(manifest_sha256)
        if version is None:
            raise ModelNotLoaded(
                "The model version that made this score is not loaded here, and no other speaks for it."
            )
        try:
            bundle = load_bundle(version.folder, self._trusted)
        except SetupError as error:
            log.warning("earlier-version-not-loaded", version=version.manifest.version, reason=error.detail)
            raise ModelNotLoaded(
                "The model version that made this score is here and cannot be loaded; the operator's log says why."
            ) from None
        if bundle.manifest_sha256 != manifest_sha256:
            raise ModelNotLoaded("The model version that made this score was exchanged since the start.")
        return bundle


def find_earlier(artifacts: Path, trusted: Sequence[Verifier] | None = None) -> Earlier:
    """All but the newest version of each family below `artifacts`; one that cannot be read is told and left out."""
    found = []
    for folders in versions(artifacts).values():
        for folder in folders[1:]:
            try:
                manifest, digest = load_any_manifest(folder)
            except SetupError as error:
                log.warning("earlier-version-not-usable", version=folder.name, reason=error.detail)
            else:
                found.append(Version(manifest, digest, folder))
    return Earlier(found, trusted)


def index_it_learnt_with(bundle: Bundle, in_force: HarmIndex) -> HarmIndex:
    """The harm index in force, or the one shipped where the version learnt with that one; logs are read by the same reader."""
    if bundle.manifest.harm_index.sha256 == in_force.sha256:
        return in_force
    return replace(load_harm_index(), reader=in_force.reader)


def earlier_reader(manifest_sha256: str, earlier: Earlier) -> ReadsLogs:
    """An older model of logs. Raises ModelNotLoaded where that very artefact is not here or cannot be used."""
    bundle = earlier.load(manifest_sha256)
    if not isinstance(bundle.manifest, TextManifest):
        raise ModelNotLoaded("What read the logs of this score, by its record, is no model of logs.")
    try:
        model = TextModel(bundle)
        model.check_golden()
    except SetupError as error:
        raise ModelNotLoaded(
            f"The model version that read the logs of this score cannot be used here. {error.detail}"
        ) from None
    return LogReader(model)
