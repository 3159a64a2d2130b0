"""`dayzero-train synth`: write a synthetic force, and show it against the published figures."""

import math
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from app.errors import SetupError
from app.extract.load import load_extract
from app.harm.harm_index import index_in_force
from app.progress import bar
from app.settings import read_settings
from training.synthetic.check import Plan
from training.synthetic.check_command import run_check
from training.synthetic.fidelity import fidelity
from training.synthetic.fidelity_rows import Row, figure_text
from training.synthetic.fidelity_sh import sh_fidelity
from training.synthetic.folder import check_out, write
from training.synthetic.force import STAGES, generate
from training.synthetic.logs.table import logs_table
from training.synthetic.population import POPULATIONS
from training.synthetic.world import WORLDS, find_world, of_population, world_name

_LAST_STAGES = 3
_WORK = Path("fidelity-work")
_MEASURES = {"stalking": fidelity, "sh": sh_fidelity}


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="New or empty folder for the extract; with --check the JSON file to write.",
)
@click.option(
    "--nominals",
    type=click.IntRange(1, 1_000_000),
    help="How many labelled nominals.  [default: 28279, or 80362 with --population sh]",
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed gives the same bytes."
)
@click.option("--world", type=click.Choice(sorted(WORLDS)), default="published", show_default=True)
@click.option(
    "--population",
    type=click.Choice(sorted(POPULATIONS)),
    default="stalking",
    show_default=True,
    help="Everyone known for stalking, or (sh) for stalking or harassment of any kind.",
)
@click.option(
    "--noise", type=click.FloatRange(0, 1), help="Share of people nothing foretells, instead of the world's own."
)
@click.option(
    "--latents", type=click.Path(path_type=Path), help="Parquet file for the truths behind it, outside the folder."
)
@click.option(
    "--logs",
    type=click.IntRange(1, 1_000_000),
    help="Also write logs.parquet: texts for every domestic non-crime and for this many crimes of each low score.",
)
@click.option("--check", is_flag=True, help="Write no extract: hold the world against every published figure.")
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=5, show_default=True, help="--check: how many, from --seed."
)
@click.option(
    "--stack-seeds",
    type=click.IntRange(0, 100),
    help="--check: how many of them with a stack (minutes each).  [default: all]",
)
@click.option(
    "--sh-seeds", type=click.IntRange(0, 100), default=1, show_default=True, help="--check: S&H forces to measure."
)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="--check: fits side by side.")
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    default=_WORK,
    show_default=True,
    help="--check: folder where each seed's results are kept, so that a killed run goes on.",
)
@click.pass_context
def synth(
    context: click.Context,
    /,
    *,
    out: Path,
    nominals: int | None,
    seed: int,
    world: str,
    population: str,
    noise: float | None,
    latents: Path | None,
    logs: int | None,
    check: bool,
    seeds: int,
    stack_seeds: int | None,
    sh_seeds: int,
    jobs: int,
    work: Path,
) -> None:
    """Invent a police force: an extract of people who do not exist, in the shape of a real one.

    With --check: invent several, measure on them every figure the report prints, and exit with 1 where one with a
    tolerance lies outside it on the mean.
    """
    size = nominals or POPULATIONS[population].family.parts.labelled
    if not check:
        _invent(out, size, seed, world, noise, population, latents, logs)
        return
    if population != "stalking" or latents is not None or noise is not None or logs is not None:
        raise click.UsageError(
            "--check measures both populations of a world as it is, and writes no latents and no logs."
        )
    every = tuple(range(seed, seed + seeds))
    plan = Plan(world, size, every, every[:stack_seeds], tuple(range(seed, seed + sh_seeds)))
    if not run_check(plan, out, work, jobs):
        context.exit(1)


def _invent(
    out: Path,
    size: int,
    seed: int,
    world: str,
    noise: float | None,
    population: str,
    latents: Path | None,
    logs: int | None,
) -> None:
    """Write one extract and show how far its figures are from the report's."""
    check_out(out, latents)
    named = world_name(world, population)
    with bar("inventing") as progress:
        task = progress.add_task("", total=len(STAGES) + _LAST_STAGES)
        settings = of_population(find_world(world, noise), population)
        force = generate(size, seed, settings, on_stage=lambda _: progress.advance(task))
        texts = None if logs is None else logs_table(force.tables["incidents"], seed, logs)
        write(force, out, world=named, seed=seed, nominals=size, noise=noise, latents=latents, logs=texts)
        del force
        progress.advance(task)
        extract = load_extract(out, index_in_force(read_settings().harm_index))
        progress.advance(task)
        labelled = POPULATIONS[population].family.label(extract)
        if len(labelled.person) != size:
            raise SetupError("The generator missed the number of labelled nominals. This is a fault of the program.")
        rows = _MEASURES[population](extract, labelled, nominals=size)
        progress.advance(task)
    console = Console()
    console.print(_fidelity_table(rows, size))
    console.print(f"{out}: {size} labelled nominals, {len(extract.occurred)} incidents. Everyone is invented.")


def _fidelity_table(rows: list[Row], nominals: int) -> Table:
    table = Table(title=f"Published figures, scaled to {nominals} labelled nominals", title_justify="left")
    table.add_column("figure")
    for heading in ("published", "here", "tolerance"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        verdict = "" if math.isnan(row.tolerance) else "[green]holds[/]" if row.passes else "[yellow]outside[/]"
        texts = (figure_text(value, row.unit) for value in (row.published, row.measured, row.tolerance))
        table.add_row(row.name, *texts, verdict)
    return table
