"""Drift of a model of logs: the logs it read for scores given of late, opened from the ledger, counted and forgotten.

What was read out of a log stands in the score's warning `harm-inferred`; what is in it, in the sealed request. A log that
came with ten scores of one person counts once.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from app.audit.store import Store
from app.errors import InvalidInput
from app.harm.archive import Archived, from_bytes
from app.harm.drift_answers import DriftAnswer, Words, figures_answer
from app.harm.drift_reading import MOST_SCORES, Window, recent_entries
from app.harm.inferred import CODE
from app.harm.records import read_request
from app.text.drift import LogFigures, log_figures, log_inputs, log_outputs
from app.text.model import TextModel

_WORDS = Words(
    "This artefact has no drift baseline: fit it again on an extract with enough logs of domestic non-crimes.",
    "Too few logs to tell change from chance: it takes {fewest}.",
    "Logs read of late look like those the model was made for.",
    "Logs read of late differ from those the model was made for, most in: {figures}. Find out why before relying on "
    "what is read out of them.",
)


class ReadLog(NamedTuple):
    """Figures of one log as in `LogFigures`, and the day of the score it came with. No text, and nobody's id."""

    known_words: float
    terms: float
    highest_probability: float
    named: int
    given_on: date


def read_given_logs(store: Store, model: TextModel, window: Window) -> list[ReadLog]:
    """The last `window.last` logs that this very artefact read, among the last `MOST_SCORES` scores of the window's days.

    Left out: what was erased, and what rests on a request that today's rules refuse. Raises Unavailable.
    """
    seen: set[str] = set()
    found: list[ReadLog] = []
    for entry, opened in store.open_all(recent_entries(store, window.days, MOST_SCORES)):
        if len(found) >= window.last:
            break
        if opened is not None:
            found += _logs(model, from_bytes(opened.payload), entry.time.date(), seen)
    return found[: window.last]


def log_drift_answer(model: TextModel, window: Window, read: Sequence[ReadLog]) -> DriftAnswer:
    """Hold what was read against the artefact's baseline, if it has one and the logs are enough."""
    baseline = model.bundle.manifest.drift
    enough = baseline if baseline and len(read) >= baseline.fewest else None
    recent = together(read) if enough else None
    inputs = log_inputs(enough, recent) if enough and recent else []
    outputs = log_outputs(enough, recent) if enough and recent else []
    return figures_answer(model.bundle, baseline, window, [one.given_on for one in read], inputs, outputs, _WORDS)


def together(read: Sequence[ReadLog]) -> LogFigures:
    """Many logs as columns."""
    known, terms, highest, named, _ = zip(*read, strict=True)
    return LogFigures(np.array(known), np.array(terms), np.array(highest), np.array(named, dtype=np.int64))


def _logs(model: TextModel, archived: Archived, day: date, seen: set[str]) -> Iterator[ReadLog]:
    """The logs of one score that were not seen before with a newer one; adds them to `seen`."""
    inferred = _inferred(archived.answer, model.bundle.manifest_sha256)
    fresh = {name: probabilities for name, probabilities in inferred.items() if name not in seen}
    if not fresh:
        return
    try:
        incidents = read_request(archived.request).incidents
    except InvalidInput:
        return
    seen.update(fresh)
    texts = {one.incident_id: one.log_text for one in incidents if one.incident_id in fresh and one.log_text}
    if not texts:
        return
    chances = np.array([fresh[name] for name in texts])
    found = log_figures(model, list(texts.values()), chances)
    known, terms, highest = (column.tolist() for column in (found.known_words, found.terms, found.highest_probability))
    for row, place in enumerate(found.named.tolist()):
        yield ReadLog(known[row], terms[row], highest[row], place, day)


def _inferred(answer: bytes, manifest_sha256: str) -> dict[str, list[float]]:
    """Incident id -> probabilities, of what this artefact read for an answer as stored."""
    warnings = json.loads(answer)["history"]["warnings"]
    own = (one for one in warnings if one["code"] == CODE and one["model"]["manifest_sha256"] == manifest_sha256)
    return {told["incident_id"]: told["probabilities"] for one in own for told in one["incidents"]}
