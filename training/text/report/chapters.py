"""Chapters of the report page of a model of logs."""

from training.documents import drawings
from training.documents.blocks import Block, Cell, Chapter, Line, Picture, Table, Words
from training.documents.facts import View
from training.documents.pictures import embedded
from training.documents.words import amount, bare, figure, share
from training.text.measure import MEASURES
from training.text.report.facts import (
    MODELS,
    NAMES,
    LogFacts,
    committee,
    non_crimes_told,
    rivals_told,
    speed_told,
)

_HEADS = ["", "accuracy", "mean error, days", "quadratic kappa"]
_SHOW = {"accuracy": share, "mean_absolute_error": figure, "quadratic_kappa": figure}
_CALIBRATED = ("predicted", "observed", "expected_calibration_error")
LIMITS = (
    "The model counts terms. Who said a thing, and a negation that stands far from what it denies, are largely lost on it.",
    "An effect of a term is the change of the mean harm when that term alone is left out. It shows what the model used, not "
    "what is true.",
    "Crimes and non-crimes of the invented force are written by one grammar; real ones are not, so expect less.",
    "How an officer writes of some people and not of others is learnt with the words: no log says whom it is of, so no audit of "
    "fairness by group is possible here. A force that knows ethnicity and gender of those involved should make one.",
)


def errors(facts: LogFacts) -> Chapter:
    """How often it is wrong, and by how much."""
    matrix = facts.served.at("confusion")
    blocks: list[Block] = []
    if matrix:
        words = committee(facts)
        drawing = embedded(drawings.confusion(matrix, NAMES, "score"), "confusion", "Confusion matrix", words)
        rows: list[Line] = [
            [f"true {name}", *(Cell(amount(count), count) for count in row)]
            for name, row in zip(NAMES, matrix, strict=True)
        ]
        table = Table("True scores down, named scores across", ["", *(f"named {name}" for name in NAMES)], rows)
        why = str(facts.evaluation.at("published.why"))
        blocks = [
            Words([words], strong=True),
            Picture(drawing, "Of the model served, on the test part."),
            table,
            Words([why]),
        ]
    return Chapter("errors", "Errors", "How often is it wrong, and by how much?", blocks)


def measures(facts: LogFacts) -> Chapter:
    """Network and rivals beside the report's figure and the best possible."""
    found = facts.evaluation
    if not found.at("test.models"):
        return Chapter("measures", "Measures", "How good is it, and how sure is that?")
    rows: list[Line] = [
        ["the report's network, on real logs", Cell(share(found.at("published.accuracy"))), "not given", "not given"]
    ]
    for name, words in MODELS.items():
        served = ", served" if name == facts.manifest.served else ""
        rows.append([f"{words}{served}", *_cells(found.under(f"test.models.{name}"))])
    limit = found.under("bayes_limit")
    if limit:
        rows.append(
            [
                "Bayes limit: nobody can do better on these logs",
                share(limit.at("accuracy")),
                "",
                figure(limit.at("kappa")),
            ]
        )
    said = [
        rivals_told(facts),
        "The generator of the logs draws answers to a dozen questions given the score, then words given the answers. So the "
        "chance of each score given a log is a product of its own tables, and the limit is known. One knob of it was set so that "
        "the published network comes near the published accuracy: that it does is no finding.",
    ]
    table = Table(f"On {amount(found.at('test.logs'))} logs of the test part, as many of each score", _HEADS, rows)
    return Chapter("measures", "Measures", "How good is it, and how sure is that?", [table, Words(said)])


def worlds(facts: LogFacts) -> Chapter:
    """The served model on forces it knows nothing of."""
    rows: list[Line] = []
    for name, world in facts.evaluation.items("worlds"):
        rows.append(
            [f"{name}: {amount(world.at('crimes.logs'))} crimes, as many of each score", *_cells(world.under("crimes"))]
        )
        own = world.under("non_crimes")
        rows.append([f"{name}: {amount(own.at('read'))} domestic non-crimes, at their own mix", *_cells(own)])
    blocks: list[Block] = []
    if rows:
        blocks = [Table("Fresh forces", _HEADS, rows), Words([str(facts.evaluation.at("worlds_why"))])]
    blocks.append(Words([non_crimes_told(facts.evaluation.under("non_crimes"))]))
    return Chapter(
        "worlds", "Other forces, and non-crimes", "Does it hold where it did not learn, and on what it is for?", blocks
    )


