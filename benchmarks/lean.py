"""How little it takes: `python -m benchmarks.lean --work FOLDER` in the training environment.

Cold start, memory, threads and open files of one worker under a long load of `wrk`, and the size of what is installed. A real
server with its SQLite ledger in a temporary folder; each request is another nominal, and each must be found in the ledger,
which is checked whole at the end. Some 14 KiB of disk a request, given back afterwards. Writes `lean.json` and `lean.md` to the
work folder, and a run of 200,000 into `benchmarks/README.md`.
"""

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from app.demo import free_port
from benchmarks.bodies import prepared
from benchmarks.footprint import Growth, Sample, folders, growth, installed, peak, processor_seconds, sample
from benchmarks.machine import machine, told_machine
from benchmarks.report import publish
from benchmarks.targets import held
from benchmarks.wrk import demand_wrk, load

ROOT = Path(__file__).parents[1]
STARTS = 7
WHOLE = 200_000
"""Requests from which on a run counts as whole, and goes into benchmarks/README.md."""
START_SECONDS, RESIDENT_MIB = 2.0, 300.0
FILES_ALLOWED = 4
"""Connections of the pool to the ledger that happened to be open at one sample and not at the other."""
_POLL_SECONDS = 0.005
_REST_SECONDS = 1.0
"""Until a worker has seen that the generator hung up."""
_PATIENCE_SECONDS = 60
_DISK_A_REQUEST = 16 << 10


@click.command()
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), default=Path("bench_work"), show_default=True)
@click.option(
    "--serving",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=ROOT / ".venv/bin/python",
    help="Python of an environment with requirements.txt and nothing else.",
)
@click.option("--requests", default=WHOLE, show_default=True)
@click.option("--connections", default=2, show_default=True)
@click.option("--seconds", default=15, show_default=True, help="Between two samples.")
def main(work: Path, serving: Path, requests: int, connections: int, seconds: int) -> None:
    """Measure, write, print."""
    demand_wrk()
    bodies = prepared(work.absolute()) / "mix.none"
    with tempfile.TemporaryDirectory(prefix="dayzero-lean-") as name:
        if shutil.disk_usage(name).free < requests * _DISK_A_REQUEST:
            raise click.ClickException(f"{name} has too little room for the ledger of {requests:,} requests.")
        home = Home(Path(name), serving.absolute())
        starts = [home.start() for _ in range(STARTS)]
        found = {"starts": starts, **_under_load(home, bodies, requests, connections, seconds)}
    found |= {"packages": installed(serving.absolute()), "artefacts": folders(ROOT / "model_artifacts")}
    found["machine"] = machine()
    (work / "lean.json").write_text(json.dumps(found, indent=1) + "\n")
    text = told(found)
    (work / "lean.md").write_text(text)
    if requests >= WHOLE:
        publish(Path(__file__).with_name("README.md"), "make lean", text)
    click.echo(text)


