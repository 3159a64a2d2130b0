"""People whom a model has never seen: another force of the same world, labelled with the artefact's own cuts."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.extract.load import load_extract
from app.harm.features import Features, Ints, features
from app.harm.harm_index import HarmIndex
from training.labels import label
from training.split import harm_groups
from training.synthetic.folder import write
from training.synthetic.force import generate


class Fresh(NamedTuple):
    """Everyone labelled in one force: features (N, 20, 19), groups 0..3 (N,), connected components (N,)."""

    x: Features
    groups: Ints
    component: Ints


def fresh_people(
    world: str, nominals: int, seed: int, cuts: Sequence[float], unknown_age: float, index: HarmIndex
) -> Fresh:
    """Invent a force, write it, load it and label it, as an artefact's own extract was."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "extract"
        write(generate(nominals, seed, world), folder, world=world, seed=seed, nominals=nominals)
        labelled = label(load_extract(folder, index))
    x = features(labelled.histories, labelled.nominals, unknown_age=unknown_age)
    return Fresh(x, harm_groups(labelled.future_harm, np.asarray(cuts)), labelled.component)
