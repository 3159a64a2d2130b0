"""Scores as rows of an Arrow table: the columns of `docs/bulk.md`, made by whoever scores. Needs Arrow."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.artifacts import GROUPS
from app.harm.columns import Figures
from app.harm.model import HarmModel
from app.harm.oddities import WARNINGS
from app.harm.survival import MARKS

ERRORS = pa.list_(pa.struct({"pointer": pa.string(), "rule": pa.string()}))
_WORDS = pa.list_(pa.string())
_BY_GROUP = [group.replace("-", "_") for group in GROUPS]


def by_group(kind: str) -> list[str]:
    """Names of four columns, one a group."""
    return [f"{kind}_{group}" for group in _BY_GROUP]


ROW = pa.schema({
    "nominal_id": pa.string(),
    "as_of": pa.date32(),
    "day_zero": pa.date32(),
    "model_family": pa.string(),
    "model_version": pa.string(),
    "manifest_sha256": pa.string(),
    "predicted_group": pa.string(),
    **dict.fromkeys(by_group("population"), pa.float64()),
    **dict.fromkeys(by_group("balanced"), pa.float64()),
    **{f"no_incident_by_{day}": pa.float64() for day in MARKS},
    "median_days": pa.int32(),
    "incidents_received": pa.int32(),
    "incidents_used": pa.int32(),
    "warnings": _WORDS,
    "conformal_set": _WORDS,
    "uncharged_incidents": pa.int32(),
    **dict.fromkeys(by_group("without_uncharged"), pa.float64()),
    "without_uncharged_group": pa.string(),
    "problem": pa.string(),
    "problem_status": pa.int32(),
    "problem_errors": ERRORS,
    "features_sha256": pa.binary(32),
})  # fmt: skip
"""What is said of one nominal; everything but the problem is null where there is one."""


class Refused(NamedTuple):
    """Why there is no score: a problem's type and status, and its faults as pointer and rule."""

    problem: str
    status: int
    errors: list[dict[str, str]]


def score_rows(
    model: HarmModel, as_of: int, names: pa.StringArray, found: Figures | None, refused: Mapping[int, Refused]
) -> pa.RecordBatch:
    """N nominals by name, `found` of those that are not in `refused` (row -> why), in their order; None where there are none."""
    count = len(names)
    scored = np.setdiff1d(np.arange(count), list(refused))
    place = np.full(count, -1)
    place[scored] = np.arange(len(scored))
    where = pa.array(place, mask=place < 0)
    columns = {} if found is None else {name: told.take(where) for name, told in _told(model, as_of, found).items()}
    columns |= {"nominal_id": names} | _problems(refused, count)
    return pa.record_batch([columns.get(one.name, pa.nulls(count, one.type)).cast(one.type) for one in ROW], schema=ROW)


def _told(model: HarmModel, as_of: int, found: Figures) -> dict[str, pa.Array]:
    manifest, count = model.bundle.manifest, len(found.used)
    same = {
        "as_of": pa.scalar(as_of, pa.int32()),
        "model_family": pa.scalar(manifest.family),
        "model_version": pa.scalar(manifest.version),
        "manifest_sha256": pa.scalar(model.bundle.manifest_sha256),
    }
    by_name = {name: pa.repeat(value, count) for name, value in same.items()}
    by_name |= {
        "day_zero": pa.array(found.day_zero.astype(np.int32)),
        "predicted_group": _groups(found.predicted),
        "median_days": pa.array(found.median, mask=found.median < 0),
        "incidents_received": pa.array(found.received),
        "incidents_used": pa.array(found.used),
        "warnings": _listed(found.warnings, list(WARNINGS)),
        "uncharged_incidents": pa.array(found.without.incidents),
        "without_uncharged_group": _groups(found.without.predicted),
        "features_sha256": pa.array(found.input_sha256, pa.binary(32)),
    }
    if found.conformal is not None:
        by_name["conformal_set"] = _listed(found.conformal, list(GROUPS))
    shares = {
        "population": found.population, "balanced": found.balanced, "without_uncharged": found.without.population,
    }  # fmt: skip
    for kind, values in shares.items():
        by_name |= zip(by_group(kind), map(pa.array, values.T), strict=True)
    return by_name | {f"no_incident_by_{day}": pa.array(found.marks[:, at]) for at, day in enumerate(MARKS)}


def _problems(refused: Mapping[int, Refused], count: int) -> dict[str, pa.Array]:
    each = [refused.get(row) for row in range(count)] if refused else [None] * count
    return {
        "problem": pa.array([one and one.problem for one in each], pa.string()),
        "problem_status": pa.array([one and one.status for one in each], pa.int32()),
        "problem_errors": pa.array([one and one.errors for one in each], ERRORS),
    }


def _groups(numbers: NDArray[np.int64]) -> pa.Array:
    return pa.array(GROUPS).take(pa.array(numbers))


def _listed(flags: NDArray[np.bool_], names: list[str]) -> pa.ListArray:
    """For each row of flags (N, K) the names of those that hold."""
    ends = np.cumsum(flags.sum(axis=1))
    return pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], ends]).astype(np.int32)), pa.array(names).take(pa.array(np.nonzero(flags)[1]))
    )
