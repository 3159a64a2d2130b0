"""The power going in the middle of a run."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from app.errors import Unavailable


def cut_off_after(monkeypatch: pytest.MonkeyPatch, run: ModuleType, parts: int, *, recorded: bool) -> None:
    """Lets `run` end after so many parts were written; with the next one `recorded` and not written, or neither."""
    in_order = run.in_order

    def ending(*arguments: Any) -> Iterator[Any]:
        answers = in_order(*arguments)
        for _ in range(parts):
            yield next(answers)
        if recorded:
            next(answers)
        raise Unavailable("The power went.")

    monkeypatch.setattr(run, "in_order", ending)
