"""The short form of `make torture`: every part of it once, with few tries."""

import pytest

from tests.databases import Postgres
from tests.torture.__main__ import trials
from tests.torture.report import Scale

SHORT = Scale(0.004)
TIMED = {"rates", "large-log"}
"""What these promise depends on the machine: here only that they run."""


@pytest.mark.slow
@pytest.mark.parametrize("name", trials(SHORT, None))  # type: ignore[arg-type]
def test_a_short_torture(postgres: Postgres, name: str) -> None:
    rows = trials(SHORT, postgres)[name]()
    broken = [row for row in rows if not row.held and name not in TIMED]
    assert not broken, broken
