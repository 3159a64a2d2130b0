"""The model card: what the artefact is, what it is for, what was measured, on whom, and what it cannot do."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.documents import render
from training.documents.blocks import Table
from training.documents.chapters.common import MEASURES, MIXES, measure_rows, worlds
from training.documents.chapters.fairness import group_tables
from training.documents.facts import Facts, View

_SHOWN = (
    "top_2_accuracy", "precision", "sensitivity", "adjusted_f1", "accuracy", "flagged", "predicted_80_90",
    "auc.top_against_lowest", "average_precision_top", "brier", "log_loss",
)  # fmt: skip


def model_card(facts: Facts, known: Mapping[str, Any]) -> str:
    """`model_card.md`."""
    return render.markdown("model_card.md", **known, measures=_measures(facts), groups=group_tables(facts))


def _measures(facts: Facts) -> Table | None:
    columns: Sequence[tuple[str, View]] = [
        (f"{name}, {words}", world.under(f"metrics.{mix}"))
        for name, world in worlds(facts)
        for mix, words in MIXES.items()
        if world.at(f"metrics.{mix}")
    ]
    published = View(facts.here.at("metrics.published"))
    rows = measure_rows([name for name in MEASURES if name in _SHOWN], [*(view for _, view in columns), published])
    return Table("Measures", ["measure", *(name for name, _ in columns), "report, test mix"], rows) if rows else None
