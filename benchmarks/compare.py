"""`make bench`: everything side by side in one run: rates, p50 and p99, varied bodies, several rounds.

`python -m benchmarks.compare --work FOLDER` in the training environment. All servers stand ready all the time; within a
round each is asked in turn, alone, so that a slow moment of the machine falls on all alike. Figures are medians over the
rounds after a short one that is not counted. Writes `results.json`, `results.md` and `by_length.svg` to the work folder, and
where everyone was asked the tables and the plot into `benchmarks/README.md`.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import Progress

from benchmarks.bodies import LENGTHS, prepared
from benchmarks.contestants import CONTESTANTS, Contestant, Ground, Running, start
from benchmarks.machine import machine
from benchmarks.report import write_report
from benchmarks.targets import case_of
from benchmarks.wrk import Load, demand_wrk, load
from tests.databases import running_postgres

HERE = Path(__file__).parent
CONCURRENCY = (1, 8, 16, 32)
CROWD = 16
"""The concurrency of the targets for throughput: asked of those who give no explanation."""
MOST_EXPLAINED = 8
ENVIRONMENTS = ("plain", "mlserver", "bentoml", "litserve")
PAUSE = 1.0
"""Seconds until what the generator left behind has been worked off."""
WARM_UP_SECONDS = 1
Results = dict[str, dict[str, list[Load]]]
Asked = tuple[str, int, Contestant]


@click.command()
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), default=Path("bench_work"), show_default=True)
@click.option("--serving", default=str(HERE.parent / ".venv/bin/python"), help="Python of the serving environment.")
@click.option("--rounds", default=3, show_default=True, help="Counted rounds; a short one comes first.")
@click.option("--seconds", default=3, show_default=True, help="Of each measurement.")
@click.option(
    "--only", default="", help="Only contestants whose name contains this; benchmarks/README.md stays as it is."
)
def main(work: Path, serving: str, rounds: int, seconds: int, only: str) -> None:
    """Install, prepare, start, ask, tell."""
    demand_wrk()
    work = work.absolute()
    wanted = [one for one in CONTESTANTS if only in one.name]
    _install(work, {one.group.partition("-")[0] for one in wanted})
    bodies = prepared(work)
    with _ground(work, serving) as ground:
        groups = {group: start(group, ground) for group in dict.fromkeys(one.group for one in wanted)}
        measured = _measure(_programme(wanted, groups), groups, bodies, rounds, seconds)
    (work / "results.json").write_text(json.dumps({"machine": machine(), "measured": measured}, indent=1))
    click.echo(write_report(work, None if only else HERE / "README.md"))


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


def _programme(wanted: list[Contestant], groups: dict[str, Running]) -> list[Asked]:
    """Who is asked with what in one round: bodies, connections, contestant."""
    cases = [("mix", connections) for connections in CONCURRENCY] + [(str(length), 1) for length in LENGTHS]
    return [
        (sent, connections, one)
        for sent, connections in cases
        for one in wanted
        if makes_sense(one, len(groups[one.group].ports), sent, connections)
    ]


def makes_sense(one: Contestant, workers: int, sent: str, connections: int) -> bool:
    """Two workers need two connections; explanations beyond one running and eight waiting are refused by design."""
    if sent != "mix":
        return one.by_length
    if connections < workers:
        return False
    explains = one.way in {"factors", "both"}
    if connections == CROWD:
        return not explains
    return connections <= MOST_EXPLAINED or not explains or one.group == "plain"


def _measure(programme: list[Asked], groups: dict[str, Running], bodies: Path, rounds: int, seconds: int) -> Results:
    """name -> what was varied -> a load of each counted round."""
    measured: Results = {one.name: {} for _, _, one in programme}
    with Progress(disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("asking", total=(rounds + 1) * len(programme))
        for number in range(rounds + 1):
            for sent, connections, one in programme:
                running, lasting = groups[one.group], seconds if number else WARM_UP_SECONDS
                asked = bodies / f"{sent}.{one.way}"
                found = load(running.ports, one.path, asked, connections, lasting, running.token)
                time.sleep(PAUSE)
                if number:
                    measured[one.name].setdefault(case_of(sent, connections), []).append(found)
                shown.advance(task)
    return measured


if __name__ == "__main__":
    began = time.monotonic()
    main(standalone_mode=False)
    click.echo(f"{(time.monotonic() - began) / 60:.0f} min", err=True)
