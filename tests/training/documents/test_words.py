"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.documents.blocks import Cell
from training.documents.chapters.ablations import points
from training.documents.words import (
    MISSING,
    amount,
    bounds,
    days,
    figure,
    listed,
    readable,
    share,
    signed,
    tenths,
    whole,
)

ESTIMATE = {"value": 0.84123, "low": 0.8, "high": 0.88249}
NOTHING = {"value": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (share(ESTIMATE), "84.1 % (80.0 to 88.2)"),
        (share(0.5), "50.0 %"),
        (figure(ESTIMATE), "0.841 (0.800 to 0.882)"),
        (figure({"value": 1.0, "low": None, "high": None}), "1.000"),
        (figure(-0.5), "−0.500"),
        (figure({"value": -0.0001, "low": -0.2, "high": 0.1}), "0.000 (−0.200 to 0.100)"),
        (amount(28279), "28,279"),
        (amount(47456.5), "47,456.5"),
        (amount({"value": 57140.5, "low": 37401.8, "high": 79409.5}), "57,140 (37,402 to 79,410)"),
        (whole(47456.6), "47,457"),
        (tenths(17.14), "17.1"),
        (share(NOTHING), MISSING),
        (figure(None), MISSING),
        (amount("x"), MISSING),
        (days(16.0), "16 days"),
        (days(372.5), "372.5 days"),
        (listed(["a"]), "a"),
        (listed(["a", "b", "c"]), "a, b and c"),
        (readable("no_domestic_non_crimes"), "no domestic non crimes"),
        (readable("50-80"), "50-80"),
        (signed(0.0349), "+3.5"),
        (signed(-0.0349), "−3.5"),
        (signed(-0.0001), "0.0"),
        (points({"value": 0.01, "low": -0.02, "high": 0.04}), "+1.0 points (−2.0 to +4.0)"),
        (points(None), MISSING),
    ],
)
def test_numbers(said: str, expected: str) -> None:
    assert said == expected


@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.floats(0, 1e3))
def test_an_estimate_is_told_with_both_its_ends(value: float, below: float, above: float) -> None:
    told = figure({"value": value, "low": value - below, "high": value + above})
    middle, _, ends = told.partition(" (")
    shown = [float(part.replace("−", "-")) for part in (middle, *ends.rstrip(")").split(" to "))]
    assert shown == pytest.approx([value, value - below, value + above], abs=6e-4)


def test_bounds_and_the_two_lines_of_a_cell() -> None:
    assert bounds(ESTIMATE) == (0.8, 0.88249)
    assert bounds(NOTHING) is bounds(0.5) is None
    assert Cell("84.1 % (80.0 to 88.2)", 0.84).parts == ("84.1 %", "(80.0 to 88.2)")
    assert Cell("a name (with brackets)").parts == ("a name (with brackets)", "")
