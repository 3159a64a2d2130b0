"""How well the scores of an invented force's domestic non-crimes are told: there, and only there, they are known."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from app.errors import SetupError
from app.extract.logs import read_logs
from app.extract.rules import UNSCORED_DOMESTIC_HARM
from app.text.manifest import SCORES
from app.text.model import TextModel
from training.text.measure import MEASURES, confusion

MOST = 5_000


def measure_non_crimes(model: TextModel, extract: Path) -> dict[str, float]:
    """Every measure on at most `MOST` domestic non-crimes with a log and a score, at their own mix, and how many they are;
    `error_of_three` the mean error of giving all of them the score of an extract without a model."""
    logs = read_logs(extract)
    if logs is None:
        raise SetupError("The extract has no logs: make it with `dayzero-train synth --logs`.")
    table = pq.read_table(extract / "incidents.parquet", columns=["incident_id", "harm_score"])
    scores = dict(zip(table["incident_id"].to_pylist(), table["harm_score"].to_pylist(), strict=True))
    known = [row for row, name in enumerate(logs.incident_id) if logs.non_crime[row] and scores.get(name) in SCORES]
    rows = np.random.default_rng(model.bundle.manifest.seed).permutation(known)[:MOST]
    true = np.searchsorted(SCORES, [scores[logs.incident_id[row]] for row in rows])
    named = [model.probabilities(model.counts([logs.text[row]]))[0].argmax() for row in rows]
    matrix = confusion(true, np.array(named))
    flat = float(np.abs(np.array(SCORES)[true] - UNSCORED_DOMESTIC_HARM).mean())
    return {"read": len(rows), "error_of_three": flat, **{name: value(matrix) for name, value in MEASURES.items()}}
