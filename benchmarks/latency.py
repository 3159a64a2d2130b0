"""Time `/score` against an empty validated endpoint, in turn, on varied histories: `python -m benchmarks.latency`.

Runs in the serving environment. One client on one kept connection (concurrency 1), bodies rotating through the
artefact's golden requests, the variants taking turns within each round so that a slow moment of the machine hits them all.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.demo import dayzero, free_port, running_server
from app.harm.service import load_scorer
from app.settings import read_settings

ROUNDS, REQUESTS = 7, 200


@contextmanager
def empty_server() -> Iterator[str]:
    """uvicorn with the floor application."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.empty:app", "--port", str(port), "--log-level", "critical"]
    with subprocess.Popen([*command, "--no-access-log", "--loop", "uvloop", "--http", "h11"]) as process:
        for _ in range(200):
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def bodies(explain: str) -> list[bytes]:
    """The golden requests of the newest artefact, as bodies."""
    scorer = load_scorer(read_settings().artifacts, read_settings().harm_index)
    golden = scorer.models["stalking-nominal"].bundle.golden
    return [json.dumps(case["request"] | {"explain": explain}).encode() for case in golden]


def measure(address: str, path: str, sent: list[bytes], token: str, first: int) -> list[float]:
    """Milliseconds of each of REQUESTS posts, starting at body `first`."""
    host, port = address.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    times = []
    for number in range(first, first + REQUESTS):
        began = time.perf_counter()
        connection.request("POST", path, sent[number % len(sent)], headers)
        answer = connection.getresponse()
        answer.read()
        times.append(1000 * (time.perf_counter() - began))
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
    connection.close()
    return times


def main() -> None:
    """Run and print the table."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "DAYZERO_HOME": home, "DAYZERO_LOG_LEVEL": "error", "DAYZERO_CALLER_LIMIT": "0"}
        with running_server(environment) as service, empty_server() as floor:
            token = dayzero(environment, "token", "--scope", "score").strip()
            variants = {
                "empty, validated": (floor, "/empty", bodies("none")),
                "/score, no explanation": (service, "/score", bodies("none")),
                "/score, factors": (service, "/score", bodies("factors")),
            }
            rounds: dict[str, list[list[float]]] = {name: [] for name in variants}
            for number in range(ROUNDS + 1):
                for name, (address, path, sent) in variants.items():
                    times = measure(address, path, sent, token, number * 17)
                    if number:
                        rounds[name].append(times)
                print(
                    f"round {number} of {ROUNDS}" + (" (warm-up, not counted)" if not number else ""), file=sys.stderr
                )
    floor_median = statistics.median(statistics.median(one) for one in rounds["empty, validated"])
    print(
        f"| what | p50 ms (median of {ROUNDS} rounds) | range of p50 | p99 ms | times the floor |\n|---|---|---|---|---|"
    )
    for name, measured in rounds.items():
        medians = [statistics.median(one) for one in measured]
        high = statistics.median(statistics.quantiles(one, n=100)[98] for one in measured)
        middle = statistics.median(medians)
        print(
            f"| {name} | {middle:.2f} | {min(medians):.2f} to {max(medians):.2f} | {high:.2f} | {middle / floor_median:.1f} |"
        )


if __name__ == "__main__":
    main()
