"""What is not told cannot be computed from what is told."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from training.fairness.attributes import Attribute
from training.fairness.suppression import SMALLEST, hidden, shown

CELL = st.one_of(st.integers(0, 12), st.integers(8, 300))
TABLE = st.integers(2, 6).flatmap(
    lambda groups: st.lists(st.lists(CELL, min_size=4, max_size=4), min_size=groups, max_size=groups)
)


def told(cells: np.ndarray, hide: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Linear equations over all cells, flattened, that a reader has: groups alone, groups together, totals."""
    equations = []
    for column in range(cells.shape[1]):
        sums = [[row] for row in np.flatnonzero(~hide)] + [np.flatnonzero(hide).tolist(), list(range(len(cells)))]
        for rows in sums:
            pattern = np.zeros(cells.shape)
            pattern[rows, column] = 1
            equations.append((pattern.ravel(), float(cells[rows, column].sum())))
    return equations


def span(equations: list[tuple[np.ndarray, float]], size: int, cell: int) -> float:
    """How far a cell may lie either way for all a reader knows."""
    patterns, sums = np.array([pattern for pattern, _ in equations]), np.array([value for _, value in equations])
    ends = []
    for sign in (1, -1):
        goal = np.zeros(size)
        goal[cell] = sign
        found = linprog(goal, A_eq=patterns, b_eq=sums, bounds=(0, None), method="highs")
        assert found.status == 0
        ends.append(sign * found.fun)
    return ends[1] - ends[0]


@settings(max_examples=60, deadline=None)
@given(TABLE)
def test_a_small_cell_cannot_be_computed_back(table: list[list[int]]) -> None:
    cells = np.array(table)
    hide = hidden(cells)
    equations = told(cells, hide)
    for row, column in np.argwhere(cells < SMALLEST):
        assert hide[row]
        if not hide.all():
            assert span(equations, cells.size, row * 4 + column) >= SMALLEST - 1e-6


@settings(max_examples=60, deadline=None)
@given(TABLE, st.integers(0, 2**31))
def test_a_part_of_the_people_gives_no_small_cell_away(table: list[list[int]], seed: int) -> None:
    """Tables of everyone and of some of them: neither the part nor what is left when it is taken away."""
    cells = np.array(table)
    part = np.random.default_rng(seed).binomial(cells, 0.7)
    whole_hides = hidden(cells)
    part_hides = hidden(np.hstack([part, cells - part]), whole_hides)
    assert (whole_hides <= part_hides).all()
    size = cells.size
    both = [(np.concatenate([one, one]), value) for one, value in told(cells, whole_hides)]
    equations = both + [(np.concatenate([one, 0 * one]), value) for one, value in told(part, part_hides)]
    if part_hides.all():
        return
    for place, (row, column) in enumerate(np.argwhere(np.minimum(part, cells - part) < SMALLEST)):
        assert part_hides[row]
        if place < 3:
            assert span(equations, 2 * size, row * 4 + column) >= SMALLEST - 1e-6


@settings(max_examples=60, deadline=None)
@given(TABLE)
def test_no_more_is_hidden_than_needed(table: list[list[int]]) -> None:
    cells = np.array(table)
    hide = hidden(cells)
    small = (cells < SMALLEST).any(axis=1)
    if not small.any():
        assert not hide.any()
    elif not hide.all():
        largest = cells.sum(axis=1)[~hide].min()
        assert (cells.sum(axis=1)[hide & ~small] <= largest).all(), "the smallest join first"


def test_by_hand() -> None:
    cells = np.array([[500, 300], [40, 50], [30, 9], [200, 100]])
    assert hidden(cells).tolist() == [False, True, True, False], "one hidden group joins the next smallest"
    cells[2] = [3, 0]
    cells[1] = [9, 9]
    assert hidden(cells).tolist() == [False, True, True, True], "12 and 9 together are not ten in each cell"


def test_a_group_hidden_elsewhere_is_not_hidden_alone() -> None:
    cells = np.array([[500, 300], [40, 50], [30, 20]])
    assert hidden(cells, np.array([True, False, False])).tolist() == [True, False, True]


def test_hidden_groups_are_told_as_one() -> None:
    attribute = Attribute("kind", ("a", "b", "c", "d"), np.array([0, 1, 2, 3, 1, 0]))
    view = shown(attribute, np.array([False, True, False, True]))
    assert view.attribute.groups == ("a", "c", "2 small groups together")
    assert view.attribute.member.tolist() == [0, 2, 1, 2, 2, 0]
    assert view.together == ("b", "d")
    everyone = shown(attribute, np.zeros(4, dtype=np.bool_))
    assert everyone.attribute == attribute._replace(member=everyone.attribute.member)
    assert everyone.together == ()
