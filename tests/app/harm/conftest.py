"""The toy model, loaded."""

from pathlib import Path

import pytest

from app.harm.service import Scorer, load_scorer


@pytest.fixture(scope="session")
def toy_scorer(toy_artifacts: Path) -> Scorer:
    return load_scorer(toy_artifacts, Path("no imported index"))
