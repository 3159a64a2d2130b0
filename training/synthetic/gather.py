"""From what every seed gave to one table: means, spreads, and what holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from training.evaluation.work import Json
from training.harm.measure import round_floats
from training.synthetic.fidelity_rows import Row, as_json, as_row

FORMAT = 1
NOTICE = "Measured on synthetic people: how far a generator shows published figures, nothing about anybody real."
EXTRACT, STACK, SH, VICTIMS, VICTIM_STACK = "extract", "stack", "sh", "victims", "victim_stack"
PARTS = {
    EXTRACT: "the extract of stalking nominals",
    STACK: "the published stack and a survival forest, fitted to that extract, on its test set",
    SH: "the extract of all stalking and harassment nominals",
    VICTIMS: "the victims in the extract of stalking nominals",
    VICTIM_STACK: "the published stack, fitted to those victims, on their test set",
}
"""What a row was measured with."""
SEEDS = {EXTRACT: "seeds", STACK: "stack_seeds", SH: "sh_seeds", VICTIMS: "seeds", VICTIM_STACK: "stack_seeds"}
"""Under what name the result tells the seeds of each part."""


def gathered(plan: Mapping[str, Any], made_with: Mapping[str, Any], parts: Mapping[str, Sequence[Json]]) -> Json:
    """One table and one set of curves over the seeds of each part.

    Each of `rows` has figure, section, unit, side, published, tolerance, `measured_with` (a key of `PARTS`), `values`
    by seed, `mean` and `sd` over those that could be measured, and `holds` (null where the figure is only shown).
    Each of `curves` has lists `mean`, `low` and `high` over the seeds. `holds` on top: no row fails on its mean.
    """
    rows = [row for part, found in parts.items() for row in _table(part, found)]
    found: Json = {
        "format": FORMAT,
        "notice": NOTICE,
        **plan,
        "made_with": dict(made_with),
        "parts": PARTS,
        "rows": rows,
        "curves": {name: curve for found in parts.values() for name, curve in _curves(found).items()},
        "holds": all(row["holds"] is not False for row in rows),
    }
    rounded: Json = round_floats(found)
    return rounded


def _table(part: str, found: Sequence[Json]) -> list[Json]:
    """Rows in the order of the first seed that has them."""
    of_row: dict[str, list[Row]] = {}
    for one in found:
        for row in map(as_row, one["rows"]):
            of_row.setdefault(row.name, []).append(row)
    return [_over_seeds(part, rows) for rows in of_row.values()]


def _over_seeds(part: str, rows: list[Row]) -> Json:
    values = [row.measured for row in rows if not math.isnan(row.measured)]
    mean = float(np.mean(values)) if values else math.nan
    row = replace(rows[0], measured=mean)
    told = as_json(row)
    del told["measured"]
    return told | {
        "measured_with": part,
        "values": [as_json(row)["measured"] for row in rows],
        "mean": None if math.isnan(mean) else mean,
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "holds": None if math.isnan(row.tolerance) else row.passes,
    }


def _curves(found: Sequence[Json]) -> Json:
    """Mean, lowest and highest of every point over the seeds."""
    names = found[0]["curves"] if found else ()
    points = {name: np.array([one["curves"][name] for one in found]) for name in names}
    return {
        name: {
            "mean": drawn.mean(axis=0).tolist(),
            "low": drawn.min(axis=0).tolist(),
            "high": drawn.max(axis=0).tolist(),
        }
        for name, drawn in points.items()
    }
