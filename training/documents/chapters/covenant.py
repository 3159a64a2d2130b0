"""The letters of each part, and where the principles stand."""

from app.documents import Covenant
from training.documents.blocks import Chapter, Table

_WORDS = {"A": "A, adequate", "M": "M, moderate", "L": "L, limited"}


def chapter(covenant: Covenant) -> Chapter:
    """Letters for explainability and transparency with their reasons; each principle with what a force must still do."""
    letters = Table(
        "How explainable and how transparent each part is",
        ["part", "explainable", "transparent", "why"],
        [[part.part, _WORDS[part.explainable], _WORDS[part.transparent], part.reason] for part in covenant.parts],
    )
    principles = Table(
        "The Covenant for Using AI in Policing, and what a force must still do itself",
        ["principle", "what it asks", "for the force"],
        [[one.name, one.meaning, " ".join(one.for_the_force)] for one in covenant.principles],
        note="covenant.json names, for each principle, what implements it and the tests that hold it.",
    )
    return Chapter(
        "covenant",
        "Letters and principles",
        "How clear is each part, and what stays with the force?",
        [letters, principles],
    )
