"""How closely the invented people follow what was published."""

from training.documents import drawings
from training.documents.blocks import Block, Chapter, Line, Picture, Table, Words
from training.documents.chapters.common import cell
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import bare
from training.synthetic.fidelity_rows import figure_text

_HOLDS = {True: "holds", False: "outside", None: "shown only"}


def chapter(facts: Facts) -> Chapter:
    """Every published figure beside its mean and spread over seeds, and how far off each is."""
    found = facts.evaluation.under("fidelity")
    blocks: list[Block] = []
    if found.rows("rows"):
        blocks = [Words([told(facts)]), _picture(found), _table(found)]
    return Chapter(
        "fidelity", "Fidelity of the invented people", "Do the invented people look like the published ones?", blocks
    )


def told(facts: Facts) -> str:
    """One sentence; empty where nothing was measured."""
    rows = facts.evaluation.rows("fidelity.rows")
    held = [row for row in rows if row.at("holds") is not None]
    outside = [str(row.at("figure")) for row in held if row.at("holds") is False]
    if not held:
        return ""
    named = f"; outside: {', '.join(outside)}" if outside else ""
    return f"{len(held) - len(outside)} of {len(held)} published figures are met within their tolerance{named}."


def _table(found: View) -> Table:
    lines: list[Line] = []
    for row in found.rows("rows"):
        unit = row.at("unit")
        shown = [
            cell(row.at(key), lambda value, unit=unit: figure_text(bare(value), unit))  # type: ignore[misc]
            for key in ("published", "mean", "sd", "tolerance")
        ]
        lines.append([f"{row.at('figure')} ({row.at('section')})", *shown, _HOLDS[row.at("holds")]])
    seeds = ", ".join(str(seed) for seed in found.at("seeds") or [])
    heads = ["figure (place in the report)", "published", "mean here", "spread", "tolerance", "verdict"]
    return Table(f"Published figures, world {found.at('world')}, seeds {seeds}", heads, lines, sortable=True)


def _picture(found: View) -> Picture:
    rows = {
        f"{row.at('figure')}": distance
        for row in found.rows("rows")
        if row.at("holds") is not None and (distance := _in_tolerances(row)) is not None
    }
    said = "Distance from the published figure in tolerances: between the dashed lines a figure holds. The table has the numbers."
    drawing = drawings.tolerances(rows, "Distance from the published figure")
    return Picture(embedded(drawing, "fidelity-plot", "Fidelity in tolerances", said), said)


def _in_tolerances(row: View) -> float | None:
    mean, published, tolerance = (bare(row.at(key)) for key in ("mean", "published", "tolerance"))
    if mean is None or published is None or not tolerance:
        return None
    return (mean - published) / tolerance
