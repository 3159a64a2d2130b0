from pathlib import Path

import pytest

from app.harm.harm_index import load_harm_index
from training.harm.fit import Data, prepare
from training.harm.progress import Stages
from training.synthetic.folder import write
from training.synthetic.force import generate

NOMINALS = 900


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("force") / "extract"
    write(generate(NOMINALS, 7), folder, world="published", seed=7, nominals=NOMINALS)
    return folder


@pytest.fixture(scope="session")
def data(extract: Path) -> Data:
    return prepare(extract, load_harm_index(), 3, Stages())
