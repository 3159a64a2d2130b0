"""Fixtures of the service tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.database import sqlite_url
from tests import identity_provider
from tests.app.service_fixtures import Client, running
from tests.toy_bundle import write_toy
from tests.toy_text import write_toy_text


@pytest.fixture(scope="session")
def toy_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    artifacts = tmp_path_factory.mktemp("artifacts")
    write_toy(artifacts)
    write_toy_text(artifacts)
    return artifacts


@pytest.fixture
def service(database_url: str, tmp_path: Path, toy_artifacts: Path) -> Iterator[Client]:
    with running(database_url, tmp_path, toy_artifacts) as client:
        yield client


@pytest.fixture(scope="module")
def sqlite_service(tmp_path_factory: pytest.TempPathFactory, toy_artifacts: Path) -> Iterator[Client]:
    """One service for many small questions that do not depend on the kind of database."""
    home = tmp_path_factory.mktemp("home")
    with running(sqlite_url(home), home, toy_artifacts) as client:
        yield client


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[identity_provider.Provider]:
    with identity_provider.running_provider(tmp_path_factory.mktemp("provider")) as found:
        yield found
