"""`logs.parquet`: a log for every domestic non-crime of a synthetic force, and for crimes of low harm anywhere in it.

The crimes are other people's than the nominals' (ids begin with W): the report drew its training set from a million
records of the whole force. A stream of chance of its own, so that the five tables keep every byte.
"""

from collections.abc import Sized

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
_STREAM, _UNSCORED_STREAM = (1_000,), (1_001,)
"""Keys of the streams of chance: far from those of the tables."""
_CODES = (("12511",), ("14900", "05800"), ("12509",), ("19541", "00872"), ("10501", "19594"))
"""Offences of crimes of each score in the force's own edition of the index (ours: the shipped one has medians only)."""
_DOMESTIC_SHARE = 0.6


def logs_table(incidents: pa.Table, seed: int, crimes: int) -> pa.Table:
    """Logs of the domestic non-crimes among `incidents` and of `crimes` crimes of each score.

    Those whose score the extract has lost come last, with a log as of any score: what it was nobody can know.
    """
    scored, unscored = _non_crimes(incidents)
    rng = _stream(seed, _STREAM)
    own = np.searchsorted(SCORES, list(scored.values()))
    theirs = np.repeat(np.arange(len(SCORES)), crimes)
    kinds = zip(theirs, rng.random(len(theirs)), strict=True)
    codes = [_CODES[place][int(chance * len(_CODES[place]))] for place, chance in kinds]
    domestic = (rng.random(len(codes)) < _DOMESTIC_SHARE).tolist()
    texts = list(write_logs(rng, draw(rng, np.concatenate([own, theirs]))))
    rng = _stream(seed, _UNSCORED_STREAM)
    texts += write_logs(rng, draw(rng, rng.integers(0, len(SCORES), len(unscored))))
    columns = {
        "incident_id": [*scored, *(f"W{number:08}" for number in range(1, len(codes) + 1)), *unscored],
        "offence_code": [*_each(None, scored), *codes, *_each(None, unscored)],
        "is_non_crime": [*_each(True, scored), *_each(False, codes), *_each(True, unscored)],
        "is_domestic": [*_each(True, scored), *domestic, *_each(True, unscored)],
        "harm_score": [*_each(None, scored), *SCORES[theirs].tolist(), *_each(None, unscored)],
        "log_text": texts,
    }
    return pa.table(columns, schema=SCHEMA)


def _stream(seed: int, key: tuple[int, ...]) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _each(value: object, rows: Sized) -> list[object]:
    return [value] * len(rows)


def _non_crimes(incidents: pa.Table) -> tuple[dict[str, float], list[str]]:
    """Domestic non-crimes by id, each once: those with their score, and the ids of those without."""
    columns = [
        incidents.column(name).to_pylist() for name in ("incident_id", "is_non_crime", "is_domestic", "harm_score")
    ]
    found = {name: score for name, non_crime, domestic, score in zip(*columns, strict=True) if non_crime and domestic}
    scored = {name: found[name] for name in sorted(found) if found[name] is not None}
    return scored, sorted(found.keys() - scored.keys())
