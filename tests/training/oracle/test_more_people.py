"""More people of the same world, taught together with the artefact's own."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from training.evaluation.bench import Bench
from training.harm.classifier import Sample
from training.harm.progress import Stages
from training.oracle import more_people
from training.oracle.more_people import _drawn, measure_more_people
from training.oracle.oracle import Oracle


def test_people_drawn_of_each_group() -> None:
    groups = np.repeat(np.arange(4), [50, 20, 5, 2])
    rows = _drawn(groups, (10, 10, 10, 1), seed=1)
    assert np.bincount(groups[rows]).tolist() == [10, 10, 5, 1]
    assert (np.diff(rows) > 0).all()
    assert not np.array_equal(rows, _drawn(groups, (10, 10, 10, 1), seed=2))


def test_the_stack_is_taught_by_own_and_other_people(
    bench: Bench, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[Sample] = []

    def fit_stack(train: Sample, *_: Any, **__: Any) -> Any:
        taught.append(train)
        said = bench.scored
        stack = SimpleNamespace(
            probabilities=lambda _: said.probabilities,
            population_probabilities=lambda _: said.population,
            predict=lambda _: said.predicted,
        )
        return SimpleNamespace(stack=stack)

    monkeypatch.setattr(more_people, "fit_stack", fit_stack)
    monkeypatch.setattr(more_people, "section_oracle", lambda *_: oracle)
    work = bench.work.under(more=1)
    found = measure_more_people(replace(bench, work=work), Stages(), multiple=2)
    (train,) = taught
    own = bench.data.sample(bench.data.split.train)
    count = len(own.groups)
    assert np.array_equal(train.x[:count], own.x)
    assert found["train"] == len(train.groups) == pytest.approx(2 * count, abs=0.1 * count)
    assert (train.x[count:].shape, train.x.dtype) == ((len(train.groups) - count, 20, 19), np.float32)
    assert not np.isin(train.component[count:], train.component[:count]).any()
    assert not (train.x[count : 2 * count] == own.x[: len(train.x) - count]).all()
    shares = [np.bincount(part, minlength=4) for part in (train.groups[:count], train.groups[count:])]
    np.testing.assert_allclose(*shares, atol=0.1 * count)
    assert found["distance"]["auc"]["value"] == found["test_mix"]["auc"]["top_against_lowest"]["value"]
    again = measure_more_people(replace(bench, work=work), Stages(), multiple=2)
    assert again == found
    assert len(taught) == 1
