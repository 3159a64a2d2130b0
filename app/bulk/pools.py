"""Where parts are scored: a thread of this process, processes on every core, or a cluster (`cluster.py`)."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from app.bulk.work import Run, Work, prepare, score_here
from app.errors import SetupError, Unavailable
from app.harm.service import Scorer, load_scorer
from app.logs import configure_logs
from app.settings import Settings

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Pending(Protocol[Result_co]):
    """A part being scored."""

    def result(self) -> Result_co:
        """What came of it, once it is there. Errors: Unavailable where the workers are gone."""


class Pool(Protocol):
    """Takes parts; `ahead` of them at once keep every worker busy."""

    ahead: int

    def submit(self, run: Run, work: Work[Result]) -> Pending[Result]:
        """Begins with a part. Errors: Unavailable where the workers are gone."""


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Local:
    def __init__(self, submit: Callable[[Run, Work[Any]], Future[Any]], jobs: int) -> None:
        self.ahead = 2 * jobs
        self._submit = submit

    def submit(self, run: Run, work: Work[Result]) -> Pending[Result]:
        with _watched():
            return _Watched(self._submit(run, work))


class _Watched:
    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def result(self) -> Any:
        with _watched():
            return self._future.result()


@contextmanager
def _watched() -> Iterator[None]:
    """A pool that broke says so to whoever asks for a result, and to whoever hands in the next part."""
    try:
        yield
    except BrokenProcessPool:
        raise Unavailable("A worker process ended before its time (was it out of memory?).") from None


@contextmanager
def thread_pool(scorer: Scorer, jobs: int = 1) -> Iterator[Pool]:
    """Threads of this process: for few requests, since starting another process takes longer than scoring some hundreds,
    and for columns, which leave the interpreter alone."""
    with ThreadPoolExecutor(jobs, thread_name_prefix="score") as threads:
        yield _Local(lambda run, work: threads.submit(work.scored, scorer, run), jobs)


@contextmanager
def process_pool(settings: Settings, scorer: Scorer, jobs: int, only: Sequence[str] = ()) -> Iterator[Pool]:
    """`jobs` processes; each loads the models of `settings`, or just one, for itself: they must be those of `scorer`.

    Handing them the models would need a pipe to hold more than it can, and block for ever where a process died at its start.
    """
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the ledger's thread and locks in mid-air
    begin = (settings.artifacts, settings.harm_index, only, digests(scorer))
    processes = ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_begin, initargs=begin)
    try:
        yield _Local(lambda run, work: processes.submit(score_here, run, work), jobs)
    finally:
        processes.shutdown(wait=True, cancel_futures=True)


def digests(scorer: Scorer) -> dict[str, str]:
    """What scores hang on besides the request: the digests of models and harm index."""
    models = {family: bundle.manifest_sha256 for family, bundle in scorer.bundles.items()}
    return models | {"harm index": scorer.index.sha256}


def _begin(artifacts: Path, harm_index: Path, only: Sequence[str], expected: dict[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    configure_logs("error")
    scorer = load_scorer(artifacts, harm_index, only=only)
    if digests(scorer) != expected:
        raise SetupError("The models were changed while the run began. Start it again.")
    prepare(scorer)


def _end_with_parent() -> None:
    """A parent that was killed says nothing to its pool, which would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
