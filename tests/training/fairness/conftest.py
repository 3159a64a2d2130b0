from pathlib import Path

import pytest

from app.harm.harm_index import load_harm_index
from training.harm.fit import Data, prepare
from training.harm.progress import Stages
from training.synthetic.folder import write
from training.synthetic.force import generate

NOMINALS, SEED = 2_000, 5


@pytest.fixture(scope="session")
def force(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small invented force with its latents beside it."""
    place = tmp_path_factory.mktemp("fair")
    latents = place / "latents.parquet"
    write(generate(NOMINALS, SEED), place / "extract", world="published", seed=SEED, nominals=NOMINALS, latents=latents)
    return place


@pytest.fixture(scope="session")
def data(force: Path) -> Data:
    return prepare(force / "extract", load_harm_index(), SEED, Stages())
