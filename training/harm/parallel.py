"""Independent fits side by side, each on one thread, so that results never depend on how many ran at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

Result = TypeVar("Result")


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
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=get_context("spawn")) as workers:
        futures = {workers.submit(task): number for number, task in enumerate(tasks)}
        for future in as_completed(futures):
            ticked(futures[future], future.result())
        return [future.result() for future in futures]
