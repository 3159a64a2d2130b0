"""What a triage team would have on its desk: the planner's input."""

from training.documents import drawings
from training.documents.blocks import Block, Cell, Chapter, Line, Picture, Table, Words
from training.documents.chapters.common import MIXES, cell, worlds
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import bare, share, tenths

VOLUMES = (25, 50, 100, 147, 250, 500)
"""New stalking cases a week; 147 is the report's. Of other cases as many times more as there are."""


def chapter(facts: Facts) -> Chapter:
    """A week at the report's volume, at other volumes, and what a team of given size would find."""
    shown = [(name, world.under("workload")) for name, world in worlds(facts) if world.at("workload")]
    blocks: list[Block] = []
    if shown:
        name, first = shown[0]
        blocks = [_week(shown, facts), _volumes(name, first), _capacity(shown), _drawn(shown), _input(first)]
    return Chapter("workload", "Workload", "How many cases a week, and how many of them rightly?", blocks)


def told(facts: Facts) -> str:
    """One sentence for the records; empty where nothing was measured."""
    found = facts.here.under("workload")
    week = found.under("here.population_mix")
    if not week:
        return ""
    return (
        f"At {_weekly(found)} new {facts.case.new} a week about {tenths(week.at('flagged_a_week'))} would be flagged, "
        f"{tenths(week.at('right_a_week'))} of them people of the two highest groups."
    )


def _weekly(found: View) -> int:
    """Cases a week that the figures are told for."""
    return int(found.at("weekly_volume.published"))


def _week(shown: list[tuple[str, View]], facts: Facts) -> Table:
    rows: list[Line] = []
    for mix, words in MIXES.items() if shown[0][1].at("published") else ():
        rows.append([f"the published report, {words}", *_line(shown[0][1].under(f"published.{mix}"))])
    rows += [
        [f"{name}, {words}", *_line(found.under(f"here.{mix}"))]
        for name, found in shown
        for mix, words in MIXES.items()
    ]
    heads = ["", "flagged", "of these in the two highest groups", "flagged a week", "rightly", "missed a week"]
    return Table(
        f"A week with {_weekly(shown[0][1])} new {facts.case.new}",
        heads,
        rows,
        note="Rightly: in one of the two highest groups in the end.",
    )


def _line(found: View) -> list[Cell]:
    shares = [cell(found.at(key), share) for key in ("flag_rate", "precision")]
    return [*shares, *(cell(found.at(key), tenths) for key in ("flagged_a_week", "right_a_week", "missed_a_week"))]


def _volumes(name: str, found: View) -> Table:
    week = found.under("here.population_mix")
    rate, precision, missed = (bare(week.at(key)) or 0.0 for key in ("flag_rate", "precision", "missed_a_week"))
    rows: list[Line] = []
    weekly = _weekly(found)
    for volume in (weekly if one == VOLUMES[3] else one * round(weekly / VOLUMES[3]) for one in VOLUMES):
        flagged, lost = volume * rate, missed * volume / weekly
        counts = (flagged, flagged * precision, flagged * (1 - precision), lost)
        rows.append([f"{volume:,}", *(Cell(f"{count:.1f}", count) for count in counts)])
    heads = ["new cases a week", "flagged", "rightly", "in the two lower groups", "missed"]
    return Table(f"Other volumes, people as they come, {name}", heads, rows)


def _capacity(shown: list[tuple[str, View]]) -> Table:
    rows: list[Line] = []
    for place, row in enumerate(shown[0][1].rows("capacity")):
        line: Line = [f"{row.at('cases_a_week'):,}", cell(row.at("flag_rate"), share)]
        for _, found in shown:
            line += [cell(found.at(f"capacity.{place}.{key}"), share) for key in ("precision", "top_found")]
        rows.append(line)
    heads = ["cases a week", f"share of {_weekly(shown[0][1])}"]
    heads += [f"{words}, {name}" for name, _ in shown for words in ("rightly", "of the highest group found")]
    return Table("A team of given size takes the highest probabilities", heads, rows)


def _drawn(shown: list[tuple[str, View]]) -> Picture:
    cases = [float(row.at("cases_a_week")) for row in shown[0][1].rows("capacity")]
    series = {
        f"{words}, {name}": [bare(row.at(key)) for row in found.rows("capacity")]
        for name, found in shown
        for key, words in (("precision", "rightly"), ("top_found", "highest group found"))
    }
    said = "The more cases a team takes, the more of the highest group it finds and the fewer of its cases are right."
    drawing = drawings.lines(
        cases, series, "People as they come", f"Cases a week, of {_weekly(shown[0][1])} new ones", "Share"
    )
    return Picture(embedded(drawing, "capacity", "What a team of given size finds", said), said)


def _input(found: View) -> Words:
    week = found.under("here.population_mix")
    return Words(
        [
            f"Input for a workload planner, people as they come: flag rate {share(week.at('flag_rate'))}, precision "
            f"{share(week.at('precision'))}. Put in the force's own weekly volume; this extract has "
            f"{tenths(found.at('weekly_volume.here'))} a week."
        ]
    )
