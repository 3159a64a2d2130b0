"""The stack fitted again with something left out."""

from collections.abc import Sequence

from training.documents.blocks import Block, Cell, Chapter, Line, Table, Words
from training.documents.chapters.common import cell, worlds
from training.documents.facts import Facts, View
from training.documents.words import MISSING, amount, bare, bounds, readable, share, signed, tenths

_HEADS = (
    "top-two accuracy", "report", "adjusted F1", "report", "top-two accuracy less the stack's",
    "net harm a test nominal, days", "what",
)  # fmt: skip


def chapter(facts: Facts) -> Chapter:
    """One table a world, and what must be said beside the report's own figures."""
    blocks: list[Block] = []
    for name, world in worlds(facts):
        rows = world.rows("ablations.rows")
        if rows:
            remarks = [str(remark) for remark in world.at("ablations.remarks") or []]
            blocks += [_table(name, rows, facts.about.people), *([Words(remarks)] if remarks else [])]
    suspects = "suspects, " if facts.about.accused else ""
    asks = f"What would it cost to leave out {suspects}non-crimes or gender?"
    return Chapter("ablations", "What is left out", asks, blocks)


def told(world: View, name: str) -> str:
    """What leaving something out changes, as the end of such a sentence; empty where it was not measured."""
    row = next((row for row in world.rows("ablations.rows") if row.at("name") == name), None)
    if row is None or row.at("not_measured"):
        return ""
    apart, found = row.at("to_stack.top_2_accuracy"), row.at("test_mix.top_2_accuracy")
    if apart is None:
        count = amount(row.at("nominals"))
        return f"who is scored at all ({count} nominals remain): top-two accuracy among them is {share(found)}."
    return f"top-two accuracy by {points(apart)}."


def points(apart: object) -> str:
    """A difference of shares in percentage points."""
    middle, ends = bare(apart), bounds(apart)
    if middle is None:
        return MISSING
    said = f"{signed(middle)} points"
    return said if ends is None else f"{said} ({signed(ends[0])} to {signed(ends[1])})"


def _table(name: str, rows: Sequence[View], people: str) -> Table:
    lines: list[Line] = []
    for row in rows:
        called = Cell(readable(str(row.at("name"))), mark="in force" if row.at("name") == "stack" else "")
        if row.at("not_measured"):
            lines.append([called, *[Cell("–")] * 7, str(row.at("not_measured"))])
            continue
        found, published = row.under("test_mix"), row.under("published")
        lines.append(
            [
                called,
                cell(row.at("nominals"), amount),
                cell(found.at("top_2_accuracy"), share),
                cell(published.at("top_2_accuracy"), share),
                cell(found.at("adjusted_f1")),
                cell(published.at("adjusted_f1")),
                cell(row.at("to_stack.top_2_accuracy"), points),
                cell(found.at("net_harm_a_nominal"), tenths),
                str(row.at("what")),
            ]
        )
    return Table(f"Fitted again with something left out, test mix, {name}", ("", people, *_HEADS), lines)
