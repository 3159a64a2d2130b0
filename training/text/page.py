"""`docs/text.md` and its picture: what the model of logs does, beside the report, its rivals and the best possible."""

from pathlib import Path
from typing import Any

import click

from app.artifacts import load_any_manifest
from app.errors import SetupError
from app.files import written_whole
from app.text.manifest import SCORES, TextManifest
from training.documents.drawings import confusion
from training.documents.facts import View, read_evaluation
from training.text.measure import MEASURES, PUBLISHED_ACCURACY
from training.text.report.facts import MODELS

PAGE, FOLDER, PICTURE = "text.md", "text", "confusion.svg"
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("text-page")
@click.option("--artefact", required=True, type=_DIRECTORY, help="Folder of an evaluated noncrime-harm artefact.")
@click.option("--out", required=True, type=_DIRECTORY, help="Folder of the documents.")
def text_page(artefact: Path, out: Path) -> None:
    """Write docs/text.md and its picture from the evaluation.json of an artefact that learnt from invented logs."""
    manifest, digest = load_any_manifest(artefact)
    if not isinstance(manifest, TextManifest):
        raise SetupError(f"{artefact} holds a model of another kind: this is for models that read logs.")
    found = read_evaluation(artefact, digest)
    if not found.at("worlds"):
        raise SetupError("This evaluation was made on a force's own extract; the page is of an invented one.")
    told = page(manifest, found)
    (out / FOLDER).mkdir(exist_ok=True)
    matrix = found.at(f"test.models.{manifest.served}.confusion")
    picture = confusion(matrix, [f"{score:g}" for score in SCORES], "score")
    for path, text in ((out / PAGE, told), (out / FOLDER / PICTURE, picture + "\n")):
        with written_whole(path) as file:
            file.write(text.encode())
    click.echo(f"Written: {out / PAGE}")


def page(manifest: TextManifest, found: View) -> str:
    """The page, from a whole evaluation."""
    tested, speed = found.at("test.models"), found.under("speed")
    parts = [
        _HEAD.format(learnt_from=manifest.learnt_from),
        _DATA.format(**manifest.data, **manifest.data["vocabulary"], known=manifest.terms),
        _results(tested, manifest.served, found.under("bayes_limit")),
        _SERVED[manifest.served].format(**manifest.metrics["fit"]["inner_accuracy"]),
        _matrix(tested[manifest.served]["confusion"], found.at("published.why")),
        _NEGATION.format(**found.at("negations")),
        _NON_CRIMES.format(**found.at("non_crimes")),
        _elsewhere(found),
        _SPEED.format(read=speed.at("with_terms.p50"), alone=speed.at("alone.p50")),
        _LIMITS,
    ]
    return "\n".join(parts)


def _results(tested: dict[str, Any], served: str, limit: View) -> str:
    lines = ["| | accuracy | mean error, days | quadratic kappa |", "|---|---|---|---|"]
    lines.append(f"| the report's network, on real logs | {PUBLISHED_ACCURACY:.3f} | not given | not given |")
    for name, said in MODELS.items():
        cells = [_interval(tested[name][key]) for key in MEASURES]
        lines.append(f"| {said}{', **served**' if name == served else ''} | " + " | ".join(cells) + " |")
    best = f"{limit.at('accuracy'):.3f} ± {2 * limit.at('standard_error'):.3f}"
    limit_said = "Bayes limit: nobody can do better on these logs (± two standard errors)"
    lines.append(f"| {limit_said} | {best} | | {limit.at('kappa'):.3f} |")
    return "## How well\nOn the test part; in brackets 95 % bootstrap intervals.\n\n" + "\n".join(lines) + "\n" + _BAYES


def _elsewhere(found: View) -> str:
    """Calibration, and forces the model knows nothing of."""
    error = found.under("test.calibration.named.expected_calibration_error")
    lines = [
        "| fresh force | crimes named rightly | non-crimes named rightly | of 200 windows of 500, steady |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {_interval(world.at('crimes.accuracy'))} | {world.at('non_crimes.accuracy'):.3f} | "
        f"{world.at('drift.500.steady')} |"
        for name, world in found.items("worlds")
    ]
    return _ELSEWHERE.format(error=error.at("value"), why=found.at("worlds_why")) + "\n" + "\n".join(lines) + "\n"


def _interval(measured: dict[str, float]) -> str:
    return f"{measured['value']:.3f} ({measured['low']:.3f} to {measured['high']:.3f})"


def _matrix(matrix: list[list[int]], why: str) -> str:
    names = [f"{score:g}" for score in SCORES]
    lines = ["| true score | " + " | ".join(f"named {name}" for name in names) + " |", "|---" * 6 + "|"]
    lines += [
        f"| {name} | " + " | ".join(str(count) for count in row) + " |" for name, row in zip(names, matrix, strict=True)
    ]
    return _PICTURE.format(why=why) + "\n".join(lines) + "\n"


