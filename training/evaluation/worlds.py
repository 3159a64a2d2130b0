"""The extracts and artefacts an evaluation needs and does not have: invented and fitted in the work folder."""

import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple

from app.artifacts import Bundle, load_bundle
from app.errors import SetupError
from app.harm.harm_index import HarmIndex
from training.evaluation.code import code_digest
from training.evaluation.work import Work
from training.families import find_family
from training.harm.fit import fit
from training.harm.progress import Stages
from training.synthetic.folder import write
from training.synthetic.force import STAGES, generate
from training.synthetic.population import USUAL
from training.synthetic.world import VERSION, find_world, of_population, world_name

_ORIGIN = re.compile(
    r"synthetic people: world (\S+?)(?:, population (\S+))?, generator (\S+), seed (\d+), (\d+) labelled nominals"
)


class Origin(NamedTuple):
    """What a synthetic force was invented with."""

    world: str
    population: str
    seed: int
    nominals: int


class Ground(NamedTuple):
    """An extract to measure on: `folder`, `latents` (None for a force's own), `digest` of everything in it."""

    folder: Path
    latents: Path | None
    digest: str


def origin_of(bundle: Bundle[Any]) -> Origin:
    """Where an artefact learnt, read from its manifest.

    Raises SetupError where it learnt from a force's own extract, or from another version of the generator.
    """
    found = _ORIGIN.match(bundle.manifest.learnt_from)
    if found is None:
        raise SetupError("The artefact did not learn from one of the worlds as it is. Name its folder with --extract.")
    world, population, version, seed, nominals = found.groups()
    if version != VERSION:
        raise SetupError(
            f"The artefact learnt from generator {version}; this is generator {VERSION}. Fit it again, or name its --extract."
        )
    return Origin(world, population or USUAL, int(seed), int(nominals))


def invent(world: str, origin: Origin, work: Work, stages: Stages) -> Ground:
    """The extract of a world with population, size and seed of `origin`, invented unless the work folder has it."""
    code = code_digest("training.synthetic.folder") + code_digest("training.synthetic.force")
    settings, named = of_population(find_world(world), origin.population), world_name(world, origin.population)
    place = work.place(f"{world}-extract", world=named, seed=origin.seed, nominals=origin.nominals, code=code)
    latents = place.with_name(f"{place.name}-latents.parquet")
    if not place.exists():
        with stages.stage(f"Inventing {world}", len(STAGES)) as done:
            force = generate(origin.nominals, origin.seed, settings, on_stage=lambda _: done())
            write(force, place, world=named, seed=origin.seed, nominals=origin.nominals, latents=latents)
    return Ground(place, latents, digest_of([*sorted(place.iterdir()), latents]))


def own_extract(folder: Path) -> Ground:
    """A force's own extract."""
    return Ground(folder, None, digest_of(sorted(path for path in folder.iterdir() if path.is_file())))


def fitted(world: str, ground: Ground, index: HarmIndex, like: Bundle, work: Work, jobs: int, stages: Stages) -> Bundle:
    """An artefact of a world that has none: the same family and seed as `like`, fitted unless the work folder has it."""
    manifest = like.manifest
    place = work.place(
        f"{world}-artefact",
        extract=ground.digest,
        harm_index=index.sha256,
        family=manifest.family,
        seed=manifest.seed,
        code=code_digest("training.harm.fit"),
    )
    folder = place / manifest.family / manifest.version
    if not folder.exists():
        stages.say(f"Fitting the stack and the forest on the world {world}")
        fit(
            ground.folder,
            place,
            index,
            family=find_family(manifest.family),
            version=manifest.version,
            seed=manifest.seed,
            jobs=jobs,
            stages=stages,
        )
    return load_bundle(folder)


def digest_of(files: list[Path]) -> str:
    """SHA-256 over the contents in the order given. Raises SetupError where a file cannot be read."""
    whole = hashlib.sha256()
    try:
        for path in files:
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from None
    return whole.hexdigest()
