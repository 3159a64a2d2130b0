"""What the documents of a model of logs may draw on, and its figures as the texts speak of them."""

from dataclasses import dataclass
from typing import Any

from app.harm.subject import Subject
from app.text.manifest import SCORES, TextManifest
from training.documents.facts import Measured, View
from training.documents.subjects import about, case_of
from training.documents.words import UNSAID, amount, figure, share, tenths

MODELS = {
    "network": "published network (2,106 terms, 1028-512-256-128-32-5)",
    "logistic": "tf-idf, multinomial logistic regression",
    "ordinal": "tf-idf, proportional odds (ordinal)",
}
NAMES = [f"{score:g}" for score in SCORES]


@dataclass(frozen=True)
class LogFacts(Measured):
    """Of a model that reads logs."""

    manifest: TextManifest

    @property
    def served(self) -> View:
        """Figures of the model that answers, on the test part."""
        return self.evaluation.under(f"test.models.{self.manifest.served}")


def committee(facts: LogFacts) -> str:
    """How often it is wrong, in people's terms: of a hundred logs."""
    matrix = facts.served.at("confusion")
    if not matrix:
        return UNSAID
    total = sum(map(sum, matrix))
    off = {gap: sum(row[place] for true, row in enumerate(matrix) for place in range(5) if abs(place - true) == gap)
           for gap in range(5)}  # fmt: skip
    far = 100 * sum(off[gap] for gap in (2, 3, 4)) / total
    return (
        f"Out of 100 logs of crimes, as many of each score, it names the right score for {100 * off[0] / total:.0f}; for "
        f"{100 * off[1] / total:.0f} it is one step of the scale off, for {far:.0f} two or more."
    )


def vocabulary(facts: LogFacts) -> dict[str, Any]:
    """Every name a text may use; what is said of people is said of nominals, whose harm the scores are part of."""
    found, data = facts.evaluation, facts.manifest.data
    own = found.under("non_crimes")
    return {
        "manifest": facts.manifest,
        "manifest_sha256": facts.manifest_sha256,
        "synthetic": facts.synthetic,
        "notice": facts.notice,
        "about": about(Subject()),
        "case": case_of(Subject()),
        "committee": committee(facts),
        "data": data,
        "words": {name: amount(count) for name, count in data["vocabulary"].items()},
        "served": MODELS[facts.manifest.served],
        "accuracy": share(facts.served.at("accuracy")),
        "error": figure(facts.served.at("mean_absolute_error")),
        "kappa": figure(facts.served.at("quadratic_kappa")),
        "published": share(found.at("published.accuracy")),
        "limit": share(found.at("bayes_limit.accuracy")),
        "ece": share(found.at("test.calibration.named.expected_calibration_error")),
        "non_crimes": non_crimes_told(own),
        "negations": negations_told(found.under("negations")),
        "rivals": rivals_told(facts),
        "speed": speed_told(found.under("speed")),
        "stack": {"second_name": ""},
    }


def rivals_told(facts: LogFacts) -> str:
    """What else was tried, and why this one answers."""
    models, inner = facts.evaluation.under("test.models"), facts.manifest.metrics["fit"]["inner_accuracy"]
    if not models:
        return UNSAID
    each = "; ".join(f"{words} {share(models.at(f'{name}.accuracy'))}" for name, words in MODELS.items())
    return (
        f"Accuracy on the same logs: {each}. On rows none of them learnt from the network named {share(inner['network'])} "
        f"rightly and the logistic regression {share(inner['logistic'])}; a rival is served where it is more than a point better "
        "there."
    )


def non_crimes_told(found: View) -> str:
    """What it does on the incidents it is for."""
    if not found:
        return (
            "How well it does on domestic non-crimes, which is what it is for, cannot be measured: they have no score."
        )
    return (
        f"On {amount(found.at('read'))} invented domestic non-crimes at their own mix it names {share(found.at('accuracy'))} "
        f"rightly, {figure(found.at('mean_absolute_error'))} days off on average (giving all of them 3 days: "
        f"{figure(found.at('error_of_three'))}). In a real force this cannot be measured: non-crimes have no score."
    )


def negations_told(found: View) -> str:
    """What it makes of denials."""
    if not found:
        return UNSAID
    return (
        f"In {found.at('pairs')} situations told once with a grave fact and once with its denial, the denial gets the lower mean "
        f"harm in {share(found.at('lower'))}; {share(found.at('facts_grave'))} of the facts are named 5 or 10 days, and "
        f"{share(found.at('denials_mild'))} of the denials 1, 2 or 3."
    )


def speed_told(found: View) -> str:
    """How long a log takes."""
    if not found:
        return UNSAID
    return (
        f"Median of {amount(found.at('texts'))} logs on one thread: {tenths(found.at('alone.p50'))} ms from text to "
        f"probabilities, {tenths(found.at('with_terms.p50'))} ms with the terms that mattered (95 in 100 within "
        f"{tenths(found.at('with_terms.p95'))} ms)."
    )
