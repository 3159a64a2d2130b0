"""Conformal sets: never empty, growing with the level, and what a plain loop finds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.harm.conformal import conformal_sets, nonconformity
from training.harm.conformal import thresholds

LEVELS = (0.5, 0.8, 0.9, 0.99)


def drawn(count: int, seed: int, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities (N, 4), predicted groups and true groups of people whose groups blur."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 4, count)
    seen = groups + rng.normal(0, 1, count)
    likelihood = np.exp(-((seen[:, None] - np.arange(4)) ** 2) / 2)
    probabilities = likelihood / likelihood.sum(axis=1, keepdims=True)
    if ties:
        probabilities = np.round(probabilities, 1) + 0.01
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities, np.argmax(probabilities * [1, 1.2, 1.5, 2], axis=1), groups


def plain_sets(
    calibration: tuple[np.ndarray, np.ndarray, np.ndarray],
    fresh: tuple[np.ndarray, np.ndarray],
    odds: list[float],
    level: float,
) -> list[set[int]]:
    """One nominal and one group at a time, from the definition: a group is left out where too few of its calibration
    nominals conform as badly."""

    def badness(row: np.ndarray, predicted: int, group: int) -> float:
        moved = [p * o for p, o in zip(row, odds, strict=True)]
        return 0.0 if group == predicted else 1 - moved[group] / sum(moved)

    found = []
    for row, predicted in zip(*fresh, strict=True):
        kept = set()
        for group in range(4):
            own = sorted(badness(p, q, group) for p, q, g in zip(*calibration, strict=True) if g == group)
            rank = math.ceil(level * (len(own) + 1) - 1e-9)
            limit = own[rank - 1] if rank <= len(own) else 1.0
            if badness(row, predicted, group) <= limit + 1e-12:
                kept.add(group)
        found.append(kept)
    return found


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("ties", [False, True])
def test_sets_are_those_of_a_plain_loop(level: float, ties: bool) -> None:
    odds = [2.2, 0.5, 0.3, 0.3]
    calibration, fresh = drawn(120, seed=1, ties=ties), drawn(60, seed=2, ties=ties)
    probabilities, predicted, groups = calibration
    limits = thresholds(nonconformity(probabilities, predicted, odds), groups, level)
    found = conformal_sets(nonconformity(*fresh[:2], odds), limits + 1e-12)
    assert [set(np.flatnonzero(row).tolist()) for row in found] == plain_sets(calibration, fresh[:2], odds, level)


@given(seed=st.integers(0, 10_000), count=st.integers(4, 200), low=st.floats(0.05, 0.99), high=st.floats(0.05, 0.99))
@settings(deadline=None, max_examples=60)
def test_no_set_is_empty_and_a_higher_level_never_takes_a_group_away(
    seed: int, count: int, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    odds = np.random.default_rng(seed).uniform(0.1, 3, 4)
    probabilities, predicted, groups = drawn(count, seed)
    scores = nonconformity(probabilities, predicted, odds)
    fresh, flagged, _ = drawn(100, seed + 1)
    of = nonconformity(fresh, flagged, odds)
    smaller, larger = (conformal_sets(of, thresholds(scores, groups, level)) for level in (low, high))
    assert smaller[np.arange(100), flagged].all()
    assert (larger | ~smaller).all()


def test_every_group_is_covered_at_its_rate_on_average() -> None:
    """The rank makes it at least the level, and at most 1 / (n + 1) more."""
    odds, rng, size = [1.0, 0.8, 0.6, 0.5], np.random.default_rng(4), 60
    probabilities, predicted, groups = drawn(40_000, seed=3)
    scores = nonconformity(probabilities, predicted, odds)
    covered = []
    for _ in range(150):
        rows = np.concatenate([rng.choice(np.flatnonzero(groups == group), size, replace=False) for group in range(4)])
        sets = conformal_sets(scores, thresholds(scores[rows], groups[rows]))
        covered.append([sets[groups == group, group].mean() for group in range(4)])
    exact = math.ceil(0.9 * (size + 1)) / (size + 1)
    assert np.mean(covered, axis=0) == pytest.approx(exact, abs=0.012)


def test_too_few_people_rule_no_group_out() -> None:
    scores, groups = np.full((8, 4), 0.2), np.repeat(np.arange(4), 2)
    assert thresholds(scores, groups).tolist() == [1, 1, 1, 1]
    assert thresholds(np.full((36, 4), 0.2), np.repeat(np.arange(4), 9)).tolist() == [0.2, 0.2, 0.2, 0.2]
