"""Exact Shapley values of a few players, from every coalition. Nothing is sampled, so nothing depends on a seed.

Source: Shapley (1953); reason for exactness: a sampled number changes with the seed and cannot stand in a case file.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def coalitions(players: int) -> NDArray[np.bool_]:
    """Every subset of `players`, bool (2**players, players); row r holds player p where bit p of r is set."""
    bits = np.arange(1 << players)[:, None] >> np.arange(players)
    return (bits & 1).astype(np.bool_)


def shapley_values(values: Floats, players: int) -> Floats:
    """Return (players, K) for values (2**players, K) in the order of `coalitions`.

    They add up to `values[-1] - values[0]` exactly as far as float64 goes.
    """
    number = np.arange(1 << players)
    sizes = coalitions(players).sum(axis=1)
    weights = _weights(players)
    out = np.empty((players, values.shape[1]))
    for player in range(players):
        without = number[number >> player & 1 == 0]
        gains = values[without | 1 << player] - values[without]
        out[player] = weights[sizes[without]] @ gains
    return out


def explain(active: NDArray[np.bool_], value_of: Callable[[NDArray[np.bool_]], Floats]) -> tuple[Floats, Floats]:
    """Shapley values with the players that change nothing left out first.

    `active` bool (P,): players that differ from the reference; `value_of` takes coalitions of all P players, bool
    (C, P), and gives (C, K). Returns the contributions (P, K), zero for inactive players, and the two ends
    (2, K): value of nobody and of everybody.
    """
    players = np.flatnonzero(active)
    subsets = np.zeros((1 << len(players), len(active)), dtype=np.bool_)
    subsets[:, players] = coalitions(len(players))
    values = value_of(subsets)
    out = np.zeros((len(active), values.shape[1]))
    out[players] = shapley_values(values, len(players))
    return out, values[[0, -1]]


def _weights(players: int) -> Floats:
    """|S|! (P - |S| - 1)! / P! by size of S, (P,)."""
    weights = np.ones(max(players, 1)) / max(players, 1)
    for size in range(1, players):
        weights[size] = weights[size - 1] * size / (players - size)
    return weights
