"""How often it is wrong, in the committee's words, and the matrix behind them."""

from app.harm.caveats import Errors, errors_among, told_errors
from training.documents import drawings
from training.documents.blocks import Block, Cell, Chapter, Line, Picture, Table, Words
from training.documents.chapters.common import MIXES, worlds
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import share

OUT_OF = 1_000


def chapter(facts: Facts) -> Chapter:
    """The committee's sentence, a table of it for each world and mix, and the confusion matrix as figure 14."""
    matrix = facts.here.at("metrics.test_mix.confusion")
    blocks: list[Block] = []
    if matrix:
        blocks = [Words([committee(facts)], strong=True), _table(facts), _matrix(matrix)]
    return Chapter("errors", "Out of a thousand people", "How often is it wrong, and in which way?", blocks)


def committee(facts: Facts) -> str:
    """The committee's sentence for people as they come; empty where nothing was measured."""
    confusion = facts.here.at("metrics.population_mix.confusion")
    return told_errors(confusion) if confusion else ""


def published_errors(metrics: View) -> Errors | None:
    """The same for the report's own model at its test mix, from what it prints."""
    flagged, right, found = (metrics.at(f"published.{name}") for name in ("flagged", "flagged_are_top", "top_found"))
    if not (flagged and right and found):
        return None
    caught = OUT_OF * flagged * right
    return Errors(OUT_OF * flagged, OUT_OF * flagged - caught, caught / found - caught)


def _table(facts: Facts) -> Table:
    rows = []
    for name, world in worlds(facts):
        for mix, words in MIXES.items():
            confusion = world.at(f"metrics.{mix}.confusion")
            if confusion:
                precision = share(world.at(f"metrics.{mix}.precision"))
                rows.append(_row(f"{name}, {words}", errors_among(OUT_OF, confusion), precision))
    published = published_errors(facts.here.under("metrics"))
    if published:
        rows.append(
            _row("the published report, test mix", published, share(facts.here.at("metrics.published.precision")))
        )
    return Table(
        f"Out of {OUT_OF:,} people",
        ["where", "flagged", "of them falsely", "missed", "flagged who belong to the two highest groups"],
        rows,
        note="Falsely: not in the highest group in the end. Missed: in the highest group in the end and not flagged. "
        f"Read “as they come”: the test mix holds more {facts.about.high} than there are.",
    )


def _row(where: str, errors: Errors, precision: str) -> Line:
    return [where, *(Cell(f"{one:,.0f}", one) for one in errors), precision]


def _matrix(matrix: list[list[float]]) -> Picture:
    top = matrix[-1]
    words = (
        f"Of {sum(top):,.0f} test people who truly belong to the highest group, {top[3]:,.0f} are put there, "
        f"{top[2]:,.0f} one below and {top[0] + top[1]:,.0f} in the two lower groups. Of {sum(matrix[0]):,.0f} in the "
        f"lowest group, {matrix[0][3]:,.0f} are put in the highest."
    )
    drawing = embedded(drawings.confusion(matrix), "confusion", "Confusion matrix of the test set", words)
    return Picture(drawing, f"Confusion matrix of the test set, drawn as the report's figure 14. {words}")
