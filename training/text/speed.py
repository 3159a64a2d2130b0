"""How long reading a log takes on this machine: the one thing in an evaluation that comes out otherwise each time."""

import statistics
import time
from typing import Any

from app.text.model import TextModel
from app.text.service import LogReader

_TIMED = 400


def measure_speed(model: TextModel, texts: list[str]) -> dict[str, Any]:
    """Milliseconds from a text to its probabilities (`alone`) and with the terms that mattered (`with_terms`): median and
    95th percentile, on one thread."""
    reader = LogReader(model)
    alone, with_terms = list[float](), list[float]()
    for number in range(_TIMED):
        text = [texts[number % len(texts)]]
        begun = time.perf_counter()
        model.probabilities(model.counts(text))
        told = time.perf_counter()
        reader.read(text)
        alone.append(1_000 * (told - begun))
        with_terms.append(1_000 * (time.perf_counter() - told))
    return {"texts": _TIMED, "alone": _spans(alone), "with_terms": _spans(with_terms)}


def _spans(milliseconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(milliseconds, n=20)
    return {"p50": round(cuts[9], 2), "p95": round(cuts[18], 2)}
