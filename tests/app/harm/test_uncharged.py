"""The score without earlier uncharged incidents: against real requests without them, and its words."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.harm.answers import WithoutUncharged
from app.harm.features import day_zero_histories, features
from app.harm.perspective_words import WORDS
from app.harm.records import parse_request
from app.harm.service import Scored, Scorer
from app.harm.uncharged import both_ways
from app.harm.wording import percent, points
from tests.app.harm.feature_oracle import PlainNominal, known_history, oracle_features
from tests.app.harm.histories import FIRST, nominals
from tests.app.harm.test_explanation import TODAY, random_request
from tests.app.harm.test_features import UNKNOWN_AGE, columns, day
from tests.app.harm.test_incidents import long_request, odd_request, without
from tests.requests import example


def scored(scorer: Scorer, request: dict[str, Any]) -> Scored:
    return scorer.score(parse_request(request | {"explain": "none"}), TODAY)


def told(found: Scored) -> WithoutUncharged:
    assert found.harm.without_uncharged is not None
    return found.harm.without_uncharged


def suspected(found: Scored) -> set[int]:
    """Request positions of the earlier incidents with role suspect, read off the request."""
    return {place for place in found.case.order[:-1] if found.case.request.incidents[place].role == "suspect"}


REQUESTS = [
    *(random_request(700 + seed) for seed in range(40)),
    *(odd_request(800 + seed, 30) for seed in range(20)),
    long_request(60, custody=5),
    example(),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_to_the_bit_what_scoring_without_them_gives(toy_scorer: Scorer, request_: dict[str, Any]) -> None:
    found = scored(toy_scorer, request_)
    left_out = suspected(found)
    again = toy_scorer.score(without(found.case.request, left_out), TODAY)
    assert again.case.day_zero == found.case.day_zero
    assert told(found).incidents == len(left_out)
    assert told(found).population_probabilities == again.harm.population_probabilities
    assert told(found).predicted_group == again.harm.predicted_group
    change = again.harm.population_probabilities[3] - found.harm.population_probabilities[3]
    assert told(found).difference_points == 100 * change


def test_some_of_these_change_the_score_and_some_the_group(toy_scorer: Scorer) -> None:
    """Otherwise the test above would compare a number with itself."""
    results = [scored(toy_scorer, request) for request in REQUESTS]
    assert sum(abs(told(found).difference_points) > 0.1 for found in results) > 20
    assert sum(told(found).predicted_group != found.harm.predicted_group for found in results) > 3


def test_the_index_incident_stays_whatever_its_role(toy_scorer: Scorer) -> None:
    index = example()["incidents"][2] | {"role": "suspect"}
    found = scored(toy_scorer, example(incidents=[*example()["incidents"][:2], index]))
    alone = scored(toy_scorer, example(incidents=[index]))
    assert told(found).incidents == 2
    assert told(found).population_probabilities == alone.harm.population_probabilities


@pytest.mark.parametrize("roles", [["offender", "offender"], ["offender", "suspect_eliminated"]])
def test_nothing_to_leave_out_is_said(toy_scorer: Scorer, roles: list[str]) -> None:
    incidents = example()["incidents"]
    for incident, role in zip(incidents, roles, strict=False):
        incident["role"] = role
    found = scored(toy_scorer, example(incidents=incidents))
    assert told(found) == WithoutUncharged(
        incidents=0,
        population_probabilities=found.harm.population_probabilities,
        predicted_group=found.harm.predicted_group,
        difference_points=0.0,
        statement=WORDS["nominal"].no_accusation,
    )


@pytest.mark.parametrize("request_", REQUESTS[:40:3])
def test_words_say_what_the_numbers_say(toy_scorer: Scorer, request_: dict[str, Any]) -> None:
    found = scored(toy_scorer, request_)
    beside = told(found)
    if beside.incidents == 0:
        assert beside.statement == WORDS["nominal"].no_accusation
        return
    value, changed = found.harm.population_probabilities[3], beside.population_probabilities[3]
    assert f"{percent(changed)} instead of {percent(value)} ({points(changed - value)})" in beside.statement
    many = f"the {beside.incidents} earlier incidents" if beside.incidents > 1 else "the earlier incident in"
    assert many in beside.statement
    if beside.predicted_group == found.harm.predicted_group:
        assert beside.statement.endswith(f"the predicted group would stay {found.harm.predicted_group}.")
    else:
        moved = f"would be {beside.predicted_group} instead of {found.harm.predicted_group}."
        assert beside.statement.endswith(moved)


AS_OF = FIRST + timedelta(days=9001)


def less_accused(nominal: PlainNominal) -> PlainNominal:
    """The nominal as the plain reading has it, less every earlier incident on which it is a suspect."""
    history = known_history(nominal, AS_OF)
    kept = [one for one in history if one.role == "offender" or one is history[-1]]
    return PlainNominal(nominal.born, nominal.gender, nominal.contacts, nominal.custody, kept)


@settings(max_examples=100, deadline=None)
@given(st.lists(nominals(), min_size=1, max_size=5))
def test_features_both_ways_are_those_an_independent_reading_gives(people: list[PlainNominal]) -> None:
    incidents, table = columns(people)
    histories = day_zero_histories(incidents, len(people), day(AS_OF))
    both = both_ways(histories, table)
    accused = [
        who for who, one in enumerate(people) if known_history(one, AS_OF) != known_history(less_accused(one), AS_OF)
    ]
    assert both.of.tolist() == accused
    found = features(both.histories, both.nominals, unknown_age=UNKNOWN_AGE)
    assert np.array_equal(found[: len(people)], features(histories, table, unknown_age=UNKNOWN_AGE)), "to the bit"
    everyone = [*people, *(less_accused(people[who]) for who in accused)]
    expected = np.array([oracle_features(one, AS_OF, UNKNOWN_AGE) for one in everyone])
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-9)
