"""Names and tables that several chapters share."""

from collections.abc import Callable, Sequence
from typing import Any

from training.documents.blocks import Cell, Line
from training.documents.facts import Facts, View
from training.documents.words import MISSING, amount, bare, figure, share
from training.evaluation.standing import OWN, PUBLISHED, SOBER, UNEQUAL, stands_for

WORLDS = {
    OWN: "the force's own extract",
    PUBLISHED: "published world",
    SOBER: "sober world",
    UNEQUAL: "unequal world",
}
MIXES = {"test_mix": "test mix", "population_mix": "as they come"}
"""The test set holds more people of the higher groups than there are; "as they come" is weighted back to everyone labelled."""

Show = Callable[[Any], str]
MEASURES: dict[str, tuple[str, Show]] = {
    "top_2_accuracy": ("top-two accuracy: highest group put in one of the two highest", share),
    "precision": ("precision: flagged who belong to the two highest groups", share),
    "sensitivity": ("sensitivity: two highest groups put in one of the two highest", share),
    "adjusted_f1": ("adjusted F1 of these two", figure),
    "accuracy": ("accuracy over the four groups", share),
    "hamming_loss": ("Hamming loss", share),
    "flagged": ("flagged: put in the highest group", share),
    "predicted_80_90": ("put in the group below it", share),
    "top_found": ("highest group put in the highest group", share),
    "flagged_are_top": ("flagged who belong to the highest group", share),
    "false_alarm": ("lowest group put in the highest", share),
    "balanced_accuracy": ("balanced accuracy", share),
    "macro_f1": ("macro F1", figure),
    "weighted_kappa": ("quadratic weighted kappa", figure),
    "max_correct": ("people: highest put in highest", amount),
    "max_false": ("people: lowest put in highest", amount),
    "max_missed": ("people: highest put in lowest", amount),
    "harm.missed": ("harm missed, days", amount),
    "harm.positive": ("harm of those flagged from the two lower groups, days", amount),
    "harm.net": ("net harm, days", amount),
    "auc.top_against_lowest": ("AUC, highest against lowest group", figure),
    "auc.macro": ("AUC, one group against the rest, mean", figure),
    "average_precision_top": ("average precision, highest group", figure),
    "brier": ("Brier score, four groups (0 best, 2 worst)", figure),
    "brier_top": ("Brier score, highest group", figure),
    "brier_skill_top": ("Brier skill, highest group (1 perfect, 0 no use)", figure),
    "ranked_probability_score": ("ranked probability score", figure),
    "log_loss": ("log loss", figure),
}
"""Measure -> its words and how it is shown."""


def worlds(facts: Facts) -> list[tuple[str, View]]:
    """The worlds to set side by side, with their titles: the artefact's own, then the sober one."""
    names = dict.fromkeys((facts.here_name, facts.sober_name))
    return [(title(name), facts.world(name)) for name in names if facts.world(name)]


def title(name: str) -> str:
    """A world's name in words."""
    return WORLDS.get(stands_for(name), name)


def cell(value: Any, show: Show = figure) -> Cell:
    """A figure as it is shown, sorted by its value; a dash where there is none."""
    said = show(value)
    return Cell("–" if said == MISSING else said, bare(value))


def measure_rows(names: Sequence[str], views: Sequence[View]) -> list[Line]:
    """One row a measure that any view has, one column a view."""
    return [
        [MEASURES[name][0], *(cell(view.at(name), MEASURES[name][1]) for view in views)]
        for name in names
        if any(view.at(name) is not None for view in views)
    ]
