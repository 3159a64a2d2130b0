"""Texts in, inferred harm out. Pure: no HTTP, no database; keeps nothing, logs nothing, and no error repeats a word."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.artifact_signatures import read_trusted
from app.artifacts import load_bundle, versions
from app.errors import SetupError
from app.text.explanation import terms_that_mattered
from app.text.manifest import FAMILY, SCORES, TextManifest
from app.text.model import TextModel
from app.text.records import Inferred, ReadBy

EXPLAINED = 20
"""Texts of one request whose terms are told, the last ones: as many as incidents stand on their own in a model's input."""


class LogReader:
    """Infers harm from texts with one model."""

    def __init__(self, model: TextModel) -> None:
        self.model = model
        manifest = model.bundle.manifest
        self.identity = ReadBy(manifest.family, manifest.version, model.bundle.manifest_sha256, manifest.learnt_from)

    def read(self, texts: Sequence[str]) -> list[Inferred | None]:
        """What each text says; None where it has no word the model knows, so that there is nothing to infer from."""
        if not texts:
            return []
        counts = self.model.counts(texts)
        chances = self.model.probabilities(counts)
        known = np.any(counts, axis=1)
        first_explained = len(texts) - EXPLAINED
        found: list[Inferred | None] = []
        for row, probabilities in enumerate(chances):
            terms = terms_that_mattered(self.model, counts[row : row + 1]) if row >= first_explained else None
            score = SCORES[int(probabilities.argmax())]
            inferred = Inferred(score, SCORES, tuple(probabilities.tolist()), terms, self.identity)
            found.append(inferred if known[row] else None)
        return found


def newest_model(artefacts: Path, artifact_keys: Path | None = None) -> TextModel | None:
    """The newest model of logs below a folder of artefacts, its golden texts tried; None where there is none.

    Raises SetupError where it is another kind of model, signed by none of `artifact_keys` where those are
    given, or does not reproduce here.
    """
    folders = versions(artefacts).get(FAMILY)
    if not folders:
        return None
    bundle = load_bundle(folders[0], None if artifact_keys is None else read_trusted(artifact_keys))
    if not isinstance(bundle.manifest, TextManifest):
        raise SetupError(f"{folders[0]} does not hold a model that reads logs. Fit it again.")
    model = TextModel(bundle)
    model.check_golden()
    return model
