"""Shares of incidents: against requests put together one by one and scored the plain way, and by their properties."""

import itertools
import math
import tracemalloc
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from app.harm import incidents as code
from app.harm.explanation_answers import BothExplanations, IncidentExplanation
from app.harm.incidents import IncidentEffects, incident_effects, players_of
from app.harm.model import HarmModel
from app.harm.records import ScoreRequest, parse_request
from app.harm.service import Scored, Scorer
from app.harm.targets import TARGETS, Answers, Of, top_chances
from tests.app.harm.feature_oracle import PlainNominal, known_history
from tests.app.harm.histories import random_nominal
from tests.app.harm.test_explanation import TODAY, random_request
from tests.app.harm.test_history import AS_OF, as_request
from tests.requests import example


def odd_nominal(seed: int, longest: int) -> PlainNominal:
    """Shared days, harmless and eliminated incidents, unknown births; at least one stalking incident."""
    nominal = random_nominal(seed, longest)
    nominal.incidents[0].role, nominal.incidents[0].classes = "suspect", {"stalking"}
    last = known_history(nominal, AS_OF)[-1].on
    nominal.custody = [on for on in nominal.custody if on <= last]
    if nominal.born is not None and nominal.born > min([one.on for one in nominal.incidents] + nominal.custody):
        nominal.born = None
    return nominal


def odd_request(seed: int, longest: int) -> dict[str, Any]:
    """An odd nominal with two earlier incidents or more, and one after day zero."""
    drawn = (odd_nominal(seed + again, longest) for again in itertools.count(step=100_000))
    request = as_request(next(found for found in drawn if len(known_history(found, AS_OF)) > 2))
    last = date.fromisoformat(request["as_of"])
    later = {
        "incident_id": "later",
        "occurred_on": str(last + timedelta(days=2)),
        "is_non_crime": True,
        "role": "suspect",
    }
    return request | {"incidents": [later, *request["incidents"]], "as_of": str(last + timedelta(days=3))}


def score(scorer: Scorer, request: dict[str, Any], explain: str = "incidents") -> Scored:
    return scorer.score(parse_request(request | {"explain": explain}), TODAY)


def view(scorer: Scorer, request: dict[str, Any]) -> IncidentExplanation:
    explanation = score(scorer, request).explanation
    assert isinstance(explanation, IncidentExplanation)
    return explanation


def effects_of(scorer: Scorer, request: dict[str, Any], of: Of = "harm") -> IncidentEffects:
    found = score(scorer, request, "none")
    return incident_effects(found.model, found.case, found.features, TARGETS[of])


def numbers(scored: Scored, of: Of) -> list[float]:
    """What is explained, read off a plain score."""
    chances = scored.harm.population_probabilities
    return [chances[3], chances[2] + chances[3]] if of == "harm" else [float(scored.curve[365])]


def without(request: ScoreRequest, positions: set[int]) -> ScoreRequest:
    left = [incident for position, incident in enumerate(request.incidents) if position not in positions]
    return request.model_copy(update={"incidents": left})


def plain_shapley(scorer: Scorer, request: ScoreRequest, of: Of = "harm") -> tuple[np.ndarray, list[float]]:
    """Shares (P, K) and the value without each player, each record a request of its own, scored by itself."""
    order = scorer.score(request, TODAY).case.order
    earlier = order[:-1]
    players = [{position} for position in reversed(earlier[-10:])] + ([set(earlier[:-10])] if earlier[:-10] else [])
    everyone = frozenset(range(len(players)))
    values: dict[frozenset[int], np.ndarray] = {}
    for size in range(len(players) + 1):
        for left_out in itertools.combinations(everyone, size):
            removed = set().union(*(players[player] for player in left_out))
            values[everyone - set(left_out)] = np.array(numbers(scorer.score(without(request, removed), TODAY), of))
    shares = np.zeros((len(players), len(values[everyone])))
    for joined, value in values.items():
        for player in everyone - joined:
            weight = math.factorial(len(joined)) * math.factorial(len(players) - len(joined) - 1)
            shares[player] += weight / math.factorial(len(players)) * (values[joined | {player}] - value)
    return shares, [float(values[everyone - {player}][0]) for player in range(len(players))]


