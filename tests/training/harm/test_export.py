from dataclasses import replace

import numpy as np
import onnx
import pytest
from sksurv.ensemble import RandomSurvivalForest

from app.errors import SetupError
from tests.training.harm.people import People
from tests.training.harm.runtime import run
from training.harm.check import check_export
from training.harm.classifier import Stack
from training.harm.export import export_model, export_survival
from training.harm.onnx_svm import interleaved, pair_coefficients


@pytest.mark.parametrize("batch", [1, 2, 700])
def test_merged_graph_equals_the_libraries(stack: Stack, nominals: People, batch: int) -> None:
    x = nominals.x[:batch]
    plain, population = run(export_model(stack), x)
    np.testing.assert_allclose(plain, stack.probabilities(x), atol=1e-5)
    np.testing.assert_allclose(population, stack.population_probabilities(x), atol=1e-5)


def test_one_opset_one_input_two_outputs(stack: Stack) -> None:
    model = onnx.load_from_string(export_model(stack))
    assert [given.name for given in model.graph.input] == ["features"]
    assert [found.name for found in model.graph.output] == ["probabilities", "population_probabilities"]
    assert sorted(opset.domain for opset in model.opset_import) == ["", "ai.onnx.ml"]
    assert not {node.op_type for node in model.graph.node} & {"ZipMap", "Loop", "If"}


def test_same_fit_same_bytes(stack: Stack, forest: RandomSurvivalForest) -> None:
    assert export_model(stack) == export_model(stack)
    assert export_survival(forest) == export_survival(forest)


def test_check_passes_a_true_export(stack: Stack, forest: RandomSurvivalForest, nominals: People) -> None:
    found = check_export(export_model(stack), export_survival(forest), stack, forest, nominals.x, seed=1)
    assert found.nominals == 700
    assert max(found[:3]) <= 1e-5


def test_check_refuses_another_model(stack: Stack, forest: RandomSurvivalForest, nominals: People) -> None:
    other = replace(stack, population=type(stack.population)().fit(np.eye(4), np.arange(4)))
    with pytest.raises(SetupError, match="population_probabilities differ"):
        check_export(export_model(other), export_survival(forest), stack, forest, nominals.x, seed=1)


def test_check_refuses_a_shifted_threshold(stack: Stack, forest: RandomSurvivalForest, nominals: People) -> None:
    model = onnx.load_from_string(export_survival(forest))
    ensemble = next(node for node in model.graph.node if node.op_type == "TreeEnsembleRegressor")
    values = next(attribute for attribute in ensemble.attribute if attribute.name == "nodes_values")
    values.floats[:] = [np.nextafter(np.float32(value), np.float32(np.inf)) for value in values.floats]
    with pytest.raises(SetupError, match="survival differ"):
        check_export(export_model(stack), model.SerializeToString(), stack, forest, nominals.x, seed=1)


def test_pair_coefficients_are_the_machines_own(stack: Stack) -> None:
    machine = stack.second.machine
    x = machine.support_vectors_[:7]
    distance = ((x[:, None] - machine.support_vectors_[None]) ** 2).sum(axis=2)
    margins = np.exp(-machine._gamma * distance) @ pair_coefficients(machine) + machine.intercept_
    np.testing.assert_allclose(margins, machine.decision_function(x), atol=1e-9)


def test_interleaving_mixes_classes_and_loses_nobody() -> None:
    order = interleaved(np.array([2, 4]))
    assert sorted(order) == list(range(6))
    assert [place < 2 for place in order] == [False, True, False, False, True, False]
