"""Whether this process may answer: the golden cases reproduced at start, and the store answers now."""

import time
from collections.abc import Callable

from app import metrics
from app.errors import DayZeroError, Unavailable

CACHE_SECONDS = 1.0


class Readiness:
    """`check_store` raises a DayZeroError while the store cannot take records; `model_fault` is None when all is well."""

    def __init__(self, check_store: Callable[[], None], model_fault: str | None) -> None:
        self._check_store = check_store
        self._model_fault = model_fault
        self._checked = 0.0
        self._store_fault: str | None = None

    def demand_model(self) -> None:
        """Raise Unavailable where the golden cases did not reproduce: no number is better than a wrong one."""
        if self._model_fault is not None:
            raise Unavailable(self._model_fault)

    def demand(self) -> None:
        """Raise Unavailable where this process cannot answer; the store is asked at most once a second."""
        if time.monotonic() - self._checked > CACHE_SECONDS:
            self._store_fault = self._ask_store()
            self._checked = time.monotonic()
        fault = self._model_fault or self._store_fault
        metrics.READY.set(fault is None)
        if fault is not None:
            raise Unavailable(fault)

    def _ask_store(self) -> str | None:
        try:
            self._check_store()
        except DayZeroError as error:
            return error.detail
        return None
