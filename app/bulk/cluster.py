"""Scoring parts on a Dask cluster: the same function as on one machine, the models loaded once by each worker.

Requests travel to the workers and scores back, personal data both: use `tls://` outside one machine. Keys and ledger stay
here; workers record nothing, so one that dies loses nothing but its time.
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import app
from app.bulk.pools import Pending, Pool, Result, digests
from app.bulk.work import Run, Work
from app.errors import SetupError, Unavailable
from app.harm.golden import check_golden
from app.harm.service import Scorer

try:
    from distributed import Client, KilledWorker, get_worker
    from distributed.diagnostics.plugin import WorkerPlugin
except ImportError:
    raise SetupError(
        "--scheduler needs Dask: install the `dask` extra (in the folder of Day Zero: pip install -e '.[dask]')."
    ) from None

CONNECT_SECONDS = 10
AHEAD = 3
"""Parts for each thread of the cluster: while one is scored, the next lies ready."""


class Models(WorkerPlugin):  # type: ignore[misc] # the library is untyped
    """Loads the models into a worker when it joins, and into those that join later or come back."""

    def __init__(self, scorer: Scorer) -> None:
        told = json.dumps([digests(scorer), app.__version__], sort_keys=True)
        self.name = "dayzero-" + hashlib.sha256(told.encode()).hexdigest()
        # A worker makes its own reader of logs: graphs in memory do not travel, bundles do.
        self._bundles, self._index = scorer.bundles, replace(scorer.index, reader=None)
        self._version = app.__version__
        self.scorer: Scorer | None = None

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask's signature
        """Errors: SetupError where this worker has another version, or golden cases do not reproduce on it."""
        if self._version != app.__version__:
            raise SetupError(f"A worker has Day Zero {app.__version__}; this is {self._version}. Install the same.")
        scorer = Scorer(self._bundles, self._index)
        check_golden(scorer)
        self.scorer = scorer


def score_there(name: str, run: Run, work: Work[Result]) -> Result:
    """The work, with the models this worker loaded."""
    return work.scored(get_worker().plugins[name].scorer, run)


class _Remote:
    def __init__(self, future: Any) -> None:
        self._future = future

    def result(self) -> Any:
        try:
            return self._future.result()
        except (KilledWorker, CancelledError, OSError, TimeoutError):
            raise Unavailable("The cluster lost its workers or its scheduler.") from None


class _Cluster:
    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name
        self.ahead = AHEAD * max(1, sum(client.ncores().values()))

    def submit(self, run: Run, work: Work[Result]) -> Pending[Result]:
        return _Remote(self._client.submit(score_there, self._name, run, work, pure=False))


@contextmanager
def cluster_pool(scheduler: str, scorer: Scorer) -> Iterator[Pool]:
    """The workers of the cluster at `scheduler`. Raises SetupError where it cannot be reached or loads no models."""
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise SetupError(f"No Dask scheduler answers there ({type(error).__name__}).") from None
    with client:
        models = Models(scorer)
        try:
            client.register_plugin(models)
        except Exception as error:  # noqa: BLE001 - whatever a worker raised comes back as it was
            raise SetupError(
                f"The cluster's workers cannot load the models ({type(error).__name__}: {error})."
            ) from None
        yield _Cluster(client, models.name)
