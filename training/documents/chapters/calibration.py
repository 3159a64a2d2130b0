"""Does a probability mean what it says?"""

from training.documents import drawings
from training.documents.blocks import Block, Chapter, Line, Picture, Table, Words
from training.documents.chapters.common import MIXES, cell, worlds
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import figure, share

_ROWS = {
    "observed": ("observed share of the highest group", share),
    "predicted": ("mean predicted probability", share),
    "expected_calibration_error": ("expected calibration error, ten bins", share),
    "slope": ("slope (1 perfect, below 1 too extreme)", figure),
    "intercept": ("intercept (0 perfect, above 0 too low)", figure),
}


def chapter(facts: Facts) -> Chapter:
    """Reliability of the highest group's probability for people as they come, and its summary at every mix."""
    shown = [(name, world.under("calibration")) for name, world in worlds(facts) if world.at("calibration")]
    blocks: list[Block] = [_reliability(shown), _table(shown), _read()] if shown else []
    return Chapter("calibration", "Calibration", "If it says 20 %, is it 20 in 100?", blocks)


def _reliability(shown: list[tuple[str, View]]) -> Picture:
    series = {name: found.at("population_mix.reliability") for name, found in shown}
    said = "; ".join(
        f"{name}: predicted {share(found.at('predicted'))}, observed {share(found.at('observed'))}, calibration error "
        f"{share(found.at('expected_calibration_error'))}"
        for name, found in ((name, one.under("population_mix")) for name, one in shown)
    )
    title = "Probability of the highest group, ten bins of equal size"
    drawing = embedded(drawings.reliability(series, title), "reliability", "Reliability of the probability", said)
    return Picture(drawing, f"People as they come. On the dotted line a probability means what it says. {said}.")


def _table(shown: list[tuple[str, View]]) -> Table:
    mixes = {**MIXES, "training_mix": "mix it learnt at"}
    columns = [(f"{name}, {words}", found.under(mix)) for name, found in shown for mix, words in mixes.items()]
    rows: list[Line] = [
        [words, *(cell(view.at(key), show) for _, view in columns)] for key, (words, show) in _ROWS.items()
    ]
    return Table("Calibration of the highest group's probability", ["", *(name for name, _ in columns)], rows)


def _read() -> Words:
    return Words(
        [
            "Read the columns “as they come”: these are the probabilities an answer calls population probabilities. Those at "
            "the test mix serve ranking and the flag, and are not meant as shares of any real population.",
        ]
    )
