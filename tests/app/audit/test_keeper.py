"""What looks after the log while the service runs: signatures soon after growth, a heartbeat in silence."""

import threading

import pytest
from sqlalchemy import Engine, text

from app.audit.keeper import Keeper
from app.audit.ledger import Ledger
from app.audit.signing import Checkpoints, Head
from app.audit.store import Store
from app.database import Duplicate
from app.errors import Unavailable
from app.keys import Keys
from tests import patient
from tests.app.audit.samples import fill


@pytest.fixture
def checkpoints(engine: Engine, keys: Keys) -> Checkpoints:
    return Checkpoints(engine, keys)


def stored(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT size FROM checkpoint ORDER BY size")).scalars())


def test_the_keeper_signs_at_start_after_growth_and_at_the_end(
    checkpoints: Checkpoints, ledger: Ledger, engine: Engine
) -> None:
    keeper = Keeper(checkpoints, ledger, interval=0.05)
    keeper.start()
    assert stored(engine) == [0]
    fill(ledger, 3)
    assert patient.waited(lambda: stored(engine)[-1] == 3)
    keeper.close()
    Keeper(checkpoints, ledger, interval=60).close()
    slow = Keeper(checkpoints, ledger, interval=60)
    slow.start()
    fill(ledger, 2)
    slow.close()
    assert stored(engine)[-1] == 5


def both_look(checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hours later, two workers see the same end of the log before either does anything about it."""
    real, together = checkpoints.head, threading.Barrier(2)

    def head() -> Head:
        found = real()
        together.wait(patient.SECONDS)
        return found._replace(last_time=found.last_time - 2 * 3600 * 1_000_000)

    monkeypatch.setattr(checkpoints, "head", head)


def test_silence_is_broken_once_whatever_the_number_of_workers(
    checkpoints: Checkpoints, ledger: Ledger, engine: Engine, keys: Keys, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Ledger(engine, keys)
    other.start()
    keepers = [Keeper(checkpoints, one, interval=60) for one in (ledger, other)]
    for one in keepers:
        one.tend()
    assert store.size() == 0, "an empty log has no age"
    fill(ledger, 1)
    for one in keepers:
        one.tend()
    assert store.size() == 1
    both_look(checkpoints, monkeypatch)
    threads = [threading.Thread(target=one.tend) for one in keepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.size() == 2
    beat = store.entry(1)
    assert (beat.event, beat.purpose) == ("heartbeat", "operation")
    assert stored(engine)[-1] == 2
    other.close()


def test_a_database_that_fails_is_tried_again(
    checkpoints: Checkpoints, ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failing = checkpoints.sign, [Unavailable("x"), RuntimeError("CANARY"), Duplicate("x")]

    def sometimes() -> object:
        if failing:
            raise failing.pop()
        return real()

    monkeypatch.setattr(checkpoints, "sign", sometimes)
    keeper = Keeper(checkpoints, ledger, interval=0.02)
    keeper.start()
    assert patient.waited(lambda: stored(engine) == [0])
    keeper.close()
