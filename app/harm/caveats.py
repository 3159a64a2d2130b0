"""What must stand beside every explanation: what it cannot say, how often it is wrong, how clear the method is."""

from collections.abc import Sequence
from typing import NamedTuple

from app.artifacts import Manifest

# Letters of the report's companion paper on explainable and transparent methods, table 1: L limited, M moderate,
# A adequate. Trees are A / M, a support vector machine with Shapley values M / M; a stack is no clearer than its last
# stage, and the recurrent network inside it is not in that table.
COVENANT = {
    "explainable": "M",
    "transparent": "M",
    "reproducible": "exact: every coalition is computed, nothing is sampled",
}


def limits(manifest: Manifest, rows: int) -> list[str]:
    """What the estimate cannot say, with this artefact's own error rates where it carries them."""
    known = [
        "It shows what goes together in past records, not what causes harm.",
        "Suspects are not convicted: an accusation that proves wrong makes this estimate wrong.",
        "Harm that was never reported or recorded is not in it, and harm points are sentence lengths, not danger.",
        "The person harmed next is often not the present victim; a low estimate does not mean that anyone is safe.",
        "Unusual records are estimated from few similar ones, and less surely.",
        "The predicted group is a flag, often not the most probable group: a missed case weighs more than a false alarm.",
        f"The model learnt from {manifest.learnt_from}.",
    ]
    if rows == 1:
        known.insert(0, "Only the index incident is known. Little history is not low risk.")
    rates = error_rates(manifest)
    return [*known, rates] if rates else known


def error_rates(manifest: Manifest) -> str | None:
    """Expected errors per 1,000 people at the population mix, from the artefact's own test; None where it has none.

    Wording after the ethics committee's communication format: out of N people, X identified, Y falsely, Z missed.
    """
    confusion = manifest.metrics.get("population_mix", {}).get("confusion")
    return told_errors(confusion) if confusion else None


class Errors(NamedTuple):
    """Of so many people: how many are put in the highest group, how many of them falsely, how many are missed."""

    flagged: float
    falsely: float
    missed: float


def errors_among(people: float, confusion: Sequence[Sequence[float]]) -> Errors:
    """What a confusion matrix (4, 4), rows true groups, comes to for that many people."""
    scale = people / sum(sum(row) for row in confusion)
    flagged = [scale * row[3] for row in confusion]
    return Errors(sum(flagged), sum(flagged[:3]), scale * sum(confusion[3][:3]))


def told_errors(confusion: Sequence[Sequence[float]], people: int = 1000) -> str:
    """One sentence in the committee's format."""
    errors = errors_among(people, confusion)
    return (
        f"Out of {people:,} people like those it learnt from, we would expect {errors.flagged:.0f} to be put in the highest "
        f"group; {errors.falsely:.0f} of them would turn out not to belong there; and {errors.missed:.0f} who do belong "
        "there would be missed."
    )


def base_rate(manifest: Manifest) -> float | None:
    """Share of all nominals who belong to the highest group, from the artefact's own test; None where it has none."""
    rates = base_rates(manifest)
    return None if rates is None else rates[-1]


def base_rates(manifest: Manifest) -> list[float] | None:
    """Share of all nominals who belong to each group, lowest first, as `base_rate`."""
    confusion = manifest.metrics.get("population_mix", {}).get("confusion")
    if not confusion:
        return None
    people = sum(sum(row) for row in confusion)
    return [float(sum(row) / people) for row in confusion]
