"""Section 6's arithmetic, and what a team of a given size would find."""

import numpy as np
import pytest

from training.evaluation.published import POPULATION_GROUPS, TEST_GROUPS
from training.evaluation.workload import published_week, taken_first


def test_the_reports_week_at_its_own_mix() -> None:
    week = published_week(TEST_GROUPS)
    assert week["flag_rate"] == pytest.approx(0.18, abs=5e-3)
    assert week["precision"] == pytest.approx(0.58, abs=5e-3)
    assert week["flagged_a_week"] == pytest.approx(27, abs=0.5)
    assert week["right_a_week"] == pytest.approx(16, abs=0.6)


def test_the_same_matrix_where_a_team_would_work() -> None:
    week = published_week(POPULATION_GROUPS)
    assert week["flag_rate"] == pytest.approx(0.130, abs=5e-4)
    assert week["flagged_a_week"] == pytest.approx(19, abs=0.5)
    assert week["precision"] == pytest.approx(0.38, abs=5e-3)


def test_cases_are_taken_by_probability_until_the_week_is_full() -> None:
    groups, top = np.array([0, 3, 2, 1]), np.array([0.1, 0.9, 0.8, 0.2])
    statistic = taken_first(groups, top, np.full(4, 0.25), {"half": 0.5, "most": 0.625, "all": 1.0})
    found = statistic(np.ones((1, 4)))
    assert found["half.precision"] == 1
    assert found["half.top_found"] == 1
    assert found["most.precision"] == pytest.approx(2 / 2.5)  # half of the third case is taken
    assert found["all.precision"] == pytest.approx(0.5)


def test_a_case_that_weighs_more_fills_the_week_sooner() -> None:
    groups, top = np.array([0, 3, 2, 1]), np.array([0.9, 0.8, 0.2, 0.1])
    found = taken_first(groups, top, np.array([0.7, 0.1, 0.1, 0.1]), {"half": 0.5})(np.ones((1, 4)))
    assert found["half.top_found"] == 0
    assert found["half.precision"] == 0
