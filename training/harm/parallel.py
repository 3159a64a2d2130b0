"""Independent fits side by side, each on one thread, so that results never depend on how many ran at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

Result = TypeVar("Result")


def run(
    tasks: Sequence[Callable[[], Result]], *, jobs: int = 1, done: Callable[[], None] = lambda: None
) -> list[Result]:
    """Results of `tasks` in order. With `jobs` > 1 in worker processes (tasks must pickle); `done` after each."""
    if jobs <= 1 or len(tasks) == 1:
        return [_ticked(task(), done) for task in tasks]
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=get_context("spawn")) as workers:
        futures = [workers.submit(task) for task in tasks]
        for future in as_completed(futures):
            _ticked(future.result(), done)
        return [future.result() for future in futures]


def _ticked(result: Result, done: Callable[[], None]) -> Result:
    done()
    return result