def calibration(facts: LogFacts) -> Chapter:
    """Do the chances mean what they say?"""
    found = facts.evaluation.under("test.calibration")
    if not found:
        return Chapter("calibration", "Calibration", "Does a chance of 70 % mean 70 %?")
    each = {"the score named": found.under("named"), **{f"{name} days": part for name, part in found.items("scores")}}
    rows: list[Line] = [
        [
            name,
            *(
                Cell(share(part.at(key)), bare(part.at(key)))
                for key in ("predicted", "observed", "expected_calibration_error")
            ),
        ]
        for name, part in each.items()
    ]
    table = Table("Mean chance against what was so", ["chance of", "predicted", "observed", "calibration error"], rows)
    words = (
        f"The chance of the score named is off by {share(found.at('named.expected_calibration_error'))} on average over ten "
        f"bins. Brier score {figure(found.at('brier'))}, ranked probability score {figure(found.at('ranked_probability'))}, "
        f"log loss {figure(found.at('log_loss'))}."
    )
    shown = {"the score named": found.at("named.reliability"), "10 days": found.at("scores.10.reliability")}
    drawing = embedded(drawings.reliability(shown, "Said against what was so"), "reliability", "Reliability", words)
    return Chapter("calibration", "Calibration", "Does a chance of 70 % mean 70 %?", [Picture(drawing, words), table])


def negations(facts: LogFacts) -> Chapter:
    """What it makes of denials."""
    found = facts.evaluation.under("negations")
    if not found:
        return Chapter("negations", "Negations", 'Does it understand "no weapon seen"?')
    rows: list[Line] = [
        ["denial gets a lower mean harm than the fact", share(found.at("lower"))],
        ["denial gets a higher named score than the fact", share(found.at("higher_score"))],
        ["fact named 5 or 10", share(found.at("facts_grave"))],
        ["denial named 1, 2 or 3", share(found.at("denials_mild"))],
        ["logs without a single word the model knows", share(found.at("unread"))],
    ]
    table = Table(f"{found.at('logs')} logs that nobody generated, in pairs", ["what", "share"], rows)
    words = "A reader would find the denial milder every time. The pairs stand in training/text/negated_logs.csv."
    return Chapter("negations", "Negations", 'Does it understand "no weapon seen"?', [table, Words([words])])


def drift(facts: LogFacts) -> Chapter:
    """Is the watch silent where nothing changed?"""
    rows: list[Line] = [
        [f"{name}, windows of {size} logs", *(Cell(amount(count), count) for count in part.content.values())]
        for name, world in facts.evaluation.items("worlds")
        for size, part in world.items("drift")
        if size.isdecimal()
    ]
    blocks = [Table("Fresh forces, 200 windows each", ["", "steady", "worth watching", "alarm"], rows)] if rows else []
    return Chapter("drift", "Drift", "Is the watch over its inputs silent where nothing has changed?", blocks)


def limits(facts: LogFacts) -> Chapter:
    """What it cannot do, and how long it takes."""
    return Chapter(
        "limits",
        "Limits",
        "What must be kept in mind?",
        [Words(LIMITS), Words([speed_told(facts.evaluation.under("speed"))])],
    )


def learnt(facts: LogFacts) -> Chapter:
    """What it learnt from."""
    data, parts = facts.manifest.data, facts.manifest.data["vocabulary"]
    lines = [
        f"Of {amount(data['logs'])} logs {amount(data['usable'])} are of crimes with harm of at most 10 in the groups the report "
        f"keeps; {amount(data['a-score'])} of each score were drawn, {amount(data['train'])} to learn from and "
        f"{amount(data['test'])} to test with.",
        f"Terms seen more than 100 times: {amount(parts['words'])} words, {amount(parts['pairs'])} pairs, "
        f"{amount(parts['triples'])} triples; what is mostly written like a name is none, however frequent.",
    ]
    return Chapter("learnt", "What it learnt from", "On which logs does it rest?", [Words(lines)])


def made(facts: LogFacts) -> Chapter:
    """The command, and what it was made with."""
    manifest = facts.manifest
    lines = [
        f"dayzero-train evaluate --artifact model_artifacts/{manifest.family}/{manifest.version} measures everything and writes "
        "these documents, byte for byte the same for the same artefact, seed and libraries, but for the times of reading.",
        "A force names its own extract with --extract.",
    ]
    libraries = facts.evaluation.at("libraries") or manifest.libraries
    table = Table("Measured with", ["library", "version"], [[name, str(one)] for name, one in libraries.items()])
    return Chapter("made", "How it was made", "Can the figures be made again?", [Words(lines), table])


def _cells(found: View) -> list[str | Cell]:
    return [Cell(_SHOW[name](found.at(name)), bare(found.at(name))) for name in MEASURES]


CHAPTERS = (errors, measures, calibration, worlds, negations, drift, limits, learnt)
