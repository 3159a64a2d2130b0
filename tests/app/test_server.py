"""A real `dayzero serve` process, asked over a real socket."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.keys import create_keys
from tests import patient
from tests.requests import example
from tests.toy_bundle import write_toy

COMMAND = [sys.executable, "-m", "app.cli"]
ROOT = Path(__file__).parents[2]


def environment(home: Path, artifacts: Path, database_url: str | None = None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DAYZERO_")}
    given = {"DAYZERO_DATABASE_URL": database_url} if database_url else {}
    return clean | given | {"DAYZERO_HOME": str(home), "DAYZERO_ARTIFACTS": str(artifacts), "PYTHONPATH": str(ROOT)}


def dayzero(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], env=settings, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def server(settings: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = subprocess.Popen([*COMMAND, "serve", "--port", "0"], env=settings, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = json.loads(process.stderr.readline())
        assert line["event"] == "listening", line
        yield f"http://{line['address']}", process
    finally:
        process.kill()
        process.communicate()


def headers(settings: dict[str, str], *scopes: str) -> dict[str, str]:
    token = dayzero(settings, "token", *(f"--scope={scope}" for scope in scopes))
    assert token.returncode == 0, token.stderr
    return {"Authorization": f"Bearer {token.stdout.strip()}"}


def test_scores_survive_a_restart_and_a_kill(database_url: str, tmp_path: Path, toy_artifacts: Path) -> None:
    create_keys(tmp_path)
    settings = environment(tmp_path, toy_artifacts, database_url)
    bearer = headers(settings, "score")
    given = {}
    for ending in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        with server(settings) as (address, process):
            assert patient.get(f"{address}/health/ready").status_code == 200
            for score_id, content in given.items():
                assert patient.get(f"{address}/scores/{score_id}", headers=bearer).content == content
            answer = patient.post(f"{address}/score", json=example(), headers=bearer)
            assert answer.status_code == 200, answer.text
            given[answer.json()["score_id"]] = answer.content
            process.send_signal(ending)
            assert process.wait(timeout=patient.SECONDS) == (0 if ending == signal.SIGTERM else -signal.SIGKILL)
    checked = dayzero(settings, "audit", "verify")
    assert checked.returncode == 0, checked.stderr
    assert "6 records" in checked.stdout, "three scores, and three readings of them"


def test_a_stranger_is_refused_before_sending_a_body(tmp_path: Path, toy_artifacts: Path) -> None:
    with server(environment(tmp_path, toy_artifacts)) as (address, _):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=patient.SECONDS) as stranger:
            stranger.sendall(
                b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
            )
            assert stranger.recv(4096).startswith(b"HTTP/1.1 401"), "answered without a byte of the body"


def test_logs_are_json_lines_without_what_was_sent(tmp_path: Path, toy_artifacts: Path) -> None:
    settings = environment(tmp_path, toy_artifacts)
    request = example(nominal={"nominal_id": "CANARY-1", "date_of_birth": None, "gender": "male"})
    with server(settings) as (address, process):
        bearer = headers(settings, "score")
        patient.post(f"{address}/score", json=request, headers=bearer)
        patient.post(f"{address}/score?CANARY=1", json=request, headers=bearer)
        patient.post(f"{address}/score", json=request | {"model": "canary-model"}, headers=bearer)
        patient.get(f"{address}/CANARY/CANARY", headers=bearer | {"X-Request-ID": "CANARY", "User-Agent": "CANARY"})
        patient.request("CANARY", f"{address}/score", headers=bearer)
        patient.delete(f"{address}/score", headers=bearer)
        process.terminate()
        _, said = process.communicate(timeout=patient.SECONDS)
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["status"] for line in lines if line["event"] == "request"] == [200, 422, 422, 404, 405, 405]
    assert "canary" not in said.lower()


CANNOT_START = {
    "no artefacts": ({}, "nothing", "DAYZERO_ARTIFACTS"),
    "port taken": ({}, "toy", "Cannot listen"),
    "unknown time zone": ({"DAYZERO_TIMEZONE": "Atlantis/Centre"}, "toy", "DAYZERO_TIMEZONE"),
    "port no number": ({"DAYZERO_PORT": "eighty"}, "toy", "DAYZERO_PORT"),
    "another database": ({"DAYZERO_DATABASE_URL": "mysql://user:CANARY@host/name"}, "toy", "DAYZERO_DATABASE_URL"),
    "database not there": (
        {"DAYZERO_DATABASE_URL": "postgresql://user:CANARY@127.0.0.1:1/name"}, "toy", "cannot answer",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("extra", "artifacts", "said"), CANNOT_START.values(), ids=CANNOT_START)
def test_what_keeps_it_from_starting_is_one_line(
    tmp_path: Path, toy_artifacts: Path, extra: dict[str, str], artifacts: str, said: str
) -> None:
    folder = toy_artifacts if artifacts == "toy" else tmp_path / artifacts
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = [] if "DAYZERO_PORT" in extra else ["--port", str(taken.getsockname()[1])]
        ended = dayzero(environment(tmp_path, folder) | extra, "serve", *arguments)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "CANARY" not in ended.stderr


def test_golden_cases_that_differ_stop_scores_not_the_process(tmp_path: Path) -> None:
    golden = {"probabilities": [0.25] * 4, "population_probabilities": [0.25] * 4, "predicted_group": "0-50"}
    case = {"request": example(), "answer": golden | {"survival": [1.0] * 366, "survival_365": 1.0}}
    write_toy(tmp_path / "artifacts", golden=json.dumps(case).encode())
    settings = environment(tmp_path, tmp_path / "artifacts")
    process = subprocess.Popen([*COMMAND, "serve", "--port", "0"], env=settings, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        told = [json.loads(process.stderr.readline()) for _ in range(2)]
        assert "golden case 1" in told[0]["reason"]
        address = f"http://{told[1]['address']}"
        assert patient.get(f"{address}/health/live").status_code == 200
        assert patient.get(f"{address}/health/ready").status_code == 503
        refused = patient.post(f"{address}/score", json=example(), headers=headers(settings, "score"))
        assert refused.status_code == 503
        assert "probabilities" not in refused.text
    finally:
        process.kill()
        process.communicate()


def test_an_artefact_of_ones_own_is_served_without_editing_a_file(tmp_path: Path) -> None:
    write_toy(tmp_path / "mine", version="2")
    newest = write_toy(tmp_path / "mine", version="10")
    shutil.rmtree(tmp_path / "mine/stalking-nominal/2")
    settings = environment(tmp_path, tmp_path / "mine")
    with server(settings) as (address, _):
        answer = patient.post(f"{address}/score", json=example(), headers=headers(settings, "score")).json()
    assert answer["model"]["version"] == newest.name


def test_a_database_removed_under_the_service_is_noticed(tmp_path: Path, toy_artifacts: Path) -> None:
    settings = environment(tmp_path, toy_artifacts)
    with server(settings) as (address, _):
        bearer = headers(settings, "score")
        assert patient.post(f"{address}/score", json=example(), headers=bearer).status_code == 200
        for left in tmp_path.glob("dayzero.db*"):
            left.unlink()
        assert patient.post(f"{address}/score", json=example(), headers=bearer).status_code == 503
        assert patient.get(f"{address}/health/ready").status_code == 503
    ended = dayzero(settings, "serve", "--port", "0")
    assert ended.returncode == 1
    assert "belong to a ledger" in ended.stderr


def test_a_client_that_offers_an_upgrade_is_scored(tmp_path: Path, toy_artifacts: Path) -> None:
    """Java's client does so by default on plain HTTP."""
    settings = environment(tmp_path, toy_artifacts)
    with server(settings) as (address, _):
        offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
        answer = patient.post(f"{address}/score", json=example(), headers=headers(settings, "score") | offer)
        assert answer.status_code == 200, answer.text