def check_against_plain(scorer: Scorer, request: dict[str, Any], of: Of = "harm") -> None:
    shares, left_out = plain_shapley(scorer, parse_request(request | {"explain": "none"}), of)
    got = effects_of(scorer, request, of)
    np.testing.assert_allclose(got.contributions, shares, atol=1e-6)
    np.testing.assert_allclose(got.without, left_out, atol=1e-6)


@pytest.mark.parametrize("seed", range(24))
def test_equal_to_requests_scored_one_at_a_time(toy_scorer: Scorer, seed: int) -> None:
    check_against_plain(toy_scorer, odd_request(7000 + seed, 8))


def test_equal_to_requests_scored_one_at_a_time_with_older_ones(toy_scorer: Scorer) -> None:
    check_against_plain(toy_scorer, long_request(26, seed=3))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_equal_to_requests_scored_one_at_a_time_in_long_histories(toy_scorer: Scorer, seed: int) -> None:
    check_against_plain(toy_scorer, odd_request(9000 + seed, 40))


def long_request(length: int, seed: int = 1, custody: int = 0) -> dict[str, Any]:
    """A request of exactly `length` varied incidents."""
    draw = np.random.default_rng(seed)
    start = np.datetime64("1990-01-02")
    days = np.sort(draw.integers(0, 9000, length))
    incidents = [
        {
            "incident_id": f"i{number}",
            "occurred_on": str(start + int(on)),
            "offence_code": str(draw.choice(["00806", "10501", "19594", "14900", "01908"])),
            "role": str(draw.choice(["offender", "suspect"])),
        }
        for number, on in enumerate(days)
    ]
    incidents[-1]["offence_code"] = "00865"
    as_of = incidents[-1]["occurred_on"]
    appearances = [str(start + int(on)) for on in draw.integers(0, days[-1] + 1, custody)]
    return example(
        nominal={"nominal_id": "N", "gender": "male"}, incidents=incidents, custody_dates=appearances, as_of=as_of
    )


