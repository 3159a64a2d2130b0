"""A toy model on a small invented force whose truth is known: a bench for whatever measures."""

from pathlib import Path
from typing import Any

from app.artifacts import load_bundle
from app.harm.harm_index import load_harm_index
from tests.toy_bundle import write_toy
from training.evaluation.bench import Bench, open_bench
from training.evaluation.work import Work
from training.families import STALKING_NOMINAL, Family
from training.harm.fit import prepare
from training.harm.progress import Stages
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.population import USUAL
from training.synthetic.world import WORLDS, of_population, world_name


def toy_bench(
    place: Path,
    nominals: int,
    seed: int,
    family: Family = STALKING_NOMINAL,
    population: str = USUAL,
    name: str = "published",
) -> Bench:
    """Invent a force in `place`, and a toy of the family that says it learnt there."""
    folder, latents = place / "extract", place / "latents.parquet"
    world, named = of_population(WORLDS[name], population), world_name(name, population)
    write(generate(nominals, seed, world), folder, world=named, seed=seed, nominals=nominals, latents=latents)
    data = prepare(folder, load_harm_index(), seed, Stages(), family)

    def learnt_here(manifest: dict[str, Any]) -> None:
        manifest |= {
            "learnt_from": data.extract.source,
            "cuts": data.split.cuts.tolist(),
            "index_age_median": data.unknown_age,
            "seed": seed,
        }

    bundle = load_bundle(write_toy(place / "made", family=family.name, change=learnt_here))
    return open_bench(name, folder, bundle, load_harm_index(), work=Work(place / "work", {}), latents=latents)
