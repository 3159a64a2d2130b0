"""The survival code on real, public people: the only figures here that are not about invented ones."""

from training.documents.blocks import Block, Cell, Chapter, Line, Table, Words
from training.documents.chapters.common import cell
from training.documents.facts import Facts, View
from training.documents.words import amount, bare, figure, readable

_TITLES = {
    "rossi": "Maryland (Rossi, Berk and Lenihan 1980)",
    "north_carolina": "North Carolina (Chung, Schmidt and Witte 1991)",
}


def chapter(facts: Facts) -> Chapter:
    """Concordance of forest and Cox regression on two public sets of released prisoners."""
    sets = dict(facts.evaluation.items("public_recidivism"))
    blocks: list[Block] = []
    if sets:
        blocks = [
            _table(sets),
            Words(
                ["On such records a concordance of about 0.61 to 0.67 is what others report: so hard is the real task."]
            ),
        ]
    return Chapter(
        "recidivism", "Public recidivism sets", "Does the survival code do on real people what others found?", blocks
    )


def _table(sets: dict[str, View]) -> Table:
    rows: list[Line] = []
    for name, found in sets.items():
        line: Line = [_TITLES.get(name, readable(name))]
        line += [cell(found.at(key), amount) for key in ("people", "events")]
        line += [_spread(found.under(f"concordance.{model}")) for model in ("forest", "cox")]
        rows.append([*line, f"{bare(found.at('largest_onnx_difference')) or 0:.1e}"])
    heads = [
        "set",
        "people",
        "events",
        "concordance, our forest",
        "concordance, Cox regression",
        "largest difference, ONNX to library",
    ]
    return Table("5 × 5 cross-validation; in brackets the spread over repeats", heads, rows)


def _spread(found: View) -> Cell:
    spread = found.at("sd_of_repeats")
    return Cell(f"{figure(found.at('mean'))} ({figure(spread)})", bare(found.at("mean")))
