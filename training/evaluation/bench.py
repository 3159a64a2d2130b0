"""One artefact on the extract it learnt from, ready to be measured: the very split, and the test set scored as served."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.artifacts import Bundle, Manifest
from app.errors import SetupError
from app.harm.features import Features, Floats, Ints
from app.harm.harm_index import HarmIndex
from app.harm.model import HarmModel
from training.evaluation.work import Work
from training.families import find_family
from training.harm.fit import Data, prepare
from training.harm.population import mix_weights
from training.harm.progress import Stages

LARGE = 50_000
"""Labelled people from which on what is repeated many times is repeated fewer times."""
_BATCH = 1_000


class Scored(NamedTuple):
    """What the graphs say of N nominals: `probabilities` (N, 4) at the training mix, `population` (N, 4) at the
    population mix, `predicted` (N,) group 0..3, `curves` (N, 366) no further incident by each day 0..365."""

    probabilities: Floats
    population: Floats
    predicted: Ints
    curves: Floats


@dataclass(frozen=True, eq=False)
class Bench:
    """An artefact and its extract; `scored` are the rows `data.split.test` in that order.

    `name` a world or "extract"; `folder` the extract's; `latents` the side file of a synthetic force, for the oracle
    only; `seed` of everything drawn while measuring (the split's is the manifest's); `work` where slow parts are kept.
    """

    name: str
    folder: Path
    latents: Path | None
    data: Data
    model: HarmModel
    scored: Scored
    seed: int
    jobs: int
    work: Work

    @property
    def manifest(self) -> Manifest:
        """Cuts, decision weights and what else the artefact says of itself."""
        return self.model.bundle.manifest

    @property
    def groups(self) -> Ints:
        """True groups 0..3 of the test set, (N,)."""
        return self.data.split.groups[self.data.split.test]

    @property
    def weights(self) -> Floats:
        """Weights that give the test set the population mix, mean 1, (N,)."""
        return mix_weights(self.groups, self.data.mix)

    @property
    def component(self) -> Ints:
        """Connected component of each of the test set, (N,): the unit of every bootstrap."""
        return self.data.labelled.component[self.data.split.test]

    def repeats(self, usual: int, large: int) -> int:
        """How often to do something that takes long: `usual`, or `large` where very many people are labelled."""
        return usual if len(self.data.labelled.person) < LARGE else large

    def score(self, x: Features) -> Scored:
        """Score other nominals, features (M, 20, 19), with the same graphs."""
        return score(self.model, x)


def open_bench(
    name: str,
    folder: Path,
    bundle: Bundle,
    index: HarmIndex,
    *,
    work: Work,
    latents: Path | None = None,
    seed: int = 1,
    jobs: int = 1,
    stages: Stages | None = None,
) -> Bench:
    """Prepare the extract with the artefact's own seed and score its test set.

    Raises SetupError where the artefact did not learn from this extract with this harm index: its test set would then
    hold people it has seen.
    """
    check_index(bundle, index)
    manifest, stages = bundle.manifest, stages or Stages()
    data = prepare(folder, index, manifest.seed, stages, find_family(manifest.family))
    if tuple(data.split.cuts.tolist()) != manifest.cuts or data.unknown_age != manifest.index_age_median:
        raise SetupError(
            "The artefact did not learn from this extract: its harm groups differ. Name its own --extract."
        )
    model = HarmModel(bundle)
    scored = score(model, data.x[data.split.test])
    return Bench(name, folder, latents, data, model, scored, seed, jobs, work)


def check_index(bundle: Bundle, index: HarmIndex) -> None:
    """Raise SetupError where the artefact learnt with another harm index than `index`."""
    if bundle.manifest.harm_index.sha256 != index.sha256:
        raise SetupError(
            "The artefact learnt with another harm index than the one in force. Import that one, or fit again."
        )


def score(model: HarmModel, x: Features) -> Scored:
    """Graphs as served, in batches, on features (N, 20, 19)."""
    parts = [x[start : start + _BATCH] for start in range(0, len(x), _BATCH)]
    groups = [model.groups(part) for part in parts]
    probabilities = np.concatenate([found.probabilities for found in groups])
    return Scored(
        probabilities=probabilities,
        population=np.concatenate([found.population for found in groups]),
        predicted=model.decide(probabilities),
        curves=np.concatenate([model.survival(part) for part in parts]),
    )
