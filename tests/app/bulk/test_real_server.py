"""`POST /score/bulk` of a real server over a real socket: pressure, leaving, dying."""

from pathlib import Path

import pytest

from app.audit.store import Store
from app.database import open_database
from app.keys import create_keys, load_keys
from tests import patient
from tests.app.bulk.sockets import Caller
from tests.app.test_server import environment, headers, server
from tests.requests import example

GOOD = example(explain="none")


def test_an_answer_comes_while_the_next_line_is_not_yet_written(tmp_path: Path, toy_artifacts: Path) -> None:
    settings = environment(tmp_path, toy_artifacts)
    bearer = headers(settings, "score")
    with server(settings) as (address, _), Caller(address, bearer | {"Expect": "100-continue"}) as caller:
        assert caller.head() == 100
        caller.send(GOOD)
        caller.status = 0
        answers = caller.answers()
        for sequence in range(3):
            assert next(answers)["audit"]["sequence"] == sequence
            caller.send(GOOD)
        caller.end()
        assert [one.get("lines") for one in answers] == [None, 4]
        with Caller(address, {"Authorization": "Bearer x"}) as stranger:
            assert stranger.head() == 401, "and nothing of a body was sent"


def resident(pid: int) -> int:
    """Resident memory of a process, bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.slow
def test_nothing_is_read_from_a_caller_who_does_not_read(tmp_path: Path, toy_artifacts: Path) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc")
    settings = environment(tmp_path, toy_artifacts)
    bearer = headers(settings, "score")
    line, together, most = b"x" * 500, 500, 200
    with server(settings) as (address, process), Caller(address, bearer, buffer=4096) as caller:
        caller.send(*[line] * together)
        before = resident(process.pid)
        caller.socket.settimeout(1)
        sent = 1
        with pytest.raises(TimeoutError):
            while sent < most:
                caller.send(*[line] * together)
                sent += 1
        assert resident(process.pid) - before < 40 << 20
        answer = patient.post(f"{address}/score", json=GOOD, headers=bearer)
        assert answer.status_code == 200, "single scores go on meanwhile"
        caller.socket.settimeout(patient.SECONDS)
        found = caller.answers()
        assert [next(found)["type"] for _ in range(together * (sent - 1))] == ["malformed-body"] * together * (sent - 1)


def let_in(address: str, bearer: dict[str, str]) -> bool:
    """Whether a call is taken and answered to its end."""
    with Caller(address, bearer) as caller:
        caller.send(GOOD)
        caller.end()
        return caller.head() == 200 and [one.get("lines") for one in caller.answers()] == [None, 1]


def test_a_caller_who_leaves_makes_room(tmp_path: Path, toy_artifacts: Path) -> None:
    settings = environment(tmp_path, toy_artifacts)
    bearer = headers(settings, "score")
    with server(settings) as (address, _):
        with Caller(address, bearer) as caller:
            caller.send(*[GOOD] * 300)
            answers = caller.answers()
            assert len([next(answers) for _ in range(100)]) == 100
        assert patient.waited(lambda: let_in(address, bearer))


@pytest.mark.slow
def test_a_server_that_dies_midway_has_stored_all_it_told(
    database_url: str, tmp_path: Path, toy_artifacts: Path
) -> None:
    create_keys(tmp_path)
    settings = environment(tmp_path, toy_artifacts, database_url)
    bearer = headers(settings, "score")
    with server(settings) as (address, process), Caller(address, bearer) as caller:
        caller.send(*[GOOD] * 300)
        answers = caller.answers()
        told = [next(answers) for _ in range(100)]
        process.kill()
        process.wait()
    engine = open_database(database_url)
    store = Store(engine, load_keys(tmp_path, engine))
    known = store.entries_of([answer["score_id"] for answer in told])
    assert [known[answer["score_id"]].leaf_hash for answer in told] == [answer["audit"]["leaf_hash"] for answer in told]
    engine.dispose()
