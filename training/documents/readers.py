"""Three readers and the questions each comes with, answered in one sentence with figures, and where there is more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from training.documents.chapters import (
    ablations,
    comparison,
    errors,
    fairness,
    fidelity,
    missed,
    validation,
    workload,
    zoo,
)
from training.documents.facts import Facts
from training.documents.words import figure, share


@dataclass(frozen=True)
class Answer:
    """A question, what was found, and the chapter that has more."""

    asks: str
    told: str
    anchor: str


@dataclass(frozen=True)
class Reader:
    """Someone with questions."""

    name: str
    answers: Sequence[Answer]


def _quality(facts: Facts) -> str:
    metrics, sober = facts.here.under("metrics.test_mix"), facts.sober.at("metrics.test_mix.auc.top_against_lowest")
    if not metrics:
        return ""
    harder = "" if sober is None else f" In a world as hard as real tools report, the AUC is {figure(sober)}."
    return (
        f"AUC of the highest group against the lowest {figure(metrics.at('auc.top_against_lowest'))}; top-two accuracy "
        f"{share(metrics.at('top_2_accuracy'))} at {share(metrics.at('flagged'))} flagged.{harder}"
    )


def _calibration(facts: Facts) -> str:
    found = facts.here.under("calibration.population_mix")
    if not found:
        return ""
    return (
        f"For people as they come: predicted {share(found.at('predicted'))}, observed {share(found.at('observed'))}, "
        f"calibration error {share(found.at('expected_calibration_error'))}, slope {figure(found.at('slope'))}."
    )


def _without_suspects(facts: Facts) -> str:
    told = ablations.told(facts.here, "no_suspects")
    return f"Leaving them out changes {told}" if told else ""


def _without_gender(facts: Facts) -> str:
    told = ablations.told(facts.here, "no_gender")
    return f"It changes {told}" if told else ""


def _challenge(_: Facts) -> str:
    return (
        "Each score keeps its reasons, its input and the artefact that made it, in a log nobody can alter unnoticed. How clear "
        "each part is, the letters say."
    )


def _own(_: Facts) -> str:
    return "Fit on it and run the same command with --extract: the page is then about your own people, without oracle and worlds."


class Question(NamedTuple):
    """What is asked, who answers, the chapter with more, and the section the answer rests on."""

    asks: str
    answer: Callable[[Facts], str]
    anchor: str
    section: str


_COMMITTEE: tuple[Question, ...] = (
    Question("How often is it wrong?", errors.committee, "errors", "metrics"),
    Question("Does it treat groups of people unequally?", fairness.told, "fairness", "fairness"),
    Question("Who is missed?", missed.told, "missed", "missed_cases"),
    Question("Can a person challenge what it says?", _challenge, "covenant", ""),
)
_OF_THE_ACCUSED = Question(
    "Must suspects who were never charged be in it?", _without_suspects, "ablations", "ablations"
)
_STATISTICIAN: tuple[Question, ...] = (
    Question("How good is it, with intervals?", _quality, "measures", "metrics"),
    Question(
        "Is it better than something simple?", lambda facts: comparison.told(facts.here), "comparison", "baselines"
    ),
    Question(
        "How far from the best possible?", lambda facts: comparison.oracle_told(facts.here), "comparison", "oracle"
    ),
    Question("Does the future leak in?", validation.leak_told, "validation", "validation.leak"),
    Question(
        "Does it hold on later years and other seeds?",
        lambda facts: validation.time_told(facts.here),
        "validation",
        "validation.time_forward",
    ),
    Question("Are the probabilities calibrated?", _calibration, "calibration", "calibration"),
    Question("Why this stack out of 168?", zoo.told, "zoo", "zoo"),
)
_ANALYST: tuple[Question, ...] = (
    Question("How many cases a week?", workload.told, "workload", "workload"),
    Question("What does leaving out gender change?", _without_gender, "ablations", "ablations"),
    Question("Are the invented people like ours?", fidelity.told, "fidelity", "fidelity"),
    Question("What would our own extract show?", _own, "made", ""),
)


def readers(facts: Facts) -> list[Reader]:
    """Every reader with every answer; what was not measured says so, or why."""
    committee = (*_COMMITTEE[:-1], _OF_THE_ACCUSED, _COMMITTEE[-1]) if facts.about.accused else _COMMITTEE
    named = {"Ethics committee": committee, "Statistician": _STATISTICIAN, "Analyst of a force": _ANALYST}
    return [
        Reader(
            name, [Answer(one.asks, one.answer(facts) or facts.absent(one.section), one.anchor) for one in questions]
        )
        for name, questions in named.items()
    ]
