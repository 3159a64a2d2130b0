"""The stack beside what a force would use instead."""

from typing import Any

from training.documents.chapters.comparison import told
from training.documents.facts import View


def rival(name: str, found: float, apart: tuple[float, float, float] | None) -> dict[str, Any]:
    difference = None if apart is None else dict(zip(("value", "low", "high"), apart, strict=True))
    return {
        "name": name,
        "test_mix": {"top_2_accuracy": found},
        "to_stack": difference and {"top_2_accuracy": difference},
    }


def test_a_baseline_that_beats_the_stack_by_more_than_chance_is_named() -> None:
    rivals = [
        rival("stack", 0.807, None),
        rival("half_years", 0.815, (0.008, -0.022, 0.039)),
        rival("regression_on_totals", 0.845, (0.038, 0.008, 0.07)),
    ]
    assert told(View({"baselines": {"rivals": rivals}})) == (
        "Top-two accuracy with about as many flagged: the stack 80.7 %; half years 81.5 % and regression on totals 84.5 %. "
        "Better than the stack on the same people: regression on totals by +3.8 points (+0.8 to +7.0)."
    )
    assert told(View({"baselines": {"rivals": rivals[:2]}})).endswith("the stack 80.7 %; half years 81.5 %.")
