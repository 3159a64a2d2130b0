"""A run on a real Dask cluster of two processes, one of them killed on the way: nothing shows in the output."""

import os
import signal
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from distributed.client import FutureCancelledError

from app.bulk import cluster
from app.bulk.run import Options, score
from app.bulk.table.seals import HASHED
from app.errors import SetupError, Unavailable
from app.settings import Settings
from tests import patient
from tests.app.bulk.test_run import bare, lines_of, requests, stored
from tests.app.bulk.test_table import synthetic


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_worker_dies_on_the_way(tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster

    for module in ("sources", "journal", "run"):
        monkeypatch.setattr(f"app.bulk.{module}.PART", 8)
    monkeypatch.setattr("app.bulk.table.part.COLUMN_PART", 8)
    many, extract = requests(tmp_path, 400), synthetic(tmp_path / "force", 200)
    here = Settings(home=tmp_path / "here", artifacts=toy_artifacts)
    score(here, many, Options(tmp_path / "here.ndjson", jobs=1), "local:me")
    there = Settings(home=tmp_path / "there", artifacts=toy_artifacts)
    scored: list[Any] = []
    submit = cluster._Cluster.submit

    def and_kill(self: Any, run: Any, part: Any) -> Any:
        scored.append(part.first)
        if len(scored) == 10:
            os.kill(victim, signal.SIGKILL)
        return submit(self, run, part)

    monkeypatch.setattr(cluster._Cluster, "submit", and_kill)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as dask:
        victim = dask.workers[0].pid
        failed = score(there, many, Options(tmp_path / "there.ndjson", scheduler=dask.scheduler_address), "local:me")
        assert patient.waited(lambda: victim not in {nanny.pid for nanny in dask.workers.values()}), "it was killed"
        tables = [tmp_path / "here.parquet", tmp_path / "there.parquet"]
        score(here, extract, Options(tables[0], jobs=1), "local:me")
        score(there, extract, Options(tables[1], scheduler=dask.scheduler_address), "local:me")
    assert failed == 400 // 7
    assert bare(lines_of(tmp_path / "there.ndjson")) == bare(lines_of(tmp_path / "here.ndjson")), "to the bit"
    one, other = (pq.read_table(table).select(HASHED.names[:-1]) for table in tables)  # all but the salts
    assert one.equals(other), "columns, too"
    assert stored(there).size() == 400 - failed + -(-len(one) // 8), "and nobody was recorded twice"


def test_a_scheduler_that_is_gone_cancels_what_it_was_given() -> None:
    assert issubclass(FutureCancelledError, CancelledError)
    given: Future[Any] = Future()
    given.cancel()
    with pytest.raises(Unavailable, match="lost"):
        cluster._Remote(given).result()


def test_no_scheduler(tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    settings = Settings(home=tmp_path / "home", artifacts=toy_artifacts)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(SetupError, match="No Dask scheduler"):
            score(settings, requests(tmp_path, 1), Options(tmp_path / "out", scheduler=address), "local:me")
