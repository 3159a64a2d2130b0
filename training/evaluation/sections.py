"""Every section of an evaluation, in the order of the file: what measures it, on which benches, where it stands."""

from collections.abc import Callable
from typing import Any, NamedTuple

from training.comparison.ablations import measure_ablations
from training.comparison.baselines import measure_baselines
from training.comparison.missed import measure_missed_cases
from training.evaluation.bench import Bench
from training.evaluation.classification import measure_calibration, measure_metrics
from training.evaluation.conformal import measure_conformal
from training.evaluation.fidelity import measure_fidelity
from training.evaluation.left_out import left_out
from training.evaluation.standing import OWN, PUBLISHED, SOBER, UNEQUAL, stands_for
from training.evaluation.survival import measure_survival
from training.evaluation.workload import measure_workload
from training.fairness.relative_risk import measure_relative_risk
from training.fairness.section import measure_fairness
from training.harm.progress import Stages
from training.oracle.more_people import measure_more_people
from training.oracle.section import measure_oracle
from training.validation.leak import measure_leak
from training.validation.learning_curve import measure_learning_curve
from training.validation.recidivism import measure_public_recidivism
from training.validation.shuffle import measure_shuffle
from training.validation.stability import measure_stability
from training.validation.time_forward import measure_time_forward
from training.zoo.zoo import measure_zoo

_HOME = (PUBLISHED, OWN)
_BOTH = (*_HOME, SOBER)
_EVERYWHERE = (*_BOTH, UNEQUAL)

Measured = dict[str, Any] | list[Any]
Measure = Callable[[Bench, Stages], Measured]


class Section(NamedTuple):
    """`name` its place in evaluation.json, dots for objects inside objects; `measure` what computes it; `benches` what the
    worlds it makes sense in stand for; `minutes` roughly how long it takes at full size, for the time left; `of_world`
    whether it stands under its world or at the top."""

    name: str
    measure: Measure
    benches: tuple[str, ...]
    minutes: int
    of_world: bool = True

    def suits(self, family: str) -> bool:
        """Whether it is measured of a model of that family; `left_out` says why not."""
        return self.name not in left_out(family)

    def belongs(self, bench: str) -> bool:
        """Whether it is measured on the bench of that name."""
        return stands_for(bench) in self.benches


SECTIONS = (
    Section("metrics", measure_metrics, _BOTH, 1),
    Section("calibration", measure_calibration, _BOTH, 1),
    Section("conformal", measure_conformal, (PUBLISHED, SOBER), 1),
    Section("survival", measure_survival, _BOTH, 1),
    Section("workload", measure_workload, _BOTH, 1),
    Section("ablations", measure_ablations, _HOME, 3),
    Section("baselines", measure_baselines, _BOTH, 1),
    Section("missed_cases", measure_missed_cases, _BOTH, 1),
    Section("fairness", measure_fairness, _EVERYWHERE, 3),
    Section("oracle", measure_oracle, (PUBLISHED, SOBER), 2),
    Section("more_people", measure_more_people, (PUBLISHED,), 6),
    Section("validation.time_forward", measure_time_forward, _HOME, 2),
    Section("validation.shuffle", measure_shuffle, _HOME, 3),
    Section("validation.leak", measure_leak, (PUBLISHED, SOBER), 2),
    Section("validation.learning_curve", measure_learning_curve, _HOME, 2),
    Section("validation.stability", measure_stability, _HOME, 8),
    Section("fidelity", measure_fidelity, (PUBLISHED, SOBER), 8, of_world=False),
    Section("relative_risk", measure_relative_risk, _BOTH, 1, of_world=False),
    Section("public_recidivism", measure_public_recidivism, _BOTH, 1, of_world=False),
    Section("zoo", measure_zoo, _HOME, 20, of_world=False),
)
