"""What `dayzero-train fit --family noncrime-harm` shows."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.harm.harm_index import HarmIndex
from training.harm.progress import shown
from training.text.fit import TextReport, fit_text
from training.text.measure import MEASURES, PUBLISHED_ACCURACY

_SAID = {
    "network": "published network",
    "logistic": "tf-idf, logistic regression",
    "ordinal": "tf-idf, proportional odds",
}


def fit_and_tell(extract: Path, out: Path, index: HarmIndex, *, version: str, seed: int) -> Path:
    """Fit on the logs of an extract, print what was measured, return the artefact's folder."""
    with shown() as stages:
        report = fit_text(extract, out, index, version=version, seed=seed, stages=stages)
    console = Console()
    console.print(summary(report))
    if report.manifest.served != "network":
        console.print(
            "[bold yellow]A rival named clearly more of the inner part rightly and is served instead of the network.[/]"
        )
    return report.folder


def summary(report: TextReport) -> Table:
    """Network and rivals on the test part, beside the report's one figure."""
    manifest = report.manifest
    table = Table(
        "test part", "accuracy", "mean error, days", "quadratic kappa", title=f"{manifest.family} {manifest.version}"
    )
    for name, measured in manifest.metrics["test"].items():
        values = [
            f"{measured[key]['value']:.3f} ({measured[key]['low']:.3f} to {measured[key]['high']:.3f})"
            for key in MEASURES
        ]
        table.add_row(_SAID[name] + (", served" if name == manifest.served else ""), *values)
    table.add_row("report", f"{PUBLISHED_ACCURACY:.3f}", "", "")
    table.add_section()
    table.add_row("largest export difference", f"{report.difference:.1e}", "", "")
    table.add_row("terms", str(manifest.terms), "", "")
    table.add_row("size, MiB", f"{sum(report.sizes.values()) / 2**20:.1f}", "", "")
    table.add_row("time, minutes", f"{report.seconds / 60:.1f}", "", "")
    table.add_row("peak memory, MiB", f"{report.peak_mebibytes:.0f}", "", "")
    table.caption = f"{report.folder}\nlearnt from {manifest.learnt_from}"
    return table
