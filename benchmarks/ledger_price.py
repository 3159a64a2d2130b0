"""What the ledger costs: `/score` with it, against the same service with a log that only stores.

`python -m benchmarks.ledger_price` in the serving environment. Load comes from `wrk` (Debian's package), which rotates the
artefact's golden requests; both services take turns within each round, each alone at its turn.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.demo import dayzero, free_port
from benchmarks.latency import bodies

CONCURRENCY = (1, 16)
ROUNDS, SECONDS = 5, 4
SCRIPT = """
bodies, headers, number = {}, {["Content-Type"] = "application/json", ["Authorization"] = os.getenv("BEARER")}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
request = function()
  number = number % #bodies + 1
  return wrk.format("POST", "/score", headers, bodies[number])
end
done = function(summary) print("errors " .. summary.errors.status + summary.errors.connect + summary.errors.timeout) end
"""


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def service(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    """A service that listens on `port`."""
    with subprocess.Popen([sys.executable, "-m", *command], env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not ready(port):
            if time.monotonic() > deadline:
                raise SystemExit("the service did not start")
            time.sleep(0.1)
        try:
            yield
        finally:
            process.terminate()


def load(port: int, connections: int, environment: dict[str, str], script: Path) -> float:
    """Requests a second."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    if "errors 0" not in said:
        raise SystemExit(f"requests failed: {said}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]


def main() -> None:
    """Run and print the table."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt-get install wrk")
    ports = {"full ledger": free_port(), "log that only stores": free_port()}
    rates: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        script, lines = Path(folder, "rotate.lua"), Path(folder, "bodies")
        script.write_text(SCRIPT, encoding="ascii")
        lines.write_bytes(b"\n".join(bodies("none")) + b"\n")
        environments = {}
        for name, port in ports.items():
            environment = {**os.environ, "DAYZERO_HOME": f"{folder}/{port}", "DAYZERO_CALLER_LIMIT": "0",
                           "DAYZERO_LOG_LEVEL": "warning"}  # fmt: skip
            dayzero(environment, "keys", "create")
            bearer = json.dumps(dayzero(environment, "token", "--scope", "score").strip())[1:-1]
            environments[name] = environment | {"BEARER": f"Bearer {bearer}", "BODIES": str(lines)}
            command = ["app.cli", "serve", "--port"] if name == "full ledger" else ["benchmarks.plain_ledger"]
            stack.enter_context(service([*command, str(port)], environment, port))
        for number in range(ROUNDS + 1):
            for connections in CONCURRENCY:
                for name, port in ports.items():
                    rate = load(port, connections, environments[name], script)
                    if number:
                        rates.setdefault((name, connections), []).append(rate)
            print(f"round {number} of {ROUNDS}", file=sys.stderr)
    print("| concurrency | full ledger, /s | log that only stores, /s | the ledger's share |\n|---|---|---|---|")
    for connections in CONCURRENCY:
        full, plain = (statistics.median(rates[name, connections]) for name in ports)
        print(f"| {connections} | {full:,.0f} | {plain:,.0f} | {1 - full / plain:.0%} |")


if __name__ == "__main__":
    main()
