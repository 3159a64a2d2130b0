"""Section "conformal": does the set of groups hold the true one as often as it promises, and who is called odd?

Measured on forces the artefact has never seen. The promise is made over calibration parts, not by any one of them: with 225
people behind a threshold its coverage scatters by two points. So thresholds are found anew on twenty calibration parts
drawn from fresh people, each measured on everybody else; the artefact's own thresholds stand beside.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.artifacts import GROUPS
from app.errors import SetupError
from app.harm.conformal import conformal_sets, nonconformity
from app.harm.features import Floats, Ints
from app.harm.harm_index import index_in_force
from app.harm.robustness import Robustness
from app.settings import read_settings
from training.evaluation.bench import Bench
from training.evaluation.fresh import fresh_people
from training.evaluation.work import Arrays
from training.evaluation.worlds import origin_of
from training.harm.conformal import thresholds
from training.harm.measure import round_floats
from training.harm.population import GROUP_COUNT
from training.harm.progress import Stages

DRAWS = 20
FORCES, LARGE_FORCES = 2, 1
"""How many fresh forces, and how many of a family as large as all who stalk or harass."""
TOLERANCE = 0.01
_FIRST_SEED = 5_000


def measure_conformal(bench: Bench, stages: Stages, draws: int = DRAWS, forces: int | None = None) -> dict[str, Any]:
    """Coverage and size of the sets over `draws` calibration parts, and of the artefact's own, on `forces` fresh forces.

    Raises SetupError where the artefact is of a format without conformal thresholds.
    """
    told = bench.manifest.robustness
    if told is None:
        raise SetupError("The artefact's manifest is of format 1 and has no conformal thresholds. Fit it again.")
    forces = forces or bench.repeats(FORCES, LARGE_FORCES)
    people = _fresh(bench, stages, forces)
    scores = nonconformity(people["probabilities"], people["predicted"], told.conformal.odds)
    rng = np.random.default_rng(bench.seed)
    drawn = [_draw(scores, people, told, rng) for _ in range(draws)]
    coverage = np.array([one for one, _ in drawn])
    found = {
        "level": told.conformal.level,
        "forces": forces,
        "people": len(scores),
        "calibration": list(told.conformal.people),
        "draws": draws,
        "coverage": {name: _spread(coverage[:, group]) for group, name in enumerate(GROUPS)},
        "mean_set_size": _spread(np.array([size for _, size in drawn])),
        "tolerance": TOLERANCE,
        "within": bool((np.abs(coverage.mean(axis=0) - told.conformal.level) <= TOLERANCE).all()),
        "artefact": _own(scores, people, told),
        "odd": {"fresh": float(people["odd"].mean()), "test": told.experience.false_alarms},
    }
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def covered(sets: NDArray[np.bool_], groups: Ints) -> Floats:
    """Share of each group's people whose set holds their group, (4,), from sets (N, 4)."""
    return np.array([sets[groups == group, group].mean() for group in range(GROUP_COUNT)])


def _fresh(bench: Bench, stages: Stages, forces: int) -> Arrays:
    """What the artefact says of the fresh forces, one after the other; no component is shared between them."""
    origin = origin_of(bench.model.bundle)
    seeds = [_FIRST_SEED * (origin.seed + 1) + number for number in range(1, forces + 1)]
    with stages.stage("Fresh people", forces) as done:
        parts = []
        for seed in seeds:
            parts.append(bench.work.arrays("fresh", partial(_score, bench, seed), seed=seed))
            done()
    reach = 1 + max(int(part["component"].max()) for part in parts)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    joined["component"] = np.concatenate([part["component"] + at * reach for at, part in enumerate(parts)])
    return joined


def _score(bench: Bench, seed: int) -> Arrays:
    origin, index = origin_of(bench.model.bundle), index_in_force(read_settings().harm_index)
    fresh = fresh_people(
        origin.world,
        origin.nominals,
        seed,
        bench.manifest.cuts,
        bench.data.unknown_age,
        index,
        bench.data.family,
        origin.population,
    )
    scored = bench.score(fresh.x)
    return {
        "probabilities": scored.probabilities,
        "population": scored.population,
        "predicted": scored.predicted,
        "groups": fresh.groups,
        "component": fresh.component,
        "odd": bench.model.experience.odd(fresh.x),
    }


def _draw(scores: Floats, people: Arrays, told: Robustness, rng: np.random.Generator) -> tuple[Floats, float]:
    """Coverage (4,) and mean size of the sets of one calibration part, on everybody who is not connected with it."""
    groups, component = people["groups"], people["component"]
    rows = []
    for group, wanted in enumerate(told.conformal.people):
        theirs = np.flatnonzero(groups == group)
        rows.append(rng.choice(theirs, min(wanted, len(theirs) // 2), replace=False))
    drawn = np.concatenate(rows)
    limits = thresholds(scores[drawn], groups[drawn], told.conformal.level)
    others = ~np.isin(component, component[drawn])
    sets = conformal_sets(scores[others], limits)
    return covered(sets, groups[others]), float(sets.sum(axis=1).mean())


def _own(scores: Floats, people: Arrays, told: Robustness) -> dict[str, Any]:
    """The artefact's own thresholds on everybody fresh."""
    sets = conformal_sets(scores, told.conformal.thresholds)
    sizes = sets.sum(axis=1)
    likeliest = people["population"].argmax(axis=1)
    return {
        "coverage": dict(zip(GROUPS, covered(sets, people["groups"]).tolist(), strict=True)),
        "mean_set_size": float(sizes.mean()),
        "told_mean_set_size": told.conformal.mean_set_size,
        "sizes": [float((sizes == size).mean()) for size in range(GROUP_COUNT + 1)],
        "most_probable_left_out": float((~sets[np.arange(len(sets)), likeliest]).mean()),
    }


def _spread(values: Floats) -> dict[str, float]:
    return {"mean": values.mean(), "sd": values.std(ddof=1), "low": values.min(), "high": values.max()}
