"""`logs.parquet`: a log for every domestic non-crime of a synthetic force, and for crimes of low harm anywhere in it.

The crimes are other people's than the nominals' (ids begin with W): the report drew its training set from a million
records of the whole force. A stream of chance of its own, so that the five tables keep every byte.
"""

import numpy as np
import pyarrow as pa

from training.synthetic.logs.facts import SCORES, draw
from training.synthetic.logs.writer import write_logs

LOGS = "logs"
SCHEMA = pa.schema(
    [
        ("incident_id", pa.string()),
        ("offence_code", pa.string()),
        ("is_non_crime", pa.bool_()),
        ("is_domestic", pa.bool_()),
        ("harm_score", pa.float64()),
        ("log_text", pa.string()),
    ]
)
_STREAM = (1_000,)
"""Key of the stream of chance: far from those of the tables."""
_CODES = (("12511",), ("14900", "05800"), ("12509",), ("19541", "00872"), ("10501", "19594"))
"""Offences of crimes of each score in the force's own edition of the index (ours: the shipped one has medians only)."""
_DOMESTIC_SHARE = 0.6


def logs_table(incidents: pa.Table, seed: int, crimes: int) -> pa.Table:
    """Logs of the domestic non-crimes among `incidents` and of `crimes` crimes of each score."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=_STREAM))
    ids, scores = _non_crimes(incidents)
    places = np.concatenate([np.searchsorted(SCORES, scores), np.repeat(np.arange(len(SCORES)), crimes)])
    kinds = rng.random(crimes * len(SCORES))
    codes = [
        _CODES[place][int(kind * len(_CODES[place]))] for place, kind in zip(places[len(ids) :], kinds, strict=True)
    ]
    columns = {
        "incident_id": [*ids, *(f"W{number:08}" for number in range(1, crimes * len(SCORES) + 1))],
        "offence_code": [*[None] * len(ids), *codes],
        "is_non_crime": [*[True] * len(ids), *[False] * len(codes)],
        "is_domestic": [*[True] * len(ids), *(rng.random(len(codes)) < _DOMESTIC_SHARE).tolist()],
        "harm_score": [*[None] * len(ids), *SCORES[places[len(ids) :]].tolist()],
    }
    columns["log_text"] = list(write_logs(rng, draw(rng, places)))
    return pa.table(columns, schema=SCHEMA)


def _non_crimes(incidents: pa.Table) -> tuple[list[str], list[float]]:
    """Ids and scores of the domestic non-crimes, each once, by id: what a row of the table says is what the log tells of."""
    columns = [
        incidents.column(name).to_pylist() for name in ("incident_id", "is_non_crime", "is_domestic", "harm_score")
    ]
    found = {
        name: score
        for name, non_crime, domestic, score in zip(*columns, strict=True)
        if non_crime and domestic and score is not None
    }
    return sorted(found), [found[name] for name in sorted(found)]
