"""docs/fidelity.md and its plots, from the results of `dayzero-train synth --check` and from nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from app.errors import SetupError
from app.files import written_whole
from training.evaluation.work import Json
from training.synthetic.fidelity_plots import plots
from training.synthetic.fidelity_rows import figure_text
from training.synthetic.gather import FORMAT, SEEDS, SH, VICTIM_STACK, VICTIMS
from training.synthetic.world import WORLDS

PAGE, FOLDER = "fidelity.md", "fidelity"
_NAMES = {
    "groups": (
        "Harm groups (table 2)",
        "Share of nominals in each group of future harm, the report beside each world.",
    ),
    "harm": (
        "Harm by percentile (figure 10)",
        "Days of harm in the year after day zero by percentile of nominals: none for half of them, hundreds for the top "
        "tenth. The report prints one relation of this curve, the 98th percentile to the 75th.",
    ),
    "ages": (
        "Ages (figure 6)",
        "Age at the index incident, men and women, in the first world; the report's peak is shaded.",
    ),
    "months": (
        "Incidents by month (figures 3 and 2)",
        "Growth over the last years, and a spike in every January, where incidents of unknown date stand. Only the first "
        "world is drawn: volumes hardly differ between worlds.",
    ),
    "contacts": (
        "Victims' contacts (figure 9)",
        "Mean contacts before day zero by tenth of future harm. Nominals without any harm afterwards fill the lower half.",
    ),
    "ethnicity": ("Ethnicity (table 5)", "Share of each recorded ethnicity among stalking nominals."),
    "sh-mix": ("Kinds of stalking and harassment (section 2.2)", "Share of each kind among all such incidents."),
    "difficulty": (
        "How hard the worlds are (sections 4.1 and 5)",
        "The published stack and a forest on the published selection, fitted anew in each world.",
    ),
}
_ORDER = {world: place for place, world in enumerate(WORLDS)}
_DRAWN = 2
"""Worlds in the plots: the first ones."""
_OF_VICTIMS = (VICTIMS, VICTIM_STACK)
_NONE = "–"
_VERDICTS = {None: "", True: "yes", False: "**no**"}
_HEAD = """# How far the synthetic force shows the published figures

This page and its plots are written by `dayzero-train fidelity-page` from the JSON files in `docs/fidelity/`; nothing here
is typed in. **Everyone measured here is invented.** The force is worth what it gets right, and says nothing about how
real people behave.

*The report* is West Midlands Police's, on its stalking harm model. A row *holds* where the mean over the seeds lies within its
tolerance of the report's figure. Rows without a tolerance are only shown. *Ours* marks figures the report does
not print but that follow from it or from the project's own reading.
"""
_WORLDS = """## Two worlds, because one cannot do

The report's classifier finds 72 % of the top group at 7.5 % false alarms among the lowest, which implies an area under the
curve of about .92 for the top group against the lowest. Its survival forest, on nearly the same question, has a concordance
of .70, which implies about .76. The generator knows no population that gives both: what lets the classifier rank so well
lets the forest do so too. Recidivism tools on real data rank about as the forest does. So there are two worlds: `published`
is held to the classifier's figures, and `sober` to the forest's. What is measured in `published` is an upper end; `sober` is
where to look for what to expect.

