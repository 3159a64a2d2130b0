"""How often the watch for drift is silent where nothing has changed: windows of a force like the one a model learnt from."""

from collections import Counter
from typing import Any

import numpy as np

from app.extract.logs import Logs
from app.harm.drift import worst
from app.text.drift import LogFigures, log_figures, log_inputs, log_outputs
from app.text.model import TextModel

WINDOWS, SIZES = 200, (300, 500)
_MOST = 5_000


def measure_silence(model: TextModel, logs: Logs, seed: int) -> dict[str, Any] | None:
    """Of `WINDOWS` windows of domestic non-crimes, drawn without replacement, how many got each verdict, by size of window;
    None where the artefact has no baseline."""
    if model.bundle.manifest.drift is None:
        return None
    rng = np.random.default_rng(seed)
    rows = rng.permutation(np.flatnonzero(logs.non_crime & logs.domestic))[:_MOST]
    texts = [logs.text[row] for row in rows]
    found = log_figures(model, texts, np.concatenate([model.probabilities(model.counts([text])) for text in texts]))
    return {
        "windows": WINDOWS,
        "logs": len(rows),
        **{str(size): verdicts(model, found, size, rng) for size in SIZES if size < len(rows)},
    }


def verdicts(model: TextModel, found: LogFigures, size: int, rng: np.random.Generator) -> dict[str, int]:
    """How many windows of `size` among N logs are steady, worth watching or alarming."""
    baseline = model.bundle.manifest.drift
    told: Counter[str] = Counter({"steady": 0, "watch": 0, "alarm": 0})
    for _ in range(WINDOWS if baseline else 0):
        rows = rng.permutation(len(found))[:size]
        window = LogFigures(
            found.known_words[rows], found.terms[rows], found.highest_probability[rows], found.named[rows]
        )
        if baseline is not None:
            told[worst([*log_inputs(baseline, window), *log_outputs(baseline, window)])] += 1
    return dict(told)
