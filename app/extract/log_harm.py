"""Missing scores of an extract's domestic non-crimes, read out of their logs: for training and for scoring alike."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from app.extract.logs import Logs, read_logs
from app.extract.raw import RawIncidents
from app.extract.rules import Counts
from app.text.manifest import SCORES
from app.text.model import TextModel
from app.text.records import sendable
from app.text.service import newest_model

_AT_ONCE = 500


class LogHarm:
    """Reads the logs of one extract; `manifest_sha256` names the model that does. Holds the texts as long as it lives."""

    def __init__(self, model: TextModel, logs: Logs) -> None:
        self._model = model
        self._row = {name: row for row, name in enumerate(logs.incident_id.tolist())}
        self._texts = logs.text
        self.manifest_sha256 = model.bundle.manifest_sha256

    def read(self, incident_ids: Sequence[str]) -> dict[str, float]:
        """Harm (days) of those incidents that have a log with a word the model knows, as `POST /score` would infer it.

        A log that no request may hold is not read: longer than `MAX_TEXT`, or with control characters in it.
        """
        texts = self.texts(incident_ids)
        named = [name for name, text in texts.items() if sendable(text)]
        found: dict[str, float] = {}
        for first in range(0, len(named), _AT_ONCE):
            part = named[first : first + _AT_ONCE]
            counts = self._model.counts([texts[name] for name in part])
            places = self._model.probabilities(counts).argmax(axis=1)
            known = np.any(counts, axis=1).tolist()
            found |= {name: SCORES[place] for name, place, fine in zip(part, places, known, strict=True) if fine}
        return found

    def texts(self, incident_ids: Iterable[str]) -> dict[str, str]:
        """The logs of those incidents that have one."""
        return {name: self._texts[self._row[name]] for name in incident_ids if name in self._row}


def log_harm(extract: Path, model: TextModel | None) -> LogHarm | None:
    """A reader of the extract's logs; None where there is no model or there are no logs. Raises SetupError as `read_logs`."""
    logs = None if model is None else read_logs(extract)
    return None if model is None or logs is None else LogHarm(model, logs)


def newest_log_harm(extract: Path, artefacts: Path, artifact_keys: Path | None = None) -> LogHarm | None:
    """The same with the newest model of logs below `artefacts`, which is loaded only where there is something to read.

    Raises SetupError as `newest_model`.
    """
    logs = read_logs(extract)
    model = None if logs is None else newest_model(artefacts, artifact_keys)
    return None if model is None or logs is None else LogHarm(model, logs)


def fill_in(incidents: RawIncidents, logs: LogHarm | None, counts: Counts) -> RawIncidents:
    """Fill in the harm of domestic non-crimes that is read out of their logs, and mark them."""
    if logs is None:
        return incidents
    missing = np.flatnonzero(np.isnan(incidents.harm_score) & incidents.non_crime & incidents.domestic)
    names = incidents.ids.take(pa.array(missing)).to_pylist()
    read = logs.read(names)
    harm = incidents.harm_score.copy()
    harm[missing] = [read.get(name, np.nan) for name in names]
    inferred = ~np.isnan(harm) & np.isnan(incidents.harm_score)
    counts["domestic-non-crime-read"] = int(inferred.sum())
    return replace(incidents, harm_score=harm, inferred=inferred)
