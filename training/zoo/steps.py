"""Steps side by side, each kept as soon as it is done: what a killed run has finished, the next one finds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import joblib
import torch
from threadpoolctl import threadpool_limits

from app.errors import SetupError
from training.evaluation.work import Arrays, Json, Work
from training.harm.parallel import run

Step = Callable[[], Any]
Keep = Callable[[str, Step], Any]
_MISSING = "--scheduler needs the dask extra: pip install -e '.[training,dask]' -c constraints.txt"
_SECONDS = 10


@dataclass(frozen=True)
class Crew:
    """Who does the steps: `jobs` processes of this machine or, where `scheduler` is an address, a Dask cluster."""

    jobs: int = 1
    scheduler: str | None = None

    def results(self, tasks: Sequence[Step], found: Callable[[int, Any], None]) -> None:
        """Do every task on one thread, so that results are the same bits anywhere; `found` with each as it comes."""
        alone = [partial(on_one_thread, task) for task in tasks]
        if self.scheduler is None or not tasks:
            run(alone, jobs=self.jobs, found=found)
            return
        with _cluster(self.scheduler):
            calls = [joblib.delayed(numbered)(number, task) for number, task in enumerate(alone)]
            for number, result in joblib.Parallel(return_as="generator_unordered", batch_size=1)(calls):
                found(number, result)


def kept_arrays(work: Work, tasks: Mapping[str, Callable[[], Arrays]], crew: Crew, done: Step) -> dict[str, Arrays]:
    """Named arrays of every task by name; only what is not kept yet is computed. `done` after each."""
    return _kept(work.arrays, tasks, crew, done)


def kept_objects(work: Work, tasks: Mapping[str, Callable[[], Json]], crew: Crew, done: Step) -> dict[str, Json]:
    """As `kept_arrays`, for JSON objects."""
    return _kept(work.step, tasks, crew, done)


def on_one_thread(task: Step) -> Any:
    """The task's result; a library that sums on several threads would round differently from machine to machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            return task()
    finally:
        torch.set_num_threads(threads)


def numbered(number: int, task: Step) -> tuple[int, Any]:
    """A cluster returns results in any order."""
    return number, task()


class _NotKept(Exception):
    """Raised in the place of a computation: there is no kept result."""


def _kept(keep: Keep, tasks: Mapping[str, Step], crew: Crew, done: Step) -> dict[str, Any]:
    results = {}
    for name in tasks:
        try:
            results[name] = keep(name, _not_kept)
            done()
        except _NotKept:
            continue
    missing = [name for name in tasks if name not in results]

    def found(number: int, result: Any) -> None:
        results[missing[number]] = keep(missing[number], lambda: result)
        done()

    crew.results([tasks[name] for name in missing], found)
    return {name: results[name] for name in tasks}


def _not_kept() -> Any:
    raise _NotKept


@contextmanager
def _cluster(scheduler: str) -> Iterator[None]:
    """joblib on a Dask cluster. Raises SetupError where the extra is missing or nobody answers there."""
    try:
        from distributed import Client  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise SetupError(_MISSING) from None
    try:
        client = Client(scheduler, timeout=_SECONDS)
    except (OSError, ValueError) as error:
        raise SetupError(
            f"No Dask scheduler answers at the --scheduler address ({type(error).__name__}). Start one, or leave it out."
        ) from None
    with client, joblib.parallel_config(backend="dask"):
        yield