class Home:
    """A deployment on a SQLite ledger in `folder`, run by the python of the serving environment."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self._command = [str(python), "-m", "app.cli"]
        own = {"PYTHONPATH": str(ROOT), "DAYZERO_HOME": str(folder), "DAYZERO_ARTIFACTS": str(ROOT / "model_artifacts")}
        quiet = {"DAYZERO_CALLER_LIMIT": "0", "DAYZERO_LOG_LEVEL": "error", "OMP_NUM_THREADS": "1"}
        self._environment = {**os.environ, **own, **quiet}
        self._environment.pop(
            "PYTHONDONTWRITEBYTECODE", None
        )  # as installed: the first command writes it, the starts find it
        self.run("keys", "create")
        self.token = self.run("token", "--scope", "score").strip()

    def run(self, *arguments: str) -> str:
        """What one command prints."""
        command = [*self._command, *arguments]
        return subprocess.run(
            command, env=self._environment, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout

    @contextmanager
    def serving(self) -> Iterator[tuple[int, int, float]]:
        """A worker: its process, its port, and the seconds until it said that it was ready."""
        port = free_port()
        began = time.perf_counter()
        with subprocess.Popen(
            [*self._command, "serve", "--port", str(port)], env=self._environment, cwd=self.folder
        ) as process:
            try:
                _await_ready(process, f"http://127.0.0.1:{port}/health/ready")
                yield process.pid, port, time.perf_counter() - began
            finally:
                process.terminate()

    def start(self) -> dict[str, float]:
        """One cold start: seconds until ready, seconds of processor, MiB resident then."""
        with self.serving() as (pid, _, seconds):
            return {
                "seconds": seconds,
                "processor_seconds": processor_seconds(pid),
                "resident": sample(pid, 0).resident,
            }

    def scores(self) -> int:
        """Scores in the ledger, every record of which has just been checked."""
        self.run("audit", "verify")
        with sqlite3.connect(self.folder / "dayzero.db") as ledger:
            return int(ledger.execute("SELECT count(*) FROM entry WHERE event = 'score'").fetchone()[0])


def _await_ready(process: "subprocess.Popen[bytes]", address: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(_POLL_SECONDS)
    raise SystemExit("The service did not become ready; what it said stands above.")


def _under_load(home: Home, bodies: Path, requests: int, connections: int, seconds: int) -> dict[str, Any]:
    """Samples of one worker from its start to the last request, and whether the ledger has them all."""
    with home.serving() as (pid, port, _):
        samples = [sample(pid, 0)]
        with _shown(requests) as show:
            while (done := samples[-1].requests) < requests:
                answered = load(
                    [port], "/score", bodies, connections, seconds, home.token, nominals_from=done + 1
                ).answered
                time.sleep(_REST_SECONDS)
                samples.append(sample(pid, done + answered))
                show(samples[-1].requests)
        most = peak(pid)
    asked = samples[-1].requests
    ledger = sum(path.stat().st_size for path in home.folder.glob("dayzero.db*")) / 2**20
    recorded = home.scores()
    # The generator hangs up on what it has asked last; that was scored and recorded all the same.
    if not asked <= recorded <= asked + connections * (len(samples) - 1):
        raise SystemExit(f"{asked} answers and {recorded} records of them.")
    return {"samples": samples, "peak": most, "recorded": recorded, "ledger": ledger}


@contextmanager
def _shown(requests: int) -> Iterator[Any]:
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("asking", total=requests)
        yield lambda done: progress.update(task, completed=done)


def told(found: dict[str, Any]) -> str:
    """The run as Markdown."""
    samples = [Sample(*one) for one in found["samples"]]
    packages = found["packages"]
    rows = list(packages.items())[:10]
    parts = [
        told_machine(found["machine"]),
        _targets(found, growth(samples), samples[-1]),
        _memory(samples),
        f"Installed for serving: {len(packages)} packages, {sum(packages.values()):.0f} MiB; the ten largest:\n\n"
        + "| package | MiB |\n|---|---|\n"
        + "".join(f"| {name} | {size:.1f} |\n" for name, size in rows),
        "| artefact | MiB |\n|---|---|\n"
        + "".join(f"| {name} | {size:.1f} |\n" for name, size in found["artefacts"].items()),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _targets(found: dict[str, Any], fitted: Growth, last: Sample) -> str:
    start, busy = (statistics.median(one[name] for one in found["starts"]) for name in ("seconds", "processor_seconds"))
    first = Sample(*found["samples"][1])
    left = last.files - first.files
    rows = [
        ("cold start to ready", "<= 2 s", f"{start:.2f} s ({busy:.2f} s of processor)", start <= START_SECONDS),
        ("memory of one worker, at its highest", "<= 300 MiB", f"{found['peak']:.0f} MiB", found["peak"] <= RESIDENT_MIB),
        (
            f"growth over {last.requests:,} requests",
            "none",
            f"{fitted.verdict}: {fitted.total:+.1f} MiB, {fitted.rate:+.1f} bytes a request",
            fitted.verdict == "no growth",
        ),
        ("open files left behind", "none", f"{first.files} after the first requests, {last.files} after the last",
         left <= FILES_ALLOWED),
        ("threads left behind", "none", f"{first.threads} and {last.threads}", last.threads <= first.threads),
        ("every request audited", "all", f"{found['recorded']:,} records, {found['ledger']:,.0f} MiB, checked", True),
    ]  # fmt: skip
    return held(rows)


def _memory(samples: list[Sample]) -> str:
    """Ten of the samples, the first and the last among them."""
    every = max(1, (len(samples) - 1) // 9)
    shown = [*samples[:-1:every], samples[-1]]
    lines = ["| requests | MiB resident | of its own | threads | open files |", "|---|---|---|---|---|"]
    lines += [
        f"| {one.requests:,} | {one.resident:.0f} | {one.own:.0f} | {one.threads} | {one.files} |" for one in shown
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
