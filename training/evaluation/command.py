"""`dayzero-train evaluate`: the whole evidence for one artefact, from one command."""

import tempfile
import time
from pathlib import Path

import click

from app.artifacts import load_any_manifest
from app.harm.harm_index import index_in_force
from app.settings import read_settings
from app.text.manifest import TextManifest
from training.documents.write import write_documents
from training.evaluation.evaluate import evaluate
from training.evaluation.sections import SECTIONS
from training.harm.fit import peak_mebibytes
from training.harm.progress import shown
from training.text.evaluation import evaluate_text


@click.command("evaluate")
@click.option(
    "--artifact",
    "artefact",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of one version, such as model_artifacts/stalking-nominal/2.",
)
@click.option(
    "--work",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for extracts, fits and finished steps; a run that was killed goes on from here. About 1 GB.",
)
@click.option(
    "--extract",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The extract a force's own artefact learnt from. Without it the worlds of the synthetic force are invented.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Fits side by side.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of what is drawn while measuring."
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([section.name for section in SECTIONS]),
    help="Measure this section alone (may be repeated); the part is written to the work folder.",
)
@click.option(
    "--leave-out",
    multiple=True,
    type=click.Choice([section.name for section in SECTIONS]),
    help="Leave this section out of a whole run (may be repeated); the file and the page say so.",
)
@click.option("--join", is_flag=True, help="Put --only sections into the evaluation.json beside the artefact.")
@click.option(
    "--documents-only", is_flag=True, help="Measure nothing: write the documents from the evaluation.json there."
)
def command(
    artefact: Path,
    folder: Path | None,
    extract: Path | None,
    jobs: int,
    seed: int,
    only: tuple[str, ...],
    leave_out: tuple[str, ...],
    join: bool,
    documents_only: bool,
) -> None:
    """Measure an artefact: everything an ethics committee, a statistician or an analyst may ask.

    Writes evaluation.json beside the artefact, and the documents made from it alone: model card, ATRS record, ALGO-CARE
    answers, Covenant table, report page. The same artefact and seed give the same bytes, so everything can be deleted and
    brought back. Every finished step is kept in the work folder: after a kill, run the same command again.

    \b
    Everything, from nothing:
      dayzero-train evaluate --artifact model_artifacts/stalking-nominal/2 --work evaluation_work
    One section while you wait:
      dayzero-train evaluate --artifact ... --work evaluation_work --only calibration
    A force's own artefact:
      dayzero-train evaluate --artifact my_artifacts/stalking-nominal/1 --work evaluation_work --extract my_extract
    """
    if documents_only:
        for path in write_documents(artefact):
            click.echo(str(path))
        return
    if isinstance(load_any_manifest(artefact)[0], TextManifest):
        _of_logs(artefact, folder, extract, seed, only)
        return
    if join and not only:
        raise click.UsageError("--join puts sections into a whole evaluation: name them with --only.")
    if leave_out and only:
        raise click.UsageError("--leave-out is for a whole run: it does not go with --only.")
    if folder is None:
        raise click.UsageError("Name a --work folder: that is where a run that is killed goes on from.")
    started = time.monotonic()
    index = index_in_force(read_settings().harm_index)
    with shown(keep=False) as stages:
        written = evaluate(
            artefact,
            folder,
            index,
            own=extract,
            only=only,
            without=leave_out,
            join=join,
            seed=seed,
            jobs=jobs,
            stages=stages,
        )
    click.echo(
        f"{written}: written after {(time.monotonic() - started) / 60:.1f} min, {peak_mebibytes():.0f} MiB at most."
    )


def _of_logs(artefact: Path, folder: Path | None, extract: Path | None, seed: int, only: tuple[str, ...]) -> None:
    """A model that reads logs is measured whole, in minutes; without a work folder nothing is kept."""
    if only:
        raise click.UsageError("A model that reads logs is measured whole: leave out --only.")
    index = index_in_force(read_settings().harm_index)
    with tempfile.TemporaryDirectory() as other, shown(keep=False) as stages:
        written = evaluate_text(artefact, folder or Path(other), index, own=extract, seed=seed, stages=stages)
    click.echo(f"{written}: written.")
