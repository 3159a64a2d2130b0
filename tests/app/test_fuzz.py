"""schemathesis over openapi.yaml against a real server: no fault, no break of the schema, nothing of what was sent kept."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.scopes import SCOPES
from tests import patient
from tests.app.test_permissions import GRANTED
from tests.app.test_server import COMMAND, ROOT, dayzero, environment
from tests.fuzz_hooks import CANARY, FIELD

NOT_ASKED = "positive_data_acceptance,missing_required_header,unsupported_method"
"""What fits the schema may still be refused: a history without a stalking incident fits. The tool always sends the header
it was given, so it cannot leave it out; the second test does. And test_permissions.py asks for every method everywhere."""
TOOL = Path(sys.executable).with_name("st")
QUIET = {"DAYZERO_CALLER_LIMIT": "0", "DAYZERO_FAILED_LIMIT": "0", "OMP_NUM_THREADS": "1"}


class Running(NamedTuple):
    """A server whose log goes to a file: a pipe nobody reads would stop it."""

    address: str
    settings: dict[str, str]
    home: Path
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def logged_server(home: Path, artifacts: Path) -> Iterator[Running]:
    settings = environment(home, artifacts) | QUIET
    log = home.with_suffix(".log")
    with log.open("w") as written:
        process = subprocess.Popen([*COMMAND, "serve", "--port", "0"], env=settings, stderr=written)
    try:
        assert patient.waited(lambda: "\n" in log.read_text() or process.poll() is not None)
        yield Running(f"http://{json.loads(log.read_text().splitlines()[0])['address']}", settings, home, log)
    finally:
        process.terminate()
        process.wait(patient.SECONDS)


def fuzz(service: Running, *options: str) -> subprocess.CompletedProcess[str]:
    """One run of the tool; its exit code is 0 where every check held."""
    command = [str(TOOL), "run", str(ROOT / "openapi.yaml"),
               "--url", service.address, "--seed", "1", "--generation-database", "none", "--no-shrink", "--no-color",
               "--suppress-health-check", "all", "--continue-on-failure", "--request-timeout", "30"]  # fmt: skip
    settings = service.settings | {"SCHEMATHESIS_HOOKS": "tests.fuzz_hooks"}
    return subprocess.run(
        [*command, *options], env=settings, cwd=service.home, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.slow
def test_nothing_made_up_breaks_the_service_or_stays_in_the_open(tmp_path: Path, toy_artifacts: Path) -> None:
    with logged_server(tmp_path / "home", toy_artifacts) as service:
        scopes = [f"--scope={scope}" for scope in SCOPES]
        token = dayzero(service.settings, "token", "--subject", CANARY, *scopes).stdout.strip()
        ended = fuzz(service, "--checks", "all", "--exclude-checks", NOT_ASKED, "--max-examples", "10",
                     "--header", f"Authorization: Bearer {token}")  # fmt: skip
        assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
        figures = patient.get(f"{service.address}/metrics", headers={"Authorization": f"Bearer {token}"}).text
    answered = Counter((line["route"], line["status"]) for line in service.lines() if line["event"] == "request")
    assert answered["/score", 200] > 10, answered
    assert answered["/scores/{score_id}", 200] > 0, "the links were followed"
    assert {route for route, _ in answered} >= {call.split(" ")[1] for call in GRANTED if "/docs" not in call} - {
        "/openapi.json"
    }
    assert not {status for _, status in answered if status >= 500}
    assert not [line for line in service.lines() if line.get("level") == "error"]
    for place, content in {"log": service.log.read_text(), "metrics": figures, **kept_by(service)}.items():
        for word in (CANARY, CANARY.lower(), FIELD, "N-104", *token.split(".")):
            assert word not in content, f"{word} in {place}"
    assert dayzero(service.settings, "audit", "verify").returncode == 0


def kept_by(service: Running) -> dict[str, str]:
    """The bytes of the database's files, one letter a byte."""
    found = {file.name: file.read_bytes().decode("latin-1") for file in service.home.glob("dayzero.db*")}
    assert sum(map(len, found.values())) > 100_000
    return found


@pytest.mark.slow
def test_without_a_token_every_door_stays_shut(tmp_path: Path, toy_artifacts: Path) -> None:
    with logged_server(tmp_path / "home", toy_artifacts) as service:
        ended = fuzz(service, "--checks", "not_a_server_error,nothing_is_repeated,every_answer_is_marked",
                     "--phases", "examples,fuzzing", "--max-examples", "6")  # fmt: skip
        assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
    answered = Counter((line["route"], line["status"]) for line in service.lines() if line["event"] == "request")
    public = {call.split(" ")[1] for call, scopes in GRANTED.items() if scopes == "everyone"} | {"unknown"}
    assert {status for route, status in answered if route not in public} == {401}
    assert sum(answered.values()) > 60
    assert CANARY not in service.log.read_text()
