"""The survival code on other people's data: the published concordance, and the same curves as the library."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.errors import SetupError
from training.harm.survival import grow_forest
from training.validation import recidivism
from training.validation.recidivism import SOURCES, cross_validated, load, onnx_difference

COPIES = {
    "rossi": Path(__file__).parents[4] / "shared/data/rossi/rossi.csv",
    "north_carolina": Path(__file__).parents[4] / "shared/data/wooldridge-recid/recid.csv",
}
KNOWN = {"rossi": (432, 114, 7), "north_carolina": (1445, 552, 14)}


@pytest.mark.parametrize("name", SOURCES)
def test_sets_are_the_published_ones(name: str) -> None:
    people = load(name)
    assert (len(people.times), people.happened.sum(), people.inputs.shape[1]) == KNOWN[name]


@pytest.mark.parametrize("name", SOURCES)
def test_packages_ship_the_very_sets_kept_elsewhere(name: str) -> None:
    if not COPIES[name].exists():
        pytest.skip("no copy kept beside the repository")
    source, people, copy = SOURCES[name], load(name), pd.read_csv(COPIES[name])
    assert np.array_equal(copy[source.time], people.times)
    assert np.array_equal(copy[source.event] == source.event_is, people.happened)
    inputs = copy.drop(columns=[source.time, source.event, *source.left_out])
    assert np.array_equal(inputs.to_numpy(dtype=float), people.inputs)


@pytest.mark.parametrize("name", SOURCES)
def test_exported_curves_are_the_librarys(name: str) -> None:
    people = load(name)
    forest = grow_forest(people.inputs.astype(np.float32), people.happened, people.times, seed=3)
    assert onnx_difference(forest, people) < 1e-5


@pytest.mark.slow
def test_concordance_is_what_others_have_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recidivism, "REPEATS", 2)
    for name in SOURCES:
        for model, found in cross_validated(load(name), seed=1).items():
            assert 0.58 < found["mean"] < 0.69, (name, model)


def test_a_set_with_its_outcome_among_the_inputs_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The concordance above is no accident of the code: with the time itself, blurred, as an input it is far higher."""
    people = load("rossi")
    blurred = people.times + np.random.default_rng(1).normal(0, 8, len(people.times))
    told = people._replace(inputs=np.column_stack([people.inputs, blurred]))
    monkeypatch.setattr(recidivism, "REPEATS", 2)
    found = cross_validated(told, seed=1)
    assert min(found[model]["mean"] for model in ("forest", "cox")) > 0.8


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(recidivism, "distribution", missing)
    with pytest.raises(SetupError, match="lifelines"):
        load("rossi")
