"""Load from `wrk` (Debian's package): bodies in rotation, rates and percentiles of the answers, no error tolerated."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_SCRIPT = """
bodies, headers, number = {}, {["Content-Type"] = "application/json", ["Authorization"] = os.getenv("BEARER")}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
first = tonumber(os.getenv("NOMINALS_FROM"))
request = function()
  local body = bodies[number % #bodies + 1]
  if first then body = body:gsub('("nominal_id":")', "%1" .. (first + number) .. "-", 1) end
  number = number + 1
  return wrk.format("POST", os.getenv("ADDRESS"), headers, body)
end
done = function(summary, latency)
  print("errors " .. summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout)
  print("p50 " .. latency:percentile(50) .. " p99 " .. latency:percentile(99))
end
"""


class Load(NamedTuple):
    """Answers a second, what half and 99 in 100 of them took at most, ms, and how many there were."""

    rate: float
    p50: float
    p99: float
    answered: int


def demand_wrk() -> None:
    """Stop here where the generator is missing."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt-get install wrk")


def load(
    ports: Sequence[int],
    path: str,
    bodies: Path,
    connections: int,
    seconds: int,
    token: str = "",
    nominals_from: int | None = None,
) -> Load:
    """Ask for so long with so many connections, spread evenly over workers at `ports`; `bodies` has one a line.

    Rates add up over workers; of percentiles the worst worker's counts. With `nominals_from` every request is another
    nominal, numbered from there.
    """
    each = max(1, connections // len(ports))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT)
        script.flush()
        environment = {**os.environ, "BEARER": f"Bearer {token}", "BODIES": str(bodies), "ADDRESS": path}
        environment["NOMINALS_FROM"] = "" if nominals_from is None else str(nominals_from)
        command = ["wrk", "-t1", f"-c{each}", f"-d{seconds}s", "--timeout", "30s", "-s", script.name]
        running = [
            subprocess.Popen([*command, f"http://127.0.0.1:{port}"], env=environment, stdout=subprocess.PIPE, text=True)
            for port in ports
        ]
        found = [_read(process.communicate()[0]) for process in running]
    rates, p50s, p99s, answers = zip(*found, strict=True)
    return Load(sum(rates), max(p50s), max(p99s), sum(answers))


def _read(said: str) -> Load:
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    answers = re.search(r"(\d+) requests in", said)
    times = re.search(r"p50 (\d+\S*) p99 (\d+\S*)", said)
    if rate is None or answers is None or times is None or "errors 0\n" not in said:
        raise SystemExit(f"Requests failed:\n{said}")
    return Load(float(rate[1]), float(times[1]) / 1000, float(times[2]) / 1000, int(answers[1]))
