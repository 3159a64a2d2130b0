"""Scoring in bulk, measured: `python -m benchmarks.bulk --extract DIR`.

Speed, processor time, memory and ledger of `dayzero score EXTRACT --out scores.parquet` by number of nominals, processes and
what is recorded (`batch`: the extract as columns; `each`: a request, an answer and a record for each nominal), reading and
features included; time of one nominal by length of history; single scores beside a bulk call. Larger extracts are copies of the
scorable people of `DIR` under other ids, so the mix of histories stays what it is. Ledger: SQLite in a temporary folder.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import click
import httpx2
import pyarrow.parquet as pq

from app.bulk.batch import PART
from app.bulk.remote import post_lines
from app.demo import dayzero, running_server
from app.harm.service import load_scorer
from app.settings import read_settings
from benchmarks.enlarge import enlarged
from benchmarks.explanations import AS_OF, request

LENGTHS = (1, 5, 20, 100, 500)
SINGLES = 200
_SAMPLE_SECONDS = 0.1


class Measured(NamedTuple):
    """One run: `processor` seconds of all its processes, `resident` the highest sum over them; sizes are MiB."""

    nominals: int
    record: str
    jobs: int
    seconds: float
    processor: float
    resident: float
    ledger: float
    table: float

    def row(self) -> str:
        """A row of the table."""
        rate = self.nominals / self.seconds
        times = f"{self.seconds:.1f} | {rate:,.0f} | {1e6 * self.processor / self.nominals:,.0f}"
        sizes = f"{self.resident:.0f} | {self.ledger * 2**20 / self.nominals:,.0f} | {self.table:.1f}"
        return f"| {self.nominals:,} | {self.record} | {self.jobs} | {times} | {sizes} |"


TITLES = (
    "| nominals | record | processes | s | nominals/s | processor, us a nominal | MiB resident | ledger, bytes a nominal "
    "| MiB table |\n|---|---|---|---|---|---|---|---|---|"
)


def run(extract: Path, folder: Path, nominals: int, jobs: int, record: str) -> Measured:
    """Score an extract with a ledger of its own; everything from start to the finished table counts."""
    name = f"{nominals}-{record}-{jobs}"
    out, home = folder / f"{name}.parquet", folder / f"home-{name}"
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "score",
        str(extract),
        "--out",
        str(out),
        "--jobs",
        str(jobs),
        "--record",
        record,
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | {"DAYZERO_HOME": str(home)})
    resident = 0
    while process.poll() is None:
        resident = max(resident, sum(map(_resident, _family(process.pid))))
        time.sleep(_SAMPLE_SECONDS)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode:
        raise SystemExit("The run did not score everyone.")
    scored = pq.read_metadata(out).num_rows
    ledger = sum(path.stat().st_size for path in home.glob("dayzero.db*"))
    sizes = [size / 2**20 for size in (resident, ledger, out.stat().st_size)]
    return Measured(scored, record, jobs, seconds, processor, *sizes)


def _family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if children.exists():
        for child in children.read_text().split():
            yield from _family(int(child))


def _resident(pid: int) -> int:
    """Resident memory, bytes; 0 where the process has just ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def by_length() -> Iterator[str]:
    """Median microseconds of one nominal alone and in a part, by incidents: checked request to score, no ledger."""
    settings = read_settings()
    scorer = load_scorer(settings.artifacts, settings.harm_index)
    for length in LENGTHS:
        count = PART if length < 500 else PART // 4
        asked = [request(length, seed, "none") for seed in range(count)]
        scorer.score_all(asked[:2], AS_OF)
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(3):
            for together, batches in ((True, [asked]), (False, [[one] for one in asked[:32]])):
                for batch in batches:
                    began = time.perf_counter()
                    scorer.score_all(batch, AS_OF)
                    times[together].append(1e6 * (time.perf_counter() - began) / len(batch))
        yield f"| {length} | {statistics.median(times[False]):.0f} | {statistics.median(times[True]):.0f} |"


