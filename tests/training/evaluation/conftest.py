from pathlib import Path

import pytest

from tests.training.benches import toy_bench
from training.evaluation.bench import Bench

NOMINALS, SEED = 1_000, 7


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("force")


@pytest.fixture(scope="session")
def bench(place: Path) -> Bench:
    """A toy on the small invented force it is said to have learnt from."""
    return toy_bench(place, NOMINALS, SEED)


@pytest.fixture(scope="session")
def extract(bench: Bench) -> Path:
    """The small force."""
    return bench.folder


@pytest.fixture(scope="session")
def made(bench: Bench, place: Path) -> Path:
    """The toy's folder."""
    return place / "made" / bench.manifest.family / bench.manifest.version
