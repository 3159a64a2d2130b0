"""Where parts are scored: a thread of this process, processes on every core, or a cluster (`cluster.py`)."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from app.bulk.work import Line, Part, Run, prepare, score_here, score_part
from app.errors import SetupError, Unavailable
from app.harm.service import Scorer, load_scorer
from app.logs import configure_logs
from app.settings import Settings


class Pending(Protocol):
    """A part being scored."""

    def result(self) -> list[Line]:
        """Its lines, once they are there. Errors: Unavailable where the workers are gone."""


class Pool(Protocol):
    """Takes parts; `ahead` of them at once keep every worker busy."""

    ahead: int

    def submit(self, run: Run, part: Part) -> Pending:
        """Begins with a part."""


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Local:
    def __init__(self, submit: Callable[[Run, Part], Future[list[Line]]], jobs: int) -> None:
        self.ahead = 2 * jobs
        self._submit = submit

    def submit(self, run: Run, part: Part) -> Pending:
        return _Watched(self._submit(run, part))


class _Watched:
    def __init__(self, future: Future[list[Line]]) -> None:
        self._future = future

    def result(self) -> list[Line]:
        try:
            return self._future.result()
        except BrokenProcessPool:
            raise Unavailable("A worker process ended before its time (was it out of memory?).") from None


@contextmanager
def thread_pool(scorer: Scorer) -> Iterator[Pool]:
    """One thread of this process: starting another process takes longer than scoring some hundreds."""
    with ThreadPoolExecutor(1, thread_name_prefix="score") as thread:
        yield _Local(lambda run, part: thread.submit(score_part, scorer, run, part), 1)


@contextmanager
def process_pool(settings: Settings, scorer: Scorer, jobs: int) -> Iterator[Pool]:
    """`jobs` processes; each loads the models of `settings`, which must be those of `scorer`, for itself.

    Handing them the models would need a pipe to hold more than it can, and block for ever where a process died at its start.
    """
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the ledger's thread and locks in mid-air
    begin = (settings.artifacts, settings.harm_index, digests(scorer))
    processes = ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_begin, initargs=begin)
    try:
        yield _Local(lambda run, part: processes.submit(score_here, run, part), jobs)
    finally:
        processes.shutdown(wait=True, cancel_futures=True)


def digests(scorer: Scorer) -> dict[str, str]:
    """What scores hang on besides the request: the digests of models and harm index."""
    models = {family: bundle.manifest_sha256 for family, bundle in scorer.bundles.items()}
    return models | {"harm index": scorer.index.sha256}


def _begin(artifacts: Path, harm_index: Path, expected: dict[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    configure_logs("error")
    scorer = load_scorer(artifacts, harm_index)
    if digests(scorer) != expected:
        raise SetupError("The models were changed while the run began. Start it again.")
    prepare(scorer)


def _end_with_parent() -> None:
    """A parent that was killed says nothing to its pool, which would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
