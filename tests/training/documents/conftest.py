"""One set of documents for all tests that read them."""

from pathlib import Path

import pytest

from tests.training.documents.artefact import evaluated
from training.documents.write import write_documents


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = evaluated(tmp_path_factory.mktemp("artifacts"))
    write_documents(found)
    return found
