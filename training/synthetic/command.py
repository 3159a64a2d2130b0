"""`dayzero-train synth`: write a synthetic force, and show it against the published figures."""

import math
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from app.errors import SetupError
from app.harm.harm_index import index_in_force
from app.progress import bar
from app.settings import read_settings
from training.extract import load_extract
from training.labels import label
from training.synthetic.fidelity import Row, fidelity
from training.synthetic.folder import check_out, write
from training.synthetic.force import STAGES, generate
from training.synthetic.world import WORLDS, find_world

_LAST_STAGES = 3


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New or empty folder for the extract.")
@click.option("--nominals", type=click.IntRange(1, 1_000_000), required=True, help="How many labelled nominals.")
@click.option("--seed", type=click.IntRange(0), required=True, help="The same seed gives the same bytes.")
@click.option("--world", type=click.Choice(sorted(WORLDS)), default="published", show_default=True)
@click.option(
    "--noise", type=click.FloatRange(0, 1), help="Share of people nothing foretells, instead of the world's own."
)
@click.option(
    "--latents", type=click.Path(path_type=Path), help="Parquet file for the truths behind it, outside the folder."
)
def synth(out: Path, nominals: int, seed: int, world: str, noise: float | None, latents: Path | None) -> None:
    """Invent a police force: an extract of people who do not exist, in the shape of a real one."""
    check_out(out, latents)
    with bar("inventing") as progress:
        task = progress.add_task("", total=len(STAGES) + _LAST_STAGES)
        force = generate(nominals, seed, find_world(world, noise), on_stage=lambda _: progress.advance(task))
        write(force, out, world=world, seed=seed, nominals=nominals, noise=noise, latents=latents)
        progress.advance(task)
        extract = load_extract(out, index_in_force(read_settings().harm_index))
        progress.advance(task)
        labelled = label(extract)
        if len(labelled.person) != nominals:
            raise SetupError("The generator missed the number of labelled nominals. This is a fault of the program.")
        rows = fidelity(extract, labelled)
        progress.advance(task)
    console = Console()
    console.print(_fidelity_table(rows, nominals))
    console.print(f"{out}: {nominals} labelled nominals, {len(extract.occurred)} incidents. Everyone is invented.")


def _fidelity_table(rows: list[Row], nominals: int) -> Table:
    table = Table(title=f"Published figures, scaled to {nominals} labelled nominals", title_justify="left")
    table.add_column("figure")
    for heading in ("published", "here", "tolerance"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        verdict = "" if math.isnan(row.tolerance) else "[green]holds[/]" if row.passes else "[yellow]outside[/]"
        table.add_row(row.name, *(_number(value) for value in (row.published, row.measured, row.tolerance)), verdict)
    return table


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"
