"""Texts in, probabilities of the five scores out: the vocabulary and the graph of one bundle."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from app.artifacts import Bundle
from app.errors import SetupError
from app.onnx_session import open_session
from app.text.features import TermCounter, Vocabulary
from app.text.manifest import MODEL, SCORES, VOCABULARY, TextManifest

GOLDEN_TOLERANCE = 1e-6
Counts = NDArray[np.float32]
Floats = NDArray[np.float64]


class TextModel:
    """One bundle, loaded once. Thread-safe; keeps nothing of what it reads."""

    def __init__(self, bundle: Bundle[TextManifest]) -> None:
        self.bundle = bundle
        self.vocabulary = _vocabulary(bundle)
        width = len(self.vocabulary.terms)
        self._counter = TermCounter(self.vocabulary)
        self._session = open_session(bundle.files[MODEL], MODEL, {"counts": [width]}, ["probabilities"])

    def counts(self, texts: Sequence[str]) -> Counts:
        """How often each text has each term, float32 (N, T)."""
        table = np.zeros((len(texts), len(self.vocabulary.terms)), dtype=np.float32)
        for row, text in zip(table, texts, strict=True):
            found = self._counter.counts(text)
            row[list(found)] = list(found.values())
        return table

    def probabilities(self, counts: Counts) -> Floats:
        """Probabilities of the five scores for counts (N, T), float64 (N, 5); rows sum to 1."""
        (found,) = self._session.run(None, {"counts": counts})
        wide: Floats = np.asarray(found, dtype=np.float64)
        wide /= wide.sum(axis=1, keepdims=True)
        return wide

    def check_golden(self) -> None:
        """Read every golden text and compare to 1e-6. Raises SetupError at the first that differs."""
        name = self.bundle.manifest.family
        golden = self.bundle.golden
        if not golden:
            raise SetupError(f"{name}: the artefact has no golden cases, so nothing shows that it works here.")
        for number, case in enumerate(golden, start=1):
            if not self._reproduces(case):
                raise SetupError(f"{name}: golden case {number} does not reproduce on this machine.")

    def _reproduces(self, case: dict[str, Any]) -> bool:
        try:
            found = self.probabilities(self.counts([case["text"]]))[0]
            return bool(np.abs(found - np.asarray(case["probabilities"])).max() <= GOLDEN_TOLERANCE)
        except (AttributeError, KeyError, TypeError, ValueError):
            return False


def _vocabulary(bundle: Bundle[TextManifest]) -> Vocabulary:
    try:
        vocabulary = Vocabulary.model_validate(json.loads(bundle.files[VOCABULARY]))
    except (ValidationError, ValueError):
        raise SetupError(f"{VOCABULARY} is not a vocabulary this version knows. Train it again.") from None
    if len(vocabulary.terms) != bundle.manifest.terms:
        raise SetupError(f"{VOCABULARY} has another number of terms than its manifest says. Train it again.")
    return vocabulary


def expected_harm(probabilities: Floats) -> Floats:
    """Mean harm in days, (N,), for probabilities (N, 5)."""
    mean: Floats = probabilities @ np.asarray(SCORES)
    return mean
