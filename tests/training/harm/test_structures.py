"""Any stack out of two of seven models and one of six can be exported: the graph is the libraries."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sksurv.ensemble import RandomSurvivalForest

from app.errors import SetupError
from tests.training.harm.people import People
from tests.training.harm.runtime import run
from training.harm.check import check_export
from training.harm.classifier import Known, Stack, fit_stack
from training.harm.export import export_model, export_survival
from training.harm.first_stage import FIRST_STAGES, predictions
from training.harm.onnx_stages import first_stage_graph
from training.harm.population import population_probabilities
from training.harm.second_stage import SECOND_STAGES
from training.harm.splits import divided, steady, table_splits
from training.harm.structure import ALL, FIRST, PUBLISHED, SECOND, STACKS, Structure, parse_stack
from training.harm.svm import SvmSettings
from training.harm.tables import table_probabilities
from training.harm.trees import fit_trees

MARGIN = np.float32(5e-6)
Make = Callable[[Structure], Stack]
# Every model of either stage at least once, and every one of the first stage on either side where it can stand.
REPRESENTATIVE = (
    "svm+lr:lr",
    "rf+gbm:rf",
    "gbm+xgboost:xgboost",
    "lstm+cnn:nn",
    "xgboost+lstm:rf",
    "svm+cnn:gbm",
    "lr+rf:svm",
)


def test_there_are_as_many_as_the_report_compares() -> None:
    assert len(STACKS) == len(set(STACKS)) == 126
    assert len(ALL) == len(set(ALL)) == 168
    assert tuple(FIRST_STAGES) == FIRST
    assert tuple(SECOND_STAGES) == SECOND


@pytest.mark.parametrize("written", ["xgboost+lstm:svm", " LSTM+xgboost:SVM "])
def test_a_stack_is_named_in_either_order(written: str) -> None:
    assert parse_stack(written) == PUBLISHED
    assert str(PUBLISHED) == "xgboost+lstm:svm"


@pytest.mark.parametrize(
    "written",
    [
        "",
        ":",
        "+",
        "svm",
        "svm+lr",
        "svm+svm:rf",
        "svm+lr+rf:nn",
        "svm+nn:rf",
        "svm+lr:lstm",
        "svm+lr:max",
        "ß+\x00:svm",
    ],
)
def test_anything_else_is_refused_in_one_line(written: str) -> None:
    with pytest.raises(SetupError, match=r"written like xgboost\+lstm:svm") as refused:
        parse_stack(written)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_a_refit_with_what_was_once_settled_searches_nothing(nominals: People) -> None:
    few = nominals.sample.take(np.arange(300))
    parts = {"test_mix": np.full(4, 0.25), "population_mix": np.full(4, 0.25), "seed": 1}
    once = {"structure": parse_stack("lr+rf:lr"), **parts}
    told = json.loads(json.dumps(fit_stack(few, few, **once).choices))
    known = Known.of(told)
    assert known.structure == once["structure"]
    assert (known.one, known.other) == (told["first"]["lr"]["cost"], told["first"]["rf"]["leaf"])
    again = fit_stack(few, few, known=known, **parts).choices
    for name, settled in (("lr", known.one), ("rf", known.other)):
        assert set(again["first"][name]["folds"]) == {settled}
    assert again["second"] == told["second"]
    assert Known.of(
        {
            "stack": "xgboost+lstm:svm",
            "first": {"xgboost": {"rounds": 3}, "lstm": {"epochs": 2}},
            "second": {"cost": 1.0, "gamma": 0.3},
        }
    ) == Known(3, 2, SvmSettings(1.0, 0.3))


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("batch", [1, 700])
def test_first_stage_graphs_equal_the_libraries(
    first_models: dict[str, Any], nominals: People, name: str, batch: int
) -> None:
    (found,) = run(first_stage_graph(name, first_models[name]), nominals.x[-batch:])
    np.testing.assert_allclose(found, predictions(name, first_models[name], nominals.x[-batch:]), atol=1e-6)


@pytest.mark.parametrize("written", REPRESENTATIVE)
def test_export_passes_the_check(
    make_stack: Make, forest: RandomSurvivalForest, nominals: People, written: str
) -> None:
    stack = make_stack(parse_stack(written))
    found = check_export(export_model(stack), export_survival(forest), stack, forest, nominals.x, seed=1)
    assert max(found[:3]) <= 1e-5
    assert export_model(stack) == export_model(stack)


@pytest.mark.slow
def test_all_126_graphs_equal_the_libraries(make_stack: Make, first_views: dict[str, Any], nominals: People) -> None:
    for structure in STACKS:
        stack = make_stack(structure)
        stacked = np.hstack([first_views[name][:200] for name in structure.first])
        clear = ~divided(table_splits(stack.second), stacked - MARGIN, stacked + MARGIN)
        assert clear.mean() > 0.8, structure
        expected = table_probabilities(stack.second, stacked)
        plain, population = run(export_model(stack), nominals.x[:200])
        np.testing.assert_allclose(plain[clear], expected[clear], atol=1e-5, err_msg=str(structure))
        expected = population_probabilities(stack.population, expected)
        np.testing.assert_allclose(population[clear], expected[clear], atol=1e-5, err_msg=str(structure))


def test_steady_nominals_are_those_no_rounding_can_move(make_stack: Make, nominals: People) -> None:
    smooth, jumping = (make_stack(parse_stack(f"lr+gbm:{second}")) for second in ("svm", "rf"))
    assert steady(smooth, nominals.x).all()
    clear, stacked = steady(jumping, nominals.x), jumping.first_stage(nominals.x)
    assert 0.8 < clear.mean() < 1
    for moved in (stacked - MARGIN / 2, stacked + MARGIN / 2):
        same = np.isclose(table_probabilities(jumping.second, moved), table_probabilities(jumping.second, stacked)).all(
            axis=1
        )
        assert same[clear].all()


def test_check_refuses_another_second_stage(make_stack: Make, forest: RandomSurvivalForest, nominals: People) -> None:
    stack, other = (make_stack(parse_stack(f"{pair}:rf")) for pair in ("xgboost+lstm", "xgboost+cnn"))
    mixed = replace(stack, second=other.second)
    with pytest.raises(SetupError, match="probabilities differ"):
        check_export(export_model(mixed), export_survival(forest), stack, forest, nominals.x, seed=1)


def test_check_refuses_another_first_stage(make_stack: Make, forest: RandomSurvivalForest, nominals: People) -> None:
    """Where a split lies between, only the second stage is compared: a wrong first stage must not hide behind that."""
    stack = make_stack(parse_stack("xgboost+lstm:rf"))
    mixed = replace(stack, first=(fit_trees(nominals.x, nominals.groups, 6, seed=1), stack.first[1]))
    with pytest.raises(SetupError, match="first stages differ"):
        check_export(export_model(mixed), export_survival(forest), stack, forest, nominals.x, seed=1)


def test_divided_rows_are_those_with_a_split_between(make_stack: Make, nominals: People) -> None:
    stack = make_stack(parse_stack("xgboost+lstm:gbm"))
    splits = table_splits(stack.second)
    rng = np.random.default_rng(4)
    one = stack.first_stage(nominals.x)
    other = (one + rng.normal(0, 0.01, one.shape)).astype(np.float32)
    low, high = np.minimum(one, other), np.maximum(one, other)
    between = np.zeros(len(one), dtype=bool)
    for feature, threshold in zip(*splits, strict=True):
        between |= (low[:, feature] <= threshold) & (threshold <= high[:, feature]) & (low != high)[:, feature]
    found = divided(splits, one, other)
    assert np.array_equal(found, between)
    assert 0.1 < found.mean() < 1
    leaves = [tree.apply(table) for tree in stack.second.estimators_.ravel() for table in (one, other)]
    moved = np.any([a != b for a, b in zip(leaves[::2], leaves[1::2], strict=True)], axis=0)
    assert not (moved & ~found).any()
