"""The report page: every chapter in order, and the three readers' questions in front."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.documents import Covenant
from training.documents import render
from training.documents.blocks import Chapter, Words
from training.documents.chapters import (
    ablations,
    calibration,
    classifier,
    comparison,
    conformal,
    covenant,
    errors,
    fairness,
    fidelity,
    made,
    missed,
    recidivism,
    risk,
    survival,
    validation,
    workload,
    zoo,
)
from training.documents.facts import Facts
from training.documents.readers import readers
from training.documents.words import UNSAID
from training.evaluation.standing import UNEQUAL

_VALIDATION = ("time_forward", "shuffle", "leak", "learning_curve", "stability")
CHAPTERS: tuple[tuple[Callable[[Facts], Chapter], tuple[str, ...]], ...] = (
    (errors.chapter, ("metrics",)),
    (workload.chapter, ("workload",)),
    (fairness.chapter, ("fairness", UNEQUAL)),
    (missed.chapter, ("missed_cases",)),
    (classifier.chapter, ("metrics",)),
    (calibration.chapter, ("calibration",)),
    (conformal.chapter, ("conformal",)),
    (survival.chapter, ("survival",)),
    (comparison.chapter, ("baselines", "oracle", "more_people")),
    (ablations.chapter, ("ablations",)),
    (validation.chapter, tuple(f"validation.{name}" for name in _VALIDATION)),
    (zoo.chapter, ("zoo",)),
    (fidelity.chapter, ("fidelity",)),
    (recidivism.chapter, ("public_recidivism",)),
    (risk.chapter, ("relative_risk",)),
)
"""Every chapter and what it is made of: sections, or worlds by what they stand for."""


def evaluation_page(facts: Facts, record: Covenant) -> str:
    """`evaluation.html`, whole in itself."""
    told = [with_reasons(chapter(facts), [facts.absent(part) for part in parts]) for chapter, parts in CHAPTERS]
    chapters = [*told, covenant.chapter(record), made.chapter(facts)]
    return render.page(facts=facts, chapters=chapters, readers=readers(facts))


def with_reasons(chapter: Chapter, absent: Sequence[str]) -> Chapter:
    """The chapter with the reasons why parts of it were left out: instead of it where it is empty, else at its end."""
    reasons = [reason for reason in dict.fromkeys(absent) if reason != UNSAID]
    if not reasons:
        return chapter
    if not chapter.blocks:
        return replace(chapter, absent=" ".join(reasons))
    return replace(chapter, blocks=[*chapter.blocks, Words([f"Not here: {reason}" for reason in reasons])])
