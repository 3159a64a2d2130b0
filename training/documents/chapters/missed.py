"""Who of the highest group is not seen, and why."""

from training.documents.blocks import Block, Cell, Chapter, Line, Table, Words
from training.documents.chapters.common import cell, worlds
from training.documents.facts import Facts, View
from training.documents.subjects import About
from training.documents.words import amount, bare, figure, share, tenths

_COUNTS = ("nominals", "flagged", "predicted_80_90", "missed")
_HEADS = ("flagged", "one group lower", "missed", "missed with the index incident only")


def chapter(facts: Facts) -> Chapter:
    """The finding in sentences, by offence, and what the missed have in common; beside the report's section 4.2."""
    blocks: list[Block] = []
    for name, world in worlds(facts):
        found = world.under("missed_cases")
        if found:
            blocks += [
                Words([f"{name}:", *(str(line) for line in found.at("in_words") or [])]),
                _offences(name, found, facts.about),
                _histories(name, found),
            ]
    return Chapter("missed", "Missed cases", "Who is missed, and why?", blocks)


def told(facts: Facts) -> str:
    """One sentence: how many of the missed had nothing on record before; empty where nothing was measured."""
    bare_record = _trait(facts.here, "nothing before the index incident")
    if bare_record is None or bare(bare_record.at("missed")) is None:
        return ""
    return (
        f"Of those in the highest group whom the model missed, {share(bare_record.at('missed'))} had nothing on record before "
        f"the index incident, against {share(bare_record.at('seen'))} of those it saw."
    )


def _trait(world: View, name: str) -> View | None:
    return next((row for row in world.rows("missed_cases.histories") if row.at("trait") == name), None)


def _offences(name: str, found: View, about: About) -> Table:
    lines: list[Line] = [
        [str(row.at("offence")), *(cell(row.at(key), amount) for key in (*_COUNTS, "missed_with_index_incident_only"))]
        for row in found.rows("offences")
    ]
    for offence, row in found.items("published"):
        if row.at("nominals") is not None:
            figures = [cell(row.at(key), amount) for key in (*_COUNTS, "missed_with_index_incident_only")]
            lines.append([f"the report: {offence}", *figures])
    return Table(f"The highest group by what followed, {name}", (about.happened, about.people, *_HEADS), lines)


def _histories(name: str, found: View) -> Table:
    lines: list[Line] = [
        [
            str(row.at("trait")),
            *(_middle(row, key) for key in ("missed", "seen")),
            cell(row.at("more_among_missed"), figure),
        ]
        for row in found.rows("histories")
    ]
    heads = ["trait of the known history", "missed", "seen", "chance that a missed one has more (half: no difference)"]
    note = "Means of yes-or-no traits, medians of the others; what separates most comes first."
    return Table(f"What missed and seen have on record, {name}", heads, lines, note=note)


def _middle(row: View, key: str) -> Cell:
    return cell(row.at(key), share if row.at("as") == "share" else tenths)
