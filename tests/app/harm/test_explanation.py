"""Exact Shapley values against a brute-force oracle, and the words held to the numbers."""

import itertools
import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.harm.explanation import FACTORS, explain_factors, factor_effects
from app.harm.explanation_answers import FactorExplanation
from app.harm.factor_words import standing
from app.harm.features import COLUMN, FEATURES, ROWS
from app.harm.records import parse_request
from app.harm.service import Scored, Scorer
from app.harm.shapley import coalitions, explain, shapley_values
from app.harm.wording import moves, points
from tests.requests import example

TODAY = date(2026, 11, 22)


def random_request(seed: int) -> dict[str, Any]:
    """A request with 1 to 30 varied incidents, the last of them stalking."""
    draw = np.random.default_rng(seed)
    length = int(draw.integers(1, 31))
    days = np.sort(draw.integers(0, 2500, length))
    incidents = [
        {
            "incident_id": f"i{number}",
            "occurred_on": str(np.datetime64("2013-01-02") + int(on)),
            "offence_code": str(draw.choice(["00806", "10501", "19594", "14900", "01908"])),
            "role": str(draw.choice(["offender", "suspect"])),
            "is_domestic": bool(draw.random() < 0.5),
        }
        for number, on in enumerate(days)
    ]
    incidents[-1]["offence_code"] = "00865"
    custody = [
        str(np.datetime64("2013-01-02") + int(on)) for on in draw.integers(0, days[-1] + 1, int(draw.integers(0, 3)))
    ]
    return example(
        incidents=incidents, custody_dates=custody, index_victim_contacts=int(draw.integers(0, 9)), as_of=None
    ) | {"as_of": incidents[-1]["occurred_on"]}


def scored(toy_scorer: Scorer, request: dict[str, Any]) -> Scored:
    return toy_scorer.score(parse_request(request), TODAY)


def brute_force(value: Any, players: int) -> list[float]:
    """Shapley by its definition: the mean gain over every order of joining."""
    totals = [0.0] * players
    for order in itertools.permutations(range(players)):
        joined: frozenset[int] = frozenset()
        for player in order:
            totals[player] += value(joined | {player}) - value(joined)
            joined |= {player}
    return [total / math.factorial(players) for total in totals]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_equal_to_the_definition_over_all_orders(players: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(1 << players, 2))
    got = shapley_values(values, players)
    for column in range(2):
        expected = brute_force(lambda who, at=column: values[sum(1 << one for one in who), at], players)
        np.testing.assert_allclose(got[:, column], expected, atol=1e-12)


def test_dummies_get_nothing_and_twins_get_the_same() -> None:
    members = coalitions(4)
    values = (members[:, 0] + members[:, 1] + 3.0 * members[:, 0] * members[:, 1] + 0.5 * members[:, 3])[:, None]
    got = shapley_values(values, 4)[:, 0]
    assert got[0] == pytest.approx(got[1], abs=1e-15)
    assert got[2] == 0.0
    assert got[3] == pytest.approx(0.5)


def test_inactive_players_are_left_out_before_the_model_is_asked() -> None:
    asked = []

    def value_of(subsets: np.ndarray) -> np.ndarray:
        asked.append(len(subsets))
        return subsets @ np.array([[1.0], [2.0], [4.0]])

    effects, ends = explain(np.array([True, False, True]), value_of)
    assert asked == [4]
    np.testing.assert_allclose(effects[:, 0], [1, 0, 4])
    np.testing.assert_allclose(ends[:, 0], [0, 5])


