"""Appendix 3 to the printed digits."""

import math

import numpy as np
import pytest
from scipy.stats.contingency import relative_risk as scipy_risk

from training.fairness.relative_risk import compared_tables, printed_rows, relative_risk


def test_every_row_of_both_tables_is_reproduced() -> None:
    found = compared_tables()
    assert found["agreeing"] == len(found["rows"]) == 24
    assert found["rows"][0]["computed"] == {"value": 0.8387, "low": 0.8279, "high": 0.8496}


def test_the_misprints_are_misprints() -> None:
    rows = [row for row in printed_rows() if row.table == "5"]
    cases, people = sum(row.cases for row in rows), sum(row.population for row in rows)
    assert (cases, people) == (57_283, 5_797_300)
    british = rows[0]
    assert round(relative_risk(british.cases, cases, british.others, people).value, 4) == 0.8457
    error = math.sqrt(
        1 / british.cases
        - 1 / british.population
        + (people - british.population) / cases / (people - british.population + cases)
    )
    assert round(british.relative_risk * math.exp(-1.96 * error), 4) != british.low


def test_against_another_implementation() -> None:
    mine = relative_risk(30, 100, 200, 1_000)
    theirs = scipy_risk(30, 200, 100, 1_000)  # the same ratio, as a risk within the group against everyone's
    assert mine.value == pytest.approx(theirs.relative_risk)
    interval = theirs.confidence_interval(0.95)
    np.testing.assert_allclose([mine.low, mine.high], [interval.low, interval.high], rtol=1e-4)


def test_what_cannot_be_reproduced_is_said() -> None:
    assert [one["computed"] for one in compared_tables()["not_reproduced"]] == [9.21]
