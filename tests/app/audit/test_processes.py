"""Several processes on one log, and processes that die: no gap, no duplicate, nothing acknowledged is lost."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.audit.store import Store
from app.audit.verify import verify_database
from app.database import open_database
from app.keys import Keys, create_keys, load_keys
from tests import patient
from tests.databases import Postgres

ROOT = Path(__file__).parents[3]


def start(url: str, home: Path, count: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.app.audit.appender", url, str(home), str(count), name]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def acknowledged(process: subprocess.Popen[str]) -> dict[int, str]:
    output, _ = process.communicate(timeout=patient.SECONDS)
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n")]
    return {int(sequence): leaf for sequence, leaf in lines}


def check(engine: Engine, keys: Keys, found: dict[int, str]) -> int:
    """Every acknowledged record is where it was said to be, and the log is whole; gives its size."""
    store = Store(engine, keys)
    for sequence, leaf in found.items():
        assert store.entry(sequence).leaf_hash == leaf
    report = verify_database(engine)
    assert report.ok, report.problems
    return report.size


def test_no_gaps_under_concurrency(database_url: str, engine: Engine, keys: Keys, tmp_path: Path) -> None:
    running = [start(database_url, tmp_path, 150, f"appender {number}") for number in range(3)]
    found = [acknowledged(process) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    together = {**found[0], **found[1], **found[2]}
    assert sorted(together) == list(range(450))
    assert check(engine, keys, together) == 450


def test_exactly_once_across_processes(database_url: str, engine: Engine, keys: Keys, tmp_path: Path) -> None:
    running = [start(database_url, tmp_path, 150, "same") for _ in range(3)]
    found = [acknowledged(process) for process in running]
    assert sum(map(len, found)) == 150
    assert check(engine, keys, {**found[0], **found[1], **found[2]}) == 150


def wait_for_records(engine: Engine, keys: Keys, count: int) -> None:
    store = Store(engine, keys)
    assert patient.waited(lambda: store.size() >= count)


def test_killed_appenders_lose_nothing_acknowledged(
    database_url: str, engine: Engine, keys: Keys, tmp_path: Path
) -> None:
    running = [start(database_url, tmp_path, 100_000, f"appender {number}") for number in range(2)]
    wait_for_records(engine, keys, 60)
    for process in running:
        process.send_signal(signal.SIGKILL)
    found = [acknowledged(process) for process in running]
    together = {**found[0], **found[1]}
    assert len(together) == len(found[0]) + len(found[1])
    size = check(engine, keys, together)
    after = acknowledged(start(database_url, tmp_path, 20, "after"))
    assert min(after) >= size >= len(together) > 0
    check(engine, keys, together | after)


@pytest.mark.slow
def test_many_kills(database_url: str, engine: Engine, keys: Keys, tmp_path: Path) -> None:
    together: dict[int, str] = {}
    for kill in range(8):
        running = [start(database_url, tmp_path, 100_000, f"{kill} {number}") for number in range(2)]
        wait_for_records(engine, keys, len(together) + 20 + 7 * kill)
        for process in running:
            process.kill()
        for process in running:
            together |= acknowledged(process)
        check(engine, keys, together)


@pytest.mark.slow
def test_postgres_killed_under_load(postgres: Postgres, tmp_path: Path) -> None:
    if not postgres.can_stop:
        pytest.skip("this PostgreSQL is not ours to stop")
    url = postgres.new_database()
    engine = open_database(url)
    create_keys(tmp_path)
    keys = load_keys(tmp_path, engine)
    process = start(url, tmp_path, 100_000, "load")
    wait_for_records(engine, keys, 60)
    postgres.stop(crash=True)
    found = acknowledged(process)
    assert process.returncode == 1
    postgres.start()
    engine.dispose()
    assert found
    check(engine, keys, found)
    engine.dispose()
    postgres.drop(url)
