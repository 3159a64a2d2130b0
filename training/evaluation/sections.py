"""Every section of an evaluation, in the order of the file: what measures it, on which benches, where it stands."""

from collections.abc import Callable
from typing import Any, NamedTuple

from training.evaluation.bench import OWN_EXTRACT, Bench
from training.evaluation.classification import measure_calibration, measure_metrics
from training.evaluation.fidelity import measure_fidelity
from training.evaluation.survival import measure_survival
from training.evaluation.workload import measure_workload
from training.harm.progress import Stages

PUBLISHED, SOBER, UNEQUAL = "published", "sober", "unequal"
WORLDS = (PUBLISHED, SOBER, UNEQUAL)
"""In this order; an artefact is measured in its own world and beside it in the others."""
_BOTH = (PUBLISHED, SOBER, OWN_EXTRACT)

Measured = dict[str, Any] | list[Any]
Measure = Callable[[Bench, Stages], Measured]


class Section(NamedTuple):
    """`name` its place in evaluation.json, dots for objects inside objects; `measure` what computes it; `benches` where
    it makes sense; `minutes` roughly how long it takes at full size, for the time left; `of_world` whether it stands
    under its world or at the top."""

    name: str
    measure: Measure
    benches: tuple[str, ...]
    minutes: int
    of_world: bool = True


SECTIONS = (
    Section("fidelity", measure_fidelity, (PUBLISHED, SOBER), 8, of_world=False),
    Section("metrics", measure_metrics, _BOTH, 1),
    Section("calibration", measure_calibration, _BOTH, 1),
    Section("survival", measure_survival, _BOTH, 1),
    Section("workload", measure_workload, _BOTH, 1),
)
