"""What `dayzero-train synth --check` prints and writes."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.errors import SetupError
from app.files import written_whole
from app.harm.harm_index import index_in_force
from app.settings import read_settings
from training.evaluation.work import Json
from training.harm.progress import shown
from training.synthetic.check import Plan, check
from training.synthetic.fidelity_rows import figure_text
from training.synthetic.gather import SEEDS


def run_check(plan: Plan, out: Path, work: Path, jobs: int) -> bool:
    """Measure, write `out` and print the table; whether every row with a tolerance holds on its mean."""
    if out.is_dir():
        raise SetupError(f"{out} is a folder. With --check, --out names the JSON file to write.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with shown() as stages:
        found = check(plan, index_in_force(read_settings().harm_index), work, jobs=jobs, stages=stages)
    with written_whole(out) as file:
        file.write(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    console = Console()
    console.print(check_table(found))
    failing = [row["figure"] for row in found["rows"] if row["holds"] is False]
    console.print(f"{out}: {len(found['rows'])} figures, {len(failing)} outside their tolerance. Everyone is invented.")
    return bool(found["holds"])


def check_table(found: Json) -> Table:
    """Figures beside the report's, with the spread over the seeds."""
    table = Table(
        title=f"World {found['world']}, {found['nominals']} labelled nominals, seeds {_listed(found['seeds'])}",
        title_justify="left",
    )
    table.add_column("figure")
    for heading in ("published", "mean", "sd", "tolerance"):
        table.add_column(heading, justify="right")
    table.add_column("")
    part = None
    for told in found["rows"]:
        if told["measured_with"] != part:
            part = told["measured_with"]
            seeds = found[SEEDS[part]]
            table.add_section()
            table.add_row(f"[bold]with {found['parts'][part]}, seeds {_listed(seeds)}[/]")
        unit = told["unit"]
        texts = (figure_text(told[name], unit) for name in ("published", "mean", "sd", "tolerance"))
        verdict = {None: "", True: "[green]holds[/]", False: "[bold red]outside[/]"}[told["holds"]]
        table.add_row(f"{told['figure']} ({told['section']})", *texts, verdict)
    return table


def _listed(seeds: list[int]) -> str:
    return ", ".join(map(str, seeds))
