"""The measures of the classifier, in every world and at both mixes, beside the report's own; ROC and precision-recall."""

from training.documents import drawings
from training.documents.blocks import Block, Chapter, Picture, Table, Words
from training.documents.chapters.common import MEASURES, MIXES, measure_rows, worlds
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import amount, figure


def chapter(facts: Facts) -> Chapter:
    """Everything of the report's section 4, and the proper scores beside it."""
    shown = [(name, world.under("metrics")) for name, world in worlds(facts) if world.at("metrics")]
    blocks: list[Block] = []
    if shown:
        blocks = [_counted(shown[0][1], facts.about.people), _measures(shown), _curves(shown)]
    return Chapter("measures", "Measures of the classifier", "How good is it, and how sure is that?", blocks)


def _counted(metrics: View, people: str) -> Words:
    return Words(
        [
            f"{amount(metrics.at('nominals'))} test {people} in {amount(metrics.at('components'))} groups of connected people. "
            f"Intervals hold 95 % of {amount(metrics.at('replicates'))} resamples of whole groups, the shares of the four harm "
            "groups kept."
        ]
    )


def _measures(shown: list[tuple[str, View]]) -> Table:
    columns = [(f"{name}, {words}", metrics.under(mix)) for name, metrics in shown for mix, words in MIXES.items()]
    published = View(shown[0][1].at("published"))
    views = [view for _, view in columns]
    rows = measure_rows(list(MEASURES), [*views, published])
    return Table(
        "Every measure",
        ["measure", *(name for name, _ in columns), "report, test mix"],
        rows,
        note="All of the report's measures can be raised by putting more people in the group below the highest: read them beside "
        "accuracy and that share.",
    )


def _curves(shown: list[tuple[str, View]]) -> Picture:
    curves, shares, said = {}, {}, []
    for name, metrics in shown:
        for mix, words in MIXES.items():
            found = metrics.at(f"{mix}.curves")
            if found:
                curves[f"{name}, {words}"] = found
                shares[f"{name}, {words}"] = float(metrics.at(f"{mix}.top_share") or 0)
        said.append(
            f"{name}: AUC of the highest group against the lowest {figure(metrics.at('test_mix.auc.top_against_lowest'))}"
        )
    words = f"{'; '.join(said)}. Dotted: no skill; for precision that is the share of the highest group."
    drawing = embedded(drawings.trade_offs(curves, shares), "tradeoffs", "ROC and precision-recall curves", words)
    return Picture(drawing, f"The highest group against everyone else. {words}")
