"""Independent fits side by side, each on one thread, so that results never depend on how many ran at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

Result = TypeVar("Result")

_workers: dict[int, ProcessPoolExecutor] = {}
"""Worker processes of this one by how many there are. Each has seconds of imports behind it, so they stay for the next run."""


def run(
    tasks: Sequence[Callable[[], Result]],
    *,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
    found: Callable[[int, Result], None] = lambda _, __: None,
) -> list[Result]:
    """Results of `tasks` in order. With `jobs` > 1 in worker processes (tasks must pickle).

    After each, as soon as it is there, `found` with its number and result, then `done`.
    """

    def ticked(number: int, result: Result) -> Result:
        found(number, result)
        done()
        return result

    if jobs <= 1 or len(tasks) <= 1:
        return [ticked(number, task()) for number, task in enumerate(tasks)]
    if jobs not in _workers:
        _workers[jobs] = ProcessPoolExecutor(
            jobs, mp_context=get_context("spawn")
        )  # starts no more than it has tasks for
    try:
        futures = {_workers[jobs].submit(task): number for number, task in enumerate(tasks)}
        for future in as_completed(futures):
            ticked(futures[future], future.result())
        return [future.result() for future in futures]
    except BaseException:
        _workers.pop(jobs).shutdown(cancel_futures=True)  # what was cut short leaves nothing to the next run
        raise
