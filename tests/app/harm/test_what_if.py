"""What moves the predicted group: against a plain search that scores one request after the other, and by its words."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.artifacts import GROUPS
from app.harm.explanation_answers import BothExplanations, IncidentExplanation, Removal, WhatIf
from app.harm.records import ScoreRequest, parse_request
from app.harm.service import Scorer, load_scorer
from app.harm.shapley import coalitions
from app.harm.what_if import NOTHING_EARLIER, SHOWN, nearest
from app.harm.wording import percent, points
from tests.app.harm.test_explanation import TODAY, random_request
from tests.app.harm.test_incident_view import planted_request
from tests.app.harm.test_incidents import long_request, odd_request, score, without
from tests.requests import example
from tests.toy_bundle import one_sexual_offence, write_toy


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """A model to which nothing matters but one sexual offence."""
    artifacts = tmp_path_factory.mktemp("planted")
    write_toy(artifacts, model=one_sexual_offence())
    return load_scorer(artifacts, Path("no imported index"))


def told(scorer: Scorer, request: dict[str, Any]) -> WhatIf:
    explanation = score(scorer, request).explanation
    assert isinstance(explanation, IncidentExplanation)
    assert explanation.what_if is not None
    return explanation.what_if


Found = list[tuple[frozenset[int], str, float]]


def plain_search(scorer: Scorer, request: ScoreRequest) -> tuple[Found, Found]:
    """Every fewest set of incidents that moves the group, and that lowers it: request positions, group, top chance."""
    shown = scorer.score(request, TODAY)
    earlier = shown.case.order[:-1]
    players = [{position} for position in earlier[-10:]] + ([set(earlier[:-10])] if earlier[:-10] else [])
    found: Found = []
    for size in range(1, len(players) + 1):
        for chosen in itertools.combinations(players, size):
            removed = frozenset().union(*chosen)
            harm = scorer.score(without(request, set(removed)), TODAY).harm
            if harm.predicted_group != shown.harm.predicted_group:
                found.append((removed, harm.predicted_group, harm.population_probabilities[3]))
    now = GROUPS.index(shown.harm.predicted_group)
    return fewest(found), fewest([one for one in found if GROUPS.index(one[1]) < now])


def fewest(found: Found) -> Found:
    least = min((len(removed) for removed, _, _ in found), default=0)
    return [one for one in found if len(one[0]) == least]


def check_against_plain(scorer: Scorer, body: dict[str, Any]) -> WhatIf:
    request = parse_request(body | {"explain": "none"})
    shown = scorer.score(request, TODAY)
    expected, lower = plain_search(scorer, request)
    got = told(scorer, body)
    assert got.predicted_group == shown.harm.predicted_group
    assert got.sets == len(expected)
    assert got.incidents == (len(expected[0][0]) if expected else None)
    assert len(got.removals) == min(SHOWN, len(expected))
    value = shown.harm.population_probabilities[3]
    changes = [abs(chance - value) for _, _, chance in expected]
    for removal, change in zip(got.removals, sorted(changes, reverse=True), strict=False):
        check_removal(request, removal, expected, value)
        assert abs(removal.difference_points) / 100 == pytest.approx(change, abs=1e-6), "the greatest change first"
    assert len({(*removal.incident_ids, removal.older_incidents) for removal in got.removals}) == len(got.removals)
    assert (got.lowering is None) == (not lower)
    if got.lowering is not None:
        check_removal(request, got.lowering, lower, value)
    return got


def check_removal(request: ScoreRequest, removal: Removal, expected: Found, value: float) -> None:
    """It is one of those found, told with its group and value."""
    by_ids = {
        frozenset(request.incidents[place].incident_id for place in removed): (group, chance)
        for removed, group, chance in expected
    }
    (ids,) = [known for known in by_ids if set(removal.incident_ids) <= known and len(known) == removal.incidents]
    assert len(ids) - len(removal.incident_ids) == removal.older_incidents
    group, chance = by_ids[ids]
    assert removal.predicted_group == group
    assert removal.value == pytest.approx(chance, abs=1e-6)
    assert removal.difference_points == pytest.approx(100 * (chance - value), abs=1e-4)


SHORT = [*(odd_request(7300 + seed, 7) for seed in range(16)), *map(random_request, (48, 155, 185))]


@pytest.mark.parametrize("request_", SHORT)
def test_equal_to_a_plain_search(toy_scorer: Scorer, request_: dict[str, Any]) -> None:
    check_against_plain(toy_scorer, request_)


def test_among_them_are_groups_that_hang_on_one_on_several_and_on_nothing(toy_scorer: Scorer) -> None:
    """Otherwise the test above would show little."""
    found = [told(toy_scorer, request) for request in SHORT]
    assert {1, 2, None} <= {one.incidents for one in found}
    assert any(one.sets > 1 for one in found)
    assert any(one.lowering not in (None, *one.removals) for one in found), "the nearest is not the nearest lower one"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_equal_to_a_plain_search_with_older_ones(toy_scorer: Scorer, seed: int) -> None:
    check_against_plain(toy_scorer, long_request(14 + seed, seed=seed))


def test_what_the_group_hangs_on_by_construction(planted: Scorer) -> None:
    one = told(planted, planted_request([4]))
    assert (one.predicted_group, one.incidents, one.sets) == ("90-100", 1, 1)
    (removal,) = one.removals
    assert (removal.incident_ids, removal.predicted_group) == (["p4"], "0-50")
    assert one.lowering == removal
    both = told(planted, planted_request([2, 6]))
    assert (both.incidents, both.sets) == (2, 1), "either of the two is enough, so both have to go"
    assert both.removals[0].incident_ids == ["p2", "p6"]
    older = told(planted, planted_request([1], count=14))
    (removal,) = older.removals
    assert (removal.incidents, removal.incident_ids, removal.older_incidents) == (4, [], 4)
    assert removal.text.startswith("Were the 4 older incidents found wrong and removed")
    assert older.statement.endswith("The 4 older incidents were only tried together.")
    nothing = told(planted, planted_request([]))
    assert (nothing.incidents, nothing.sets, nothing.removals, nothing.lowering) == (None, 0, [], None)
    assert nothing.statement == (
        "Whichever earlier incidents were found wrong and removed, the predicted group would stay 0-50."
    )


def test_an_index_incident_alone_has_nothing_that_could_be_wrong(toy_scorer: Scorer) -> None:
    found = told(toy_scorer, example(incidents=example()["incidents"][2:]))
    assert found.statement == NOTHING_EARLIER
    assert (found.incidents, found.sets) == (None, 0)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_nearest_is_what_counting_finds(players: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    moved = draw.random(1 << players) < draw.choice([0.1, 0.6])
    moved[-1] = False
    values, sizes = draw.random(1 << players), draw.integers(1, 4, players)
    left_out = [int(sum(sizes[~members])) for members in coalitions(players)]
    rows = [row for row in range(1 << players) if moved[row]]
    least = min((left_out[row] for row in rows), default=0)
    expected = [row for row in rows if left_out[row] == least]
    got = nearest(moved, values, sizes)
    assert sorted(got) == expected
    changes = [abs(values[row] - values[-1]) for row in got]
    assert changes == sorted(changes, reverse=True)


@pytest.mark.parametrize("seed", range(10))
def test_words_say_what_the_numbers_say(toy_scorer: Scorer, seed: int) -> None:
    request = random_request(300 + seed)
    found = told(toy_scorer, request)
    value = score(toy_scorer, request, "none").harm.population_probabilities[3]
    for removal in [*found.removals, *([found.lowering] if found.lowering else [])]:
        higher = GROUPS.index(removal.predicted_group) > GROUPS.index(found.predicted_group)
        said = f"{removal.predicted_group}, a {'higher' if higher else 'lower'} one than {found.predicted_group}."
        assert said in removal.text
        assert f"{percent(removal.value)} instead of {percent(value)}" in removal.text
        assert f"({points(removal.value - value)})" in removal.text
        assert all(f"(incident {name})" in removal.text for name in removal.incident_ids)
    if found.removals:
        assert found.removals[0].text in found.statement
        assert (f"There are {found.sets} ways" in found.statement) == (found.sets > 1)
    if found.lowering is not None:
        assert found.lowering.text in found.statement


def test_nothing_is_said_where_the_survival_is_explained(toy_scorer: Scorer) -> None:
    request = parse_request(random_request(301) | {"explain": "both", "explain_survival": True})
    result = toy_scorer.score(request, TODAY)
    assert isinstance(result.explanation, BothExplanations)
    assert isinstance(result.survival_explanation, BothExplanations)
    assert result.explanation.incidents.what_if is not None
    assert result.survival_explanation.incidents.what_if is None
