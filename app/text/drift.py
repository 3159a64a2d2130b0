"""Are the logs read now still like those the model was made for? Population stability index, as for the models of harm.

What is kept of a text are four numbers; neither a word nor a term of it leaves this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.harm.drift import Measured, held, moved, psi
from app.text.baseline import TextBaseline
from app.text.features import stems
from app.text.manifest import SCORES
from app.text.model import Floats, TextModel


@dataclass(frozen=True)
class LogFigures:
    """Of N logs: `known_words` share of a log's words that are part of a term, `terms` different terms in it,
    `highest_probability` chance of the score named, `named` its place in `SCORES`, each (N,)."""

    known_words: Floats
    terms: Floats
    highest_probability: Floats
    named: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.named)


def log_figures(model: TextModel, texts: Sequence[str], probabilities: Floats) -> LogFigures:
    """The figures of texts with the probabilities (N, 5) that were read out of them."""
    return LogFigures(
        known_words=_known_words(model, texts),
        terms=np.array([np.count_nonzero(model.counts([text])) for text in texts], dtype=np.float64),
        highest_probability=probabilities.max(axis=1),
        named=probabilities.argmax(axis=1),
    )


def score_shares(named: NDArray[np.int64]) -> Floats:
    """Share of logs given each score, (5,)."""
    return np.asarray(np.bincount(named, minlength=len(SCORES)) / len(named), dtype=np.float64)


def log_inputs(baseline: TextBaseline, recent: LogFigures) -> list[Measured]:
    """What is in the logs."""
    return [
        held(baseline, "known_words", moved(baseline.known_words, recent.known_words)),
        held(baseline, "terms", moved(baseline.terms, recent.terms)),
    ]


def log_outputs(baseline: TextBaseline, recent: LogFigures) -> list[Measured]:
    """What is read out of them."""
    certainty = moved(baseline.highest_probability, recent.highest_probability)
    return [
        held(baseline, "inferred_scores", psi(baseline.scores, score_shares(recent.named))),
        held(baseline, "highest_probability", certainty),
    ]


def _known_words(model: TextModel, texts: Sequence[str]) -> Floats:
    vocabulary = model.vocabulary
    known = {part for term in vocabulary.terms for part in term.split()}
    shares = []
    for text in texts:
        words = [stem for sentence in stems(text, vocabulary.forms, vocabulary.stop_words) for stem in sentence]
        shares.append(sum(stem in known for stem in words) / max(1, len(words)))
    return np.array(shares, dtype=np.float64)
