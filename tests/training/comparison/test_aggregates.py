"""Totals and half-years of a history against a loop over its incidents."""

import numpy as np
import pytest

from app.harm.features import CLASSES, COLUMN, OFFENDER
from tests.training.harm.people import People, people
from training.comparison.aggregates import HALF_YEAR_DAYS, KINDS, WINDOWS, totals, windows


@pytest.fixture(scope="module")
def invented() -> People:
    return people(60, seed=5)


def incidents_of(invented: People, number: int) -> list[dict[str, float]]:
    known = invented.histories.incidents
    rows = range(invented.histories.starts[number], invented.histories.starts[number + 1])
    return [
        {
            "ago": invented.histories.day_zero[number] - known.day[row],
            "harm": known.harm[row],
            "incidents": 1,
            "as_offender": known.role[row] == OFFENDER,
            **dict(zip(CLASSES, known.classes[row], strict=True)),
        }
        for row in rows
    ]


def test_totals_equal_a_loop(invented: People) -> None:
    found = totals(invented.histories, invented.x)
    for number in range(60):
        theirs = incidents_of(invented, number)
        recent = [one for one in theirs if one["ago"] <= 365.25]
        counts = [
            *(sum(one[kind] for one in theirs) for kind in KINDS),
            sum(one["harm"] for one in theirs),
            max(one["harm"] for one in theirs),
            sum(one["harm"] for one in recent),
            len(recent),
            max(one["ago"] for one in theirs) / 365.25,
        ]
        np.testing.assert_allclose(found[number, :12], np.log1p(counts))
        assert found[number, 12] == invented.x[number, -1, COLUMN["age_at_offence"]]


def test_windows_equal_a_loop_and_lose_nothing(invented: People) -> None:
    width = len(KINDS) + 2
    found = windows(invented.histories, invented.x)[:, : WINDOWS * width].reshape(60, WINDOWS, width)
    for number in range(60):
        theirs = incidents_of(invented, number)
        for window in range(WINDOWS):
            last = np.inf if window == WINDOWS - 1 else (window + 1) * HALF_YEAR_DAYS
            inside = [one for one in theirs if window * HALF_YEAR_DAYS <= one["ago"] < last]
            expected = [*(sum(one[kind] for one in inside) for kind in KINDS), sum(one["harm"] for one in inside)]
            np.testing.assert_allclose(found[number, window, :-1], expected)
            assert found[number, window, -1] == max((one["harm"] for one in inside), default=0)
    assert found[:, :, 0].sum() == len(invented.histories.incidents.day)
