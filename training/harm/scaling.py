"""Histories on a scale that networks, regressions and kernels can learn from; trees need none of it.

The features span five orders of magnitude, so harm, days, contacts and momentum enter as logarithms and everything is
standardised (ours). Both belong to the model, so that an exported graph takes the same features as the trees.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from app.harm.features import FEATURES, Features

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


class Scaling(NamedTuple):
    """Mean and spread of each scaled feature, float32 (19,)."""

    mean: Tensor
    scale: Tensor


def multipliers() -> Tensor:
    """Multiplier of each feature inside its logarithm, float32 (19,); 0 where a feature stays as it is."""
    return torch.tensor([LOG_MULTIPLIERS.get(name, 0.0) for name in FEATURES])


def logged(x: Tensor, multiplier: Tensor) -> Tensor:
    """log(1 + multiplier * x) where there is a multiplier (those features are never negative), else x."""
    return torch.where(multiplier > 0, torch.log1p(multiplier * x), x)


def standardisation(x: Features) -> Scaling:
    """Mean and spread of each scaled feature over real rows; a feature that never varies keeps spread 1."""
    rows = torch.from_numpy(x[(x != 0).any(axis=2)])
    scaled = logged(rows, multipliers()).double()
    spread = scaled.std(dim=0)
    return Scaling(scaled.mean(dim=0).float(), torch.where(spread > 1e-6, spread, 1.0).float())


def scaled_rows(x: Tensor, scaling: Scaling) -> tuple[Tensor, Tensor]:
    """Standardised rows where they stand, padding zero (N, 20, 19), and which rows are real, 0 or 1 (N, 20)."""
    real = (x != 0).any(dim=2).float()
    return (logged(x, multipliers()) - scaling.mean) / scaling.scale * real[:, :, None], real
