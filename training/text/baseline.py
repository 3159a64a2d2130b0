"""The drift baseline of a model of logs: what the logs it is for look like when it is made (app/text/drift.py)."""

import numpy as np

from app.extract.logs import Logs
from app.harm.features import Floats
from app.harm.robustness import Bins
from app.text.baseline import TextBaseline
from app.text.drift import log_figures, score_shares
from app.text.model import TextModel
from app.text.records import MAX_TEXT
from training.harm.baseline import ALARM, FEWEST, WATCH, fit_bins

MOST = 10_000
_AT_ONCE = 500


def fit_text_baseline(model: TextModel, logs: Logs, seed: int) -> TextBaseline | None:
    """From at most `MOST` domestic non-crimes, whether anybody scored them or not; None where fewer than `FEWEST` of them
    have a log that can be read. Crimes, which the model learnt from, are none of the logs it is for."""
    usable = [row for row in np.flatnonzero(logs.non_crime & logs.domestic) if len(logs.text[row]) <= MAX_TEXT]
    texts = [logs.text[row] for row in np.random.default_rng(seed).permutation(usable)[:MOST]]
    parts = [model.counts(texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
    known = [part.any(axis=1) for part in parts]
    if sum(int(read.sum()) for read in known) < FEWEST:
        return None
    texts = [texts[row] for row in np.flatnonzero(np.concatenate(known))]
    chances = [model.probabilities(part[read]) for part, read in zip(parts, known, strict=True)]
    found = log_figures(model, texts, np.concatenate(chances))
    return TextBaseline(
        known_words=_bins(found.known_words),
        terms=_bins(found.terms),
        highest_probability=_bins(found.highest_probability),
        scores=tuple(score_shares(found.named).tolist()),
        logs=len(found),
        watch=WATCH,
        alarm=ALARM,
        fewest=FEWEST,
    )


def _bins(values: Floats) -> Bins:
    return fit_bins(values, np.ones(len(values)))
