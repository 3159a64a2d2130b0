"""First stage, other half: an LSTM over the incidents, oldest first (report, section 3.3.2 and appendix 1).

The features span five orders of magnitude, so harm, days, contacts and momentum enter as logarithms and everything is
standardised; both happen inside the network, so that an exported graph takes the same features as the trees (ours).
Padding is not an incident: the network starts at a nominal's first real row, whatever the length of the history (ours).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from app.harm.features import FEATURES, ROWS, Features
from training.harm.folds import Ints, inner_split

# 64 units cost twice the time and learn nothing more out of fold (ours).
HIDDEN = 32
GROUP_COUNT = 4
MAX_EPOCHS = 40
PATIENCE = 6
_BATCH = 128
_LEARNING_RATE = 1e-3
_WEIGHT_DECAY = 1e-3
_DROPOUT = 0.3

# Multiplier inside log(1 + multiplier * value); 0 = linear. Momentum is a share a day: its spread lies below 1/1000.
LOG_MULTIPLIERS = {
    "harm_score": 1.0,
    "days_to_day_zero": 1.0,
    "cumulative_harm": 1.0,
    "days_since_previous": 1.0,
    "harm_momentum": 1000.0,
    "cumulative_harm_decayed": 1.0,
    "harm_momentum_decayed": 1000.0,
    "custody_count": 1.0,
    "victim_contacts": 1.0,
}


class HarmLstm(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """Features (N, 20, 19) -> logits of the four groups (N, 4)."""

    multiplier: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor, hidden: int = HIDDEN) -> None:
        super().__init__()
        multiplier = torch.tensor([LOG_MULTIPLIERS.get(name, 0.0) for name in FEATURES])
        self.register_buffer("multiplier", multiplier)
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.lstm = nn.LSTM(len(FEATURES), hidden, batch_first=True)
        self.dropout = nn.Dropout(_DROPOUT)
        self.head = nn.Linear(hidden, GROUP_COUNT)

    def forward(self, x: Tensor) -> Tensor:
        """Logits for features as `app.harm.features.features` makes them."""
        return self.score(*self.prepare(x))

    def prepare(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scaled rows moved to the front (N, 20, 19), and how many of them are real (N,)."""
        lengths = (x != 0).any(dim=2).sum(dim=1)
        places = (torch.arange(ROWS) - lengths[:, None]) % ROWS
        front = torch.gather(x, 1, places[:, :, None].expand_as(x))
        return (logged(front, self.multiplier) - self.mean) / self.scale, lengths

    def score(self, rows: Tensor, lengths: Tensor) -> Tensor:
        """Logits from what `prepare` returns: the state after the last real row, nothing known = zero state."""
        states, _ = self.lstm(rows)
        last = states[torch.arange(len(rows)), (lengths - 1).clamp(min=0)] * (lengths > 0)[:, None]
        return torch.as_tensor(self.head(self.dropout(last)))


def logged(x: Tensor, multiplier: Tensor) -> Tensor:
    """log(1 + multiplier * x) where there is a multiplier (those features are never negative), else x."""
    return torch.where(multiplier > 0, torch.log1p(multiplier * x), x)


def epochs_needed(x: Features, groups: Ints, component: Ints, seed: int) -> int:
    """Passes over the data at which log loss on an inner, grouped split stops falling."""
    learn, stop = inner_split(groups, component, seed)
    return _train(x[learn], groups[learn], MAX_EPOCHS, seed, (x[stop], groups[stop]))[1]


def fit_lstm(x: Features, groups: Ints, epochs: int, seed: int) -> HarmLstm:
    """Fit for exactly `epochs` passes over all rows given."""
    return _train(x, groups, epochs, seed, None)[0]


def lstm_probabilities(model: HarmLstm, x: Features) -> NDArray[np.float32]:
    """Probabilities of the four groups, (N, 4)."""
    with torch.no_grad():
        parts = [torch.softmax(model(part), dim=1) for part in torch.from_numpy(x).split(4096)]
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)


def _train(
    x: Features, groups: Ints, epochs: int, seed: int, judge: tuple[Features, Ints] | None
) -> tuple[HarmLstm, int]:
    """The network and the epoch it stopped being better at; one thread and own random state, so a seed decides all."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = HarmLstm(*_standardisation(x))
            best = _epochs(model, x, groups, epochs, judge)
    finally:
        torch.set_num_threads(threads)
    return model.eval(), best


def _epochs(model: HarmLstm, x: Features, groups: Ints, epochs: int, judge: tuple[Features, Ints] | None) -> int:
    optimiser = torch.optim.Adam(model.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    rows, lengths = model.prepare(torch.from_numpy(x))
    target = torch.from_numpy(groups)
    best, best_loss = 1, np.inf
    for epoch in range(1, epochs + 1):
        model.train()
        for batch in torch.randperm(len(rows)).split(_BATCH):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model.score(rows[batch], lengths[batch]), target[batch]).backward()
            optimiser.step()
        if judge is None:
            continue
        loss = _log_loss(model.eval(), *judge)
        if loss < best_loss:
            best, best_loss = epoch, loss
        elif epoch - best >= PATIENCE:
            break
    return best


def _log_loss(model: HarmLstm, x: Features, groups: Ints) -> float:
    with torch.no_grad():
        return float(nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(groups)))


def _standardisation(x: Features) -> tuple[Tensor, Tensor]:
    """Mean and spread of each scaled feature over real rows; a feature that never varies keeps spread 1."""
    rows = torch.from_numpy(x[(x != 0).any(axis=2)])
    multiplier = torch.tensor([LOG_MULTIPLIERS.get(name, 0.0) for name in FEATURES])
    scaled = logged(rows, multiplier).double()
    spread = scaled.std(dim=0)
    return scaled.mean(dim=0).float(), torch.where(spread > 1e-6, spread, 1.0).float()
