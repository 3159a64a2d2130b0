"""People whom a model has never seen: another force of the same world, labelled with the artefact's own cuts."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.extract.load import load_extract
from app.harm.features import Features, Ints, features
from app.harm.harm_index import HarmIndex
from training.families import STALKING_NOMINAL, Family
from training.split import harm_groups
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.population import USUAL
from training.synthetic.world import find_world, of_population, world_name


class Fresh(NamedTuple):
    """Everyone labelled in one force: features (N, 20, 19), groups 0..3 (N,), connected components (N,)."""

    x: Features
    groups: Ints
    component: Ints


def fresh_people(
    world: str,
    nominals: int,
    seed: int,
    cuts: Sequence[float],
    unknown_age: float,
    index: HarmIndex,
    family: Family = STALKING_NOMINAL,
    population: str = USUAL,
) -> Fresh:
    """Invent a force of so many labelled nominals, write it, load it and label it, as an artefact's own extract was."""
    settings, named = of_population(find_world(world), population), world_name(world, population)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "extract"
        write(generate(nominals, seed, settings), folder, world=named, seed=seed, nominals=nominals)
        labelled = family.label(load_extract(folder, index))
    x = features(labelled.histories, labelled.nominals, unknown_age=unknown_age)
    return Fresh(x, harm_groups(labelled.future_harm, np.asarray(cuts)), labelled.component)
