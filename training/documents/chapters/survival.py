"""The survival forest: when does a further incident come?"""

from app.artifacts import GROUPS
from training.documents import drawings
from training.documents.blocks import Block, Chapter, Line, Picture, Table, Words
from training.documents.chapters.common import MIXES, Show, cell, worlds
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import figure, share

DAYS = ("30", "90", "180", "365")
_FORESTS = {"shown": "forest shown in answers", "published_selection": "forest of the report's selection"}
_MEASURES: dict[str, tuple[str, Show]] = {
    "concordance": ("concordance index", figure),
    "integrated_brier": ("integrated Brier score", figure),
    "integrated_brier_kaplan_meier": ("the same for one curve for everyone", figure),
    "brier_skill": ("skill over that (1 perfect, 0 none)", figure),
    **{f"auc.{day}": (f"AUC by day {day}", figure) for day in DAYS},
}


def chapter(facts: Facts) -> Chapter:
    """Mean curves as figure 15, measures of both forests, and calibration at four days."""
    shown = [(name, world.under("survival")) for name, world in worlds(facts) if world.at("survival")]
    blocks: list[Block] = []
    if shown:
        blocks = [
            _curves(shown[0][1], facts),
            *(_measures(name, found) for name, found in shown),
            _note(),
            _calibration(shown),
        ]
    return Chapter("survival", "Survival", "When does a further incident come, and how well is that known?", blocks)


def _curves(survival: View, facts: Facts) -> Picture:
    curves = survival.under("shown.mean_curves")
    groups = {name: curves.under(name) for name in GROUPS if curves.at(name)}
    drawn = {f"{name}, {kind}": view.at(kind) for name, view in groups.items() for kind in ("predicted", "observed")}
    words = "; ".join(
        f"{name}: {share(view.at('predicted')[-1])} predicted, {share(view.at('observed')[-1])} observed"
        for name, view in groups.items()
    )
    said = f"Free of any further incident after a year, by true group. {words}."
    drawing = embedded(
        drawings.curves(curves.at("days"), drawn, facts.about.further, facts.about.people),
        "curves",
        "Mean survival curves of the four groups",
        said,
    )
    return Picture(
        drawing,
        f"{said} Each line is a mean over test {facts.about.people} (the report's figure 15 shows ten single ones). "
        "The groups are known only afterwards, so no forecast could reach the dashed lines.",
    )


def _measures(name: str, found: View) -> Table:
    columns = [
        (f"{words}, {mix_words}", found.under(f"{forest}.{mix}"))
        for forest, words in _FORESTS.items()
        for mix, mix_words in MIXES.items()
    ]
    published = found.under("published_selection.published")
    rows: list[Line] = [
        [words, *(cell(view.at(key), show) for _, view in columns), cell(published.at(key), show)]
        for key, (words, show) in _MEASURES.items()
    ]
    return Table(f"Both forests, {name}", ["measure", *(head for head, _ in columns), "report"], rows)


def _note() -> Words:
    return Words(
        [
            "The report's forest knows only people without any further incident and those of the highest group, so its "
            "concordance answers an easier question than the curve in an answer does.",
        ]
    )


def _calibration(shown: list[tuple[str, View]]) -> Table:
    rows: list[Line] = []
    for name, found in shown:
        for day in DAYS:
            at = found.under(f"shown.population_mix.calibration.{day}")
            rows.append(
                [f"{name}, day {day}", *(cell(at.at(key), share) for key in ("predicted", "observed", "difference"))]
            )
    return Table(
        "No further incident by each day, people as they come",
        ["", "predicted", "observed", "difference, points"],
        rows,
    )
