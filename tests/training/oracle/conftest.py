import pytest

from app.harm.harm_index import load_harm_index
from tests.training.benches import toy_bench
from training.evaluation.bench import Bench
from training.harm.progress import Stages
from training.oracle.oracle import Oracle, open_oracle


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return toy_bench(tmp_path_factory.mktemp("oracle"), 1_500, 11)


@pytest.fixture(scope="session")
def oracle(bench: Bench) -> Oracle:
    return open_oracle(bench, load_harm_index(), Stages(), futures=60)
