"""Training of the networks of the first stage: one thread and an own random state, so that a seed decides everything."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from app.harm.features import Features
from training.harm.folds import Ints, inner_split
from training.harm.scaling import Scaling, multipliers, standardisation

MAX_EPOCHS = 40
PATIENCE = 6
DROPOUT = 0.3
_BATCH = 128
_LEARNING_RATE = 1e-3
_WEIGHT_DECAY = 1e-3


class HistoryNetwork(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """Features (N, 20, 19) -> logits of the four groups (N, 4). Kinds differ in `prepare` and `score`."""

    multiplier: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        self.register_buffer("multiplier", multipliers())
        self.register_buffer("mean", scaling.mean)
        self.register_buffer("scale", scaling.scale)

    def forward(self, x: Tensor) -> Tensor:
        """Logits for features as `app.harm.features.features` makes them."""
        return self.score(*self.prepare(x))

    def prepare(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What never changes while training, worked out once: scaled rows and which of them are real."""
        raise NotImplementedError

    def score(self, rows: Tensor, real: Tensor) -> Tensor:
        """Logits (N, 4) from what `prepare` returns."""
        raise NotImplementedError


Kind = Callable[[Scaling], Any]


def epochs_needed(kind: Kind, x: Features, groups: Ints, component: Ints, seed: int) -> int:
    """Passes over the data at which log loss on an inner, grouped split stops falling."""
    learn, stop = inner_split(groups, component, seed)
    return _train(kind, x[learn], groups[learn], MAX_EPOCHS, seed, (x[stop], groups[stop]))[1]


def fit_network(kind: Kind, x: Features, groups: Ints, epochs: int, seed: int) -> Any:
    """Fit for exactly `epochs` passes over all rows given."""
    return _train(kind, x, groups, epochs, seed, None)[0]


def network_probabilities(model: HistoryNetwork, x: Features) -> NDArray[np.float32]:
    """Probabilities of the four groups, (N, 4)."""
    with torch.no_grad():
        parts = [torch.softmax(model(part), dim=1) for part in torch.from_numpy(x).split(4096)]
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)


def _train(
    kind: Kind, x: Features, groups: Ints, epochs: int, seed: int, judge: tuple[Features, Ints] | None
) -> tuple[HistoryNetwork, int]:
    """The network and the epoch it stopped being better at."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = kind(standardisation(x))
            best = _epochs(model, x, groups, epochs, judge)
    finally:
        torch.set_num_threads(threads)
    return model.eval(), best


def _epochs(model: HistoryNetwork, x: Features, groups: Ints, epochs: int, judge: tuple[Features, Ints] | None) -> int:
    optimiser = torch.optim.Adam(model.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    rows, real = model.prepare(torch.from_numpy(x))
    target = torch.from_numpy(groups)
    best, best_loss = 1, np.inf
    for epoch in range(1, epochs + 1):
        model.train()
        for batch in torch.randperm(len(rows)).split(_BATCH):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model.score(rows[batch], real[batch]), target[batch]).backward()
            optimiser.step()
        if judge is None:
            continue
        loss = _log_loss(model.eval(), *judge)
        if loss < best_loss:
            best, best_loss = epoch, loss
        elif epoch - best >= PATIENCE:
            break
    return best


def _log_loss(model: HistoryNetwork, x: Features, groups: Ints) -> float:
    with torch.no_grad():
        return float(nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(groups)))
