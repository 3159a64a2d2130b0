"""The section on a small force with the stand-in model in place of the stack."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.harm.harm_index import load_harm_index
from training.fairness import crossfit
from training.fairness.attributes import AGE_BANDS, UNKNOWN, attribute, attributes_of, never_charged
from training.fairness.crossfit import cross_fit
from training.fairness.ethnicity_from_features import ethnicity_from_features
from training.fairness.section import audits
from training.fairness.stand_in import stand_in
from training.fairness.suppression import SMALLEST
from training.harm.classifier import Known, Sample
from training.harm.fit import Data
from training.harm.progress import Stages
from training.harm.svm import SvmSettings
from training.split import harm_groups
from training.synthetic.truth import true_future_harm


@pytest.fixture(scope="module")
def told(data: Data, force: Path) -> list[dict[str, Any]]:
    harm = true_future_harm(data.extract, data.labelled, force / "latents.parquet", load_harm_index())
    accounts = [("recorded", data.split.groups), ("true", harm_groups(harm, data.split.cuts))]
    return audits(data, accounts, stand_in(data, 1), seed=1, stages=Stages())


def test_four_audits_of_three_attributes(told: list[dict[str, Any]], data: Data) -> None:
    json.dumps(told, allow_nan=False)
    assert [(one["harm"], one["people"]) for one in told] == [
        ("recorded", "everyone"), ("recorded", "never charged"), ("true", "everyone"), ("true", "never charged")
    ]  # fmt: skip
    assert told[0]["nominals"] == len(data.x) > told[1]["nominals"] == never_charged(data).sum()
    for one in told:
        assert list(one["attributes"]) == ["ethnicity", "gender", "age"]
        for attribute_ in one["attributes"].values():
            assert sum(sum(row["counts"].values()) for row in attribute_["flags"]) == one["nominals"]


def test_nothing_small_is_told(told: list[dict[str, Any]]) -> None:
    for one in told:
        for attribute_ in one["attributes"].values():
            for rows in (attribute_["flags"], attribute_["misses"]):
                alone = [row for row in rows if row["together"] is None]
                assert all(min(row["counts"].values()) >= SMALLEST for row in alone)
                assert len(rows) - len(alone) <= 1


def test_the_same_groups_are_hidden_in_every_account(told: list[dict[str, Any]]) -> None:
    for one, other in ((told[0], told[2]), (told[1], told[3])):
        for name in one["attributes"]:
            for table in ("flags", "misses"):
                groups = [[row["group"] for row in audit["attributes"][name][table]] for audit in (one, other)]
                assert groups[0] == groups[1]


def test_attributes_of_an_extract(data: Data) -> None:
    found = {one.name: one for one in attributes_of(data)}
    counts = np.bincount(found["ethnicity"].member)
    assert (np.diff(counts) <= 0).all(), "the largest group first"
    assert set(found["age"].groups) <= {*AGE_BANDS, UNKNOWN}
    ages = data.x[:, -1, 0]
    young = found["age"].member == found["age"].groups.index("under 25")
    assert ages[young].max() < 25
    bare = data._replace(extract=replace(data.extract, ethnicity=None))
    assert [one.name for one in attributes_of(bare)] == ["gender", "age"]


def test_nobody_is_answered_by_a_model_that_saw_them_or_a_relative(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    whose: dict[bytes, set[int]] = {}
    for row, component in zip(data.x, data.labelled.component.tolist(), strict=True):
        whose.setdefault(row.tobytes(), set()).add(component)
    answered = 0

    def answer(train: Sample, calibration: Sample, judged: np.ndarray, *_: Any) -> crossfit.CrossFitted:
        nonlocal answered
        learnt, settled = set(train.component.tolist()), set(calibration.component.tolist())
        assert not learnt & settled
        assert all(whose[row.tobytes()] - learnt - settled for row in judged)
        answered += len(judged)
        cumulative = judged[:, -1, 3:4].astype(np.float64)
        return crossfit.CrossFitted(np.tile(cumulative, 4), np.zeros(len(judged), dtype=np.int64))

    monkeypatch.setattr(crossfit, "_answer", answer)
    found = cross_fit(data, Known(1, 1, SvmSettings(1.0, 0.3)), seed=1, jobs=1, stages=Stages())
    np.testing.assert_array_equal(found.population[:, 0], data.x[:, -1, 3])
    assert answered == len(data.x)


@pytest.mark.slow
def test_a_cross_fitted_stack_answers_for_everyone(data: Data) -> None:
    found = cross_fit(data, Known(5, 1, SvmSettings(1.0, 0.3)), seed=1, jobs=1, stages=Stages())
    np.testing.assert_allclose(found.population.sum(axis=1), 1)
    top = data.split.groups == 3
    assert found.population[top, 3].mean() > 2 * found.population[~top, 3].mean()


def test_ethnicity_hidden_in_a_feature_is_found(data: Data) -> None:
    ethnicity = attributes_of(data)[0]
    nothing = ethnicity_from_features(data, ethnicity, seed=1)
    assert nothing["macro_auc"]["low"] < 0.53
    assert nothing["macro_auc"]["value"] < 0.6
    planted = attribute("ethnicity", np.where(data.x[:, -1, 17] > 2, "many contacts", "few contacts").astype(object))
    found = ethnicity_from_features(data, planted, seed=1)
    assert found["macro_auc"]["value"] > 0.95
    assert found["importance"][0]["feature"] == "victim_contacts"
    assert found["importance"][0]["share"] > 0.8
    assert found["log_loss"] < found["log_loss_of_shares"] / 2
