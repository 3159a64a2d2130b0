"""`dayzero-train zoo`: the report's 168 combinations on an extract."""

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from app.extract.load import REAL_SOURCE
from app.files import written_whole
from app.harm.harm_index import index_in_force
from app.settings import read_settings
from training.harm.fit import prepare
from training.harm.progress import shown
from training.zoo.page import page
from training.zoo.steps import Crew
from training.zoo.zoo import zoo, zoo_work

_SHOWN = 12


@click.command("zoo")
@click.option(
    "--extract",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the five tables of an extract.",
)
@click.option(
    "--work",
    "kept",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for finished fits; a run that was killed goes on from here.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Fits side by side, here.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--scheduler", help="Address of a Dask scheduler (tcp://host:port): fits run on its workers instead.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table here as JSON, and as a page that sorts beside it (.html).  [default: WORK/zoo.json]",
)
def command(folder: Path, kept: Path, jobs: int, seed: int, scheduler: str | None, out: Path | None) -> None:
    """Compare every combination of two models the report tried (section 3.3.2, appendix 5).

    Seven first-stage models (svm, lr, rf, gbm, xgboost, lstm, cnn) are fitted out of fold once. Then every two of them
    are combined: 42 ensembles (average, max) and 126 stacks (into svm, lr, rf, gbm, xgboost, nn). Decision weights are
    chosen alike for all, the test set judges, net harm ranks. The same extract and seed give the same bytes, here or on
    a cluster.

    \b
    All of it, some twenty minutes on two cores:
      dayzero-train zoo --extract extract --work zoo_work
    Fit, export and serve a stack from the table:
      dayzero-train fit --extract extract --stack rf+xgboost:rf --out my_artifacts
    On a cluster (extra "dask"; workers need the training extra too):
      dayzero-train zoo --extract extract --work zoo_work --scheduler tcp://10.0.0.5:8786
    """
    started = time.monotonic()
    index = index_in_force(read_settings().harm_index)
    with shown() as stages:
        data = prepare(folder, index, seed, stages)
        section = zoo(data, zoo_work(kept, data, seed), seed, Crew(jobs, scheduler), stages)
    target = out or kept / "zoo.json"
    document = {"learnt_from": data.extract.source, "seed": seed, **section}
    with written_whole(target) as file:
        file.write(json.dumps(document, indent=1, allow_nan=False).encode() + b"\n")
    with written_whole(target.with_suffix(".html")) as file:
        file.write(page(document, synthetic=data.extract.source != REAL_SOURCE).encode())
    console = Console()
    console.print(summary(section))
    console.print(f"{target} and its page written after {(time.monotonic() - started) / 60:.1f} min.", soft_wrap=True)


def summary(section: dict[str, Any]) -> Table:
    """The best rows and the report's choice."""
    correlation = section["rank_correlation_with_published"]["net"]
    table = Table(
        "rank", "report", "model", "net harm", "adjusted F1", "top 2", "accuracy", "flagged", title="168 combinations"
    )
    for row in section["rows"]:
        if row["rank"] <= _SHOWN or row["name"] == section["published_choice"]:
            mix = row["test_mix"]
            shares = [f"{mix[name]:.3f}" for name in ("adjusted_f1", "top_2_accuracy", "accuracy", "flagged")]
            style = "bold" if row["name"] == section["published_choice"] else ""
            table.add_row(
                str(row["rank"]), str(row["published"]["rank"]), row["name"], f"{mix['net']:,.0f}", *shares, style=style
            )
    table.caption = f"Rank correlation with the report's order: {correlation:.2f}"
    return table