def test_a_trailing_slash_is_not_found_and_repeats_nothing(tmp_path: Path, toy_artifacts: Path) -> None:
    with server(environment(tmp_path, toy_artifacts)) as (address, _):
        answer = patient.post(f"{address}/score/?name=CANARY", headers={"Host": "evil"})
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "CANARY" not in answer.text


def test_headers_have_a_limit(tmp_path: Path, toy_artifacts: Path) -> None:
    with server(environment(tmp_path, toy_artifacts)) as (address, _):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=patient.SECONDS) as greedy:
            greedy.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 200_000 + b"\r\n\r\n")
            assert b" 400 " in greedy.recv(4096).split(b"\r\n")[0]
        assert patient.get(f"{address}/health/live").status_code == 200


def test_stopping_while_a_body_is_awaited_is_a_problem(tmp_path: Path, toy_artifacts: Path) -> None:
    settings = environment(tmp_path, toy_artifacts) | {"DAYZERO_STOP_SECONDS": "1"}
    with server(settings) as (address, process):
        bearer = headers(settings, "score")["Authorization"]
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=patient.SECONDS) as slow:
            slow.sendall(
                f"POST /score HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nContent-Type: application/json\r\n"
                "Content-Length: 100\r\n\r\n{".encode()
            )
            patient.get(f"{address}/health/live")
            process.terminate()
            said = slow.recv(4096)
        assert said.startswith(b"HTTP/1.1 503"), said
        assert b"application/problem+json" in said


def test_nothing_is_sent_or_kept_by_a_library(tmp_path: Path, toy_artifacts: Path) -> None:
    """ONNX Runtime reports its use unless told otherwise; its identifier file in the home folder is the sign."""
    settings = environment(tmp_path / "data", toy_artifacts) | {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    settings.pop("ORT_DISABLE_TELEMETRY", None)
    with server(settings) as (address, _):
        assert patient.get(f"{address}/health/ready").status_code == 200
    assert {found.name for found in tmp_path.iterdir()} == {"data"}
