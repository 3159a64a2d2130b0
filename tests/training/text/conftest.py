from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.extract.load import MARKER
from training.synthetic.logs.table import logs_table

NOBODY = pa.table(
    {
        "incident_id": pa.array([], pa.string()),
        "is_non_crime": pa.array([], pa.bool_()),
        "is_domestic": pa.array([], pa.bool_()),
        "harm_score": pa.array([], pa.float64()),
    }
)


@pytest.fixture(scope="session")
def crimes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but logs: 180 crimes of each score."""
    folder = tmp_path_factory.mktemp("logs")
    pq.write_table(logs_table(NOBODY, seed=3, crimes=180), folder / "logs.parquet")
    (folder / MARKER).write_text("synthetic people: of a test\n")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
