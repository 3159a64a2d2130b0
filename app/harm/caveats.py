"""What must stand beside every explanation: what it cannot say, how often it is wrong, how clear the method is."""

from collections.abc import Sequence
from typing import NamedTuple

from app.artifacts import Manifest
from app.harm.perspective_words import WORDS

# Letters of the report's companion paper on explainable and transparent methods, table 1: L limited, M moderate,
# A adequate. Trees are A / M, a support vector machine with Shapley values M / M; a stack is no clearer than its last
# stage, and the recurrent network inside it is not in that table. Random forests are A / A; of ours only one point of the
# curve is shared out, hence M. The reasons for each part stand in the artefact's covenant.json.
_REPRODUCIBLE = "exact: every coalition is computed, nothing is sampled"
COVENANT = {"explainable": "M", "transparent": "M", "reproducible": _REPRODUCIBLE}
SURVIVAL_COVENANT = {"explainable": "M", "transparent": "A", "reproducible": _REPRODUCIBLE}


def limits(manifest: Manifest, rows: int) -> list[str]:
    """What the estimate of harm cannot say, with this artefact's own error rates where it carries them."""
    flag = (
        "The predicted group is a flag. It is often not the most likely group, since a missed case weighs more than a "
        "false alarm."
    )
    rates = error_rates(manifest)
    return [*_always(manifest, rows), flag, _learnt_from(manifest), *([rates] if rates else [])]


def survival_limits(manifest: Manifest, rows: int) -> list[str]:
    """What the survival curve cannot say, with how well it did in this artefact's own test."""
    known = [
        "An incident of any kind counts, also a minor one: how soon says nothing of how grave.",
        WORDS[manifest.subject.perspective].curve_sees,
    ]
    return [*_always(manifest, rows), *known, _learnt_from(manifest), *_survival_record(manifest)]


def _always(manifest: Manifest, rows: int) -> list[str]:
    words = WORDS[manifest.subject.perspective]
    if rows == 1:
        return [f"Only the index incident is known. {words.little}", *words.always]
    return [*words.always, f"A short record may be one that nobody wrote down. {words.little}"]


def _learnt_from(manifest: Manifest) -> str:
    return f"The model learnt from {manifest.learnt_from}."


def _survival_record(manifest: Manifest) -> list[str]:
    """The curve at one year against what happened, and how often it puts two people in the right order."""
    found = manifest.metrics.get("survival", {})
    year = found.get("calibration_at_population_mix", {}).get("365")
    told = []
    if year:
        told.append(
            f"Out of 1,000 people like those it learnt from, it expects {1000 * year['predicted']:.0f} to have no further "
            f"incident within a year. {1000 * year['observed']:.0f} had none."
        )
    if "concordance" in found:
        told.append(
            f"Out of 100 pairs of people it puts {100 * found['concordance']:.0f} in the right order of who is recorded "
            "again first. A coin would put 50."
        )
    return told


def share_free(manifest: Manifest) -> float | None:
    """Share of all nominals with no further incident within a year, from the artefact's own test; None where it has none."""
    calibration = manifest.metrics.get("survival", {}).get("calibration_at_population_mix", {})
    return float(calibration["365"]["observed"]) if "365" in calibration else None


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
    """Three sentences in the committee's format."""
    errors = errors_among(people, confusion)
    return (
        f"Out of {people:,} people like those it learnt from, we would expect {errors.flagged:.0f} to be put in the highest "
        f"group. Of those, {errors.falsely:.0f} would turn out not to belong there. And {errors.missed:.0f} who do belong "
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
