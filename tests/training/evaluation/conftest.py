from pathlib import Path
from typing import Any

import pytest

from app.artifacts import load_bundle
from app.harm.harm_index import load_harm_index
from tests.toy_bundle import write_toy
from training.evaluation.bench import Bench, open_bench
from training.evaluation.work import Work
from training.harm.fit import prepare
from training.harm.progress import Stages
from training.synthetic.folder import write
from training.synthetic.force import generate

NOMINALS, FORCE_SEED, SPLIT_SEED = 1_000, 7, 3


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small invented force."""
    folder = tmp_path_factory.mktemp("force") / "extract"
    write(generate(NOMINALS, FORCE_SEED), folder, world="published", seed=FORCE_SEED, nominals=NOMINALS)
    return folder


@pytest.fixture(scope="session")
def made(extract: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy model with the manifest of one that learnt from the small force: quick, and as good as any to measure."""
    data = prepare(extract, load_harm_index(), SPLIT_SEED, Stages())

    def learnt_here(manifest: dict[str, Any]) -> None:
        manifest |= {
            "learnt_from": data.extract.source,
            "cuts": data.split.cuts.tolist(),
            "index_age_median": data.unknown_age,
            "decision_weights": [1.0, 1.1, 1.5, 2.0],
            "seed": SPLIT_SEED,
        }

    return write_toy(tmp_path_factory.mktemp("made"), change=learnt_here)


@pytest.fixture(scope="session")
def bench(extract: Path, made: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The toy on its extract."""
    work = Work(tmp_path_factory.mktemp("work"), {})
    return open_bench("published", extract, load_bundle(made), load_harm_index(), work=work)
