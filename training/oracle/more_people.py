"""Section "more_people": the same stack, taught by ten times as many people of the same world.

Between the artefact and the oracle lies what more records could still teach, and what no record tells. Nine more forces
of the same world and size are invented; each gives a training part of the same size and mix, with the artefact's cuts.
Settings are the artefact's: a search would take an hour, and could only find a little more.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from app.harm.features import Ints
from app.harm.harm_index import HarmIndex, index_in_force
from app.settings import read_settings
from training.evaluation.bench import Bench, Scored
from training.evaluation.classification import measure_metrics
from training.evaluation.fresh import fresh_people
from training.evaluation.work import Arrays
from training.evaluation.worlds import origin_of
from training.harm.classifier import STEPS, Known, Sample, fit_stack
from training.harm.measure import round_floats
from training.harm.parallel import run
from training.harm.population import shares
from training.harm.progress import Stages
from training.metrics import GROUP_COUNT
from training.oracle.distance import distance
from training.oracle.section import section_oracle

MULTIPLE = 10
_FIRST_SEED = 1_000
_KEPT = ("test_mix", "population_mix")


@dataclass(frozen=True)
class _Neighbour:
    """One more force to learn from: `sizes` (4,) people of each group by `cuts`, ages as in the artefact."""

    world: str
    nominals: int
    seed: int
    cuts: tuple[float, ...]
    sizes: tuple[int, ...]
    unknown_age: float
    index: HarmIndex

    def __call__(self) -> Arrays:
        """Invent it, and draw its training part: features, groups, components."""
        fresh = fresh_people(self.world, self.nominals, self.seed, self.cuts, self.unknown_age, self.index)
        rows = _drawn(fresh.groups, self.sizes, self.seed)
        return {name: part[rows] for name, part in fresh._asdict().items()}


def measure_more_people(bench: Bench, stages: Stages, multiple: int = MULTIPLE) -> dict[str, Any]:
    """Metrics and distance to the oracle of the stack fitted on `multiple` times the training part."""
    train = _more(bench, stages, multiple)
    found = bench.work.arrays("more-people-fit", lambda: _fit(bench, train, stages), multiple=multiple)
    scored = Scored(found["probabilities"], found["population"], found["predicted"], bench.scored.curves)
    oracle = section_oracle(bench, stages)
    metrics = measure_metrics(replace(bench, scored=scored), stages)
    measured = {
        "multiple": multiple,
        "train": len(train.groups),
        **{mix: {name: value for name, value in metrics[mix].items() if name != "curves"} for mix in _KEPT},
        "distance": distance(bench, oracle, scored.population),
    }
    rounded: dict[str, Any] = round_floats(measured)
    return rounded


def _more(bench: Bench, stages: Stages, multiple: int) -> Sample:
    """The artefact's own training part and those of the neighbours; no component is shared between forces."""
    data, origin = bench.data, origin_of(bench.model.bundle)
    own = data.sample(data.split.train)
    sizes = tuple(np.bincount(own.groups, minlength=GROUP_COUNT).tolist())
    index = index_in_force(read_settings().harm_index)
    neighbours = [
        _Neighbour(
            origin.world,
            origin.nominals,
            _FIRST_SEED * (origin.seed + 1) + number,
            bench.manifest.cuts,
            sizes,
            data.unknown_age,
            index,
        )
        for number in range(1, multiple)
    ]
    tasks = [partial(bench.work.arrays, "neighbour", one, seed=one.seed) for one in neighbours]
    with stages.stage("More people", len(tasks)) as done:
        parts = [own, *(Sample(**part) for part in run(tasks, jobs=bench.jobs, done=done))]
    reach = 1 + max(int(part.component.max()) for part in parts)
    return Sample(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.groups for part in parts]),
        np.concatenate([part.component + number * reach for number, part in enumerate(parts)]),
    )


def _fit(bench: Bench, train: Sample, stages: Stages) -> Arrays:
    data = bench.data
    with stages.stage("Stack on more people", STEPS) as done:
        stack = fit_stack(
            train,
            data.sample(data.split.calibration),
            test_mix=shares(bench.groups),
            population_mix=data.mix,
            seed=bench.manifest.seed,
            known=Known.of(bench.manifest.metrics["fit"]),
            jobs=bench.jobs,
            done=done,
        ).stack
    x = data.x[data.split.test]
    return {
        "probabilities": stack.probabilities(x),
        "population": stack.population_probabilities(x),
        "predicted": stack.predict(x),
    }


def _drawn(groups: Ints, sizes: tuple[int, ...], seed: int) -> Ints:
    """Rows drawn at random, so many of each group, or all there are."""
    order = np.random.default_rng(seed).permutation(len(groups))
    return np.sort(np.concatenate([order[groups[order] == group][:size] for group, size in enumerate(sizes)]))
