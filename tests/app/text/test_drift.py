"""Figures of logs by hand, and what moves them."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from app.harm.drift import psi
from app.text.baseline import TextBaseline
from app.text.drift import LogFigures, log_figures, log_inputs, log_outputs
from app.text.manifest import TextManifest
from tests.toy_text import drift_block, manifest, toy_model

MODEL = toy_model()
TEXTS = ["He was shouting and punched her", "Calm argument in Nettlefold: no knife seen", "no no no no"]


def baseline(**changes: Any) -> TextBaseline:
    return TextBaseline.model_validate(drift_block() | changes)


def test_figures_are_those_counted_by_hand() -> None:
    chances = np.array([[0.1, 0.6, 0.1, 0.1, 0.1], [0.2, 0.2, 0.2, 0.1, 0.3], [1.0, 0, 0, 0, 0]])
    found = log_figures(MODEL, TEXTS, chances)
    assert found.known_words.tolist() == pytest.approx([1.0, 5 / 7, 1.0])  # not "in", not the place
    assert found.terms.tolist() == [2, 6, 1]  # shout, punch | calm, argument, no, knife, no knife, no knife seen | no
    assert found.highest_probability.tolist() == [0.6, 0.3, 1.0]
    assert found.named.tolist() == [1, 4, 0]


def figures(known: list[float], terms: list[float], highest: list[float], named: list[int]) -> LogFigures:
    return LogFigures(np.array(known), np.array(terms), np.array(highest), np.array(named))


def test_each_figure_is_held_against_its_own_baseline() -> None:
    """The toy's: half the logs up to .5 known, half up to 2 terms, half up to .5 sure, scores evenly."""
    same = figures([0.4, 0.9] * 50, [1, 5] * 50, [0.4, 0.9] * 50, [0, 1, 2, 3, 4] * 20)
    found = {one.name: one for one in (*log_inputs(baseline(), same), *log_outputs(baseline(), same))}
    assert list(found) == ["known_words", "terms", "inferred_scores", "highest_probability"]
    assert {one.verdict for one in found.values()} == {"steady"}
    moved = figures([0.4] * 100, [1, 5] * 50, [0.4, 0.9] * 50, [4] * 100)
    found = {one.name: one for one in (*log_inputs(baseline(), moved), *log_outputs(baseline(), moved))}
    assert found["known_words"].psi == pytest.approx(psi([0.5, 0.5], [1, 0]))
    assert found["inferred_scores"].psi == pytest.approx(psi([0.2] * 5, [0, 0, 0, 0, 1]))
    assert [name for name, one in found.items() if one.verdict == "alarm"] == ["known_words", "inferred_scores"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"watch": 0.3},
        {"scores": [0.2, 0.2, 0.2, 0.2]},
        {"scores": [0.5] * 5},
        {"fewest": 10},
        {"logs": 5},
        {"words": 1},
    ],
)
def test_a_baseline_that_does_not_hold_together_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        baseline(**wrong)


def test_a_manifest_of_format_1_has_none() -> None:
    told = manifest({})
    assert TextManifest.model_validate_json(json.dumps(told | {"format": 1})).misfits() == []
    with_drift = told | {"drift": drift_block()}
    assert TextManifest.model_validate_json(json.dumps(with_drift)).misfits() == []
    assert TextManifest.model_validate_json(json.dumps(with_drift | {"format": 1})).misfits() == ["drift"]
    assert TextManifest.model_validate_json(json.dumps(told | {"format": 99})).misfits() == ["format"]