@pytest.mark.parametrize("seed", range(12))
def test_factors_equal_one_coalition_at_a_time(toy_scorer: Scorer, seed: int) -> None:
    """The batched path against coalitions put together one by one and run alone."""
    result = scored(toy_scorer, random_request(seed) | {"explain": "none"})
    own, rows = result.features[0], min(len(result.case.order), ROWS)
    medians = np.array(result.model.bundle.manifest.reference_medians, dtype=np.float32)
    cache: dict[frozenset[int], float] = {}
    factor_of = {
        name: next((i for i, names in enumerate(FACTORS.values()) if name in names), None) for name in FEATURES
    }

    def value(joined: frozenset[int]) -> float:
        if joined not in cache:
            record = np.zeros_like(own)
            for row in range(ROWS - rows, ROWS):
                for name in FEATURES:
                    kept = name == "gender" or factor_of[name] in joined
                    record[row, COLUMN[name]] = own[row, COLUMN[name]] if kept else medians[row, COLUMN[name]]
            cache[joined] = float(result.model.groups(record[None]).population[0, 3])
        return cache[joined]

    # ten players have 3.6 million orders, so weigh the 1,024 coalitions by the formula instead
    expected = np.zeros(10)
    for size in range(10):
        weight = math.factorial(size) * math.factorial(9 - size) / math.factorial(10)
        for joined in itertools.combinations(range(10), size):
            before = frozenset(joined)
            for player in set(range(10)) - before:
                expected[player] += weight * (value(before | {player}) - value(before))
    effects = factor_effects(result.model, result.features, rows)
    np.testing.assert_allclose(effects.contributions[:, 0], expected, atol=1e-6)
    assert effects.contributions[:, 0].sum() == pytest.approx(effects.ends[1, 0] - effects.ends[0, 0], abs=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_contributions_add_up_to_the_score_that_is_shown(toy_scorer: Scorer, seed: int) -> None:
    result = scored(toy_scorer, random_request(100 + seed))
    explanation = result.explanation
    assert explanation is not None
    assert explanation.value == result.harm.population_probabilities[3]
    total = sum(found.effect for found in explanation.contributions)
    assert total == pytest.approx(explanation.value - explanation.reference.value, abs=1e-6)
    two = sum(found.effect_top_two for found in explanation.contributions)
    assert two == pytest.approx(explanation.top_two.value - explanation.top_two.reference, abs=1e-6)
    assert explanation.top_two.value == pytest.approx(sum(result.harm.population_probabilities[2:]), abs=1e-12)


def test_the_same_to_the_bit_every_time(toy_scorer: Scorer) -> None:
    request = random_request(7)
    rows = min(len(request["incidents"]), ROWS)
    first = scored(toy_scorer, request)
    again = [explain_factors(first.model, first.features, rows).model_dump_json() for _ in range(3)]
    assert set(again) == {first.explanation.model_dump_json()} if first.explanation else False


def test_gender_never_explains(toy_scorer: Scorer) -> None:
    assert not any("gender" in names for names in FACTORS.values())
    assert {name for names in FACTORS.values() for name in names} == set(FEATURES) - {"gender"}
    references = {}
    for gender in ("male", "female"):
        explanation = scored(toy_scorer, example(nominal=example()["nominal"] | {"gender": gender})).explanation
        assert explanation is not None
        references[gender] = explanation.reference.value
    assert references["male"] != references["female"], "each is compared with their own gender"


@pytest.mark.parametrize("seed", range(10))
def test_words_say_what_the_numbers_say(toy_scorer: Scorer, seed: int) -> None:
    explanation = scored(toy_scorer, random_request(300 + seed)).explanation
    assert explanation is not None
    for found in explanation.contributions:
        assert points(found.effect) in found.text
        assert ("higher estimate" in found.text) == (round(100 * found.effect, 1) >= 0.5)
        assert ("lower estimate" in found.text) == (round(100 * found.effect, 1) <= -0.5)
        assert "cause" not in found.text.lower()
    effects = [abs(found.effect) for found in explanation.contributions]
    assert effects == sorted(effects, reverse=True)
    assert f"{100 * explanation.value:.1f} %" in explanation.summary


@pytest.mark.parametrize(
    ("effect", "words", "shown"),
    [
        (0.0, "makes no difference to the estimate", "0.0 points"),
        (-0.0004, "makes no difference to the estimate", "0.0 points"),
        (0.0044, "makes little difference to the estimate", "+0.4 points"),
        (0.0049, "is associated with a slightly higher estimate", "+0.5 points"),
        (0.005, "is associated with a slightly higher estimate", "+0.5 points"),
        (-0.029, "is associated with a slightly lower estimate", "-2.9 points"),
        (0.03, "is associated with a clearly higher estimate", "+3.0 points"),
        (-0.4, "is associated with a clearly lower estimate", "-40.0 points"),
    ],
)
def test_direction_and_size_in_words(effect: float, words: str, shown: str) -> None:
    assert moves(effect) == f"This {words} ({shown})"
    assert points(effect) == shown


def test_limits_hold_the_artefacts_own_error_rates(toy_scorer: Scorer) -> None:
    explanation = scored(toy_scorer, example()).explanation
    assert explanation is not None
    flagged, wrong, missed = 37.5 + 15 + 15 + 35, 37.5 + 15 + 15, 2 + 3 + 10  # of the toy's 1,000
    sentence = explanation.limits[-1]
    assert f"expect {flagged:.0f} to be put" in sentence
    assert f"Of those, {wrong:.0f} would turn out not" in sentence
    assert f"{missed:.0f} who do belong" in sentence


def test_an_index_incident_alone_is_never_reassuring(toy_scorer: Scorer) -> None:
    request = example()
    request["incidents"] = request["incidents"][2:]
    result = scored(toy_scorer, request)
    assert "cannot reassure" in result.body("id", datetime.now(UTC)).advisory
    assert result.explanation is not None
    assert "not low risk" in result.explanation.limits[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-1, (0, 0, 100)), (0, (0, 40, 60)), (5, (45, 0, 55)), (60, (100, 0, 0)), (100, (100, 0, 0)), (4.5, (45, 0, 55))],
)
def test_standing_among_nominals(value: float, expected: tuple[int, int, int]) -> None:
    scale = [0.0] * 41 + [float(number) for number in range(1, 61)]  # 0 for 41 of them, then 1 to 60
    assert standing(scale, value) == expected


