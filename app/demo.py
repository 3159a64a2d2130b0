"""`make demo`: the whole service once, on this machine, with a made-up case, and then gone.

Starts the real server on an empty SQLite ledger in a temporary folder, posts one nominal, shows the answer as an officer
would read it, checks the ledger, and stops. The case has the shape of the report's figure 11: assaults and harassment
within a relationship, then stalking.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
from rich.console import Console
from rich.rule import Rule

from app.harm.answers import ScoreAnswer
from app.settings import read_settings
from app.terminal import show_score

START_SECONDS = 30
# days before day zero, offence code (None: a domestic non-crime), role
CASE: tuple[tuple[int, str | None, str], ...] = (
    (702, None, "suspect"),
    (655, "10501", "suspect"),
    (512, "00806", "offender"),
    (431, "19594", "suspect"),
    (288, "10501", "offender"),
    (190, "14900", "suspect"),
    (103, "19594", "suspect"),
    (61, "00301", "suspect"),
    (24, "19594", "suspect"),
    (0, "00865", "suspect"),
)


def example() -> dict[str, Any]:
    """The request the demo posts; day zero is six days before today."""
    today = read_settings().today()
    day_zero = today - timedelta(days=6)
    incidents = [
        {
            "incident_id": f"INC-{number:02}",
            "occurred_on": (day_zero - timedelta(days=before)).isoformat(),
            "offence_code": code,
            "is_non_crime": code is None,
            **({"harm_score": 3} if code is None else {}),
            "is_domestic": True,
            "intimate_partner": True,
            "role": role,
        }
        for number, (before, code, role) in enumerate(CASE, start=1)
    ]
    return {
        "nominal": {"nominal_id": "DEMO-1", "date_of_birth": "1991-05-17", "gender": "male"},
        "index_victim_contacts": 4,
        "custody_dates": [(day_zero - timedelta(days=511)).isoformat()],
        "incidents": incidents,
        "explain": "factors",
        "as_of": today.isoformat(),
    }


def main() -> int:
    """Run the demo; return the exit code."""
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="dayzero-demo-") as home:
        environment = {**os.environ, "DAYZERO_HOME": home, "DAYZERO_LOG_LEVEL": "error"}
        environment.pop("DAYZERO_DATABASE_URL", None)
        with running_server(environment) as address:
            console.print(Rule("POST /score: a made-up nominal, no real person"))
            token = dayzero(environment, "token", "--subject", "demo", "--scope", "score")
            answer = httpx2.post(
                f"{address}/score", json=example(), headers={"Authorization": f"Bearer {token.strip()}"}, timeout=30
            )
            if answer.status_code != 200:
                console.print(answer.text, markup=False)
                return 1
            show_score(ScoreAnswer.model_validate(answer.json()), console)
        console.print(Rule("dayzero audit verify"))
        console.print(dayzero(environment, "audit", "verify").strip(), markup=False)
    console.print(Rule("done: the server has stopped and the demo's ledger is deleted"))
    return 0


@contextmanager
def running_server(environment: dict[str, str]) -> Iterator[str]:
    """A real `dayzero serve` on a free port, ready before this yields its address, stopped afterwards."""
    port = free_port()
    server = subprocess.Popen([*_COMMAND, "serve", "--port", str(port)], env=environment)
    try:
        _wait_until_ready(server, address := f"http://127.0.0.1:{port}")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx2.get(f"{address}/health/ready", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    sys.exit("The server did not become ready; what it said stands above.")


def dayzero(environment: dict[str, str], *arguments: str) -> str:
    """What one `dayzero` command prints; a failed one raises CalledProcessError."""
    return subprocess.run(
        [*_COMMAND, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_COMMAND = [sys.executable, "-m", "app.cli"]

if __name__ == "__main__":
    sys.exit(main())
