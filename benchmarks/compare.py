"""`make bench`: everything side by side in one run: rates, p50 and p99, varied bodies, several rounds.

`python -m benchmarks.compare --work FOLDER` in the training environment. All servers stand ready all the time; within a
round each is asked in turn, alone, so that a slow moment of the machine falls on all alike. Figures are medians over the
rounds after a round that is not counted. Writes `results.json` and `results.md` to the work folder.
"""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from benchmarks.contestants import CONTESTANTS, Contestant, Ground, Running, start
from benchmarks.prepare import LENGTHS
from benchmarks.wrk import Load, demand_wrk, load
from tests.databases import running_postgres

HERE = Path(__file__).parent
CONCURRENCY = (1, 8, 32)
ENVIRONMENTS = ("plain", "mlserver", "bentoml", "litserve")
PAUSE = 1.0
"""Seconds until what the generator left behind has been worked off."""
Measured = dict[str, dict[str, list[Load]]]


@click.command()
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), default=Path("bench_work"), show_default=True)
@click.option("--serving", default=str(HERE.parent / ".venv/bin/python"), help="Python of the serving environment.")
@click.option("--rounds", default=3, show_default=True, help="Counted rounds; one more comes first.")
@click.option("--seconds", default=4, show_default=True, help="Of each measurement.")
@click.option("--only", default="", help="Only contestants whose name contains this.")
def main(work: Path, serving: str, rounds: int, seconds: int, only: str) -> None:
    """Install, prepare, start, ask, tell."""
    demand_wrk()
    work = work.absolute()
    wanted = [one for one in CONTESTANTS if only in one.name]
    _install(work, {one.group.partition("-")[0] for one in wanted})
    if not (work / "models" / "stack.pickle").exists():
        subprocess.run([sys.executable, "-m", "benchmarks.prepare", str(work)], check=True, cwd=HERE.parent)
    with _ground(work, serving) as ground:
        groups = {group: start(group, ground) for group in dict.fromkeys(one.group for one in wanted)}
        measured = _measure(wanted, groups, work / "bodies", rounds, seconds)
    (work / "results.json").write_text(json.dumps({"machine": _machine(), "measured": measured}, indent=1))
    text = _told(measured)
    (work / "results.md").write_text(text)
    click.echo(text)


def _install(work: Path, names: set[str]) -> None:
    """Make the environments that are not there, each from its own lock."""
    for name in ENVIRONMENTS:
        folder = work / "environments" / name
        if name not in names or (folder / "ready").exists():
            continue
        click.echo(f"Installing the environment {name} ...", err=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        options = ["--quiet", "--disable-pip-version-check", "-r", str(HERE / "environments" / f"{name}.txt")]
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", *options], check=True)
        (folder / "ready").touch()


@contextmanager
def _ground(work: Path, serving: str) -> Iterator[Ground]:
    with tempfile.TemporaryDirectory() as scratch, running_postgres() as postgres:
        ground = Ground(work, Path(scratch), serving, postgres)
        with ground.stack:
            yield ground


def _measure(wanted: list[Contestant], groups: dict[str, Running], bodies: Path, rounds: int, seconds: int) -> Measured:
    """name -> what was varied -> a load of each counted round."""
    cases = [("mix", connections) for connections in CONCURRENCY] + [(str(length), 1) for length in LENGTHS]
    measured: Measured = {one.name: {} for one in wanted}
    with Progress(disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("asking", total=(rounds + 1) * len(wanted) * len(cases))
        for number in range(rounds + 1):
            for sent, connections in cases:
                for one in wanted:
                    running = groups[one.group]
                    if not _makes_sense(one, running, sent, connections):
                        shown.advance(task)
                        continue
                    found = load(
                        running.ports, one.path, bodies / f"{sent}.{one.way}", connections, seconds, running.token
                    )
                    time.sleep(PAUSE)
                    if number:
                        measured[one.name].setdefault(_case(sent, connections), []).append(found)
                    shown.advance(task)
    return measured


def _makes_sense(one: Contestant, running: Running, sent: str, connections: int) -> bool:
    """Two workers need two connections; explanations beyond one running and eight waiting are refused by design."""
    if len(running.ports) > 1 and (connections < len(running.ports) or sent != "mix"):
        return False
    return connections <= 8 or one.way not in {"factors", "both"} or one.group == "plain"


def _case(sent: str, connections: int) -> str:
    return f"mix, {connections}" if sent == "mix" else f"{sent} incidents"


def _machine() -> dict[str, str]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    model = next(
        (line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    return {
        "processor": model.strip(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": commit.strip(),
        "time": datetime.now(UTC).isoformat(timespec="minutes"),
    }


def _told(measured: Measured) -> str:
    told = ", ".join(f"{name} {value}" for name, value in _machine().items())
    return f"{told}\n\n{_rates(measured)}\n{_lengths(measured)}"


def _median(loads: list[Load], what: str) -> float:
    return statistics.median(getattr(one, what) for one in loads)


def _rates(measured: Measured) -> str:
    """The mix of histories, at each concurrency."""
    heads = [f"{what} at {connections}" for connections in CONCURRENCY for what in ("/s", "p50 ms", "p99 ms")]
    lines = [f"| a mix of histories | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for name, cases in measured.items():
        cells = []
        for connections in CONCURRENCY:
            loads = cases.get(_case("mix", connections))
            cells += (
                ["", "", ""]
                if loads is None
                else [f"{_median(loads, 'rate'):,.0f}", f"{_median(loads, 'p50'):.2f}", f"{_median(loads, 'p99'):.1f}"]
            )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _lengths(measured: Measured) -> str:
    """p50 by length of history, one connection."""
    lines = [
        "| p50 ms by incidents | " + " | ".join(map(str, LENGTHS)) + " |",
        "|---|" + "---|" * len(LENGTHS),
    ]
    for name, cases in measured.items():
        found: list[Any] = [cases.get(_case(str(length), 1)) for length in LENGTHS]
        if any(found):
            lines.append(
                f"| {name} | " + " | ".join(f"{_median(one, 'p50'):.2f}" if one else "" for one in found) + " |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    began = time.monotonic()
    main(standalone_mode=False)
    click.echo(f"{(time.monotonic() - began) / 60:.0f} min", err=True)
