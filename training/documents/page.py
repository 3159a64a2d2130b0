"""The report page: every chapter in order, and the three readers' questions in front."""

from collections.abc import Callable

from app.documents import Covenant
from training.documents import render
from training.documents.blocks import Chapter
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

CHAPTERS: tuple[Callable[[Facts], Chapter], ...] = (
    errors.chapter,
    workload.chapter,
    fairness.chapter,
    missed.chapter,
    classifier.chapter,
    calibration.chapter,
    conformal.chapter,
    survival.chapter,
    comparison.chapter,
    ablations.chapter,
    validation.chapter,
    zoo.chapter,
    fidelity.chapter,
    recidivism.chapter,
    risk.chapter,
)


def evaluation_page(facts: Facts, record: Covenant) -> str:
    """`evaluation.html`, whole in itself."""
    chapters = [*(chapter(facts) for chapter in CHAPTERS), covenant.chapter(record), made.chapter(facts)]
    return render.page(facts=facts, chapters=chapters, readers=readers(facts))
