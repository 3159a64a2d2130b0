"""Scoring in bulk, measured: `python -m benchmarks.bulk --extract DIR`.

Speed and memory of `dayzero score EXTRACT --out scores.parquet` by number of nominals and processes, reading and features
included; time of one nominal by length of history; single scores beside a bulk call. Larger extracts are copies of the
scorable people of `DIR` under other ids, so the mix of histories stays what it is. Ledger: SQLite in a temporary folder.
"""

import json
import os
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
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.bulk.batch import PART
from app.bulk.remote import post_lines
from app.demo import dayzero, running_server
from app.extract.load import load_extract
from app.extract.people import people_on
from app.harm.harm_index import load_harm_index
from app.harm.service import load_scorer
from app.settings import read_settings
from benchmarks.explanations import AS_OF, request

LENGTHS = (1, 5, 20, 100, 500)
SINGLES = 200
_SAMPLE_SECONDS = 0.1


class Measured(NamedTuple):
    """One run: `resident` the highest sum over all its processes, `ledger` and `table` sizes, all MiB."""

    nominals: int
    jobs: int
    seconds: float
    resident: float
    ledger: float
    table: float

    def row(self) -> str:
        """A row of the table."""
        rate = self.nominals / self.seconds
        sizes = f"{self.resident:.0f} | {self.ledger:.0f} | {self.table:.1f}"
        return f"| {self.nominals:,} | {self.jobs} | {self.seconds:.1f} | {rate:,.0f} | {sizes} |"


def enlarged(extract: Path, out: Path, nominals: int) -> Path:
    """An extract of about so many scorable people and their victims; a few are lost, with whoever made its last day."""
    clean = load_extract(extract, load_harm_index())
    people = people_on(clean, clean.end)
    tables = {path.stem: pq.read_table(path) for path in extract.glob("*.parquet")}
    chosen = pa.array(people.nominal_id.tolist(), pa.string())
    out.mkdir()
    parts: dict[str, list[pa.Table]] = {name: [] for name in tables}
    for copy in range(-(-nominals // len(chosen))):
        wanted = chosen.slice(0, min(len(chosen), nominals - copy * len(chosen)))
        for name, table in _their_part(tables, wanted).items():
            parts[name].append(_renamed(table, f"{copy}-"))
    for name, found in parts.items():
        pq.write_table(pa.concat_tables(found), out / f"{name}.parquet")
    return out


def _their_part(tables: dict[str, pa.Table], wanted: pa.Array) -> dict[str, pa.Table]:
    """Incidents of these people and whom they name; of the others only what is shared."""
    own = _where(tables["involvements"], "person_id", wanted)["incident_id"]
    shared = _where(tables["involvements"], "incident_id", own)
    victims = shared.filter(pc.equal(shared["role"], "victim"))["person_id"]
    named = pa.chunked_array([wanted, *victims.chunks])
    return {
        "persons": _where(tables["persons"], "person_id", named),
        "incidents": _where(tables["incidents"], "incident_id", own),
        "involvements": _where(shared, "person_id", named),
        "custody": _where(tables["custody"], "person_id", wanted),
        "contacts": _where(tables["contacts"], "person_id", victims),
    }


def _where(table: pa.Table, column: str, among: pa.ChunkedArray) -> pa.Table:
    return table.filter(pc.is_in(table[column], value_set=among))


def _renamed(table: pa.Table, prefix: str) -> pa.Table:
    for name in ("person_id", "incident_id"):
        if name in table.column_names:
            ids = pc.binary_join_element_wise(prefix, table[name].cast(pa.string()), "")
            table = table.set_column(table.column_names.index(name), name, ids)
    return table


def run(extract: Path, folder: Path, nominals: int, jobs: int) -> Measured:
    """Score an extract with a ledger of its own; everything from start to the finished table counts."""
    out, home = folder / f"{nominals}-{jobs}.parquet", folder / f"home-{nominals}-{jobs}"
    command = [sys.executable, "-m", "app.cli", "score", str(extract), "--out", str(out), "--jobs", str(jobs)]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | {"DAYZERO_HOME": str(home)})
    resident = 0
    while process.poll() is None:
        resident = max(resident, sum(map(_resident, _family(process.pid))))
        time.sleep(_SAMPLE_SECONDS)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit("The run did not score everyone.")
    scored = pq.read_metadata(out).num_rows
    ledger = sum(path.stat().st_size for path in home.glob("dayzero.db*"))
    return Measured(scored, jobs, seconds, resident / 2**20, ledger / 2**20, out.stat().st_size / 2**20)


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
    """Memory and time against nominals, both axes logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, name, unit in zip(
        figure.subplots(1, 2), ("resident", "seconds"), ("MiB resident", "seconds"), strict=True
    ):
        for jobs in sorted({one.jobs for one in measured}):
            shown = [one for one in measured if one.jobs == jobs]
            axes.plot(
                [one.nominals for one in shown], [getattr(one, name) for one in shown], "o-", label=f"{jobs} processes"
            )
        axes.set(xscale="log", yscale="log", xlabel="nominals", ylabel=unit)
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
    figure.savefig(path)


@click.command()
@click.option("--extract", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--nominals", multiple=True, type=int, default=(1_000, 10_000), show_default=True)
@click.option("--jobs", multiple=True, type=int, default=(1, 2), show_default=True)
@click.option("--plot", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw memory and time here.")
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here, for benchmarks.scaling."
)
def main(
    extract: Path, nominals: tuple[int, ...], jobs: tuple[int, ...], picture: Path | None, keep: Path | None
) -> None:
    """Print the tables."""
    print(f"{date.today()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    print(
        "| nominals | processes | s | nominals/s | MiB resident | MiB ledger | MiB table |\n|---|---|---|---|---|---|---|"
    )
    measured = []
    with tempfile.TemporaryDirectory(prefix="dayzero-bulk-") as name:
        folder = Path(name)
        for count in nominals:
            larger = enlarged(extract, folder / f"extract-{count}", count)
            for processes in jobs:
                measured.append(run(larger, folder, count, processes))
                print(measured[-1].row(), flush=True)
        print("\n| incidents | one alone, us | one of a part, us |\n|---|---|---|")
        for row in by_length():
            print(row, flush=True)
        print("\n| single scores | p50, ms | p99, ms | bulk lines/s |\n|---|---|---|---|")
        for row in beside(folder):
            print(row, flush=True)
    if keep is not None:
        keep.write_text(json.dumps([one._asdict() for one in measured], indent=1) + "\n")
    if picture is not None:
        plot(measured, picture)


if __name__ == "__main__":
    main()
