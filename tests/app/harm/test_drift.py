"""The population stability index against the formula by hand, and what counts as drift."""

import math
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.harm.drift import Recent, bin_shares, input_drift, output_drift, psi, worst
from app.harm.drift_answers import drift_answer
from app.harm.drift_reading import ReadScore, Window
from app.harm.features import COLUMN, FEATURES
from app.harm.robustness import DriftBaseline
from app.harm.service import Scorer
from tests.toy_bundle import robustness

BASELINE = DriftBaseline.model_validate(robustness()["drift"])
SHARES = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda found: [one / sum(found) for one in found])


def test_the_index_is_the_formula_by_hand() -> None:
    before, now = [0.5, 0.3, 0.2], [0.4, 0.3, 0.3]
    by_hand = (0.4 - 0.5) * math.log(0.4 / 0.5) + 0 + (0.3 - 0.2) * math.log(0.3 / 0.2)
    assert psi(before, now) == pytest.approx(by_hand)
    assert psi([1, 0], [0.95, 0.05]) == pytest.approx(
        (0.95 - 1) * math.log(0.95) + (0.05 - 1e-4) * math.log(0.05 / 1e-4)
    )


@given(before=SHARES, now=SHARES)
def test_the_index_is_symmetric_never_negative_and_zero_where_nothing_changed(
    before: list[float], now: list[float]
) -> None:
    assert psi(before, before) == 0
    assert psi(before, now) >= 0
    assert psi(before, now) == pytest.approx(psi(now, before))


def test_a_value_on_an_edge_belongs_below_it() -> None:
    values = np.array([0.0, 0.0, 1.0, 1.5, 7.0])
    assert bin_shares(values, [0.0, 1.0]).tolist() == [0.4, 0.2, 0.4]
    assert bin_shares(values, []).tolist() == [1.0]
    assert bin_shares(values, [0.0, 1.0], np.array([1.0, 1, 2, 0, 0])).tolist() == [0.5, 0.5, 0]


def recent(age: float = 50, tops: tuple[float, ...] = (0.05, 0.05, 0.2)) -> Recent:
    """A hundred and fifty scores in the toy's bins: half the figures at 0, four tenths up to 100, a tenth above."""
    index = np.tile(np.array([0.0, 0, 0, 0, 0, 50, 50, 50, 50, 200])[:, None], (15, len(FEATURES))).astype(np.float32)
    index[index[:, 0] > 0, COLUMN["age_at_offence"]] = age
    predicted = np.repeat([0, 1, 2, 3], [90, 30, 15, 15])
    warnings = Counter({"short-history": 30, "birth-date-unknown": 30, "out-of-distribution": 30})
    return Recent(index, np.resize(tops, 150), predicted, warnings)


@pytest.mark.parametrize(("age", "verdict", "found"), [(50.0, "alarm", 0.5), (200.0, "alarm", 0.5)])
def test_figures_like_the_baseline_are_steady_and_the_one_that_moved_is_named(
    age: float, verdict: str, found: float
) -> None:
    """Ages all in one bin; the others as they were."""
    held = {one.name: one for one in input_drift(BASELINE, recent(age))}
    assert tuple(held) == FEATURES
    moved = held.pop("age_at_offence")
    now = [0.5, found, 0] if age <= 100 else [0.5, 0, found]
    assert (moved.verdict, moved.psi) == (verdict, pytest.approx(psi([0.5, 0.4, 0.1], now)))
    assert {one.verdict for one in held.values()} == {"steady"}
    assert all(one.psi == pytest.approx(0, abs=1e-9) for one in held.values())


def test_every_output_has_its_index() -> None:
    one, two, three = 0.6, 0.2, 0.1
    found = {each.name: each for each in output_drift(BASELINE, recent(tops=(0.05, 0.2, 0.7)))}
    assert found["predicted_groups"].psi == pytest.approx(psi([one, two, three, three], [90 / 150, 0.2, 0.1, 0.1]))
    assert found["top_probability"].psi == pytest.approx(psi([0.6, 0.3, 0.1], [1 / 3, 1 / 3, 1 / 3]))
    assert found["top_probability"].verdict == "alarm"
    assert worst(list(found.values())) == "alarm"
    assert found["warning short-history"].psi == pytest.approx(0)


def read(count: int, top: float = 0.05) -> list[ReadScore]:
    row = np.zeros(len(FEATURES), dtype=np.float32)
    return [
        ReadScore(row, [1 - top, 0, 0, top], 0, [], date(2026, 1, 1) + timedelta(days=number))
        for number in range(count)
    ]


def test_too_few_scores_say_nothing(toy_scorer: Scorer) -> None:
    toy_model = toy_scorer.models["stalking-nominal"]
    few = drift_answer(toy_model, Window(), read(99))
    assert (few.status, few.scores, few.inputs, few.outputs, few.calibration) == ("too-few-scores", 99, [], [], None)
    enough = drift_answer(toy_model, Window(), read(100))
    assert enough.status == "alarm"  # everybody in one bin
    assert "Find out why" in enough.notice
    assert (enough.first_scored_on, enough.last_scored_on) == (date(2026, 1, 1), date(2026, 4, 10))
    assert enough.calibration is not None
    assert [(one.group, one.expected, one.estimated) for one in enough.calibration.groups][3] == (
        "90-100",
        0.05,
        pytest.approx(0.05),
    )


def test_nobody_at_all_is_no_fault(toy_scorer: Scorer) -> None:
    assert drift_answer(toy_scorer.models["stalking-nominal"], Window(), []).first_scored_on is None
