import numpy as np
import pytest
import torch

from tests.training.harm.people import People
from tests.training.harm.runtime import run
from training.harm.lstm import HarmLstm
from training.harm.network import fit_network, network_probabilities
from training.harm.onnx_lstm import lstm_graph
from training.harm.scaling import Scaling


@pytest.fixture
def model(nominals: People) -> HarmLstm:
    return fit_network(HarmLstm, nominals.x, nominals.groups, epochs=1, seed=5)


@pytest.mark.parametrize("batch", [1, 2, 700])
def test_graph_equals_torch(model: HarmLstm, nominals: People, batch: int) -> None:
    (found,) = run(lstm_graph(model), nominals.x[-batch:])
    np.testing.assert_allclose(found, network_probabilities(model, nominals.x[-batch:]), atol=1e-6)


def test_gates_are_told_apart(nominals: People) -> None:
    """Each gate has its own weights, so that a wrong order of gates cannot pass."""
    torch.manual_seed(0)
    model = HarmLstm(Scaling(torch.zeros(19), torch.ones(19))).eval()
    with torch.no_grad():
        for number, bias in enumerate(model.lstm.bias_ih_l0.split(model.lstm.hidden_size)):
            bias.fill_(0.7 * number - 1)
    (found,) = run(lstm_graph(model), nominals.x)
    np.testing.assert_allclose(found, network_probabilities(model, nominals.x), atol=1e-6)


def test_padding_is_not_an_incident(model: HarmLstm, nominals: People) -> None:
    """A history gives the same state whether the network walks over its padding's place or never sees it."""
    short = next(row for row in range(700) if 1 < nominals.histories.lengths[row] < 20)
    x = torch.from_numpy(nominals.x[short : short + 1])
    rows, lengths = model.prepare(x)
    assert lengths.tolist() == [nominals.histories.lengths[short]]
    with torch.no_grad():
        states, _ = model.lstm(rows[:, : int(lengths)])
        expected = torch.softmax(model.head(states[:, -1]), dim=1).numpy()
    np.testing.assert_allclose(run(lstm_graph(model), x.numpy())[0], expected, atol=1e-6)


def test_same_seed_same_network(nominals: People) -> None:
    before = torch.random.get_rng_state()
    one, other = (fit_network(HarmLstm, nominals.x[:100], nominals.groups[:100], epochs=2, seed=9) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert torch.equal(before, torch.random.get_rng_state())
