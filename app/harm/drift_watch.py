"""Drift measured when somebody asks, and every few hours for the gauges: bounded, kept for minutes, said in the ledger."""

import asyncio
import json
import threading
import time

import structlog

from app import metrics
from app.audit.ledger import Ledger
from app.audit.records import NewRecord
from app.audit.store import Store
from app.errors import DayZeroError, NotFound
from app.harm.drift_answers import DriftAnswer, drift_answer
from app.harm.drift_reading import Window, read_scores
from app.harm.log_drift import log_drift_answer, read_given_logs
from app.harm.model import HarmModel
from app.harm.service import Scorer
from app.logs import where
from app.purposes import OWN_PURPOSE
from app.text.model import TextModel

KEPT_SECONDS = 600.0
WATCH_SECONDS = 6 * 3600.0
_ISSUER, _SUBJECT = "dayzero", "drift"
_LEVELS = {"steady": 0, "watch": 1, "alarm": 2}

Watched = HarmModel | TextModel

log = structlog.get_logger()


class DriftWatch:
    """Drift of the loaded models. Thread-safe; one measurement at a time. Only finished figures are kept."""

    def __init__(self, store: Store, ledger: Ledger, scorer: Scorer) -> None:
        self._store, self._ledger, self._scorer = store, ledger, scorer
        self._models: dict[str, Watched] = {**scorer.models, **scorer.texts}
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, Window], tuple[float, DriftAnswer]] = {}

    def model(self, family: str) -> Watched:
        """The model of a family, of harm or of logs. Raises NotFound."""
        model = self._models.get(family)
        if model is None:
            raise NotFound("No model of that family is loaded here.")
        return model

    def known(self, model: Watched, window: Window) -> DriftAnswer | None:
        """The answer, where it needs no score to be opened: measured within ten minutes, or nothing to compare with."""
        if isinstance(model, TextModel) and model.bundle.manifest.drift is None:
            return log_drift_answer(model, window, [])
        if isinstance(model, HarmModel) and model.robustness is None:
            return drift_answer(model, window, [])
        kept = self._kept.get((model.bundle.manifest_sha256, window))
        return kept[1] if kept and time.monotonic() - kept[0] < KEPT_SECONDS else None

    async def record(self, family: str, issuer: str, subject: str, purpose: str) -> None:
        """Append that recent scores are opened, and for whom; what cannot be recorded does not happen."""
        told = json.dumps({"route": "/models/{family}/drift", "family": family}).encode()
        await self._ledger.append(NewRecord("read", issuer, subject, told, purpose=purpose))

    def measure(self, model: Watched, window: Window) -> DriftAnswer:
        """Open the scores of the window and hold them against the manifest. Raises Unavailable."""
        with self._lock:
            found = self.known(model, window)  # somebody else may have asked meanwhile
            if found is None:
                found = self._measured(model, window)
                fresh = {key: kept for key, kept in self._kept.items() if time.monotonic() - kept[0] < KEPT_SECONDS}
                self._kept = fresh | {(model.bundle.manifest_sha256, window): (time.monotonic(), found)}
                if window == Window():
                    _publish(found)
        return found

    def _measured(self, model: Watched, window: Window) -> DriftAnswer:
        if isinstance(model, TextModel):
            return log_drift_answer(model, window, read_given_logs(self._store, model, window))
        return drift_answer(model, window, read_scores(self._store, self._scorer, model, window))

    async def keep_watching(self) -> None:
        """Every six hours, for ever, so that the gauges speak although nobody asks."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self.watch()

    async def watch(self) -> None:
        """Measure each model over the usual window; a fault is logged and tried again the next time."""
        for family, model in self._models.items():
            if self.known(model, Window()) is not None:
                continue
            try:
                await self.record(family, _ISSUER, _SUBJECT, OWN_PURPOSE)
                await asyncio.to_thread(self.measure, model, Window())
            except DayZeroError as error:
                log.warning("drift-not-measured", family=family, reason=error.detail)
            except Exception as error:  # noqa: BLE001 - its text may hold anything
                log.error("drift-not-measured", family=family, error=type(error).__name__, where=where(error))  # noqa: TRY400


def _publish(found: DriftAnswer) -> None:
    metrics.DRIFT_SCORES.labels(found.family).set(found.scores)
    metrics.DRIFT_TIME.labels(found.family).set_to_current_time()
    for one in (*found.inputs, *found.outputs):
        metrics.DRIFT.labels(found.family, one.name).set(one.psi)
    if found.status in _LEVELS:
        metrics.DRIFT_LEVEL.labels(found.family).set(_LEVELS[found.status])
