import pytest

from tests.training.benches import toy_bench
from training.evaluation.bench import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return toy_bench(tmp_path_factory.mktemp("comparison"), 1_000, 7)