_HEAD = """# Harm of a domestic non-crime, read out of its log

This page is written by `dayzero-train text-page` from the evaluation.json beside the artefact; no figure in it is typed in.
**Every log behind it is invented**
({learnt_from}). The model must be trained again on a force's own logs before use ([training.md](training.md)).

A domestic non-crime has no score on the harm index. West Midlands Police's report (section 3.1, appendix 8)
infers one from {{1, 2, 3, 5, 10}} days from the words of its log. `POST /score` does the same where such an incident comes with
`log_text` and without `harm_score`; the answer says so in the warning `harm-inferred`, with the chance of each score and the
terms that mattered.
"""
_DATA = """## What it learnt from
Of {logs:,} logs {usable:,} are of crimes with harm of at most 10 in the groups the report keeps; {a-score:,} of each score were
drawn, {train:,} to learn from and {test:,} to test with. Text is cleaned, stop words are taken out (negations stay), words are
brought to their lemma and stem, and pairs and triples that go together are joined. What was seen more than 100 times in the
training part is a term: {words:,} words, {pairs:,} pairs and {triples:,} triples, {known:,} in all (the report: 2,106). Words
that are mostly written with a capital inside sentences are names and are left out, however frequent.
"""
_BAYES = """
**The Bayes limit.** The generator of the logs draws answers to a dozen questions (who said or denied what) given the score, then
words given the answers alone. So the chance of each score given a whole log is a product of the generator's own tables, and
whoever always names the likeliest score is right as often as anyone can be. It is worked out from the answers; misspellings
can only take from it. `training/synthetic/logs/facts.py` has the tables and the one knob (`CLARITY`), set so that the published
network comes near the published accuracy. That it does is therefore no finding. What lies between it and the limit, and between
it and its rivals, is.
"""
_SERVED = {
    "network": """\
The published network is served: on the inner part of the training set, which neither learnt from, it named {network:.3f}
rightly and the best rival {logistic:.3f}; a rival must be more than a point better to take its place.
""",
    "logistic": """\
**A rival is served, not the published network.** On the inner part of the training set, which neither learnt from, the logistic
regression named {logistic:.3f} rightly and the network {network:.3f}: more than a point better, and it is smaller, faster and
easier to follow. A force's own logs may decide otherwise; `fit` applies the same rule there.
""",
}
_PICTURE = """## Which scores are mixed up
{why} Of the model served, on the test part:

![Confusion matrix](text/confusion.svg)

"""
_NEGATION = """## Negations
{logs} logs that nobody generated, in `training/text/negated_logs.csv`: {pairs} situations, each told once with a grave fact and
once with its denial ("no weapon seen", "denies any threat"). A reader would find the denial milder every time.

| what | share |
|---|---|
| denial gets a lower mean harm than the fact | {lower:.0%} |
| denial gets a higher named score than the fact | {higher_score:.0%} |
| fact named 5 or 10 | {facts_grave:.0%} |
| denial named 1, 2 or 3 | {denials_mild:.0%} |
| logs without a single word the model knows | {unread:.0%} |
"""
_NON_CRIMES = """## On non-crimes
The model learns from crimes and is used on non-crimes, which have no score to test against: in a real force this step cannot be
measured at all. In the invented force the score behind each log is known. On {read:,} of its domestic non-crimes, at their own
mix, {accuracy:.1%} are named rightly, and the mean error is {mean_absolute_error:.2f} days (giving all of them 3 days:
{error_of_three:.2f}). Crimes and non-crimes are written by one grammar there; real ones are not, so expect less.
"""
_ELSEWHERE = """## Calibration and other forces
The chance of the score named is off by {error:.1%} on average over ten bins of the test part (reliability by score: the page
evaluation.html beside the artefact). {why}
"""
_SPEED = """## Speed
Median on one thread of a busy machine: {alone:.1f} ms from text to probabilities, {read:.1f} ms with the terms that mattered.
"""
_LIMITS = """## What to keep in mind
- An effect of a term is the change of the mean harm when that term alone is left out. Effects do not add up, and a pair stays
  counted when one of its words is left out. It shows what the model used, not what is true.
- The model counts terms. Who said a thing, and a negation that stands far from what it denies, are largely lost on it.
- The text is the most sensitive thing this service is sent. It is held only inside the sealed request of the record, never in
  a log line, an error, a metric, a file name or a ledger leaf, and it is refused where it is not needed.
- The terms told in an answer come from the vocabulary: words seen more than 100 times in training that are not written like
  names. A force whose officers write names in small letters should look through `vocabulary.json` before it serves the model.
"""
