"""The published network: 2,106 inputs, layers of 1028, 512, 256, 128, 32 and 5, ReLU, 20 % dropout, softmax (appendix 8).

The first layer reads a sparse row of counts as a weighted sum of its columns: the same numbers as a dense product, at a
fraction of the time. Epochs are chosen on an inner part of the training set (ours: the report names none).
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from app.harm.features import Ints
from training.harm.progress import Stages

LAYERS = (1028, 512, 256, 128, 32)
CLASSES = 5
DROPOUT = 0.2
MAX_EPOCHS, PATIENCE = 12, 2
_BATCH = 500
_LEARNING_RATE = 5e-4
Floats32 = NDArray[np.float32]


class Weights(NamedTuple):
    """One layer: y = x @ weight.T + bias."""

    weight: Floats32
    bias: Floats32


class TextNetwork(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """Counts as sparse rows -> logits of the five scores."""

    def __init__(self, terms: int) -> None:
        super().__init__()
        dense = nn.Linear(terms, LAYERS[0])  # for its first values
        self.first = nn.EmbeddingBag.from_pretrained(dense.weight.detach().T.contiguous(), freeze=False, mode="sum")
        self.bias = nn.Parameter(dense.bias.detach())
        widths = (*LAYERS, CLASSES)
        self.others = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, columns: Tensor, starts: Tensor, counts: Tensor) -> Tensor:
        """Logits (B, 5) of rows given as columns and counts laid end to end, each beginning at `starts`."""
        x = torch.relu(self.first(columns, starts, per_sample_weights=counts) + self.bias)
        for layer in self.others[:-1]:
            x = torch.relu(layer(self.dropout(x)))
        return torch.as_tensor(self.others[-1](self.dropout(x)))

    def weights(self) -> list[Weights]:
        """Every layer, first to last."""
        first = Weights(self.first.weight.detach().T.numpy(), self.bias.detach().numpy())
        others = [Weights(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in self.others]
        return [first, *others]


def fit_network(
    x: csr_array, y: Ints, inner_x: csr_array, inner_y: Ints, seed: int, stages: Stages
) -> tuple[TextNetwork, int]:
    """Fit on counts `x` (N, T) with places `y` (N,); the inner rows tell when to stop.

    Returns the network of the best epoch and its number.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), stages.stage("Network", MAX_EPOCHS) as done:
            torch.manual_seed(seed)
            model = TextNetwork(x.shape[1])
            optimiser = torch.optim.Adam(model.parameters(), lr=_LEARNING_RATE)
            best, best_loss, kept = 0, np.inf, model.state_dict()
            for epoch in range(1, MAX_EPOCHS + 1):
                _epoch(model, optimiser, x, y)
                loss = _loss(model, inner_x, inner_y)
                done()
                if loss < best_loss:
                    best, best_loss = epoch, loss
                    kept = {name: value.clone() for name, value in model.state_dict().items()}
                elif epoch - best >= PATIENCE:
                    break
            model.load_state_dict(kept)
    finally:
        torch.set_num_threads(threads)
    return model.eval(), best


def network_probabilities(model: TextNetwork, x: csr_array) -> NDArray[np.float64]:
    """Probabilities of the five scores, (N, 5)."""
    with torch.no_grad():
        parts = [torch.softmax(model.eval()(*_batch(x[at : at + 2048])), dim=1) for at in range(0, x.shape[0], 2048)]
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)


def _epoch(model: TextNetwork, optimiser: torch.optim.Optimizer, x: csr_array, y: Ints) -> None:
    model.train()
    for part in torch.randperm(len(y)).split(_BATCH):
        chosen = part.numpy()
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(*_batch(x[chosen])), torch.from_numpy(y[chosen])).backward()
        optimiser.step()


def _batch(x: csr_array) -> tuple[Tensor, Tensor, Tensor]:
    columns, starts = x.indices.astype(np.int64), x.indptr[:-1].astype(np.int64)
    return torch.from_numpy(columns), torch.from_numpy(starts), torch.from_numpy(x.data.astype(np.float32))


def _loss(model: TextNetwork, x: csr_array, y: Ints) -> float:
    chances = network_probabilities(model, x)
    return float(-np.log(chances[np.arange(len(y)), y].clip(1e-12)).mean())


def exact_probabilities(model: TextNetwork, counts: Floats32) -> NDArray[np.float64]:
    """The same for dense counts (N, T), in double precision: what float32 anywhere can only come near."""
    *hidden, last = model.weights()
    x = counts.astype(np.float64)
    for layer in hidden:
        x = np.maximum(x @ layer.weight.T.astype(np.float64) + layer.bias, 0)
    logits = x @ last.weight.T.astype(np.float64) + last.bias
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: NDArray[np.float64] = chances / chances.sum(axis=1, keepdims=True)
    return found
