"""Where parts are scored, when that place is gone."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from app.bulk.pools import _Local
from app.errors import Unavailable


def test_whoever_notices_that_a_worker_died_is_told_in_one_line() -> None:
    nothing: Any = None
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        pool = _Local(lambda *_: processes.submit(os._exit, 1), jobs=1)
        handed_in = pool.submit(nothing, nothing)
        with pytest.raises(Unavailable, match="before its time"):
            handed_in.result()
        with pytest.raises(Unavailable, match="before its time"):
            pool.submit(nothing, nothing)
