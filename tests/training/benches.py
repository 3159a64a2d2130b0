"""A toy model on a small invented force whose truth is known: a bench for whatever measures."""

from pathlib import Path
from typing import Any

from app.artifacts import load_bundle
from app.harm.harm_index import load_harm_index
from tests.toy_bundle import write_toy
from training.evaluation.bench import Bench, open_bench
from training.evaluation.work import Work
from training.harm.fit import prepare
from training.harm.progress import Stages
from training.synthetic.folder import write
from training.synthetic.force import generate


def toy_bench(place: Path, nominals: int, seed: int) -> Bench:
    """Invent a force in `place`, and a toy that says it learnt there."""
    folder, latents = place / "extract", place / "latents.parquet"
    write(generate(nominals, seed), folder, world="published", seed=seed, nominals=nominals, latents=latents)
    data = prepare(folder, load_harm_index(), seed, Stages())

    def learnt_here(manifest: dict[str, Any]) -> None:
        manifest |= {
            "learnt_from": data.extract.source,
            "cuts": data.split.cuts.tolist(),
            "index_age_median": data.unknown_age,
            "seed": seed,
        }

    bundle = load_bundle(write_toy(place / "made", change=learnt_here))
    return open_bench("published", folder, bundle, load_harm_index(), work=Work(place / "work", {}), latents=latents)
