"""What the ledger costs: `/score` with it, against the same service with a log that only stores.

`python -m benchmarks.ledger_price` in the serving environment. Bodies are the artefact's golden requests, in rotation;
both services take turns within each round, each alone at its turn.
"""

import json
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from app.demo import dayzero, free_port
from app.harm.service import load_scorer
from app.settings import read_settings
from benchmarks.process import serving
from benchmarks.wrk import demand_wrk, load

CONCURRENCY = (1, 16)
ROUNDS, SECONDS = 5, 4
SERVICES = {"full ledger": ("app.cli", "serve", "--port"), "log that only stores": ("benchmarks.plain_ledger",)}


def bodies() -> list[bytes]:
    """The golden requests of the newest artefact, without explanation."""
    scorer = load_scorer(read_settings().artifacts, read_settings().harm_index)
    golden = scorer.models["stalking-nominal"].bundle.golden
    return [json.dumps(case["request"] | {"explain": "none"}).encode() for case in golden]


def start(name: str, folder: Path, stack: ExitStack) -> tuple[int, str]:
    """Port and token of one service, its home below `folder`."""
    port = free_port()
    environment = {**os.environ, "DAYZERO_HOME": str(folder / str(port)), "DAYZERO_CALLER_LIMIT": "0",
                   "DAYZERO_LOG_LEVEL": "warning", "PYTHONPATH": str(Path(__file__).parents[1]),
                   "DAYZERO_ARTIFACTS": str(read_settings().artifacts.absolute())}  # fmt: skip
    dayzero(environment, "keys", "create")
    token = dayzero(environment, "token", "--scope", "score").strip()
    command = [sys.executable, "-m", *SERVICES[name], str(port)]
    ready = f"http://127.0.0.1:{port}/health/ready"
    stack.enter_context(serving(command, environment, ready, folder / f"{port}.log"))
    return port, token


def main() -> None:
    """Run and print the table."""
    demand_wrk()
    rates: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as named, ExitStack() as stack:
        folder = Path(named)
        (folder / "bodies").write_bytes(b"\n".join(bodies()) + b"\n")
        services = {name: start(name, folder, stack) for name in SERVICES}
        for number in range(ROUNDS + 1):
            for connections in CONCURRENCY:
                for name, (port, token) in services.items():
                    found = load([port], "/score", folder / "bodies", connections, SECONDS, token)
                    if number:
                        rates.setdefault((name, connections), []).append(found.rate)
            print(f"round {number} of {ROUNDS}", file=sys.stderr)
    print("| concurrency | full ledger, /s | log that only stores, /s | the ledger's share |\n|---|---|---|---|")
    for connections in CONCURRENCY:
        full, plain = (statistics.median(rates[name, connections]) for name in SERVICES)
        print(f"| {connections} | {full:,.0f} | {plain:,.0f} | {1 - full / plain:.0%} |")


if __name__ == "__main__":
    main()
