"""The curve's summary, and the rest of it given that nothing has happened so far."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.harm.model import DAYS
from app.harm.survival import ASSUMES, LEAST, Curve, Since, rest_of, since_day_zero, survival_answer, withheld
from app.harm.wording import percent

LAST = DAYS - 1


def falling(seed: int) -> Curve:
    """A random curve as the model gives them: float32, 1 on day zero, never rising, some of them down to nothing."""
    draw = np.random.default_rng(seed)
    steps = draw.random(LAST) * (draw.random(LAST) < draw.choice([0.02, 0.3, 1.0])) * draw.choice([1e-4, 0.02, 0.5])
    return np.float32(np.cumprod(np.concatenate([[1.0], 1 - steps]))).astype(np.float64)


CURVES = st.integers(0, 2**32 - 1).map(falling)
STEADY = 0.99 ** np.arange(DAYS)


@pytest.mark.parametrize(("level", "median"), [(0.5, 100), (0.499, 100), (0.501, None)])
def test_median_is_the_first_day_at_one_half_or_less(level: float, median: int | None) -> None:
    curve = np.where(np.arange(DAYS) < 100, 1.0, level)
    answer = survival_answer(curve)
    assert answer.median_days == median
    assert answer.days[:3] + answer.days[-2:] == [0, 7, 14, 364, 365]
    assert answer.at == {"30": 1.0, "90": 1.0, "180": level, "365": level}
    assert survival_answer(curve, daily=True).days == list(range(DAYS))


@settings(max_examples=100, deadline=None)
@given(CURVES, st.integers(1, LAST))
def test_the_rest_starts_at_one_never_rises_and_follows_the_chain_rule(curve: Curve, passed: int) -> None:
    answer = survival_answer(curve, Since(passed), daily=True)
    rest = answer.from_as_of
    assert rest is not None
    if rest.withheld:
        assert curve[passed] < LEAST or passed == LAST
        return
    assert rest.days == list(range(LAST - passed + 1))
    assert rest.probability[0] == 1.0
    assert all(0 <= later <= sooner <= 1 for sooner, later in zip(rest.probability, rest.probability[1:], strict=False))
    chained = curve[passed] * np.array(rest.probability)
    np.testing.assert_allclose(chained, curve[passed:], rtol=1e-12, atol=0)
    assert rest.probability[-1] >= answer.probability[-1], "having come so far never makes the year's end less likely"


@settings(max_examples=100, deadline=None)
@given(CURVES, st.integers(0, 200), st.integers(0, 100))
def test_waiting_twice_is_waiting_once(curve: Curve, first: int, second: int) -> None:
    if curve[first + second] > 0:
        once, twice = rest_of(curve, first + second), rest_of(rest_of(curve, first), second)
        np.testing.assert_allclose(twice, once, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(CURVES)
def test_no_day_passed_is_the_plain_curve(curve: Curve) -> None:
    assert np.array_equal(rest_of(curve, 0), curve)
    assert survival_answer(curve, Since(0)).from_as_of is None
    assert survival_answer(curve, Since(0)) == survival_answer(curve)


@pytest.mark.parametrize(
    ("passed", "marks", "days"),
    [
        (1, ["30", "90", "180", "364"], [0, 7, 357, 364]),
        (36, ["30", "90", "180", "329"], [0, 7, 322, 329]),
        (185, ["30", "90", "180"], [0, 7, 175, 180]),
        (186, ["30", "90", "179"], [0, 7, 175, 179]),
        (340, ["25"], [0, 7, 21, 25]),
        (364, ["1"], [0, 1]),
    ],
)
def test_marks_and_days_end_with_the_year(passed: int, marks: list[str], days: list[int]) -> None:
    rest = survival_answer(STEADY, Since(passed)).from_as_of
    assert rest is not None
    assert list(rest.at) == marks
    assert rest.days[:2] + rest.days[2:][-2:] == days
    for mark, share in rest.at.items():
        assert share == pytest.approx(0.99 ** int(mark), rel=1e-12), "a steady hazard knows no past"
    shown = dict(zip(rest.days, rest.probability, strict=True))
    assert shown[LAST - passed] == rest.at[marks[-1]]


def test_the_median_counts_from_the_day_one_scores_for() -> None:
    assert survival_answer(STEADY).median_days == 69
    rest = survival_answer(STEADY, Since(50)).from_as_of
    assert rest is not None
    assert rest.median_days == 69
    late = survival_answer(STEADY, Since(300)).from_as_of
    assert late is not None
    assert late.median_days is None, "not within what is left of the year"


def test_the_words_say_what_the_numbers_say() -> None:
    rest = survival_answer(STEADY, Since(36)).from_as_of
    assert rest is not None
    assert rest.statement.startswith("36 days have passed since day zero.")
    assert "in the 329 days that are left of the year" in rest.statement
    assert percent(rest.probability[-1]) in rest.statement
    assert rest.statement.endswith(ASSUMES)
    one = survival_answer(STEADY, Since(1)).from_as_of
    assert one is not None
    assert one.statement.startswith("1 day has passed since day zero.")


@pytest.mark.parametrize(
    ("since", "level", "why"),
    [
        (Since(30, incident=True), 0.9, "incident-after-day-zero"),
        (Since(365), 0.9, "year-is-over"),
        (Since(365, incident=True), 0.9, "incident-after-day-zero"),
        (Since(30), 0.0, "hardly-anyone-left"),
        (Since(30), 0.99 * LEAST, "hardly-anyone-left"),
        (Since(30), 1.01 * LEAST, None),
    ],
)
def test_withheld_where_the_condition_fails_or_nobody_is_left(since: Since, level: float, why: str | None) -> None:
    curve = np.where(np.arange(DAYS) < 20, 1.0, level)
    assert withheld(curve, since) == why
    rest = survival_answer(curve, since).from_as_of
    assert rest is not None
    assert rest.withheld == why
    assert rest.days_passed == since.days
    assert rest.statement.startswith("Withheld: ") == (why is not None)
    assert (rest.days == [] and rest.probability == [] and rest.at == {} and rest.median_days is None) == bool(why)


@pytest.mark.parametrize(
    ("reasons", "incident"),
    [([], False), (["suspect-eliminated"], False), (["police-generated", "after-day-zero"], True)],
)
def test_only_what_came_after_day_zero_breaks_the_condition(reasons: list[str], incident: bool) -> None:
    assert since_day_zero(date(2020, 3, 12), date(2020, 3, 11), reasons) == Since(1, incident=incident)