def beside(folder: Path) -> Iterator[str]:
    """Milliseconds of single scores by themselves, and while a bulk call runs."""
    environment = os.environ | {"DAYZERO_HOME": str(folder / "served"), "DAYZERO_LOG_LEVEL": "error"}
    body = request(20, 1, "none").model_dump_json().encode()
    lines = [request(20, seed, "none").model_dump_json().encode() for seed in range(500)]
    with running_server(environment) as address:
        tokens = [
            dayzero(environment, "token", "--subject", name, "--scope", "score").strip() for name in ("one", "many")
        ]
        yield f"| alone | {_singles(address, tokens[0], body)} | |"
        ending, answered = threading.Event(), [0]

        def endless() -> Iterator[bytes]:
            while not ending.is_set():
                yield from lines

        def take(_: bytes) -> None:
            answered[0] += 1

        bulk = threading.Thread(target=post_lines, args=(address, tokens[1], endless(), take))
        bulk.start()
        time.sleep(2)
        began, before = time.perf_counter(), answered[0]
        told = _singles(address, tokens[0], body)
        rate = (answered[0] - before) / (time.perf_counter() - began)
        ending.set()
        bulk.join()
        yield f"| beside a bulk call | {told} | {rate:,.0f} |"


def _singles(address: str, token: str, body: bytes) -> str:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    times = []
    with httpx2.Client(base_url=address, headers=headers, timeout=30) as client:
        for _ in range(SINGLES):
            began = time.perf_counter()
            if client.post("/score", content=body).status_code != 200:
                raise SystemExit("A single score was refused.")
            times.append(1000 * (time.perf_counter() - began))
    return f"{statistics.median(times):.1f} | {sorted(times)[int(0.99 * SINGLES)]:.1f}"


def plot(measured: list[Measured], path: Path) -> None:
    """Memory, time and rate against nominals, both axes logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4), layout="constrained")
    shown = {
        "MiB resident": lambda one: one.resident,
        "seconds": lambda one: one.seconds,
        "nominals a second": lambda one: one.nominals / one.seconds,
    }
    for axes, (unit, of) in zip(figure.subplots(1, len(shown)), shown.items(), strict=True):
        for record, jobs in sorted({(one.record, one.jobs) for one in measured}):
            runs = [one for one in measured if (one.record, one.jobs) == (record, jobs)]
            axes.plot(
                [one.nominals for one in runs], [of(one) for one in runs], "o-", label=f"{record}, {jobs} processes"
            )
        axes.set(xscale="log", yscale="log", xlabel="nominals", ylabel=unit)
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
    figure.savefig(path)


@click.command()
@click.option("--extract", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--nominals", multiple=True, type=int, default=(1_000, 10_000, 100_000), show_default=True)
@click.option("--each-up-to", type=int, default=10_000, show_default=True, help="No more nominals with a record each.")
@click.option("--only-runs", is_flag=True, help="Leave out lengths of history and single scores beside a bulk call.")
@click.option("--jobs", multiple=True, type=int, default=(1, 2), show_default=True)
@click.option("--plot", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw memory and time here.")
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here, for benchmarks.scaling."
)
def main(
    extract: Path,
    nominals: tuple[int, ...],
    each_up_to: int,
    only_runs: bool,
    jobs: tuple[int, ...],
    picture: Path | None,
    keep: Path | None,
) -> None:
    """Print the tables."""
    print(f"{date.today()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    print(TITLES)
    measured = []
    with tempfile.TemporaryDirectory(prefix="dayzero-bulk-") as name:
        folder = Path(name)
        for count in nominals:
            larger = enlarged(extract, folder / f"extract-{count}", count)
            for processes in jobs:
                for record in ("batch", "each") if count <= each_up_to else ("batch",):
                    measured.append(run(larger, folder, count, processes, record))
                    print(measured[-1].row(), flush=True)
        if not only_runs:
            _print_others(folder)
    if keep is not None:
        keep.write_text(json.dumps([one._asdict() for one in measured], indent=1) + "\n")
    if picture is not None:
        plot(measured, picture)


def _print_others(folder: Path) -> None:
    print("\n| incidents | one alone, us | one of a part, us |\n|---|---|---|")
    for row in by_length():
        print(row, flush=True)
    print("\n| single scores | p50, ms | p99, ms | bulk lines/s |\n|---|---|---|---|")
    for row in beside(folder):
        print(row, flush=True)


if __name__ == "__main__":
    main()
