"""Folds that keep people who share incidents together: what a fold is judged on, its models never saw a relative of."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

Ints = NDArray[np.int64]

FOLDS = 5
INNER_FOLDS = 6


def fold_numbers(groups: Ints, component: Ints, seed: int, folds: int = FOLDS) -> Ints:
    """Fold 0..folds-1 of each nominal: stratified by harm group, connected components whole; (N,) from (N,), (N,).

    Many models are tried on the same rows and the splitter takes seconds, so what it said last is remembered.
    """
    return _remembered(_bytes(groups), _bytes(component), seed, folds).copy()


@lru_cache(maxsize=64)
def _remembered(groups: bytes, component: bytes, seed: int, folds: int) -> Ints:
    stratum, people = (np.frombuffer(part, dtype=np.int64) for part in (groups, component))
    numbers = np.empty(len(stratum), dtype=np.int64)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for number, (_, inside) in enumerate(splitter.split(stratum, stratum, people)):
        numbers[inside] = number
    return numbers


def fold_rows(numbers: Ints) -> Iterator[tuple[Ints, Ints]]:
    """(rows to learn from, rows to predict) of each fold in turn."""
    for number in range(int(numbers.max()) + 1):
        yield np.flatnonzero(numbers != number), np.flatnonzero(numbers == number)


def inner_split(groups: Ints, component: Ints, seed: int) -> tuple[Ints, Ints]:
    """(rows to learn from, rows that say when to stop): one sixth held back for early stopping."""
    numbers = fold_numbers(groups, component, seed, INNER_FOLDS)
    return np.flatnonzero(numbers != 0), np.flatnonzero(numbers == 0)


def _bytes(numbers: Ints) -> bytes:
    return np.asarray(numbers, dtype=np.int64).tobytes()