@pytest.mark.parametrize("seed", range(25))
def test_shares_add_up_to_the_score_that_is_shown(toy_scorer: Scorer, seed: int) -> None:
    request = random_request(500 + seed)
    result = score(toy_scorer, request)
    explanation = result.explanation
    assert isinstance(explanation, IncidentExplanation)
    assert explanation.value == result.harm.population_probabilities[3]
    assert explanation.top_two.value == pytest.approx(sum(result.harm.population_probabilities[2:]), abs=1e-12)
    total = sum(share.effect for share in explanation.contributions)
    assert total == pytest.approx(explanation.value - explanation.reference.value, abs=1e-6)
    two = sum(share.effect_top_two for share in explanation.contributions)
    assert two == pytest.approx(explanation.top_two.value - explanation.top_two.reference, abs=1e-6)
    assert len(explanation.contributions) == min(len(request["incidents"]) - 1, 11)
    alone = score(toy_scorer, request | {"incidents": request["incidents"][-1:]}, "none")
    assert explanation.reference.value == pytest.approx(alone.harm.population_probabilities[3], abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_without_is_what_a_real_score_without_it_gives(toy_scorer: Scorer, seed: int) -> None:
    result = score(toy_scorer, odd_request(300 + seed, 30))
    request, explanation = result.case.request, result.explanation
    assert isinstance(explanation, IncidentExplanation)
    places = {incident.incident_id: place for place, incident in enumerate(request.incidents)}
    for share in explanation.contributions:
        one = share.evidence.incident_id
        left_out = set(result.case.order[:-11]) if one is None else {places[one]}
        again = toy_scorer.score(without(request, left_out), TODAY)
        assert share.evidence.without == pytest.approx(again.harm.population_probabilities[3], abs=1e-6)
        assert share.evidence.incidents == len(left_out)


def test_the_same_to_the_bit_every_time_and_in_any_block(toy_scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    request = long_request(60, custody=5)
    first = view(toy_scorer, request).model_dump_json()
    assert view(toy_scorer, request).model_dump_json() == first
    monkeypatch.setattr(code, "_ENTRIES_A_BLOCK", 700)
    assert view(toy_scorer, request).model_dump_json() == first


def test_twins_of_one_day_get_the_same_share(toy_scorer: Scorer) -> None:
    request = random_request(12)
    earlier = [one for one in request["incidents"][-6:-1] if one["occurred_on"] != request["as_of"]]
    twin = earlier[0] | {
        "offence_code": "00806",
        "role": "offender",
        "occurred_on": request["as_of"],
        "is_domestic": True,
    }
    twins = [twin | {"incident_id": name} for name in ("a1", "a2", "a3")]
    shares = {
        share.evidence.incident_id: share
        for share in view(
            toy_scorer, request | {"incidents": [*earlier, *twins, request["incidents"][-1]]}
        ).contributions
    }
    assert shares["a1"].effect == pytest.approx(shares["a2"].effect, abs=1e-12)
    assert shares["a1"].effect_top_two == pytest.approx(shares["a3"].effect_top_two, abs=1e-12)
    assert shares["a1"].evidence.without == shares["a2"].evidence.without == shares["a3"].evidence.without
    assert abs(shares["a1"].effect) > 1e-4


def test_rounding_inside_a_batch_does_not_show(toy_scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch may round each row its own way; what is the same record has the same value, the full record the score's."""
    same = {"occurred_on": "2020-03-01", "is_non_crime": True, "role": "suspect"}
    many = [{"incident_id": f"n{number}", **same} for number in range(25)]
    request = example(incidents=[*many, example()["incidents"][2]], custody_dates=[])

    def rounding(model: HarmModel, records: np.ndarray) -> Answers:
        row = np.arange(len(records))[:, None]
        values, groups = top_chances(model, records)
        return Answers(values + 1e-8 * row * (-1) ** row + 1e-8 * (len(records) > 1), groups)

    monkeypatch.setitem(TARGETS, "harm", replace(TARGETS["harm"], answers=rounding))
    result = score(toy_scorer, request)
    explanation = result.explanation
    assert isinstance(explanation, IncidentExplanation)
    assert explanation.value == result.harm.population_probabilities[3]
    single = [share for share in explanation.contributions if share.evidence.incidents == 1]
    assert np.ptp([share.effect for share in single]) < 1e-14
    assert {share.evidence.without for share in single} == {explanation.value}, "24 of them fill the record as 25 do"


@pytest.mark.parametrize("seed", range(10))
def test_both_views_of_one_score_agree_on_it(toy_scorer: Scorer, seed: int) -> None:
    request = random_request(40 + seed)
    both = score(toy_scorer, request, "both").explanation
    assert isinstance(both, BothExplanations)
    assert both.factors.value == both.incidents.value
    assert both.factors.top_two.value == both.incidents.top_two.value
    assert both.factors.explains == both.incidents.explains
    assert both.factors == score(toy_scorer, request, "factors").explanation
    assert both.incidents == score(toy_scorer, request, "incidents").explanation


def test_players() -> None:
    assert players_of(0) == []
    assert [found.tolist() for found in players_of(3)] == [[2], [1], [0]]
    assert [found.tolist() for found in players_of(10)] == [[position] for position in range(9, -1, -1)]
    assert [found.tolist() for found in players_of(13)] == [[position] for position in range(12, 2, -1)] + [[0, 1, 2]]


def test_two_thousand_incidents_stay_in_bounds(toy_scorer: Scorer) -> None:
    """Both views of the longest request, with as many custody appearances as fit beside it."""
    request = parse_request(long_request(2000, custody=2000) | {"explain": "both"})
    tracemalloc.start()
    try:
        toy_scorer.score(request, TODAY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 150 << 20, "numpy's own; ONNX Runtime's is measured by benchmarks/explanations.py"