def test_what_was_not_given_is_never_told_as_a_fact(toy_scorer: Scorer) -> None:
    request = example(nominal={"nominal_id": "N"}, index_victim_contacts=None)
    explanation = scored(toy_scorer, request).explanation
    assert isinstance(explanation, FactorExplanation)
    told = {found.name: found for found in explanation.contributions}
    assert "not given" in told["age"].text
    assert "not given" in told["victim contacts"].text
    assert told["age"].evidence == {"incidents": 3.0, "age_at_index": None}
    assert told["victim contacts"].evidence == {"incidents": 3.0, "victim_contacts": None}
    assert "Aged" not in told["age"].text


def test_one_incident_has_no_pattern_and_no_gap(toy_scorer: Scorer) -> None:
    explanation = scored(toy_scorer, example(incidents=example()["incidents"][2:])).explanation
    assert isinstance(explanation, FactorExplanation)
    told = {found.name: found for found in explanation.contributions}
    assert told["harm pattern"].text.startswith(
        "The index incident is the only one on record and holds all of its harm."
    )
    assert told["timing"].text.startswith("There is no earlier incident on record, so no gap before this one.")


def test_long_records_say_that_they_speak_of_the_most_recent(toy_scorer: Scorer) -> None:
    one = example()["incidents"][0]
    many = [one | {"incident_id": f"i{number}", "occurred_on": f"2019-05-{number + 1:02}"} for number in range(25)]
    explanation = scored(toy_scorer, example(incidents=[*many, example()["incidents"][2]])).explanation
    assert isinstance(explanation, FactorExplanation)
    told = {found.name: found.text for found in explanation.contributions}
    assert "19 of the 20 most recent incidents are violent" in told["offence types"]
    assert "5.0 % among all nominals" in explanation.summary
