"""Missing scores of an extract's domestic non-crimes, read out of their logs by the model that serves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from app.artifacts import load_bundle, versions
from app.errors import SetupError
from app.text.manifest import FAMILY, SCORES, TextManifest
from app.text.model import TextModel
from app.text.records import MAX_TEXT
from training.text.logs import Logs, read_logs

_AT_ONCE = 500


class LogHarm:
    """Reads the logs of one extract; `manifest_sha256` names the model that does."""

    def __init__(self, model: TextModel, logs: Logs) -> None:
        self._model = model
        self._row = {name: row for row, name in enumerate(logs.incident_id.tolist())}
        self._texts = logs.text
        self.manifest_sha256 = model.bundle.manifest_sha256

    def __call__(self, incident_ids: Sequence[str]) -> Mapping[str, float]:
        """Harm (days) of those incidents that have a log with a word the model knows, as `POST /score` would infer it."""
        named = [name for name in incident_ids if name in self._row and len(self._texts[self._row[name]]) <= MAX_TEXT]
        found: dict[str, float] = {}
        for first in range(0, len(named), _AT_ONCE):
            part = named[first : first + _AT_ONCE]
            counts = self._model.counts([self._texts[self._row[name]] for name in part])
            places = self._model.probabilities(counts).argmax(axis=1)
            known = np.any(counts, axis=1).tolist()
            found |= {name: SCORES[place] for name, place, fine in zip(part, places, known, strict=True) if fine}
        return found


def log_harm(extract: Path, artefacts: Path) -> LogHarm | None:
    """A reader of the extract's logs with the newest model of logs below `artefacts`; None where either is missing."""
    folders, logs = versions(artefacts).get(FAMILY), read_logs(extract)
    if not folders or logs is None:
        return None
    folder = folders[0]
    bundle = load_bundle(folder)
    if not isinstance(bundle.manifest, TextManifest):
        raise SetupError(f"{folder} does not hold a model that reads logs. Fit it again.")
    model = TextModel(bundle)
    model.check_golden()
    return LogHarm(model, logs)