`published-victims` and `sober-victims` are the same two with others who harm the same victims; what is said of victims is
measured there. The plots show the first two worlds.
"""


@click.command("fidelity-page")
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--docs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("docs"),
    show_default=True,
    help="Folder that gets fidelity.md and the folder fidelity/ with its plots.",
)
def fidelity_page(results: tuple[Path, ...], docs: Path) -> None:
    """Write the page on fidelity from the RESULTS of `synth --check`, one JSON file a world, the first leading."""
    found = {one["world"]: one for one in map(read_result, results)}
    if len(found) < len(results):
        raise SetupError("Two of the results are of the same world. Name one file a world.")
    for name, text in written(found).items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write(text.encode())
    click.echo(f"{docs / PAGE}: {len(found)} worlds, {len(_NAMES)} plots beside it.")


def read_result(path: Path) -> Json:
    """One result of `synth --check`. Raises SetupError where the file is something else."""
    try:
        found: Json = json.loads(path.read_bytes())
        if found["format"] == FORMAT and {"world", "rows", "curves"} <= found.keys():
            return found
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise SetupError(f"{path.name} is no result of `dayzero-train synth --check`. Run that first.")


def written(found: Mapping[str, Json]) -> dict[str, str]:
    """Text of the page and of every plot by path below the docs folder; the same results give the same bytes."""
    found = dict(sorted(found.items(), key=lambda item: _ORDER.get(item[0], len(_ORDER))))
    drawn = plots(dict(list(found.items())[:_DRAWN]))
    pictures = [f"### {title}\n{words}\n\n![{title}]({FOLDER}/{name}.svg)\n" for name, (title, words) in _NAMES.items()]
    page = "\n".join([_HEAD, _how(found), _failing(found), _table(found), _WORLDS, "## Plots\n", *pictures])
    return {PAGE: page, **{f"{FOLDER}/{name}.svg": drawn[name] for name in _NAMES}}


def _how(found: Mapping[str, Json]) -> str:
    lines = ["## How it was made", "", "```"]
    for world, one in found.items():
        lines.append(
            f"dayzero-train synth --check --world {world} --nominals {one['nominals']} --seed {one['seeds'][0]} "
            f"--seeds {len(one['seeds'])} --stack-seeds {len(one['stack_seeds'])} --sh-seeds {len(one['sh_seeds'])} "
            f"--out docs/{FOLDER}/{world}.json"
        )
    files = " ".join(f"docs/{FOLDER}/{world}.json" for world in found)
    first = next(iter(found.values()))
    libraries = ", ".join(f"{name} {version}" for name, version in first["made_with"]["libraries"].items())
    lines += [f"dayzero-train fidelity-page {files}", "```", ""]
    lines.append(
        f"Generator {first['made_with']['generator']}, harm index {first['made_with']['harm_index']}; {libraries}. The same "
        "command gives the same bytes with the same libraries."
    )
    return "\n".join([*lines, ""])


def _failing(found: Mapping[str, Json]) -> str:
    """What does not hold, first."""
    lines = ["## What does not hold", ""]
    for world, one in found.items():
        held = [row for row in one["rows"] if row["holds"] is not None]
        outside = [row for row in held if not row["holds"]]
        told = "; ".join(
            f"{row['figure']} {figure_text(row['mean'], row['unit'])} (report {figure_text(row['published'], row['unit'])})"
            for row in outside
        )
        verdict = f"Outside: {told}." if told else "None lies outside."
        lines.append(f"- World `{world}`: {len(held) - len(outside)} of {len(held)} rows hold. {verdict}")
    return "\n".join([*lines, ""])


def _table(found: Mapping[str, Json]) -> str:
    """Every figure, the worlds side by side."""
    by_name = {world: {(row["figure"], row["section"]): row for row in one["rows"]} for world, one in found.items()}
    lines = ["## Every figure", ""]
    parts = {part: what for one in found.values() for part, what in one["parts"].items()}
    for part, what in parts.items():
        first, rows = _leading(found, part)
        if not rows:
            continue
        size = first["sh_nominals" if part == SH else "nominals"]
        lines += [f"### Measured with {what}", f"{size:,} labelled nominals, seeds {_seeds(found, part)}.", ""]
        lines.append("| figure | where | report | tolerance | " + " | ".join(f"`{w}` | holds" for w in found) + " |")
        lines.append("|---|---|---:|---:|" + "---:|---|" * len(found))
        for row in rows:
            name = (row["figure"], row["section"])
            lines.append(_line(row, {world: rows_of.get(name) for world, rows_of in by_name.items()}))
        lines.append("")
    return "\n".join(lines)


def _leading(found: Mapping[str, Json], part: str) -> tuple[Json, list[Json]]:
    """The first result with rows of a part, and those rows; none where there is none."""
    for one in found.values():
        if rows := [row for row in one["rows"] if row["measured_with"] == part]:
            return one, rows
    return {}, []


def _seeds(found: Mapping[str, Json], part: str) -> str:
    """What a part was measured on; world by world where they differ."""
    having = {world: one for world, one in found.items() if part not in _OF_VICTIMS or _leading({world: one}, part)[1]}
    by_world = {world: ", ".join(map(str, one[SEEDS[part]])) or "none" for world, one in having.items()}
    if len(set(by_world.values())) == 1:
        return next(iter(by_world.values()))
    return "; ".join(f"{seeds} (`{world}`)" for world, seeds in by_world.items())


def _line(row: Json, worlds: Mapping[str, Json | None]) -> str:
    unit = row["unit"]
    cells = [row["figure"], row["section"], figure_text(row["published"], unit), _tolerances(worlds)]
    for one in worlds.values():
        if one is None:
            cells += [_NONE, ""]
            continue
        spread = "" if one["sd"] is None else f" ± {figure_text(one['sd'], unit)}"
        cells += [f"{figure_text(one['mean'], unit)}{spread}", _VERDICTS[one["holds"]]]
    return "| " + " | ".join(cells) + " |"


def _tolerances(worlds: Mapping[str, Json | None]) -> str:
    """The tolerance; with the worlds it is for where they differ."""
    by_world = {world: _tolerance(row) for world, row in worlds.items() if row is not None}
    if len(set(by_world.values())) == 1:
        return next(iter(by_world.values()))
    return ", ".join(f"{text} (`{world}`)" for world, text in by_world.items() if text != _NONE)


def _tolerance(row: Json) -> str:
    if row["tolerance"] is None:
        return _NONE
    if row["side"] == "either way":
        return figure_text(row["tolerance"], row["unit"])
    sign = {"at least": -1, "at most": 1}[row["side"]]
    return f"{row['side']} {figure_text(row['published'] + sign * row['tolerance'], row['unit'])}"
