"""The logs an evaluation needs and does not have: the force a model of logs learnt from, and others like it."""

import numpy as np

from app.artifacts import Bundle
from app.errors import SetupError
from app.extract.load import source_of
from app.harm.features import Ints
from app.text.manifest import SCORES, TextManifest
from training.evaluation.code import code_digest
from training.evaluation.work import Work
from training.evaluation.worlds import Ground, Origin, digest_of, origin_of
from training.harm.progress import Stages
from training.synthetic.folder import write
from training.synthetic.force import STAGES, generate
from training.synthetic.logs.table import logs_table
from training.synthetic.population import USUAL

FRESH_NOMINALS, FRESH_CRIMES = 2_000, 2_000
FRESH_SEED = 10_000
"""Added to the seed a model learnt with: forces it knows nothing of."""


def home(bundle: Bundle[TextManifest], work: Work, stages: Stages) -> Ground:
    """The very extract a synthetic model of logs learnt from, logs and all.

    Raises SetupError where it learnt from something else than this generator's usual force with as many crimes a score.
    """
    origin, crimes = origin_of(bundle), bundle.manifest.data["usable"] / len(SCORES)
    if origin.population != USUAL or crimes != int(crimes):
        raise SetupError(
            "This model did not learn from logs as `dayzero-train synth --logs` writes them: name its --extract."
        )
    ground = _invented(origin, int(crimes), work, stages)
    if source_of(ground.folder) != bundle.manifest.learnt_from:
        raise SetupError("The force invented here is not the one this model learnt from: name its --extract.")
    return ground


def fresh(world: str, bundle: Bundle[TextManifest], work: Work, stages: Stages) -> Ground:
    """A small force of a world that no model of ours has seen."""
    origin = Origin(world, USUAL, origin_of(bundle).seed + FRESH_SEED, FRESH_NOMINALS)
    return _invented(origin, FRESH_CRIMES, work, stages)


def shares_of(places: Ints) -> list[float]:
    """Share of each score among logs."""
    return [float(share) for share in np.bincount(places, minlength=len(SCORES)) / len(places)]


def _invented(origin: Origin, crimes: int, work: Work, stages: Stages) -> Ground:
    code = code_digest("training.synthetic.folder") + code_digest("training.synthetic.logs.table")
    place = work.place(f"{origin.world}-logs", **origin._asdict(), crimes=crimes, code=code)
    if not place.exists():
        with stages.stage(f"Inventing logs of {origin.world}, seed {origin.seed}", len(STAGES) + 1) as done:
            force = generate(origin.nominals, origin.seed, origin.world, on_stage=lambda _: done())
            logs = logs_table(force.tables["incidents"], origin.seed, crimes)
            write(force, place, world=origin.world, seed=origin.seed, nominals=origin.nominals, logs=logs)
    return Ground(place, None, digest_of(sorted(place.iterdir())))
