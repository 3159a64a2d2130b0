"""`dayzero-train fit`: one model family from an extract to an artefact."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from app.artifact_signatures import read_signer
from app.artifacts import sign_artefact
from app.extract.load import REAL_SOURCE
from app.extract.log_harm import newest_log_harm
from app.harm.harm_index import HarmIndex, index_in_force
from app.settings import read_settings
from app.text.manifest import FAMILY as TEXT_FAMILY
from training.families import FAMILIES, STALKING_NOMINAL, find_family
from training.harm.fit import FitReport, fit
from training.harm.progress import shown
from training.harm.structure import parse_stack
from training.text.command import fit_and_tell as fit_text_and_tell

_SHOWN = ("flagged", "precision", "sensitivity", "adjusted_f1", "top_2_accuracy", "accuracy", "predicted_80_90")
_SHOWN_HARM = ("missed", "positive", "net")


@click.command("fit")
@click.option(
    "--extract",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the five tables of an extract.",
)
@click.option("--family", type=click.Choice([*FAMILIES, TEXT_FAMILY]), default=STALKING_NOMINAL.name, show_default=True)
@click.option(
    "--stack",
    help="Two first-stage models and what reads them; see `dayzero-train zoo --help`.  [default: the family's own]",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Artefacts folder.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Fits side by side.")
@click.option("--version", default="1", show_default=True, help="Version folder to write; never overwritten.")
@click.option(
    "--signing-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Sign the artefact with this key.",
)
def command(
    folder: Path,
    family: str,
    stack: str | None,
    out: Path,
    seed: int,
    jobs: int,
    version: str,
    signing_key: Path | None,
) -> None:
    """Fit, check and write one artefact; the same extract and seed give the same bytes."""
    structure = None if stack is None else parse_stack(stack)
    signer = None if signing_key is None else read_signer(signing_key)
    index = index_in_force(read_settings().harm_index)
    if family == TEXT_FAMILY:
        fitted = fit_text_and_tell(folder, out, index, version=version, seed=seed)
    else:
        asked = {"family": find_family(family), "version": version, "seed": seed, "structure": structure, "jobs": jobs}
        fitted = _fit_and_tell(folder, out, index, asked)
    if signer is not None:
        sign_artefact(fitted, signer)


def _fit_and_tell(folder: Path, out: Path, index: HarmIndex, asked: dict[str, Any]) -> Path:
    """Fit a model of harm, with the logs read by the newest model of logs below `out`; print what was measured."""
    with shown() as stages:
        report = fit(folder, out, index, stages=stages, logs=newest_log_harm(folder, out), **asked)
    console = Console()
    console.print(summary(report))
    for note in notes(report):
        console.print(f"[bold yellow]{note}[/]")
    return report.folder


def notes(report: FitReport) -> list[str]:
    """What whoever reads the table must know beside it."""
    manifest, told = report.manifest, []
    if manifest.learnt_from == REAL_SOURCE:
        told.append(
            f"The extract has no SYNTHETIC.txt: every score will say that this model learnt from {REAL_SOURCE}."
        )
    unscored, read = manifest.data["domestic-non-crime-unscored"], manifest.data.get("domestic-non-crime-read", 0)
    if unscored or read:
        told.append(
            f"{read + unscored} domestic non-crimes have no score: {read} were read out of their logs, {unscored} count 3 days. "
            f"Logs are read where the extract has them and a {TEXT_FAMILY} model lies below --out."
        )
    undated = manifest.data["recording-date-missing"]
    if undated:
        told.append(
            f"{undated} incidents have no recorded_on and count as known on the day they happened. What was recorded later "
            "than that leaks into the histories: the measured quality is too good."
        )
    at_large = manifest.metrics["population_mix"]
    told.append(
        f"The test set holds more harmful people than there are. Among people as they come {at_large['flagged']:.1%} "
        f"would be flagged and {at_large['precision']:.1%} of those belong to the two highest groups."
    )
    return told


def summary(report: FitReport) -> Table:
    """What was fitted, beside the report's figures."""
    metrics: dict[str, Any] = report.manifest.metrics
    table = Table("test set", "here", "report", title=f"{report.manifest.family} {report.manifest.version}")
    family, test = find_family(report.manifest.family), metrics["test_mix"]
    for name in _SHOWN:
        published = family.published.get(name)
        table.add_row(name.replace("_", " "), f"{test[name]:.3f}", "" if published is None else f"{published:.3f}")
    for name in _SHOWN_HARM:
        table.add_row(f"{name} harm, days", f"{test['harm'][name]:,.0f}", f"{family.harm[name]:,.0f}")
    table.add_row("AUC top against lowest", f"{metrics['auc_top_against_lowest']:.3f}", "")
    table.add_row("concordance, first event", f"{metrics['survival']['concordance']:.3f}", "")
    table.add_section()
    table.add_row("largest export difference", f"{max(report.agreement[:3]):.1e}", "")
    table.add_row("size, MiB", f"{sum(report.sizes.values()) / 2**20:.1f}", "")
    table.add_row("time", f"{report.seconds / 60:.1f} min", "")
    table.add_row("peak memory, MiB", f"{report.peak_mebibytes:.0f}", "")
    table.caption = f"{report.folder}\nlearnt from {report.manifest.learnt_from}"
    return table
