"""Coverage of the sets on fresh people, small; and that a section which cannot be measured says why."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.artifacts import GROUPS, load_bundle
from app.errors import SetupError
from app.harm.model import HarmModel
from tests.toy_bundle import as_format_1, write_toy
from training.evaluation.bench import Bench
from training.evaluation.conformal import covered, measure_conformal
from training.harm.progress import Stages


def test_coverage_is_counted_one_by_one() -> None:
    rng = np.random.default_rng(1)
    sets, groups = rng.random((200, 4)) < 0.7, rng.integers(0, 4, 200)
    for group, found in enumerate(covered(sets, groups)):
        own = [row[group] for row, true in zip(sets.tolist(), groups.tolist(), strict=True) if true == group]
        assert found == pytest.approx(sum(own) / len(own))


def test_even_a_toy_keeps_the_promise_on_people_it_never_saw(bench: Bench) -> None:
    """The toy knows nothing and gives many people the same chance of nothing, so its sets are long; they must hold the true
    group all the same."""
    found = measure_conformal(bench, Stages(), draws=60, forces=2)
    json.dumps(found, allow_nan=False)
    assert found["people"] > 1_900
    for name in GROUPS:
        spread = found["coverage"][name]
        assert spread["low"] <= spread["mean"] <= spread["high"]
        assert spread["mean"] > 0.87
    assert not found["within"]
    assert 1 <= found["mean_set_size"]["low"] <= found["mean_set_size"]["high"] <= 4
    own = found["artefact"]
    assert own["sizes"][0] == 0
    assert sum(own["sizes"]) == pytest.approx(1, abs=1e-5)
    assert own["mean_set_size"] == pytest.approx(sum(at * part for at, part in enumerate(own["sizes"])), abs=1e-4)
    assert measure_conformal(bench, Stages(), draws=60, forces=2) == found


def test_format_1_has_no_promise_to_measure(bench: Bench, tmp_path: Path) -> None:
    old = HarmModel(load_bundle(write_toy(tmp_path, change=as_format_1)))
    with pytest.raises(SetupError, match="format 1"):
        measure_conformal(replace(bench, model=old), Stages())
